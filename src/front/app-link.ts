/**
 * What a client's connection has with the app: one connection to a server of it after another. Three things can take one away:
 * the app closes it (passed on to the client), its server is replaced (the next request goes to the new one), or the worker
 * dies (unstarted requests are sent again, started ones get a page, answers that were cut are reset, idle clients notice
 * nothing).
 */
import type { Socket } from "node:net";
import { STILL_OPEN } from "../common/protocol/connection-table.js";
import type { ServerKind } from "../common/protocol/messages.js";
import type { OwnPage } from "../pages/own-page.js";
import { Exchange } from "./exchange.js";
import { Leaving } from "./leaving.js";
import type { Mover } from "./movers.js";
import type { ClientPort, ConnectionTraits, LinkOwner, Relay } from "./relay.js";
import { REPLAY_LIMIT } from "./replay-buffer.js";
import { resetAtOnce } from "./reset.js";
import { type AppServer, Upstream, type UpstreamEvents } from "./upstream.js";
import { UpstreamEnd } from "./upstream-end.js";
import { fateOf, fateWithoutWorker, type PageWay, pageWay } from "./upstream-fate.js";
import type { WaitingBytes } from "./waiting-bytes.js";

/** More than a few requests are worth a look when they are answered, so that idle connections keep little. */
const DROP_ANSWERED_BYTES = 16384;

export interface LinkOptions {
  readonly client: Socket;
  readonly relay: Relay;
  readonly traits: ConnectionTraits;
  readonly waiting: WaitingBytes;
  readonly owner: LinkOwner;
}

export class AppLink implements UpstreamEvents, Mover {
  readonly exchange: Exchange;
  readonly #client: Socket;
  readonly #relay: Relay;
  readonly #waiting: WaitingBytes;
  readonly #owner: LinkOwner;
  readonly #end: UpstreamEnd;
  /** The one that the client came in on, or that has taken its place. */
  port: ClientPort;
  /** The upstream was told to end, because its server was replaced or a page takes its place. */
  #leaving: Leaving | undefined;

  constructor(port: ClientPort, { client, relay, traits, waiting, owner }: LinkOptions) {
    this.port = port;
    this.#client = client;
    this.#relay = relay;
    this.#waiting = waiting;
    this.#owner = owner;
    this.exchange = new Exchange(traits.sender);
    this.#end = new UpstreamEnd({
      client,
      relay,
      owner,
      serves: (server) => server === this.port.server,
      detach: () => this.#detach(),
      requeue: () => this.#requeue(),
    });
  }

  get #upstream(): Upstream | undefined {
    return this.exchange.upstream;
  }

  /** The client may send more. */
  get hasRoom(): boolean {
    return this.#upstream?.full !== true;
  }

  /** Whether bytes that come now may begin a request; one that the app has ended only hears them. */
  mayBeginRequest(): boolean {
    if (this.#upstream === undefined || this.#leaving !== undefined) return true;
    if (this.#upstream.ended || this.exchange.opaque || !this.#upstream.idle) return false;
    // An app may answer before it has the whole request: the rest of that one may still come.
    return this.exchange.dropAnswered(this.#upstream);
  }

  /**
   * Whether more bytes of a request that has passed the gate may be sent before the app begins it. Not to a server that
   * was replaced: it lets the connection go. And not more than can be sent again.
   */
  mayContinue(): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.ended) return false;
    if (this.exchange.size + this.#waiting.size > REPLAY_LIMIT) return false;
    return upstream.server === this.#server() || upstream.server.kind !== "http" || this.port.closed;
  }

  /** Where its requests go. */
  #server(): AppServer | undefined {
    return this.#relay.lentServer(this.port, this.#client) ?? this.port.server;
  }

  // ---- to the app

  /** Connects to the port's present server; false when there is none, no slot is free, or the old one is not left yet. */
  attach(): boolean {
    const server = this.#server();
    if (server === undefined && this.port.closed) return this.#stayAfterClose();
    if (server === undefined || this.#end.avoids(server)) return false;
    if (this.#upstream !== undefined && this.#staysWith(this.#upstream, server)) return true;
    if (this.#upstream !== undefined && this.#upstream.server.kind !== server.kind) this.#client.destroySoon();
    if (!this.leave()) return false;
    if (this.#client.destroyed) return true;
    const slot = this.#relay.leases.acquire(server.epoch);
    if (slot === undefined) {
      this.#relay.leases.whenFree(() => this.#owner.wake());
      return false;
    }
    const { table, leases } = this.#relay;
    this.exchange.begin(new Upstream(server, slot, this.#client, table, leases, this));
    return true;
  }

  /** A server that the app closed goes on with the connections it has. */
  #stayAfterClose(): boolean {
    if (this.#upstream === undefined || this.#upstream.ended || this.#isDeserted(this.#upstream))
      this.#client.destroySoon();
    return true;
  }

  /** A session has outlived the code of its server, and nothing that was begun in it is under way. */
  #isDeserted(upstream: Upstream): boolean {
    return this.port.givenUp && upstream.idle && !this.exchange.opaque;
  }

  #staysWith(upstream: Upstream, server: AppServer): boolean {
    if (this.#leaving !== undefined || upstream.ended) return false;
    // A TLS or HTTP/2 session cannot move: within the worker its requests are handed to the new server, and another worker
    // does not get them.
    return upstream.server === server || upstream.server.kind !== "http";
  }

  /** Lets go of the upstream before a new request; true once it is gone. */
  leave(): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined) return true;
    if (upstream.ended) {
      this.drop();
      return true;
    }
    this.#leaving ??= new Leaving({
      upstream,
      client: this.#client,
      abandoned: this.#relay.abandoned(upstream.server.epoch),
      left: () => this.#detach(),
    });
    return false;
  }

  /** Sends what waits, as far as it may be sent; the rest waits until the app has begun the request before. */
  pass(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    let count = 0;
    let size = 0;
    for (const bytes of this.#waiting.chunks) {
      if (!this.exchange.add(bytes, upstream)) break;
      this.send(bytes);
      size += bytes.length;
      count++;
    }
    this.#waiting.sent(count, size);
  }

  send(bytes: Buffer): void {
    if (this.#upstream?.write(bytes) === false) this.#client.pause();
  }

  /** The client will send nothing more. */
  end(): void {
    this.#upstream?.end();
  }

  /** Goes on reading what the app sends. */
  resume(): void {
    this.#upstream?.resume();
  }

  /** The client's connection was reset. */
  breakOff(): void {
    this.#upstream?.breakOff();
  }

  /** The client has closed. */
  close(): void {
    this.#stopTimers();
    this.exchange.close();
  }

  /** The upstream is gone. What the app has not begun waits again, before what waits already. */
  drop(): void {
    this.#stopTimers();
    if (this.#upstream !== undefined) this.#waiting.replace(this.exchange.end(this.#waiting.chunks));
    this.#owner.drained();
  }

  /** Lets go of the app for a page; `received`: the request that it answers. */
  dropForPage(): { readonly way: PageWay; readonly received: readonly Buffer[] } {
    const state = {
      kind: this.#upstream?.server.kind ?? this.port.kind,
      opaque: this.exchange.opaque,
      answeredPartly: this.exchange.answeredPartly,
    };
    const unanswered = this.#client.readableEnded ? undefined : this.exchange.takeUnanswered();
    const received = [...(unanswered ?? []), ...this.#waiting.chunks];
    this.#waiting.replace([]);
    this.drop();
    this.#waiting.replace([]);
    return { way: pageWay({ ...state, whole: unanswered !== undefined }), received };
  }

  #stopTimers(): void {
    this.#end.stop();
    this.#leaving?.stop();
    this.#leaving = undefined;
  }

  // ---- when its worker or server changes

  /** The death of the worker is known: begun requests that waited for the reason get their page. */
  workerDied(epoch: number, page: OwnPage): void {
    if (this.#upstream?.server.epoch !== epoch || !this.#upstream.ended) return;
    if (this.#upstream.closedOnPurpose === STILL_OPEN) this.#owner.answerWith(page);
  }

  /**
   * Another worker has the port, or none has it: what its upstream's worker has begun goes on there, everything else goes to
   * the next server.
   */
  serverChanged(): void {
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.moved || upstream.server.epoch === this.#server()?.epoch) return;
    upstream.move();
    this.#relay.movers.add(this);
  }

  /** The worker of `epoch` is about to end, with its sessions: it refuses what waits in them, so that it is sent again. */
  refuseIn(epoch: number): boolean {
    const upstream = this.exchange.upstreamOf(epoch);
    if (upstream === undefined || upstream.moved || this.exchange.opaque) return false;
    if (!isSession(upstream.server.kind) || !upstream.seen || this.#waiting.isEmpty) return false;
    upstream.move();
    return true;
  }

  move(): boolean {
    const upstream = this.#upstream;
    if (this.#client.destroyed || upstream === undefined || upstream.ended || this.exchange.opaque) return true;
    if (!upstream.moved || this.#leaving !== undefined) return true;
    if (!upstream.idle) return false;
    const { kind, epoch } = upstream.server;
    // What a client has sent within a session, only the worker of the session can refuse.
    if (isSession(kind) && kind === this.port.kind && upstream.seen && !this.#waiting.isEmpty) return false;
    if (kind !== this.port.kind) this.#client.destroySoon();
    else if (kind === "raw" || (!upstream.seen && this.#relay.abandoned(epoch))) this.#requeue();
    else if (kind === "http") this.leave();
    // A session cannot move: its worker says goodbye in it.
    else upstream.end();
    return true;
  }

  /** The worker of `epoch` is blocked: what it has begun, or was sent, is answered without it, or cut; the rest can wait. */
  blocked(epoch: number, page: OwnPage): void {
    const upstream = this.exchange.upstreamOf(epoch);
    if (upstream === undefined || this.#client.destroyed || this.exchange.opaque) return;
    if (!upstream.flushed || this.exchange.unstarted) this.#goOnWithout(upstream, page);
  }

  #goOnWithout(upstream: Upstream, page: OwnPage): void {
    const { answeredPartly } = this.exchange;
    const { seen, server } = upstream;
    if (fateWithoutWorker({ kind: server.kind, answeredPartly, seen }) === "page") this.#owner.answerWith(page);
    else resetAtOnce(this.#client);
  }

  /** A server that had refused a connection listens again. */
  serverIsBack(server: AppServer): void {
    this.#end.serverIsBack(server);
  }

  /** Whether it can go on when no server will be adopted any more. */
  get outlivesPort(): boolean {
    return this.#upstream !== undefined && !this.#isDeserted(this.#upstream);
  }

  // ---- from the app

  received(bytes: Buffer): boolean {
    this.#end.answered();
    this.#relay.held.answered(this.#owner);
    const upstream = this.#upstream;
    if (this.exchange.size > DROP_ANSWERED_BYTES && upstream?.idle && !this.exchange.opaque)
      this.exchange.dropAnswered(upstream);
    return this.#client.write(Buffer.from(bytes));
  }

  drained(): void {
    this.#owner.drained();
  }

  ended(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    const end = this.exchange.endOf(upstream, this.#leaving !== undefined, !this.#waiting.isEmpty);
    if (end.purpose === STILL_OPEN && !end.leaving) this.#end.avoid(upstream.server, !end.seen);
    this.#end.act(fateOf(end), upstream);
  }

  /** Its client has never sent anything. */
  get isSilent(): boolean {
    return this.#client.bytesRead === 0 && !this.#client.destroyed;
  }

  hasNoRoom(code: string): void {
    const { held, lack } = this.#relay;
    const isLack = code !== "EAGAIN";
    if (isLack) lack.met(code);
    if (!this.exchange.inFlight) return;
    if (isLack) this.#relay.makeRoom();
    if (held.mayTry(this.#owner)) return;
    const reason = isLack ? `a descriptor, of which none are left (${code})` : "the app, which accepts no connections";
    this.#owner.answerWith(held.pageAfterDeadline(reason));
  }

  refused(): void {
    const server = this.#upstream?.server;
    this.#end.avoid(server);
    if (server !== undefined) this.#relay.unreachable(server);
    if (this.exchange.unstarted && this.#leaving === undefined) this.#requeue();
    else this.#detach();
  }

  /** The connection, or its request, was not begun: it goes to the next server, past the gate again. */
  #requeue(): void {
    this.drop();
    this.#owner.dropped(true);
  }

  /** The upstream is gone and the client stays; its next request finds the present server. */
  #detach(): void {
    this.drop();
    this.#owner.dropped(false);
  }
}

/** What is said on it has its meaning only within the worker that it began in. */
function isSession(kind: ServerKind): boolean {
  return kind !== "http" && kind !== "raw";
}
