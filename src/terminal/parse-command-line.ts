/** What a command line asks for. Values of options are checked by `parseOptions`, as for any origin. */
import { parseArgs } from "node:util";
import { OptionError } from "../common/errors.js";
import type { ExplainLeakInput } from "./explain-leak-command.js";
import { parserOptions, readFlag } from "./flags.js";

export type CommandLine =
  | { readonly type: "help" }
  | { readonly type: "version" }
  | { readonly type: "explainLeak"; readonly input: ExplainLeakInput }
  /** `input` is for `parseOptions`, with the origin `flags`. */
  | { readonly type: "run"; readonly input: Readonly<Record<string, unknown>> };

/**
 * Reads `process.argv.slice(2)`. Flags may stand before or after the entry; what follows `--` belongs to the app.
 * @throws OptionError naming the flag, for what has no meaning as a command line.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  if (argv[0] === "explain-leak") return parseExplainLeak(argv.slice(1));
  const { tokens } = parseArgs({
    args: [...argv],
    // Not strict: Node's own messages neither name what was meant nor allow `--inspect` with and without a value.
    strict: false,
    tokens: true,
    options: {
      ...parserOptions(),
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "v" },
    },
  });
  const input: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      input.args = argv.slice(token.index + 1);
      break;
    }
    if (token.kind === "positional") {
      if (input.entry !== undefined)
        throw new OptionError(`unexpected argument ${token.value}: arguments for the app come after --`);
      input.entry = token.value;
    } else if (token.name === "help") return { type: "help" };
    else if (token.name === "version") return { type: "version" };
    else readFlag(input, token);
  }
  return { type: "run", input };
}

function parseExplainLeak(argv: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      root: { type: "string" },
      pid: { type: "string" },
      "log-format": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const given: Record<string, string | undefined> = {};
  for (const token of tokens) {
    if (token.kind !== "option") throw new OptionError("explain-leak takes options only: --root, --pid, --log-format");
    const { name, rawName, value } = token;
    if (name === "help") return { type: "help" };
    if (!["root", "pid", "log-format"].includes(name))
      throw new OptionError(`explain-leak does not know ${rawName}; it takes --root DIR, --pid N and --log-format`);
    if (value === undefined || value === "") throw new OptionError(`${rawName} needs a value`);
    given[name] = value;
  }
  const { root, pid, "log-format": format = "pretty" } = given;
  if (pid !== undefined && !/^\d+$/.test(pid)) throw new OptionError(`--pid must be a process number, got ${pid}`);
  if (format !== "pretty" && format !== "json")
    throw new OptionError(`--log-format must be pretty or json, got ${format}`);
  return { type: "explainLeak", input: { root, pid: pid === undefined ? undefined : Number(pid), format } };
}
