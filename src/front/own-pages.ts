/**
 * Answers of the supervisor itself, for when the app cannot answer. An HTTP server that never listens is handed the
 * client's socket together with the bytes that were received, so that Node's own parser takes care of HEAD, HTTP/1.0,
 * bodies and the like.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { BODY_WAIT_MS, GOODBYE_MS } from "../common/deadlines.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";

export interface OwnPage {
  readonly status: 500 | 502 | 503 | 504;
  readonly text: string;
  /** What the page is about. */
  readonly error?: SerializedError;
}

export class OwnPages {
  readonly #server: Server = createServer((request, response) => this.#respond(request, response));
  /** Sockets that are being answered, from `serve` until they close. */
  readonly #pages = new Map<Socket, OwnPage>();

  /** Answers the request that begins with `received` on `socket`, which has no listeners any more, and closes it. */
  serve(socket: Socket, received: readonly Buffer[], page: OwnPage): void {
    socket.destroySoon = closeGently;
    this.#pages.set(socket, page);
    socket.once("close", () => this.#pages.delete(socket));
    // A socket that flows would not look at bytes that are put back; one that is resumed does.
    socket.pause();
    if (received.length > 0) socket.unshift(Buffer.concat(received));
    this.#server.emit("connection", socket);
    socket.resume();
  }

  /** The answer as bytes, for when the request itself is not at hand any more. */
  static raw(page: OwnPage): string {
    return [
      `HTTP/1.1 ${page.status} ${STATUS_CODES[page.status]}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(page.text)}`,
      "Cache-Control: no-store",
      "Connection: close",
      "",
      page.text,
    ].join("\r\n");
  }

  close(): void {
    for (const socket of this.#pages.keys()) socket.destroy();
  }

  get inFlight(): number {
    return this.#pages.size;
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const page = this.#pages.get(request.socket);
    if (page === undefined) {
      request.socket.destroy();
      return;
    }
    let answered = false;
    const answer = () => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      response.writeHead(page.status, {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": Buffer.byteLength(page.text),
        "Cache-Control": "no-store",
        Connection: "close",
      });
      response.end(page.text);
    };
    const timer = setTimeout(answer, BODY_WAIT_MS);
    request.on("end", answer).on("close", () => clearTimeout(timer));
    request.resume();
  }
}

/** What Node calls after the last answer of a connection. Destroying it on unread bytes would reset the client. */
function closeGently(this: Socket): void {
  if (this.destroyed) return;
  this.end();
  const timer = setTimeout(() => this.destroy(), GOODBYE_MS).unref();
  this.once("close", () => clearTimeout(timer));
}
