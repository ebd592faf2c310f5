/** Finds the supervisor that a command means, and asks it. */
import { setTimeout as pause } from "node:timers/promises";
import { FIND_MS, FIND_STEP_MS } from "../../common/deadlines.js";
import { NoSupervisorError } from "../../common/errors.js";
import { askSupervisor, type Question } from "../../control/ask-supervisor.js";
import { chooseSupervisor } from "../../control/choose-supervisor.js";
import type { ExitCode, Outcome } from "./outcome.js";

export interface Meant {
  readonly root: string;
  readonly pid: number | undefined;
  /** It may not be there yet: so long it is looked for. */
  readonly comesInMs: number;
  /** What should be said about the choice. */
  remark(text: string): void;
}

/** The supervisor has answered that it cannot. */
export class Refused extends Error {
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @throws Refused, or NoSupervisorError when there is none, or it ends before it has answered and no other takes its place. */
export async function findAndAsk({ root, pid, comesInMs, remark }: Meant, question: Question): Promise<Outcome> {
  let end = performance.now() + comesInMs;
  for (;;) {
    try {
      const { supervisor, remark: text } = await chooseSupervisor(root, pid);
      if (text !== undefined) remark(text);
      // Should it end now, another process may take its place.
      if (comesInMs > 0) end = Math.max(end, performance.now() + FIND_MS);
      const reply = await askSupervisor(supervisor, question);
      if ("error" in reply) throw new Refused(reply.error, reply.exitCode);
      return { answer: reply.answer as object, exitCode: reply.exitCode };
    } catch (error) {
      const isOver = pid !== undefined || performance.now() >= end;
      if (!(error instanceof NoSupervisorError) || isOver) throw error;
      await pause(FIND_STEP_MS);
    }
  }
}
