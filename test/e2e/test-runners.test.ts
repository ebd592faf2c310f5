/** Tests of an app, in the runners that there are, load the package by `require` and by `import`, and reload the app. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, test } from "node:test";
import { within } from "../support/deadline.js";
import { TempApp } from "../support/temp-app.js";

const checks = `
(globalThis.test ?? globalThis.it)("reloads the app", async () => {
  const supervisor = createSupervisor({ entry: path.join(folder, "app.mjs"), root: folder, logger: () => {} });
  try {
    await supervisor.start();
    const read = async () => (await supervisor.fetch("/")).text();
    assert.equal(await read(), "one");
    fs.writeFileSync(path.join(folder, "text.mjs"), 'export const text = "two";');
    assert.equal(await read(), "two");
  } finally {
    await supervisor.close();
  }
  assert.throws(
    () => createSupervisor({ entry: path.join(folder, "none.mjs"), root: folder }),
    (error) => error instanceof UnreloaderError && error.code === "ERR_UNRELOADER_ENTRY",
  );
  assert.equal(unreloader.reloading, false);
  assert.deepEqual(defineConfig({ port: 1 }), { port: 1 });
});`;

const required = `const assert = require("node:assert"), fs = require("node:fs"), path = require("node:path"), folder = __dirname;
const { createSupervisor, defineConfig, UnreloaderError } = require("unreloader");
const { unreloader } = require("unreloader/app");
require("unreloader/hot");
${checks}`;
const imported = `import assert from "node:assert"; import fs from "node:fs"; import path from "node:path";
import { createSupervisor, defineConfig, UnreloaderError } from "unreloader";
import { unreloader } from "unreloader/app";
import "unreloader/hot";
const folder = import.meta.dirname;
${checks}`;

interface Runner {
  readonly packages: readonly string[];
  /** Arguments of node, for a file of tests. */
  readonly arguments: (file: string) => readonly string[];
  readonly required?: string;
  readonly imported?: string;
}

const jest = (flags: readonly string[], file: string) => [
  ...flags,
  "node_modules/jest/bin/jest.js",
  ...["--config", `{ "transform": {}, "testMatch": ["**/*.spec.?(c|m)js"] }`, "--watchman=false", file],
];

const runners: Readonly<Record<string, Runner>> = {
  jest: { packages: ["jest"], arguments: (file) => jest([], file), required },
  "jest with ES modules": {
    packages: ["jest"],
    arguments: (file) => jest(["--experimental-vm-modules", "--no-warnings"], file),
    required,
    imported,
  },
  mocha: {
    packages: ["mocha"],
    arguments: (file) => ["node_modules/mocha/bin/mocha.js", "--timeout=60000", file],
    required,
    imported,
  },
  vitest: {
    packages: ["vitest"],
    arguments: (file) => ["node_modules/vitest/vitest.mjs", "run", "--globals", "--testTimeout=60000", file],
    imported,
  },
  "node:test": {
    packages: [],
    arguments: (file) => ["--test", file],
    required: `globalThis.test = require("node:test").test; ${required}`,
    imported: `import { test } from "node:test"; globalThis.test = test; ${imported}`,
  },
};

describe("in a runner of tests, the package works", () => {
  for (const [name, { packages, arguments: argumentsFor, ...texts }] of Object.entries(runners)) {
    for (const [how, text] of Object.entries(texts)) {
      test(`${name}, ${how}`, async () => {
        const file = how === "required" ? "app.spec.cjs" : "app.spec.mjs";
        await using app = new TempApp(
          {
            [file]: text,
            "app.mjs": `import http from "node:http"; import { text } from "./text.mjs"; http.createServer((_, answer) => answer.end(text)).listen(process.env.PORT ?? 0, "127.0.0.1");`,
            "text.mjs": `export const text = "one";`,
          },
          { packages: ["unreloader", ...packages] },
        );
        const { NODE_TEST_CONTEXT: _test, NODE_OPTIONS: _flags, ...env } = process.env;
        const child = spawn(process.execPath, argumentsFor(file), {
          cwd: app.folder,
          env: { ...env, TMPDIR: app.scratch, CI: "1" },
          stdio: ["ignore", "pipe", "pipe"],
        });
        let output = "";
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding("utf8").on("data", (part: string) => {
            output += part;
          });
        }
        const closed = once(child, "close");
        try {
          const [code] = (await within(closed, () => `the end of ${path.basename(app.folder)}:\n${output}`)) as [
            number | null,
          ];
          assert.equal(code, 0, output);
          assert.match(output, /reloads the app|1 passed|1 passing/);
        } finally {
          child.kill("SIGKILL");
        }
      });
    }
  }
});
