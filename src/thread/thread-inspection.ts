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

export type Inspected =
  /** Innermost first. `source`: text of the script of the frame that `pick` chose. */
  | { readonly type: "running"; readonly frames: readonly StackFrame[]; readonly source: string | undefined }
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
}

interface CallFrame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
}

/** Answers to our own commands, by their ids, and events. */
interface ThreadMessage {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly scriptSource?: string };
  readonly params?: { readonly callFrames?: readonly CallFrame[] };
}

const ENABLE = 1;
const PAUSE = 2;
const SOURCE = 3;

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
    } else if (id === SOURCE) {
      this.#end({ type: "running", frames: this.#frames, source: result?.scriptSource });
    }
  }

  #noteScript(message: string): void {
    const [, scriptId, url] = SCRIPT.exec(message) ?? [];
    if (scriptId !== undefined && url !== undefined) this.#urls.set(scriptId, JSON.parse(url) as string);
  }

  #paused(frames: readonly CallFrame[]): void {
    this.#frames = frames.map(({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }) => {
      const url = this.#urls.get(scriptId) ?? "";
      return { functionName, url, scriptId, line: lineNumber + 1, column: columnNumber + 1 };
    });
    const picked = this.#options.pick(this.#frames);
    if (picked === undefined) this.#end({ type: "running", frames: this.#frames, source: undefined });
    else this.#send(SOURCE, "Debugger.getScriptSource", { scriptId: picked.scriptId });
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
