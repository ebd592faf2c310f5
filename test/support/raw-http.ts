/**
 * An HTTP/1.1 client that hides nothing: one connection, as many requests in flight on it as one likes, and for each
 * exactly what became of it. Bytes that nobody asked for are kept and told.
 */
import net from "node:net";

export type Outcome =
  | { readonly type: "answer"; readonly status: number; readonly headers: ReadonlyMap<string, string>; body: string }
  /** The connection was refused. */
  | { readonly type: "refused" }
  /** The connection ended before the answer was whole; `begun`: some of it had come. */
  | { readonly type: "lost"; readonly why: string; readonly begun: boolean }
  /** The answer before this one said that the connection ends with it, or was cut in the middle. */
  | { readonly type: "unprocessed" }
  /** The client gave up. */
  | { readonly type: "abandoned" };

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Called with each piece of the body as it comes. */
  readonly onBody?: (piece: string) => void;
}

interface Waiting {
  readonly request: Request;
  readonly resolve: (outcome: Outcome) => void;
}

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** `chunked`, a length, or undefined: until the connection ends. */
  readonly length: number | "chunked" | undefined;
}

export class RawConnection {
  readonly #socket: net.Socket;
  readonly #waiting: Waiting[] = [];
  #received = "";
  #head: Head | undefined;
  #body = "";
  #lastAnswer = false;
  #error: NodeJS.ErrnoException | undefined;
  #ended = false;
  /** Bytes that came without a request. */
  unasked = "";
  /** After an upgrade: what came since. */
  onUpgraded: ((text: string) => void) | undefined;
  #upgraded = false;

  constructor(port: number, host = "127.0.0.1") {
    this.#socket = net.connect({ port, host, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#take(text));
    this.#socket.on("error", (error) => {
      this.#error = error;
    });
    this.#socket.on("end", () => this.#end());
    this.#socket.on("close", () => this.#end());
  }

  /** Whether another request can be sent on it. */
  get usable(): boolean {
    return !this.#ended && !this.#lastAnswer && !this.#upgraded && this.#socket.writable;
  }

  get outstanding(): number {
    return this.#waiting.length;
  }

  /** Sends at once; resolves with what became of the request, and never rejects. */
  ask(request: Request): Promise<Outcome> {
    const { method = "GET", path, headers = {}, body } = request;
    const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost"];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    const outcome = new Promise<Outcome>((resolve) => this.#waiting.push({ request, resolve }));
    if (this.#ended) this.#settleAll();
    else {
      this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
      if (body !== undefined) this.#socket.write(body);
    }
    return outcome;
  }

  /** Bytes for the other side of an upgraded connection. */
  send(text: string): void {
    if (!this.#ended) this.#socket.write(text, "latin1");
  }

  /** The client goes away; what it still waited for is abandoned. */
  destroy(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve({ type: "abandoned" });
    this.#ended = true;
    this.#socket.destroy();
  }

  #take(text: string): void {
    if (this.#upgraded) {
      this.onUpgraded?.(text);
      return;
    }
    this.#received += text;
    while (this.#step());
  }

  /** Takes one part of an answer out of what was received; false when more must come first. */
  #step(): boolean {
    const first = this.#waiting[0];
    if (first === undefined) {
      this.unasked += this.#received;
      this.#received = "";
      return false;
    }
    if (this.#head === undefined) return this.#takeHead(first);
    const { length } = this.#head;
    if (length === undefined) {
      this.#addBody(first, this.#received);
      this.#received = "";
      return false;
    }
    if (length === "chunked") return this.#takeChunk(first);
    const missing = length - this.#body.length;
    const piece = this.#received.slice(0, missing);
    this.#received = this.#received.slice(piece.length);
    this.#addBody(first, piece);
    if (piece.length < missing) return false;
    this.#complete();
    return this.#received !== "";
  }

  #takeHead(first: Waiting): boolean {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const [statusLine = "", ...lines] = this.#received.slice(0, end).split("\r\n");
    this.#received = this.#received.slice(end + 4);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    if (status === 101) {
      this.#upgraded = true;
      this.#waiting.shift();
      first.resolve({ type: "answer", status, headers, body: "" });
      if (this.#received !== "") this.onUpgraded?.(this.#received);
      return false;
    }
    if (status < 200 && status > 0) return true;
    const empty = first.request.method === "HEAD" || status === 204 || status === 304;
    const given = headers.get("content-length");
    const chunked = headers.get("transfer-encoding") === "chunked";
    this.#head = { status, headers, length: empty ? 0 : chunked ? "chunked" : given === undefined ? given : +given };
    if (headers.get("connection")?.toLowerCase() === "close") this.#lastAnswer = true;
    if (this.#head.length === 0) this.#complete();
    return true;
  }

  #takeChunk(first: Waiting): boolean {
    const end = this.#received.indexOf("\r\n");
    if (end < 0) return false;
    const size = Number.parseInt(this.#received.slice(0, end), 16);
    const whole = end + 2 + size + 2;
    if (this.#received.length < whole) return false;
    this.#addBody(first, this.#received.slice(end + 2, end + 2 + size));
    this.#received = this.#received.slice(whole);
    if (size === 0) this.#complete();
    return true;
  }

  #addBody(first: Waiting, piece: string): void {
    this.#body += piece;
    if (piece !== "") first.request.onBody?.(piece);
  }

  #complete(): void {
    const first = this.#waiting.shift();
    const head = this.#head;
    const body = this.#body;
    this.#head = undefined;
    this.#body = "";
    if (first && head) first.resolve({ type: "answer", status: head.status, headers: head.headers, body });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#head !== undefined && this.#head.length === undefined && this.#error === undefined) this.#complete();
    this.#settleAll();
    this.#socket.destroy();
  }

  #settleAll(): void {
    const begun = this.#head !== undefined || this.#received !== "";
    for (const [index, { resolve }] of this.#waiting.splice(0).entries()) {
      if (this.#error?.code === "ECONNREFUSED") resolve({ type: "refused" });
      else if (index > 0 && (begun || this.#lastAnswer)) resolve({ type: "unprocessed" });
      else if (this.#lastAnswer && this.#head === undefined) resolve({ type: "unprocessed" });
      else resolve({ type: "lost", why: this.#error?.code ?? "ended", begun: begun && index === 0 });
    }
  }
}
