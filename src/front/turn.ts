/**
 * When and whether a request may pass to the app: two turns of the event loop after its first bytes, once the gate lets it.
 */
import type { OwnPage } from "../pages/own-page.js";

export type Verdict = { readonly type: "pass" } | { readonly type: "page"; readonly page: OwnPage };

export interface Gate {
  /**
   * Called for each new request, two turns of the event loop after its first bytes came in, so that a file event that was
   * there before them has been seen. Answers at once when nothing is stale: the fast path makes no promise. A promise
   * holds the request until it settles. `isAgain`: it has been asked for this request before.
   */
  check(isAgain?: boolean): Verdict | Promise<Verdict>;
  /** What a held request waits for, to follow "it waits for ": "src/db.ts, which is being evaluated". */
  waitingFor?(): string | undefined;
}

export const PASS: Verdict = { type: "pass" };

/** A gate that fails must not take the front with it: the client is told. */
export async function settledVerdict(verdict: Verdict | Promise<Verdict>): Promise<Verdict> {
  try {
    return await verdict;
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { type: "page", page: { status: 500, text: `unreloader could not check for changes: ${reason}\n` } };
  }
}

export interface AfterTurn {
  afterTurn(): void;
}

/**
 * Resolves when what was written before the call has been noticed, for requests that came from no socket: the first turn
 * may end a phase of the event loop that has looked for file events already, in the second it has looked again.
 */
export async function afterFileEvents(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

/**
 * Runs callbacks after two turns of the event loop, with one `setImmediate` for all that were added in a turn. The bytes of
 * a request may have come while the loop worked off what it had found ready before: the file event that was there before
 * them is found when it looks again, which it does in the turn after.
 */
export class Turn {
  /** Since the last step. */
  #added: AfterTurn[] = [];
  /** In the step before. */
  #ready: AfterTurn[] = [];
  #running: AfterTurn[] = [];
  #stepping = false;
  /** Steps so far. */
  #now = 0;

  /** The time of what is read now, for `haveEnded`. It stands still while nobody waits. */
  get now(): number {
    return this.#now;
  }

  /** Whether what was read at `time` has had its two turns. */
  haveEnded(time: number): boolean {
    return this.#now - time >= 2;
  }

  add(member: AfterTurn): void {
    this.#added.push(member);
    if (this.#stepping) return;
    this.#stepping = true;
    setImmediate(this.#step);
  }

  #step = (): void => {
    this.#now++;
    const running = this.#ready;
    this.#ready = this.#added;
    this.#added = this.#running;
    this.#running = running;
    this.#stepping = this.#ready.length > 0;
    if (this.#stepping) setImmediate(this.#step);
    for (const member of running) member.afterTurn();
    running.length = 0;
  };
}
