/**
 * What the app thread (worker) reports to the supervisor (main thread), in the past tense, and what both speak of. Reports come
 * out of a thread in which the app's code runs, and are parsed where they arrive (code and source text inside a prepared module
 * excepted). Orders, the other way, are in orders.ts.
 */

import type { PreparedModule } from "../compile/compiled-module.js";
import type { PublicAddress } from "./bound-address.js";
import type { Credentials } from "./credentials.js";
import { fileStamp, packageLog } from "./package-log.js";
import type { PackedMessage } from "./parent-channel.js";
import type { ProcessCall } from "./process-calls.js";
import type { SerializedError } from "./serialized-error.js";
import * as z from "./zod.js";

export const sourceLocation = z.strictObject({ file: z.string(), line: z.int(), column: z.int() });

export const serializedError: z.ZodType<SerializedError> = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    message: z.string(),
    stack: z.optional(z.string()),
    code: z.optional(z.string()),
    location: z.optional(sourceLocation),
    frame: z.optional(z.string()),
    cause: z.optional(serializedError),
  }),
);

const preparedModule = z.custom<PreparedModule>((value) => typeof value === "object" && value !== null);

const packedMessage = z.custom<PackedMessage>((value) => typeof value === "string" || value instanceof Uint8Array);

const processCall = z.custom<ProcessCall>((value) => typeof value === "object" && value !== null);

/** What a module's own code has said about its reloads, by `import.meta.hot` or `module.hot`. Paths of own files. */
export const acceptance = z.strictObject({
  /** A new version of the file concerns no importer. */
  self: z.boolean(),
  /** Exports that may change without concerning those who import no others. */
  exports: z.array(z.string()),
  /** Files whose new versions do not concern this module: a callback of its own takes them in. */
  dependencies: z.array(z.string()),
  /** The file is only replaced together with its worker. */
  declined: z.boolean(),
  /** Files that, seen from this module, are only replaced together with the worker. */
  declinedDependencies: z.array(z.string()),
});
export type Acceptance = z.infer<typeof acceptance>;

/**
 * What a module's calls of `unreloader/app` have asked for, which holds until that version is purged. Globs are absolute;
 * those of one list go together, as one that begins with `!` takes out what the others match.
 */
export const asks = z.strictObject({
  /** Patterns whose files are loaded, those that come later too. */
  monitors: z.array(
    z.strictObject({
      globs: z.array(z.string()),
      /** Files that it has loaded. */
      files: z.array(z.string()),
      /** For `autoload`: what is loaded when it is first read. */
      lazy: z.boolean(),
      names: z.array(z.strictObject({ name: z.string(), file: z.string() })),
    }),
  ),
  dependencies: z.array(z.strictObject({ dependency: z.array(z.string()), files: z.array(z.string()) })),
  splits: z.array(z.strictObject({ main: z.string(), parts: z.array(z.string()) })),
});
export type Asks = z.infer<typeof asks>;

/** What one evaluated file turned out to use. Edges are absolute paths of own files. */
const loadedModule = z.strictObject({
  file: z.string(),
  /** Own files whose bindings were read while this file was being evaluated. */
  observed: z.array(z.string()),
  /** Own files that have set globals that were read while this file was being evaluated; absent for the many without. */
  globals: z.optional(z.array(z.string())),
  /** Own files that `require()` or `import()` loaded, during evaluation or later. */
  dynamic: z.array(z.string()),
  /** Own files whose state this file's evaluation has changed. */
  written: z.array(z.string()),
  /** What it has set that is no module's: globals, variables of the environment, patches; absent for the many without. */
  sets: z.optional(z.array(z.string())),
  /** To what it has added something that is no module's: collections of packages, listeners; absent for the many without. */
  registers: z.optional(z.array(z.string())),
  /**
   * Files, existing or not, that were read through `node:fs` during evaluation, and what was in them: a hash, or MISSING;
   * absent when they could not be read.
   */
  reads: z.array(z.strictObject({ file: z.string(), hash: z.optional(z.string()) })),
  /** The same of files and folders of which only was asked whether they are there; `hash` as in `reads`, or FOLDER, or PRESENT. */
  looks: z.optional(z.array(z.strictObject({ file: z.string(), hash: z.optional(z.string()) }))),
  /** Symbolic links, or what might be ones: where they lead was asked. */
  links: z.optional(z.array(z.string())),
  /** Folders that were listed during evaluation. */
  lists: z.array(z.string()),
  /** Those of all these that a package used while it was being loaded: only a fresh worker uses them again. */
  usedByPackages: z.optional(z.array(z.string())),
  /** Own files that a thread or process evaluates that the module has started, and when, in milliseconds since 1970. */
  starts: z.optional(z.array(z.strictObject({ file: z.string(), since: z.number() }))),
  /** It has called `cluster.fork()`: only in a fresh thread does Node count workers from 1 again. */
  isPrimary: z.optional(z.literal(true)),
  hot: z.optional(acceptance),
  /** Absent for the many that ask for nothing. */
  asks: z.optional(asks),
  /** Classes that the evaluation made, with the names of what each descends from, nearest first. */
  classes: z.array(z.strictObject({ name: z.string(), bases: z.array(z.string()) })),
});
export type LoadedModule = z.infer<typeof loadedModule>;

/** Where the app asked to listen. */
export const listenTarget = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("port"),
    port: z.int(),
    host: z.optional(z.string()),
    backlog: z.optional(z.int()),
    ipv6Only: z.optional(z.boolean()),
    reusePort: z.optional(z.boolean()),
  }),
  z.strictObject({ type: z.literal("path"), path: z.string(), backlog: z.optional(z.int()) }),
  /** A socket that the process was started with (socket activation): the same descriptor in both threads. */
  z.strictObject({ type: z.literal("fd"), fd: z.int(), backlog: z.optional(z.int()) }),
]);
export type ListenTarget = z.infer<typeof listenTarget>;

export type { PublicAddress };

/** What the bytes of a virtual server are: decides how the front finds where requests begin. */
export const serverKind = z.enum(["http", "https", "http2", "http2-secure", "raw"]);
export type ServerKind = z.infer<typeof serverKind>;

/**
 * Old versions of one class, or of one module's scope (`class` and `entry` are absent), that can still be reached after a
 * purge.
 */
export const staleReference = z.strictObject({
  file: z.string(),
  class: z.optional(z.string()),
  /** What they have registered with a package that does not let it go. */
  entry: z.optional(z.string()),
  /** In which the oldest of them was purged. */
  generation: z.int(),
  count: z.int(),
  /** Milliseconds since the oldest of them was purged. */
  ageMs: z.number(),
  /** A request or an upgraded connection from before the purge is still open, and may be what holds them: rightly so. */
  inUse: z.boolean(),
});
export type StaleReference = z.infer<typeof staleReference>;

const markedReference = z.strictObject({
  reference: staleReference,
  /** How a heap snapshot shows each of the versions. */
  markers: z.array(z.string()),
});
export type MarkedReference = z.infer<typeof markedReference>;

/** What the thread waits for. */
const threadWait = z.discriminatedUnion("type", [
  z.strictObject({
    /** A module is being evaluated, and waits. */
    type: z.literal("evaluating"),
    file: z.string(),
    /** Of the text that it was compiled from. */
    hash: z.string(),
    /** Of its top-level await, in the compiled text; absent: it waits for a package that it imports. */
    position: z.optional(z.strictObject({ line: z.int(), column: z.int() })),
  }),
  z.strictObject({
    type: z.literal("hook"),
    /** `a dispose hook`. */
    what: z.string(),
    /** Whose it is. */
    file: z.optional(z.string()),
    ageMs: z.number(),
  }),
  z.strictObject({
    /** Requests in flight end before a reload goes on. */
    type: z.literal("requests"),
    /** `label`: `GET /path`, where it is known. Oldest first. */
    requests: z.array(z.strictObject({ label: z.optional(z.string()), ageMs: z.number() })),
  }),
]);
export type ThreadWait = z.infer<typeof threadWait>;

export const workerReport = z.discriminatedUnion("type", [
  /** The thread runs and waits for modules. */
  z.strictObject({ type: z.literal("started") }),
  /** The entry was evaluated. `exported`: an exported app is served; `pending`: neither an app nor a listen yet. */
  z.strictObject({
    type: z.literal("evaluated"),
    loaded: z.array(loadedModule),
    serves: z.enum(["listening", "exported", "pending"]),
    /** A module has thrown, and the app's own listeners have taken the exception. */
    isPartial: z.boolean(),
    packages: z.optional(packageLog),
  }),
  z.strictObject({
    type: z.literal("loadedAhead"),
    /** Indices of the requests that were loaded. */
    loaded: z.array(z.int()),
    /** What has turned out not to be fit: the thread is of no use. */
    unfit: z.array(z.strictObject({ index: z.int(), because: z.string() })),
    left: z.array(z.strictObject({ index: z.int(), because: z.string() })),
    /** Variables of the environment that were read; `*`: all. */
    variables: z.array(z.string()),
    files: z.array(fileStamp),
    heapBytes: z.number(),
    durationMs: z.number(),
  }),
  /** The app is another than the one for which packages were loaded ahead. The thread stands still, and has to be ended. */
  z.strictObject({ type: z.literal("refused"), because: z.string() }),
  /**
   * Nothing goes on any more that the evaluation as this generation (or one before) has begun and that may lead to a
   * `listen()`: released servers that nobody has adopted will not be. All `listenRequested` reports of it come before.
   */
  z.strictObject({ type: z.literal("begunWorkDone"), generation: z.int() }),
  /** The purge of the file has ended a pause of the package, and since then somebody waits for something that does not come. */
  z.strictObject({ type: z.literal("queueStopped"), file: z.string(), packageName: z.string() }),
  /** What was answered before the file, the entry, was evaluated again is not found since. */
  z.strictObject({ type: z.literal("routeLost"), file: z.string(), route: z.string() }),
  /** After `evaluated`: a server listens, or nothing goes on that could still lead to one. */
  z.strictObject({ type: z.literal("startSettled") }),
  z.strictObject({ type: z.literal("evaluateFailed"), loaded: z.array(loadedModule), error: serializedError }),
  /** Files that the worker compiled by itself, because a computed specifier led to them. */
  z.strictObject({ type: z.literal("modulesDiscovered"), modules: z.array(preparedModule) }),
  /** A computed specifier was looked up: a file that is added later may change where it leads. */
  z.strictObject({
    type: z.literal("specifierLookedUp"),
    specifier: z.string(),
    importer: z.string(),
    kind: z.enum(["import", "require"]),
  }),
  /** Edges that came up outside a plan: late requires, dynamic imports, continuations of an entry's start. */
  z.strictObject({ type: z.literal("modulesLoaded"), loaded: z.array(loadedModule) }),
  z.strictObject({
    type: z.literal("planApplied"),
    planId: z.int(),
    purged: z.array(z.strictObject({ file: z.string(), classes: z.array(z.string()) })),
    /** In evaluation order. */
    loaded: z.array(loadedModule),
    /** What purged files have registered with packages and what could not be taken out. `decides`: the package, when answers depend on it. */
    stuck: z.array(z.strictObject({ file: z.string(), what: z.string(), decides: z.optional(z.string()) })),
    /** What a purged module has done to a package and its new version does not do any more: only a fresh thread is free of it. */
    left: z.optional(z.strictObject({ file: z.string(), what: z.string() })),
  }),
  /** What the plan purges is purged: from here on it is the new code that may take its time. */
  z.strictObject({ type: z.literal("planPurged"), planId: z.int() }),
  /** Nothing was done: the plan did not know of all reports. The others come before this one. */
  z.strictObject({ type: z.literal("planOutdated"), planId: z.int() }),
  /**
   * Evaluation threw; the worker went back to the versions it had before the plan. `damaged`: those that have lost something
   * by it that only their evaluation gives again (timers, listeners, what a dispose hook closed).
   */
  z.strictObject({
    type: z.literal("planFailed"),
    planId: z.int(),
    file: z.optional(z.string()),
    damaged: z.array(z.string()),
    error: serializedError,
  }),
  z.strictObject({
    type: z.literal("listenRequested"),
    listenId: z.int(),
    kind: serverKind,
    target: listenTarget,
    /** The exported app's server: `--port`/`--host` and the fallback apply to it. */
    exported: z.boolean(),
    /** Unix socket (named pipe on Windows) on which the worker really listens for this server. */
    socketPath: z.string(),
    /** Of a TLS server, unless it looks for them by the client's server name. Never shown, never written. */
    credentials: z.optional(z.custom<Credentials>((value) => typeof value === "object" && value !== null)),
    /** It takes the place of this one, which listens on the same handle: `listen(otherServer)`. */
    replaces: z.optional(z.int()),
  }),
  /** The app closed the server itself. */
  z.strictObject({ type: z.literal("serverClosed"), listenId: z.int() }),
  /** A purge closed the server: its public port waits for adoption. */
  z.strictObject({ type: z.literal("serverReleased"), listenId: z.int() }),
  /** Told to, the server listens on its unix socket again. */
  z.strictObject({ type: z.literal("listensAgain"), listenId: z.int() }),
  /** The app writes a file that a module has read, or into a folder that one has listed: it is state, not a dependency. */
  z.strictObject({ type: z.literal("fileWritten"), file: z.string() }),
  /** The app writes the file of a module. `at`: milliseconds since 1970. `isState`: it has evaluated the module before. */
  z.strictObject({
    type: z.literal("moduleWritten"),
    file: z.string(),
    isState: z.boolean(),
    at: z.number(),
    hash: z.optional(z.string()),
  }),
  /**
   * Files of packages that the thread has loaded since the last report; `used`: what it has read as data, listed, or looked for, and when;
   * `folders`: of packages that are ES modules; `written`: of those that were reported before, what the app has written itself;
   * `at`: when the last was loaded, in milliseconds since 1970.
   */
  z.strictObject({
    type: z.literal("packageFilesLoaded"),
    files: z.array(z.string()),
    used: z.array(z.strictObject({ file: z.string(), at: z.number() })),
    folders: z.array(z.string()),
    written: z.array(z.string()),
    at: z.number(),
  }),
  /** The app has registered hooks of Node's loader: it may find and read more than main knows. */
  z.strictObject({ type: z.literal("loaderChanged") }),
  z.strictObject({ type: z.literal("callReturned"), callId: z.int(), value: z.unknown() }),
  z.strictObject({ type: z.literal("callFailed"), callId: z.int(), error: serializedError }),
  /** A module took back what it had accepted: its importers are to be loaded again; with `again` it is, too. */
  z.strictObject({ type: z.literal("invalidated"), file: z.string(), again: z.boolean() }),
  /** Told to stop, the app has something to dispose, which may take this long. */
  z.strictObject({ type: z.literal("disposing"), deadlineMs: z.number() }),
  /** The app reads standard input: it shall be given to this thread. */
  z.strictObject({ type: z.literal("inputWanted") }),
  /** The thread reads it no more; `isFinal`: and never will again. */
  z.strictObject({
    type: z.literal("inputLeft"),
    unread: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
    isFinal: z.boolean(),
  }),
  /** It does not read the terminal for now, and has left it as it was. */
  z.strictObject({ type: z.literal("inputRests") }),
  /** The app called process.exit(). */
  z.strictObject({ type: z.literal("exitRequested"), code: z.int() }),
  /** It sleeps until the main thread has done this. */
  z.strictObject({ type: z.literal("processCalled"), call: processCall }),
  /** The app sends a message to the process that has forked this one. */
  z.strictObject({ type: z.literal("messageSent"), id: z.int(), message: packedMessage }),
  /** Its listeners have been told of the message with this number, and of those before. */
  z.strictObject({ type: z.literal("messageTaken"), id: z.int() }),
  /** It has called process.disconnect(). */
  z.strictObject({ type: z.literal("disconnected") }),
  /** An exception nobody caught; the thread ends after it. */
  z.strictObject({ type: z.literal("crashed"), error: serializedError }),
  z.strictObject({
    type: z.literal("staleReferencesChecked"),
    /** Absent: the worker looked by itself. */
    requestId: z.optional(z.int()),
    references: z.array(staleReference),
    /** Those among them that are to be told. */
    news: z.array(staleReference),
  }),
  /** The app listens for these, and for no others. */
  z.strictObject({ type: z.literal("signalsListened"), signals: z.array(z.string()) }),
  z.strictObject({
    type: z.literal("signalDelivered"),
    requestId: z.int(),
    isHeard: z.boolean(),
  }),
  /** The app has nothing left to do. */
  z.strictObject({ type: z.literal("signalOver"), requestId: z.int() }),
  z.strictObject({
    type: z.literal("waitsTold"),
    requestId: z.int(),
    waits: z.array(threadWait),
  }),
  /** Files with what they have created, in words; and what the thread's heap holds. */
  z.strictObject({
    type: z.literal("createdTold"),
    requestId: z.int(),
    created: z.array(z.strictObject({ file: z.string(), what: z.array(z.string()) })),
    heapBytes: z.int(),
  }),
  /** No snapshot was written when nothing is marked, or with `error`. */
  z.strictObject({
    type: z.literal("heapSnapshotWritten"),
    requestId: z.int(),
    marked: z.array(markedReference),
    error: z.optional(serializedError),
  }),
  /** The app has been loaded, and nothing has had these names of the subclass filter. `seen`: names of classes. */
  z.strictObject({ type: z.literal("subclassesUnknown"), names: z.array(z.string()), seen: z.array(z.string()) }),
  z.strictObject({ type: z.literal("logged"), level: z.enum(["debug", "info", "warn", "error"]), message: z.string() }),
]);
export type WorkerReport = z.infer<typeof workerReport>;
