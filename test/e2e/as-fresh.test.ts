/** Edits after which an app once answered otherwise than a freshly started one: what the differential fuzzer has found. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync } from "node:fs";
import path from "node:path";
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

  test("an import() that failed while a module was evaluated is tried again when what it missed is there", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module", "main": "./server" }`,
      "server.ts": `import { createServer } from "node:http";
const tried = async (file: string) => import(file).then(({ value }) => value, (error) => error.code ?? error.name);
const answer = async () => state;
const state = [await tried("./late.js"), await tried("./bad.js"), await tried("./parts.js")];
${listen}`,
      "bad.ts": "export const value = ;\n",
      "parts.ts": `export { value } from "./part.js";\n`,
    });
    await using served = await serve(app, ".");
    const missing = "ERR_MODULE_NOT_FOUND";
    assert.deepEqual(await served.json("/"), [missing, "SyntaxError", missing]);
    app.write("late.ts", `export const value: string = "late";\n`);
    assert.deepEqual(await served.json("/"), ["late", "SyntaxError", missing]);
    app.edit("bad.ts", "= ;", "= 1;");
    assert.deepEqual(await served.json("/"), ["late", 1, missing]);
    app.write("part.ts", `export const value = 2;\n`);
    assert.deepEqual(await served.json("/"), ["late", 1, 2]);
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

  test("who has used a variable, a global or a patch at its evaluation is evaluated again when another module changes it", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const { id } = require("./store");
const all = ["early", "variables", "globals", "patches", "reader", "module", "class"].map((file) => require("./" + file));
const answer = async () => [...all.filter(Array.isArray).map(String), id];
${listen}`,
      "store.js": `exports.id = String(process.hrtime.bigint());\n`,
      "early.js": `module.exports = [process.env.UR_WORD];\n`,
      "variables.js": `Object.assign(process.env, { UR_WORD: "one" });\n`,
      "globals.js": "",
      "patches.js": `const { Query } = require("query");
const { Resolver } = require("node:dns");
String.prototype.shout = function () { return this + "!"; };
Query.prototype.exec = () => "patched";
Resolver.prototype.cancel = () => "none";
`,
      "reader.js": `const { UR_WORD, UR_MORE } = process.env;
module.exports = [UR_WORD, UR_MORE, typeof flag, "shout" in String.prototype && "a".shout(), isNaN(Math.random())];
`,
      "module.js": `const { Resolver } = require("node:dns");\nmodule.exports = [new Resolver().cancel()];\n`,
      "class.js": `const { Query } = require("query");\nmodule.exports = [new Query().exec()];\n`,
      "node_modules/query/package.json": `{ "name": "query", "version": "1.0.0" }`,
      "node_modules/query/index.js": `exports.Query = class { exec() { return "plain"; } };\n`,
    });
    await using served = await serve(app, "main.js");
    const first = (await served.json("/")) as string[];
    const id = first.at(-1);
    assert.deepEqual(first, ["", "one,,undefined,a!,false", "none", "patched", id]);
    const edits: [string, string, string, string[]][] = [
      ["variables.js", `"one"`, `"two"`, ["", "two,,undefined,a!,false"]],
      ["early.js", "WORD]", "WORD, 1]", [",1", "two,,undefined,a!,false"]],
      ["variables.js", "UR_WORD", "UR_MORE", [",1", ",two,undefined,a!,false"]],
      ["globals.js", "", "globalThis.flag = 1;", [",1", ",two,number,a!,false"]],
      ["globals.js", "globalThis.flag = 1;", "// none", [",1", ",two,undefined,a!,false"]],
      ["patches.js", `"!"`, `"?"`, [",1", ",two,undefined,a?,false", "none", "patched"]],
      ["patches.js", `"none"`, `"all"`, [",1", ",two,undefined,a?,false", "all", "patched"]],
      ["patches.js", "Query.prototype.exec", "Math.random", [",1", ",two,undefined,a?,true", "all", "plain"]],
      ["patches.js", "String.prototype", "Number.prototype", [",1", ",two,undefined,false,true", "all", "plain"]],
    ];
    for (const [file, before, after, expected] of edits) {
      if (before === "") app.write(file, after);
      else app.edit(file, before, after);
      const now = (await served.json("/")) as string[];
      assert.deepEqual(now.slice(0, expected.length), expected, `${file} ${after}\n${served.lines}`);
      if (served.inPlace) assert.equal(now.at(-1), id, `${file} ${after}: the store is kept`);
    }
  });

  test("what modules have put into packages, wherever these keep it, goes with them, and comes back to its place", async () => {
    const packageOf = (name: string, text: string) => ({
      [`node_modules/${name}/package.json`]: `{ "name": "${name}", "version": "1.0.0" }`,
      [`node_modules/${name}/index.js`]: text,
    });
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const { id } = require("./store");
for (const file of ["a", "b", "c"]) require("./" + file);
require("host").use(require("./plugin"));
const text = require("./helper");
const answer = async () => [require("first").all(), require("list")("x"), require("bus").all(), text(), require("./reader").read, id];
${listen}`,
      ...Object.fromEntries(
        ["a", "b", "c"].map((name) => [
          `${name}.js`,
          `const word = "${name}1";
require("first").register("${name}", () => word);
require("list").use((text) => text + word);
require("bus").on("ask", (all) => all.push(word));
`,
        ]),
      ),
      "store.js": `exports.id = Math.random();\n`,
      "plugin.js": `module.exports = (host) => { host.hello = () => "hello"; };\n`,
      "helper.js": `const host = require("host");\nmodule.exports = () => host.hello() + 1;\n`,
      "reader.js": `exports.read = require("first").all();\n`,
      // The first one wins, and nothing of it is exported.
      ...packageOf(
        "first",
        `const all = new Map();
exports.register = (name, value) => { if (!all.has(name)) all.set(name, value); };
exports.all = () => [...all].map(([name, value]) => name + value()).join();
`,
      ),
      ...packageOf(
        "list",
        `const create = () => { const all = []; const run = (text) => all.reduce((sum, add) => add(sum), text); run.use = (add) => all.push(add); return run; };
module.exports = create();
`,
      ),
      ...packageOf(
        "bus",
        `const bus = new (require("node:events"))();
bus.all = () => { const all = []; bus.emit("ask", all); return all.join(); };
module.exports = bus;
`,
      ),
      // As dayjs does.
      ...packageOf(
        "host",
        `exports.use = (plugin) => { if (plugin.isInstalled) return; plugin.isInstalled = true; plugin(exports); };\n`,
      ),
    });
    await using served = await serve(app, "main.js");
    const first = (await served.json("/")) as unknown[];
    const id = first.at(-1);
    assert.deepEqual(first, ["aa1,bb1,cc1", "xa1b1c1", "a1,b1,c1", "hello1", "aa1,bb1,cc1", id]);
    const edits: [string, string, string, unknown[]][] = [
      ["b.js", "b1", "b2", ["aa1,bb2,cc1", "xa1b2c1", "a1,b2,c1", "hello1", "aa1,bb2,cc1"]],
      ["a.js", `register("a"`, `register("A"`, ["Aa1,bb2,cc1", "xa1b2c1", "a1,b2,c1", "hello1", "Aa1,bb2,cc1"]],
      ["helper.js", "+ 1", "+ 2", ["Aa1,bb2,cc1", "xa1b2c1", "a1,b2,c1", "hello2", "Aa1,bb2,cc1"]],
      ["plugin.js", `"hello"`, `"hi"`, ["Aa1,bb2,cc1", "xa1b2c1", "a1,b2,c1", "hi2", "Aa1,bb2,cc1"]],
      [
        "b.js",
        `require("list")`,
        `if (false) require("list")`,
        ["Aa1,bb2,cc1", "xa1c1", "a1,b2,c1", "hi2", "Aa1,bb2,cc1"],
      ],
    ];
    for (const [file, before, after, expected] of edits) {
      app.edit(file, before, after);
      const now = (await served.json("/")) as unknown[];
      assert.deepEqual(now.slice(0, -1), expected, `${file}\n${served.lines}`);
      if (served.inPlace) assert.equal(now.at(-1), id, `${file}: the store is kept`);
    }
  });

  test("modules that only come in another order write, set and register in that order, whatever brings it about", async () => {
    const doings = (name: string): string => `list.push("${name}");
globalThis.urWord = "${name}";
process.env.UR_WORD = "${name}";
Number.prototype.urWord = () => "${name}";
box.add(() => "${name}");
box.put("${name}", () => {});
process.on("ur-word", (out) => out.push("${name}"));
`;
    const commonjs = (name: string): string =>
      `const { list } = require("./list.cjs");\nconst box = require("box");\n${doings(name)}`;
    const esm = (name: string): string =>
      `import { list } from "./list.cjs";\nimport box from "box";\n${doings(name)}export {};\n`;
    const main = (...files: string[]): string => `import { createServer } from "node:http";
${files.map((file) => `import "./${file}";\n`).join("")}import { list } from "./list.cjs";
import box from "box";
const said = (out) => (process.emit("ur-word", out), out);
const answer = async () => [list, urWord, process.env.UR_WORD, (1).urWord(), box.all(), box.keys(), said([])].join(" ");
${listen}`;
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": main("third.js", "a.js", "b.cjs", "c.js"),
      "third.js": "export {};\n",
      "list.cjs": "exports.list = [];\n",
      "a.js": esm("a"),
      "b.cjs": commonjs("b"),
      "c.js": esm("c"),
      "node_modules/box/package.json": `{ "name": "box", "version": "1.0.0" }\n`,
      "node_modules/box/index.js": `const list = [];
const map = new Map();
exports.add = (made) => list.push(made);
exports.all = () => list.map((made) => made());
exports.put = (key, made) => map.set(key, made);
exports.keys = () => [...map.keys()];
`,
    });
    await using served = await serve(app, "main.js");
    const expected = (...order: string[]): string => {
      const last = order.at(-1);
      return [order, last, last, last, order, order, order].join(" ");
    };
    assert.equal(await served.json("/"), expected("a", "b", "c"));
    app.write("main.js", main("third.js", "a.js", "c.js", "b.cjs"));
    assert.equal(await served.json("/"), expected("a", "c", "b"));
    app.write("third.js", `import "./b.cjs";\n`);
    assert.equal(await served.json("/"), expected("b", "a", "c"));
    app.write("main.js", main("a.js", "b.cjs"));
    assert.equal(await served.json("/"), expected("a", "b"));
    app.write("main.js", main("c.js", "a.js", "b.cjs"));
    assert.equal(await served.json("/"), expected("c", "a", "b"));
    app.edit("a.js", "list.push", "void 0;\nlist.push");
    assert.equal(await served.json("/"), expected("c", "a", "b"));
  });

  test("what a start does by timers and promises, however late, is done again with what it has used", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `import { createServer } from "node:http";
import { createRequire } from "node:module";
import { value } from "./value.js";
const require = createRequire(import.meta.url);
let asked = false;
let ask;
const whenAsked = new Promise((resolve) => { ask = resolve; });
// None of it happens before the first request, when the start is long over.
const chain = (then) => void (asked ? then() : setTimeout(() => chain(then), 5));
const all = Promise.all([
  new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!asked) return;
      clearInterval(timer);
      resolve(value);
    }, 5);
  }),
  new Promise((resolve) => chain(() => resolve(require("./required.cjs").value))),
  new Promise((resolve) => setTimeout(() => resolve(import("./imported.js").then((imported) => imported.value)), 60)),
  (async () => { await whenAsked; return require("./awaited.cjs").value; })(),
]);
const answer = async () => { asked = true; ask(); return all; };
${listen}`,
      "value.js": "export const value = 1;\n",
      "required.cjs": "exports.value = 1;\n",
      "imported.js": "export const value = 1;\n",
      "awaited.cjs": "exports.value = 1;\n",
    });
    await using served = await serve(app, "main.js");
    const expected = [1, 1, 1, 1];
    assert.deepEqual(await served.json("/"), expected);
    for (const version of [2, 3]) {
      for (const [index, file] of ["value.js", "required.cjs", "imported.js", "awaited.cjs"].entries()) {
        app.edit(file, `value = ${version - 1}`, `value = ${version}`);
        expected[index] = version;
        assert.deepEqual(await served.json("/"), expected, `${file}\n${served.lines}`);
      }
    }
    if (served.inPlace) assert.doesNotMatch(served.lines.toString(), /restarted/);
  });

  test("what a start writes into other modules after the app listens is taken back with it", async () => {
    const main = (version: number) => `const { createServer } = require("node:http");
const { setTimeout: pause } = require("node:timers/promises");
const { add, all } = require("./registry.js");
const started = Promise.all([
  new Promise((resolve) => setTimeout(() => resolve(add("timer ${version}")), 100)),
  pause(100).then(() => add("promise ${version}")),
  (async () => { await pause(100); add("async ${version}"); })(),
]);
const answer = async () => { await started; return [...all()].sort(); };
${listen}`;
    await using app = new TempApp({
      "main.js": main(1),
      "registry.js": "const list = [];\nexports.add = (one) => list.push(one);\nexports.all = () => list;\n",
    });
    await using served = await serve(app, "main.js");
    for (const version of [1, 2, 3]) {
      if (version > 1) app.write("main.js", main(version));
      const written = [`async ${version}`, `promise ${version}`, `timer ${version}`];
      assert.deepEqual(await served.json("/"), written, served.lines.toString());
    }
  });

  test("a package that keeps what it is given first gets a fresh worker, when that is evaluated again, and only then", async () => {
    const packageOf = (name: string, text: string) => ({
      [`node_modules/${name}/package.json`]: `{ "name": "${name}", "version": "1.0.0" }`,
      [`node_modules/${name}/index.js`]: text,
    });
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
require("./app");
require("./db");
const { word } = require("./word");
const answer = async () => [require("framework").run(), require("driver").Client.get().url, word];
${listen}`,
      "app.js": `const app = { run: () => "a1" };\nrequire("framework").init(app);\n`,
      "db.js": `exports.client = require("driver").Client.get({ url: "db1" });\n`,
      "word.js": `exports.word = "one";\n`,
      ...packageOf(
        "framework",
        `let app;\nexports.init = (given) => (app ??= given);\nexports.run = () => app.run();\n`,
      ),
      ...packageOf(
        "driver",
        `exports.Client = class Client {
  constructor({ url }) { this.url = url; }
  static get(options) { return (Client.instance ??= new Client(options)); }
};
`,
      ),
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), ["a1", "db1", "one"]);
    const restarts = () => served.lines.matching(/restarted/).length;
    const edits: [string, string, string, string[], number][] = [
      ["word.js", "one", "two", ["a1", "db1", "two"], 0],
      ["app.js", "a1", "a2", ["a2", "db1", "two"], 1],
      ["word.js", "two", "three", ["a2", "db1", "three"], 1],
      ["db.js", "db1", "db2", ["a2", "db2", "three"], 2],
      ["app.js", "a2", "a3", ["a3", "db2", "three"], 3],
    ];
    for (const [file, before, after, expected, count] of edits) {
      app.edit(file, before, after);
      assert.deepEqual(await served.json("/"), expected, `${file} ${after}\n${served.lines}`);
      if (served.inPlace) assert.equal(restarts(), count, `${file} ${after}\n${served.lines}`);
    }
    if (served.inPlace)
      assert.ok(served.lines.matching(/db\.js was purged, but its value in the package driver stays/).length);
  });

  test("a framework that keeps the router of its first application gets a fresh worker, and is remembered", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "node_modules/kernel/package.json": `{ "name": "kernel", "version": "1.0.0", "type": "module", "exports": { ".": "./index.js", "./router": "./router.js" } }\n`,
      "node_modules/kernel/application.js":
        "export let application;\nexport const begin = (one) => { application = one; };\n",
      "node_modules/kernel/router.js": `import { application } from "./application.js";\nexport default application.router();\n`,
      "node_modules/kernel/index.js": `import { createServer } from "node:http";
import { begin } from "./application.js";
class Application {
  #routes = new Map();
  router() {
    return { get: (path, answer) => this.#routes.set(path, answer) };
  }
  answer({ url }, response) {
    const answer = this.#routes.get(url);
    if (!answer) response.statusCode = 404;
    response.end(answer ? answer() : "not found");
  }
}
export const start = async (load) => {
  const application = new Application();
  begin(application);
  await load();
  createServer((request, response) => application.answer(request, response)).listen(process.env.PORT, "127.0.0.1");
};
`,
      "main.js": `import { start } from "kernel";\nawait start(() => import("./routes.js"));\n`,
      "routes.js": `import router from "kernel/router";\nrouter.get("/", () => "1");\n`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "1");
    for (const version of [2, 3]) {
      app.write("routes.js", `import router from "kernel/router";\nrouter.get("/", () => "${version}");\n`);
      await served.getOnce("/");
      if (served.inPlace)
        await served.lines.wait(/restarted .*: GET \/ is not found when main\.js is evaluated again in place/);
      assert.equal(await served.text("/"), String(version));
    }
    // The second time it is known.
    assert.equal(served.lines.matching(/reloaded \d/).length, served.inPlace ? 1 : 0);
  });

  test("modules that the app writes, itself or by a process, reload nothing, and are loaded as they were written", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } = require("node:fs");
const { execFileSync, execSync } = require("node:child_process");
const state = require("./state.json");
writeFileSync("state.json", JSON.stringify({ ...state, starts: state.starts + 1 }));
const made = JSON.stringify(readFileSync("word.txt", "utf8") + " ") + "+ " + Date.now() % 2;
const text = "exports.made = " + made + ";";
writeFileSync("written.js", text);
writeFileSync("other.js", text);
renameSync("other.js", "renamed.js");
const descriptor = openSync("opened.js", "w");
writeSync(descriptor, text);
closeSync(descriptor);
execFileSync(process.execPath, ["child.js", text.replace(/. [01];$/, ";")]);
execSync("cp by-child.js by-shell.js");
const all = [require("./written"), require("./renamed"), require("./opened"), require("./by-child"), require("./by-shell")];
const later = require("./later.js");
const answer = async () => [state.name, state.starts, ...all.map(({ made }) => made.split(" ")[0]), later.made];
createServer(async (req, res) => {
  if (req.url === "/write") writeFileSync("later.js", "exports.made = " + Date.now() + ";");
  res.end(JSON.stringify(await answer()));
}).listen(process.env.PORT, "127.0.0.1");
`,
      "state.json": `{ "name": "state", "starts": 0 }`,
      "word.txt": "one",
      "child.js": `require("node:fs").writeFileSync("by-child.js", process.argv[2]);\n`,
      ...Object.fromEntries(["written", "renamed", "opened"].map((name) => [`${name}.js`, `exports.made = "none";\n`])),
      // As a start before has left them: what a process writes in a long start is taken for a save, which begins it anew.
      "by-child.js": `exports.made = "one ";`,
      "by-shell.js": `exports.made = "one ";`,
      "later.js": `exports.made = 0;\n`,
    });
    await using served = await serve(app, "main.js");
    const reloads = () => served.lines.matching(/reloaded|restarted/).length;
    const five = (word: string) => Array(5).fill(word);
    for (let time = 0; time < 3; time++) assert.deepEqual(await served.json("/"), ["state", 0, ...five("one"), 0]);
    if (!served.inPlace) return;
    assert.equal(reloads(), 0, String(served.lines));
    app.write("word.txt", "two");
    const second = await served.json<unknown[]>("/");
    assert.deepEqual(second.slice(2), [...five("two"), 0]);
    assert.deepEqual(await served.json("/write"), second);
    assert.deepEqual(await served.json("/"), second);
    const before = reloads();
    for (let time = 0; time < 3; time++) assert.deepEqual(await served.json("/"), second);
    assert.equal(reloads(), before, String(served.lines));
    // What somebody else writes there is an edit.
    app.write("later.js", "exports.made = 5;\n");
    assert.equal((await served.json<unknown[]>("/"))[7], 5);
    app.write("state.json", `{ "name": "edited", "starts": 7 }`);
    assert.deepEqual((await served.json<unknown[]>("/")).slice(0, 2), ["edited", 7]);
  });

  test("a symbolic link that is pointed elsewhere leads there, whoever crosses it, and wherever it stands", async () => {
    await using app = new TempApp({
      "main.js": `const { createServer } = require("node:http");
const linked = [require("./file"), require("./folder/text"), require("./chain"), require("own"), require("./" + "late")];
const answer = async () => [...linked, require("./handler" + "")].join(" ");
${listen}`,
      ...Object.fromEntries(
        ["one", "two"].flatMap((word) => [
          [`${word}.js`, `module.exports = "${word}";\n`],
          [`releases/${word}/text.js`, `module.exports = "${word}";\n`],
          [`packages/${word}/index.js`, `module.exports = "${word}";\n`],
        ]),
      ),
    });
    const point = (link: string, target: string) => {
      mkdirSync(path.dirname(app.path(link)), { recursive: true });
      symlinkSync(target, app.path(`${link}.new`));
      renameSync(app.path(`${link}.new`), app.path(link));
    };
    const links: [string, (word: string) => string][] = [
      ["file.js", (word) => `${word}.js`],
      ["folder", (word) => `releases/${word}`],
      ["middle.js", (word) => `${word}.js`],
      ["node_modules/own", (word) => `../packages/${word}`],
      ["late.js", (word) => `${word}.js`],
      ["handler.js", (word) => `${word}.js`],
    ];
    for (const [link, target] of links) point(link, target("one"));
    point("chain.js", "middle.js");
    await using served = await serve(app, "main.js");
    const words = links.map(() => "one");
    assert.equal(await served.json("/"), words.join(" "));
    for (const [index, [link, target]] of links.entries()) {
      point(link, target("two"));
      words[index] = "two";
      assert.equal(await served.json("/"), words.join(" "), link);
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
