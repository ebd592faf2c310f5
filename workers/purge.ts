/**
 * The order in which a module version goes: its own dispose hooks, what it created, its registrations in libraries, its
 * classes. (The module itself comes last; the runtime sees to that.) A step that fails is reported and stops no other.
 */
import { types } from "node:util";
import type { ModuleVersion } from "./runtime/module-record.js";
import type { Waits } from "./waits.js";

export interface PurgeStep {
  /** For messages: "dispose", "ledger". */
  readonly name: string;
  /** The same for those who have to wait for it: with `of FILE` after it. Absent: the step says so itself. */
  readonly waitsFor?: string;
  /** Returns, or resolves with, whether there was anything to do. */
  run(version: ModuleVersion): boolean | Promise<boolean>;
}

export interface PurgeOptions {
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  /** In order. */
  readonly steps: readonly PurgeStep[];
  failed(file: string, step: string, error: unknown): void;
}

export class Purge {
  readonly #options: PurgeOptions;
  /** Files that going back leaves without something, or with too much, since the last `takeEffects`. */
  readonly #effects = new Set<string>();

  constructor(options: PurgeOptions) {
    this.#options = options;
  }

  /** Runs the steps for one version. A promise only when one of them takes time. */
  run(version: ModuleVersion): Promise<void> | undefined {
    return this.#runFrom(0, version);
  }

  /** What was being loaded instead of the purged has changed these files' state: going back leaves them with it. */
  affected(files: Iterable<string>): void {
    for (const file of files) this.#effects.add(file);
  }

  takeEffects(): string[] {
    const effects = [...this.#effects];
    this.#effects.clear();
    return effects;
  }

  #runFrom(first: number, version: ModuleVersion): Promise<void> | undefined {
    const { steps, failed, waits } = this.#options;
    const { file } = version.record;
    for (const [index, step] of steps.entries()) {
      if (index < first) continue;
      try {
        const done = step.run(version);
        if (types.isPromise(done)) {
          const effect = waits && step.waitsFor ? waits.during(step.waitsFor, file, done) : done;
          return effect
            .then(
              (effect) => this.#note(file, effect),
              (error: unknown) => failed(file, step.name, error),
            )
            .then(() => this.#runFrom(index + 1, version));
        }
        this.#note(file, done);
      } catch (error) {
        failed(file, step.name, error);
      }
    }
    return undefined;
  }

  #note(file: string, effect: boolean): void {
    if (effect) this.#effects.add(file);
  }
}
