/**
 * The channel to the process that has started this one by `fork()`, in the main thread: what comes is for the thread that has
 * the process, and what a thread has not taken when it ends is for the next one.
 */

import { Server, Socket } from "node:net";
import type { SupervisorOrder } from "../common/protocol/orders.js";
import {
  type PackedMessage,
  packMessage,
  type Serialization,
  type SharedChannel,
  unpackMessage,
  type WriteError,
} from "../common/protocol/parent-channel.js";

interface Message {
  readonly id: number;
  readonly content: unknown;
  readonly lost?: string;
}

/** A thread whose app has begun. */
interface Thread {
  readonly send: (order: SupervisorOrder) => void;
  /** What its app has not taken so far. */
  readonly unread: Message[];
}

/** Node's own object for the channel; its types do not have these. */
interface CountedChannel {
  readonly fd?: number;
  refCounted(): void;
  unrefCounted(): void;
}

/** Listeners of this class, each of which would keep the process alive. */
const LISTENERS = 2;

export class ParentChannel {
  readonly shared: SharedChannel;
  /** Epoch -> its thread, from the moment in which its app begins to its end; the newest one is last. */
  readonly #threads = new Map<number, Thread>();
  /** What came while there was no thread. */
  #waiting: Message[] = [];
  #lastId = 0;
  #isUsed = false;
  /** Who has closed the channel. */
  #closedBy: "app" | "parent" | undefined;
  readonly #writes = new Set<Promise<void>>();

  /** Undefined: nobody has forked this process. */
  static open(): ParentChannel | undefined {
    return process.send === undefined || !process.connected ? undefined : new ParentChannel();
  }

  private constructor() {
    this.shared = { serialization: serializationOf(), fd: channel()?.fd };
    process.on("message", this.#heard);
    process.on("disconnect", this.#left);
    for (let count = 0; count < LISTENERS; count++) channel()?.unrefCounted();
  }

  /** The app has been told something by it, or it is closed. */
  get isUsed(): boolean {
    return this.#isUsed || this.#closedBy !== undefined;
  }

  /** Leaves it to the app, which runs in this thread: what has come is there as if nobody had listened. */
  leave(): void {
    for (let count = 0; count < LISTENERS; count++) channel()?.refCounted();
    process.off("message", this.#heard);
    process.off("disconnect", this.#left);
    for (const { content } of this.#waiting) pendingOf(channel())?.push(["message", content, undefined]);
    this.#waiting = [];
  }

  /** The app of this thread is about to be evaluated. A thread that takes the place of another has its number. */
  begin(epoch: number, send: (order: SupervisorOrder) => void): void {
    const before = this.#threads.get(epoch)?.unread ?? [];
    this.#threads.delete(epoch);
    this.#threads.set(epoch, { send, unread: [] });
    if (this.#closedBy === "parent") send({ type: "parentLeft", isBefore: true });
    const messages = [...before, ...this.#waiting];
    this.#waiting = [];
    for (const message of messages) this.#give(message);
  }

  ended(epoch: number): void {
    const unread = this.#threads.get(epoch)?.unread ?? [];
    this.#threads.delete(epoch);
    for (const message of unread) this.#give(message);
  }

  /** The app has taken this one, and those before. */
  taken(epoch: number, id: number): void {
    this.#isUsed = true;
    const unread = this.#threads.get(epoch)?.unread;
    while (unread?.[0] && unread[0].id <= id) unread.shift();
  }

  /** The app sends a message. */
  write(epoch: number, id: number, packed: PackedMessage): void {
    const written = new Promise<void>((resolve) => {
      const done = (error: Error | null): void => {
        const failed = error ? { error: writeError(error) } : {};
        this.#threads.get(epoch)?.send({ type: "messageWritten", id, ...failed });
        resolve();
      };
      // An app that comes after one that has closed it finds it open, as after a restart; nobody listens there.
      if (this.#closedBy === "app") done(null);
      else writeToParent(packed, done);
    });
    this.#writes.add(written);
    void written.then(() => this.#writes.delete(written));
  }

  /** Resolves when what the app has sent has left. */
  async flushed(): Promise<void> {
    await Promise.all(this.#writes);
  }

  /** The app has called `process.disconnect()`. */
  async close(epoch: number): Promise<void> {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = "app";
    for (const [other, { send }] of this.#threads) if (other !== epoch) send({ type: "parentLeft", isBefore: false });
    await this.flushed();
    if (process.connected) process.disconnect?.();
  }

  readonly #heard = (message: unknown, handle?: SentHandle): void => {
    const lost = handle && nameOf(handle);
    if (handle instanceof Socket) handle.destroy();
    else handle?.close?.();
    this.#give({ id: ++this.#lastId, content: message, ...(lost !== undefined && { lost }) });
  };

  readonly #left = (): void => {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = "parent";
    for (const { send } of this.#threads.values()) send({ type: "parentLeft", isBefore: false });
  };

  #give(message: Message): void {
    const thread = [...this.#threads.values()].at(-1);
    if (!thread) {
      this.#waiting.push(message);
      return;
    }
    thread.unread.push(message);
    const { id, content, lost } = message;
    const packed = packMessage(content, this.shared.serialization);
    thread.send({ type: "giveMessage", id, message: packed, ...(lost !== undefined && { lost }) });
  }
}

function channel(): CountedChannel | undefined {
  return process.channel as CountedChannel | undefined;
}

/** A server, a socket, or what Node has below one. */
interface SentHandle {
  close?(): void;
}

function nameOf(handle: SentHandle): string {
  return handle instanceof Socket ? "a socket" : handle instanceof Server ? "a server" : "a handle";
}

/** What Node keeps for the first listener. */
function pendingOf(control: object | undefined): unknown[][] | undefined {
  const key = Object.getOwnPropertySymbols(control ?? {}).find(({ description }) => description === "kPendingMessages");
  return key && (Reflect.get(control ?? {}, key) as unknown[][]);
}

/** Node tells nobody. Of the two, only JSON asks an object for what stands for it; the other refuses functions. */
function serializationOf(): Serialization {
  const asked = new Error("asked");
  const probe = {
    toJSON: () => {
      throw asked;
    },
  };
  try {
    process.send?.(probe);
  } catch (error) {
    return error === asked ? "json" : "advanced";
  }
  return "json";
}

function writeToParent(packed: PackedMessage, done: (error: Error | null) => void): void {
  try {
    process.send?.(unpackMessage(packed), undefined, undefined, done);
  } catch (error) {
    done(error as Error);
  }
}

function writeError(error: Error): WriteError {
  return { message: error.message, properties: { ...error } };
}
