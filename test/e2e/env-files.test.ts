/** Files with variables, whoever reads them: an edit takes a fresh worker, which has the new values and no others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, runToExit, type ServeOptions, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const serverText = `http.createServer((_, answer) => answer.end([early, process.env.LEVEL, process.env.EXTRA, process.env.OUTER].join(" "))).listen(process.env.PORT, "127.0.0.1");`;
const esm = (first: string) => ({
  "main.mjs": `${first} import http from "node:http"; import { early } from "./early.mjs"; ${serverText}`,
  "early.mjs": "export const early = process.env.LEVEL;",
});
const commonJs = (first: string) => ({
  "main.cjs": `${first} const http = require("node:http"), { early } = require("./early.cjs"); ${serverText}`,
  "early.cjs": "exports.early = process.env.LEVEL;",
});
const typeScript = (first: string) => ({
  "package.json": `{ "type": "module" }`,
  "main.ts": `${first} import http from "node:http"; import { early } from "./early.ts"; ${serverText}`,
  "early.ts": "export const early: string | undefined = process.env.LEVEL;",
});

interface Way extends ServeOptions {
  readonly entry: string;
  readonly files: Readonly<Record<string, string>>;
  /** What is there of the file's when the file is not; absent: there is a failure. */
  readonly without?: string;
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const hasIfExists = major > 22 || (major === 22 && minor >= 9);

const ways: Readonly<Record<string, Way>> = {
  "our flag": { entry: "main.mjs", files: esm(""), flags: ["--env-file", ".env"] },
  "our flag, for TypeScript": { entry: "main.ts", files: typeScript(""), flags: ["--env-file=.env"] },
  "Node's flag": { entry: "main.cjs", files: commonJs(""), node: ["--env-file=.env"] },
  "Node's flag with its value apart": { entry: "main.mjs", files: esm(""), node: ["--env-file", ".env"] },
  "dotenv, imported first": { entry: "main.mjs", files: esm(`import "dotenv/config";`), without: "  outer" },
  "dotenv, required first": { entry: "main.cjs", files: commonJs(`require("dotenv").config();`), without: "  outer" },
  "dotenv in a module of its own": {
    entry: "main.ts",
    files: {
      ...typeScript(`import "./variables.ts";`),
      "variables.ts": `import dotenv from "dotenv"; dotenv.config();`,
    },
    without: "  outer",
  },
  "dotenv by --require": { entry: "main.cjs", files: commonJs(""), node: ["-r", "dotenv/config"], without: "  outer" },
  "dotenv by --import": { entry: "main.mjs", files: esm(""), node: ["--import", "dotenv/config"], without: "  outer" },
  "dotenv by NODE_OPTIONS": {
    entry: "main.mjs",
    files: esm(""),
    env: { NODE_OPTIONS: "--require dotenv/config" },
    without: "  outer",
  },
  "process.loadEnvFile()": {
    entry: "main.mjs",
    files: { ...esm(`import "./variables.mjs";`), "variables.mjs": "process.loadEnvFile();" },
  },
};
if (hasIfExists)
  Object.assign(ways, {
    "Node's flag for a file that may be missing": {
      entry: "main.mjs",
      files: esm(""),
      node: ["--env-file-if-exists=.env"],
      without: "  outer",
    },
  });

describe("variables of a file, by", { skip: plainMode }, () => {
  for (const [name, { entry, files, without, env, ...options }] of Object.entries(ways)) {
    test(name, async () => {
      await using app = new TempApp(
        { ...files, ".env": "LEVEL=1\nEXTRA=yes\nOUTER=inner\n" },
        { packages: ["dotenv"] },
      );
      await using served = await serve(app, entry, { ...options, env: { OUTER: "outer", ...env } });
      assert.equal(await served.text("/"), "1 1 yes outer");
      app.write(".env", "LEVEL=2\n");
      assert.equal(await served.text("/"), "2 2  outer");
      app.remove(".env");
      if (without !== undefined) assert.equal(await served.text("/"), ` ${without}`);
      else assert.match((await served.get("/")).body, /\.env/);
      app.write(".env", "LEVEL=3\nEXTRA=again\n");
      assert.equal(await served.text("/"), "3 3 again outer");
    });
  }
});

test("that a file may be missing is told once", { skip: plainMode || !hasIfExists }, async () => {
  await using app = new TempApp({ "main.mjs": `console.log("RUNS");` });
  const { lines } = await runToExit(app.folder, ["--exit", "main.mjs"], {}, ["--env-file-if-exists=missing.env"]);
  assert.deepEqual(
    [lines.matching(/^RUNS/).length, lines.matching(/missing\.env not found/).length],
    [1, 1],
    lines.toString(),
  );
});

describe("a missing file ends the start with one line that names it", { skip: plainMode }, () => {
  test("of the configuration", async () => {
    await using app = new TempApp({ ...esm(""), "unreloader.config.json": `{ "envFile": "missing.env" }` });
    const { code, lines } = await runToExit(app.folder, ["main.mjs"]);
    assert.equal(code, 1);
    assert.equal(lines.all.length, 1);
    assert.match(lines.all[0] ?? "", /^unreloader: option envFile .*missing\.env.*: there is no such file$/);
  });

  test("of the flag, which Node looks at as well", async () => {
    await using app = new TempApp(esm(""));
    const { code, lines } = await runToExit(app.folder, ["--env-file", "missing.env", "main.mjs"]);
    const ours = [1, "unreloader: --env-file missing.env: there is no such file"];
    const ofNode = [9, `${process.execPath}: missing.env: not found`];
    assert.deepEqual([code, ...lines.all], code === 9 ? ofNode : ours);
  });
});
