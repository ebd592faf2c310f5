/**
 * Sees every request before the app does, by the events of its server: counts it, and holds it back while the gate is
 * closed. `emit` is wrapped rather than a listener added: libraries copy and remove a server's listeners at will.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Server, Socket } from "node:net";
import { isLoopback } from "../../src/common/page/loopback.js";
import { plainPage, type WrittenPage } from "../../src/common/page/written-page.js";
import type { HeldRequests } from "./held-requests.js";
import type { Http2Sessions } from "./http2-sessions.js";
import { socketInternals } from "./node-internals.js";
import { connectionOf, type RelayedConnection } from "./relayed-connection.js";
import { type SpokenPage, sayPage } from "./spoken-page.js";
import type { Attribution, ListenContext } from "./virtual-server.js";

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Events that mean a request, and where their connection is found. */
const REQUEST_EVENTS: Readonly<Record<string, (subject: unknown) => RelayedConnection | undefined>> = {
  request: connectionOfRequest,
  checkContinue: connectionOfRequest,
  checkExpectation: connectionOfRequest,
  upgrade: connectionOfRequest,
  connect: connectionOfRequest,
  stream: connectionOfStream,
};

export class RequestEvents {
  readonly #held: HeldRequests;
  readonly #spoken: SpokenPage;
  readonly #attribution: Attribution;
  readonly #sessions: Http2Sessions;
  readonly #ownQuestions: ListenContext["ownQuestions"];
  readonly #live: ListenContext["live"];
  /** Servers whose `emit` is wrapped, with the one below; for as long as the server lives. */
  readonly #below = new WeakMap<Server, Emit>();
  /** Requests and streams that have come in: one that is emitted again is passed on by the app, to a server of its choice. */
  readonly #seen = new WeakSet<object>();

  constructor({
    held,
    spoken,
    attribution,
    sessions,
    ownQuestions,
    live,
  }: Pick<ListenContext, "held" | "spoken" | "attribution" | "sessions" | "ownQuestions" | "live">) {
    this.#ownQuestions = ownQuestions;
    this.#live = live;
    this.#sessions = sessions;
    this.#held = held;
    this.#spoken = spoken;
    this.#attribution = attribution;
  }

  /** From now on the requests of `server` are seen. Once is enough for a server that listens again. */
  watch(server: Server): void {
    if (this.#below.has(server)) return;
    const own = Object.getOwnPropertyDescriptor(server, "emit")?.value as Emit | undefined;
    // Without an own `emit` the class is asked each time: instrumentation may patch it later.
    const below: Emit = (event, ...args) => (own ?? classOf(server).emit).call(server, event, ...args);
    this.#below.set(server, below);
    const emit: Emit = (event, ...args) => this.#onEvent(server, event, args);
    Object.defineProperty(server, "emit", { value: emit, writable: true, configurable: true });
  }

  #onEvent(server: Server, event: string | symbol, args: unknown[]): boolean {
    const find = typeof event === "string" && Object.hasOwn(REQUEST_EVENTS, event) ? REQUEST_EVENTS[event] : undefined;
    const connection = find?.(args[0]);
    if (connection !== undefined && this.#isFirst(args[0] as object))
      return this.#enter(connection, event as string, args);
    if (event === "clientError" && isMoved(args[1] as Socket)) return true;
    if (event === "secureConnection") {
      const socket = args[0] as Socket;
      connectionOf(socket)?.addLayer(socket);
    } else if (event === "session") {
      const session = args[0] as Http2Session;
      const owner = connectionOf(session.socket);
      if (owner !== undefined) {
        owner.session = session;
        this.#sessions.add(owner, session);
      }
    }
    return this.#pass(server, event, args);
  }

  #isFirst(subject: object): boolean {
    const isFirst = !this.#seen.has(subject);
    if (isFirst) this.#seen.add(subject);
    return isFirst;
  }

  /** Hands the event to the server behind the connection's port, now or when the gate opens. */
  #enter(connection: RelayedConnection, event: string, args: unknown[]): boolean {
    const own = this.#ownQuestions;
    if (own?.isOne(connection, event, args) && connection.claim()) {
      this.#count(connection, event, args);
      this.#attribution.nobodys(() => own.answer(connection, event, args));
      return true;
    }
    if (!this.#held.mustHold(connection) && connection.claim()) return this.#deliver(connection, event, args);
    if (connection.moved && connection.server.kind !== "http") return refuse(event, args, connection);
    if (!isUpgrade(event)) {
      this.#held.hold(
        connection,
        () => this.#deliver(connection, event, args),
        (page) => this.#say(connection, event, args, page),
      );
      return true;
    }
    // Node has taken its own listeners off the socket, and the app's are not there before it is handed over.
    const socket = args[1] as Socket;
    socket.on("error", ignoreError);
    this.#held.hold(
      connection,
      () => {
        socket.off("error", ignoreError);
        this.#deliver(connection, event, args);
      },
      (page) => this.#say(connection, event, args, page),
    );
    return true;
  }

  #say(connection: RelayedConnection, event: string, args: unknown[], page: WrittenPage): void {
    this.#begin(connection, event, args, page);
    sayPage(page, event, args, isLoopback(connection.remote?.address));
  }

  #deliver(connection: RelayedConnection, event: string, args: unknown[]): boolean {
    const page = this.#spoken.current;
    if (page !== undefined) {
      this.#say(connection, event, args, page);
      return true;
    }
    this.#begin(connection, event, args, undefined);
    const receiver = connection.server.server;
    return this.#attribution.nobodys(() => this.#pass(receiver, event, args));
  }

  /** Counts it. `page`: what is said instead of the app's answer. */
  #begin(connection: RelayedConnection, event: string, args: unknown[], page: WrittenPage | undefined): void {
    if (!isUpgrade(event)) {
      this.#count(connection, event, args);
      if (page === undefined) this.#live?.begin(connection, event, args);
    } else {
      connection.turnOpaque();
      const { _handle } = socketInternals(connection.socket);
      if (_handle) this.#attribution.leaveToNobody(_handle);
      // Node checked for listeners on the server that the connection came in on.
      const receiver = connection.server.server;
      if (page === undefined && receiver.listenerCount(event) === 0) (args[1] as Socket).destroy();
    }
  }

  #count(connection: RelayedConnection, event: string, args: unknown[]): void {
    if (event === "stream") connection.beginStream(args[0] as ServerHttp2Stream);
    else connection.beginResponse(args[1] as ServerResponse);
  }

  #pass(server: Server, event: string | symbol, args: unknown[]): boolean {
    return this.#below.get(server)?.(event, ...args) ?? false;
  }
}

function isUpgrade(event: string): boolean {
  return event === "upgrade" || event === "connect";
}

/** An HTTP/2 request gives undefined: it was already seen as a stream. */
function connectionOfRequest(subject: unknown): RelayedConnection | undefined {
  const request = subject as IncomingMessage;
  return request.httpVersionMajor > 1 ? undefined : connectionOf(request.socket);
}

function connectionOfStream(subject: unknown): RelayedConnection | undefined {
  const { session } = subject as ServerHttp2Stream;
  return session === undefined || session.destroyed ? undefined : connectionOf(session.socket);
}

/** The front has sent the beginning of a request elsewhere: that it breaks off here is no error of a client. */
function isMoved(socket: Socket): boolean {
  const connection = connectionOf(socket);
  if (connection === undefined || !connection.moved || !connection.unused) return false;
  socket.destroy();
  return true;
}

/**
 * What comes within a session cannot be sent elsewhere by the front. A client sends a stream that was refused, and a request
 * that changes nothing on a kept connection that is closed before an answer, once more. Others are told.
 */
function refuse(event: string, args: unknown[], { remote }: RelayedConnection): boolean {
  if (event === "stream") {
    const stream = args[0] as ServerHttp2Stream;
    stream.on("error", ignoreError);
    stream.close(HTTP2_REFUSED_STREAM);
    const { session } = stream;
    if (session !== undefined && !session.closed) session.close();
  } else {
    const { method = "", socket } = args[0] as IncomingMessage;
    if (isUpgrade(event) || SAFE_METHODS.has(method)) socket.destroy();
    else sayPage(movedPage(), event, args, isLoopback(remote?.address), { connection: "close", "retry-after": "0" });
  }
  return true;
}

/** Clients repeat them by themselves. */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const movedPage = () =>
  plainPage(
    503,
    "A fresh worker takes over, and TLS sessions cannot move to it: this request was not begun. Send it again on a new connection.\n",
  );

const HTTP2_REFUSED_STREAM = 7;

function classOf(server: Server): { emit: Emit } {
  return Object.getPrototypeOf(server) as { emit: Emit };
}

/** The connection broke while its upgrade waited: the socket that is handed on is destroyed. */
function ignoreError(): void {}
