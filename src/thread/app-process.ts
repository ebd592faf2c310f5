/**
 * What of the process is the app's: the environment, the working folder, the title, the mask of file modes. The process has
 * each of these once, and its threads share them, so one thread has them at a time, by its epoch: the one whose app was
 * begun last. What it does to them is real (native code sees it); the next one finds what the process was started with.
 *
 * For a process that was started for the app. One that embeds an app keeps these for itself.
 */
import { debuglog } from "node:util";
import type { Worker } from "node:worker_threads";
import type { SharedProcess } from "../common/protocol/orders.js";
import { leaveOutcome, type ProcessCall } from "../common/protocol/process-calls.js";
import { OWNER, PROCESS_WORDS } from "../common/protocol/process-words.js";
import { carryOut } from "./carry-out.js";
import { startEnvironment } from "./env-files.js";
import { ParentChannel } from "./parent-channel.js";

const debug = debuglog("unreloader");

type Variables = Readonly<Record<string, string | undefined>>;

/** What an epoch leaves, for when it has the process again. */
interface Left extends Settings {
  readonly variables: Variables;
}

interface Settings {
  readonly folder: string | undefined;
  readonly title: string;
  /** Undefined: as it was. Only setting it tells it: to ask for it is to change it for a moment, for all threads. */
  readonly mask: number | undefined;
}

export class AppProcess {
  /** Undefined: nobody has forked it. */
  readonly channel: ParentChannel | undefined;
  /** Shared with the threads: which of them has the process. */
  readonly #memory = new SharedArrayBuffer(PROCESS_WORDS * Int32Array.BYTES_PER_ELEMENT);
  readonly #words = new Int32Array(this.#memory);
  /** The environment that native code sees, and all threads. */
  readonly #real = process.env;
  readonly #parent: number | undefined;
  readonly #started: Settings = { folder: currentFolder(), title: process.title, mask: undefined };
  /** What the mask was before an app has set it, and is now; undefined: none has. */
  #mask: { readonly started: number; readonly now: number } | undefined;
  /** Epochs that are alive and do not have the process now, oldest first. */
  readonly #left = new Map<number, Left>();
  #threads = 0;

  /**
   * From here on this thread has variables of its own: what the app sets changes nothing that the supervisor does.
   * `parent`: number of the process that the app takes for its parent, which has started a launcher; undefined: of the one
   * that is.
   */
  constructor(parent?: number) {
    this.#parent = parent;
    this.channel = parent === undefined ? ParentChannel.open() : undefined;
    process.env = ownVariables(startEnvironment(this.#real));
  }

  /** A thread was made that shares it, and is counted until it has ended, whoever has given it up. */
  counts(thread: Worker): void {
    this.#threads++;
    thread.once("exit", () => this.#threads--);
  }

  /** One in native code runs on when it was ended. */
  get hasThreads(): boolean {
    return this.#threads > 0;
  }

  /** In which the process was started. */
  get folder(): string | undefined {
    return this.#started.folder;
  }

  /** What a thread is given whose app finds these variables. */
  sharedWith(variables: Variables): SharedProcess {
    const parent = this.#parent;
    return {
      words: this.#memory,
      title: this.#started.title,
      variables,
      ...(parent !== undefined && { parent }),
      ...(this.channel && { channel: this.channel.shared }),
    };
  }

  /** To be called before the epoch's app is evaluated. Its thread sets the variables: V8 learns of a time zone in it. */
  giveTo(epoch: number): void {
    const before = this.#owner;
    if (before !== 0 && before !== epoch) this.#left.set(before, this.#current());
    if (before !== 0) this.#putBack(this.#started);
    Atomics.store(this.#words, OWNER, epoch);
  }

  /** The thread of the epoch has ended. The newest of the others that live has the process again, as it left it. */
  ended(epoch: number): void {
    this.#left.delete(epoch);
    if (this.#owner !== epoch) return;
    const [heir, left] = [...this.#left].at(-1) ?? [];
    this.#putBack(left ?? this.#started);
    setVariables(this.#real, left?.variables ?? process.env);
    if (heir !== undefined) this.#left.delete(heir);
    Atomics.store(this.#words, OWNER, heir ?? 0);
  }

  /** Carries out a call for the thread that sleeps until it is done. One that does not have the process changes nothing. */
  answer(epoch: number, { name, args, outcome: memory }: ProcessCall): void {
    const outcome = this.#owner === epoch ? carryOut(name, args) : ({ type: "returned" } as const);
    if (name === "umask" && outcome.type === "returned" && typeof outcome.value === "number") {
      this.#mask = { started: this.#mask?.started ?? outcome.value, now: maskOf(args[0]) };
    }
    leaveOutcome(memory, outcome);
  }

  get #owner(): number {
    return Atomics.load(this.#words, OWNER);
  }

  #current(): Left {
    return {
      variables: { ...this.#real },
      folder: currentFolder(),
      title: process.title,
      mask: this.#mask?.now,
    };
  }

  #putBack({ folder, title, mask = this.#mask?.started }: Settings): void {
    if (folder !== undefined && folder !== currentFolder()) enter(folder);
    if (title !== process.title) process.title = title;
    if (mask === undefined || !this.#mask || mask === this.#mask.now) return;
    process.umask(mask);
    this.#mask = { ...this.#mask, now: mask };
  }
}

/** Variables as Node has them: whatever is set is a text. */
function ownVariables(variables: Variables): NodeJS.ProcessEnv {
  return new Proxy(
    { ...variables },
    { set: (target, name, value) => Reflect.set(target, name, typeof name === "string" ? String(value) : value) },
  );
}

function setVariables(real: NodeJS.ProcessEnv, wanted: Variables): void {
  for (const name of Object.keys(real)) if (wanted[name] === undefined) delete real[name];
  for (const [name, value] of Object.entries(wanted)) if (real[name] !== value) real[name] = value;
}

/** Undefined: it was removed. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch (error) {
    debug("the working folder is gone: %s", error);
    return undefined;
  }
}

function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch (error) {
    // It was removed: the thread that is told so next is the app's, by whatever it does there.
    debug("the working folder is gone: %s", error);
  }
}

/** As Node reads it: a text is octal. */
function maskOf(mask: unknown): number {
  return typeof mask === "string" ? Number.parseInt(mask, 8) : Number(mask);
}
