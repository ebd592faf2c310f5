/** What the table of options says about each of them, and what the rows have in common. */
import * as z from "../common/protocol/zod.js";

/** How an option is given on the command line. */
export interface Flag {
  readonly kind: FlagKind;
  readonly short?: string;
  /** The value as `--help` names it. */
  readonly value?: string;
}

/** What becomes of the text after a flag. `names` are separated by commas; `optional` may follow an equals sign only. */
export type FlagKind = "switch" | "text" | "number" | "list" | "names" | "dependency" | "optional";

/** What a value may be. */
export interface Values<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** The same in words: a message says that this was expected. */
  readonly fits: string;
  readonly unit?: "milliseconds" | "bytes";
}

export interface OptionRow<Schema extends z.ZodType = z.ZodType, Default = unknown> extends Values<Schema> {
  /** The value when nobody gives one. */
  readonly default: Default;
  /** The default in words, where it is not a value that one could give. */
  readonly otherwise?: string;
  /** Absent: it cannot be given on the command line. */
  readonly flag?: Flag;
  /** What it is for, in a line: for `--help`, editors and docs/options.md. */
  readonly doc: string;
  /** A value as one would write it, where it does not follow from what fits: for editors. */
  readonly example?: string;
  /** Further sentences in Markdown, with links as seen from docs/. */
  readonly more?: string;
}

type RowInput<Schema extends z.ZodType> = Omit<OptionRow<Schema>, "default">;

/** Gives a row the type of its values: an option without a default may be undefined. */
export function row<Schema extends z.ZodType>(
  input: RowInput<Schema> & { readonly default: z.output<Schema> },
): OptionRow<Schema, z.output<Schema>>;
export function row<Schema extends z.ZodType>(input: RowInput<Schema>): OptionRow<Schema, undefined>;
export function row(input: RowInput<z.ZodType> & { readonly default?: unknown }): OptionRow {
  return { ...input, default: input.default };
}

/** Node's timers end at once when they are given more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const nonEmpty = z.string().check(z.minLength(1));
/** A list, or the only one of it. */
export const oneOrMore = z.union([
  z.pipe(
    nonEmpty,
    z.transform((only: string) => [only]),
  ),
  z.array(nonEmpty),
]);

export function text(fits: string) {
  return { schema: nonEmpty, fits };
}

export function texts(fits: string) {
  return { schema: oneOrMore, fits };
}

export function onOrOff() {
  return { schema: z.boolean(), fits: "true or false" };
}

export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  return { schema: z.enum(words), fits: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` };
}

export function wholeNumber(least: number, most: number) {
  return { schema: z.int().check(z.minimum(least), z.maximum(most)), fits: `a whole number from ${least} to ${most}` };
}

export function bytes(least: number) {
  return { schema: z.int().check(z.minimum(least)), fits: `bytes (${least} or more)`, unit: "bytes" } as const;
}

/** Of a timer. */
export function milliseconds(least: number) {
  const schema = z.number().check(z.minimum(least), z.maximum(LONGEST_TIMER_MS));
  return { schema, fits: `milliseconds (${least} to ${LONGEST_TIMER_MS})`, unit: "milliseconds" } as const;
}

export function millisecondsOrOff(least: number) {
  const schema = z.union([z.number().check(z.minimum(least)), z.literal("off")]);
  return { schema, fits: `milliseconds (${least} or more) or off`, unit: "milliseconds" } as const;
}
