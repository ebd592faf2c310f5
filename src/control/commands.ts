/**
 * What other processes of the same user can ask a running supervisor, and what it answers. A question is a line of JSON, and
 * so is its answer. A command that is added here has its answer in `CommandAnswers`, and its work in the supervisor.
 */
import { staleReference } from "../common/protocol/messages.js";
import * as z from "../common/protocol/zod.js";

const holder = z.strictObject({
  text: z.string(),
  place: z.optional(z.strictObject({ file: z.string(), line: z.optional(z.int()), column: z.optional(z.int()) })),
});

const leak = z.strictObject({
  ...staleReference.shape,
  heldBy: z.array(z.strictObject({ chain: z.array(holder), count: z.int() })),
});

/** Command to its answer. */
export const commandAnswers = {
  "explain-leak": z.array(leak),
};

export type CommandName = keyof typeof commandAnswers;
export type CommandAnswer<Name extends CommandName> = z.output<(typeof commandAnswers)[Name]>;

/** What a supervisor does when it is asked; a rejection is answered with its message. */
export type Commands = {
  readonly [Name in CommandName]: () => Promise<DeepReadonly<CommandAnswer<Name>>>;
};

type DeepReadonly<Value> = Value extends object ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> } : Value;

/** The name is looked up by the supervisor: one of a later version may ask for what this one does not know. */
export const question = z.strictObject({ command: z.string() });
export type Question = z.infer<typeof question>;

export const reply = z.union([
  z.strictObject({ answer: z.unknown() }),
  /** In words: why it cannot be answered. */
  z.strictObject({ error: z.string() }),
]);
export type Reply = z.infer<typeof reply>;
