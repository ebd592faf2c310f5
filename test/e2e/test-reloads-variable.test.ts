/** The variable UNRELOADER_TEST_RELOADS: what it may say, when a reload is due, and of what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoadedApp } from "../../src/supervisor/loaded-app.js";
import { TestReloads } from "../../src/supervisor/test-reloads.js";
import { runToExit } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = ["a.js", "b.js", "c.js", "d.js", "e.js"];
const app = {
  graph: { nodes: () => [...files, "late.js"].map((file) => ({ file, evaluated: file !== "late.js" })) },
} as unknown as LoadedApp;

/** What is due at each of so many requests. */
function due(text: string, requests: number): (string | undefined)[] {
  const reloads = TestReloads.of(text);
  assert.ok(reloads);
  return Array.from({ length: requests }, () => {
    reloads.count();
    const isDue = reloads.isDue;
    const reload = reloads.take(app);
    assert.equal(reload !== undefined, isDue);
    assert.ok(!reloads.isDue, "once");
    return reload && `${reload.type} ${reload.files.join(" ")}`;
  });
}

test("nothing is due when it is not set", () => {
  assert.equal(TestReloads.of(undefined), undefined);
  assert.equal(TestReloads.of(" "), undefined);
});

test("each kind is due at every N-th request; the one that is rolled back comes first", () => {
  const kinds = due("identity:2, rollback:3,seed:1", 12).map((reload) => reload?.split(" ")[0]);
  const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((request) =>
    request % 3 === 0 ? "rollback" : request % 2 === 0 ? "identity" : undefined,
  );
  assert.deepEqual(kinds, expected);
});

test("the same seed gives the same modules, all of them now and then, and only evaluated ones", () => {
  const first = due("identity:1,seed:7", 200);
  assert.deepEqual(due("identity:1,seed:7", 200), first);
  assert.notDeepEqual(due("identity:1,seed:8", 200), first);
  assert.ok(first.includes(`identity ${files.join(" ")}`));
  assert.ok(first.some((reload) => reload?.split(" ").length === 2));
  assert.ok(first.every((reload) => !reload?.includes("late.js")));
});

test("a run without a seed says what repeats it", () => {
  const reloads = TestReloads.of("rollback:5");
  assert.match(reloads?.text ?? "", /^rollback:5,seed:\d+$/);
  assert.ok(TestReloads.of(reloads?.text));
});

for (const [text, named] of [
  ["identity", `"identity"`],
  ["identity:0", `"identity:0"`],
  ["identity:x", `"identity:x"`],
  ["identity:-1", `"identity:-1"`],
  ["sometimes:3", `"sometimes:3"`],
  ["identity:3,", `""`],
  ["identity:3,identity:4", `"identity:4"`],
  ["seed:3", "neither identity:N nor rollback:N"],
] as const) {
  test(`${text} is an error that names it`, () => {
    assert.throws(
      () => TestReloads.of(text),
      (error: NodeJS.ErrnoException) =>
        error.code === "ERR_UNRELOADER_OPTION" &&
        error.message.includes(`UNRELOADER_TEST_RELOADS=${text}`) &&
        error.message.includes(named),
    );
  });
}

test("the command line ends with it", async () => {
  await using app = new TempApp({ "main.js": "" });
  process.env.UNRELOADER_TEST_RELOADS = "identity:never";
  try {
    const { code, lines } = await runToExit(app.folder, ["main.js"]);
    assert.equal(code, 1);
    const [line] = lines.matching(/UNRELOADER_TEST_RELOADS=identity:never: "identity:never" does not fit/);
    assert.ok(line, lines.toString());
  } finally {
    delete process.env.UNRELOADER_TEST_RELOADS;
  }
});
