/** Runs a command: asks the supervisor that it means, prints what that answers, and sets the exit code. */
import { statSync } from "node:fs";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { FIND_MS, WAIT_MS } from "../../common/deadlines.js";
import { errorText, NoSupervisorError, OptionError } from "../../common/errors.js";
import { visibleJson } from "../../common/visible-text.js";
import type { Question } from "../../control/ask-supervisor.js";
import { nearestPackageFolder } from "../../options/project-root.js";
import { ownLines } from "../terminal-lines.js";
import { COMMANDS, usageOfCommand } from "./command-table.js";
import { findAndAsk, Refused } from "./find-and-ask.js";
import type { ExitCode, Outcome } from "./outcome.js";
import { type ParsedCommand, parseCommand } from "./parse-command.js";

/** `argv` begins with the word of the command. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const isJson = argv.includes("--json");
  try {
    const parsed = parseCommand(argv, process.cwd());
    checkRoot(parsed);
    if (parsed.help) ownLines().write("stdout", helpOf(parsed.word).split("\n"));
    else {
      const outcome = await carryOut(parsed);
      if (outcome) await print(parsed, outcome);
    }
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (exitCode === undefined) throw error;
    tellFailure(errorText(error), exitCode, isJson);
  }
}

function checkRoot({ root }: ParsedCommand): void {
  if (root !== undefined && attempt(() => statSync(root))?.isDirectory() !== true)
    throw new OptionError(`--root ${root}: there is no such folder`);
}

function helpOf(word: string): string {
  return `Usage: ${usageOfCommand(word)} [--root DIR] [--pid N] [--json]\n${COMMANDS[word]?.doc ?? ""}`;
}

/** Undefined for what is no error of the user's. */
function exitCodeOf(error: unknown): ExitCode | undefined {
  if (error instanceof Refused) return error.exitCode;
  if (error instanceof OptionError) return 1;
  return error instanceof NoSupervisorError ? 4 : undefined;
}

function tellFailure(message: string, exitCode: ExitCode, isJson: boolean): void {
  if (isJson) ownLines().write("stdout", [visibleJson(JSON.stringify({ error: { message }, exitCode }))]);
  else ownLines().write("stderr", `unreloader: ${message}`.split("\n"));
  process.exitCode = exitCode;
}

/** Enough for medians that hold, and over in seconds. */
const BENCH_ROUNDS = 10;

/** Commands that put no question to one running supervisor; what they load is seldom needed. */
const LOCAL: Readonly<Record<string, (parsed: ParsedCommand) => Promise<Outcome | undefined>>> = {
  doctor: async (parsed) => (await import("../doctor/doctor.js")).doctor(rootOf(parsed)),
  bench: async (parsed) => {
    const { rounds, file } = parsed.flags;
    return (await import("../bench/bench.js")).bench({
      ...{ entry: parsed.words[0], root: rootOf(parsed), isJson: parsed.json },
      rounds: typeof rounds === "number" ? rounds : BENCH_ROUNDS,
      files: (file as readonly string[] | undefined) ?? [],
    });
  },
  init: async (parsed) =>
    (await import("../init/init.js")).init(parsed.words[0], rootOf(parsed), {
      isAgreed: "yes" in parsed.flags,
      isJson: parsed.json,
    }),
  mcp: async (parsed) => (await import("../mcp/serve-mcp.js")).serveMcp(rootOf(parsed), parsed.pid),
};

async function print(parsed: ParsedCommand, { answer, exitCode }: Outcome): Promise<void> {
  process.exitCode = exitCode;
  if (parsed.json || parsed.flags["log-format"] === "json") {
    // One leak a line, as it was before there was --json.
    const lines = Array.isArray(answer) && !parsed.json ? answer : [Array.isArray(answer) ? { leaks: answer } : answer];
    for (const line of lines) ownLines().write("stdout", [visibleJson(JSON.stringify(line))]);
    return;
  }
  const { answerText } = await import("./answer-text.js");
  const text = answerText(parsed, answer, process.cwd());
  if (text !== "") ownLines().write("stdout", text.replace(/\n$/, "").split("\n"));
}

/** Undefined: it has said itself what is to be said. */
async function carryOut(parsed: ParsedCommand): Promise<Outcome | undefined> {
  const { word, urls } = parsed;
  const local = LOCAL[word];
  if (local) return local(parsed);
  if (word === "ls") {
    const { supervisorsOfUser } = await import("../../control/supervisors-of-user.js");
    return { answer: { supervisors: (await supervisorsOfUser()).map(({ state }) => state) }, exitCode: 0 };
  }
  const format = parsed.flags["log-format"] ?? "pretty";
  if (format !== "pretty" && format !== "json")
    throw new OptionError(`--log-format must be pretty or json, got ${String(format)}`);
  if (urls === undefined) return asked(parsed, questionOf(parsed));
  const { waitForAll } = await import("./wait-for-all.js");
  const timeoutMs = timeoutOf(parsed);
  return waitForAll({ urls, timeoutMs, local: () => asked(parsed, questionOf(parsed)) });
}

function timeoutOf({ flags }: ParsedCommand): number {
  return typeof flags.timeout === "number" ? flags.timeout : WAIT_MS;
}

/** What the supervisor answers. `wait` may be called beside the start of the app: the supervisor may not be there yet. */
function asked(parsed: ParsedCommand, question: Question): Promise<Outcome> {
  const { word, pid, flags } = parsed;
  const root = rootOf(parsed);
  const comesInMs = word !== "wait" ? 0 : flags.timeout === undefined ? FIND_MS : timeoutOf(parsed);
  const remark = (text: string): void => ownLines().write("stderr", [`unreloader: ${text}`]);
  return findAndAsk({ root, pid, comesInMs, remark }, question);
}

function rootOf({ root }: ParsedCommand): string {
  return root ?? nearestPackageFolder(path.join(process.cwd(), "any"));
}

function questionOf(parsed: ParsedCommand): Question {
  const { word: command, words, flags } = parsed;
  const placed = (file: string): string => path.resolve(process.cwd(), file);
  const timeout = flags.timeout === undefined ? {} : { timeoutMs: flags.timeout };
  switch (command) {
    case "wait":
      return { command, ...timeout, ...(words.length > 0 && { files: words.map(placed) }) };
    case "hold":
      return { command, ...(flags.for !== undefined && { forMs: flags.for }) };
    case "why":
    case "plan":
      return { command, file: placed(words[0] ?? "") };
    case "errors":
      return { command, ...(flags.since !== undefined && { sinceGeneration: flags.since }) };
    case "logs":
      return { command, ...sinceOf(flags.since) };
    case "call":
      return { command, name: words[0], args: words.slice(1).map(jsonOf), ...timeout };
    case "request": {
      const headers = (flags.header as readonly string[] | undefined)?.map(headerOf);
      return {
        ...{ command, method: words[0], url: words[1] },
        ...(headers && { headers }),
        ...(flags.data !== undefined && { body: flags.data }),
        ...timeout,
      };
    }
    default:
      return { command, ...timeout };
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `30s`, or the number of a generation. */
function sinceOf(since: unknown): object {
  const [, count, unit] = /^(\d+)([smh]?)$/.exec(String(since ?? "")) ?? [];
  if (count === undefined) return {};
  if (!unit) return { sinceGeneration: Number(count) };
  return { sinceAt: Date.now() - Number(count) * (SECONDS[unit] ?? 1) * 1000 };
}

function jsonOf(word: string, index: number): unknown {
  try {
    return JSON.parse(word);
  } catch {
    throw new OptionError(`argument ${index + 1} ${word}: expected JSON, such as 1, true, '"text"' or '{"a":1}'`);
  }
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf(":");
  if (at <= 0) throw new OptionError(`--header ${text}: expected NAME: VALUE, such as 'accept: application/json'`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
