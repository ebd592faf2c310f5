/** Finds the supervisor that a command means, and asks it. */
import { setTimeout as pause } from "node:timers/promises";
import { FIND_MS, FIND_STEP_MS } from "../../common/deadlines.js";
import { NoSupervisorError } from "../../common/errors.js";
import { askSupervisor, type Question, UnreachableSupervisor } from "../../control/ask-supervisor.js";
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
  const dead = new Set<string>();
  for (;;) {
    let asked: string | undefined;
    try {
      const { supervisor, remark: text } = await chooseSupervisor(root, pid, dead);
      asked = supervisor.address;
      if (text !== undefined) remark(text);
      const reply = await askSupervisor(supervisor, question);
      if ("error" in reply) throw new Refused(reply.error, reply.exitCode);
      return { answer: reply.answer as object, exitCode: reply.exitCode };
    } catch (error) {
      if (!(error instanceof NoSupervisorError)) throw error;
      if (error instanceof UnreachableSupervisor && asked !== undefined) {
        dead.add(asked);
        continue;
      }
      // One that has ended while it was asked: another process may take its place.
      if (comesInMs > 0 && asked !== undefined) end = Math.max(end, performance.now() + FIND_MS);
      if (pid !== undefined || performance.now() >= end) throw error;
      await pause(FIND_STEP_MS);
      // It may listen again.
      dead.clear();
    }
  }
}
