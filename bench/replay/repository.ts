/** A git repository that is read and never written to: its commits, and what each has changed. */
import { spawnSync } from "node:child_process";

export interface Commit {
  readonly id: string;
  readonly subject: string;
}

/** A file, or a symbolic link, of a commit. */
export interface TreeEntry {
  /** Relative to the app's folder, with slashes. */
  readonly path: string;
  readonly mode: FileMode;
  readonly blob: string;
}

export type FileMode = "file" | "executable" | "link";

/** What a commit has done to one path; `entry` is undefined when it has deleted it. */
export interface Change {
  readonly path: string;
  readonly entry: TreeEntry | undefined;
}

/** A reason for which nothing can be replayed, in words for whoever has called. */
export class ReplayError extends Error {}

const NO_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const MODES: Readonly<Record<string, FileMode>> = { "100644": "file", "100755": "executable", "120000": "link" };
const MAX_OUTPUT = 1024 ** 3;

export class Repository {
  readonly #folder: string;

  /** `folder`: bare, or with a work tree, or a folder inside of one. @throws ReplayError */
  constructor(folder: string) {
    this.#folder = folder;
    this.#run(["rev-parse", "--git-dir"]);
  }

  /**
   * The last `count` commits up to `tip` that have changed something in `paths` (all, when there is none), oldest first;
   * of merges, the line that was merged into.
   */
  commits(tip: string, count: number, paths: readonly string[]): Commit[] {
    const list = ["rev-list", "--first-parent", `--max-count=${count}`, "--format=%H %s", tip, "--", ...paths];
    return lines(this.#run(list).toString())
      .filter((line) => !line.startsWith("commit "))
      .map((line) => ({ id: line.slice(0, line.indexOf(" ")), subject: line.slice(line.indexOf(" ") + 1) }))
      .reverse();
  }

  idOf(revision: string): string {
    return this.#run(["rev-parse", "--verify", `${revision}^{commit}`])
      .toString()
      .trim();
  }

  /** What leads from one commit to the other, below the folder; `from` undefined: from nothing. */
  changes(from: Commit | undefined, to: Commit, below: string): Change[] {
    const trees = [from === undefined ? NO_TREE : this.#tree(from, below), this.#tree(to, below)];
    return changesOf(this.#run(["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", ...trees]).toString());
  }

  /** The contents of blobs; those that the repository does not have (a partial copy) are not in the answer. */
  read(blobs: readonly string[]): Map<string, Buffer> {
    return blobs.length === 0 ? new Map() : blobsOf(this.#run(["cat-file", "--batch"], `${blobs.join("\n")}\n`));
  }

  #tree(commit: Commit, below: string): string {
    const ask = ["rev-parse", "--verify", "--quiet", `${commit.id}:${below}`];
    const { status, stdout } = this.#spawn(ask);
    return status === 0 ? stdout.toString().trim() : NO_TREE;
  }

  #run(words: readonly string[], input?: string): Buffer {
    const { status, stdout, stderr } = this.#spawn(words, input);
    if (status !== 0) throw new ReplayError(`git ${words[0]} in ${this.#folder}: ${stderr.toString().trim()}`);
    return stdout;
  }

  #spawn(words: readonly string[], input = "") {
    // Whoever it belongs to: nothing of it is run. And what a partial copy lacks is not brought.
    const git = ["-c", "safe.directory=*", "-C", this.#folder, ...words];
    const env = { ...process.env, GIT_OPTIONAL_LOCKS: "0", GIT_NO_LAZY_FETCH: "1", LC_ALL: "C" };
    const result = spawnSync("git", git, { env, input, maxBuffer: MAX_OUTPUT });
    const { error } = result;
    if (error === undefined) return result;
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new ReplayError("git is not on this machine, or not in PATH: a replay reads the repository by it");
    throw error;
  }
}

/** The answer of `git diff-tree --raw -z`. What is no file and no link (a submodule) is deleted, or was never there. */
export function changesOf(raw: string): Change[] {
  const words = raw.split("\0");
  const changes: Change[] = [];
  for (let index = 0; index + 1 < words.length; index += 2) {
    const [, mode = "", , blob = ""] = (words[index] ?? "").split(" ");
    const path = words[index + 1] ?? "";
    const kind = MODES[mode];
    changes.push({ path, entry: kind === undefined ? undefined : { path, mode: kind, blob } });
  }
  return changes;
}

/** The answer of `git cat-file --batch`. */
export function blobsOf(output: Buffer): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>();
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf("\n", at);
    const [blob = "", type, size] = output.subarray(at, end).toString().split(" ");
    at = end + 1;
    if (type !== "blob") continue;
    blobs.set(blob, output.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return blobs;
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
