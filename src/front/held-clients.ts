/**
 * Clients whose request waits for the gate, a server or a slot: how long each may wait, and how many bytes all of them may
 * keep in memory. Who waits too long, or comes when there are too many bytes, is told what it has waited for.
 */
import { UnreloaderError } from "../common/errors.js";
import { serializeError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "../pages/own-page.js";

export interface HeldClient {
  /** It is not held any longer: `page` is its answer. */
  refuseHeld(page: OwnPage): void;
}

export interface HeldOptions {
  /** Milliseconds that a request may be held. */
  readonly deadlineMs: number;
  /** Bytes that all held requests may have together. */
  readonly bytes: number;
  /** What requests wait for now, to follow "it waits for "; undefined: nothing that anybody could name. */
  waitingFor(): string | undefined;
}

/** Thousands may wait: they are looked through this often at the most, in milliseconds. */
const LEAST_MS = 20;

export class HeldClients {
  readonly #options: HeldOptions;
  /** Client -> when it began to wait, on the clock of `performance.now()`. */
  readonly #since = new Map<HeldClient, number>();
  /** The same, also while it is not held for a moment: until the app answers it, it waits for one and the same thing. */
  readonly #unansweredSince = new WeakMap<HeldClient, number>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeldOptions) {
    this.#options = options;
  }

  /** Requests that wait. */
  get size(): number {
    return this.#since.size;
  }

  /** Bytes of requests that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get deadlineMs(): number {
    return this.#options.deadlineMs;
  }

  add(client: HeldClient): void {
    const { deadlineMs } = this.#options;
    const since = this.#firstTime(client);
    this.#since.set(client, since);
    const leftMs = since + deadlineMs - performance.now();
    // The timer is for one that began to wait after this one did.
    if (leftMs < deadlineMs - LEAST_MS) this.#stopTimer();
    this.#timer ??= this.#start(leftMs);
  }

  /** Whether `client`, which is not held but finds no way to the app, may go on trying. */
  mayTry(client: HeldClient): boolean {
    return performance.now() - this.#firstTime(client) < this.#options.deadlineMs;
  }

  /** The app answers the client: what it waits for later is something else. */
  answered(client: HeldClient): void {
    this.#unansweredSince.delete(client);
  }

  /** Whether `client` waits, and has not been refused. */
  has(client: HeldClient): boolean {
    return this.#since.has(client);
  }

  remove(client: HeldClient): void {
    this.#since.delete(client);
  }

  /** A request that waits has grown by `bytes`, or less than 0 when it went on. */
  resize(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Refuses `client` when there is no room for it; true when it did. */
  refuseWhenFull(client: HeldClient): boolean {
    if (this.#bytes <= this.#options.bytes || !this.#since.delete(client)) return false;
    client.refuseHeld(this.pageWhenFull());
    return true;
  }

  /** `reason`: what it has waited for; else it is asked for. */
  pageAfterDeadline(reason?: string): OwnPage {
    const seconds = Math.round(this.#options.deadlineMs / 100) / 10;
    return this.#page(`unreloader has held this request for ${seconds} s and gives up`, reason);
  }

  pageWhenFull(): OwnPage {
    const kib = Math.floor(this.#options.bytes / 1024);
    return this.#page(`unreloader holds ${kib} KiB of requests already and has no room for this one (--held-bytes)`);
  }

  close(): void {
    this.#stopTimer();
    this.#since.clear();
  }

  #firstTime(client: HeldClient): number {
    const known = this.#unansweredSince.get(client);
    if (known !== undefined) return known;
    const now = performance.now();
    this.#unansweredSince.set(client, now);
    return now;
  }

  #page(what: string, reason = this.#options.waitingFor()): OwnPage {
    const message = `${what}: it waits for ${reason ?? "the app's new code, which is not loaded yet"}`;
    // Where it was noticed says nothing about the app.
    const error = { ...serializeError(new UnreloaderError("ERR_UNRELOADER_HELD", message)), stack: undefined };
    return { status: 503, text: `${message}.\nNothing of it has reached the app: send it again.\n`, error };
  }

  #start(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#onTimeout(), Math.max(LEAST_MS, ms)).unref();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #onTimeout(): void {
    this.#timer = undefined;
    const { deadlineMs } = this.#options;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [client, since] of this.#since) {
      const leftMs = since + deadlineMs - performance.now();
      if (leftMs > 0) {
        nextMs = Math.min(nextMs, leftMs);
        continue;
      }
      this.#since.delete(client);
      client.refuseHeld(this.pageAfterDeadline());
    }
    if (this.#since.size > 0) this.#timer = this.#start(nextMs);
  }
}
