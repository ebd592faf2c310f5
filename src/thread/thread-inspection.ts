/**
 * One look, through the inspector, at what a thread runs that does not answer. Nothing else is stopped by it, and the
 * thread stands still for a few milliseconds only. (26 to 49 ms on Node 20, 22, 24 and 26.)
 */
import { Session } from "node:inspector";
import { afterInterrupt } from "./after-interrupt.js";

/** A function that runs, or waits for one that it has called; lines and columns as V8 counts them, from 1. */
export interface StackFrame {
  readonly functionName: string;
  /** Of the script: a `file:` or `node:` URL; empty for code without a name. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
  readonly scriptId: string;
}

/** A frame, with the text of its script. */
export interface SourceFrame {
  readonly frame: StackFrame;
  readonly source: string | undefined;
}

export type Inspected =
  /**
   * Innermost first. `source`: text of the script of the frame that `pick` chose. `purged`: the innermost frame of a purged
   * version of an own module.
   */
  | {
      readonly type: "running";
      readonly frames: readonly StackFrame[];
      readonly source: string | undefined;
      readonly purged?: SourceFrame | undefined;
    }
  /** A debugger has stopped it. */
  | { readonly type: "stopped" }
  /** It could not be told in time: it is in native code, or has gone. */
  | { readonly type: "unknown" };

export interface InspectionOptions {
  /** As `Worker.threadId` has it. */
  readonly threadId: number;
  readonly deadlineMs: number;
  /** The frame whose script's text is wanted. */
  pick(frames: readonly StackFrame[]): StackFrame | undefined;
  /** Whether the frame may be of a purged version: then it is asked. Absent: none is. */
  mayBePurged?(frame: StackFrame): boolean;
}

interface CallFrame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
}

/** Answers to our own commands, by their ids, and events. */
interface ThreadMessage {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly scriptSource?: string; readonly result?: { readonly value?: unknown } };
  readonly params?: { readonly callFrames?: readonly CallFrame[] };
}

const ENABLE = 1;
const PAUSE = 2;
/** Ids from here on ask for the source of the script with that number, negative ones whether a frame is purged. */
const SOURCES = 3;

/** A module's functions all have `__ur` in their scope (workers/runtime/script.ts), which knows its version. */
const IS_PURGED = 'typeof __ur === "object" && __ur.isPurged === true';

/** Comes once for each script of the thread, with its whole source map: only its beginning is worth parsing. */
const SCRIPT_PARSED = '{"method":"Debugger.scriptParsed"';
const SCRIPT = /^\{"method":"Debugger\.scriptParsed","params":\{"scriptId":"(\d+)","url":("(?:[^"\\]|\\.)*")/;

export class ThreadInspection {
  /** Settles within the deadline, or when it is released; never rejects. */
  readonly answer: Promise<Inspected>;
  readonly #options: InspectionOptions;
  readonly #session = new Session();
  readonly #timer: NodeJS.Timeout;
  /** The inspector's name for the connection to the thread. */
  #sessionId: string | undefined;
  #askedToPause = false;
  #frames: readonly StackFrame[] = [];
  #picked: StackFrame | undefined;
  #purged: StackFrame | undefined;
  /** Frames that are asked whether they are purged, innermost first. */
  #asked: readonly StackFrame[] = [];
  /** Script id -> text; undefined until it comes. */
  readonly #sources = new Map<string, string | undefined>();
  /** Script id -> URL: frames do not name their script's (20 to 26: measured). */
  readonly #urls = new Map<string, string>();
  #settle: ((answer: Inspected) => void) | undefined;
  /** `process.exit()` would wait for a thread that stands. */
  readonly #onExit = () => this.release();

  constructor(options: InspectionOptions) {
    this.#options = options;
    this.answer = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = setTimeout(() => this.#end({ type: "unknown" }), options.deadlineMs);
    process.once("exit", this.#onExit);
    const session = this.#session;
    session.connect();
    session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
      // `workerId` is a count of the inspector's own; the title begins with the thread's id (20 to 26: measured).
      if (workerInfo.title.startsWith(`[worker ${options.threadId}]`)) afterInterrupt(() => this.#attached(sessionId));
    });
    session.on("NodeWorker.receivedMessageFromWorker", ({ params: { message, sessionId } }) =>
      afterInterrupt(() => this.#heard(sessionId, message)),
    );
    session.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) => {
      if (error) afterInterrupt(() => this.#end({ type: "unknown" }));
    });
  }

  /**
   * Lets the thread go on. To be called before it is ended: a thread that stands never ends (20.19 to 26: measured).
   * Idempotent.
   */
  release(): void {
    this.#end({ type: "unknown" });
  }

  #attached(sessionId: string): void {
    if (this.#settle === undefined) return;
    this.#sessionId = sessionId;
    // A thread that stands at a breakpoint says so by itself, before it answers.
    this.#send(ENABLE, "Debugger.enable");
  }

  #heard(sessionId: string, message: string): void {
    if (this.#settle === undefined || sessionId !== this.#sessionId) return;
    if (message.startsWith(SCRIPT_PARSED)) this.#noteScript(message);
    else this.#receive(JSON.parse(message) as ThreadMessage);
  }

  #receive({ id, method, params, result }: ThreadMessage): void {
    if (method === "Debugger.paused") {
      if (!this.#askedToPause) this.#end({ type: "stopped" });
      else this.#paused(params?.callFrames ?? []);
    } else if (id === ENABLE) {
      this.#askedToPause = true;
      this.#send(PAUSE, "Debugger.pause");
    } else if (id !== undefined && id < 0) {
      // They come innermost first. One that V8 cannot tell is not purged as far as anybody knows.
      if (result?.result?.value === true) this.#purged ??= this.#asked[-id - 1];
      if (-id === this.#asked.length) this.#askForSources();
    } else if (id !== undefined && id >= SOURCES) {
      this.#receiveSource(id - SOURCES, result?.scriptSource);
    }
  }

  #noteScript(message: string): void {
    const [, scriptId, url] = SCRIPT.exec(message) ?? [];
    if (scriptId !== undefined && url !== undefined) this.#urls.set(scriptId, JSON.parse(url) as string);
  }

  #paused(calls: readonly CallFrame[]): void {
    this.#frames = calls.map(({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }) => {
      const url = this.#urls.get(scriptId) ?? "";
      return { functionName, url, scriptId, line: lineNumber + 1, column: columnNumber + 1 };
    });
    this.#picked = this.#options.pick(this.#frames);
    // Each version has a script of its own.
    const asked = new Map<string, { readonly frame: StackFrame; readonly callFrameId: string }>();
    for (const [k, frame] of this.#frames.entries()) {
      const { callFrameId } = calls[k] as CallFrame;
      if (!asked.has(frame.scriptId) && this.#options.mayBePurged?.(frame))
        asked.set(frame.scriptId, { frame, callFrameId });
    }
    this.#asked = [...asked.values()].map(({ frame }) => frame);
    let id = 0;
    for (const { callFrameId } of asked.values()) {
      const quietly = { silent: true, returnByValue: true, throwOnSideEffect: true };
      this.#send(--id, "Debugger.evaluateOnCallFrame", { callFrameId, expression: IS_PURGED, ...quietly });
    }
    if (asked.size === 0) this.#askForSources();
  }

  #askForSources(): void {
    for (const frame of [this.#picked, this.#purged]) if (frame) this.#sources.set(frame.scriptId, undefined);
    for (const [k, scriptId] of [...this.#sources.keys()].entries()) {
      this.#send(SOURCES + k, "Debugger.getScriptSource", { scriptId });
    }
    if (this.#sources.size === 0) this.#end({ type: "running", frames: this.#frames, source: undefined });
  }

  #receiveSource(k: number, text: string | undefined): void {
    const scripts = [...this.#sources.keys()];
    this.#sources.set(scripts[k] as string, text);
    if (k < scripts.length - 1) return;
    const sourceOf = (frame: StackFrame | undefined) => frame && this.#sources.get(frame.scriptId);
    const frame = this.#purged;
    const purged = frame && { frame, source: sourceOf(frame) };
    this.#end({ type: "running", frames: this.#frames, source: sourceOf(this.#picked), ...(purged && { purged }) });
  }

  #send(id: number, method: string, params: object = {}): void {
    if (this.#sessionId === undefined) return;
    const message = JSON.stringify({ id, method, params });
    // The thread may be gone by now: the deadline sees to that.
    this.#session.post("NodeWorker.sendMessageToWorker", { sessionId: this.#sessionId, message }, () => {});
  }

  #end(answer: Inspected): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    this.#settle = undefined;
    clearTimeout(this.#timer);
    process.off("exit", this.#onExit);
    if (this.#sessionId !== undefined) {
      this.#session.post("NodeWorker.detach", { sessionId: this.#sessionId }, () => {});
    }
    this.#session.disconnect();
    settle(answer);
  }
}
