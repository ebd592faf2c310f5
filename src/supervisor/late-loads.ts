/**
 * What the version of each module that runs has loaded by `import()` and late `require()`. The graph keeps what older versions have
 * loaded as well: their state is kept when a module that loads them by a computed name is edited.
 */
import path from "node:path";
import type { CompiledModule } from "../common/compile/compiled-module.js";

export class LateLoads {
  /** File to what it has loaded; from its evaluation until it is evaluated again, purged or forgotten. */
  readonly #targets = new Map<string, ReadonlySet<string>>();

  evaluated(file: string, targets: readonly string[]): void {
    if (targets.length > 0) this.#targets.set(file, new Set(targets));
    else this.#targets.delete(file);
  }

  forget(file: string): void {
    this.#targets.delete(file);
  }

  /** Whether the module that runs has loaded the file, or names it. */
  leads(from: string, compiled: CompiledModule | undefined, to: string): boolean {
    if (this.#targets.get(from)?.has(to)) return true;
    return compiled?.dynamicImports.some((specifier) => isOf(path.resolve(path.dirname(from), specifier), to)) === true;
  }
}

/** Extensions and `index` are often left out, and may stand for others (`.js` for `.ts`). */
function isOf(named: string, file: string): boolean {
  const bare = (name: string): string => name.replace(/(?:\/index)?(?:\.[cm]?[jt]sx?)?$/, "");
  return named === file || bare(named) === bare(file);
}
