/**
 * What the supervisor (main thread) orders of the app thread (worker). Orders are imperative. They come from our own code and
 * are not parsed, so that the worker need not load zod, which takes 50 ms of every start.
 */

import type { MessagePort } from "node:worker_threads";
import type { PreparedModule } from "../compile/compiled-module.js";
import type { NewBody } from "../compile/live-functions.js";
import type { PackageStatement } from "../compile/package-statements.js";
import type { WrittenPage } from "../page/written-page.js";
import type { PublicAddress } from "./bound-address.js";
import type { PackageRequest } from "./package-log.js";
import type { PackedMessage, SharedChannel, WriteError } from "./parent-channel.js";
import type { SerializedError } from "./serialized-error.js";
import type { SubclassName } from "./subclass-name.js";

/** A module that Node was told to load before the app: `--require`, `--import`, as it was written there. */
export interface NodePreload {
  readonly kind: "require" | "import";
  readonly specifier: string;
}

/** Handed to the thread when its task starts (piscina's `run`). */
export interface AppTask {
  readonly order: BootOrder;
  readonly port: MessagePort;
  readonly process?: SharedProcess;
}

/** The thread shares the environment of the process with the main thread. */
export interface SharedProcess {
  /** See process-words.ts. */
  readonly words: SharedArrayBuffer;
  /** Of the process as it was started. */
  readonly title: string;
  /** Number of the process that has started the launcher of this one; absent: it has none. */
  readonly parent?: number;
  /** Absent: nobody has forked the process. */
  readonly channel?: SharedChannel;
  /** What the app finds as its environment, but for what the boot order adds. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export type TerminalSignal = "SIGWINCH" | "SIGCONT";

/** The standard streams of the process. */
export interface StreamsOrder {
  /** Those that the thread opens by itself; the others are those that Node gives to a thread. */
  readonly own: readonly ("stdin" | "stdout" | "stderr")[];
  /** See stream-words.ts. */
  readonly words: SharedArrayBuffer;
}

export interface BootOrder {
  readonly epoch: number;
  /** What the app is loaded as. */
  readonly generation: number;
  readonly root: string;
  readonly entry: string;
  /** The entry as it was named: `process.argv[1]`. */
  readonly script: string;
  /** Arguments of the app: `process.argv.slice(2)`. */
  readonly args: readonly string[];
  /** What Node was to load before everything else; empty: nothing. */
  readonly nodePreloads: readonly NodePreload[];
  /** Node has hooks in its other thread from the start: `--loader`. */
  readonly hasLoader: boolean;
  /** `process.execArgv` and NODE_OPTIONS of the process, from which `nodePreloads` come. */
  readonly startedWith: { readonly execArgv: readonly string[]; readonly nodeOptions?: string | undefined };
  /** Files to load before the entry. */
  readonly preload: readonly string[];
  /** Export to serve; absent: the first of default, app, handler, server that fits. */
  readonly app?: string | undefined;
  readonly streams: StreamsOrder;
  /** Port and host for an app that is only exported. */
  readonly fallback: { readonly port: number; readonly host: string };
  /** Folder for unix sockets of the virtual servers. */
  readonly socketFolder: string;
  readonly cacheFolder: string;
  readonly conditions: readonly string[];
  /** Modules that export the user's own adapters: absolute paths. */
  readonly adapters: readonly string[];
  /** What becomes of open connections whose listener is replaced. */
  readonly sockets: "move" | "close" | "keep";
  /** Whether the supervisor answers below its own path. */
  readonly panel: boolean;
  /** `--live`; absent: answers are the app's alone. */
  readonly live?: LiveOrder | undefined;
  readonly connectionTable: SharedArrayBuffer;
  /** The epoch's own `ThreadBoard`. */
  readonly board: SharedArrayBuffer;
  /** The epoch's own `OwnConnections`. */
  readonly ownConnections: SharedArrayBuffer;
  /** Names that the subclass filter is made of; absent: all classes are purged. */
  readonly subclasses?: readonly SubclassName[] | undefined;
  /** Names of the classes of files, where those who had them loaded have named them. */
  readonly classNames: Readonly<Record<string, readonly string[]>>;
  /** Whether `unreloader.autoload()` waits for the first read. */
  readonly autoload: boolean;
  /** Added to the environment; as with Node's own `--env-file`, what is set already wins. */
  readonly variables: Readonly<Record<string, string>>;
  /** How long a request may be held. */
  readonly heldDeadlineMs: number;
  /** Functions have cells, so that their bodies can be swapped (src/common/compile/cells.ts). */
  readonly cells: boolean;
  /** Whether a debugger will be opened: scripts then carry their source maps with them. */
  readonly debuggable: boolean;
  /** Whether to write down what the start loads of node_modules, for a standby thread. */
  readonly records: boolean;
  /** The thread ends when its event loop has nothing left to wait for, as a process does; else it waits for calls. */
  readonly endsByItself: boolean;
  /** The supervisor ends with the app: an exception that nobody catches does what it does in a process. */
  readonly exits: boolean;
  /** The thread is made ahead of need: it carries out nothing but `loadAhead` before `begin` says what it is to be. */
  readonly waits?: boolean | undefined;
}

/** What of the boot order is not known before the thread is needed. */
export type LateOrder = Pick<BootOrder, "epoch" | "generation" | "preload" | "board"> & {
  /** Variables of the environment that are others now; null: there is no such variable. */
  readonly environment: Readonly<Record<string, string | null>>;
};

export type SupervisorOrder =
  /** Load those of these that can be loaded before any own code; only to a thread that waits. */
  | { readonly type: "loadAhead"; readonly requests: readonly PackageRequest[] }
  /** Be the app's thread. */
  | { readonly type: "begin"; readonly order: LateOrder }
  /** Code of files that will be evaluated; may come in several parts before `evaluate`. */
  | { readonly type: "addModules"; readonly modules: readonly PreparedModule[] }
  /** Let a debugger attach to the thread; before `evaluate`, so that it may stop in what that runs. */
  | { readonly type: "openInspector"; readonly host: string; readonly port: number }
  /** Evaluate the preload files and the entry, for the first time in this thread. */
  | {
      readonly type: "evaluate";
      /** Public ports are open that earlier threads have listened on: tell when this start will not listen on more. */
      readonly portsWait: boolean;
    }
  | ({
      readonly type: "applyPlan";
      readonly planId: number;
      /** How many `modulesDiscovered` and `modulesLoaded` reports the plan was made with. */
      readonly reportsSeen: number;
    } & PlanOrder)
  /** Nobody waits for this plan any more: go back, without waiting for what it is waiting for. Obeyed beside the others. */
  | { readonly type: "abandonPlan"; readonly planId: number }
  | {
      readonly type: "answerListen";
      readonly listenId: number;
      readonly address?: PublicAddress;
      readonly error?: SerializedError;
    }
  /** The unix socket of this server cannot be reached: listen on it again, unless the server is closed. */
  | { readonly type: "listenAgain"; readonly listenId: number }
  /** The text of a page that takes the place of the app's answers, while the connection table says so. */
  | { readonly type: "sayInstead"; readonly page: SaidPage }
  /** The gate is open again: emit the requests that were held in the worker. */
  | { readonly type: "passRequests" }
  /** Call the app's listeners; with `requestId`, say whether there are any. `ends`: the order to stop follows. */
  | {
      readonly type: "signal";
      readonly signal: NodeJS.Signals;
      readonly ends: boolean;
      readonly requestId?: number;
    }
  /** The same: the app ends by it. Say when it has nothing left to do. */
  | { readonly type: "endBySignal"; readonly signal: NodeJS.Signals; readonly requestId: number }
  /** Read standard input from here on; `unread`: what others have read of it and nobody has taken. */
  | { readonly type: "giveInput"; readonly unread: Uint8Array }
  /** Read it no more, and give back what nobody has taken. */
  | { readonly type: "leaveInput" }
  /** The terminal has another size, or the app goes on after Ctrl-Z: for those who listen. */
  | { readonly type: "terminalSignal"; readonly signal: TerminalSignal }
  /** The process that has forked this one has sent it. */
  | {
      readonly type: "giveMessage";
      readonly id: number;
      readonly message: PackedMessage;
      /** What came with it and cannot be passed on, in words. */
      readonly lost?: string;
    }
  /** The message of the app that has this number has left, or has failed to. */
  | { readonly type: "messageWritten"; readonly id: number; readonly error?: WriteError }
  /** The channel to the process that has forked this one is closed. `isBefore`: it was before the app has begun. */
  | { readonly type: "parentLeft"; readonly isBefore: boolean }
  | CallOrder
  /** The signal with this number among a call's arguments was aborted. */
  | { readonly type: "abortCall"; readonly callId: number; readonly signal: number; readonly reason: unknown }
  /** A change could not be taken in: for those who listen for `vite:error`. */
  | { readonly type: "announceFailure"; readonly error: SerializedError }
  /** Look now which purged versions are still reachable. */
  | { readonly type: "checkStaleReferences"; readonly requestId: number }
  /** Say what is waited for. Obeyed beside the orders that wait for each other, also when one of those waits for ever. */
  | { readonly type: "tellWaits"; readonly requestId: number }
  /** The same, of what modules have created and not ended. */
  | { readonly type: "tellCreated"; readonly requestId: number }
  /** The same as `checkStaleReferences`, and write a heap snapshot to `file` when there are any. */
  | { readonly type: "writeHeapSnapshot"; readonly requestId: number; readonly file: string }
  /**
   * Finish what is in flight, dispose, and end the task; a plan that is under way is abandoned. `restarts`: another thread
   * has taken over or is about to, so streams and open sockets go on, too, as long as `drainMs` lasts.
   */
  | { readonly type: "stop"; readonly drainMs: number; readonly restarts: boolean };

/** What the pages of the app are given, so that they load themselves again. */
export interface LiveOrder {
  /** Of the supervisor. */
  readonly id: string;
  /** ASCII. */
  readonly script: string;
}

export interface SaidPage {
  /** As in the connection table. */
  readonly number: number;
  readonly page: WrittenPage;
}

/** Run a function that the entry exports. */
export interface CallOrder {
  readonly type: "call";
  readonly callId: number;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly signals: readonly SignalArgument[];
}

/** Where among the arguments an AbortSignal belongs, since it cannot be cloned. */
export interface SignalArgument {
  readonly argument: number;
  /** A property of that argument; absent: the argument itself. */
  readonly property?: "signal";
  /** It was aborted before the call. */
  readonly aborted?: { readonly reason: unknown };
}

/** Bodies of functions of one module that take the place of others. */
export interface FunctionSwap {
  /** The new text, with the number that it has among those of the version; see live-functions.ts. */
  readonly module: PreparedModule;
  readonly text: number;
  readonly bodies: readonly NewBody[];
}

/** A statement for what it leaves in a package, that the new version of a module does not have any more. */
export interface DroppedStatement extends PackageStatement {
  readonly file: string;
  /** There is one with the same target in its place. */
  readonly isChanged: boolean;
  /** Texts of all that is done to the same package now. */
  readonly present: string;
}

export interface PlanOrder {
  readonly generation: number;
  /** In this order. */
  readonly purge: readonly string[];
  /** In this order. */
  readonly load: readonly string[];
  /** Those of `load` whose new versions were accepted: who accepts them is told. */
  readonly accepted?: readonly string[];
  /** Files to which nothing leads any more: their prune hooks run, what only they keep is closed. */
  readonly pruned?: readonly string[];
  /** New code for changed and added files. Code of a purged file that is absent here is reused. */
  readonly modules: readonly PreparedModule[];
  /** Modules that are kept, with specifiers that lead elsewhere now. */
  readonly relinked: readonly PreparedModule[];
  /** Files that are gone or broken: who asks for one later gets the error, not the code that the worker still has. */
  readonly forget: readonly string[];
  /** As in the boot order; absent: as before. */
  readonly classNames?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Files were added or deleted: specifiers may lead elsewhere. */
  readonly lookupsChanged: boolean;
  /** What the purged modules do to packages and the new ones do not. */
  readonly dropped?: readonly DroppedStatement[];
  /** Bodies to swap; then nothing is purged or evaluated. Refused when an evaluation has called one of the functions. */
  readonly swaps?: readonly FunctionSwap[];
  /** Milliseconds that requests in flight get before the purge. */
  readonly drainMs: number;
  /** For tests: when all is evaluated the plan fails, with this message. */
  readonly fails?: string;
}
