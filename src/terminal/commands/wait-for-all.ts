/** `unreloader wait --all`: until each of several addresses runs the same, by content hash. */
import { setTimeout as pause } from "node:timers/promises";
import { FIND_STEP_MS } from "../../common/deadlines.js";
import { errorText, NoSupervisorError } from "../../common/errors.js";
import type { WaitVerdict } from "../../control/wait.js";
import type { Outcome } from "./outcome.js";

export interface WaitForAll {
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  /** The verdict of the supervisor of this project: the others are to run what it runs. */
  local(): Promise<Outcome>;
}

interface Seen {
  readonly url: string;
  readonly isThere: boolean;
  readonly content: string | null;
  /** Why it does not run that, in words. */
  readonly reason: string | null;
}

export async function waitForAll({ urls, timeoutMs, local }: WaitForAll): Promise<Outcome> {
  const started = performance.now();
  const end = started + timeoutMs;
  const here = await local().catch((error: unknown) => {
    // Then they only have to agree with each other.
    if (error instanceof NoSupervisorError) return undefined;
    throw error;
  });
  if (here && here.exitCode !== 0) return here;
  const content = here && (here.answer as WaitVerdict).content;
  let before: readonly Looked[] = [];
  for (;;) {
    const askMs = Math.min(ASK_MS, Math.max(1, Math.ceil(end - performance.now())));
    const looked = await Promise.all(urls.map((url) => look(url, askMs)));
    // What was known a moment ago says more than that the time is over.
    const all = looked.map((each, index) => (each.isLate ? (before[index] ?? each) : each));
    before = all;
    const wanted = content ?? all[0]?.content ?? null;
    const seen = all.map((each) => compared(each, wanted));
    const isThere = seen.every((each) => each.isThere);
    if (isThere || performance.now() >= end) {
      const verdict = isThere ? "live" : "late";
      const durationMs = performance.now() - started;
      return {
        answer: { ...here?.answer, verdict, content: wanted, durationMs, all: seen },
        exitCode: isThere ? 0 : 4,
      };
    }
    await pause(FIND_STEP_MS);
  }
}

interface State {
  readonly live: boolean;
  readonly phase: string;
  readonly content: string | null;
}

/** One that does not answer does not keep the others from being looked at. */
const ASK_MS = 5000;

interface Looked {
  readonly url: string;
  readonly content: string | null;
  readonly reason: string | null;
  /** It has not answered in time. */
  readonly isLate?: boolean;
}

async function look(url: string, askMs: number): Promise<Looked> {
  try {
    const response = await fetch(new URL("/__unreloader/state", url), { signal: AbortSignal.timeout(askMs) });
    if (!response.ok) return { url, content: null, reason: `${response.status} ${response.statusText}` };
    const { live, phase, content } = (await response.json()) as State;
    return { url, content, reason: live ? null : phase };
  } catch (error) {
    if ((error as Error).name === "TimeoutError")
      return { url, content: null, reason: `has not answered after ${askMs} ms`, isLate: true };
    return { url, content: null, reason: errorText((error as Error).cause ?? error) };
  }
}

function compared({ url, content, reason }: Looked, wanted: string | null): Seen {
  const differs = content === wanted ? null : `runs ${content}, not ${wanted}`;
  const why = reason ?? differs;
  return { url, isThere: why === null, content, reason: why };
}
