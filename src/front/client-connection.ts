/**
 * One connection of a client. On a connection on which the app has answered everything the next bytes may begin a request:
 * they wait two turns of the event loop, then pass the gate; so do those of an upgraded connection. (Bytes on an active one
 * wait for the turns too, for they may hold a pipelined request; the worker looks at the HOLD word when that one begins.)
 * Above 350 lines: each phase leads to each other, and all that moves a connection on stands here.
 */
import type { Socket } from "node:net";
import { OPAQUE_HOLD_MS } from "../common/deadlines.js";
import { SAID } from "../common/protocol/connection-table.js";
import { wait } from "../common/wait.js";
import type { OwnPage } from "../pages/own-page.js";
import { AppLink } from "./app-link.js";
import { askGate } from "./ask-gate.js";
import { Goodbye } from "./goodbye.js";
import type { HeldClient } from "./held-clients.js";
import { isForOwn } from "./own-path.js";
import type { ClientPort, ConnectionTraits, LinkOwner, Relay } from "./relay.js";
import { resetAtOnce } from "./reset.js";
import { type AfterTurn, settledVerdict, type Verdict } from "./turn.js";
import { WaitingBytes } from "./waiting-bytes.js";

/** That the app begins a request shows in shared memory only; this often it is looked up while something waits for it. */
const BEGIN_POLL_MS = 5;
/** A client whose request waits is paused when it has sent this much: the kernels on the way keep the rest. */
const WAITING_BYTES = 131072;
/** How Node names the end of a client that broke off. */
const BROKEN_OFF = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);

type Life =
  /** Nothing waits, or what does has passed the gate. */
  | { readonly phase: "open" }
  /** Bytes wait for one turn of the event loop. */
  | { readonly phase: "turn" }
  /** A request waits for the gate, a server, a slot, or for the app to begin the one before; `wake`: to look again. */
  | { readonly phase: "held"; wake: (() => void) | undefined }
  /** A page, or an end of the app's, was sent as the last thing; what the client still sends is read. */
  | { readonly phase: "goodbye" }
  /** The client has closed, or its last answer is a page. */
  | { readonly phase: "over" };

const OPEN: Life = { phase: "open" };
const IN_TURN: Life = { phase: "turn" };
const GOODBYE: Life = { phase: "goodbye" };
const OVER: Life = { phase: "over" };

export class ClientConnection implements AfterTurn, LinkOwner, HeldClient {
  readonly #client: Socket;
  readonly #relay: Relay;
  readonly #traits: ConnectionTraits;
  readonly #waiting: WaitingBytes;
  /** What it has with the app; its servers and workers come and go. */
  readonly app: AppLink;
  /** What listens to the client's socket. */
  readonly #listeners: readonly (readonly [event: string, listener: (argument: never) => void])[] = [
    ["data", (bytes: Buffer) => this.#onClientBytes(bytes)],
    ["end", () => this.#onClientEnd()],
    ["drain", () => this.app.resume()],
    ["error", (error: NodeJS.ErrnoException) => this.#onClientError(error)],
    ["close", () => this.#onClientClose()],
  ];
  #life: Life = OPEN;
  #goodbye: Goodbye | undefined;

  constructor(client: Socket, port: ClientPort, relay: Relay, traits: ConnectionTraits = {}) {
    this.#client = client;
    this.#relay = relay;
    this.#traits = traits;
    this.#waiting = new WaitingBytes(relay.held, relay.turn);
    this.app = new AppLink(port, { client, relay, traits, waiting: this.#waiting, owner: this });
    for (const [event, listener] of this.#listeners) client.on(event, listener as () => void);
    // The app's server shall know of the connection before it sends anything: it may time it out, or speak first. A
    // raw connection is a request as a whole, so it passes the gate like one; and a session begins with a certificate and
    // settings, which are the newest code's as well.
    if (port.kind !== "http") this.#enterTurn();
    else this.app.attach();
  }

  get #port(): ClientPort {
    return this.app.port;
  }

  get #isOver(): boolean {
    return this.#life.phase === "over" || this.#life.phase === "goodbye";
  }

  get #isHeld(): boolean {
    return this.#life.phase === "held";
  }

  /** A request has begun or waits; long-lived opaque connections are not counted. */
  get inFlight(): boolean {
    if (this.#life.phase === "goodbye") return false;
    return this.#isHeld || !this.#waiting.isEmpty || this.app.exchange.inFlight;
  }

  /** The death of the worker is known: begun requests that waited for the reason get their page. */
  workerDied(epoch: number, page: OwnPage): void {
    if (!this.#client.destroyed && !this.#isHeld) this.app.workerDied(epoch, page);
  }

  /** The worker of `epoch` is about to end, with its sessions: it refuses what waits in them, so that it is sent again. */
  refuseIn(epoch: number): void {
    if (this.app.refuseIn(epoch)) this.#pass();
  }

  /** No server will be adopted any more. */
  portClosed(): void {
    if (this.app.outlivesPort) this.wake();
    else this.#client.destroySoon();
  }

  end(): void {
    this.#client.destroySoon();
  }

  destroy(): void {
    this.#client.destroy();
  }

  // ---- from the client

  #onClientBytes(bytes: Buffer): void {
    if (this.#isOver) return;
    const { exchange } = this.app;
    if (exchange.skipping) {
      // The rest of a request that was answered early, by a server that is gone: nobody wants it.
      const rest = exchange.skip(bytes);
      if (rest.length > 0) this.#wait(rest);
    } else this.#wait(bytes);
  }

  #wait(bytes: Buffer): void {
    this.#waiting.push(bytes);
    if (this.#relay.held.has(this) && this.#relay.held.refuseWhenFull(this)) return;
    if (this.#waiting.size > WAITING_BYTES) this.#client.pause();
    this.#enterTurn();
  }

  #enterTurn(): void {
    if (this.#life.phase !== "open") return;
    this.#life = IN_TURN;
    this.#relay.turn.add(this);
  }

  #onClientEnd(): void {
    if (this.#life.phase !== "open" && this.#life.phase !== "over") return;
    if (this.app.exchange.upstream === undefined) this.#client.end();
    else this.app.end();
  }

  #onClientClose(): void {
    this.#goodbye?.stop();
    this.#relay.held.remove(this);
    this.app.close();
    this.#waiting.replace([]);
    this.#port.connections.delete(this);
    this.#finish(OVER);
  }

  #onClientError({ code = "", syscall }: NodeJS.ErrnoException): void {
    // Of a socket. Ends within this process have no resets.
    if (BROKEN_OFF.has(code) && syscall !== undefined) this.app.breakOff();
  }

  /** What is held sees that it is over. */
  #finish(life: Life): void {
    const before = this.#life;
    this.#life = life;
    if (before.phase === "held") before.wake?.();
  }

  // ---- admission

  afterTurn(): void {
    if (this.#life.phase !== "turn") return;
    this.#life = OPEN;
    const { exchange } = this.app;
    if (this.#waiting.areNew) {
      this.#enterTurn();
    } else if (exchange.opaque) {
      void this.#passOpaque();
    } else if (!this.app.mayBeginRequest()) {
      this.#pass();
    } else if (exchange.unstarted) {
      if (this.app.mayContinue()) this.#pass();
      else void this.#awaitBegin();
    } else if (this.#traits.once && exchange.carried) {
      this.#client.destroySoon();
    } else {
      const isOwn = this.#isForOwn();
      if (isOwn === true) void this.#answerOwn();
      // Of a path of the supervisor's own, perhaps: the rest says it.
      if (isOwn !== false) return;
      const verdict = this.#askGate();
      if (verdict instanceof Promise || !this.#proceed(verdict)) void this.#hold(verdict);
    }
  }

  #askGate(isAgain = false): Verdict | Promise<Verdict> {
    return askGate(this.#relay, this.#client, isAgain);
  }

  /** Does what the gate said; false when a server or a slot must be waited for. */
  #proceed(verdict: Verdict): boolean {
    if (verdict.type === "page" && !this.#isSaidByWorker()) {
      if (this.#port.kind === "http" && !this.app.leave()) return false;
      this.answerWith(verdict.page);
      return true;
    }
    if (!this.app.attach()) return false;
    this.#pass();
    return true;
  }

  /** Whether the request is for the supervisor itself. What a host hands over has been asked by its handler. */
  #isForOwn(): boolean | "part" {
    if (!this.#relay.pages.hasOwn || this.#port.kind !== "http") return false;
    if (this.#traits.sender !== undefined || this.#client.readableEnded) return false;
    return isForOwn(this.#waiting.chunks);
  }

  /** Not asked of the gate: what is asked is how things stand. */
  async #answerOwn(): Promise<void> {
    while (!this.app.leave()) {
      await this.#nextChange();
      if (this.#isOver) return;
    }
    const { received } = this.app.dropForPage();
    this.#finish(OVER);
    this.#handOver();
    this.#relay.pages.serveOwn(this.#client, received);
  }

  /** Somebody else answers on the client's connection from now on. */
  #handOver(): void {
    this.#port.connections.delete(this);
    this.#client.removeAllListeners();
    this.#client.on("error", ignoreClientError);
  }

  /** Within a session only its worker can speak, which has been told what to say. */
  #isSaidByWorker(): boolean {
    const { kind, server } = this.#port;
    if (kind === "http" || kind === "raw" || server === undefined) return false;
    return Atomics.load(this.#relay.table, SAID) !== 0;
  }

  /** Messages, say, are for the newest code as well. Not for long: what the gate waits for may wait for them. */
  async #passOpaque(): Promise<void> {
    // It is no new request.
    const verdict = this.#askGate(true);
    if (verdict instanceof Promise) {
      this.#life = { phase: "held", wake: undefined };
      await wait(settledVerdict(verdict), { deadlineMs: OPAQUE_HOLD_MS });
      if (this.#isOver) return;
      this.#life = OPEN;
    }
    this.#pass();
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
    let verdict = first;
    for (;;) {
      this.#life = { phase: "held", wake: undefined };
      const settled = await settledVerdict(verdict);
      if (this.#isOver) return;
      this.#life = OPEN;
      if (this.#waiting.areNew) return this.#enterTurn();
      if (this.#proceed(settled)) return;
      await this.#nextChange();
      if (this.#isOver) return;
      if (this.#waiting.isEmpty && this.#port.kind === "http") {
        // What waited belonged to the request before.
        this.#life = OPEN;
        if (this.#client.readableEnded) this.#onClientEnd();
        return;
      }
      verdict = this.#askGate(true);
    }
  }

  /** Waits until the app begins the request, or the request was taken back from its server. */
  async #awaitBegin(): Promise<void> {
    const { exchange } = this.app;
    do {
      await this.#nextChange(BEGIN_POLL_MS);
      if (this.#isOver) return;
    } while (exchange.upstream !== undefined && exchange.unstarted && !this.app.mayContinue());
    this.#life = OPEN;
    if (!this.#waiting.isEmpty) this.#enterTurn();
    else if (this.#client.readableEnded) this.#onClientEnd();
  }

  /** Is held until the next `wake()`, or for `timeoutMs`. */
  #nextChange(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.wake(), timeoutMs);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#life = { phase: "held", wake };
    });
  }

  #pass(): void {
    if (this.app.exchange.upstream === undefined) return;
    this.app.pass();
    this.drained();
    if (!this.#waiting.isEmpty) void this.#awaitBegin();
    else if (this.#client.readableEnded) this.app.end();
  }

  // ---- from the app

  dropped(again: boolean): void {
    if (again || !this.#waiting.isEmpty) this.#enterTurn();
    else if (this.#client.readableEnded && !this.#isHeld) this.#client.end();
    this.wake();
  }

  /** Reads on, unless something still waits for its turn. */
  drained(): void {
    if (this.#waiting.size <= WAITING_BYTES && this.app.hasRoom && this.#client.isPaused()) this.#client.resume();
  }

  wake(): void {
    if (this.#life.phase !== "held") return;
    const { wake } = this.#life;
    this.#life.wake = undefined;
    wake?.();
  }

  refuseHeld(page: OwnPage): void {
    if (!this.#client.destroyed && !this.#isOver) this.answerWith(page);
  }

  /** Hands the client to the supervisor's own pages, or closes it when nothing can be said on it. */
  answerWith(page: OwnPage): void {
    const client = this.#client;
    const { way, received } = this.app.dropForPage();
    this.#finish(OVER);
    const { sender } = this.#traits;
    if (sender !== undefined) {
      if (way === "serve" || way === "write") sender.refuse(page);
      client.destroy();
      return;
    }
    switch (way) {
      case "serve":
        this.#handOver();
        this.#relay.pages.serve(client, received, page);
        break;
      case "write":
        client.write(this.#relay.pages.raw(page, client));
        this.sayGoodbye();
        break;
      case "reset":
        resetAtOnce(client);
        break;
      case "close":
        if (!this.#beginSession(received, page)) client.destroy();
        break;
      default:
        way satisfies never;
    }
  }

  /** Nobody has said anything in the session that `received` begins: we can, if we have what the app's server has. */
  #beginSession(received: readonly Buffer[], page: OwnPage): boolean {
    const { kind, credentials } = this.#port;
    const client = this.#client;
    if (kind === "raw" || kind === "http" || client.bytesWritten > 0 || client.destroyed) return false;
    if (client.bytesRead !== sizeOf(received)) return false;
    this.#port.connections.delete(this);
    // Node has listeners of its own, which TLS needs.
    for (const [event, listener] of this.#listeners) client.off(event, listener as () => void);
    return this.#relay.pages.serveSession(client, received, page, { kind, credentials });
  }

  sayGoodbye(): void {
    this.#finish(GOODBYE);
    this.#goodbye ??= new Goodbye(this.#client);
  }
}

/** A client that breaks off is closed by Node, and `close` follows. */
function ignoreClientError(): void {}

function sizeOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((size, { length }) => size + length, 0);
}
