/**
 * Sessions of clients in which the supervisor speaks itself, since no worker can: TLS, with the certificate of the server that
 * the app had on that port, and HTTP/2. Nobody has said anything in them so far. They end with what was asked first.
 */
import type { Http2Server, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { OWN_SESSION_MS } from "../common/deadlines.js";
import type { Credentials } from "../common/protocol/credentials.js";
import type { ServerKind } from "../common/protocol/messages.js";
import type { OwnPage } from "../pages/own-page.js";

/** What a session on a port begins with. */
export interface SessionKind {
  readonly kind: ServerKind;
  readonly credentials: Credentials | undefined;
}

export interface OwnSessionsOptions {
  /** HTTP/1 is spoken on `socket`, and ends with one answer. */
  speakHttp1(socket: TLSSocket, page: OwnPage): void;
  respond(request: Http2ServerRequest, response: Http2ServerResponse, page: OwnPage): void;
}

export class OwnSessions {
  readonly #options: OwnSessionsOptions;
  /** Sockets of sessions in which nothing was asked, and of all of HTTP/2 -> what ends the session; until they close. */
  readonly #ends = new Map<Socket, () => void>();
  /** Answers in HTTP/2 that go on. */
  readonly #answers = new Set<Http2ServerResponse>();

  constructor(options: OwnSessionsOptions) {
    this.#options = options;
  }

  /** Answers in HTTP/2 that go on. */
  get inFlight(): number {
    return this.#answers.size;
  }

  /** Answers what is asked in the session that begins with `received` on `client`. False: it cannot, and has done nothing. */
  begin(client: Socket, received: readonly Buffer[], page: OwnPage, { kind, credentials }: SessionKind): boolean {
    if (kind === "http2") {
      putBack(client, received);
      this.#speakHttp2(client, page);
      return true;
    }
    if (credentials === undefined) return false;
    const server = createServer(kind, credentials);
    if (server === undefined) return false;
    putBack(client, received);
    this.#endLater(client, () => client.destroy());
    server.on("secureConnection", (socket) => {
      this.asked(client);
      if (socket.alpnProtocol === "h2") this.#speakHttp2(socket, page);
      else {
        this.#endLater(socket, () => socket.destroy());
        this.#options.speakHttp1(socket, page);
      }
    });
    server.on("tlsClientError", (_, socket) => socket.destroy());
    server.emit("connection", client);
    return true;
  }

  /** It ends with the answer to that. */
  asked(socket: Socket): void {
    this.#ends.delete(socket);
  }

  /** The app answers by now: what has not been asked yet shall be asked on a new connection. */
  endIdle(): void {
    for (const end of [...this.#ends.values()]) end();
  }

  close(): void {
    for (const socket of [...this.#ends.keys()]) socket.destroy();
  }

  #speakHttp2(socket: Socket, page: OwnPage): void {
    const server: Http2Server = process.getBuiltinModule("node:http2").createServer();
    server.on("session", (session) => this.#endLater(socket, () => session.close()));
    server.on("request", (request, response) => {
      // What came together with it is answered, too.
      setImmediate(() => this.#ends.get(socket)?.());
      this.#answers.add(response);
      response.once("close", () => this.#answers.delete(response));
      this.#options.respond(request, response, page);
    });
    server.emit("connection", socket);
  }

  #endLater(socket: Socket, end: () => void): void {
    this.#ends.set(socket, end);
    const timer = setTimeout(() => this.#ends.get(socket)?.(), OWN_SESSION_MS).unref();
    socket.on("error", ignoreError).once("close", () => {
      clearTimeout(timer);
      this.#ends.delete(socket);
    });
  }
}

/** It never listens. Undefined: what we were told of the app's server is not enough. */
function createServer(kind: ServerKind, credentials: Credentials): Server | undefined {
  const ALPNProtocols = kind === "http2-secure" ? ["h2", "http/1.1"] : ["http/1.1"];
  // Loaded when it is needed: few apps speak TLS.
  const tls = process.getBuiltinModule("node:tls");
  try {
    return tls.createServer({ ...(credentials as object), ALPNProtocols, handshakeTimeout: OWN_SESSION_MS });
  } catch {
    return undefined;
  }
}

function putBack(client: Socket, received: readonly Buffer[]): void {
  // A socket that flows would not look at bytes that are put back.
  client.pause();
  if (received.length > 0) client.unshift(Buffer.concat(received));
}

/** A client that breaks off is closed by Node. */
function ignoreError(): void {}
