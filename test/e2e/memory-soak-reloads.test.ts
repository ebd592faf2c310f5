/** What edits do takes no memory for good: the heaps of both threads, and the process, are measured after each tenth. */
import { test } from "node:test";
import { assertFlat } from "../support/soak-growth.js";

test("memory stays flat: 10,000 reloads", async (context) => {
  await assertFlat(context, "reloads", 10_000);
});
