/**
 * The public ports and everything behind them: opens ports for the app's servers, hands a port over from the server that
 * a reload closed to the one that follows (adoption), and relays bytes between clients and the worker.
 */
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { SAID } from "../common/protocol/connection-table.js";
import { clearListenMailbox, postListenAnswer } from "../common/protocol/listen-mailbox.js";
import type { ListenTarget, PublicAddress, SaidPage, ServerKind } from "../common/protocol/messages.js";
import { serializeError } from "../common/protocol/serialized-error.js";
import type { ClientConnection } from "./client-connection.js";
import { DescriptorLack } from "./descriptor-lack.js";
import { Entrance } from "./entrance.js";
import { HeldClients } from "./held-clients.js";
import { Movers } from "./movers.js";
import { type OwnPage, OwnPages } from "./own-pages.js";
import { PublicPort } from "./public-port.js";
import type { ClientPort, Relay } from "./relay.js";
import { SlotLeases } from "./slot-leases.js";
import { type Gate, Turn } from "./turn.js";
import type { AppServer } from "./upstream.js";

export interface FrontOptions {
  readonly gate: Gate;
  readonly table: Int32Array<SharedArrayBuffer>;
  /** Something that people should know. */
  readonly warn?: (message: string) => void;
  /** Milliseconds that a request may be held. */
  readonly heldDeadline: number;
  /** Bytes of held requests in all. */
  readonly heldBytes: number;
  /** Nobody listens on a server's socket: its worker is dying, or the socket's file is gone. */
  unreachable?(server: AppServer): void;
  /** Number of the worker that a client with this address is; "unknown": ask again in a moment. */
  ownEpoch?(address: string | undefined, port: number | undefined): number | "unknown" | undefined;
}

/** The report `listenRequested`, and the worker it came from. */
export interface OpenRequest extends AppServer {
  readonly target: ListenTarget;
  readonly replaces?: number | undefined;
  /** It shall be reached from within this process only. */
  readonly hidden?: boolean;
}

/** A public port that was closed. */
export interface ClosedPort {
  readonly address: PublicAddress;
  readonly kind: ServerKind;
}

/** What a client is told of a worker's death, he is told within seconds; no app dies so often meanwhile. */
const KEPT_DEATHS = 100;

/** How often a closing front looks whether requests are still in flight; the counters bring no events. */
const QUIET_POLL_MS = 20;

export class Front {
  readonly #ports = new Set<PublicPort>();
  /** Ports that are closed but still have open connections, until the last of those is gone. */
  readonly #closedPorts = new Set<PublicPort>();
  readonly #relay: Relay;
  /** Page for the requests of each dead worker, by epoch; born at its death, and gone with the `KEPT_DEATHS`th after it. */
  readonly #deathPages = new Map<number, OwnPage>();
  /** Workers that do not answer any more, until they end. */
  readonly #abandoned = new Set<number>();
  /** Workers that are blocked and may answer again; from `blocked` until that is over, or they end. */
  readonly #blocked = new Set<number>();
  /** What `lend` has answered: listen id -> the port; from then on until `open` or the end of that worker. */
  readonly #lent = new Map<number, { readonly epoch: number; readonly port: PublicPort; readonly server: AppServer }>();
  /** Epoch of a worker that lives -> the listen id that it has asked about last, and may sleep for. */
  readonly #lastListen = new Map<number, number>();
  /** Servers whose port is being opened, by listen id; "closed" or "released" when that came in the meantime. */
  readonly #opening = new Map<number, "wanted" | "closed" | "released">();
  /** Ports that another is being opened in place of, until it is. */
  readonly #replaced = new Set<PublicPort>();
  /** A port that was opened to show a failed start, until a server takes it or it is closed. */
  #unserved: PublicPort | undefined;
  #closing: Promise<void> | undefined;
  #lastSaid = 0;
  /** The way in from within this process. */
  readonly entrance: Entrance;
  /** Who waits for a server that answers; each is called once. */
  #onServed: (() => void)[] = [];

  constructor(options: FrontOptions) {
    this.#relay = {
      gate: options.gate,
      table: options.table,
      leases: new SlotLeases(options.table),
      turn: new Turn(),
      pages: new OwnPages(),
      movers: new Movers(),
      lack: new DescriptorLack((message) => options.warn?.(message)),
      held: new HeldClients({
        deadlineMs: options.heldDeadline,
        bytes: options.heldBytes,
        waitingFor: () => options.gate.waitingFor?.(),
      }),
      deathPage: (epoch) => this.#deathPages.get(epoch),
      abandoned: (epoch) => this.#abandoned.has(epoch) || this.#blocked.has(epoch),
      unreachable: (server) => options.unreachable?.(server),
      ownEpoch: ({ remoteAddress, remotePort }) => options.ownEpoch?.(remoteAddress, remotePort),
      lentServer: (port, client) => this.#lentServer(port, client),
    };
    const { gate, turn, held } = this.#relay;
    this.entrance = new Entrance({
      gate,
      turn,
      held,
      servingPort: () => this.#servingPort(),
      nextServer: (timeoutMs) => this.#nextServer(timeoutMs),
    });
  }

  /**
   * Opens the public port for a server of the app, or gives it the port of a released server with the same target (for
   * port 0: the first released one that had port 0). A port that an older worker's server has is taken over: what that one
   * has begun goes on there, new requests go to this one. Rejects with Node's own error, `EADDRINUSE` and the like.
   */
  async open(request: OpenRequest): Promise<PublicAddress> {
    const { listenId } = request;
    if (!this.#deathPages.has(request.epoch)) this.#lastListen.set(request.epoch, listenId);
    try {
      const address = await this.#openOrAdopt(request);
      postListenAnswer(this.#relay.table, listenId, { type: "opened", address });
      return address;
    } catch (error) {
      postListenAnswer(this.#relay.table, listenId, { type: "refused", code: codeOf(error) });
      throw error;
    }
  }

  /**
   * Answers a listen of a worker on trial with the port that another worker's server has, and changes nothing: `open`
   * hands the port over when the trial has succeeded. Undefined when no such port is open.
   */
  lend(request: OpenRequest): PublicAddress | undefined {
    const { listenId, target, epoch } = request;
    const taken = new Set([...this.#lent.values()].filter((lent) => lent.epoch === epoch).map((lent) => lent.port));
    const port = [...this.#ports].find((open) => !taken.has(open) && sameTarget(open.target, target));
    this.#lastListen.set(epoch, listenId);
    if (port === undefined) return undefined;
    this.#lent.set(listenId, { epoch, port, server: request });
    postListenAnswer(this.#relay.table, listenId, { type: "opened", address: port.address });
    return port.address;
  }

  /**
   * Opens a port that no server of the app stands behind, so that a failed start can be seen. A server that listens on it
   * later adopts it. Rejects with Node's own error.
   */
  async openUnserved(target: { readonly port: number; readonly host: string }): Promise<PublicAddress> {
    const port = new PublicPort({ type: "port", ...target }, "http", this.#relay);
    const address = await port.open();
    this.#ports.add(port);
    this.#unserved = port;
    return address;
  }

  /** Opens the hidden port of an exported app to clients; undefined when there is none. Rejects with Node's own error. */
  async show(target: { readonly port: number; readonly host: string }): Promise<PublicAddress | undefined> {
    const port = [...this.#ports].find((open) => !open.isPublic);
    return port?.show({ type: "port", ...target });
  }

  /** A purge closed the app's server: its port stays open, and its new requests wait for adoption. */
  release(listenId: number): void {
    if (this.#opening.has(listenId)) this.#opening.set(listenId, "released");
    this.#portOf(listenId)?.release();
  }

  /** The app closed its server itself. */
  close(listenId: number): void {
    if (this.#opening.has(listenId)) this.#opening.set(listenId, "closed");
    const port = this.#portOf(listenId);
    if (port?.server !== undefined) this.#lastListen.set(port.server.epoch, listenId);
    if (port !== undefined) this.#closePort(port);
    postListenAnswer(this.#relay.table, listenId, { type: "closed" });
  }

  /** A server that could not be reached can be now: what waited for it goes on. */
  listensAgain(listenId: number): void {
    const port = this.#portOf(listenId);
    if (port?.server === undefined) return;
    for (const connection of port.connections) connection.app.serverIsBack(port.server);
  }

  /** Any port is open, be it a hidden one. */
  get hasPorts(): boolean {
    return this.#ports.size > 0;
  }

  /**
   * Closes the ports of released servers that nobody adopted, and those that only workers before `epoch` serve, with the
   * connections that wait there. Returns those that were public.
   */
  closeUnadopted(epoch = 0): ClosedPort[] {
    const closed: ClosedPort[] = [];
    for (const port of [...this.#ports]) {
      // A descriptor that the process was started with could not be opened again.
      if (port.target.type === "fd") continue;
      // One that another is about to take the place of is none of those.
      if ((port.server?.epoch ?? -1) >= epoch || this.#replaced.has(port)) continue;
      const { kind, address, isPublic } = port;
      if (isPublic) closed.push({ kind, address });
      port.giveUp();
      this.#closePort(port);
    }
    return closed;
  }

  /** The worker of `epoch` is about to end: what waits in its TLS and HTTP/2 sessions is refused in them. */
  refuseWaiting(epoch: number): void {
    for (const connection of [...this.#connections()]) connection.refuseIn(epoch);
  }

  /** What the worker of `epoch` has begun and not ended: requests, and connections that are none (upgraded, raw). */
  inFlightOf(epoch: number): { requests: number; sockets: number } {
    const inFlight = { requests: 0, sockets: 0 };
    for (const connection of this.#connections()) {
      const use = connection.app.exchange.useOf(epoch);
      if (use === "request") inFlight.requests++;
      else if (use === "socket") inFlight.sockets++;
    }
    return inFlight;
  }

  /**
   * The worker of `epoch` does not answer: nothing more goes to it, and what it has not begun goes to the next one. Requests
   * that it has begun stay with it until it answers them or ends.
   */
  abandonEpoch(epoch: number): void {
    if (this.#deathPages.has(epoch)) return;
    this.#abandoned.add(epoch);
    for (const port of this.#everyPort()) {
      if (port.server?.epoch === epoch) port.abandon();
      else for (const connection of [...port.connections]) connection.app.serverChanged();
    }
  }

  /**
   * The worker of `epoch` is blocked: what it has begun gets `page` or, with half an answer sent, a reset. (What comes is for
   * the gate to answer.) Without a page: it is no longer.
   */
  blocked(epoch: number, page: OwnPage | undefined): void {
    if (page === undefined) this.#blocked.delete(epoch);
    else this.#blocked.add(epoch);
    if (page !== undefined) for (const connection of [...this.#connections()]) connection.app.blocked(epoch, page);
  }

  /**
   * The time of the worker of `epoch` is over, before it ends: its requests get `page` or, with half an answer sent, a reset;
   * its upgraded and raw connections are closed, so that their clients connect anew.
   */
  endEpoch(epoch: number, page: OwnPage): void {
    this.abandonEpoch(epoch);
    for (const connection of [...this.#connections()]) connection.app.giveUp(epoch, page);
  }

  /**
   * The worker of `epoch` is dead. Its ports wait for the next worker; requests it had not begun are sent to that one,
   * those it had begun get a page with the reason or, with half an answer sent, a reset.
   */
  workerDied(epoch: number, error: Error): void {
    const page = pageForDeath(error);
    this.#abandoned.delete(epoch);
    this.#deathPages.set(epoch, page);
    const [oldest] = this.#deathPages.keys();
    if (oldest !== undefined && this.#deathPages.size > KEPT_DEATHS) this.#deathPages.delete(oldest);
    clearListenMailbox(this.#relay.table, (listenId) => this.#lastListen.get(epoch) === listenId);
    this.#lastListen.delete(epoch);
    for (const [listenId, lent] of this.#lent) if (lent.epoch === epoch) this.#lent.delete(listenId);
    for (const port of this.#everyPort()) {
      if (port.server?.epoch === epoch) {
        removeSocketFile(port.server.socketPath);
        port.release();
      }
      for (const connection of [...port.connections]) connection.workerDied(epoch, page);
    }
    this.#relay.leases.epochEnded(epoch);
  }

  /**
   * A page takes the place of the app's answers from now on; undefined: none does. The front says it on HTTP connections;
   * within sessions, and for what has reached the worker, the worker does: the caller hands it what is returned.
   */
  sayInstead(page: OwnPage | undefined): SaidPage | undefined {
    if (page === undefined) {
      Atomics.store(this.#relay.table, SAID, 0);
      return undefined;
    }
    const number = ++this.#lastSaid;
    Atomics.store(this.#relay.table, SAID, number);
    return { number, status: page.status, text: page.text };
  }

  /** Lets every request that waits for a server ask the gate again: its answer may be a page by now. */
  recheck(): void {
    for (const port of this.#ports) port.wake();
    this.#served();
  }

  /** Requests that wait or are being answered. */
  inFlight(): number {
    let count = this.#relay.pages.inFlight;
    for (const connection of this.#connections()) if (connection.inFlight) count++;
    return count;
  }

  /** Whether the worker of `epoch` has begun a request that has not left it whole. */
  hasBegun(epoch: number): boolean {
    for (const connection of this.#connections()) if (connection.app.exchange.hasBegunAt(epoch)) return true;
    return false;
  }

  /** A port is being opened for a server of the app. */
  get isOpening(): boolean {
    return this.#opening.size > 0;
  }

  /** Requests that wait for the gate or for a server. */
  get held(): number {
    return this.#relay.held.size;
  }

  /** Bytes of requests that wait. */
  get heldBytes(): number {
    return this.#relay.held.bytes;
  }

  /** Of open ports, in the order in which they were opened. */
  addresses(): PublicAddress[] {
    return this.#publicPorts().map((port) => port.address);
  }

  /** New connections are refused; those that are open go on. */
  stopAccepting(): void {
    for (const port of this.#ports) port.stopAccepting();
  }

  /** Stops accepting, lets requests in flight end for up to `deadlineMs`, then closes what is left. */
  shutDown(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#shutDown(deadlineMs);
    return this.#closing;
  }

  /** Whose server a worker that asks itself means: its own, which only has been lent the port. */
  #lentServer(port: ClientPort, { remoteAddress, remotePort }: Socket): AppServer | undefined {
    if (this.#lent.size === 0) return undefined;
    const own = this.#relay.ownEpoch({ remoteAddress, remotePort });
    return [...this.#lent.values()].find((lent) => lent.port === port && lent.epoch === own)?.server;
  }

  async #openOrAdopt(request: OpenRequest): Promise<PublicAddress> {
    const shared = request.replaces === undefined ? undefined : this.#portOf(request.replaces);
    if (shared !== undefined) {
      shared.adopt(request);
      return shared.address;
    }
    const lent = this.#lent.get(request.listenId)?.port;
    this.#lent.delete(request.listenId);
    const released = [...this.#ports].filter(({ server }) => server === undefined || server.epoch < request.epoch);
    const adopted =
      lent !== undefined && released.includes(lent)
        ? lent
        : (released.find((port) => port.server === undefined && sameTarget(port.target, request.target)) ??
          released.find((port) => sameTarget(port.target, request.target)));
    if (adopted !== undefined) {
      if (this.#unserved === adopted) this.#unserved = undefined;
      adopted.adopt(request);
      this.#served();
      return adopted.address;
    }
    // The same port on another host would collide with the released one: this one takes its place and its clients.
    const replaced = released.filter(
      (port) => samePort(port, request.target) || this.#showsFailureFor(port, request.target),
    );
    for (const port of replaced) {
      this.#replaced.add(port);
      port.stopAccepting();
    }
    const port = new PublicPort(request.target, request.kind, this.#relay);
    this.#opening.set(request.listenId, "wanted");
    try {
      const number = replaced.map(portNumber).find((one) => one !== undefined);
      const address = request.hidden ? port.openHidden() : await port.open(number);
      this.#ports.add(port);
      for (const before of replaced) port.takeOver(before);
      const wanted = this.#opening.get(request.listenId);
      if (wanted === "closed" || this.#closing !== undefined) this.#closePort(port);
      else if (wanted === "wanted" && !this.#deathPages.has(request.epoch)) port.adopt(request);
      this.#served();
      return address;
    } finally {
      for (const before of replaced) {
        this.#replaced.delete(before);
        this.#closePort(before);
      }
      this.#opening.delete(request.listenId);
    }
  }

  /** A server that leaves the choice of its port to the system gets the one where people saw the failure. */
  #showsFailureFor(port: PublicPort, target: ListenTarget): boolean {
    return port === this.#unserved && target.type === "port" && target.port === 0;
  }

  #publicPorts(): PublicPort[] {
    return [...this.#ports].filter((port) => port.isPublic);
  }

  /** The first HTTP server of the app that answers; requests from within this process go to it. */
  #servingPort(): PublicPort | undefined {
    for (const port of this.#ports) if (port.kind === "http" && port.server !== undefined) return port;
    return undefined;
  }

  #nextServer(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs).unref();
      this.#onServed.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #served(): void {
    const waiting = this.#onServed;
    this.#onServed = [];
    for (const resolve of waiting) resolve();
  }

  async #shutDown(deadlineMs: number): Promise<void> {
    const ports = [...this.#ports];
    for (const port of ports) port.stopAccepting();
    const deadline = performance.now() + deadlineMs;
    /** Connections that had nothing in flight a while ago. */
    let quiet: ReadonlySet<ClientConnection> = new Set();
    for (;;) {
      const open = [...this.#connections()];
      const now = new Set(open.filter((connection) => !connection.inFlight));
      // The last bytes of an answer that has left the worker may not have been read here: they are one turn later.
      for (const connection of now) if (quiet.has(connection)) connection.end();
      if (open.length === 0 && this.#relay.pages.inFlight === 0) break;
      if (performance.now() >= deadline) break;
      quiet = now;
      await new Promise((resolve) => setTimeout(resolve, QUIET_POLL_MS));
    }
    for (const connection of [...this.#connections()]) connection.destroy();
    for (const port of ports) this.#closePort(port);
    this.#relay.movers.close();
    this.#relay.held.close();
    this.#relay.lack.close();
    this.#relay.pages.close();
    this.#relay.leases.close();
  }

  #closePort(port: PublicPort): void {
    if (this.#unserved === port) this.#unserved = undefined;
    this.#ports.delete(port);
    port.close();
    for (const closed of this.#closedPorts) if (closed.connections.size === 0) this.#closedPorts.delete(closed);
    if (port.connections.size > 0) this.#closedPorts.add(port);
  }

  *#everyPort(): Iterable<PublicPort> {
    yield* this.#ports;
    yield* this.#closedPorts;
  }

  #portOf(listenId: number): PublicPort | undefined {
    for (const port of this.#ports) if (port.server?.listenId === listenId) return port;
    return undefined;
  }

  *#connections(): Iterable<ClientConnection> {
    for (const port of this.#everyPort()) yield* port.connections;
  }
}

/** Whether a server that listens on `asked` continues one that listened on `open`. */
export function sameTarget(open: ListenTarget, asked: ListenTarget): boolean {
  if (open.type === "path" || asked.type === "path") {
    return open.type === "path" && asked.type === "path" && open.path === asked.path;
  }
  if (open.type === "fd" || asked.type === "fd") {
    return open.type === "fd" && asked.type === "fd" && open.fd === asked.fd;
  }
  return open.port === asked.port && open.host === asked.host && Boolean(open.ipv6Only) === Boolean(asked.ipv6Only);
}

function samePort(open: PublicPort, asked: ListenTarget): boolean {
  return open.target.type === "port" && asked.type === "port" && asked.port !== 0 && open.target.port === asked.port;
}

function portNumber({ address }: PublicPort): number | undefined {
  return typeof address === "string" ? undefined : address.port;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? "UNKNOWN";
}

/** A worker that dies leaves the files of its unix sockets behind. */
function removeSocketFile(file: string): void {
  // Windows has named pipes, and they go with the worker.
  if (process.platform !== "win32") rmSync(file, { force: true });
}

function pageForDeath(error: Error): OwnPage {
  const text =
    `The app's worker ended before it answered this request: ${error.message}\n` +
    "A fresh worker follows; send the request again.\n";
  return { status: 502, text, error: serializeError(error) };
}
