/** Requests that the app has begun and not answered yet, and the wait until there are none that a reload waits for. */
import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { OLD_REQUEST_DRAIN_MS, OLD_REQUEST_MS } from "../../src/common/deadlines.js";
import { sentHead } from "./node-internals.js";

/** A request under way: an HTTP response or an HTTP/2 stream. */
export interface RequestInFlight<Connection extends object = object> {
  /** The connection it came on. */
  readonly connection: Connection;
  /** Value of the clock when the request began, in milliseconds. */
  readonly since: number;
  /** The response headers are on their way. */
  readonly headersSent: boolean;
  contentType(): string | undefined;
  /** `GET /path`; absent: it has no such name. */
  label?(): string | undefined;
  /** When it began, in milliseconds since 1970. */
  readonly began?: number;
  /** Of the answer; undefined while there is none, and for what is no answer. */
  status?(): number | undefined;
  /** The same with the query; undefined for what changes something, and for what has no such name. */
  asked?(): string | undefined;
}

/** An answer that has been streaming this long is not waited for. */
export const LONG_STREAM_MS = 1000;
const RECHECK_MS = 50;

/** Whether a drain waits for a request: not for event streams and not for answers that have been streaming for long. */
export function isAwaited(request: RequestInFlight, now: number): boolean {
  if (!request.headersSent) return true;
  if (now - request.since >= LONG_STREAM_MS) return false;
  return !(request.contentType() ?? "").toLowerCase().startsWith("text/event-stream");
}

export class InFlight {
  /** From the moment a request reaches the app until it is answered or its connection has closed. */
  readonly #requests = new Set<RequestInFlight>();
  readonly #clock: () => number;
  #waiters: (() => void)[] = [];
  /** Requests that have outlived a reload's drain: the reloads that follow do not wait for them again. */
  readonly #givenUp = new WeakSet<RequestInFlight>();

  /** `clock` in milliseconds; a coarse one will do. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#requests.size;
  }

  now(): number {
    return this.#clock();
  }

  /** When the oldest request began that is still in flight, streams included. */
  oldest(): number | undefined {
    // In order of their beginning.
    for (const { since } of this.#requests) return since;
    return undefined;
  }

  /** Whether a request is awaited that began at that time of the clock or later. */
  unansweredSince(time: number): boolean {
    const now = this.#clock();
    return [...this.#requests].some((request) => request.since >= time && isAwaited(request, now));
  }

  /** What somebody waits for in `drained`, oldest first; none when nobody does. `ageMs` in milliseconds. */
  drainedFor(): { label?: string; ageMs: number }[] {
    if (this.#waiters.length === 0) return [];
    const now = this.#clock();
    const awaited = [...this.#requests].filter((request) => isAwaited(request, now));
    return awaited.map((request) => {
      const label = request.label?.();
      return { ...(label !== undefined && { label }), ageMs: now - request.since };
    });
  }

  /** Before the app hears of it. */
  onBegin: (() => void) | undefined;
  /** It is answered, or its connection is closed. */
  onEnd: ((request: RequestInFlight) => void) | undefined;

  /** What the requests are for that change nothing. */
  asked(): string[] {
    return [...this.#requests].map((request) => request.asked?.() ?? "");
  }

  begin(request: RequestInFlight): void {
    this.#requests.add(request);
    this.onBegin?.();
  }

  end(request: RequestInFlight): void {
    if (!this.#requests.delete(request)) return;
    this.onEnd?.(request);
    if (this.#waiters.length > 0) this.#wake();
  }

  /** Something that is no request is in flight as well, until the returned function is called. */
  beginCall(): () => void {
    const call: RequestInFlight = {
      connection: {},
      since: this.now(),
      headersSent: false,
      contentType: () => undefined,
    };
    this.begin(call);
    return () => this.end(call);
  }

  /** Ends what was in flight on a connection that has closed. */
  endConnection(connection: object): void {
    for (const request of this.#requests) if (request.connection === connection) this.end(request);
  }

  /** Resolves when nothing is awaited any more, or after `deadlineMs`; with the number of requests still awaited. */
  drained(deadlineMs: number): Promise<number> {
    return this.#drained(deadlineMs, () => true);
  }

  /**
   * The same for a reload: what is old gets less time, and what has outlived a reload's drain is not waited for by the next.
   */
  async drainedForReload(deadlineMs: number): Promise<number> {
    const began = performance.now();
    const oldBefore = this.#clock() - OLD_REQUEST_MS;
    const left = await this.#drained(deadlineMs, (request) => {
      const isLate = request.since <= oldBefore && performance.now() - began >= OLD_REQUEST_DRAIN_MS;
      return !isLate && !this.#givenUp.has(request);
    });
    for (const request of this.#requests) this.#givenUp.add(request);
    return left;
  }

  async #drained(deadlineMs: number, counts: (request: RequestInFlight) => boolean): Promise<number> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const awaited = this.#awaited(counts);
      const left = deadline - performance.now();
      if (awaited === 0 || left <= 0) return awaited;
      // Streams stop being awaited by age alone, without an event: look again now and then.
      await this.#nextEnd(Math.min(left, RECHECK_MS));
    }
  }

  #awaited(counts: (request: RequestInFlight) => boolean): number {
    const now = this.#clock();
    let count = 0;
    for (const request of this.#requests) if (isAwaited(request, now) && counts(request)) count++;
    return count;
  }

  #nextEnd(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

abstract class CarriedRequest<Connection extends object, Carrier extends { readonly headersSent: boolean }>
  implements RequestInFlight<Connection>
{
  readonly connection: Connection;
  readonly since: number;
  readonly began = Date.now();
  protected readonly carrier: Carrier;

  constructor(connection: Connection, since: number, carrier: Carrier) {
    this.connection = connection;
    this.since = since;
    this.carrier = carrier;
  }

  get headersSent(): boolean {
    return this.carrier.headersSent;
  }

  abstract contentType(): string | undefined;
}

export class ResponseInFlight<Connection extends object> extends CarriedRequest<Connection, ServerResponse> {
  label(): string {
    const { method = "GET", url = "/" } = this.carrier.req;
    // A query may hold what nobody else shall read.
    return `${method} ${url.split("?", 1)[0]}`;
  }

  status(): number | undefined {
    return this.carrier.headersSent ? this.carrier.statusCode : undefined;
  }

  asked(): string | undefined {
    const { method, url = "/" } = this.carrier.req;
    return method === "GET" ? url : undefined;
  }

  contentType(): string | undefined {
    // Headers given to `writeHead()` alone are only in the text that was sent.
    return (
      asText(this.carrier.getHeader("content-type")) ?? /^content-type: *(.*)$/im.exec(sentHead(this.carrier))?.[1]
    );
  }
}

export class StreamInFlight<Connection extends object> extends CarriedRequest<Connection, ServerHttp2Stream> {
  contentType(): string | undefined {
    return asText(this.carrier.sentHeaders?.["content-type"]);
  }
}

function asText(header: unknown): string | undefined {
  return header === undefined ? undefined : String(header);
}
