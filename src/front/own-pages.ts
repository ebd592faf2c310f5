/**
 * Answers of the supervisor itself, for when the app cannot answer. An HTTP server that never listens is handed the
 * client's socket together with the bytes that were received, so that Node's own parser takes care of HEAD, HTTP/1.0,
 * bodies and the like.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import { BODY_WAIT_MS, GOODBYE_MS } from "../common/deadlines.js";
import { isLocalClient } from "../common/page/loopback.js";
import { isOwnPath, OWN_PATH } from "../common/page/own-paths.js";
import { answerOf, type PageAnswer, type PageRequest, type WrittenPage } from "../common/page/written-page.js";
import type { OwnPage } from "../pages/own-page.js";
import { type PageStyle, writePage } from "../pages/write-page.js";
import { OwnSessions, type SessionKind } from "./own-sessions.js";

/** Answers a request to a path of the supervisor's own. */
export type OwnAnswer = (request: IncomingMessage, response: ServerResponse) => void;

export class OwnPages {
  readonly #server: Server = createServer((request, response) => this.#respond(request, response));
  /** Sockets whose request is to a path of the supervisor's own, until they close. */
  readonly #asking = new Set<Socket>();
  /** Undefined: no path is. */
  readonly #ownAnswer: OwnAnswer | undefined;
  /** Sockets that are being answered, from `serve` until they close. */
  readonly #pages = new Map<Socket, OwnPage>();
  readonly #style: PageStyle;
  readonly #sessions: OwnSessions;
  /** TLS sockets on which nothing was asked so far. */
  readonly #secured = new WeakMap<Socket, OwnPage>();

  constructor(style: PageStyle, ownAnswer?: OwnAnswer) {
    this.#style = style;
    this.#ownAnswer = ownAnswer;
    this.#sessions = new OwnSessions({
      speakHttp1: (socket, page) => {
        this.#secured.set(socket, page);
        this.#take(socket, []);
      },
      respond: (request, response, page) => {
        const [incoming, outgoing] = asHttp1(request, response);
        request.resume();
        if (!this.answersOwn(incoming, outgoing)) this.answer(outgoing, page);
      },
    });
  }

  /** Some paths are the supervisor's own. */
  get hasOwn(): boolean {
    return this.#ownAnswer !== undefined;
  }

  write(page: OwnPage): WrittenPage {
    return writePage(page, this.#style);
  }

  /** Answers what a host's server has been asked, if that is for the supervisor itself. */
  answersOwn(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#ownAnswer === undefined || !isOwnUrl(request.url)) return false;
    this.#ownAnswer(request, response);
    return true;
  }

  /** What a host's server answers. */
  answer(response: ServerResponse, page: OwnPage): void {
    const { status, headers, body } = this.#answerOf(response.req, page);
    response.writeHead(status, headers);
    response.end(body);
  }

  /** Answers the request that begins with `received` on `socket`, which has no listeners any more, and closes it. */
  serve(socket: Socket, received: readonly Buffer[], page: OwnPage): void {
    this.#pages.set(socket, page);
    socket.once("close", () => this.#pages.delete(socket));
    this.#take(socket, received);
  }

  /** The same within a session that begins with `received`. False: it cannot, and has done nothing. */
  serveSession(socket: Socket, received: readonly Buffer[], page: OwnPage, session: SessionKind): boolean {
    return this.#sessions.begin(socket, received, page, session);
  }

  /** The app answers by now: nothing more is answered in sessions in which nothing was asked. */
  endIdle(): void {
    this.#sessions.endIdle();
  }

  /** The same for a request to a path of the supervisor's own. Not counted as in flight: it may last. */
  serveOwn(socket: Socket, received: readonly Buffer[]): void {
    this.#asking.add(socket);
    socket.once("close", () => this.#asking.delete(socket));
    this.#take(socket, received);
  }

  #take(socket: Socket, received: readonly Buffer[]): void {
    socket.destroySoon = closeGently;
    // A socket that flows would not look at bytes that are put back; one that is resumed does.
    socket.pause();
    if (received.length > 0) socket.unshift(Buffer.concat(received));
    this.#server.emit("connection", socket);
    socket.resume();
  }

  /** The answer as bytes, for when the request itself is not at hand any more. */
  raw(page: OwnPage, client: Pick<Socket, "remoteAddress" | "localAddress">): string {
    const request: PageRequest = { method: "GET", accept: undefined, isLocal: isLocalClient(client) };
    const { status, headers, body } = answerOf(this.write(page), request);
    const lines = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}`);
    return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n");
  }

  close(): void {
    this.#sessions.close();
    for (const socket of [...this.#pages.keys(), ...this.#asking]) socket.destroy();
  }

  get inFlight(): number {
    return this.#pages.size + this.#sessions.inFlight;
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    this.#onSecured(request);
    const page = this.#pages.get(request.socket);
    if (page === undefined && this.#asking.has(request.socket) && this.#ownAnswer !== undefined) {
      // What comes next on the connection may be the app's, on a new one.
      response.setHeader("connection", "close");
      this.#ownAnswer(request, response);
      return;
    }
    if (page === undefined) {
      request.socket.destroy();
      return;
    }
    let answered = false;
    const answer = () => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      const { status, headers, body } = this.#answerOf(request, page);
      response.writeHead(status, { ...headers, connection: "close" });
      response.end(body);
    };
    const timer = setTimeout(answer, BODY_WAIT_MS);
    request.on("end", answer).on("close", () => clearTimeout(timer));
    request.resume();
  }

  /** Of TLS it is known only now what is asked. */
  #onSecured({ socket, url }: IncomingMessage): void {
    const page = this.#secured.get(socket);
    if (page === undefined) return;
    this.#secured.delete(socket);
    this.#sessions.asked(socket);
    const isOwn = this.#ownAnswer !== undefined && isOwnUrl(url);
    if (isOwn) this.#asking.add(socket);
    else this.#pages.set(socket, page);
    socket.once("close", () => {
      this.#asking.delete(socket);
      this.#pages.delete(socket);
    });
  }

  #answerOf({ method, headers, socket }: IncomingMessage, page: OwnPage): PageAnswer {
    return answerOf(this.write(page), { method, accept: headers.accept, isLocal: isLocalClient(socket) });
  }
}

function isOwnUrl(url: string | undefined): boolean {
  return url?.startsWith(OWN_PATH) === true && isOwnPath(url.split("?", 1)[0] ?? "");
}

/** Node's HTTP/2 has the same surface for both. */
function asHttp1(request: Http2ServerRequest, response: Http2ServerResponse): [IncomingMessage, ServerResponse] {
  return [request, response] as unknown as [IncomingMessage, ServerResponse];
}

/** What Node calls after the last answer of a connection. Destroying it on unread bytes would reset the client. */
function closeGently(this: Socket): void {
  if (this.destroyed) return;
  this.end();
  const timer = setTimeout(() => this.destroy(), GOODBYE_MS).unref();
  this.once("close", () => clearTimeout(timer));
}
