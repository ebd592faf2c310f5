/**
 * A debugger as an editor brings one: the protocol over a WebSocket, breakpoints by file and line of the source. The source
 * maps are the ones that scripts carry with them.
 */
import { once } from "node:events";
import { generatedPositionFor, LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { WebSocket } from "ws";
import { within } from "./deadline.js";

interface Script {
  readonly url: string;
  readonly map: TraceMap | undefined;
}

interface Frame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
}

/** An answer to a command (with `id`), or an event. */
interface Received {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: unknown;
}

/** A place in the source, line from 1. */
export interface Stop {
  readonly url: string;
  readonly line: number;
  readonly functionName: string;
}

export class DebuggerClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  #lastId = 0;
  /** Command id -> who waits for its result. */
  readonly #commands = new Map<number, (answer: Received) => void>();
  readonly #scripts = new Map<string, Script>();
  readonly #stops: Stop[] = [];
  #onStop: (() => void) | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (text) => this.#receive(JSON.parse(String(text))));
  }

  static async attach(url: string): Promise<DebuggerClient> {
    const socket = new WebSocket(url);
    await within(once(socket, "open"), "the debugger's socket");
    const client = new DebuggerClient(socket);
    await client.send("Runtime.enable");
    await client.send("Debugger.enable");
    return client;
  }

  send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#commands.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
    });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return within(answer, method);
  }

  /** Sets a breakpoint at a line of the source (from 1), as editors do: by the place in the script that it leads to. */
  async breakAt(url: string, line: number): Promise<void> {
    const script = [...this.#scripts.values()].filter((one) => one.url === url).at(-1);
    if (!script) throw new Error(`no script ${url} among ${[...this.#scripts.values()].map((one) => one.url)}`);
    let place = { line, column: 0 };
    if (script.map) {
      // The first statement of the line.
      const found = generatedPositionFor(script.map, { source: url, line, column: 0, bias: LEAST_UPPER_BOUND });
      if (found.line === null) throw new Error(`no code at line ${line} of ${url}`);
      place = found;
    }
    await this.send("Debugger.setBreakpointByUrl", { url, lineNumber: place.line - 1, columnNumber: place.column });
  }

  /** Where the app stops next, or has stopped. */
  async stopped(): Promise<Stop> {
    if (this.#stops.length === 0) {
      const stop = new Promise<void>((resolve) => {
        this.#onStop = resolve;
      });
      await within(stop, "a stop at a breakpoint");
    }
    return this.#stops.shift() as Stop;
  }

  async resume(): Promise<void> {
    await this.send("Debugger.resume");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await within(closed, "the end of the debugger's socket");
  }

  #receive(message: Received): void {
    if (message.id !== undefined) {
      this.#commands.get(message.id)?.(message);
      this.#commands.delete(message.id);
    } else if (message.method === "Debugger.scriptParsed") {
      const { scriptId, url, sourceMapURL } = message.params as Record<string, string>;
      const base64 = sourceMapURL?.split("base64,")[1];
      const map = base64 === undefined ? undefined : new TraceMap(Buffer.from(base64, "base64").toString());
      this.#scripts.set(String(scriptId), { url: String(url), map });
    } else if (message.method === "Debugger.paused") {
      const [top] = (message.params as { callFrames: Frame[] }).callFrames;
      if (top) this.#stops.push(this.#placeOf(top));
      this.#onStop?.();
    }
  }

  #placeOf({ functionName, location }: Frame): Stop {
    const script = this.#scripts.get(location.scriptId);
    const line = location.lineNumber + 1;
    const original = script?.map && originalPositionFor(script.map, { line, column: location.columnNumber });
    return { url: script?.url ?? "", line: original?.line ?? line, functionName };
  }
}
