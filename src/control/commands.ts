/**
 * What other processes of the same user can ask a running supervisor. A question is a line of JSON, and so is its answer. A
 * command that is added here has its arguments in `ARGUMENTS`, and its work in answers.ts.
 */
import { errorText } from "../common/errors.js";
import * as z from "../common/protocol/zod.js";
import { shown } from "../options/check-options.js";
import { nearestName } from "../options/nearest-name.js";

const path = z.string().check(z.minLength(1));
const milliseconds = z.number().check(z.minimum(0), z.maximum(2 ** 31 - 1));
const MILLISECONDS = "milliseconds from 0 to 2147483647, such as 30000";
const GENERATION = "the number of a generation, such as 4";
const PATH = "the absolute path of a file";

/** What an argument has to be, for the schema and in words. */
const ARGUMENTS = {
  status: { files: [z.optional(z.boolean()), "true: with the files of all modules that are loaded"] },
  wait: {
    files: [z.optional(z.array(path)), "a list of absolute paths of files"],
    timeoutMs: [z.optional(milliseconds), MILLISECONDS],
  },
  reload: { timeoutMs: [z.optional(milliseconds), MILLISECONDS] },
  restart: { timeoutMs: [z.optional(milliseconds), MILLISECONDS] },
  hold: { forMs: [z.optional(milliseconds), MILLISECONDS] },
  release: { timeoutMs: [z.optional(milliseconds), MILLISECONDS] },
  why: { file: [path, PATH] },
  plan: { file: [path, PATH] },
  errors: { sinceGeneration: [z.optional(z.int().check(z.minimum(0))), GENERATION] },
  logs: {
    sinceGeneration: [z.optional(z.int().check(z.minimum(0))), GENERATION],
    sinceAt: [z.optional(z.number()), "a time in milliseconds since 1970"],
  },
  call: {
    name: [z.string().check(z.minLength(1)), "the name of a function that the entry exports"],
    args: [z.array(z.unknown()), "a list of arguments"],
    timeoutMs: [z.optional(milliseconds), MILLISECONDS],
  },
  request: {
    method: [z.string().check(z.minLength(1)), "an HTTP method, such as GET"],
    url: [z.string().check(z.minLength(1)), "a path such as /users?page=2, or a URL"],
    headers: [z.optional(z.array(z.array(z.string()))), "a list of pairs of name and value"],
    body: [z.optional(z.string()), "a text"],
    timeoutMs: [z.optional(milliseconds), MILLISECONDS],
  },
  "explain-leak": {},
} as const satisfies Record<string, Record<string, readonly [z.ZodType, string]>>;

export type CommandName = keyof typeof ARGUMENTS;
export const commandNames = Object.keys(ARGUMENTS) as CommandName[];

type Given<Schemas extends Record<string, readonly [z.ZodType, string]>> = {
  readonly [Name in keyof Schemas]: z.output<Schemas[Name][0]>;
};
/** The arguments of a command, checked. */
export type CommandArguments<Name extends CommandName> = Given<(typeof ARGUMENTS)[Name]>;

/** 1: the question does not fit. 3: the newest code has failed. 4: it was not up in time. */
export type ExitCode = 0 | 1 | 3 | 4;

export interface Answered {
  readonly answer: unknown;
  readonly exitCode?: ExitCode;
}

/** What a supervisor does when it is asked; `signal` aborts when nobody waits for the answer any more. */
export type Commands = {
  readonly [Name in CommandName]: (given: CommandArguments<Name>, signal: AbortSignal) => Promise<Answered>;
};

/** One that cannot be answered, and why. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** As it is sent. */
export type Reply =
  | { readonly answer: unknown; readonly exitCode: ExitCode }
  | { readonly error: string; readonly exitCode: ExitCode };

/** Never rejects. */
export async function reply(text: string, commands: Commands, signal: AbortSignal): Promise<Reply> {
  try {
    const { command, given } = checked(text);
    const { answer, exitCode = 0 } = await commands[command](given as never, signal);
    return { answer, exitCode };
  } catch (error) {
    return { error: errorText(error), exitCode: error instanceof CommandError ? error.exitCode : 1 };
  }
}

function checked(text: string): { readonly command: CommandName; readonly given: object } {
  const { command, ...given } = jsonObject(text);
  const name = commandNames.find((known) => known === command);
  if (name === undefined) {
    const meant = typeof command === "string" ? nearestName(command, commandNames) : undefined;
    const remedy = meant ? `did you mean ${meant}?` : `it can be ${commandNames.join(", ")}`;
    throw new CommandError(`unknown command ${shown(command)}: ${remedy}`);
  }
  const schemas: Record<string, readonly [z.ZodType, string]> = ARGUMENTS[name];
  for (const [argument, value] of Object.entries(given)) {
    if (Object.hasOwn(schemas, argument)) continue;
    const names = Object.keys(schemas);
    const takes = names.length === 0 ? "it takes no arguments" : `it takes ${names.join(", ")}`;
    throw new CommandError(`${name}: unknown argument ${argument} (${shown(value)}); ${takes}`);
  }
  const output: Record<string, unknown> = {};
  for (const [argument, [schema, fits]] of Object.entries(schemas)) {
    const result = schema.safeParse(given[argument]);
    if (!result.success) throw new CommandError(`${name}: ${argument} ${shown(given[argument])}: expected ${fits}`);
    if (result.data !== undefined) output[argument] = result.data;
  }
  return { command: name, given: output };
}

function jsonObject(text: string): Record<string, unknown> {
  const fits = `a question is a line of JSON such as {"command":"status"}`;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    throw new CommandError(`${fits}, got ${shown(text.trimEnd())}`);
  }
  throw new CommandError(`${fits}, got ${shown(text.trimEnd())}`);
}
