/**
 * A primary of node:cluster runs in the app's thread; its workers are processes, as ever. What they listen on listens
 * virtually, so their connections have passed the gate; each is handed over whole, and is one request: the worker closes
 * it behind the answer.
 */
import type { ChildProcess } from "node:child_process";
import type { Server, Socket } from "node:net";
import {
  type ClusterMessage,
  CONNECTION_CLOSED,
  type ConnectionClosed,
  type HandedOver,
  WORKER_RUNS,
} from "../../src/common/protocol/cluster-messages.js";
import type { ServerKind } from "../../src/common/protocol/messages.js";
import type { Preface } from "../../src/common/protocol/preface.js";
import { isObject } from "../../src/common/untouched.js";
import { socketInternals } from "../listener/node-internals.js";

/** What the primary takes a listening handle for: it sets `onconnection`. */
export type TakeConnection = (error: number, handle: object) => void;

export class ClusterPrimary {
  /** Handle of a connection -> what its worker is told of it; from `handOver` until it is sent. */
  readonly #waiting = new WeakMap<object, HandedOver>();
  /** Connections that are in a worker's hands -> ends their request; until they are closed, or the worker is. */
  readonly #open = new Map<number, { readonly end: () => void; worker?: ChildProcess }>();
  #lastId = 0;
  /** Of the server that a worker asks for, while the primary makes its own. */
  #askedKind: ServerKind | undefined;
  /** Servers of the primary -> what those speak that they stand for. */
  readonly #kinds = new WeakMap<Server, ServerKind>();

  /** A server is being made. */
  created(server: Server): void {
    if (this.#askedKind !== undefined) this.#kinds.set(server, this.#askedKind);
  }

  /** What the server of a worker speaks for which this one listens; undefined for others. */
  kindOf(server: Server): ServerKind | undefined {
    return this.#kinds.get(server);
  }

  /** A worker has been forked; to be called before the primary listens to it. */
  forked(worker: ChildProcess): void {
    const emitter: NodeJS.EventEmitter = worker;
    emitter.on("internalMessage", (message: ClusterMessage | ConnectionClosed) => {
      if (message.cmd === CONNECTION_CLOSED) this.#close((message as ConnectionClosed).id);
      else if ((message as ClusterMessage).act === "queryServer")
        this.#asks((message as ClusterMessage).unreloaderKind);
    });
    emitter.once("exit", () => {
      for (const [id, connection] of this.#open) if (connection.worker === worker) this.#close(id);
    });
    const send = sentWhenItRuns(worker);
    worker.send = ((message: ClusterMessage, handle?: object, ...rest: unknown[]) => {
      const told = isObject(handle) ? this.#waiting.get(handle) : undefined;
      if (told && message.act === "newconn") {
        message.unreloader = told;
        const connection = this.#open.get(told.id);
        if (connection) connection.worker = worker;
      }
      return send(message, handle, ...rest);
    }) as ChildProcess["send"];
  }

  /** Gives a connection, of which the preface has been read, to the primary. `ended`: the worker has closed it. */
  handOver(socket: Socket, { remote, local }: Preface, take: TakeConnection, ended: () => void): void {
    const internals = socketInternals(socket) as unknown as { _handle: RawHandle | null };
    const handle = internals._handle;
    if (!handle) {
      ended();
      return;
    }
    // Only on Windows has anything been read. To read is to start reading.
    const head = socket.readableLength > 0 ? (socket.read() as Buffer) : Buffer.alloc(0);
    handle.readStop();
    // The socket is not closed, it only has no connection any more.
    internals._handle = null;
    const id = ++this.#lastId;
    this.#waiting.set(handle, { id, remote, local, head: head.toString("base64") });
    this.#open.set(id, { end: ended });
    take(0, handle);
  }

  #asks(kind: ServerKind | undefined): void {
    this.#askedKind = kind;
    process.nextTick(() => {
      this.#askedKind = undefined;
    });
  }

  #close(id: number): void {
    const connection = this.#open.get(id);
    this.#open.delete(id);
    connection?.end();
  }
}

type Send = (...args: unknown[]) => boolean;

/**
 * `worker.send`, which holds back what comes before the worker's file runs. Under Node that has run when the first message is
 * read, but for ES modules; before it comes the script of ours, and Node gives messages to those that listen at the moment.
 */
function sentWhenItRuns(worker: ChildProcess): Send {
  const send = worker.send.bind(worker) as Send;
  const emitter: NodeJS.EventEmitter = worker;
  let held: unknown[][] | undefined = [];
  const pass = (): void => {
    const all = held ?? [];
    held = undefined;
    for (const args of all) send(...args);
  };
  emitter.on("internalMessage", ({ cmd }: ClusterMessage) => cmd === WORKER_RUNS && pass());
  emitter.once("disconnect", () => {
    // It has never run, and hears of nothing.
    for (const args of held ?? []) process.nextTick(() => callbackOf(args)?.(null));
    held = undefined;
  });
  return (...args) => {
    if (held === undefined || !worker.connected) return send(...args);
    held.push(args);
    return true;
  };
}

function callbackOf(args: readonly unknown[]): ((error: Error | null) => void) | undefined {
  return args.find((arg) => typeof arg === "function") as ((error: Error | null) => void) | undefined;
}

interface RawHandle {
  readStop(): number;
}
