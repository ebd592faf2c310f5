/** Waits until what runs contains the files as they are now, or has refused them. */
import { existsSync } from "node:fs";
import { wait } from "../common/wait.js";
import type { CurrentError, StateView, SupervisorState } from "./state.js";

export interface WaitVerdict {
  /** `late`: neither in time. */
  readonly verdict: "live" | "failed" | "late";
  readonly generation: number;
  readonly epoch: number;
  /** Hash of what runs, the same on every machine. */
  readonly content: string | null;
  readonly phase: SupervisorState["phase"];
  /** Of "failed". */
  readonly error: CurrentError | null;
  /** Of "late": what it waits for. */
  readonly waitingFor: string | null;
  /** Files that were named and that nothing that runs is made from. */
  readonly unused: readonly string[];
  /** Of these, the ones that are not there: deleted, or a slip of the pen. */
  readonly missing: readonly string[];
  readonly durationMs: number;
}

/** Code that is broken and that only late code leads to: the app runs, and who comes there gets the error. */
export interface LateFailure {
  readonly file: string;
  readonly error: CurrentError;
  /** It was so at the start already. */
  readonly isOld: boolean;
}

export interface WaitParts {
  readonly view: StateView;
  /** As of the reload cycle. */
  takeAllIn(): Promise<void>;
  waitingFor(): string;
  /** Undefined: of all files. */
  lateFailures(files: readonly string[] | undefined): readonly LateFailure[];
  /** Whether what runs is made from the file, or would be after a reload. */
  uses(file: string): boolean;
}

export interface WaitFor {
  /** Absolute paths; undefined: all. */
  readonly files: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export async function waitFor(parts: WaitParts, { files, timeoutMs, signal }: WaitFor): Promise<WaitVerdict> {
  const { view } = parts;
  const started = performance.now();
  const end = started + timeoutMs;
  const left = (): number => Math.max(0, end - performance.now());
  const answer = (verdict: WaitVerdict["verdict"], more: Partial<WaitVerdict> = {}): WaitVerdict => {
    const { generation, epoch, content, phase } = view.now();
    // What has failed would be part of it.
    const unused = files?.filter((file) => !parts.uses(file) && file !== more.error?.file) ?? [];
    return {
      verdict,
      generation,
      epoch,
      content,
      phase,
      error: null,
      waitingFor: null,
      unused,
      missing: unused.filter((file) => !existsSync(file)),
      durationMs: performance.now() - started,
      ...more,
    };
  };
  for (;;) {
    const waited = await wait(parts.takeAllIn(), { deadlineMs: left(), signal });
    const { error, phase, settled, ended } = view.now();
    if (waited.type === "settled" && settled) {
      if (phase === "failed" && !ended) return answer("failed", { error });
      const broken = parts.lateFailures(files).find(({ isOld }) => files !== undefined || !isOld);
      if (broken) return answer("failed", { error: broken.error });
      if (phase === "running" || phase === "failed") return answer("live");
    }
    if (waited.type !== "settled" || phase === "closing" || phase === "closed" || left() === 0)
      return answer("late", { waitingFor: parts.waitingFor() });
    // With `hold` or a cooldown, what was saved is not taken in yet.
    await view.until((state) => state.settled, { deadlineMs: left(), signal });
    if (signal.aborted) return answer("late", { waitingFor: parts.waitingFor() });
  }
}
