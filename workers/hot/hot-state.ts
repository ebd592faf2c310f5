/** What one version of a module has registered by `import.meta.hot` or `module.hot`, beside its dispose hooks. */
import type { ModuleVersion } from "../runtime/module-record.js";

/** Wants to know of new versions. */
export interface AcceptCallback {
  /** Own files; the module's own file when it accepts itself. */
  readonly files: readonly string[];
  /** `updated`: those of `files` that have a new version. */
  run(updated: readonly string[]): unknown;
  /** Gets what `run` throws; absent: it is reported. */
  onError?: ((error: unknown, updated: readonly string[]) => unknown) | undefined;
}

export type Listener = (payload: unknown) => unknown;

export class HotState {
  readonly version: ModuleVersion;
  readonly accepts: AcceptCallback[] = [];
  /** Run when nothing leads to the file any more. */
  readonly prunes: (() => unknown)[] = [];
  /** Get what the evaluation of the next version throws, when the module accepts itself (webpack). */
  readonly errorHandlers: ((error: unknown) => unknown)[] = [];
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(version: ModuleVersion) {
    this.version = version;
  }

  get file(): string {
    return this.version.record.file;
  }

  listen(event: string, listener: Listener): void {
    const known = this.#listeners.get(event);
    if (known) known.add(listener);
    else this.#listeners.set(event, new Set([listener]));
  }

  unlisten(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  listeners(event: string): Listener[] {
    return [...(this.#listeners.get(event) ?? [])];
  }
}
