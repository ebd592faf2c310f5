/** What is saved one after the other: the commits of a repository. */
import type { Commit, Repository } from "./repository.js";
import type { Replayed } from "./results.js";
import { planSaves, type Save } from "./saves.js";

export interface Step {
  readonly commit: Commit;
  /** Of an edit: its kind. */
  readonly edit?: string;
  readonly saves: readonly Save[];
  /** By the blobs that the saves name. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

/** What is known when the next step is chosen. */
export interface Known {
  /** What became of the last step. */
  readonly last: Replayed | undefined;
  /** Own modules of the app once it listens, relative to its folder. */
  readonly modules: readonly string[];
}

export interface Steps {
  next(known: Known): Step | undefined;
}

export class CommitSteps implements Steps {
  readonly #repository: Repository;
  readonly #commits: Iterator<Commit>;
  /** The app's folder below the repository's. */
  readonly #below: string;
  #before: Commit | undefined;

  constructor(repository: Repository, commits: readonly Commit[], below: string) {
    this.#repository = repository;
    this.#commits = commits.values();
    this.#below = below;
  }

  next(): Step | undefined {
    const { value: commit } = this.#commits.next();
    if (commit === undefined) return undefined;
    const step = stepTo(this.#repository, this.#before, commit, this.#below);
    this.#before = commit;
    return step;
  }
}

/** From one commit to the other; `before` undefined: from nothing. */
export function stepTo(repository: Repository, before: Commit | undefined, commit: Commit, below: string): Step {
  const saves = planSaves(repository.changes(before, commit, below));
  const contents = repository.read(saves.flatMap((save) => (save.kind === "write" ? save.entry.blob : [])));
  return { commit, saves, contents };
}
