/** `unreloader/app`: dispose hooks, kept values, and what it is without a supervisor. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { ArgumentError } from "../../src/common/errors.js";
import { reloadManyTimes } from "../support/adapter-app.js";
import { historyPackage } from "../support/history-package.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const esmPackage = `{ "name": "app", "private": true, "type": "module" }\n`;
const packages = ["unreloader"];

/** Answers with what `answer()` gives. */
const listen = `createServer(async (_req, res) => res.end(JSON.stringify(await answer()))).listen(0, "127.0.0.1");\n`;
describe("unreloader.dispose", { skip: plainMode }, () => {
  test("hooks run newest first, importers before what they import, each awaited before new code is evaluated", async () => {
    await using app = new TempApp(
      {
        "package.json": esmPackage,
        ...historyPackage,
        "main.js": `import { createServer } from "node:http";
import { all } from "history";
import { value } from "./user.js";
const answer = () => [value, ...all()];
${listen}`,
        "user.js": `import { unreloader } from "unreloader/app";
import { base } from "./base.js";
import { note } from "history";
note("user");
unreloader.dispose(() => note("dispose user"));
export const value = base + 1;
`,
        "base.js": `import { unreloader } from "unreloader/app";
import { note } from "history";
note("base");
unreloader.dispose(() => void note("first"));
unreloader.dispose(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  note("second, later");
});
export const base = 1;
`,
      },
      { packages },
    );
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [2, "base", "user"]);
    app.edit("base.js", "base = 1", "base = 2");
    const disposed = ["dispose user", "second, later", "first"];
    assert.deepEqual(await served.json("/"), [3, "base", "user", ...disposed, "base", "user"]);
  });

  test("a hook that throws is reported with its file, and the reload goes on", async () => {
    await using app = new TempApp(
      {
        "main.js": `const { createServer } = require("node:http");
const { value } = require("./lib/value.js");
const answer = () => value;
${listen}`,
        "lib/value.js": `const { unreloader } = require("unreloader/app");
unreloader.dispose(() => { throw new Error("cannot close"); });
unreloader.dispose(async () => { throw new Error("cannot close, later"); });
exports.value = 1;
`,
      },
      { packages },
    );
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), 1);
    app.edit("lib/value.js", "value = 1", "value = 2");
    assert.equal(await served.json("/"), 2);
    await served.lines.wait(/warning: .*lib\/value\.js: a dispose hook failed: cannot close$/);
    await served.lines.wait(/warning: .*lib\/value\.js: a dispose hook failed: cannot close, later/);
  });

  test("hooks and kept values are done with when the app ends and when its worker is replaced", async () => {
    const app = new TempApp(
      {
        "package.json": esmPackage,
        "main.ts": `import { createServer } from "node:http";
import { unreloader } from "unreloader/app";
const kept: { name: string } = await unreloader.keep("kept", () => ({ name: "kept" }), async ({ name }) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.log("closed", name);
});
unreloader.dispose(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.log("disposed, generation", unreloader.generation);
});
const answer = () => [kept.name, unreloader.generation, unreloader.reloading, unreloader.autoloading];
${listen}`,
      },
      { packages },
    );
    await using _ = app;
    await using served = await serve(app, "main.ts");
    assert.deepEqual(await served.json("/"), ["kept", 1, true, true]);
    app.write("tsconfig.json", `{ "compilerOptions": { "target": "es2022" } }`);
    assert.deepEqual(await served.json("/"), ["kept", 2, true, true]);
    const said = () => served.lines.matching(/^(disposed|closed)/);
    assert.deepEqual(said(), ["disposed, generation 1", "closed kept"]);
    assert.equal((await served.stop("SIGTERM")).code, 0);
    assert.deepEqual(said().slice(2), ["disposed, generation 2", "closed kept"]);
  });

  test("what a failed reload has evaluated has its hooks run, once for each evaluation", async () => {
    await using app = new TempApp(
      {
        "package.json": esmPackage,
        ...historyPackage,
        "main.js": `import { createServer } from "node:http";
import { all } from "history";
import "./lib.js";
const answer = () => all();
${listen}`,
        "lib.js": `import { unreloader } from "unreloader/app";
import { note } from "history";
unreloader.dispose(() => void note("dispose 1"));
`,
      },
      { packages },
    );
    await using served = await serve(app, "main.js", { flags: ["--on-error", "last-good"] });
    app.edit("lib.js", `"dispose 1"));`, `"dispose 2"));\nnote("evaluate 2");\nthrow new Error("broken");`);
    const [first, ...others] = await served.json<string[]>("/");
    assert.equal(first, "dispose 1");
    assert.ok(others.length > 0);
    assert.deepEqual(
      others,
      others.map((_, index) => (index % 2 === 0 ? "evaluate 2" : "dispose 2")),
    );
    assert.equal(others.at(-1), "dispose 2");
  });
});

describe("unreloader.keep", { skip: plainMode }, () => {
  const pool = (rest = "") => `import { unreloader } from "unreloader/app";
import { note } from "history";
import { size } from "./size.js";
export const pool = await unreloader.keep("pool", async () => {
  note("open");
  const timer = setInterval(() => { pool.ticks++; }, 1);
  const pool = { ticks: 0, size, timer };
  return pool;
}, (pool) => { clearInterval(pool.timer); note("close"); });
${rest}`;
  const files = {
    "package.json": esmPackage,
    ...historyPackage,
    "size.js": "export const size = 1;\n",
    "pool.js": pool(),
    "other.js": `import { unreloader } from "unreloader/app";
export const same = await unreloader.keep("pool", () => { throw new Error("there is one"); });
`,
    "main.js": `import { createServer } from "node:http";
import { all } from "history";
import { pool } from "./pool.js";
import { same } from "./other.js";
const answer = () => [pool === same, pool.size, ...all()];
const ticks = () => new Promise((resolve) => {
  const before = pool.ticks;
  const wait = () => (pool.ticks > before ? resolve(true) : setTimeout(wait, 1));
  wait();
});
createServer(async (req, res) => res.end(JSON.stringify(await (req.url === "/ticks" ? ticks() : answer())))).listen(0, "127.0.0.1");
`,
  };

  test("a value outlives reloads, with what its factory created, until the file of its factory changes", async () => {
    await using app = new TempApp(files, { packages });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [true, 1, "open"]);
    app.edit("size.js", "size = 1", "size = 2");
    assert.deepEqual(await served.json("/"), [true, 1, "open"]);
    assert.equal(await served.json("/ticks"), true);
    app.write("pool.js", pool("// changed\n"));
    app.edit("other.js", "there is one", "there is one already");
    assert.deepEqual(await served.json("/"), [true, 2, "open", "close", "open"]);
    assert.equal(await served.json("/ticks"), true);
  });

  test("a value is closed when no loaded module keeps it any more", async () => {
    await using app = new TempApp(
      { ...files, "main.js": files["main.js"].replace("=== same", "!== undefined").replace(/import { same.*\n/, "") },
      { packages },
    );
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [true, 1, "open"]);
    app.edit("main.js", `import { pool } from "./pool.js";`, "const pool = { size: 0 };");
    assert.deepEqual(await served.json("/"), [true, 0, "open", "close"]);
  });

  test("concurrent calls share one creation, and one that failed is tried again", async () => {
    await using app = new TempApp(
      {
        "main.cjs": `const { createServer } = require("node:http");
const { unreloader } = require("unreloader/app");
let tries = 0;
const keep = () => unreloader.keep("shared", async () => {
  tries++;
  await new Promise(setImmediate);
  if (tries === 1) throw new Error("not yet");
  return { tries };
});
const settled = async () => (await Promise.allSettled([keep(), keep()])).map((one) => one.reason?.message ?? one.value.tries);
const answer = async () => [...(await settled()), ...(await settled()), tries];
${listen}`,
      },
      { packages },
    );
    await using served = await serve(app, "main.cjs");
    assert.deepEqual(await served.json("/"), ["not yet", "not yet", 2, 2, 2]);
    assert.deepEqual(await served.json("/"), [2, 2, 2, 2, 2]);
  });
});

test("without a supervisor every call does what the app needs to run", async () => {
  await using app = new TempApp(
    {
      "main.mjs": `import { unreloader } from "unreloader/app";
unreloader.dispose(() => console.log("disposed"));
let created = 0;
const create = async () => ({ number: ++created });
const [a, b] = await Promise.all([unreloader.keep("a", create), unreloader.keep("a", create)]);
await unreloader.keep("b", () => { throw new Error("no"); }).catch(() => {});
const later = await unreloader.keep("b", () => "yes", () => console.log("closed"));
const bad = [() => unreloader.keep(1, create), () => unreloader.keep("c"), () => unreloader.dispose("hook")];
const codes = bad.map((call) => { try { return call(); } catch (error) { return [error.code, error.message]; } });
const { reloading, autoloading, generation } = unreloader;
console.log(JSON.stringify([a === b, created, later, reloading, autoloading, generation, import.meta.hot, codes]));
`,
    },
    { packages },
  );
  const { stdout } = await promisify(execFile)(process.execPath, [app.path("main.mjs")]);
  const { code } = new ArgumentError("");
  assert.deepEqual(JSON.parse(stdout), [
    true,
    1,
    "yes",
    false,
    false,
    1,
    null,
    [
      [code, "keep(): the key must be a string, not 1"],
      [code, "keep(): create must be a function, not undefined"],
      [code, "dispose(): hook must be a function, not 'hook'"],
    ],
  ]);
});

test("versions of a module that disposes, keeps and accepts are collected", { skip: plainMode }, async () => {
  const files = {
    "main.js": `require("./lib.js");
require("./probe.cjs").serve(() => require("./lib.js").answer());
`,
    "lib.js": `const { unreloader } = require("unreloader/app");
const { watch } = require("./probe.cjs");
const { base } = require("./base.js");
class Held {}
const held = watch(new Held());
unreloader.dispose(() => held);
unreloader.keep("kept", () => new Map(), () => held);
module.hot.accept(() => held);
module.hot.dispose((data) => { data.version = base; return held; });
exports.answer = () => (held, base);
`,
    "base.js": `exports.base = "version-1";\nmodule.hot.accept("./lib.js", () => exports);\n`,
  };
  const once = { packages, files, entry: "main.js", edited: "base.js" };
  await reloadManyTimes(once, 30, async ({ alive }) => assert.equal(await alive(), 1));
});
