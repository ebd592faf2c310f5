/** What a command line of a command asks for. */
import path from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../../common/errors.js";
import { nearestName } from "../../options/nearest-name.js";
import { COMMANDS, COMMON_FLAGS, type FlagKind, usageOfCommand } from "./command-table.js";

export interface ParsedCommand {
  readonly word: string;
  /** Absolute; undefined: the project of the working folder. */
  readonly root: string | undefined;
  readonly pid: number | undefined;
  readonly json: boolean;
  readonly help: boolean;
  /** Those that follow, without the ones of `--all`. */
  readonly words: readonly string[];
  /** Those after `--all`; undefined: not asked for. */
  readonly urls: readonly string[] | undefined;
  /** Flag to its value, checked. */
  readonly flags: Readonly<Record<string, string | number | readonly string[]>>;
}

/** @throws OptionError naming the value and what fits. */
export function parseCommand(argv: readonly string[], cwd: string): ParsedCommand {
  const [word = "", ...rest] = argv;
  const row = COMMANDS[word];
  if (!row) throw new OptionError(unknownCommand(word));
  const kinds: Readonly<Record<string, FlagKind>> = { ...COMMON_FLAGS, ...row.flags };
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      { type: kind === "switch" ? ("boolean" as const) : ("string" as const), ...(name === "help" && { short: "h" }) },
    ]),
  );
  const { tokens } = parseArgs({ args: rest, strict: false, tokens: true, allowNegative: false, options });
  const flags: Record<string, string | number | readonly string[]> = {};
  const words: string[] = [];
  let urls: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      (urls ?? words).push(token.value);
      continue;
    }
    const { name, rawName, value } = token;
    const kind = kinds[name];
    if (kind === undefined) throw new OptionError(unknownFlag(word, rawName, Object.keys(kinds)));
    if (name === "all") urls ??= [];
    else if (kind === "switch") flags[name] = "";
    else flags[name] = flagValue(kind, rawName, value, flags[name]);
    if (kind === "switch" && value !== undefined) throw new OptionError(`${rawName} takes no value, got ${value}`);
  }
  const { root, pid, ...others } = flags;
  const help = "help" in flags;
  if (!help) checkWords(word, words, urls);
  if (pid !== undefined && !/^\d+$/.test(String(pid)))
    throw new OptionError(`--pid must be a process number, got ${String(pid)}`);
  return {
    ...{ word, words, urls, help },
    root: root === undefined ? undefined : path.resolve(cwd, String(root)),
    pid: pid === undefined ? undefined : Number(pid),
    json: "json" in flags,
    flags: others,
  };
}

function flagValue(
  kind: FlagKind,
  name: string,
  value: string | undefined,
  before: string | number | readonly string[] | undefined,
): string | number | readonly string[] {
  if (value === undefined || (value === "" && kind !== "text")) throw new OptionError(`${name} needs a value`);
  switch (kind) {
    case "milliseconds":
      if (!/^\d{1,9}$/.test(value)) throw new OptionError(`${name} ${value}: expected milliseconds, such as 30000`);
      return Number(value);
    case "generation":
      if (!/^\d{1,9}$/.test(value))
        throw new OptionError(`${name} ${value}: expected the number of a generation, such as 4`);
      return Number(value);
    case "count":
      if (!/^[1-9]\d{0,3}$/.test(value)) throw new OptionError(`${name} ${value}: expected a number, such as 10`);
      return Number(value);
    case "since":
      if (!/^\d{1,9}(s|m|h)?$/.test(value))
        throw new OptionError(`${name} ${value}: expected the number of a generation, or a time such as 30s, 5m, 2h`);
      return value;
    case "texts":
      return [...(Array.isArray(before) ? before : []), value];
    default:
      return value;
  }
}

function checkWords(word: string, words: readonly string[], urls: readonly string[] | undefined): void {
  const [least, most = Number.POSITIVE_INFINITY] = COMMANDS[word]?.words ?? [0, 0];
  const usage = `usage: ${usageOfCommand(word)}`;
  if (words.length < least)
    throw new OptionError(`${word} needs ${least === 1 ? "a word" : `${least} words`} more; ${usage}`);
  const extra = words[most];
  if (extra !== undefined) throw new OptionError(`${word}: unexpected argument ${extra}; ${usage}`);
  if (urls?.length === 0) throw new OptionError(`--all needs the addresses of other supervisors' apps; ${usage}`);
  const wrong = urls?.find((url) => !/^https?:\/\//.test(url));
  if (wrong !== undefined) throw new OptionError(`--all ${wrong}: expected a URL such as http://127.0.0.1:3000`);
}

export function unknownCommand(word: string): string {
  const meant = nearestName(word, Object.keys(COMMANDS));
  return `unknown command ${word}${meant ? `; did you mean ${meant}?` : "; see unreloader --help;"} an entry that is called so is written ./${word}`;
}

function unknownFlag(word: string, given: string, known: readonly string[]): string {
  const flags = known.map((name) => `--${name}`);
  const meant = nearestName(given, flags);
  return `${word} does not know ${given}${meant ? `; did you mean ${meant}?` : `; it takes ${flags.join(", ")}`}`;
}
