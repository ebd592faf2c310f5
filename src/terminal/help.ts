/** The text of `--help`. */
import type { OptionRow } from "../options/option-row.js";
import { flagOf, optionTable } from "../options/option-table.js";
import { COMMANDS } from "./commands/command-table.js";
import { type OptionFlag, optionFlags } from "./flags.js";

/** Without a line break at its end. */
export function helpText(): string {
  const rows = optionFlags.map((flag) => [usageOf(flag), meaningOf(flag)] as const);
  rows.push(["-v, --version", "print the version"], ["-h, --help", "print this"]);
  const width = Math.max(...rows.map(([usage]) => usage.length)) + 2;
  const commands = Object.entries(COMMANDS).map(([word, { doc }]) => `  ${word.padEnd(14)}${doc}`);
  return [
    "Usage: unreloader [options] <entry> [-- args for the app]",
    "       unreloader COMMAND [--root DIR] [--pid N] [--json]",
    "",
    "Serves a Node.js app and reloads what changes, in the same process: the request after a save runs the new code.",
    "The entry is the app's own main file, unmodified: .js .cjs .mjs .ts .cts .mts .jsx .tsx,",
    "a file without an extension (bin/www), or a folder. A word without a slash and an extension is a command: such an entry",
    "is written ./server.",
    "",
    "Options:",
    ...rows.map(([usage, meaning]) => `  ${usage.padEnd(width)}${meaning}`),
    "",
    "Commands, which ask the supervisor of this project (exit code 0: live or done, 1: bad usage, 3: the newest code failed,",
    "4: no supervisor, or not up in time), each with --help:",
    ...commands,
    "",
    "Example:",
    "  unreloader src/server.ts --port 8080 -- --config dev.json",
  ].join("\n");
}

/** `-p, --port N` */
export function usageOf(flag: OptionFlag): string {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : flag.kind === "optional" ? `[=${flag.value}]` : ` ${flag.value}`;
  return `${short}${flagOf(flag.option)}${value}`;
}

function meaningOf({ option, kind }: OptionFlag): string {
  const { default: value, otherwise, doc }: OptionRow = optionTable[option];
  // `--no-reload` is what makes it false.
  const meaning = doc.replace(/^false(, for |: )/, "");
  if (isRepeatable(kind)) return `${meaning} (repeatable)`;
  const shown = otherwise?.replaceAll("`", "") ?? (typeof value === "boolean" ? undefined : value);
  return shown === undefined ? meaning : `${meaning}; default: ${shown}`;
}

/** Whether each of several such flags counts. */
export function isRepeatable(kind: OptionFlag["kind"]): boolean {
  return kind === "list" || kind === "names" || kind === "dependency";
}
