/** Reloads that reloads cause. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CausedReloads } from "../../src/supervisor/caused-reloads.js";
import { PendingChanges } from "../../src/supervisor/pending.js";

/** Cycles for the file, each as soon as the one before is over; gives whether each took it in. */
function cycles(caused: CausedReloads, count: number, file = "/app/data.json", isModule = false): boolean[] {
  return Array.from({ length: count }, () => {
    const pending = new PendingChanges();
    pending.changed.add(file);
    caused.drop(pending, () => isModule);
    caused.ended();
    return pending.changed.has(file);
  });
}

test("a file that is written after each reload is taken in five times in a row, with one warning; modules twenty times", () => {
  const warnings: string[] = [];
  const caused = new CausedReloads({ root: "/app", warn: (message) => warnings.push(message) });
  assert.deepEqual(cycles(caused, 8), [true, true, true, true, true, false, false, false]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^data\.json: written whenever the app loads/);
  const ofModule = cycles(caused, 25, "/app/module.js", true);
  assert.deepEqual(ofModule, [...Array(20).fill(true), ...Array(5).fill(false)]);
  assert.match(warnings[1] ?? "", /^module\.js: written again right after each of the last 10 reloads/);
  assert.equal(warnings.length, 3);
});

test("who asks then gets what was left out: a script may save as often; when that has it written again, it is the app's", () => {
  const caused = new CausedReloads({ root: "/app", warn: () => {} });
  cycles(caused, 6);
  assert.equal(caused.isDue, false);
  caused.asked();
  assert.equal(caused.isDue, true);
  const pending = new PendingChanges();
  assert.equal(
    caused.drop(pending, () => false),
    false,
  );
  assert.deepEqual([...pending.changed], ["/app/data.json"]);
  caused.ended();
  assert.equal(caused.isDue, false);
  assert.ok(cycles(caused, 7).includes(false));
  caused.asked();
  assert.equal(caused.isDue, false, "it is known by now");
});
