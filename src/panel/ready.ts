/** `ready`: whether what runs is at least what somebody has asked for. Pure. */
import type { SupervisorState } from "../control/state.js";

export interface Wanted {
  /** At least this one. */
  readonly generation: number | undefined;
  /** Exactly this content hash. */
  readonly content: string | undefined;
  /** How long may be waited for it. */
  readonly timeoutMs: number;
}

/** An hour: longer waits are asked for again. */
const LONGEST_MS = 3_600_000;

/** In words: what does not fit. */
export function parseWanted(query: URLSearchParams): Wanted | string {
  for (const name of query.keys())
    if (!["generation", "content", "timeout"].includes(name))
      return `unknown parameter ${JSON.stringify(name)}: there are generation, content and timeout`;
  const generation = query.get("generation");
  if (generation !== null && !/^\d{1,15}$/.test(generation))
    return `generation is ${JSON.stringify(generation)}: a whole number fits, 0 or more`;
  const content = query.get("content");
  if (content !== null && !/^[0-9a-f]{16}$/.test(content))
    return `content is ${JSON.stringify(content)}: a content hash fits, as state has it`;
  const timeout = query.get("timeout");
  if (timeout !== null && !(/^\d{1,15}$/.test(timeout) && Number(timeout) <= LONGEST_MS))
    return `timeout is ${JSON.stringify(timeout)}: milliseconds fit, from 0 to ${LONGEST_MS}`;
  return {
    generation: generation === null ? undefined : Number(generation),
    content: content ?? undefined,
    timeoutMs: Number(timeout ?? 0),
  };
}

type Known = Pick<SupervisorState, "live" | "phase" | "generation" | "content" | "error">;

/** Why it is not, in words; undefined: it is. */
export function unreadyReason(state: Known, wanted: Wanted): string | undefined {
  const { live, phase, generation, content, error } = state;
  if (!live) {
    if (phase === "running") return "a change is about to be taken in";
    if (phase !== "failed") return PHASES[phase];
    const where = error?.file === undefined ? "" : ` (${error.file}:${error.line}:${error.column})`;
    return `the newest code does not work${where}: ${error?.message ?? "it has failed"}`;
  }
  if (wanted.generation !== undefined && generation < wanted.generation)
    return `generation ${generation} runs, and ${wanted.generation} was asked for`;
  if (wanted.content !== undefined && content !== wanted.content)
    return `content ${content} runs, and ${wanted.content} was asked for`;
  return undefined;
}

const PHASES: Readonly<Record<Exclude<Known["phase"], "failed" | "running">, string>> = {
  booting: "the app is being started",
  reloading: "a change is being taken in",
  closing: "the supervisor is being closed",
  closed: "the supervisor is closed",
};
