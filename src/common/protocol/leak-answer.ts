/** What a running supervisor answers to `unreloader explain-leak`: one line of JSON on its command socket. */
import { staleReference } from "./messages.js";
import * as z from "./zod.js";

const holder = z.strictObject({
  text: z.string(),
  place: z.strictObject({ file: z.string(), line: z.int().optional(), column: z.int().optional() }).optional(),
});

const leak = z.strictObject({
  ...staleReference.shape,
  heldBy: z.array(z.strictObject({ chain: z.array(holder), count: z.int() })),
});

export const leakAnswer = z.union([
  z.strictObject({ leaks: z.array(leak) }),
  /** In words: why it could not be explained. */
  z.strictObject({ error: z.string() }),
]);
export type LeakAnswer = z.infer<typeof leakAnswer>;

/** What the client sends, and a line break. */
export const EXPLAIN_LEAK = "explainLeak";
