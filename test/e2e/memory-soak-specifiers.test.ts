/** What clients do takes no memory for good: 100,000 specifiers that a request has made up, of files that are there and are not. */
import { describe, test } from "node:test";
import { assertFlat } from "../support/soak-growth.js";

describe("memory stays flat: 100,000 specifiers", () => {
  for (const what of ["found", "missing"] as const) {
    test(what, async (context) => {
      await assertFlat(context, what, 50_000);
    });
  }
});
