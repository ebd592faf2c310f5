/** Checks the options of one place, and says in one line what does not fit: the option, its value, and what fits. */
import path from "node:path";
import { OptionError } from "../common/errors.js";
import type * as z from "../common/protocol/zod.js";
import { nearestName } from "./nearest-name.js";
import { choicesOf, flagOf, type GivenOptions, optionNames, optionsSchema, optionTable } from "./option-table.js";

/** Where options were written, so that a message can name the place. */
export type OptionOrigin =
  | { readonly type: "flags" }
  | { readonly type: "code" }
  | { readonly type: "config"; readonly file: string };

/** @throws OptionError */
export function checkOptions(input: unknown, origin: OptionOrigin): GivenOptions {
  // An option that is present but undefined counts as left out, as everywhere in JavaScript: none is undefined below.
  const present =
    typeof input === "object" && input !== null && !Array.isArray(input)
      ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
      : input;
  const result = optionsSchema.safeParse(present);
  if (!result.success) throw new OptionError(messageOf(result.error.issues[0], present, origin));
  return result.data as GivenOptions;
}

function messageOf(issue: z.core.$ZodIssue | undefined, input: unknown, origin: OptionOrigin): string {
  if (issue?.code === "unrecognized_keys" && issue.path.length === 0) {
    const unknown = issue.keys[0] ?? "";
    const meant = nearestName(unknown, optionNames);
    const shownAs = meant && (origin.type === "config" ? meant : nameOf(meant, origin));
    const value = origin.type === "flags" ? "" : ` ${shown((input as Record<string, unknown>)[unknown])}`;
    const next = shownAs ? `did you mean ${shownAs}?` : "docs/options.md lists them";
    return `unknown ${nameOf(unknown, origin)}${value}; ${next}`;
  }
  const option = optionNames.find((name) => name === issue?.path[0]);
  if (!option) {
    const where = origin.type === "config" ? ` (${path.basename(origin.file)})` : "";
    return `options${where} must be an object such as { entry: "src/app.ts" }, got ${shown(input)}`;
  }
  const value: unknown = (input as Record<string, unknown>)[option];
  const meant = typeof value === "string" ? nearestName(value, choicesOf(option)) : undefined;
  return `${nameOf(option, origin)} ${shown(value)}: expected ${optionTable[option].fits}${meant ? `; did you mean ${meant}?` : ""}`;
}

/** The name of an option as its user wrote it. */
export function nameOf(option: string, origin: OptionOrigin): string {
  switch (origin.type) {
    case "flags":
      return option === "entry" ? "entry" : flagOf(option);
    case "code":
      return `option ${option}`;
    case "config":
      return `option ${option} (${path.basename(origin.file)})`;
    default:
      return origin satisfies never;
  }
}

/** A value in a message: one line, and not a long one. */
export function shown(value: unknown): string {
  if (typeof value === "string") return /^[\w.:/@*-]+$/.test(value) ? cut(value) : cut(JSON.stringify(value));
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol" || value === undefined) return String(value);
  if (typeof value === "number") return String(value);
  try {
    return cut(JSON.stringify(value) ?? typeof value);
  } catch (error) {
    if (error instanceof TypeError) return "an object"; // cycles and big integers have no JSON
    throw error;
  }
}

function cut(line: string): string {
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}
