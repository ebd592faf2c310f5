/**
 * `process.send()`, "message", "disconnect" and `process.channel` of a process that was started by `fork()`, as Node's own
 * (`setupChannel` in lib/internal/child_process.js, 20 to 26): the main thread has the channel, and what is written and read
 * goes through it.
 */
import { AsyncResource } from "node:async_hooks";
import dgram from "node:dgram";
import { Server, Socket } from "node:net";
import { UnreloaderError } from "../../src/common/errors.js";
import type { WorkerReport } from "../../src/common/protocol/messages.js";
import type { SupervisorOrder } from "../../src/common/protocol/orders.js";
import {
  packMessage,
  type SharedChannel,
  unpackMessage,
  type WriteError,
} from "../../src/common/protocol/parent-channel.js";
import type { PlanParticipant } from "../plan-participant.js";
import { nodeError } from "../runtime/module-errors.js";
import { Control, HeldLoop, type LoopHolds } from "./channel-control.js";
import { received } from "./received.js";

type OrderOf<Type extends SupervisorOrder["type"]> = Extract<SupervisorOrder, { type: Type }>;
type Message = OrderOf<"giveMessage">;
export type ChannelOrder = OrderOf<"giveMessage" | "messageWritten" | "parentLeft">;
type Callback = (error: Error | null) => void;

export interface ParentChannelOptions extends SharedChannel, LoopHolds {
  send(report: WorkerReport): void;
  /** Runs what belongs to no module. */
  nobodys<Result>(run: () => Result): Result;
  /** Notes how what the module that runs has done is undone. */
  record(what: string, undo: () => void): void;
}

/** Properties of `process`. */
interface Target {
  channel: Control | null;
  connected: boolean;
  send: unknown;
  _send(message: unknown, handle: unknown, options: SendOptions | boolean, callback?: unknown): boolean;
  disconnect(): void;
  _disconnect(): void;
}

interface SendOptions {
  readonly swallowErrors?: boolean;
}

interface Written {
  readonly size: number;
  readonly callback: Callback | undefined;
  readonly swallowsErrors: boolean;
}

const PROPERTIES = [
  "channel",
  "_handleQueue",
  "_pendingMessage",
  "send",
  "_send",
  "connected",
  "disconnect",
  "_disconnect",
] as const;
const RAW: ReadonlySet<string> = new Set(["TCP", "Pipe", "UDP", "BoundSocket"]);
const KINDS: ReadonlySet<string> = new Set(["string", "object", "number", "boolean"]);
/** Node asks a sender to stop when the other side is two reads of 64 KiB behind. */
const FULL = 2 * 65536;

export class AppChannel implements PlanParticipant<unknown> {
  readonly #options: ParentChannelOptions;
  readonly #emitter: NodeJS.EventEmitter = process;
  #loop: HeldLoop;
  #control: Control;
  /** What has come while nobody listened. */
  #pending: Message[] = [];
  /** What has come while a plan is applied: who listens then is known when it is over. */
  #held: Message[] = [];
  #inPlan = false;
  /** In a plan that is applied somebody has begun to listen, who may wait for it. */
  #isAwaited = false;
  #hasParentLeft = false;
  /** While a plan was applied: what has come before is told first. */
  #hasJustLeft = false;
  #lastId = 0;
  /** Messages that main has not written so far. */
  readonly #writes = new Map<number, Written>();
  #unwritten = 0;

  /** To be made before anything replaces functions of Node's. */
  constructor(options: ParentChannelOptions) {
    this.#options = options;
    this.#loop = new HeldLoop(options, options);
    this.#control = new Control(this.#loop);
    this.#define();
    // As many listeners as Node has.
    this.#emitter.on("internalMessage", this.#onInternal);
    this.#emitter.on("newListener", this.#onFirst);
    this.#emitter.on("newListener", this.#onAdd);
    this.#emitter.on("removeListener", this.#onRemove);
  }

  // ---- orders

  obey(order: ChannelOrder): void {
    if (order.type === "messageWritten") this.#written(order);
    else if (order.type === "parentLeft") this.#parentLeft(order.isBefore);
    else if (this.#inPlan && !this.#isAwaited) this.#held.push(order);
    else this.#deliver(order);
  }

  #written({ id, error }: OrderOf<"messageWritten">): void {
    const write = this.#writes.get(id);
    if (!write) return;
    this.#writes.delete(id);
    this.#unwritten -= write.size;
    if (write.callback) this.#options.letGo();
    const failure = error && revived(error);
    if (write.callback) write.callback(failure ?? null);
    else if (failure && !write.swallowsErrors) this.#options.nobodys(() => this.#emitter.emit("error", failure));
  }

  #parentLeft(isBefore: boolean): void {
    this.#hasJustLeft = this.#inPlan;
    if (this.#hasJustLeft) return;
    this.#hasParentLeft = true;
    if (isBefore) this.#remove();
    else if (this.#target.connected) this.#target.disconnect();
  }

  // ---- the plan: what comes meanwhile is for those who listen afterwards

  begin(): void {
    // New code finds what a process finds that nobody has forked; who has it would send to nobody.
    if (this.#hasParentLeft && !this.#target.connected) this.#remove();
    this.#inPlan = true;
  }

  commit(): void {
    this.#inPlan = false;
    this.#isAwaited = false;
    this.#release();
    if (this.#hasJustLeft) this.#parentLeft(false);
  }

  rollback(): void {
    this.commit();
  }

  // ---- messages that come

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const message of held) this.#deliver(message);
  }

  #deliver(message: Message): void {
    if (!this.#target.channel) return;
    if (message.lost !== undefined) {
      this.#options.send({ type: "logged", level: "warn", message: lossText(message.lost) });
    }
    process.nextTick(() => {
      if (this.#emitter.listenerCount("message") === 0) this.#pending.push(message);
      else this.#emit(message);
    });
  }

  /** A listener may end the thread. */
  #emit({ id, message }: Message): void {
    this.#options.send({ type: "messageTaken", id });
    this.#options.nobodys(() => this.#emitter.emit("message", unpackMessage(message), undefined));
  }

  readonly #onInternal = (): void => undefined;

  /** What nobody has listened for is for the first who does, all of it. */
  readonly #onFirst = (): void => {
    process.nextTick(() => {
      if (!this.#target.channel || this.#emitter.listenerCount("message") === 0) return;
      const pending = this.#pending;
      this.#pending = [];
      for (const message of pending) this.#emit(message);
    });
  };

  readonly #onAdd = (name: string | symbol): void => {
    if (name === "message" && this.#inPlan) {
      this.#isAwaited = true;
      this.#release();
    }
    if (name === "message" || name === "disconnect") this.#control.refCounted();
  };

  readonly #onRemove = (name: string | symbol): void => {
    if (name === "message" || name === "disconnect") this.#control.unrefCounted();
  };

  // ---- what the app has

  get #target(): Target {
    return process as unknown as Target;
  }

  /** As Node does: functions without a name, which look at what they are called on. */
  #define(): void {
    const channel = this;
    const target = this.#target;
    target.channel = this.#control;
    Object.assign(target, { _handleQueue: null, _pendingMessage: null });
    target.send = function (this: Target, message: unknown, handle?: unknown, options?: unknown, callback?: unknown) {
      let [sent, given, called] = [handle, options, callback];
      if (typeof sent === "function") [sent, given, called] = [undefined, undefined, sent];
      else if (typeof given === "function") [given, called] = [undefined, given];
      else if (given !== undefined) requireObject(given, "options");
      if (this.connected) return this._send(message, sent, { swallowErrors: false, ...(given as object) }, called);
      const closed = nodeError("ERR_IPC_CHANNEL_CLOSED", "Channel closed");
      if (typeof called === "function") process.nextTick(called as Callback, closed);
      else process.nextTick(() => (this as unknown as NodeJS.EventEmitter).emit("error", closed));
      return false;
    };
    target._send = function (this: Target, message, handle, options, callback) {
      if (message === undefined)
        throw nodeError("ERR_MISSING_ARGS", 'The "message" argument must be specified', TypeError);
      if (!KINDS.has(typeof message)) {
        const text = `The "message" argument must be one of type string, object, number, or boolean. ${received(message)}`;
        throw nodeError("ERR_INVALID_ARG_TYPE", text, TypeError);
      }
      if (handle) refuse(handle);
      const swallowsErrors = typeof options === "boolean" ? options : options.swallowErrors === true;
      return channel.#write(
        message,
        swallowsErrors,
        typeof callback === "function" ? (callback as Callback) : undefined,
      );
    };
    target.connected = true;
    target.disconnect = function (this: Target) {
      if (!this.connected) {
        const error = nodeError("ERR_IPC_DISCONNECTED", "IPC channel is already disconnected");
        (this as unknown as NodeJS.EventEmitter).emit("error", error);
        return;
      }
      this.connected = false;
      this._disconnect();
    };
    target._disconnect = function (this: Target) {
      this.channel = null;
      channel.#close();
    };
  }

  #write(message: unknown, swallowsErrors: boolean, callback: Callback | undefined): boolean {
    const packed = packMessage(message, this.#options.serialization);
    const id = ++this.#lastId;
    this.#unwritten += packed.length;
    if (callback) this.#options.hold();
    this.#writes.set(id, {
      size: packed.length,
      swallowsErrors,
      callback: callback && AsyncResource.bind(callback),
    });
    this.#options.send({ type: "messageSent", id, message: packed });
    return this.#unwritten < FULL;
  }

  #close(): void {
    const loop = this.#loop;
    if (!this.#hasParentLeft) {
      this.#options.send({ type: "disconnected" });
      this.#options.record("process.disconnect()", () => this.#openAgain());
    }
    process.nextTick(() => {
      loop.close();
      this.#options.nobodys(() => this.#emitter.emit("disconnect"));
    });
  }

  /** The code that has closed it is evaluated again: as after a restart. */
  #openAgain(): void {
    if (this.#target.channel || this.#hasParentLeft) return;
    this.#loop = new HeldLoop(this.#options, this.#options);
    this.#control = new Control(this.#loop);
    this.#define();
    const listeners = this.#emitter.listenerCount("message") + this.#emitter.listenerCount("disconnect");
    for (let count = 0; count < listeners; count++) this.#control.refCounted();
  }

  /** Nobody has forked the process, as far as what is evaluated from here on can tell. */
  #remove(): void {
    this.#loop.close();
    this.#pending = [];
    for (const name of PROPERTIES) Reflect.deleteProperty(process, name);
    this.#emitter.off("internalMessage", this.#onInternal);
    this.#emitter.off("newListener", this.#onFirst);
    this.#emitter.off("newListener", this.#onAdd);
    this.#emitter.off("removeListener", this.#onRemove);
  }
}

function lossText(lost: string): string {
  return (
    `the process that has started this one has sent ${lost} with a message, which the app gets without it: the supervisor ` +
    "stands between the two. Let the app listen itself, or start it with --no-reload"
  );
}

function requireObject(value: unknown, name: string): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw nodeError(
    "ERR_INVALID_ARG_TYPE",
    `The "${name}" argument must be of type object. ${received(value)}`,
    TypeError,
  );
}

/** Node sends these, but for `BoundSocket`, of 26; raw ones of its own have no type to be known by. */
function isHandle(value: unknown): boolean {
  if (value instanceof Socket || value instanceof Server || value instanceof dgram.Socket) return true;
  return typeof value === "object" && value !== null && RAW.has(value.constructor.name);
}

function refuse(handle: unknown): never {
  if (!isHandle(handle)) throw nodeError("ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent", TypeError);
  throw new UnreloaderError(
    "ERR_UNRELOADER_HANDLE_SENT",
    "process.send() cannot send a socket or a server: the supervisor stands between the app and the process that has forked " +
      "it. Send what it is to know of it, or start the app with --no-reload",
  );
}

function revived({ message, properties }: WriteError): Error {
  const { code } = properties as { code?: string };
  // System errors have their code in the message alone.
  const isSystem = "syscall" in properties;
  const error = isSystem || code === undefined ? new Error(message) : nodeError(code, message);
  return Object.assign(error, properties);
}
