/**
 * Which names a file can have to be what a specifier of the app means. Files that come all the time (logs, coverage, what
 * editors leave behind) are no reason to look into anything, and least of all to keep a request waiting.
 */
import path from "node:path";
import { stem } from "./relink.js";

/** Named by folders, or read on the way to what a specifier means. */
const ALWAYS = /^(index|package|tsconfig|jsconfig)\b|^node_modules$/;
/** What `#name` means stands in package.json: a file of code with any name. */
const CODE = /\.([cm]?[jt]sx?|json|node|wasm)$/;
/** Computed specifiers may hold whatever clients send. From so many on, everything that comes is taken to concern them. */
const LATE = 2000;
/** Names that were skipped: as many as may have come while a report of the thread was on its way. */
const SKIPPED = 512;

export class NamesInUse {
  /** Last parts of specifiers, without extension; never taken out: where they led may be asked again. */
  readonly #stems = new Set<string>();
  /** Stem -> the file that came last with it and was said to concern nobody. Bounded, oldest first out. */
  readonly #skipped = new Map<string, string>();
  readonly #concernsAfterAll: (file: string) => void;
  #isAnyCode = false;
  /** How many of the stems are only those of computed specifiers. */
  #late = 0;

  /** `concernsAfterAll` is called when a file that has come is named by a specifier that was not known then. */
  constructor(concernsAfterAll: (file: string) => void) {
    this.#concernsAfterAll = concernsAfterAll;
  }

  /** A specifier that was computed. */
  addLate(specifier: string): void {
    if (this.#late >= LATE) return;
    const before = this.#stems.size;
    this.add(specifier);
    this.#late += this.#stems.size - before;
  }

  /** A specifier that stands in the text of a module. */
  add(specifier: string): void {
    const last = path.posix.basename(specifier);
    if (last.startsWith("#")) this.#isAnyCode = true;
    const name = stem(last);
    if (this.#stems.has(name)) return;
    this.#stems.add(name);
    const skipped = this.#skipped.get(name);
    if (skipped === undefined) return;
    this.#skipped.delete(name);
    this.#concernsAfterAll(skipped);
  }

  /** Whether a file or folder that has come may be meant by a specifier. */
  concerns(file: string): boolean {
    if (this.#late >= LATE) return true;
    const name = path.basename(file);
    const short = stem(name);
    if (this.#stems.has(short) || this.#stems.has(name) || ALWAYS.test(name)) return true;
    if (this.#isAnyCode && CODE.test(name)) return true;
    this.#skipped.delete(short);
    this.#skipped.set(short, file);
    const [oldest] = this.#skipped.keys();
    if (this.#skipped.size > SKIPPED && oldest !== undefined) this.#skipped.delete(oldest);
    return false;
  }
}
