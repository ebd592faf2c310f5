/** The verdict of `wait` after a random edit, beside what a fresh process says. */
import { askSupervisor } from "../../src/control/ask-supervisor.js";
import { chooseSupervisor } from "../../src/control/choose-supervisor.js";
import type { SupervisorState } from "../../src/control/state.js";
import type { WaitVerdict } from "../../src/control/wait.js";
import { DEADLINE_MS } from "./deadline.js";
import type { FreshAnswers } from "./fuzz-fresh.js";

/** `off`, or `all`: after each step; else after every other one, since a request has to notice edits by itself as well. */
export function isWaitedAfter(step: number): boolean {
  const mode = process.env.UNRELOADER_FUZZ_WAIT;
  return mode === "all" || (mode !== "off" && step % 2 === 0);
}

/** How often, for the diagnostics of a long run. */
export const waits: { edits: number; total: number; live: number; failed: number } = {
  ...{ edits: 0, total: 0, live: 0, failed: 0 },
};

/** Milliseconds from the question to the answer, and without what the reload itself took. */
export const waitTimes: { readonly whole: number[]; readonly above: number[] } = { whole: [], above: [] };

export class AskedToWait {
  readonly #folder: string;
  #verdict: WaitVerdict | undefined;
  #tookMs = 0;
  /** What the report before has told. */
  #reportedMs: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** As `unreloader wait`, without the process. */
  async ask(): Promise<void> {
    const { supervisor } = await chooseSupervisor(this.#folder, undefined);
    const started = performance.now();
    const reply = await askSupervisor(supervisor, { command: "wait", timeoutMs: DEADLINE_MS });
    this.#tookMs = performance.now() - started;
    if ("error" in reply) throw new Error(`wait: ${reply.error}`);
    this.#verdict = reply.answer as WaitVerdict;
  }

  /** What is wrong with the verdict, or undefined. `mayBeStrict`: code that only requests lead to is broken. To be called after those. */
  async compare(fresh: FreshAnswers, mayBeStrict: boolean): Promise<string | undefined> {
    const verdict = this.#verdict;
    this.#verdict = undefined;
    if (!verdict) return undefined;
    waits.total++;
    if (verdict.verdict === "late") return `wait: late, waiting for ${verdict.waitingFor}`;
    waits[verdict.verdict]++;
    if ("failure" in fresh && verdict.verdict === "live") return `wait: live; a fresh process fails: ${fresh.failure}`;
    if (!("failure" in fresh) && verdict.verdict === "failed" && !mayBeStrict)
      return `wait: failed with ${verdict.error?.message}; a fresh process answers`;
    if (verdict.verdict === "failed" && !verdict.error) return "wait: failed, and no error";
    const { generation, lastReport } = await this.#state();
    const reloadMs = lastReport && lastReport.durationMs !== this.#reportedMs ? lastReport.durationMs : 0;
    this.#reportedMs = lastReport?.durationMs;
    waitTimes.whole.push(this.#tookMs);
    waitTimes.above.push(Math.max(0, this.#tookMs - reloadMs));
    if (generation === verdict.generation) return undefined;
    return `wait: ${verdict.verdict} as generation ${verdict.generation}, and requests have led to ${generation}`;
  }

  async #state(): Promise<SupervisorState> {
    const { supervisor } = await chooseSupervisor(this.#folder, undefined);
    const reply = await askSupervisor(supervisor, { command: "status" });
    if ("error" in reply) throw new Error(`status: ${reply.error}`);
    return reply.answer as SupervisorState;
  }
}
