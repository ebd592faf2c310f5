/** What a supervisor does when another process asks it. */
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import { WAIT_MS } from "../common/deadlines.js";
import { errorText, UnreloaderError } from "../common/errors.js";
import { serializeError } from "../common/protocol/serialized-error.js";
import { wait } from "../common/wait.js";
import type { FileRegistry } from "../files/registry.js";
import type { Entrance } from "../front/entrance.js";
import type { LeakReport } from "../leaks/leak-report.js";
import type { ResolvedOptions } from "../options/options.js";
import { serializeSourceError } from "../reports/failure.js";
import type { ReloadReport } from "../reports/report.js";
import type { Embedding } from "../supervisor/embedding.js";
import type { Hold } from "../supervisor/hold.js";
import type { LoadedApp } from "../supervisor/loaded-app.js";
import type { Monitoring } from "../supervisor/monitoring.js";
import { planOfEdit } from "../supervisor/plan-of-edit.js";
import type { Preparer } from "../supervisor/preparer.js";
import { type Answered, type CommandArguments, CommandError, type Commands } from "./commands.js";
import { requested } from "./request.js";
import { currentError, type StateView } from "./state.js";
import { type LateFailure, type WaitVerdict, waitFor } from "./wait.js";

export interface AnswersParts {
  readonly options: Pick<ResolvedOptions, "scope" | "envFiles">;
  readonly view: StateView;
  readonly cycle: {
    readonly app: LoadedApp | undefined;
    readonly generation: number;
    readonly hold: Hold;
    reload(): Promise<ReloadReport>;
    restart(): Promise<ReloadReport>;
    takeAllIn(): Promise<void>;
  };
  readonly registry: Pick<FileRegistry, "has" | "isConfig">;
  readonly monitoring: Pick<Monitoring, "recorded">;
  readonly preparer: Pick<Preparer, "syntaxErrorOf">;
  readonly embedding: Pick<Embedding, "call">;
  readonly entrance: Entrance;
  readonly leaks: { explain(): Promise<LeakReport[]> };
  /** What a request that is held waits for. */
  waitingFor(): string;
  log(message: string): void;
}

const EXIT_CODES = { live: 0, failed: 3, late: 4 } as const;

export function answersOf(parts: AnswersParts): Commands {
  const { view, cycle, leaks } = parts;
  return {
    status: async ({ files = false }) => {
      const state = view.now();
      const broken = lateFailures(undefined, parts).flatMap(({ isOld, error }) => (isOld ? [] : [error]));
      return {
        answer: { ...state, broken, ...(files && { files: loadedFiles(cycle.app) }) },
        exitCode: state.error || broken.length > 0 ? 3 : 0,
      };
    },
    wait: async ({ files, timeoutMs = WAIT_MS }, signal) => {
      const verdict = await waitFor(waitParts(parts), {
        files: files?.map((file) => placed(file, parts)),
        timeoutMs,
        signal,
      });
      return { answer: verdict, exitCode: EXIT_CODES[verdict.verdict] };
    },
    reload: ({ timeoutMs }, signal) => reported(parts, cycle.reload(), timeoutMs, signal),
    restart: ({ timeoutMs }, signal) => reported(parts, cycle.restart(), timeoutMs, signal),
    hold: async ({ forMs }) => {
      cycle.hold.begin(forMs);
      parts.log(`saves wait ${forMs === undefined ? "" : `for ${forMs / 1000} s, or `}until \`unreloader release\``);
      return { answer: { hold: cycle.hold.state } };
    },
    release: async ({ timeoutMs = WAIT_MS }, signal) => {
      const wasHeld = cycle.hold.release();
      const verdict = await waitFor(waitParts(parts), { files: undefined, timeoutMs, signal });
      return { answer: { wasHeld, ...verdict }, exitCode: EXIT_CODES[verdict.verdict] };
    },
    why: async ({ file }) => {
      const known = used(file, parts);
      return { answer: { file: known, last: view.reloads.of(known) ?? null } };
    },
    plan: async ({ file }) => ({ answer: planned(used(file, parts), parts) }),
    errors: async ({ sinceGeneration = 0 }) => ({ answer: { errors: view.errors.since(sinceGeneration) } }),
    logs: async ({ sinceGeneration: generation, sinceAt: at }) => ({
      answer: { lines: view.lines.since({ generation, at }) },
    }),
    call: (given, signal) => called(parts, given, signal),
    request: (given, signal) =>
      requested({ entrance: parts.entrance, generation: () => cycle.generation }, given, signal),
    "explain-leak": async () => ({ answer: await leaks.explain() }),
  };
}

/** Of all modules, in the order of their evaluation. */
function loadedFiles(app: LoadedApp | undefined): string[] {
  if (!app) return [];
  const evaluated = [...app.graph.files()].filter((file) => app.graph.get(file)?.evaluated);
  return app.graph.evaluationOrder(app.roots).toLoad(evaluated);
}

/** The report of what was asked for; resolves when nothing is under way. */
async function reported(
  parts: AnswersParts,
  begun: Promise<ReloadReport>,
  timeoutMs: number = WAIT_MS,
  signal: AbortSignal,
): Promise<Answered> {
  const end = performance.now() + timeoutMs;
  const done = await wait(begun, { deadlineMs: timeoutMs, signal });
  const settled = await parts.view.until((state) => state.settled, {
    deadlineMs: Math.max(0, end - performance.now()),
    signal,
  });
  const report = done.type === "settled" ? done.value : undefined;
  // What was under way when it was asked for has done it.
  const last = report?.kind === "unchanged" && settled.lastReport ? settled.lastReport : report;
  const isNewer = last !== undefined && report !== undefined && last.generation > report.generation;
  const { live, error, generation, epoch, ended } = settled;
  const answer = { report: (isNewer ? last : report) ?? null, live, ended, generation, epoch, error };
  return { answer, exitCode: settled.settled ? (error ? 3 : 0) : 4 };
}

async function called(
  { embedding, view, cycle }: AnswersParts,
  { name, args, timeoutMs }: CommandArguments<"call">,
  signal: AbortSignal,
): Promise<Answered> {
  const started = performance.now();
  const answer = (more: object) => ({
    ...{ name, generation: cycle.generation, durationMs: performance.now() - started },
    ...more,
  });
  try {
    const waited = await wait(embedding.call(name, args), { deadlineMs: timeoutMs, signal });
    if (waited.type !== "settled") throw new CommandError(`${name}() has not returned after ${timeoutMs} ms`, 4);
    return { answer: answer(answerValue(waited.value)) };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof UnreloaderError && ["ERR_UNRELOADER_CALL", "ERR_UNRELOADER_CLONE"].includes(error.code))
      throw new CommandError(error.message);
    if ((error as { code?: unknown }).code === "ERR_UNRELOADER_CALL") throw new CommandError(errorText(error));
    return { answer: answer({ error: view.now().error ?? serializeError(error) }), exitCode: 3 };
  }
}

/** `text`: of what JSON cannot express, as Node shows it. */
function answerValue(value: unknown): { readonly value: unknown; readonly text?: string } {
  try {
    const json = JSON.stringify(value);
    if (json !== undefined && isSame(value, JSON.parse(json))) return { value };
  } catch {
    // Cycles and big integers.
  }
  return { value: null, text: inspect(value, { depth: 6 }) };
}

/** Whether JSON has kept the value: dates, maps and the like come back as something else. */
function isSame(value: unknown, again: unknown): boolean {
  if (typeof value !== "object" || value === null) return Object.is(value, again);
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (!isPlain) return false;
  return Object.entries(value).every(([key, part]) => part === undefined || isSame(part, (again as never)[key]));
}

function waitParts(parts: AnswersParts): Parameters<typeof waitFor>[0] {
  const { view, cycle, waitingFor } = parts;
  return {
    view,
    takeAllIn: () => cycle.takeAllIn(),
    waitingFor: () => (cycle.hold.isActive ? "unreloader release" : waitingFor()),
    lateFailures: (files) => lateFailures(files, parts),
    uses: (file) => isUsed(file, parts),
  };
}

/**
 * Broken files that nothing but a request leads to: the thread compiles those by itself when it comes to them. Of the ones
 * that are named, and else of the ones that were saved last.
 */
function lateFailures(
  files: readonly string[] | undefined,
  { view, cycle: { app }, preparer }: AnswersParts,
): LateFailure[] {
  const leads = app?.ledTo;
  const isAskedFor = (file: string): boolean =>
    files?.includes(file) ??
    (leads?.has(file) || [...(app?.graph.importersOf(file) ?? [])].some((importer) => leads?.has(importer) === true));
  // What is gone, or has been led to by code that is gone, breaks nothing.
  const broken = new Map([...(app?.failures ?? [])].filter(([file]) => existsSync(file) && isAskedFor(file)));
  for (const file of (files ?? view.now().lastReport?.changed ?? []).filter(isAskedFor)) {
    const error = app?.graph.get(file)?.evaluated ? undefined : preparer.syntaxErrorOf(file);
    if (error) broken.set(file, error);
  }
  return [...broken].map(([file, error]) => {
    const sinceGeneration = view.lateFailureSince(file, error.message) ?? view.now().generation;
    const importedBy = [...(app?.graph.importersOf(file) ?? [])];
    return {
      file,
      isOld: sinceGeneration === 0,
      error: currentError(
        { error: serializeSourceError(error), importedBy },
        { sinceGeneration, isNew: sinceGeneration > 0 },
      ),
    };
  });
}

function planned(file: string, { cycle, monitoring, registry, options }: AnswersParts) {
  const { app } = cycle;
  if (!app) throw new CommandError("nothing is loaded yet: see unreloader status", 4);
  const { scope, envFiles } = options;
  return planOfEdit(file, { app, recorded: monitoring.recorded, scope, envFiles, isConfig: registry.isConfig(file) });
}

/** @throws CommandError for a file that has nothing to do with what runs. */
function used(file: string, parts: AnswersParts): string {
  const known = placed(file, parts);
  if (isUsed(known, parts)) return known;
  const { root } = parts.view.now();
  throw new CommandError(
    `${path.relative(root, known) || known} is no part of what runs, and nothing that runs has read it: an edit of it reloads nothing`,
  );
}

function isUsed(file: string, { cycle, registry, monitoring }: AnswersParts): boolean {
  return (
    registry.has(file) ||
    cycle.app?.graph.has(file) === true ||
    cycle.app?.failures.has(file) === true ||
    monitoring.recorded.has(file)
  );
}

/** By the name that it has here: the folder may be reached by a link. */
function placed(file: string, parts: AnswersParts): string {
  if (isUsed(file, parts)) return file;
  try {
    return path.join(realpathSync(path.dirname(file)), path.basename(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return file;
  }
}

export type { WaitVerdict };
