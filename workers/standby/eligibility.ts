/**
 * The rule by which a package may be loaded before any code of the app has run: nothing that it could see while it is
 * loaded, and nothing that others could see of its load, depends on when that happens. Pure; the same rule chooses what a
 * standby thread loads, and checks at the takeover that it was right to do so.
 */
import type { PackageRequest } from "../../src/common/protocol/package-log.js";

export type JudgedRequest = Omit<
  PackageRequest,
  "kind" | "importer" | "attributes" | "mainModule" | "packages" | "durationMs" | "afterOwnCode"
> & {
  /** Folders of the package, and of all that it may load or touch. */
  readonly reaches: ReadonlySet<string>;
  /** Folder of the package itself. */
  readonly folder: string;
};

export class Eligibility {
  /** Packages that come later than at a start without a standby, and what they change in others. */
  readonly #late = new Set<string>();
  #stopped: string | undefined;

  /** To be called for every request, in order. Why it may not be loaded ahead; undefined: it may. */
  next(request: JudgedRequest): string | undefined {
    const because = this.#judge(request);
    if (because === undefined) return undefined;
    this.#late.add(request.folder);
    for (const folder of request.patches) this.#late.add(folder);
    if (request.patches.includes("*"))
      this.#stopped ??= `${request.folder}, which changes what others see, comes before`;
    return because;
  }

  #judge(request: JudgedRequest): string | undefined {
    const { changed, changedPackages, changedVariables, writtenFiles, effects, variables, files, reaches } = request;
    if (changed !== undefined) this.#stopped ??= `own code has changed ${changed} before`;
    if (this.#stopped !== undefined) return this.#stopped;
    if (effects[0] !== undefined) return `it ${effects[0]}`;
    const [variable] = variables.includes("*")
      ? changedVariables
      : changedVariables.filter((name) => variables.includes(name));
    if (variable !== undefined) return `it reads the variable ${variable}, which own code has changed before`;
    const written = files.find((file) => writtenFiles.includes(file));
    if (written !== undefined) return `it reads ${written}, which own code has written before`;
    const touched = changedPackages.find((folder) => reaches.has(folder));
    if (touched !== undefined) return `own code has changed ${touched} before, on which it depends`;
    for (const folder of this.#late)
      if (reaches.has(folder)) return `it depends on ${folder}, which is not loaded ahead`;
    return undefined;
  }
}
