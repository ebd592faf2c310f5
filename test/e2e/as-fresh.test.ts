/** Edits after which an app once answered otherwise than a freshly started one: what the differential fuzzer has found. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const esmPackage = `{ "name": "app", "private": true, "type": "module" }\n`;

const listen = `createServer(async (_req, res) => {
  res.end(JSON.stringify(await answer().catch((error) => error.message)));
}).listen(process.env.PORT, "127.0.0.1");
`;

describe("as a fresh start", () => {
  test("a cycle is evaluated from the module through which the entry enters it, in the same worker", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `import { createServer } from "node:http";
import { count } from "./state.js";
import { sum } from "./b.js";
const answer = async () => [sum, count()];
${listen}`,
      "state.js": `let calls = 0;\nexport const count = () => ++calls;\n`,
      // Only when b is entered first has a been evaluated where b reads it.
      "a.js": `import { sum } from "./b.js";\nexport const value = 1;\nexport const later = () => sum;\n`,
      "b.js": `import { value } from "./a.js";\nexport const sum = value + 10;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [11, 1]);
    app.edit("a.js", "value = 1", "value = 2");
    assert.deepEqual(await served.json("/"), [12, served.inPlace ? 2 : 1]);
    app.edit("b.js", "+ 10", "+ 20");
    assert.deepEqual(await served.json("/"), [22, served.inPlace ? 3 : 1]);
  });

  test("a file that was left and found again by a computed specifier is looked after again", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const { load } = require("./one");
const answer = async () => load("target");
${listen}`,
      "one.js": `exports.load = (name) => require("./" + name).value;\n`,
      "target.js": `exports.value = require("./base").base + 1;\n`,
      "base.js": `exports.base = 1;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), 2);
    // base.js purges target.js, which nobody has asked for since; and whoever did is gone.
    app.edit("base.js", "base = 1", "base = 10");
    app.write("two.js", `exports.load = (name) => require("./" + name).value;\n`);
    app.edit("main.js", "./one", "./two");
    app.remove("one.js");
    assert.equal(await served.json("/"), 11);
    app.edit("target.js", "+ 1", "+ 2");
    assert.equal(await served.json("/"), 12);
  });

  for (const turns of [0, 1, 20]) {
    test(`what an entry has a package load ${turns} turns after its evaluation is looked after at every reload`, async () => {
      await using app = new TempApp({
        "main.js": `const { createServer } = require("node:http");
async function main() {
  for (let turn = 0; turn < ${turns}; turn++) await new Promise((resolve) => setImmediate(resolve));
  const { value } = require("finder").find(__dirname + "/part.js");
  const answer = async () => value;
  ${listen}}
void main();
`,
        "part.js": `exports.value = 1;\n`,
        "node_modules/finder/package.json": `{ "name": "finder", "version": "1.0.0" }\n`,
        "node_modules/finder/index.js": "exports.find = (file) => require(file);\n",
      });
      await using served = await serve(app, "main.js");
      assert.equal(await served.json("/"), 1);
      for (let version = 2; version <= 6; version++) {
        app.write("part.js", `exports.value = ${version};\n`);
        assert.equal(await served.json("/"), version, String(served.lines));
      }
    });
  }

  test("late code whose imports lead to a file that is gone fails, although it was loaded before", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `import { createServer } from "node:http";
const answer = async () => (await import("./late.js").catch(() => ({ value: "failed" }))).value;
${listen}`,
      "late.js": `import { middle } from "./middle.js";\nexport const value = "late";\nexport const use = () => middle;\n`,
      "middle.js": `import { leaf } from "./leaf.js";\nexport const middle = leaf;\n`,
      "leaf.js": `export const leaf = 1;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), "late");
    app.remove("leaf.js");
    assert.equal(await served.json("/"), "failed");
    app.write("leaf.js", `export const leaf = 2;\n`);
    assert.equal(await served.json("/"), "late");
  });

  test("a broken file that only a computed specifier leads to is not evaluated from its old text", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const answer = async () => require("./" + ["part"].join("")).value;
${listen}`,
      "part.js": "exports.value = 1;\n",
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), 1);
    app.edit("part.js", "exports", "}{ exports");
    app.edit("main.js", "answer = async", "answer =  async");
    assert.notEqual(await served.json("/"), 1);
    app.edit("part.js", "}{ exports.value = 1", "exports.value = 2");
    assert.equal(await served.json("/"), 2);
  });

  test("what a request loads counts at once, also while the thread has had no time to report it", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
createServer((_req, res) => {
  res.end(String(require("./" + ["part"].join("")).value));
  for (const start = Date.now(); Date.now() - start < 200; );
}).listen(process.env.PORT, "127.0.0.1");
`,
      "part.js": `exports.value = require("./base").base + 1;\n`,
      "base.js": "exports.base = 1;\n",
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "2");
    app.edit("base.js", "base = 1", "base = 10");
    assert.equal(await served.text("/"), "11");
  });

  test("what kept modules behind a computed import() import is evaluated again, though nobody reads it", async () => {
    const main = (tag: string) => `import { createServer } from "node:http";
const { name } = await import("./" + ["plugin", "js"].join("."));
const answer = async () => [name, globalThis.effect, ${tag}];
${listen}`;
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": main("1"),
      "plugin.js": `import "./kept.js";\nexport const name = "plugin";\n`,
      "kept.js": `import { part } from "./part.js";\nexport const later = () => part;\n`,
      "part.js": `export const part = 1;\nglobalThis.effect = part;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), ["plugin", 1, 1]);
    app.edit("part.js", "part = 1", "part = 2");
    app.write("main.js", main("2"));
    assert.deepEqual(await served.json("/"), ["plugin", 2, 2]);
  });

  test("a file added in front of another is found by computed specifiers as well", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const answer = async () => require("./" + ["part"].join("")).value;
${listen}`,
      "part/index.js": "exports.value = 1;\n",
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), 1);
    app.write("part.js", "exports.value = 2;\n");
    assert.equal(await served.json("/"), 2);
  });

  test("who reads or changes a global that a module has set is evaluated again with it, and nobody else", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
global.app = { routes: {}, title: "one", get(path, handle) { this.routes[path] = handle; } };
require("./settings");
const { id } = require("./store");
require("./routes");
const { text } = require("./answer");
require("./a");
require("./b");
const registry = require("registry");
const answer = async () => [app.routes["/"]?.(), text, new Shape().sides, id, registry.all()];
${listen}`,
      "settings.js": `settings = { word: "one", deep: {} };\n`,
      "deep.js": `settings.deep.word = "deep";\n`,
      "answer.js": `require("./deep");
const { word, deep } = globalThis.settings;
exports.text = word + " " + deep.word;
`,
      "routes.js": `app.get("/", () => app.title);\nglobal.Shape = class Shape extends require("./base").Base {};\n`,
      "base.js": `exports.Base = class { sides = 3; };\n`,
      "store.js": `exports.id = Math.random();\n`,
      "a.js": `require("registry").register("a", 1);\n`,
      "b.js": `require("registry").register("b", 1);\n`,
      "node_modules/registry/package.json": `{ "name": "registry", "version": "1.0.0" }`,
      // As class-validator and TypeORM do: so that two copies of the package have one registry.
      "node_modules/registry/index.js": `exports.register = (name, value) => { (globalThis.registryOfAll ??= { by: {} }).by[name] = value; };
exports.all = () => Object.entries(globalThis.registryOfAll.by).sort().join(" ");
`,
    });
    await using served = await serve(app, "main.js");
    const first = (await served.json("/")) as unknown[];
    const id = first[3];
    assert.deepEqual(first, ["one", "one deep", 3, id, "a,1 b,1"]);
    const edits: [string, string, string, unknown[]][] = [
      ["main.js", `title: "one"`, `title: "two"`, ["two", "one deep", 3]],
      ["settings.js", `"one"`, `"two"`, ["two", "two deep", 3]],
      ["deep.js", `"deep"`, `"low"`, ["two", "two low", 3]],
      ["base.js", "3", "4", ["two", "two low", 4]],
      ["a.js", `"a"`, `"c"`, ["two", "two low", 4, id, "b,1 c,1"]],
      ["b.js", "1", "2", ["two", "two low", 4, id, "b,2 c,1"]],
      ["main.js", `require("./settings");`, `global.settings = { word: "no", deep: {} };`, ["two", "no low", 4]],
    ];
    for (const [file, before, after, expected] of edits) {
      app.edit(file, before, after);
      const now = (await served.json("/")) as unknown[];
      assert.deepEqual(now.slice(0, 3), expected.slice(0, 3), String(served.lines));
      if (served.inPlace && expected[4]) assert.equal(now[4], expected[4]);
      if (served.inPlace) assert.equal(now[3], id, `${file}: the store is kept`);
    }
  });

  test("a file that is saved while another one fails is not forgotten, although a fresh worker has read it", async () => {
    // By another process, since what the app writes itself is its own business.
    const saving = `import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
const rename = 'require("fs").renameSync("value.next", "value.js")';
if (existsSync("value.next")) execFileSync(process.execPath, ["-e", rename]);
throw new Error("boom");
`;
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `import { createServer } from "node:http";
import "./failing.js";
import { value } from "./value.js";
const answer = async () => value;
${listen}`,
      "failing.js": "export {};\n",
      "value.js": `export const value = 1;\n`,
      "value.next": `export const value = 2;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), 1);
    app.write("failing.js", saving);
    assert.equal((await served.get("/")).status, 500);
    app.write("failing.js", "export {};\n");
    assert.equal(await served.json("/"), 2);
  });
});
