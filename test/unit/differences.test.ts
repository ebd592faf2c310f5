/** What the sweep of an app's surroundings lets pass, and users may meet, is told. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ALLOWED } from "../support/differences.js";
import { projectRoot } from "../support/project.js";

test("docs/differences.md has every difference that is allowed and that users may meet", () => {
  const page = readFileSync(join(projectRoot, "docs/differences.md"), "utf8");
  const missing = ALLOWED.flatMap(({ documented }) => documented ?? []).filter((words) => !page.includes(words));
  assert.deepEqual(missing, []);
});
