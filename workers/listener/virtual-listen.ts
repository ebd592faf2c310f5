/**
 * Every server that the app opens listens virtually: the main thread opens the public port, and the app's server gets
 * the connections over a unix socket. The app notices no difference. Only the last step of Node's `listen()` is
 * replaced. A descriptor that the process was started with is one in both threads; that of another server stands for its
 * port. Handles that are neither are left to Node.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Server } from "node:net";
import path from "node:path";
import { threadId } from "node:worker_threads";
import { awaitListenAnswer, type ListenAnswer } from "../../src/common/protocol/listen-mailbox.js";
import type { ListenTarget, PublicAddress, SaidPage, ServerKind } from "../../src/common/protocol/messages.js";
import type { OwnConnections } from "../../src/common/protocol/own-connections.js";
import { watchServerCreation } from "../../src/common/server-creation.js";
import { lookUntil } from "../../src/common/wait.js";
import { UnlistenedServers } from "../start/unlistened-servers.js";
import { HeldRequests } from "./held-requests.js";
import { Http2Sessions } from "./http2-sessions.js";
import { InFlight, type RequestInFlight } from "./in-flight.js";
import { listenError } from "./listen-error.js";
import { type ServerInternals, serverInternals } from "./node-internals.js";
import { OwnRequests } from "./own-requests.js";
import { endResponse, finishResponse } from "./relayed-connection.js";
import { RequestEvents } from "./request-events.js";
import { watchResponseEnd } from "./response-end.js";
import { serverKind } from "./server-kind.js";
import { familyOf } from "./shown-addresses.js";
import { SpokenPage } from "./spoken-page.js";
import { type Attribution, type ListenContext, silence, UpstreamListener, VirtualServer } from "./virtual-server.js";

/** The report `listenRequested` without its type. */
export interface ListenRequest {
  readonly listenId: number;
  readonly kind: ServerKind;
  readonly target: ListenTarget;
  readonly exported: boolean;
  /** The listen that it shares a handle with, and takes the place of. */
  readonly replaces?: number;
  readonly socketPath: string;
}

export interface VirtualListenOptions {
  readonly table: Int32Array<SharedArrayBuffer>;
  /** Connections of this thread to its own servers; absent: its requests wait like everybody's. */
  readonly ownConnections?: OwnConnections;
  /** Folder for unix sockets; shared by all workers of the process. */
  readonly socketFolder: string;
  /** Asks the main thread for the public port. Must send before it returns. Rejects with an error that has a `code`. */
  requestListen(request: ListenRequest): Promise<PublicAddress>;
  /** The app closed the server itself. */
  reportClosed(listenId: number): void;
  /** A purge closed it. */
  reportReleased(listenId: number): void;
  /** The module that is being evaluated, or that the running code belongs to. */
  currentModule(): string | undefined;
  /** Told how many HTTP/2 sessions are open. */
  sessionsChanged?(open: number): void;
  /** In milliseconds; it may go in steps. */
  clock(): number;
  /** Keeps requests apart from what modules do; absent: nobody asks. */
  readonly attribution?: Attribution;
  /** How long a request may be held in the worker; absent: as long as the front holds one by default. */
  readonly heldDeadlineMs?: number | undefined;
  /** `listen()` and `close()` sleep this long for the main thread's answer, then go on without; 0 when both are one thread. */
  readonly answerTimeoutMs: number;
}

const DESERTED_POLL_MS = 20;
const IPV6_ONLY = 1;
/** From Node 23.1 on. */
const REUSE_PORT = 2;
/** Listen ids of different workers must differ; they share the front and the mailbox. */
const IDS_PER_THREAD = 2 ** 18;
const THREADS = 2 ** 12;

/** Replaces `listen()` for this thread, until `uninstall()`. */
export function installVirtualListen(options: VirtualListenOptions): VirtualListen {
  return new VirtualListen(options);
}

export class VirtualListen {
  readonly #options: VirtualListenOptions;
  readonly #context: ListenContext;
  readonly #events: RequestEvents;
  readonly #listen2: ServerInternals["_listen2"];
  /** Servers that listen, and released ones that nobody has adopted yet. */
  readonly #servers = new Set<VirtualServer>();
  /** Where each server was created, if that was in a module; for as long as the server lives. */
  readonly #creators = new WeakMap<Server, string>();
  /** The version that made each server, likewise. */
  readonly #makers = new WeakMap<Server, { readonly purged: boolean }>();
  /** Servers of exported apps, the file that exports them, and what is called when main has been asked for their port. */
  readonly #exported = new WeakMap<Server, { readonly file: string; asked(): void }>();
  readonly #unlistened = new UnlistenedServers();
  /** Released servers whose public ports nobody has adopted; one leaves with its adoption, or when its port is given up. */
  readonly #unadopted = new Set<VirtualServer>();
  readonly #stopWatchingCreation: () => void;
  readonly #stopWatchingEnds: () => void;
  readonly #ownRequests: OwnRequests | undefined;
  /** Servers that others have replaced in the plan under way -> by which; undefined when no plan is. */
  #replaced: Map<Server, Server> | undefined;
  #lastListenId = (threadId % THREADS) * IDS_PER_THREAD;

  constructor(options: VirtualListenOptions) {
    this.#options = options;
    const { table, clock, ownConnections } = options;
    if (ownConnections !== undefined) {
      const isOwnPort = (port: number) => this.#isOwnPort(port);
      this.#ownRequests = new OwnRequests({ connections: ownConnections, isOwnPort });
    }
    const spoken = new SpokenPage(table);
    this.#context = {
      table,
      inFlight: new InFlight(clock),
      held: new HeldRequests(
        table,
        spoken,
        ({ remote }) => ownConnections?.has(remote?.address, remote?.port) ?? false,
        options.heldDeadlineMs,
      ),
      spoken,
      sessions: new Http2Sessions(options.sessionsChanged ?? (() => {})),
      outside: AsyncLocalStorage.snapshot(),
      attribution: options.attribution ?? { owner: undefined, nobodys: (run) => run(), leaveToNobody: () => {} },
      onDeserted: (server) => this.#servers.delete(server),
    };
    this.#events = new RequestEvents(this.#context);
    const prototype = serverInternals(Server.prototype);
    this.#listen2 = prototype._listen2;
    const self = this;
    prototype._listen2 = function (this: ServerInternals, ...args) {
      self.#onListen(this as unknown as Server, args);
    };
    this.#stopWatchingCreation = watchServerCreation((server) => {
      const file = options.currentModule();
      if (file === undefined || server instanceof UpstreamListener) return;
      this.#creators.set(server, file);
      const maker = this.#context.attribution.owner;
      if (maker !== undefined) this.#makers.set(server, maker);
      this.#unlistened.made(server, file);
    });
    this.#stopWatchingEnds = watchResponseEnd(endResponse, finishResponse);
  }

  /** Node's own `listen()` again. What listens goes on. */
  uninstall(): void {
    serverInternals(Server.prototype)._listen2 = this.#listen2;
    this.#stopWatchingCreation();
    this.#stopWatchingEnds();
    this.#ownRequests?.uninstall();
  }

  /** Servers that listen or were released and not adopted yet. */
  get servers(): ReadonlySet<VirtualServer> {
    return this.#servers;
  }

  /** Requests the app has begun and not answered. */
  get inFlight(): number {
    return this.#context.inFlight.size;
  }

  /** Something that is no request is in flight as well, until the returned function is called. */
  beginCall(): () => void {
    const { inFlight } = this.#context;
    const call: RequestInFlight = {
      connection: {},
      since: inFlight.now(),
      headersSent: false,
      contentType: () => undefined,
    };
    inFlight.begin(call);
    return () => inFlight.end(call);
  }

  /** The clock of `oldestInUse`, in milliseconds; it goes in steps. */
  now(): number {
    return this.#context.inFlight.now();
  }

  /**
   * When the oldest request in flight began, or the oldest connection that was upgraded and is still open: what runs in
   * them may be code from before a reload, and rightly so. Undefined when there are none.
   */
  oldestInUse(): number | undefined {
    const begun = [...this.#servers].flatMap((server) =>
      [...server.connections].filter(({ opaque }) => opaque).map(({ since }) => since),
    );
    const request = this.#context.inFlight.oldest();
    if (request !== undefined) begun.push(request);
    return begun.length === 0 ? undefined : Math.min(...begun);
  }

  /**
   * Resolves when no request is in flight, or after `deadlineMs`, with the number of those left. Event streams, upgraded
   * sockets, long streams and requests that wait for the gate are not waited for.
   */
  drained(deadlineMs: number): Promise<number> {
    return this.#context.inFlight.drained(deadlineMs);
  }

  /** The same for a reload: what has outlived one is not waited for again. */
  drainedForReload(deadlineMs: number): Promise<number> {
    return this.#context.inFlight.drainedForReload(deadlineMs);
  }

  /** The requests in flight that somebody waits for now, oldest first. */
  drainedFor(): { label?: string; ageMs: number }[] {
    return this.#context.inFlight.drainedFor();
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
  releaseRequests(): void {
    this.#context.held.release();
  }

  /** Lets the server of an app that `file` exports listen. Resolves when main has been asked for the port. */
  listenExported(server: Server, file: string, target: { port: number; host: string }): Promise<void> {
    return new Promise((resolve) => {
      this.#exported.set(server, { file, asked: resolve });
      server.listen(target.port, target.host);
    });
  }

  /** Whether the server stands for an app that is only exported. */
  isExported(server: Server): boolean {
    return this.#exported.has(server);
  }

  /** Closes the servers that belong to a purged file; their public ports wait for adoption. */
  release(files: ReadonlySet<string>): void {
    this.#unlistened.purged(files);
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
    return this.#unlistened.any;
  }

  /** The public ports that wait for a server are about to be closed. */
  giveUpUnadopted(): void {
    this.#unadopted.clear();
  }

  /** A plan begins: what listens now, for `restore`. Until then, or until `commit`, no server loses what it listens with. */
  begin(): readonly VirtualServer[] {
    this.#replaced = new Map();
    return this.listening();
  }

  /** The plan was applied. */
  commit(): void {
    for (const [server, successor] of this.#replaced ?? []) silence(server, successor);
    this.#replaced = undefined;
  }

  /** What listens now. */
  listening(): readonly VirtualServer[] {
    return [...this.#servers].filter((server) => !server.released);
  }

  /**
   * A plan is being rolled back: closes what has been opened since `begin()`. Before anything else is undone: an adapter may
   * close such a server itself, which must not close its public port.
   */
  releaseSince(before: readonly VirtualServer[]): void {
    for (const server of this.#servers) if (!before.includes(server)) this.#release(server);
  }

  /** A plan was rolled back: what was released since `begin()` listens again. */
  restore(before: readonly VirtualServer[]): void {
    this.#replaced = undefined;
    this.releaseSince(before);
    for (const { server, identity, files, released } of before) {
      if (released) this.#listenVirtually(server, identity.target, files);
    }
  }

  #release(server: VirtualServer): void {
    const wasOpen = server.isOpen;
    server.release();
    if (wasOpen && server.released) this.#unadopted.add(server);
  }

  #isOwnPort(port: number): boolean {
    for (const { address } of this.#servers) if (typeof address === "object" && address.port === port) return true;
    return false;
  }

  #onListen(server: Server, args: Parameters<ServerInternals["_listen2"]>): void {
    const internals = serverInternals(server);
    const [address, port, addressType, backlog, fd, flags] = args;
    this.#unlistened.listens(server);
    if (internals._handle !== null || server instanceof UpstreamListener) {
      this.#listen2.call(internals, ...args);
      return;
    }
    // What a version that is gone had begun goes on until it wants to listen: its port belongs to another one now.
    const maker = this.#context.attribution.owner ?? this.#makers.get(server);
    if (maker?.purged && !this.#exported.has(server)) return;
    const owners = [this.#exported.get(server)?.file, this.#options.currentModule(), this.#creators.get(server)];
    const files = new Set(owners.filter((file) => file !== undefined));
    // What has a descriptor of ours stands for another server's port.
    const shared = typeof fd === "number" && fd >= 0 ? this.listening().find((other) => other.fd === fd) : undefined;
    const target = shared?.identity.target ?? listenTarget(address, port, addressType, backlog, fd, flags);
    this.#listenVirtually(server, target, files, shared?.identity.listenId);
    this.#exported.get(server)?.asked();
  }

  #listenVirtually(server: Server, target: ListenTarget, files: ReadonlySet<string>, replaces?: number): void {
    const listenId = ++this.#lastListenId;
    const kind = serverKind(server);
    const socketPath = socketPathFor(this.#options.socketFolder, listenId);
    const virtual = new VirtualServer(server, { listenId, kind, target, socketPath }, files, this.#context, (closed) =>
      this.#onClosed(closed),
    );
    this.#events.watch(server);
    virtual.open(provisionalAddress(target));

    let opening: Promise<PublicAddress> | undefined;
    const exported = this.#exported.has(server);
    const request = { listenId, kind, target, exported, socketPath, ...(replaces !== undefined && { replaces }) };
    const ask = () => {
      opening = this.#options.requestListen(request);
    };
    const answer = awaitListenAnswer(this.#options.table, listenId, this.#options.answerTimeoutMs, ask);
    if (answer !== undefined) {
      // The same answer comes as a message too.
      opening?.catch(() => {});
      this.#settle(virtual, answer);
      return;
    }
    opening?.then(
      (address) => this.#settle(virtual, { type: "opened", address }),
      (error: NodeJS.ErrnoException) => this.#settle(virtual, { type: "refused", code: error.code ?? "UNKNOWN" }),
    );
  }

  #settle(virtual: VirtualServer, answer: ListenAnswer): void {
    // The app closed it before the answer came.
    if (!virtual.isOpen || answer.type === "closed") return;
    const { server } = virtual;
    if (answer.type === "refused") {
      virtual.refuse();
      const { target } = virtual.identity;
      const error = refusal(answer.code, target);
      process.nextTick(() => server.emit("error", error));
      return;
    }
    virtual.settle(answer.address);
    this.#adoptConnections(virtual, answer.address);
    this.#servers.add(virtual);
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
      if (virtual.server === before.server) continue;
      if (this.#replaced) this.#replaced.set(before.server, virtual.server);
      else silence(before.server, virtual.server);
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
    const { table, answerTimeoutMs } = this.#options;
    awaitListenAnswer(table, listenId, answerTimeoutMs, () => this.#options.reportClosed(listenId));
  }
}

/** The target in the words of the protocol, from the arguments of Node's last step. */
function listenTarget(
  address: string | null,
  port: number,
  addressType: number,
  backlog: number | undefined,
  fd: number | undefined,
  flags: number | undefined,
): ListenTarget {
  // Node's own code gives `false` when `listen()` had no backlog.
  const queue = typeof backlog === "number" && backlog > 0 ? { backlog } : {};
  if (typeof fd === "number" && fd >= 0) return { type: "fd", fd, ...queue };
  if (addressType === -1) return { type: "path", path: address ?? "", ...queue };
  const host = address === null ? {} : { host: address };
  const ipv6Only = ((flags ?? 0) & IPV6_ONLY) === IPV6_ONLY ? { ipv6Only: true } : {};
  const reusePort = ((flags ?? 0) & REUSE_PORT) === REUSE_PORT ? { reusePort: true } : {};
  return { type: "port", port, ...host, ...queue, ...ipv6Only, ...reusePort };
}

function refusal(code: string, target: ListenTarget): Error {
  switch (target.type) {
    case "path":
      return listenError(code, target.path, -1);
    case "fd":
      return listenError(code, `descriptor ${target.fd}`, -1);
    case "port":
      return listenError(code, target.host ?? "::", target.port);
    default:
      return target satisfies never;
  }
}

/** What `address()` gives until the main thread has answered. */
function provisionalAddress(target: ListenTarget): PublicAddress {
  if (target.type === "path") return target.path;
  if (target.type === "fd") return { address: "::", family: "IPv6", port: 0 };
  const address = target.host ?? "::";
  return { address, family: familyOf(address), port: target.port };
}

function sameAddress(one: PublicAddress | undefined, other: PublicAddress): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.address === other.address && one.port === other.port;
}

/** Short, because paths of unix sockets are limited to about 100 bytes. */
function socketPathFor(folder: string, listenId: number): string {
  const name = listenId.toString(36);
  return process.platform === "win32"
    ? `\\\\.\\pipe\\${path.basename(folder)}-${name}`
    : path.join(folder, `${name}.sock`);
}
