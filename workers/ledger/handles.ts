/**
 * Things with a life of their own that modules open: sockets, watchers, threads, processes, agents, streams. They are
 * emitters, so their creation is seen in one place; each is ended at purge in its own way. Before that its listeners go,
 * so that no code of the purged version takes the end for a failure and starts again.
 *
 * What packages open is left to them and to adapters, unless it is known to be safe: a pool that loses its sockets
 * connects again, and a shared service that loses its thread fails for everybody.
 */
import type { ChildProcess } from "node:child_process";
import type { EventEmitter } from "node:events";
import { CHILD_END_MS } from "../../src/common/deadlines.js";
import { findDescriptor, foundValue, inherits, isObject, ownValue, prototypeOf } from "../../src/common/untouched.js";
import { loadedBuiltin } from "./builtins.js";
import { type Caller, callerOf } from "./caller.js";
import type { Creation } from "./creators.js";
import type { Ledger, LedgerEntry } from "./ledger.js";

interface Kind {
  readonly what: string;
  is(emitter: EventEmitter): boolean;
  /** Packages' count, too. */
  readonly byPackages?: boolean;
  /** Only what own files make, through packages whose files have such paths. */
  readonly within?: RegExp;
  /** What of Node may stand between the caller and the constructor. */
  readonly through?: RegExp;
  end(emitter: never): unknown;
}

interface Closable {
  close(): unknown;
}

interface Destroyable {
  destroy(): unknown;
}

interface FileStream extends EventEmitter {
  readonly closed: boolean;
  end(): void;
}

interface AgentInternals {
  readonly freeSockets: Readonly<Record<string, readonly Destroyable[] | undefined>>;
  keepAlive: boolean;
}

/** A socket that Node opens for something else (an agent, a child's pipes) is not the caller's. */
const SOCKET_FRAMES = /^node:(?:net|tls|_tls_wrap|events|stream|dgram|internal\/(?:streams|tls|net)\b.*)$/;

/** Of packages whose pools are the maker's own. */
export const POOL_FILES = /[\\/]node_modules[\\/](?:piscina|tinypool)[\\/]/;

const KINDS: readonly Kind[] = [
  { what: "socket", is: isA("net", "Socket"), through: SOCKET_FRAMES, end: destroy },
  { what: "datagram socket", is: isA("dgram", "Socket"), through: SOCKET_FRAMES, end: closeDatagramSocket },
  { what: "HTTP/2 session", is: isNamed("ClientHttp2Session"), end: destroy },
  { what: "agent", is: isA("http", "Agent"), end: retireAgent },
  { what: "worker thread", is: isA("worker_threads", "Worker"), end: (worker: Worker) => worker.terminate() },
  { what: "thread pool", is: isPool, within: POOL_FILES, end: closePool },
  { what: "child process", is: isA("child_process", "ChildProcess"), byPackages: true, end: endChild },
  { what: "file watcher", is: (emitter) => isNamed("FSWatcher")(emitter) && !isChokidar(emitter), end: close },
  { what: "file watcher", is: isChokidar, byPackages: true, end: close },
  { what: "file stream", is: isA("fs", "ReadStream"), end: destroy },
  { what: "file stream", is: isA("fs", "WriteStream"), end: endStream },
  { what: "line reader", is: isLineReader, end: close },
];

interface Worker extends EventEmitter {
  terminate(): Promise<unknown>;
}

export class Handles {
  readonly #ledger: Ledger;
  /** Drops the entries of what has ended and been forgotten: open handles keep their emitters alive. */
  readonly #collected = new FinalizationRegistry<LedgerEntry>((entry) => entry.drop());

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Notes a new emitter if it is one that has to be ended. Its constructor is still on the stack. */
  created({ emitter, owner, wrapper }: Creation): void {
    const kind = KINDS.find(({ is }) => is(emitter));
    if (!kind || !isCallersOwn(kind, callerOf(wrapper, kind.within))) return;
    const entry = this.#ledger.record(kind.what, ending(kind, new WeakRef(emitter)), owner, emitter);
    if (entry) this.#collected.register(emitter, entry);
  }
}

/** In a function of its own: closures of one function keep alive whatever any of them uses. */
function ending({ end }: Kind, found: WeakRef<EventEmitter>): () => Promise<void> {
  return async () => {
    // What a leftover of a purged version creates is ended at once, but not before it is complete.
    await undefined;
    const ended = found.deref();
    if (ended) await end(ended as never);
  };
}

function isCallersOwn({ byPackages, within, through }: Kind, caller: Caller): boolean {
  if (within) return caller.kind === "own";
  if (caller.kind !== "own" && !(byPackages && caller.kind === "package")) return false;
  return !through || caller.through.every((file) => through.test(file));
}

function isA(module: string, name: string): (emitter: object) => boolean {
  return (emitter) => {
    const found: unknown = Reflect.get(loadedBuiltin(module) ?? {}, name);
    return typeof found === "function" && inherits(emitter, found.prototype as object);
  };
}

/** For classes that Node does not export. */
function isNamed(name: string): (emitter: object) => boolean {
  return (emitter) => {
    const made = foundValue(emitter, "constructor");
    return isObject(made) && ownValue(made, "name") === name;
  };
}

const METHODS_OF_CHOKIDAR = ["unwatch", "getWatched"];

/** It shares Node's watchers among its own, so it has to be closed as a whole. */
function isChokidar(emitter: EventEmitter): boolean {
  return isNamed("FSWatcher")(emitter) && METHODS_OF_CHOKIDAR.every((name) => findDescriptor(emitter, name));
}

/** That of `node:readline/promises` has a class of its own, on the same base. */
function isLineReader(emitter: EventEmitter): boolean {
  const { Interface } = (loadedBuiltin("readline") ?? {}) as { Interface?: { prototype: object } };
  const base = Interface && prototypeOf(Interface.prototype);
  return base !== undefined && base !== null && inherits(emitter, base);
}

/** Of piscina, tinypool, and classes that extend theirs. */
function isPool(emitter: EventEmitter): boolean {
  const made = foundValue(emitter, "constructor");
  for (let one: unknown = made; isObject(one); one = prototypeOf(one))
    if (/^(?:Piscina|Tinypool)$/.test(String(ownValue(one, "name")))) return true;
  return false;
}

interface Pool extends EventEmitter {
  /** Lets what is under way end first (piscina). */
  close?(): Promise<unknown>;
  destroy(): Promise<unknown>;
}

/** Nothing of the old version keeps a place or a port that the new one needs: a reload does not wait for its tasks. */
function closePool(pool: Pool): void {
  silence(pool);
  const destroy = (): void => void pool.destroy().catch(() => {});
  if (typeof pool.close === "function") pool.close().then(destroy, destroy);
  else destroy();
}

function silence(emitter: EventEmitter): void {
  emitter.removeAllListeners();
  emitter.on("error", () => {});
}

function destroy(emitter: EventEmitter & Destroyable): void {
  silence(emitter);
  emitter.destroy();
}

/** A promise when closing takes time. */
function close(emitter: EventEmitter & Closable): unknown {
  silence(emitter);
  return emitter.close();
}

function closeDatagramSocket(socket: EventEmitter & Closable): void {
  silence(socket);
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_SOCKET_DGRAM_NOT_RUNNING")) throw error;
  }
}

/** Resolves when the child has exited. One that is unref'ed is meant to live on its own, and does. */
async function endChild(child: ChildProcess): Promise<void> {
  const { _handle: handle } = child as unknown as { _handle?: { hasRef?(): boolean } | null };
  if (!handle || handle.hasRef?.() === false || child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners();
  child.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), CHILD_END_MS);
  await exited;
  clearTimeout(timer);
}

/** Idle connections end now, busy ones when their response is there. */
function retireAgent(agent: AgentInternals): void {
  agent.keepAlive = false;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy();
}

/** What has been written gets to the file. */
function endStream(stream: FileStream): Promise<void> | undefined {
  silence(stream);
  if (stream.closed) return undefined;
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.end();
  });
}
