/**
 * A connection to the front that comes from within this process: two ends that hand each other their bytes. The far end
 * is relayed like a client's socket, so that requests from here pass the same gate, wait for the same reloads and are
 * sent again in the same cases. The near end is what reads the answer.
 */
import { Socket } from "node:net";
import type { OwnPage } from "../pages/own-page.js";

/** Who the app shall take for its client. */
export interface Addresses {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

abstract class End extends Socket {
  /** Goes on once the other end wants more bytes. */
  #wanted: (() => void) | undefined;

  constructor(allowHalfOpen: boolean) {
    super({ allowHalfOpen });
    this.on("error", ignoreError);
  }

  /** The bytes of the other end; `taken` is called when there is room for more. */
  receive(bytes: Buffer, taken: () => void): void {
    if (this.destroyed || this.push(bytes)) taken();
    else this.#wanted = taken;
  }

  /** The other end will send no more. */
  receiveEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The other end has closed. Before it said that no more will come, this is a broken connection. */
  otherClosed(ended: boolean): void {
    this.#go();
    if (this.destroyed) return;
    if (ended) this.push(null);
    else this.destroy(brokenConnection());
  }

  override _read(): void {
    this.#go();
  }

  /** Hands bytes to the other end. */
  protected abstract deliver(bytes: Buffer, done: () => void): void;

  /** Tells the other end that this one has closed. */
  protected abstract tellClosed(): void;

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.tellClosed();
    done(error);
    // Node's sockets emit it themselves, once their handle has closed; here there is none.
    process.nextTick(() => this.emit("close", error !== null));
  }

  // Node's sockets are given strings as they were written.
  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.deliver(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk, done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    const bytes = chunks.map(({ chunk, encoding }) =>
      typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk,
    );
    this.deliver(Buffer.concat(bytes), done);
  }

  /** What has no meaning without a handle; Node's own would wait for one. */
  override setKeepAlive(): this {
    return this;
  }
  override setNoDelay(): this {
    return this;
  }
  override setTimeout(): this {
    return this;
  }
  override ref(): this {
    return this;
  }
  override unref(): this {
    return this;
  }

  #go(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }
}

/** Where the answer is read. */
export class NearEnd extends End {
  /** Set instead of an answer: a page of the supervisor's own. */
  refusal: OwnPage | undefined;
  /** Begun here; raised by the sender. */
  requests = 0;
  readonly #far: FarEnd;
  readonly #mute: boolean;

  /** `mute`: what is written is dropped, and only `send` sends. */
  constructor(addresses: Addresses, mute: boolean) {
    super(false);
    this.#mute = mute;
    this.#far = new FarEnd(this, addresses);
  }

  get far(): Socket {
    return this.#far;
  }

  /** The front has closed the connection, perhaps unnoticed here so far. */
  get gone(): boolean {
    return this.destroyed || this.#far.destroyed || this.#far.writableEnded;
  }

  refuse(page: OwnPage): void {
    this.refusal = page;
  }

  /** Sends bytes to the app; `taken` is called when there is room for more, or when the connection has closed. */
  send(bytes: Buffer, taken: () => void): void {
    this.#far.receive(bytes, taken);
  }

  protected override deliver(bytes: Buffer, done: () => void): void {
    if (this.#mute) done();
    else this.#far.receive(bytes, done);
  }

  override _final(done: () => void): void {
    this.#far.receiveEnd();
    done();
  }

  protected override tellClosed(): void {
    this.#far.otherClosed(this.writableFinished);
  }
}

/** What the front takes for the client's socket. */
class FarEnd extends End {
  readonly #near: NearEnd;

  constructor(near: NearEnd, addresses: Addresses) {
    // As on public ports: the app decides whether it still answers a client that has ended.
    super(true);
    this.#near = near;
    for (const [name, value] of Object.entries(addresses)) Object.defineProperty(this, name, { value, writable: true });
  }

  protected override deliver(bytes: Buffer, done: () => void): void {
    this.#near.receive(bytes, done);
  }

  override _final(done: () => void): void {
    this.#near.receiveEnd();
    done();
  }

  protected override tellClosed(): void {
    this.#near.otherClosed(this.writableFinished);
  }

  override resetAndDestroy(): this {
    return this.destroy();
  }
}

function brokenConnection(): Error {
  return Object.assign(new Error("the app closed the connection"), { code: "ECONNRESET" });
}

/** The user of an end hears of it by `close`; an end that nobody uses any more must not end the process. */
function ignoreError(): void {}
