/**
 * Clients whose request waits for the gate, a server or a slot: how long each may wait, and how many bytes all of them may
 * keep in memory. Who waits too long, or comes when there are too many bytes, is told what it has waited for.
 */
import { UnreloaderError } from "../common/errors.js";
import { serializeError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "./own-pages.js";

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

export class HeldClients {
  readonly #options: HeldOptions;
  /** Client -> when it began to wait, on the clock of `performance.now()`; in this order, as all wait equally long. */
  readonly #since = new Map<HeldClient, number>();
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
    this.#since.set(client, performance.now());
    this.#timer ??= this.#start(this.#options.deadlineMs);
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

  pageAfterDeadline(): OwnPage {
    const seconds = Math.round(this.#options.deadlineMs / 100) / 10;
    return this.#page(`unreloader has held this request for ${seconds} s and gives up`);
  }

  pageWhenFull(): OwnPage {
    const kib = Math.floor(this.#options.bytes / 1024);
    return this.#page(`unreloader holds ${kib} KiB of requests already and has no room for this one (--held-bytes)`);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#since.clear();
  }

  #page(what: string): OwnPage {
    const reason = this.#options.waitingFor() ?? "the app's new code, which is not loaded yet";
    const message = `${what}: it waits for ${reason}`;
    const error = serializeError(new UnreloaderError("ERR_UNRELOADER_HELD", message));
    return { status: 503, text: `${message}.\nNothing of it has reached the app: send it again.\n`, error };
  }

  #start(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#onTimeout(), Math.max(1, ms)).unref();
  }

  #onTimeout(): void {
    this.#timer = undefined;
    const { deadlineMs } = this.#options;
    for (const [client, since] of this.#since) {
      const left = since + deadlineMs - performance.now();
      if (left > 0) {
        this.#timer = this.#start(left);
        return;
      }
      this.#since.delete(client);
      client.refuseHeld(this.pageAfterDeadline());
    }
  }
}
