/** The flags of the table of options: which there are, and what becomes of their values. `parseOptions` checks these. */
import { OptionError } from "../common/errors.js";
import { nearestName } from "../options/nearest-name.js";
import type { Flag, OptionRow } from "../options/option-row.js";
import { flagOf, type OptionName, optionNames, optionTable } from "../options/option-table.js";

export interface OptionFlag extends Flag {
  readonly option: OptionName;
}

/** In the order of the table. */
export const optionFlags: readonly OptionFlag[] = optionNames.flatMap((option) => {
  const { flag }: OptionRow = optionTable[option];
  return flag ? [{ option, ...flag }] : [];
});

const flagsByName = new Map(optionFlags.map((flag) => [bareName(flag), flag]));
const PLAIN_FLAGS = ["--help", "--version"];

/** What Node's `parseArgs` needs to know of the flags. */
export function parserOptions(): Record<string, { type: "boolean" | "string"; short?: string }> {
  return Object.fromEntries(
    optionFlags.map((flag) => {
      const type = isSwitch(flag) ? "boolean" : "string";
      return [bareName(flag), flag.short === undefined ? { type } : { type, short: flag.short }];
    }),
  );
}

export interface FlagToken {
  readonly name: string;
  /** As it was written. */
  readonly rawName: string;
  readonly value?: string | undefined;
  /** The value follows an equals sign, or the letter of a short flag. */
  readonly inlineValue?: boolean | undefined;
}

/**
 * Puts what a flag says into `input`.
 * @throws OptionError for an unknown flag, and for a value that is missing or not wanted.
 */
export function readFlag(input: Record<string, unknown>, { name, rawName, value, inlineValue }: FlagToken): void {
  const isNegated = name.startsWith("no-");
  const flag = flagsByName.get(isNegated ? name.slice(3) : name);
  if (!flag || (isNegated && !isSwitch(flag))) throw new OptionError(unknownFlag(rawName));
  if (isSwitch(flag)) {
    if (value === undefined) input[flag.option] = !isNegated;
    else if (flag.kind === "optional" && !isNegated) input[flag.option] = value;
    else throw new OptionError(`${rawName} takes no value, got ${value}`);
    return;
  }
  // `--port --host x`: the next flag was taken for a value, because parsing is not strict.
  const isMissing = value === undefined || value === "" || (!inlineValue && /^--?[a-zA-Z]/.test(value));
  if (isMissing) throw new OptionError(`${rawName} needs a value: ${rawName} ${flag.value}`);
  input[flag.option] = flagValue(flag, value, input[flag.option]);
}

/** Whether it may stand without a value. */
function isSwitch(flag: Flag): boolean {
  return flag.kind === "switch" || flag.kind === "optional";
}

function flagValue(flag: Flag, value: string, before: unknown): unknown {
  switch (flag.kind) {
    case "number":
      return /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    case "list":
      return [...(Array.isArray(before) ? before : []), value];
    case "names":
      return [...(Array.isArray(before) ? before : []), ...commaSeparated(value)];
    case "dependency":
      return { ...(typeof before === "object" ? before : {}), ...dependencyOf(value) };
    default:
      return value;
  }
}

/** `views=src/app.ts,src/mail.ts` */
function dependencyOf(value: string): Record<string, string[]> {
  const [, dependency = "", files = ""] = /^(.*?)=(.*)$/s.exec(value) ?? [];
  const list = commaSeparated(files);
  if (dependency === "" || list.length === 0)
    throw new OptionError(`--depend ${value}: expected DEP=FILE or DEP=FILE,FILE`);
  return { [dependency]: list };
}

function commaSeparated(value: string): string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function unknownFlag(rawName: string): string {
  const meant = nearestName(rawName, [...optionFlags.map(({ option }) => flagOf(option)), ...PLAIN_FLAGS]);
  return `unknown option ${rawName}${meant ? `; did you mean ${meant}?` : "; see unreloader --help"}`;
}

/** The name as the parser knows it: `log-level`; `reload` although people write `--no-reload`. */
function bareName({ option }: OptionFlag): string {
  return flagOf(option).replace(/^--(no-)?/, "");
}
