/** `npm run replay`: the commits of a repository as saves, with one in which an answer is not that of a fresh process. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Replayed } from "../../bench/replay/results.js";
import { within } from "../support/deadline.js";
import { OutputLines } from "../support/output-lines.js";
import { TempApp } from "../support/temp-app.js";

const program = fileURLToPath(new URL("../../bench/replay/run.js", import.meta.url));
const hasGit = spawnSync("git", ["--version"]).status === 0;

const server = (answer: string) => `
  const text = require("./text");
  require("node:http").createServer((request, response) => response.end(${answer})).listen(3000);`;

/** The app's folder after each commit; undefined: deleted. */
const commits: readonly Readonly<Record<string, string | undefined>>[] = [
  { "app/text.js": "nothing that starts (" },
  { "app/text.js": `module.exports = "one";`, "app/server.js": server("text") },
  { "app/text.js": `module.exports = "two";` },
  { "README.md": "outside of the app's folder" },
  { "app/text.js": `module.exports = (` },
  { "app/text.js": `module.exports = require("./three");`, "app/three.js": `module.exports = "three";` },
  { "app/text.js": `// Says nothing else.\nmodule.exports = require("./three");` },
  {
    "app/count.js": "let count = 0; exports.next = () => ++count;",
    "app/server.js": server(`text + require("./count").next()`),
  },
  // The one that counts is kept: a fresh process counts from 1 again.
  { "app/text.js": `module.exports = "four";`, "app/three.js": undefined },
  { "app/package.json": `{ "name": "renamed" }` },
  { "app/package-lock.json": "{}" },
];

test("commits are replayed as saves, each difference is told, and the exit code says that there was one", {
  skip: hasGit ? false : "there is no git on this machine",
}, async () => {
  await using folder = new TempApp({});
  const git = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync("git", ["-C", folder.folder, ...words], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  git("init", "--quiet");
  for (const files of commits) {
    for (const [file, text] of Object.entries(files))
      text === undefined ? folder.remove(file) : folder.write(file, text);
    git("add", "--all");
    git("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "--message", "a commit");
  }
  const before = [git("rev-parse", "HEAD"), git("status", "--porcelain"), readdirSync(folder.folder).join()];

  const json = `${folder.scratch}/results.json`;
  const run = await replay(folder, [folder.folder, "server.js", "--folder", "app", "--json", json]);
  assert.equal(run.code, 1, `${run.lines}`);
  const results = JSON.parse(readFileSync(json, "utf8")) as Replayed[];
  assert.deepEqual(
    results.map(({ outcome, taken }) => `${outcome}${taken ? `, ${taken.way}` : ""}`),
    [
      "unstartable",
      "started",
      "same, all own modules",
      // That of the README is not there.
      "broken, failure",
      "same, all own modules",
      "same, in place",
      "same, in place",
      "different, in place",
      "same, fresh worker",
      "unsaved",
    ],
    `${run.lines}`,
  );
  assert.deepEqual(
    results.flatMap(({ differences }) => differences),
    [{ cause: "other answer", what: "GET /", product: "200\n\nfour2", fresh: "200\n\nfour1" }],
  );
  assert.deepEqual(results[7]?.files, ["text.js", "three.js"]);
  assert.deepEqual(results.map(({ isSameCode }) => isSameCode === true).indexOf(true), 5);
  assert.equal(run.lines.matching(/^same answers +6 of 7/).length, 1, `${run.lines}`);

  const edits = ["--edits", "5", "--seed", "4", "--tip", "HEAD~4", "--json", json];
  const edited = await replay(folder, [folder.folder, "server.js", "--folder", "app", ...edits]);
  assert.equal(edited.code, 0, `${edited.lines}`);
  const steps = JSON.parse(readFileSync(json, "utf8")) as Replayed[];
  assert.deepEqual([steps[0]?.outcome, steps.length], ["started", 6]);
  // Both of the app's modules are found, and an edit that has broken the app is taken back.
  assert.deepEqual([...new Set(steps.slice(1).flatMap(({ files }) => files))].sort(), [
    "server.js",
    "text.js",
    "three.js",
  ]);
  assert.ok(steps.some(({ edit, outcome }) => edit === "taken back" && outcome === "same"));

  assert.deepEqual([git("rev-parse", "HEAD"), git("status", "--porcelain"), readdirSync(folder.folder).join()], before);
  assert.deepEqual(folder.leftInScratch(), ["results.json"]);
});

test("what cannot be replayed is one line and exit code 2", async () => {
  await using folder = new TempApp({});
  const noGit = await replay(folder, [folder.folder, "server.js"], { PATH: folder.folder });
  assert.deepEqual([noGit.code, noGit.lines.all.length], [2, 1]);
  assert.match(`${noGit.lines}`, /^replay: git is not on this machine, or not in PATH/);
  const noFolder = await replay(folder, [folder.path("none"), "server.js"]);
  assert.deepEqual([noFolder.code, noFolder.lines.all.length], [2, 1]);
  assert.match(`${noFolder.lines}`, /there is no such folder$/);
});

async function replay(folder: TempApp, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const lines = new OutputLines();
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, TMPDIR: folder.scratch, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  try {
    const [code] = await within(once(child, "close"), () => `the end of the replay; output:\n${lines}`, 120_000);
    return { code, lines };
  } finally {
    child.kill("SIGTERM");
  }
}
