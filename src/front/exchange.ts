/**
 * A client's requests as they stand with the app: the connection to a server of it that they go to now, what was sent on it
 * and may have to be sent again, and what the worker's counters say of that. Bytes are not parsed unless they have to be.
 */
import { LET_GO, STILL_OPEN } from "../common/protocol/connection-table.js";
import type { RequestSender } from "./relay.js";
import { ReplayBuffer } from "./replay-buffer.js";
import type { Upstream } from "./upstream.js";
import type { EndedUpstream } from "./upstream-fate.js";

export class Exchange {
  #upstream: Upstream | undefined;
  /** Bytes that were sent upstream, as far as the app has not begun their requests. */
  readonly #kept = new ReplayBuffer();
  /** Requests on this upstream that the app had begun at the last moment when it was idle. */
  #startedBefore = 0;
  /** A request was answered early by a server that is gone: the rest of it is thrown away. */
  #skipping = false;
  #carried = false;
  readonly #sender: RequestSender | undefined;
  /** Requests of the sender that went to servers before the present upstream's. */
  #sentBefore = 0;

  constructor(sender: RequestSender | undefined) {
    this.#sender = sender;
  }

  get upstream(): Upstream | undefined {
    return this.#upstream;
  }

  /** The bytes are no requests, and will not be again on this upstream. */
  get opaque(): boolean {
    return this.#upstream?.opaque === true;
  }

  get skipping(): boolean {
    return this.#skipping;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** A request has begun or was sent; long-lived opaque connections are not counted. */
  get inFlight(): boolean {
    if (this.#upstream === undefined || this.opaque) return false;
    return !this.#upstream.flushed || this.unstarted;
  }

  /** Bytes were sent that belong to no begun request. */
  get unstarted(): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined || this.#kept.size === 0) return false;
    // They may stand behind requests that it has answered. (The order counts: it may be about to begin one.)
    const { answers, started } = upstream;
    if (answers === started && !upstream.opaque) this.dropAnswered(upstream, answers);
    return this.#kept.size > 0 && !this.#kept.cut && upstream.started === this.#startedBefore;
  }

  /** Bytes have come of an answer that is not whole. */
  get answeredPartly(): boolean {
    return this.#upstream?.cutOff === true;
  }

  /** A request on this client's connection has been begun by the app. */
  get carried(): boolean {
    if (this.#upstream !== undefined && this.#upstream.started > 0) this.#carried = true;
    return this.#carried;
  }

  /** The upstream, if it is one to the worker of `epoch` that goes on. */
  upstreamOf(epoch: number): Upstream | undefined {
    return this.#upstream?.server.epoch === epoch && !this.#upstream.ended ? this.#upstream : undefined;
  }

  /** What the worker of `epoch` has begun. */
  useOf(epoch: number): "request" | "socket" | undefined {
    const upstream = this.upstreamOf(epoch);
    if (upstream === undefined) return undefined;
    if (this.opaque) return "socket";
    return !upstream.flushed || (!upstream.moved && this.unstarted) ? "request" : undefined;
  }

  /** A request has been begun by the worker of `epoch`, which may be dead, and has not left it whole. */
  hasBegunAt(epoch: number): boolean {
    const upstream = this.#upstream;
    return upstream?.server.epoch === epoch && !this.opaque && upstream.seen && !upstream.flushed;
  }

  /** What is sent from now on goes to `upstream`. */
  begin(upstream: Upstream): void {
    this.#upstream = upstream;
    this.#startedBefore = 0;
    this.#sentBefore = Math.max(0, (this.#sender?.requests ?? 0) - 1);
  }

  /** What is to be known of the end of the upstream. `hasWaiting`: bytes of the client have not been sent yet. */
  endOf(upstream: Upstream, leaving: boolean, hasWaiting: boolean): EndedUpstream {
    const purpose = upstream.closedOnPurpose;
    return {
      purpose,
      kind: upstream.server.kind,
      leaving,
      moved: upstream.moved,
      seen: upstream.seen,
      opaque: this.opaque,
      flushed: upstream.flushed,
      answeredPartly: this.answeredPartly,
      unstarted: this.unstarted,
      senderLost: purpose !== STILL_OPEN && purpose !== LET_GO && this.#senderLost(upstream, hasWaiting),
    };
  }

  /** The app closed a connection that it found idle, which to a sender is not its client's: its request is not begun. */
  #senderLost({ started }: Upstream, hasWaiting: boolean): boolean {
    if (this.#sender === undefined || (!this.unstarted && !hasWaiting)) return false;
    return started < this.#sender.requests - this.#sentBefore;
  }

  /** The client has gone: nothing of it is sent again. */
  close(): void {
    this.#upstream?.abandon();
    this.#upstream = undefined;
  }

  /**
   * Ends the connection to the app. What the app has not begun is to be sent again, before what waits already. Returns what
   * waits then.
   */
  end(waiting: readonly Buffer[]): readonly Buffer[] {
    const upstream = this.#upstream;
    if (upstream === undefined) return waiting;
    if (this.opaque) this.#kept.reset();
    const rest = this.#kept.takeRest(upstream.server.kind === "http" ? upstream.started - this.#startedBefore : 0);
    this.#skipping = this.#kept.cut;
    this.#carried = this.carried;
    upstream.abandon();
    this.#upstream = undefined;
    return [...rest, ...(this.#skipping ? waiting.map((bytes) => this.skip(bytes)) : waiting)];
  }

  /** Keeps bytes that are about to be sent; false when they must wait until the app has begun the request. */
  add(bytes: Buffer, upstream: Upstream): boolean {
    if (upstream.opaque) return true;
    if (upstream.server.kind === "http") return this.#kept.add(bytes, upstream.started - this.#startedBefore);
    // Within a session nothing is known of where requests begin.
    if (upstream.started === 0) return this.#kept.add(bytes, 0);
    this.#kept.reset();
    return true;
  }

  /**
   * The upstream is idle, or was: nothing of the first `answers` requests that it has answered is kept. False when one of
   * them goes on.
   */
  dropAnswered({ server, finished }: Upstream, answers = finished): boolean {
    if (server.kind !== "http") return true;
    if (answers === this.#startedBefore) return !this.#kept.cut;
    const whole = this.#kept.dropAnswered(answers - this.#startedBefore);
    this.#startedBefore = answers;
    return whole;
  }

  /** What belongs to requests that the app has not answered, taken out; undefined when that is not kept whole. */
  takeUnanswered(): Buffer[] | undefined {
    const answers = this.#upstream === undefined ? 0 : this.#upstream.answers - this.#startedBefore;
    return this.#kept.holds(answers) ? this.#kept.takeRest(answers) : undefined;
  }

  /** What is left of `bytes` after the request that was answered early. */
  skip(bytes: Buffer): Buffer {
    const rest = this.#kept.skip(bytes);
    this.#skipping = this.#kept.cut;
    return rest;
  }
}
