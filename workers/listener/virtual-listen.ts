/**
 * Every server that the app opens listens virtually: the main thread opens the public port, and the app's server gets
 * the connections over a unix socket. The app notices no difference. Only the last step of Node's `listen()` is
 * replaced. A descriptor that the process was started with is one in both threads; that of another server stands for its
 * port. Handles that are neither are left to Node.
 */

import { Server } from "node:net";
import { MAY_END_MS } from "../../src/common/deadlines.js";
import { localSocketPath } from "../../src/common/paths.js";
import { addressBeforeOpen } from "../../src/common/protocol/address-before-open.js";
import { awaitListenAnswer, type ListenAnswer } from "../../src/common/protocol/listen-mailbox.js";
import type { ListenTarget, PublicAddress } from "../../src/common/protocol/messages.js";
import type { SaidPage } from "../../src/common/protocol/orders.js";
import { serverKind } from "../../src/common/server-kind.js";
import { lookUntil } from "../../src/common/wait.js";
import type { ClusterPrimary } from "../cluster/cluster-primary.js";
import { OWN_THREAD_ID } from "../main-thread/own-thread.js";
import type { InFlight } from "./in-flight.js";
import { listenContext, type VirtualListenOptions } from "./listen-context.js";
import { listenTarget, refusal, sameAddress } from "./listen-target.js";
import { publishListen } from "./net-channels.js";
import { type ServerInternals, serverInternals } from "./node-internals.js";
import { OwnRequests } from "./own-requests.js";
import { PlanServers } from "./plan-servers.js";
import { endResponse, finishResponse } from "./relayed-connection.js";
import { onOwnListen, restoreClose } from "./released-servers.js";
import { RequestEvents } from "./request-events.js";
import { watchResponseEnd } from "./response-end.js";
import { credentialsOf } from "./server-credentials.js";
import { ServerOrigins } from "./server-origins.js";
import { type ListenContext, UpstreamListener, VirtualServer } from "./virtual-server.js";

const DESERTED_POLL_MS = 20;
/** Listen ids of different workers must differ; they share the front and the mailbox. */
const IDS_PER_THREAD = 2 ** 18;
const THREADS = 2 ** 12;

/** Replaces `listen()` for this thread. */
export function installVirtualListen(options: VirtualListenOptions): VirtualListen {
  return new VirtualListen(options);
}

export class VirtualListen {
  readonly #options: VirtualListenOptions;
  readonly #context: ListenContext;
  readonly #events: RequestEvents;
  /** Node's own. */
  readonly #listen2: ServerInternals["_listen2"];
  /** Servers that listen, and released ones that nobody has adopted yet. */
  readonly #servers = new Set<VirtualServer>();
  readonly #origins: ServerOrigins;
  /** Released servers whose public ports nobody has adopted; one leaves with its adoption, or when its port is given up. */
  readonly #unadopted = new Set<VirtualServer>();
  /** What becomes of the servers when a plan is applied. */
  readonly plan: PlanServers;
  /** Servers that the app has closed: they have closed when their last connection has. */
  readonly #closing = new Set<VirtualServer>();
  /** On the clock of `performance.now()`. */
  #mayEndUntil = 0;
  /** Called when the app closes a server. */
  onClosing: () => void = () => {};
  /** Called when a server of an exported app has given its public port up to what the app opens itself, if that is there. */
  onSuperseded: () => void = () => {};
  #lastListenId = (OWN_THREAD_ID % THREADS) * IDS_PER_THREAD;

  constructor(options: VirtualListenOptions) {
    this.#options = options;
    const { ownConnections, currentModule } = options;
    if (ownConnections !== undefined) {
      const isOwnPort = (port: number) => this.#isOwnPort(port);
      new OwnRequests({ connections: ownConnections, isOwnPort }).install();
    }
    this.#context = listenContext(options, (server) => this.#servers.delete(server));
    this.#events = new RequestEvents(this.#context);
    const prototype = serverInternals(Server.prototype);
    this.#listen2 = prototype._listen2;
    const self = this;
    prototype._listen2 = function (this: ServerInternals, ...args) {
      self.#onListen(this as unknown as Server, args);
    };
    this.#origins = new ServerOrigins({
      currentModule,
      maker: () => this.#context.attribution.owner,
      isInner: (server) => server instanceof UpstreamListener,
      made: (server) => this.#context.cluster.created(server),
    });
    watchResponseEnd(endResponse, finishResponse);
    this.plan = new PlanServers({
      servers: this.#servers,
      isExported: (server) => this.#origins.isExported(server),
      release: (server) => this.#release(server),
      reopen: (released) => this.#reopen(released),
    });
  }

  /** The primary of node:cluster that the app may be. */
  get cluster(): ClusterPrimary {
    return this.#context.cluster;
  }

  /** What the app has begun and not answered. */
  get requests(): InFlight {
    return this.#context.inFlight;
  }

  /**
   * When the oldest request in flight began, or the oldest connection that was upgraded and is still open: what runs in
   * them may be code from before a reload, and rightly so. Undefined when there are none.
   */
  oldestInUse(): number | undefined {
    const begun = [...this.#servers].flatMap((server) =>
      [...server.connections].filter(({ opaque }) => opaque).map(({ since }) => since),
    );
    const request = this.requests.oldest();
    if (request !== undefined) begun.push(request);
    return begun.length === 0 ? undefined : Math.min(...begun);
  }

  /** Resolves when all that began at `at` or before is over, on the clock of `oldestInUse`; after `deadlineMs` in any case. */
  async over(at: number, deadlineMs: number): Promise<void> {
    const isOver = () => (this.oldestInUse() ?? Number.POSITIVE_INFINITY) > at;
    await lookUntil(isOver, DESERTED_POLL_MS, performance.now() + deadlineMs);
  }

  /** The unix socket of a server is gone: makes it again. False when that server does not listen any more. */
  listenAgain(listenId: number): boolean {
    const server = this.listening().find(({ identity }) => identity.listenId === listenId);
    server?.listenAgain();
    return server !== undefined;
  }

  /**
   * Another thread has taken over, or is about to: closes all servers and lets idle connections go. Resolves when nothing is left of what
   * had begun, streams and upgraded connections included, or after `deadlineMs`.
   */
  async deserted(deadlineMs: number): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    for (const server of this.listening()) server.release();
    this.#context.ownQuestions?.endStreams();
    // Sockets and streams end without an event that all of them have.
    await lookUntil(() => this.oldestInUse() === undefined, DESERTED_POLL_MS, deadline);
  }

  /** The thread is about to end, perhaps in the middle of what an HTTP/2 session has read: that reads nothing more. */
  endSessions(): void {
    this.#context.sessions.end();
  }

  /** What is said in place of the app while the connection table says so. */
  sayInstead(page: SaidPage): void {
    this.#context.spoken.learn(page);
    this.#context.held.release();
  }

  /** The gate is open again: hands on the requests that reached the worker while it was closed. */
  passRequests(): void {
    this.#context.held.release();
  }

  /** Lets the server of an app that `file` exports listen. Resolves when main has been asked for the port. */
  listenExported(server: Server, file: string, target: { port: number; host: string }): Promise<void> {
    return new Promise((resolve) => {
      this.#origins.exports(server, file, resolve);
      server.listen(target.port, target.host);
      onOwnListen(server, () => {
        this.#origins.exportsNoLonger(server);
        this.#supersede(this.listening().filter((virtual) => virtual.server === server));
        restoreClose(server);
      });
    });
  }

  /** Closes the servers that belong to a purged file; their public ports wait for adoption. */
  release(files: ReadonlySet<string>): void {
    this.#origins.unlistened.purged(files);
    for (const server of this.#servers) {
      if ([...server.files].some((file) => files.has(file))) this.#release(server);
    }
  }

  /** Whether public ports of servers that were released wait for others. */
  get awaitsAdoption(): boolean {
    return this.#unadopted.size > 0;
  }

  /** Whether a server was made that has not listened. */
  get unlistened(): boolean {
    return this.#origins.unlistened.any;
  }

  /** The public ports that wait for a server are about to be closed. */
  giveUpUnadopted(): void {
    this.#unadopted.clear();
  }

  /** A server that the app has closed has connections left. */
  get isClosing(): boolean {
    for (const closing of this.#closing)
      if (serverInternals(closing.server)._connections === 0) this.#closing.delete(closing);
    return this.#closing.size > 0;
  }

  /** Nobody can connect any more: what listens does not keep the thread alive. */
  leaveServers(): void {
    for (const { server } of this.listening()) server.unref();
  }

  /** The app has been told of an error for which it may end: it closes its servers first, and a fresh worker takes their ports. */
  mayEnd(): void {
    this.#mayEndUntil = performance.now() + MAY_END_MS;
  }

  /** What listens now. */
  listening(): readonly VirtualServer[] {
    return [...this.#servers].filter((server) => !server.released);
  }

  #release(server: VirtualServer): void {
    const wasOpen = server.isOpen;
    server.release();
    if (wasOpen && server.released) this.#unadopted.add(server);
  }

  /** One that had taken the place of another on its handle does so again: their port can be opened once. */
  #reopen({ server, identity, address, files }: VirtualServer): void {
    const shared =
      address === undefined ? undefined : this.listening().find((other) => sameAddress(other.address, address));
    this.#listenVirtually(server, identity.target, files, shared?.identity.listenId);
  }

  #isOwnPort(port: number): boolean {
    for (const { address } of this.#servers) if (typeof address === "object" && address.port === port) return true;
    return false;
  }

  #onListen(server: Server, args: Parameters<ServerInternals["_listen2"]>): void {
    const internals = serverInternals(server);
    const fd = args[4];
    this.#origins.unlistened.listens(server);
    if (internals._handle !== null || server instanceof UpstreamListener) {
      this.#listen2.call(internals, ...args);
      return;
    }
    const files = this.#origins.filesOf(server);
    // What has a descriptor of ours stands for another server's port.
    const shared = typeof fd === "number" && fd >= 0 ? this.listening().find((other) => other.fd === fd) : undefined;
    const target = shared?.identity.target ?? listenTarget(...args);
    if (this.#origins.isLeftover(server, () => this.#listensAt(target))) return;
    if (!this.#origins.isExported(server)) this.#supersedeExported(target);
    this.#listenVirtually(server, target, files, shared?.identity.listenId);
    this.#origins.asked(server);
  }

  /**
   * What the app exports was served since nothing listened. It is not served any more once the app listens itself, unless
   * that is at a request, on another port.
   */
  #supersedeExported(target: ListenTarget): void {
    const isStarting = this.#context.attribution.owner !== undefined;
    const isSuperseded = ({ server, address }: VirtualServer) =>
      this.#origins.isExported(server) &&
      (isStarting || (typeof address === "object" && target.type === "port" && address.port === target.port));
    this.#supersede(this.listening().filter(isSuperseded));
  }

  #supersede(superseded: readonly VirtualServer[]): void {
    for (const virtual of superseded) this.#release(virtual);
    if (superseded.length > 0) this.onSuperseded();
  }

  #listensAt(target: ListenTarget): boolean {
    const asked = JSON.stringify(target);
    return this.listening().some(({ identity }) => JSON.stringify(identity.target) === asked);
  }

  #listenVirtually(server: Server, target: ListenTarget, files: ReadonlySet<string>, replaces?: number): void {
    const listenId = ++this.#lastListenId;
    const kind = this.#context.cluster.kindOf(server) ?? serverKind(server);
    const socketPath = localSocketPath(this.#options.socketFolder, listenId.toString(36));
    const virtual = new VirtualServer(server, { listenId, kind, target, socketPath }, files, this.#context, (closed) =>
      this.#onClosed(closed),
    );
    this.#events.watch(server);
    virtual.open(addressBeforeOpen(target));

    let opening: Promise<PublicAddress> | undefined;
    const exported = this.#origins.isExported(server);
    const credentials = kind === "https" || kind === "http2-secure" ? credentialsOf(server) : undefined;
    const more = { ...(replaces !== undefined && { replaces }), ...(credentials && { credentials }) };
    const request = { listenId, kind, target, exported, socketPath, ...more };
    const ask = () => {
      opening = this.#options.requestListen(request);
    };
    const answer = awaitListenAnswer(this.#options.table, listenId, this.#options.answerTimeoutMs, ask);
    if (answer !== undefined) {
      // The same answer comes as a message too.
      opening?.catch(() => {});
      this.#answer(virtual, answer);
      return;
    }
    opening?.then(
      (address) => this.#answer(virtual, { type: "opened", address }),
      (error: NodeJS.ErrnoException) => this.#answer(virtual, { type: "refused", code: error.code ?? "UNKNOWN" }),
    );
  }

  #answer(virtual: VirtualServer, answer: ListenAnswer): void {
    // The app closed it before the answer came.
    if (!virtual.isOpen || answer.type === "closed") return;
    const { server } = virtual;
    if (answer.type === "refused") {
      virtual.refuse();
      const { target } = virtual.identity;
      const error = refusal(answer.code, target);
      publishListen(server, error);
      process.nextTick(() => server.emit("error", error));
      return;
    }
    virtual.opened(answer.address);
    this.#adoptConnections(virtual, answer.address);
    this.#servers.add(virtual);
    publishListen(server);
    process.nextTick(() => {
      if (virtual.isOpen) server.emit("listening");
    });
  }

  /** Requests on connections of the released server with this address go to `virtual` from now on. */
  #adoptConnections(virtual: VirtualServer, address: PublicAddress): void {
    for (const before of this.#servers) {
      if (!before.released || !sameAddress(before.address, address)) continue;
      before.succeed(virtual);
      this.#servers.delete(before);
      if (virtual.server !== before.server) this.plan.replaced(before.server, virtual.server);
    }
    for (const before of this.#unadopted) if (sameAddress(before.address, address)) this.#unadopted.delete(before);
    this.#context.held.release();
  }

  #onClosed(virtual: VirtualServer): void {
    const { listenId } = virtual.identity;
    if (virtual.released) {
      this.#options.reportReleased(listenId);
      return;
    }
    this.#servers.delete(virtual);
    // Looked at when the app ends; an app that closes many servers in its life leaves none of them here.
    void this.isClosing;
    this.#closing.add(virtual);
    this.onClosing();
    const { table, answerTimeoutMs } = this.#options;
    if (performance.now() < this.#mayEndUntil) {
      this.#options.reportReleased(listenId);
      setTimeout(() => this.#options.reportClosed(listenId), MAY_END_MS).unref();
      return;
    }
    awaitListenAnswer(table, listenId, answerTimeoutMs, () => this.#options.reportClosed(listenId));
  }
}
