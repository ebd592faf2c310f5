/** What is said of a cycle that takes long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CompileProgress } from "../../src/reports/compile-progress.js";
import { type Described, Progress } from "../../src/reports/progress.js";
import { waitedFor, waitText } from "../../src/reports/wait-text.js";
import { within } from "../support/deadline.js";

const context = {
  cwd: "/p",
  locate: (file: string, hash: string, { line, column }: { line: number; column: number }) => {
    assert.equal(hash, "abc");
    return { file, line: line + 10, column };
  },
  importersOf: (file: string) => (file === "/p/src/db.ts" ? ["/p/src/models.ts", "/p/src/app.ts"] : []),
};
const evaluating = { type: "evaluating", file: "/p/src/db.ts", hash: "abc", position: { line: 2, column: 5 } } as const;

test("a module that awaits at its top level is named with its line and its importers", () => {
  assert.equal(
    waitText([evaluating], context),
    "still evaluating src/db.ts:12, a top-level await; imported by src/models.ts <- src/app.ts",
  );
  const { position: _, ...inPackage } = evaluating;
  assert.equal(
    waitText([{ ...inPackage, file: "/p/src/app.ts" }], context),
    "still evaluating src/app.ts, which waits for a package that it imports",
  );
});

test("a hook is named with its file, and before what waits for it", () => {
  const hook = { type: "hook", what: "a dispose hook", file: "/p/src/db.ts", ageMs: 3000 } as const;
  assert.equal(waitText([evaluating, hook], context), "waiting for a dispose hook of src/db.ts");
  assert.equal(
    waitText([{ type: "hook", what: "onDelete", file: "/q/x.ts", ageMs: 1 }], context),
    "waiting for onDelete of ../q/x.ts",
  );
});

test("requests in flight are counted, and the oldest are named with their age", () => {
  const requests = [{ label: "GET /slow", ageMs: 4200 }, { ageMs: 2000 }];
  assert.equal(
    waitText([{ type: "requests", requests }], context),
    "waiting for 2 requests in flight: GET /slow (4 s), ...",
  );
  assert.equal(waitText([{ type: "requests", requests: [{ ageMs: 10 }] }], context), "waiting for 1 request in flight");
  assert.equal(waitText([], context), undefined);
});

test("the same words say what a held request waits for", () => {
  assert.equal(waitedFor("waiting for a dispose hook of src/db.ts"), "a dispose hook of src/db.ts");
  assert.equal(
    waitedFor("still evaluating src/db.ts:12, a top-level await"),
    "the evaluation of src/db.ts:12, a top-level await",
  );
});

test("a cycle that takes long is told twice, and one that has ended is not told", async () => {
  const told: string[] = [];
  let done: () => void = () => undefined;
  const twice = new Promise<void>((resolve) => {
    done = resolve;
  });
  let asked = 0;
  const progress = new Progress({
    afterMs: [20, 60],
    describe: async () => ({ line: `waiting for ${++asked}`, waitedFor: String(asked), isTold: false }),
    tell: (message) => {
      told.push(message);
      if (told.length === 2) done();
    },
  });
  progress.begin();
  progress.end();
  progress.begin();
  // Keeps the process alive: the timers of a cycle do not.
  const alive = setInterval(() => {}, 1000);
  await within(twice, "two lines");
  clearInterval(alive);
  assert.equal(progress.waitingFor, "2");
  progress.end();
  assert.equal(progress.waitingFor, undefined);
  assert.deepEqual(told, ["waiting for 1", "waiting for 2 (0 s so far)"]);
});

test("an answer that comes when the cycle has ended is not told", async () => {
  const told: string[] = [];
  let answer: (described: Described) => void = () => undefined;
  let onAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const progress = new Progress({
    afterMs: [1],
    describe: () => {
      onAsked();
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    tell: (message) => void told.push(message),
  });
  progress.begin();
  const alive = setInterval(() => {}, 1000);
  await within(asked, "the question");
  clearInterval(alive);
  progress.end();
  answer({ line: "late", waitedFor: "late", isTold: false });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, []);
});

test("a start that compiles for more than a second says how far it is, and again after twice as long", () => {
  const told: string[] = [];
  let now = 0;
  const progress = new CompileProgress({ entry: "src/app.ts", tell: (message) => told.push(message), now: () => now });
  for (const ms of [10, 990, 1040, 1500, 2079, 2090, 4000]) {
    now = ms;
    progress.compiled();
  }
  assert.deepEqual(told, [
    "compiling src/app.ts and what it imports: 3 files in 1 s so far",
    "compiling src/app.ts and what it imports: 6 files in 2.1 s so far",
  ]);
});
