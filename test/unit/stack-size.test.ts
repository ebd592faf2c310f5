import assert from "node:assert/strict";
import { test } from "node:test";
import { stackSize } from "../../src/thread/node-flags.js";

test("--stack-size is known for the app's thread, in megabytes; the last one counts", () => {
  assert.equal(stackSize([]), undefined);
  assert.equal(stackSize(["--no-warnings", "--stack-size=2048"]), 2);
  assert.equal(stackSize(["--stack_size=1024", "--stack-size=512"]), 0.5);
});
