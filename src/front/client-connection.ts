/**
 * One connection of a client, and the upstream connection that its bytes are relayed to. Bytes are not parsed: the
 * worker's counters say where requests begin. On a connection whose counters are equal the next bytes may begin a
 * request: they wait one turn of the event loop, then pass the gate. (Bytes on an active connection wait for the turn
 * too, since they may hold a pipelined request; the worker looks at the HOLD word when that one begins.)
 *
 * Three things can take the upstream away: the app closes it (passed on to the client), its server is replaced (the next
 * request goes to the new one), or the worker dies (unstarted requests are sent again, started ones get a page, answers
 * that were cut are reset, idle clients notice nothing).
 */
import type { Socket } from "node:net";
import { CLOSE_CHECK_MS, DEATH_REASON_MS, GOODBYE_MS, LEAVE_MS } from "../common/deadlines.js";
import { ENDED, LET_GO, SAID, STILL_OPEN } from "../common/protocol/connection-table.js";
import type { ServerKind } from "../common/protocol/messages.js";
import type { HeldClient } from "./held-clients.js";
import type { Mover } from "./movers.js";
import { type OwnPage, OwnPages } from "./own-pages.js";
import type { ClientPort, ConnectionTraits, Relay } from "./relay.js";
import { REPLAY_LIMIT, ReplayBuffer } from "./replay-buffer.js";
import { resetAtOnce } from "./reset.js";
import { type AfterTurn, PASS, type Verdict } from "./turn.js";
import { type AppServer, Upstream, type UpstreamEvents } from "./upstream.js";
import { fateOf } from "./upstream-fate.js";

/** A request that was sent this often to workers that died before they began it is answered with a page. */
const MAX_REPLAYS = 3;
/** That the app begins a request shows in shared memory only; this often it is looked up while something waits for it. */
const BEGIN_POLL_MS = 5;
/** A client whose request waits is paused when it has sent this much: the kernels on the way keep the rest. */
const WAITING_BYTES = 65536;
/** More than a few requests are worth a look when they are answered, so that idle connections keep little. */
const SETTLE_BYTES = 16384;
/** A worker that connects to its own server says so within microseconds, unless the system lets it wait. */
const OWN_POLL_MS = 2;
/** Bytes that a worker has sent are there at the latest in the turn after; one more for those that are sent right now. */
const QUIET_TURNS = 2;
/** How Node names the end of a client that broke off. */
const BROKEN_OFF = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);

export class ClientConnection implements AfterTurn, UpstreamEvents, Mover, HeldClient {
  readonly #client: Socket;
  #port: ClientPort;
  readonly #relay: Relay;
  readonly #traits: ConnectionTraits;
  #upstream: Upstream | undefined;
  /** A server that refused or lost a connection: it is dying, another one will come. */
  #dying: AppServer | undefined;

  /** Bytes of the client that wait for the turn, the gate, a server or a slot. */
  #waiting: Buffer[] = [];
  #waitingSize = 0;
  #inTurn = false;
  /** A request waits for the gate, a server or a slot. */
  #held = false;
  #wake: (() => void) | undefined;

  /** Bytes that were sent upstream, as far as the app has not begun their requests. */
  readonly #sent = new ReplayBuffer();
  /** Requests on this upstream that the app had begun at the last moment when it was idle. */
  #startedBefore = 0;
  /** Bytes of an answer came since then. */
  #answered = false;
  #replays = 0;

  /** A request was answered early by a server that is gone: the rest of it is thrown away. */
  #skipping = false;
  #opaque = false;
  #carried = false;
  /** Requests of a sender that went to servers before the present upstream's. */
  #sentBefore = 0;
  #clientEnded = false;
  #upstreamFull = false;
  /** The upstream was told to end, because its server was replaced or a page takes its place. */
  #leaving = false;
  /** A page was sent as the last thing on this connection. */
  #saidGoodbye = false;
  /** The client has closed, or its last answer is a page. */
  #over = false;
  /** Something came from the upstream since this was last looked at. */
  #heard = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket, port: ClientPort, relay: Relay, traits: ConnectionTraits = {}) {
    this.#client = client;
    this.#port = port;
    this.#relay = relay;
    this.#traits = traits;
    client.on("data", (bytes: Buffer) => this.#onClientBytes(bytes));
    client.on("end", () => this.#onClientEnd());
    client.on("drain", () => this.#upstream?.resume());
    client.on("error", (error: NodeJS.ErrnoException) => {
      // Of a socket. Ends within this process have no resets.
      if (BROKEN_OFF.has(error.code ?? "") && error.syscall !== undefined) this.#upstream?.breakOff();
    });
    client.on("close", () => this.#onClientClose());
    // The app's server shall know of the connection before it sends anything: it may time it out, or speak first. A
    // raw connection is a request as a whole, so it passes the gate like one; and a session begins with a certificate and
    // settings, which are the newest code's as well.
    if (port.kind !== "http") this.#enterTurn();
    else this.#attach();
  }

  /** A request has begun or waits; long-lived opaque connections are not counted. */
  get inFlight(): boolean {
    if (this.#saidGoodbye) return false;
    if (this.#held || this.#waiting.length > 0) return true;
    if (this.#upstream === undefined || this.#isOpaque()) return false;
    return !this.#upstream.flushed || this.#hasUnstarted();
  }

  get opaque(): boolean {
    return this.#opaque;
  }

  /** What the worker of `epoch` has begun on this connection. */
  useOf(epoch: number): "request" | "socket" | undefined {
    const upstream = this.#upstream;
    if (upstream?.server.epoch !== epoch || upstream.ended) return undefined;
    if (this.#isOpaque()) return "socket";
    return !upstream.flushed || (!upstream.moved && this.#hasUnstarted()) ? "request" : undefined;
  }

  /** A request of this connection has been begun by the worker of `epoch`, which may be dead, and has not left it whole. */
  hasBegunAt(epoch: number): boolean {
    const upstream = this.#upstream;
    return upstream?.server.epoch === epoch && !this.#isOpaque() && upstream.seen && !upstream.flushed;
  }

  /** Something changed that a held request may wait for. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** The death of the worker is known: begun requests that waited for the reason get their page. */
  workerDied(epoch: number, page: OwnPage): void {
    if (this.#client.destroyed || this.#held) return;
    if (this.#upstream?.server.epoch !== epoch || !this.#upstream.ended) return;
    if (this.#upstream.closedOnPurpose === STILL_OPEN) this.#answerWith(page);
  }

  /**
   * Another worker has the port, or none has it: what its upstream's worker has begun goes on there, everything else goes to
   * the next server.
   */
  serverChanged(): void {
    const upstream = this.#upstream;
    const server = this.#server();
    if (upstream === undefined || upstream.moved || upstream.server.epoch === server?.epoch) return;
    upstream.move();
    this.#relay.movers.add(this);
  }

  /** The worker of `epoch` is about to end, with its sessions: it refuses what waits in them, so that it is sent again. */
  refuseIn(epoch: number): void {
    const upstream = this.#upstream;
    if (upstream?.server.epoch !== epoch || upstream.ended || upstream.moved || this.#isOpaque()) return;
    if (!isSession(upstream.server.kind) || !upstream.seen || this.#waiting.length === 0) return;
    upstream.move();
    this.#pass();
  }

  move(): boolean {
    const upstream = this.#upstream;
    if (this.#client.destroyed || upstream === undefined || upstream.ended || this.#isOpaque()) return true;
    if (!upstream.moved || this.#leaving) return true;
    if (!upstream.idle) return false;
    const { kind } = upstream.server;
    // What a client has sent within a session, only the worker of the session can refuse.
    if (isSession(kind) && kind === this.#port.kind && upstream.seen && this.#waiting.length > 0) return false;
    if (kind !== this.#port.kind) this.#client.destroySoon();
    else if (kind === "raw" || (!upstream.seen && this.#relay.abandoned(upstream.server.epoch))) this.#requeue();
    else if (kind === "http") this.#leave();
    // A session cannot move: its worker says goodbye in it.
    else upstream.end();
    return true;
  }

  /** The worker of `epoch` is given up: what it has begun gets `page`, or is cut. */
  giveUp(epoch: number, page: OwnPage): void {
    const upstream = this.#upstream;
    if (upstream?.server.epoch !== epoch || this.#client.destroyed || upstream.ended) return;
    if (this.#isOpaque()) this.#client.destroySoon();
    else if (upstream.flushed) this.serverChanged();
    else if (upstream.server.kind !== "http" || this.#answeredPartly()) resetAtOnce(this.#client);
    else this.#answerWith(page);
  }

  /** The worker of `epoch` is blocked: what it has begun, or was sent, is answered without it, or cut; the rest can wait. */
  blocked(epoch: number, page: OwnPage): void {
    const upstream = this.#upstream;
    if (upstream?.server.epoch !== epoch || this.#client.destroyed || upstream.ended || this.#isOpaque()) return;
    if (upstream.flushed && !this.#hasUnstarted()) return;
    if (upstream.server.kind !== "http" || this.#answeredPartly()) resetAtOnce(this.#client);
    else this.#answerWith(page);
  }

  /** A server that had refused a connection listens again. */
  serverIsBack(server: AppServer): void {
    if (this.#dying !== server) return;
    this.#dying = undefined;
    this.wake();
  }

  /** Another port has taken the place of the one it came in on. */
  moveTo(port: ClientPort): void {
    this.#port = port;
  }

  /** No server will be adopted any more. */
  portClosed(): void {
    if (this.#upstream === undefined || this.#isDeserted(this.#upstream)) this.#client.destroySoon();
    else this.wake();
  }

  /** A session has outlived the code of its server, and nothing that was begun in it is under way. */
  #isDeserted(upstream: Upstream): boolean {
    return this.#port.givenUp && upstream.idle && !this.#isOpaque();
  }

  /** Ends the connection after what was written so far. */
  end(): void {
    this.#client.destroySoon();
  }

  destroy(): void {
    this.#client.destroy();
  }

  // ---- from the client

  #onClientBytes(bytes: Buffer): void {
    if (this.#over) return;
    if (this.#skipping) {
      this.#skip(bytes);
      return;
    }
    if (this.#opaque && this.#upstream !== undefined && this.#waiting.length === 0) {
      this.#send(bytes, this.#upstream);
      return;
    }
    this.#wait(bytes);
  }

  /** The rest of a request that was answered early, by a server that is gone: nobody wants it. */
  #skip(bytes: Buffer): void {
    const rest = this.#sent.skip(bytes);
    this.#skipping = this.#sent.cut;
    if (rest.length > 0) this.#wait(rest);
  }

  #wait(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#resizeWaiting(this.#waitingSize + bytes.length);
    if (this.#relay.held.has(this) && this.#relay.held.refuseWhenFull(this)) return;
    if (this.#waitingSize > WAITING_BYTES) this.#client.pause();
    this.#enterTurn();
  }

  #resizeWaiting(size: number): void {
    this.#relay.held.resize(size - this.#waitingSize);
    this.#waitingSize = size;
  }

  /** Answers a request that waits with a page. */
  refuseHeld(page: OwnPage): void {
    if (this.#client.destroyed || this.#over) return;
    this.#answerWith(page);
  }

  #enterTurn(): void {
    if (this.#inTurn || this.#held) return;
    this.#inTurn = true;
    this.#relay.turn.add(this);
  }

  afterTurn(): void {
    this.#inTurn = false;
    if (this.#held || this.#over) return;
    if (!this.#mayBeginRequest()) {
      this.#pass();
      return;
    }
    if (this.#hasUnstarted()) {
      if (this.#mayContinue()) this.#pass();
      else void this.#awaitBegin();
      return;
    }
    if (this.#traits.once && this.#hasCarried()) {
      this.#client.destroySoon();
      return;
    }
    const verdict = this.#askGate();
    if (verdict instanceof Promise || !this.#proceed(verdict)) void this.#hold(verdict);
  }

  /** What the app asks itself does not wait: what the gate waits for may wait for the answer. */
  #askGate(isAgain = false): Verdict | Promise<Verdict> {
    const verdict = this.#relay.gate.check(isAgain);
    if (!(verdict instanceof Promise)) return verdict;
    const own = this.#relay.ownEpoch(this.#client);
    if (own === undefined) return verdict;
    // A gate that fails is told to those who wait for it.
    verdict.catch(() => undefined);
    return own === "unknown" ? this.#askGateSoon() : PASS;
  }

  /** The worker is between two steps. */
  async #askGateSoon(): Promise<Verdict> {
    await new Promise((resolve) => setTimeout(resolve, OWN_POLL_MS));
    return this.#askGate(true);
  }

  #onClientEnd(): void {
    this.#clientEnded = true;
    if (this.#saidGoodbye) return;
    if (this.#held || this.#inTurn) return;
    if (this.#upstream === undefined) this.#client.end();
    else this.#upstream.end();
  }

  #onClientClose(): void {
    clearTimeout(this.#timer);
    this.#over = true;
    this.#resizeWaiting(0);
    this.#relay.held.remove(this);
    this.#upstream?.abandon();
    this.#upstream = undefined;
    this.#port.connections.delete(this);
    this.wake();
  }

  // ---- admission

  #mayBeginRequest(): boolean {
    if (this.#upstream === undefined || this.#leaving) return true;
    if (this.#isOpaque() || !this.#upstream.idle) return false;
    // An app may answer before it has the whole request: the rest of that one may still come.
    return this.#settle(this.#upstream);
  }

  /** A request on this connection has been begun by the app. */
  #hasCarried(): boolean {
    if (this.#upstream !== undefined && this.#upstream.started > 0) this.#carried = true;
    return this.#carried;
  }

  #isOpaque(): boolean {
    if (!this.#opaque && this.#upstream?.opaque) this.#opaque = true;
    return this.#opaque;
  }

  /** Does what the gate said; false when a server or a slot must be waited for. */
  #proceed(verdict: Verdict): boolean {
    if (verdict.type === "page" && !this.#isSaidByWorker()) {
      if (this.#port.kind === "http" && !this.#leave()) return false;
      this.#answerWith(verdict.page);
      return true;
    }
    if (!this.#attach()) return false;
    this.#pass();
    return true;
  }

  /** Within a session only its worker can speak, which has been told what to say. */
  #isSaidByWorker(): boolean {
    const { kind, server } = this.#port;
    if (kind === "http" || kind === "raw" || server === undefined) return false;
    return Atomics.load(this.#relay.table, SAID) !== 0;
  }

  /** Asks the gate until the request may proceed. Bytes that come meanwhile wait behind it. */
  async #hold(first: Verdict | Promise<Verdict>): Promise<void> {
    const { held } = this.#relay;
    held.add(this);
    if (held.refuseWhenFull(this)) return;
    try {
      await this.#holdUntilPassed(first);
    } finally {
      held.remove(this);
    }
  }

  async #holdUntilPassed(first: Verdict | Promise<Verdict>): Promise<void> {
    this.#held = true;
    let verdict = first;
    for (;;) {
      const settled = await settle(verdict);
      if (this.#over) return;
      this.#held = false;
      if (this.#proceed(settled)) return;
      this.#held = true;
      await this.#nextChange();
      if (this.#over) return;
      if (this.#waiting.length === 0 && this.#port.kind === "http") {
        // What waited belonged to the request before.
        this.#held = false;
        if (this.#clientEnded) this.#onClientEnd();
        return;
      }
      verdict = this.#askGate(true);
    }
  }

  /**
   * Whether more bytes of a request that has passed the gate may be sent before the app begins it. Not to a server that
   * was replaced: it lets the connection go. And not more than can be sent again.
   */
  #mayContinue(): boolean {
    const server = this.#server();
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.ended) return false;
    if (this.#sent.size + this.#waitingSize > REPLAY_LIMIT) return false;
    return upstream.server === server || upstream.server.kind !== "http" || this.#port.closed;
  }

  /** Waits until the app begins the request, or the request was taken back from its server. */
  async #awaitBegin(): Promise<void> {
    this.#held = true;
    for (;;) {
      await this.#nextChange(BEGIN_POLL_MS);
      if (this.#over) return;
      if (this.#upstream === undefined || !this.#hasUnstarted() || this.#mayContinue()) break;
    }
    this.#held = false;
    if (this.#waiting.length > 0) this.#enterTurn();
    else if (this.#clientEnded) this.#onClientEnd();
  }

  /** Resolves with the next `wake()`, or after `timeoutMs`. */
  #nextChange(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.wake(), timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Where its requests go. */
  #server(): AppServer | undefined {
    return this.#relay.lentServer(this.#port, this.#client) ?? this.#port.server;
  }

  /** Connects to the port's present server; false when there is none, no slot is free, or the old one is not left yet. */
  #attach(): boolean {
    const server = this.#server();
    if (server === undefined && this.#port.closed) return this.#stayAfterClose();
    if (server === undefined || server === this.#dying) return false;
    if (this.#upstream !== undefined && this.#staysWith(this.#upstream, server)) return true;
    if (this.#upstream !== undefined && this.#upstream.server.kind !== server.kind) this.#client.destroySoon();
    if (!this.#leave()) return false;
    if (this.#client.destroyed) return true;
    const slot = this.#relay.leases.acquire(server.epoch);
    if (slot === undefined) {
      this.#relay.leases.whenFree(() => this.wake());
      return false;
    }
    this.#startedBefore = 0;
    this.#answered = false;
    this.#upstream = new Upstream(server, slot, this.#client, this.#relay.table, this.#relay.leases, this);
    this.#opaque = false;
    this.#sentBefore = Math.max(0, (this.#traits.sender?.requests ?? 0) - 1);
    return true;
  }

  /** A server that the app closed goes on with the connections it has. */
  #stayAfterClose(): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.ended || this.#isDeserted(upstream)) this.#client.destroySoon();
    return true;
  }

  #staysWith(upstream: Upstream, server: AppServer): boolean {
    if (this.#leaving || upstream.ended) return false;
    // A TLS or HTTP/2 session cannot move: within the worker its requests are handed to the new server, and another worker
    // does not get them.
    return upstream.server === server || upstream.server.kind !== "http";
  }

  /**
   * Lets go of the upstream before a new request; true once it is gone. It is ended and read to its end, because bytes of
   * the answer before may still be on their way.
   */
  #leave(): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined) return true;
    if (upstream.ended) {
      this.#drop();
      return true;
    }
    if (!this.#leaving) {
      this.#leaving = true;
      upstream.end();
      this.#startTimer(LEAVE_MS, () => this.#onLeaveTimeout(upstream));
      if (this.#relay.abandoned(upstream.server.epoch)) this.#leaveWhenQuiet(upstream, QUIET_TURNS);
    }
    return false;
  }

  /** The bytes of an answer may take longer, when the client is slow to read them. */
  #onLeaveTimeout(upstream: Upstream): void {
    const busy = this.#heard || !upstream.flushed || this.#client.writableNeedDrain;
    this.#heard = false;
    if (busy) this.#startTimer(LEAVE_MS, () => this.#onLeaveTimeout(upstream));
    else this.#detach();
  }

  /** A worker that does not answer will not end its side either. What it has sent is in the kernel already. */
  #leaveWhenQuiet(upstream: Upstream, turns: number): void {
    setImmediate(() => {
      if (this.#upstream !== upstream || !this.#leaving) return;
      const busy = this.#heard || !upstream.flushed || this.#client.writableNeedDrain;
      this.#heard = false;
      // With an answer under way the end of the thread, or the time, is waited for.
      if (!busy && turns <= 1) this.#detach();
      else if (!busy || !this.#client.writableNeedDrain) this.#leaveWhenQuiet(upstream, busy ? QUIET_TURNS : turns - 1);
    });
  }

  #pass(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    const waiting = this.#waiting;
    let sent = 0;
    let size = this.#waitingSize;
    for (const bytes of waiting) {
      if (!this.#remember(bytes, upstream)) break;
      this.#send(bytes, upstream);
      size -= bytes.length;
      sent++;
    }
    this.#resizeWaiting(size);
    if (sent === waiting.length) waiting.length = 0;
    else waiting.splice(0, sent);
    this.#resumeClient();
    if (waiting.length > 0) void this.#awaitBegin();
    else if (this.#clientEnded) upstream.end();
  }

  #send(bytes: Buffer, upstream: Upstream): void {
    if (upstream.write(bytes) || this.#upstreamFull) return;
    this.#upstreamFull = true;
    this.#client.pause();
  }

  // ---- the request that is kept until its answer begins

  /** Keeps bytes that are about to be sent; false when they must wait until the app has begun the request. */
  #remember(bytes: Buffer, upstream: Upstream): boolean {
    if (this.#opaque) return true;
    if (upstream.server.kind === "http") return this.#sent.add(bytes, upstream.started - this.#startedBefore);
    // Within a session nothing is known of where requests begin.
    if (upstream.started === 0) return this.#sent.add(bytes, 0);
    this.#sent.reset();
    return true;
  }

  /** The upstream is idle: nothing of what it has answered is kept. False when a request that it has answered goes on. */
  #settle(upstream: Upstream): boolean {
    if (upstream.server.kind !== "http") return true;
    const { started } = upstream;
    if (started === this.#startedBefore) return !this.#sent.cut;
    const whole = this.#sent.settle(started - this.#startedBefore);
    this.#startedBefore = started;
    this.#answered = false;
    return whole;
  }

  /** Bytes were sent that belong to no begun request. */
  #hasUnstarted(): boolean {
    if (this.#opaque || this.#sent.size === 0 || this.#sent.cut) return false;
    return this.#upstream?.started === this.#startedBefore;
  }

  // ---- from the app

  received(bytes: Buffer): boolean {
    this.#heard = true;
    if (!this.#answered) {
      this.#answered = true;
      this.#replays = 0;
    }
    const upstream = this.#upstream;
    if (this.#sent.size > SETTLE_BYTES && upstream?.idle && !this.#isOpaque()) this.#settle(upstream);
    return this.#client.write(Buffer.from(bytes));
  }

  drained(): void {
    if (!this.#upstreamFull) return;
    this.#upstreamFull = false;
    this.#resumeClient();
  }

  /** Reads on, unless something still waits for its turn. */
  #resumeClient(): void {
    if (this.#waitingSize <= WAITING_BYTES && !this.#upstreamFull && this.#client.isPaused()) this.#client.resume();
  }

  ended(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    const purpose = upstream.closedOnPurpose;
    if (purpose === STILL_OPEN && !this.#leaving) this.#avoid(upstream.server, !upstream.seen);
    const fate = fateOf({
      purpose,
      kind: upstream.server.kind,
      leaving: this.#leaving,
      moved: upstream.moved,
      seen: upstream.seen,
      opaque: this.#isOpaque(),
      flushed: upstream.flushed,
      answeredPartly: this.#answeredPartly(),
      unstarted: this.#hasUnstarted(),
      senderLost: purpose !== STILL_OPEN && purpose !== LET_GO && this.#senderLost(upstream),
    });
    switch (fate) {
      case "detach":
        // A session, or a raw connection, that was not begun: the server may be the one that speaks first.
        if (upstream.server.kind !== "http" && !this.#leaving) this.#requeue();
        else this.#detach();
        break;
      case "sendAgain":
        this.#sendAgain(upstream);
        break;
      case "end":
        this.#client.end();
        this.#startTimer(CLOSE_CHECK_MS, () => {
          if (upstream.closedOnPurpose !== ENDED) this.#sayGoodbye();
        });
        break;
      case "close":
        this.#sayGoodbye();
        break;
      case "reset":
        if (purpose === STILL_OPEN) resetAtOnce(this.#client);
        else this.#client.resetAndDestroy();
        break;
      case "deathPage":
        this.#reportDeath(upstream);
        break;
      default:
        fate satisfies never;
    }
  }

  /** The app closed a connection that it found idle, which to a sender is not its client's: its request is not begun. */
  #senderLost(upstream: Upstream): boolean {
    const { sender } = this.#traits;
    if (sender === undefined || (!this.#hasUnstarted() && this.#waiting.length === 0)) return false;
    return upstream.started < sender.requests - this.#sentBefore;
  }

  lacksDescriptor(code: string): void {
    this.#relay.lack.met(code);
  }

  refused(): void {
    const server = this.#upstream?.server;
    this.#avoid(server);
    if (server !== undefined) this.#relay.unreachable(server);
    if (this.#hasUnstarted() && !this.#leaving) this.#requeue();
    else this.#detach();
  }

  /** Answers with the reason of the worker's death, which may be known only a little later. */
  #reportDeath(upstream: Upstream): void {
    const page = this.#relay.deathPage(upstream.server.epoch);
    if (page !== undefined) this.#answerWith(page);
    else this.#startTimer(DEATH_REASON_MS, () => this.#answerWith(UNKNOWN_DEATH));
  }

  /**
   * Waits for another server than this one, unless it turns out to live on. `untaken`: it had not taken the connection, as
   * when the worker has no descriptor for it; then Node accepts and closes all that wait, without a word.
   */
  #avoid(server: AppServer | undefined, untaken = false): void {
    this.#dying = server;
    setTimeout(() => {
      if (this.#dying !== server) return;
      this.#dying = undefined;
      if (untaken && server !== undefined && server === this.#port.server) this.#relay.lack.met("EMFILE");
      this.wake();
    }, DEATH_REASON_MS).unref();
  }

  /** A worker died before it began the request: it is sent to the next one, unless it seems to kill them all. */
  #sendAgain(upstream: Upstream): void {
    this.#replays++;
    if (this.#replays > MAX_REPLAYS) this.#reportDeath(upstream);
    else this.#requeue();
  }

  /** The connection, or its request, was not begun: it goes to the next server, past the gate again. */
  #requeue(): void {
    this.#drop();
    this.#enterTurn();
    this.wake();
  }

  /** The upstream is gone and the client stays; its next request finds the present server. */
  #detach(): void {
    this.#drop();
    if (this.#waiting.length > 0) this.#enterTurn();
    else if (this.#clientEnded && !this.#held) this.#client.end();
    this.wake();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#leaving = false;
    this.#hasCarried();
    const upstream = this.#upstream;
    if (upstream !== undefined) this.#takeBack(upstream);
    upstream?.abandon();
    this.#upstream = undefined;
    this.#upstreamFull = false;
    this.#resumeClient();
  }

  /** What the app has not begun waits again, before what waits already. */
  #takeBack(upstream: Upstream): void {
    if (this.#isOpaque()) this.#sent.reset();
    const begun = upstream.server.kind === "http" ? upstream.started - this.#startedBefore : 0;
    const rest = this.#sent.takeRest(begun);
    const behind = this.#sent.cut ? this.#waiting.map((bytes) => this.#sent.skip(bytes)) : this.#waiting;
    this.#skipping = this.#sent.cut;
    this.#waiting = [...rest, ...behind].filter(({ length }) => length > 0);
    this.#resizeWaiting(this.#waiting.reduce((size, { length }) => size + length, 0));
  }

  /** Hands the client to the supervisor's own pages, or closes it when nothing can be said on it. */
  #answerWith(page: OwnPage): void {
    const client = this.#client;
    const upstream = this.#upstream;
    const kind = upstream?.server.kind ?? this.#port.kind;
    const cut = this.#answeredPartly();
    const sayable = kind === "http" && !this.#isOpaque() && !cut;
    /** Requests that the app has answered, and that are not to be answered again. */
    const answers = upstream === undefined ? 0 : upstream.answers - this.#startedBefore;
    const complete = this.#sent.holds(answers) && !this.#clientEnded;
    const received = sayable && complete ? [...this.#sent.takeRest(answers), ...this.#waiting] : [];
    this.#waiting = [];
    this.#drop();
    this.#waiting = [];
    this.#resizeWaiting(0);
    this.#over = true;
    // Whoever waits for something sees that it is over.
    this.wake();
    if (this.#traits.sender !== undefined) {
      if (sayable) this.#traits.sender.refuse(page);
      client.destroy();
      return;
    }
    if (!sayable) {
      if (cut) resetAtOnce(client);
      else client.destroy();
      return;
    }
    if (!complete) {
      client.write(OwnPages.raw(page));
      this.#sayGoodbye();
      return;
    }
    this.#port.connections.delete(this);
    client.removeAllListeners();
    client.on("error", ignoreClientError);
    this.#relay.pages.serve(client, received, page);
  }

  /**
   * Closes the client's connection after what was written. What it still sends is read for a while: closing on unread bytes
   * would reset the connection, perhaps before the client has the answer.
   */
  #sayGoodbye(): void {
    const client = this.#client;
    this.#saidGoodbye = true;
    this.#over = true;
    if (this.#clientEnded) {
      client.destroySoon();
      return;
    }
    client.end();
    client.resume().once("end", () => client.destroySoon());
    this.#startTimer(GOODBYE_MS, () => this.#onGoodbyeTimeout());
  }

  #onGoodbyeTimeout(): void {
    // A client that is slow to read has not got everything yet.
    if (this.#client.writableFinished) this.#client.destroy();
    else this.#client.once("finish", () => this.#client.destroy());
  }

  #answeredPartly(): boolean {
    return this.#answered && this.#upstream?.cutOff === true;
  }

  #startTimer(ms: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, ms);
    this.#timer.unref();
  }
}

const UNKNOWN_DEATH: OwnPage = {
  status: 502,
  text: "The app's worker ended before it answered this request. A fresh worker follows; send the request again.\n",
};

/** A gate that fails must not take the front with it: the client is told. */
async function settle(verdict: Verdict | Promise<Verdict>): Promise<Verdict> {
  try {
    return await verdict;
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { type: "page", page: { status: 500, text: `unreloader could not check for changes: ${reason}\n` } };
  }
}

/** What is said on a connection has its meaning only within the worker that it began in. */
function isSession(kind: ServerKind): boolean {
  return kind !== "http" && kind !== "raw";
}

/** A client that breaks off is closed by Node, and `close` follows. */
function ignoreClientError(): void {}
