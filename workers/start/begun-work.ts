/**
 * Knows whether anything that an evaluation has begun may still lead to a `listen()`: until then the public port of a
 * server that a reload or a restart has closed stays open. It follows what modules begin while they are evaluated, and what
 * that begins in its turn, with `node:async_hooks`; by the ids of executions and not by an AsyncLocalStorage, so that what
 * an interval does can be left out, and that all versions of Node behave the same. The hook is on from the begin of such an
 * evaluation until the start is over, and never for a start that no port waits for: requests pay nothing afterwards.
 */
import { AsyncResource, createHook, executionAsyncId } from "node:async_hooks";
import type { ModuleEdges } from "../runtime/module-edges.js";
import { type Begun, isFollowed, isSocket, keepsResource, mayListen, type Sign, signOf } from "./signs.js";

export interface BegunWorkOptions {
  /** Whether a port still waits for a server. */
  readonly needed: () => boolean;
  /** Whether a server was made that has not listened. */
  readonly unlistened: () => boolean;
  /** Nothing is left of all that was begun, or nobody waits for it any more. */
  readonly done: () => void;
}

/** What goes on has ends of many kinds, not all of which are told. */
const LOOK_MS = 25;

interface Entry extends Begun {
  /** The version whose evaluation it goes back to: what a purged one has begun is no sign any more. */
  readonly owner: ModuleEdges;
  readonly isFollowed: boolean;
  /** Of a MessagePort that belongs to a thread: that thread. */
  readonly worker: Entry | undefined;
}

type RunWithin = <T>(edges: ModuleEdges, run: () => T) => T;

export class BegunWork {
  readonly #options: BegunWorkOptions;
  /** Async id -> what was begun under it; born with the resource, dies with it, or with the start. */
  readonly #entries = new Map<number, Entry>();
  readonly #hook = createHook({
    init: (id, type, _, resource) => this.#begun(id, type, resource),
    before: (id) => this.#continues(id),
    destroy: (id) => void this.#entries.delete(id),
    promiseResolve: (id) => void this.#entries.delete(id),
  });
  /** The thread that is being made: the ports that follow are its own. */
  #newWorker: { readonly entry: Entry; readonly execution: number } | undefined;
  #active = false;
  #evaluating = 0;
  #endedAt = 0;
  #sureAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BegunWorkOptions) {
    this.#options = options;
  }

  /** Runs a piece of a module's evaluation; undefined while nobody has to know what it begins. */
  get within(): RunWithin | undefined {
    return this.#active ? this.#runWithin : undefined;
  }

  get active(): boolean {
    return this.#active;
  }

  /** An evaluation begins that a port waits for. What earlier ones have begun still counts. */
  begin(): void {
    this.#evaluating++;
    clearTimeout(this.#timer);
    if (this.#active) return;
    this.#active = true;
    this.#hook.enable();
  }

  /** An evaluation that began has ended, or failed. */
  end(): void {
    this.#evaluating--;
    if (this.#evaluating > 0) return;
    this.#endedAt = this.#sureAt = performance.now();
    // What it leaves to the same turn (a `listening` event) has not happened yet.
    this.#lookIn(0);
  }

  /** Nobody has to know any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#hook.disable();
    this.#active = false;
    this.#entries.clear();
    this.#newWorker = undefined;
  }

  readonly #runWithin: RunWithin = (edges, run) => {
    const root = new AsyncResource("unreloader.evaluation", { requireManualDestroy: true });
    const id = root.asyncId();
    this.#entries.set(id, {
      type: "TickObject",
      resource: undefined,
      chain: 0,
      answered: false,
      sentBefore: undefined,
      owner: edges,
      isFollowed: true,
      worker: undefined,
    });
    try {
      return root.runInAsyncScope(run);
    } finally {
      this.#entries.delete(id);
    }
  };

  #begun(id: number, type: string, resource: object): void {
    const execution = executionAsyncId();
    const creator = this.#entries.get(execution);
    if (creator === undefined || !creator.isFollowed) return;
    // One that a package or the app has made itself lasts as long as somebody holds it.
    const lasts = resource instanceof AsyncResource;
    const entry: Entry = {
      type: lasts ? "TickObject" : type,
      resource: keepsResource(type) ? resource : undefined,
      chain: creator.chain + (type === "Timeout" || type === "Immediate" ? 1 : 0),
      answered: false,
      sentBefore: undefined,
      owner: creator.owner,
      isFollowed: isFollowed(type, resource),
      worker: type === "MESSAGEPORT" ? this.#workerOf(execution) : undefined,
    };
    this.#entries.set(id, entry);
    if (type === "WORKER") this.#newWorker = { entry, execution };
  }

  #workerOf(execution: number): Entry | undefined {
    return this.#newWorker?.execution === execution ? this.#newWorker.entry : undefined;
  }

  #continues(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.type === "PROMISE" || entry.type === "TickObject") return;
    const resource = entry.resource as { readonly bytesWritten?: number; hasRef?(): boolean } | undefined;
    if (isSocket(entry.type)) entry.sentBefore = resource?.bytesWritten ?? 0;
    // Of a thread's ports, the one that its messages come through keeps this thread alive; Node's own do not.
    else if (entry.worker !== undefined && resource?.hasRef?.()) entry.worker.answered = true;
    else entry.answered = true;
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    if (this.#options.needed() && this.#mayListen()) {
      this.#lookIn(LOOK_MS);
      return;
    }
    this.close();
    this.#options.done();
  }

  #mayListen(): boolean {
    const now = performance.now();
    const signs = this.#signs();
    if (signs.has("sure")) this.#sureAt = now;
    return mayListen(signs, this.#options.unlistened(), {
      sinceEnd: now - this.#endedAt,
      sinceSure: now - this.#sureAt,
    });
  }

  #signs(): Set<Sign> {
    const signs = new Set<Sign>();
    for (const entry of this.#entries.values()) if (!entry.owner.purged) signs.add(signOf(entry));
    return signs;
  }
}
