/**
 * The edges of one version of one file: what it has read, loaded, written to and asked for. Holds paths only, so that async
 * contexts that outlive the version keep nothing.
 */
import type { Acceptance, Asks } from "../../src/common/protocol/messages.js";
import type { RepeatedUses } from "./repeated-uses.js";

const SAYS_NOTHING: Acceptance = {
  self: false,
  exports: [],
  dependencies: [],
  declined: false,
  declinedDependencies: [],
};

export type FileUseKind = "reads" | "looks" | "links" | "lists";

export class ModuleEdges {
  readonly file: string;
  readonly observed = new Set<string>();
  readonly dynamic = new Set<string>();
  /** Own files that have set globals that it read while it was evaluated. */
  readonly globals = new Set<string>();
  /** Environment variables that it read while it was evaluated; `*`: all that there are. */
  readonly variables = new Set<string>();
  /** Own files whose state is another one since this version wrote to it. */
  readonly written = new Set<string>();
  /** What it has set that is no module's: names that are the same for all who do. */
  readonly sets = new Set<string>();
  /** The same of that to which it has added something. */
  readonly registers = new Set<string>();
  /** Files read through `node:fs`, existing or not -> hash of what was in them at the first read, if it could be read. */
  readonly reads = new Map<string, string | undefined>();
  /** Files and folders, existing or not, that are not among `reads`: whether they are there is all that was asked. As `reads`. */
  readonly looks = new Map<string, string | undefined>();
  /** Symbolic links of which was asked where they lead. */
  readonly links = new Set<string>();
  /** Folders listed. */
  readonly lists = new Set<string>();
  /** Of all these, what timers use again and again; undefined for most. */
  repeated: RepeatedUses | undefined;
  /** Those of all these that a package used while it was being loaded itself. */
  readonly usedByPackages = new Set<string>();
  /** Files that threads and processes evaluate that it has started -> when it did so first, in milliseconds since 1970. */
  readonly starts = new Map<string, number>();
  /** It was evaluated before the app, once for this thread. */
  isPreload = false;
  /** It has called `cluster.fork()`. */
  isPrimary = false;
  /** What the module has said about its reloads; undefined for most. */
  hot: Acceptance | undefined;
  /** What its calls of `unreloader/app` have asked for; undefined for most. */
  asks: Asks | undefined;
  /** closed: its window has closed. */
  #life: "open" | "closed" | "purged" = "open";
  readonly #changed: (edges: ModuleEdges) => void;

  constructor(file: string, changed: (edges: ModuleEdges) => void) {
    this.file = file;
    this.#changed = changed;
  }

  /** False once the version is purged or its window has closed: reads are nobody's from then on. */
  get open(): boolean {
    return this.#life === "open";
  }

  /** The version is purged: what its leftovers still create is to be undone at once. */
  get purged(): boolean {
    return this.#life === "purged";
  }

  /** Its window closes, or opens again: it is being evaluated. */
  setOpen(open: boolean): void {
    if (this.#life !== "purged") this.#life = open ? "open" : "closed";
  }

  purge(): void {
    this.#life = "purged";
  }

  /** It was purged, and is current again. */
  restore(): void {
    this.#life = "closed";
  }

  /** Returns whether it is the first time. */
  observe(file: string): boolean {
    if (file === this.file || this.observed.has(file)) return false;
    this.observed.add(file);
    this.#changed(this);
    return true;
  }

  /** It reads the newest version each time. */
  overlooks(file: string): void {
    if (this.observed.delete(file)) this.#changed(this);
  }

  /** Returns whether it is the first time. */
  usesGlobal(file: string): boolean {
    if (file === this.file || this.globals.has(file)) return false;
    this.globals.add(file);
    this.#changed(this);
    return true;
  }

  writes(file: string): void {
    if (file === this.file || this.written.has(file)) return;
    this.written.add(file);
    this.#changed(this);
  }

  /** What it writes there again and again is the app's state. */
  writesState(file: string): void {
    if (this.written.delete(file)) this.#changed(this);
  }

  shares(how: "sets" | "registers", name: string): void {
    if (this[how].has(name)) return;
    this[how].add(name);
    this.#changed(this);
  }

  readsFile(file: string, hash: string | undefined): void {
    if (this.reads.has(file)) return;
    this.reads.set(file, hash);
    this.looks.delete(file);
    this.#changed(this);
  }

  looksAt(file: string, hash: string | undefined): void {
    if (this.reads.has(file) || this.looks.has(file)) return;
    this.looks.set(file, hash);
    this.#changed(this);
  }

  /** What it has read, looked at or listed counts no more. */
  leaves(uses: FileUseKind, file: string): void {
    if (this[uses].delete(file)) this.#changed(this);
  }

  listsFolder(folder: string): void {
    if (this.lists.has(folder)) return;
    this.lists.add(folder);
    this.#changed(this);
  }

  followsLink(link: string): void {
    if (this.links.has(link)) return;
    this.links.add(link);
    this.#changed(this);
  }

  packageUses(file: string): void {
    if (this.usedByPackages.has(file)) return;
    this.usedByPackages.add(file);
    this.#changed(this);
  }

  startsFile(file: string): void {
    if (this.starts.has(file)) return;
    this.starts.set(file, Date.now());
    this.#changed(this);
  }

  forksCluster(): void {
    if (this.isPrimary) return;
    this.isPrimary = true;
    this.#changed(this);
  }

  /** Adds to what the module has said about its reloads. */
  says(more: Partial<Acceptance>): void {
    const said = this.hot ?? SAYS_NOTHING;
    this.hot = {
      self: said.self || more.self === true,
      exports: [...said.exports, ...(more.exports ?? [])],
      dependencies: [...said.dependencies, ...(more.dependencies ?? [])],
      declined: said.declined || more.declined === true,
      declinedDependencies: [...said.declinedDependencies, ...(more.declinedDependencies ?? [])],
    };
    this.#changed(this);
  }

  asksFor(asks: Asks): void {
    this.asks = asks;
    this.#changed(this);
  }

  loadsDynamically(file: string): void {
    if (this.dynamic.has(file)) return;
    this.dynamic.add(file);
    this.#changed(this);
  }
}
