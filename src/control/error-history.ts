/** The errors of starts, reloads and of the app that ran: when each came first, and whether the last edit has brought it. */
import type { SerializedError } from "../common/protocol/serialized-error.js";

/** The oldest go first. */
const KEPT = 100;

export type ErrorKind = "start" | "reload" | "run" | "request";

export interface KnownError {
  readonly kind: ErrorKind;
  readonly error: SerializedError;
  /** Files that import the one that failed, nearest first, up to the entry. */
  readonly importedBy: readonly string[];
  /** The generation that was loaded when it came first; 0: none yet. */
  readonly sinceGeneration: number;
  /** The generation that was loaded when it came last. */
  readonly lastGeneration: number;
  /** How often it came. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export class ErrorHistory {
  /** Key: what makes two errors the same. */
  readonly #known = new Map<string, KnownError>();
  /** What the newest code fails with, and whether what was loaded before the last edit has failed with it as well. */
  #current: { readonly key: string; readonly isNew: boolean; readonly sinceGeneration: number } | undefined;

  add(
    kind: ErrorKind,
    { error, importedBy, generation }: Pick<KnownError, "error" | "importedBy"> & { readonly generation: number },
    now = Date.now(),
  ): void {
    const key = keyOf(error);
    const before = this.#known.get(key);
    this.#known.delete(key);
    this.#known.set(key, {
      kind,
      error,
      importedBy,
      sinceGeneration: before?.sinceGeneration ?? generation,
      lastGeneration: generation,
      count: (before?.count ?? 0) + 1,
      firstAt: before?.firstAt ?? now,
      lastAt: now,
    });
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > KEPT) this.#known.delete(oldest);
  }

  /**
   * The newest code cannot be loaded, or has failed while it ran. `isSave`: files have changed since it was tried before; else
   * it is the same code again.
   */
  fails(error: SerializedError, generation: number, isSave = true): void {
    const key = keyOf(error);
    const isSame = this.#current?.key === key;
    this.#current = {
      key,
      isNew: !isSame || (!isSave && this.#current?.isNew === true),
      sinceGeneration: isSame ? (this.#current?.sinceGeneration ?? 0) : generation,
    };
  }

  /** The newest code runs. */
  mended(): void {
    this.#current = undefined;
  }

  get current(): { readonly isNew: boolean; readonly sinceGeneration: number } | undefined {
    return this.#current;
  }

  /** Those that came in `generation` or later, oldest first. */
  since(generation: number): KnownError[] {
    return [...this.#known.values()].filter(({ lastGeneration }) => lastGeneration >= generation);
  }
}

/** Its place moves when lines are added above it: that makes no other error of it. */
function keyOf({ name, code, message, location }: SerializedError): string {
  return JSON.stringify([name, code, message, location?.file]);
}
