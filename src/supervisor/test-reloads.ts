/**
 * Reloads that nobody has asked for, so that the tests of any project prove that its answers do not depend on them:
 * UNRELOADER_TEST_RELOADS=identity:N evaluates modules again from the text they have at every N-th request, rollback:N
 * lets that fail when it is done. Which modules is random, and repeatable by seed:N.
 */
import { OptionError } from "../common/errors.js";
import { shownPath } from "../common/paths.js";
import type { LoadedApp } from "./loaded-app.js";

export const VARIABLE = "UNRELOADER_TEST_RELOADS";
/** Of so many test reloads one is of all modules. */
const ALL_IN = 4;
/** Files that a partial one begins with, at most. */
const FILES = 3;

export interface TestReload {
  readonly type: "identity" | "rollback";
  /** Files to take for changed; never none. */
  readonly files: readonly string[];
}

export class TestReloads {
  readonly #identity: number | undefined;
  readonly #rollback: number | undefined;
  /** Value of the variable that repeats this run. */
  readonly text: string;
  #state: number;
  #requests = 0;
  #due: TestReload["type"] | undefined;

  /** Undefined when the variable is not set, or empty. Throws ERR_UNRELOADER_OPTION for what does not fit. */
  static of(text: string | undefined): TestReloads | undefined {
    return text === undefined || text.trim() === "" ? undefined : new TestReloads(text);
  }

  /** The variable as it is meant. */
  get greeting(): string {
    return `${VARIABLE}=${this.text}`;
  }

  private constructor(text: string) {
    const numbers = parse(text);
    this.#identity = numbers.get("identity");
    this.#rollback = numbers.get("rollback");
    const seed = numbers.get("seed");
    this.#state = seed ?? Math.floor(Math.random() * 2 ** 31);
    this.text = seed === undefined ? `${text.trim()},seed:${this.#state}` : text.trim();
  }

  /** A request is about to be handed on. When both are due, the one that fails comes first, and the other next time. */
  count(): void {
    this.#requests++;
    if (this.#isTurn(this.#rollback)) this.#due = "rollback";
    else if (this.#isTurn(this.#identity)) this.#due = "identity";
  }

  get isDue(): boolean {
    return this.#due !== undefined;
  }

  /** What is due, of the modules that are evaluated; undefined: nothing. Once. */
  take(app: LoadedApp | undefined): TestReload | undefined {
    const type = this.#due;
    this.#due = undefined;
    if (type === undefined || app === undefined) return undefined;
    const all = [...app.graph.nodes()].flatMap(({ file, evaluated }) => (evaluated ? [file] : [])).sort();
    const chosen = this.#below(ALL_IN) === 0 ? all : this.#some(all);
    return chosen.length === 0 ? undefined : { type, files: chosen };
  }

  #isTurn(every: number | undefined): boolean {
    return every !== undefined && this.#requests % every === 0;
  }

  #some(all: readonly string[]): string[] {
    const left = [...all];
    const wanted = 1 + this.#below(FILES);
    const chosen: string[] = [];
    while (chosen.length < wanted && left.length > 0) chosen.push(...left.splice(this.#below(left.length), 1));
    return chosen;
  }

  /** A random whole number from 0 up to, not including, `limit`: mulberry32. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  }
}

function parse(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const part of text.split(",")) {
    const [, name, digits] = /^\s*(identity|rollback|seed):(\d{1,10})\s*$/.exec(part) ?? [];
    const number = Number(digits);
    if (name === undefined || (number === 0 && name !== "seed") || numbers.has(name)) {
      throw new OptionError(
        `${VARIABLE}=${text}: "${part.trim()}" does not fit; it is a list of identity:N, rollback:N and seed:N, each once, with N a whole number from 1 on`,
      );
    }
    numbers.set(name, number);
  }
  if (!numbers.has("identity") && !numbers.has("rollback")) {
    throw new OptionError(`${VARIABLE}=${text}: neither identity:N nor rollback:N is in it`);
  }
  return numbers;
}

/** One line about a reload that was rolled back. `mended`: what had to be evaluated once more. */
export function rolledBackText({ files }: TestReload, mended: readonly string[], root: string): string {
  const shown = (some: readonly string[]): string => some.map((file) => shownPath(file, root)).join(", ");
  const rest = mended.length === 0 ? "" : `; evaluated again: ${shown(mended)}`;
  return `rolled back a reload of ${shown(files)}${rest}`;
}
