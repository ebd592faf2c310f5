/**
 * What the app's listeners for a signal have begun, and what that begins in its turn, until it is over. By a hook of
 * `node:async_hooks`, which only an app pays for that is about to end.
 */
import { AsyncResource, createHook, executionAsyncId } from "node:async_hooks";
import { type Begun, isFollowed, isSocket, keepsResource, signOf } from "../start/signs.js";

interface Entry extends Begun {
  readonly isFollowed: boolean;
}

/** That something may come of them is certain, or likely. */
const GOES_ON = new Set(["sure", "owing", "brief"]);
const KEEPS_ALIVE = new Set([...GOES_ON, "repeating"]);

export class BegunByListeners {
  /** Async id -> what was begun; born with the resource, dies with it. */
  readonly #entries = new Map<number, Entry>();
  #isAll = false;
  /** Begun since `mark`, over or not. */
  #marked: Entry[] | undefined;
  readonly #hook = createHook({
    init: (id, type, _, resource) => this.#begun(id, type, resource),
    before: (id) => this.#continues(id),
    destroy: (id) => void this.#entries.delete(id),
    promiseResolve: (id) => void this.#entries.delete(id),
  });

  /** Runs a listener. */
  run<Result>(listener: () => Result): Result {
    this.#hook.enable();
    const root = new AsyncResource("unreloader.signal", { requireManualDestroy: true });
    const id = root.asyncId();
    this.#entries.set(id, entryOf("TickObject", undefined, 0, true));
    try {
      return root.runInAsyncScope(listener);
    } finally {
      this.#entries.delete(id);
    }
  }

  /** All that is begun from now on counts. */
  followAll(): void {
    this.#isAll = true;
  }

  /** Whether anything goes on that is more than a promise. */
  get goesOn(): boolean {
    for (const entry of this.#entries.values()) if (GOES_ON.has(signOf(entry))) return true;
    return false;
  }

  /** What is begun from here on is looked at by `outlasts`. */
  mark(): void {
    this.#marked = [];
  }

  /**
   * Whether anything begun since `mark` has kept the event loop alive, or does. Resolves a turn later, when what the ticks
   * of this one begin is there.
   */
  async outlasts(): Promise<boolean> {
    await this.#outside(() => new Promise((resolve) => setImmediate(resolve)));
    const marked = this.#marked ?? [];
    this.#marked = undefined;
    return marked.some((entry) => KEEPS_ALIVE.has(signOf(entry)));
  }

  close(): void {
    this.#hook.disable();
    this.#entries.clear();
  }

  /** Begins what is our own. */
  #outside<Result>(run: () => Result): Result {
    this.#hook.disable();
    try {
      return run();
    } finally {
      this.#hook.enable();
    }
  }

  #begun(id: number, type: string, resource: object): void {
    const creator = this.#entries.get(executionAsyncId());
    if (creator?.isFollowed !== true && !this.#isAll) return;
    const chain = (creator?.chain ?? 0) + (type === "Timeout" || type === "Immediate" ? 1 : 0);
    // One that a package or the app has made itself lasts as long as somebody holds it.
    const lasts = resource instanceof AsyncResource;
    const kept = keepsResource(type) ? resource : undefined;
    const entry = entryOf(lasts ? "TickObject" : type, kept, chain, isFollowed(type, resource));
    this.#entries.set(id, entry);
    this.#marked?.push(entry);
  }

  #continues(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.type === "PROMISE" || entry.type === "TickObject") return;
    if (isSocket(entry.type)) entry.sentBefore = (entry.resource as { bytesWritten?: number }).bytesWritten ?? 0;
    else entry.answered = true;
  }
}

function entryOf(type: string, resource: object | undefined, chain: number, follows: boolean): Entry {
  return { type, resource, chain, answered: false, sentBefore: undefined, isFollowed: follows };
}
