/** `unreloader bench`: what it does to files, and what it makes of its figures. */
import assert from "node:assert/strict";
import { statSync, utimesSync } from "node:fs";
import { test } from "node:test";
import { BenchEdits } from "../../src/terminal/bench/bench-edits.js";
import { type BenchRound, benchLines, summed } from "../../src/terminal/bench/bench-result.js";
import { TempApp } from "../support/temp-app.js";

test("an edit leaves nothing behind, whatever happens meanwhile", async () => {
  const files = { "a.js": "exports.a = 1; // no end of line", "b.js": "\ufeffexports.b = 1;\r\n", "c.js": "" };
  await using app = new TempApp(files);
  const then = new Date(1_000_000_000_000);
  utimesSync(app.path("a.js"), then, then);
  const edits = new BenchEdits(app.scratch);
  edits.edit(app.path("a.js"), 1);
  edits.edit(app.path("b.js"), 2);
  edits.edit(app.path("c.js"), 3);
  assert.match(app.read("a.js"), /^exports\.a = 1; \/\/ no end of line\n;void "unreloader bench 1";\n$/);
  app.write("b.js", app.read("b.js").replace("1", "2"));
  app.remove("c.js");
  edits.restore();
  assert.deepEqual([app.read("a.js"), statSync(app.path("a.js")).mtimeMs], [files["a.js"], then.getTime()]);
  assert.equal(app.read("b.js"), "\ufeffexports.b = 2;\r\n", "what was saved meanwhile stays");
  assert.throws(() => app.read("c.js"), { code: "ENOENT" }, "what was deleted meanwhile comes back");
  edits.restore();
  assert.deepEqual(app.leftInScratch(), []);
});

test("what a killed run has left is mended by the next one", async () => {
  await using app = new TempApp({ "a.js": "exports.a = 1;\n", "b.js": "exports.b = 1;\n" });
  const gone = 2 ** 22 + 1;
  new BenchEdits(app.scratch, gone).edit(app.path("a.js"), 1);
  assert.deepEqual(new BenchEdits(app.scratch).recover(), [app.path("a.js")]);
  assert.equal(app.read("a.js"), "exports.a = 1;\n");
  assert.deepEqual(new BenchEdits(app.scratch).recover(), []);
  new BenchEdits(app.scratch, process.pid).edit(app.path("b.js"), 1);
  assert.throws(() => new BenchEdits(app.scratch, gone).recover(), /process \d+ measures this project already/);
  assert.match(app.read("b.js"), /bench 1/);
});

test("medians are of pairs", () => {
  const round = (file: string, reloadMs: number, restartMs: number): BenchRound => ({
    ...{ file: `/app/${file}`, code: "UR11", outcome: "in place", evaluated: 1, reloadMs, restartMs },
  });
  const rounds = [round("a.js", 10, 100), round("b.js", 20, 1000), round("a.js", 30, 120), round("b.js", 40, 400)];
  const facts = { root: "/app", entry: "/app/main.js", node: "24.0.0", restartBy: "node main.js", modules: 7 };
  const result = summed({ ...facts, rounds });
  assert.deepEqual([result.reloadMs, result.restartMs, result.ratio], [25, 260, 10]);
  const lines = benchLines(result, "/app");
  assert.match(lines.join("\n"), /^main\.js on Node\.js 24\.0\.0, 4 rounds, medians\n/);
  assert.match(lines[2] ?? "", /^ {2}a\.js +20\.0 ms +110\.0 ms +7\.0 {3}1 of 7 modules, in place \(UR11\)$/);
  assert.match(lines.join("\n"), /\na restart takes 10\.0 times as long as a reload\n/);
});
