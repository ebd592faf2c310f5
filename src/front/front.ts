/**
 * The public ports and everything behind them: opens ports for the app's servers, hands a port over from the server that
 * a reload closed to the one that follows (adoption), and relays bytes between clients and the worker. Above 350 lines: the
 * one door to this folder, most of it single calls.
 */
import { SAID } from "../common/protocol/connection-table.js";
import { postListenAnswer } from "../common/protocol/listen-mailbox.js";
import type { ListenTarget, PublicAddress, ServerKind } from "../common/protocol/messages.js";
import type { SaidPage } from "../common/protocol/orders.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "../pages/own-page.js";
import type { PageStyle } from "../pages/write-page.js";
import type { ClientConnection } from "./client-connection.js";
import { DescriptorLack } from "./descriptor-lack.js";
import { Entrance } from "./entrance.js";
import { HeldClients } from "./held-clients.js";
import { LostWorkers, removeSocketFile, type WorkerEnd } from "./lost-workers.js";
import { Movers } from "./movers.js";
import { OpenPorts } from "./open-ports.js";
import { type OwnAnswer, OwnPages } from "./own-pages.js";
import { type OpenRequest, PortOpening, sameTarget } from "./port-opening.js";
import type { Relay } from "./relay.js";
import { SlotLeases } from "./slot-leases.js";
import type { InheritedPort, SocketCopies } from "./socket-copies.js";
import { type Gate, Turn } from "./turn.js";
import type { AppServer } from "./upstream.js";

export interface FrontOptions {
  readonly gate: Gate;
  readonly table: Int32Array<SharedArrayBuffer>;
  /** Who has copies of the sockets that are open. */
  readonly copies?: SocketCopies | undefined;
  /** Something that people should know. */
  readonly warn?: (message: string) => void;
  /** Milliseconds that a request may be held. */
  readonly heldDeadline: number;
  readonly pages?: PageStyle;
  /** Undefined: no path is the supervisor's own. */
  readonly ownAnswer?: OwnAnswer | undefined;
  /** Bytes of held requests in all. */
  readonly heldBytes: number;
  /** With it, the next free port is taken for one that is taken, and that is told. */
  readonly portFallback?: ((wanted: number, got: number) => void) | undefined;
  /** Nobody listens on a server's socket: its worker is dying, or the socket's file is gone. */
  unreachable?(server: AppServer): void;
  /** Number of the worker that a client with this address is; "unknown": ask again in a moment. */
  ownEpoch?(address: string | undefined, port: number | undefined): number | "unknown" | undefined;
}

/** A public port that was closed. */
export interface ClosedPort {
  readonly address: PublicAddress;
  readonly kind: ServerKind;
  /** Settles when nobody can connect any more; undefined: that is so. */
  readonly closing: Promise<void> | undefined;
}

/** How often a closing front looks whether requests are still in flight; the counters bring no events. */
const QUIET_POLL_MS = 20;

export class Front {
  readonly #ports = new OpenPorts();
  readonly #opening: PortOpening;
  readonly #relay: Relay;
  readonly #lost = new LostWorkers();
  #closing: Promise<void> | undefined;
  #lastSaid = 0;
  #lastListener: number | undefined;
  readonly pages: OwnPages;
  /** The way in from within this process. */
  readonly entrance: Entrance;

  constructor(options: FrontOptions) {
    this.pages = new OwnPages(options.pages ?? { cwd: process.cwd(), hasPanel: false }, options.ownAnswer);
    this.#relay = {
      gate: options.gate,
      table: options.table,
      leases: new SlotLeases(options.table),
      turn: new Turn(),
      copies: options.copies,
      pages: this.pages,
      movers: new Movers(),
      lack: new DescriptorLack((message) => options.warn?.(message)),
      held: new HeldClients({
        deadlineMs: options.heldDeadline,
        bytes: options.heldBytes,
        waitingFor: () => options.gate.waitingFor?.(),
      }),
      deathPage: (epoch) => this.#lost.deathPage(epoch),
      abandoned: (epoch) => this.#lost.isAbandoned(epoch),
      unreachable: (server) => options.unreachable?.(server),
      makeRoom: () => [...this.#ports.connections()].findLast(({ app }) => app.isSilent)?.end(),
      ownEpoch: ({ remoteAddress, remotePort }) => options.ownEpoch?.(remoteAddress, remotePort),
      lentServer: (port, client) => this.#opening.lentServer(port, client),
    };
    const { gate, turn, held } = this.#relay;
    this.entrance = new Entrance({
      gate,
      turn,
      held,
      servingPort: () => this.#ports.serving,
      nextServer: (timeoutMs) => this.#ports.nextServer(timeoutMs),
    });
    this.#opening = new PortOpening({
      ports: this.#ports,
      relay: this.#relay,
      isDead: (epoch) => this.#lost.isDead(epoch),
      isClosing: () => this.#closing !== undefined,
      fallback: options.portFallback,
    });
  }

  /**
   * Opens the public port for a server of the app, or gives it the port of a released server with the same target (for
   * port 0: the first released one that had port 0). A port that an older worker's server has is taken over: what that one
   * has begun goes on there, new requests go to this one. Rejects with Node's own error, `EADDRINUSE` and the like.
   */
  async open(request: OpenRequest): Promise<PublicAddress> {
    const address = await this.#opening.open(request);
    this.#lastListener = request.epoch;
    return address;
  }

  /** Whether a server of the worker of `epoch`, the newest one, has listened. */
  hasListened(epoch: number): boolean {
    return this.#lastListener === epoch;
  }

  /**
   * Answers a listen of a worker on trial with the port that another worker's server has, and changes nothing: `open`
   * hands the port over when the trial has succeeded. Undefined when no such port is open.
   */
  lend(request: OpenRequest): PublicAddress | undefined {
    return this.#opening.lend(request);
  }

  /**
   * Opens a port that no server of the app stands behind, so that a failed start can be seen. A server that listens on it
   * later adopts it. Rejects with Node's own error.
   */
  openUnserved(target: { readonly port: number; readonly host: string }): Promise<PublicAddress> {
    return this.#opening.openUnserved(target);
  }

  /** Opens ports that another process has left open, for the servers of the app that listen there later. */
  inherit(ports: readonly InheritedPort[]): Promise<PublicAddress[]> {
    return Promise.all(ports.map((port) => this.#opening.inherit(port)));
  }

  /** Opens the hidden port of an exported app to clients; undefined when there is none. Rejects with Node's own error. */
  async show(target: { readonly port: number; readonly host: string }): Promise<PublicAddress | undefined> {
    const port = this.#ports.all.find((open) => !open.isPublic);
    return port?.show({ type: "port", ...target });
  }

  /** A purge closed the app's server: its port stays open, and its new requests wait for adoption. */
  release(listenId: number): void {
    this.#opening.gone(listenId, "released");
    this.#ports.of(listenId)?.release();
  }

  /** A port for this target is open, and no server serves it. */
  waits(target: ListenTarget): boolean {
    return this.#ports.all.some((port) => port.server === undefined && sameTarget(port.target, target));
  }

  /** The app closed its server itself. */
  close(listenId: number): void {
    this.#opening.gone(listenId, "closed");
    const port = this.#ports.of(listenId);
    if (port?.server !== undefined) this.#opening.asked(port.server.epoch, listenId);
    if (port !== undefined) this.#ports.close(port);
    const closed = (): void => postListenAnswer(this.#relay.table, listenId, { type: "closed" });
    if (port?.closing) void port.closing.then(closed);
    else closed();
  }

  /** A server that could not be reached can be now: what waited for it goes on. */
  listensAgain(listenId: number): void {
    const port = this.#ports.of(listenId);
    if (port?.server === undefined) return;
    for (const connection of port.connections) connection.app.serverIsBack(port.server);
  }

  /** Any port is open, be it a hidden one. */
  get hasPorts(): boolean {
    return this.#ports.any;
  }

  /**
   * Closes the ports of released servers that nobody adopted, and those that only workers before `epoch` serve, with the
   * connections that wait there. Returns those that were public.
   */
  closeUnadopted(epoch = 0): ClosedPort[] {
    const closed: ClosedPort[] = [];
    for (const port of this.#ports.all) {
      // A descriptor that the process was started with could not be opened again.
      if (port.target.type === "fd") continue;
      // One that another is about to take the place of is none of those.
      if ((port.server?.epoch ?? -1) >= epoch || this.#opening.isReplaced(port)) continue;
      const { kind, address, isPublic } = port;
      port.giveUp();
      if (isPublic) closed.push({ kind, address, closing: port.closing });
      this.#ports.close(port);
    }
    return closed;
  }

  /** The worker of `epoch` is about to end: what waits in its TLS and HTTP/2 sessions is refused in them. */
  refuseWaiting(epoch: number): void {
    for (const connection of [...this.#ports.connections()]) connection.refuseIn(epoch);
  }

  /** What the worker of `epoch` has begun and not ended: requests, and connections that are none (upgraded, raw). */
  inFlightOf(epoch: number): { requests: number; sockets: number } {
    const inFlight = { requests: 0, sockets: 0 };
    for (const connection of this.#ports.connections()) {
      const use = connection.app.exchange.useOf(epoch);
      if (use === "request") inFlight.requests++;
      else if (use === "socket") inFlight.sockets++;
    }
    return inFlight;
  }

  /** Whether requests wait for this worker, or are being answered by it. */
  isAwaited(epoch: number): boolean {
    return this.held > 0 || this.inFlightOf(epoch).requests > 0;
  }

  /**
   * The worker of `epoch` does not answer: nothing more goes to it, and what it has not begun goes to the next one. Requests
   * that it has begun stay with it until it answers them or ends.
   */
  abandonEpoch(epoch: number): void {
    if (this.#lost.isDead(epoch)) return;
    this.#lost.abandon(epoch);
    for (const port of this.#ports.everyPort()) {
      if (port.server?.epoch === epoch) port.abandon();
      else for (const connection of [...port.connections]) connection.app.serverChanged();
    }
  }

  /**
   * The worker of `epoch` is blocked: what it has begun gets `page` or, with half an answer sent, a reset. (What comes is for
   * the gate to answer.) Without a page: it is no longer.
   */
  blocked(epoch: number, page: OwnPage | undefined): void {
    if (page === undefined) {
      this.#lost.unblock(epoch);
      return;
    }
    this.#lost.block(epoch);
    for (const connection of [...this.#ports.connections()]) connection.app.blocked(epoch, page);
  }

  /**
   * The worker of `epoch` is dead. Its ports wait for the next worker; requests it had not begun are sent to that one,
   * those it had begun get a page with the reason or, with half an answer sent, a reset.
   */
  workerDied(epoch: number, error: SerializedError, more: WorkerEnd = {}): void {
    const page = this.#lost.die(epoch, error, more);
    this.#opening.workerDied(epoch);
    for (const port of this.#ports.everyPort()) {
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
    return { number, page: this.pages.write(page) };
  }

  /** Lets every request that waits for a server ask the gate again: its answer may be a page by now. */
  recheck(): void {
    for (const port of this.#ports.all) port.wake();
    this.#ports.served();
  }

  /** Requests that wait or are being answered. */
  inFlight(): number {
    let count = this.#relay.pages.inFlight;
    for (const connection of this.#ports.connections()) if (connection.inFlight) count++;
    return count;
  }

  /** Whether the worker of `epoch` has begun a request that has not left it whole. */
  hasBegun(epoch: number): boolean {
    for (const connection of this.#ports.connections()) if (connection.app.exchange.hasBegunAt(epoch)) return true;
    return false;
  }

  /** A port is being opened for a server of the app. */
  get isOpening(): boolean {
    return this.#opening.any;
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
    return this.#ports.public.map((port) => port.address);
  }

  /** The same, with what is spoken there. */
  endpoints(): { readonly kind: ServerKind; readonly address: PublicAddress }[] {
    return this.#ports.public.map(({ kind, address }) => ({ kind, address }));
  }

  /** New connections are refused; those that are open go on. */
  stopAccepting(): void {
    for (const port of this.#ports.all) port.stopAccepting();
  }

  /** Stops accepting, lets requests in flight end for up to `deadlineMs`, then closes what is left. */
  shutDown(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#shutDown(deadlineMs);
    return this.#closing;
  }

  async #shutDown(deadlineMs: number): Promise<void> {
    const ports = this.#ports.all;
    for (const port of ports) port.stopAccepting();
    const deadline = performance.now() + deadlineMs;
    /** Connections that had nothing in flight a while ago. */
    let quiet: ReadonlySet<ClientConnection> = new Set();
    for (;;) {
      const open = [...this.#ports.connections()];
      const now = new Set(open.filter((connection) => !connection.inFlight));
      // The last bytes of an answer that has left the worker may not have been read here: they are one turn later.
      for (const connection of now) if (quiet.has(connection)) connection.end();
      if (open.length === 0 && this.#relay.pages.inFlight === 0) break;
      if (performance.now() >= deadline) break;
      quiet = now;
      await new Promise((resolve) => setTimeout(resolve, QUIET_POLL_MS));
    }
    for (const connection of [...this.#ports.connections()]) connection.destroy();
    for (const port of ports) this.#ports.close(port);
    this.#relay.movers.close();
    this.#relay.held.close();
    this.#relay.lack.close();
    this.#relay.pages.close();
    this.#relay.leases.close();
  }
}
