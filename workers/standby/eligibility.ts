/**
 * The rule by which a package may be loaded before any code of the app has run: nothing that it could see while it is
 * loaded, and nothing that others could see of its load, depends on when that happens. Pure; the same rule chooses what a
 * standby thread loads, and checks at the takeover that it was right to do so.
 */
import type { PackageRequest } from "../../src/protocol/package-log.js";

export type JudgedRequest = Pick<
  PackageRequest,
  "file" | "afterOwnCode" | "changed" | "changedVariables" | "effects" | "variables"
> & {
  /** Folders of the package, and of all that it may load or touch. */
  readonly reaches: ReadonlySet<string>;
  /** Folder of the package itself. */
  readonly folder: string;
};

export class Eligibility {
  /** Packages that may have been changed by own code, which had them and has run since. */
  readonly #touched = new Set<string>();
  /** Packages that own code got since it ran last. */
  readonly #handed = new Set<string>();
  /** All that requests reach which are not loaded ahead: it comes later than at a start without a standby. */
  readonly #late = new Set<string>();
  #stopped: string | undefined;

  /** To be called for every request, in order. Why it may not be loaded ahead; undefined: it may. */
  next(request: JudgedRequest): string | undefined {
    const because = this.#judge(request);
    if (because !== undefined) for (const folder of request.reaches) this.#late.add(folder);
    this.#handed.add(request.folder);
    return because;
  }

  #judge({ afterOwnCode, changed, changedVariables, effects, variables, reaches }: JudgedRequest): string | undefined {
    if (afterOwnCode) {
      for (const folder of this.#handed) this.#touched.add(folder);
      this.#handed.clear();
    }
    if (changed !== undefined) this.#stopped ??= `own code has changed ${changed} before`;
    if (this.#stopped !== undefined) return this.#stopped;
    if (effects[0] !== undefined) return `it ${effects[0]}`;
    const [variable] = variables.includes("*")
      ? changedVariables
      : changedVariables.filter((v) => variables.includes(v));
    if (variable !== undefined) return `it reads the variable ${variable}, which own code has changed before`;
    const touched = first(reaches, this.#touched);
    if (touched !== undefined) return `own code had ${touched}, on which it depends, and may have changed it`;
    const late = first(reaches, this.#late);
    if (late !== undefined) return `it depends on ${late}, which is not loaded ahead`;
    return undefined;
  }
}

function first(folders: ReadonlySet<string>, among: ReadonlySet<string>): string | undefined {
  for (const folder of folders) if (among.has(folder)) return folder;
  return undefined;
}
