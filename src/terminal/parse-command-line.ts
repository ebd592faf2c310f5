/** What a command line asks for. Values of options are checked by `parseOptions`, as for any origin. */
import { parseArgs } from "node:util";
import { OptionError } from "../common/errors.js";
import { isCommandWord } from "./commands/command-word.js";
import { unknownCommand } from "./commands/parse-command.js";
import { parserOptions, readFlag } from "./flags.js";

export type CommandLine =
  | { readonly type: "help" }
  | { readonly type: "version" }
  /** `input` is for `parseOptions`, with the origin `flags`. */
  | { readonly type: "run"; readonly input: Readonly<Record<string, unknown>> };

/**
 * Reads `process.argv.slice(2)`. Flags may stand before or after the entry; what follows `--` belongs to the app.
 * @throws OptionError naming the flag, for what has no meaning as a command line.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
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
      // Commands come first: this is one behind flags.
      if (isCommandWord(token.value)) throw new OptionError(unknownCommand(token.value));
      input.entry = token.value;
    } else if (token.name === "help") return { type: "help" };
    else if (token.name === "version") return { type: "version" };
    else readFlag(input, token);
  }
  return { type: "run", input };
}
