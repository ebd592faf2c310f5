/** Replacing modules in place: who sees the new version, who is evaluated again, and what happens when it fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RuntimeApp } from "../support/module-program.js";

const ESM = { "package.json": `{ "type": "module" }` };

test("a late reader sees the new version without being evaluated again", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import { a } from "./a.js"; export const token = {}; export const late = () => a;`,
    "a.js": `export const a = 1;`,
  });
  const main = await app.import<{ late(): number; token: object }>("main.js");
  const { token } = main;
  assert.equal(main.late(), 1);
  app.write("a.js", `export const a = 2;`);
  const applied = await app.reload(["a.js"]);
  assert.deepEqual(applied.purged, [app.path("a.js")]);
  assert.deepEqual(
    applied.loaded.map(({ file }) => file),
    [app.path("a.js")],
  );
  assert.equal(main.late(), 2);
  assert.equal(main.token, token);
});

test("namespace objects stay the same over reloads, with the keys of the new version", async () => {
  await using app = new RuntimeApp({ ...ESM, "a.js": `export const b = 1, z = 2;` });
  const namespace = await app.import("a.js");
  app.write("a.js", `export const z = 3, a = 4;`);
  await app.reload(["a.js"]);
  assert.equal(await app.import("a.js"), namespace);
  assert.deepEqual(Object.entries(namespace), [
    ["a", 4],
    ["z", 3],
  ]);
});

test("a reload that throws leaves every module as it was", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import { a } from "./a.js"; import c from "./c.cjs"; export const seen = [a, c.v]; export const now = () => [a, c.v];`,
    "a.js": `export let a = 1; export const inc = () => ++a;`,
    "c.cjs": `exports.v = "old"; exports.file = module.filename;`,
  });
  const main = await app.import<{ seen: unknown[]; now(): unknown[] }>("main.js");
  const a = await app.import<{ a: number; inc(): number }>("a.js");
  a.inc();
  const { seen } = main;
  app.write("a.js", `export let a = 10; export const extra = 1;`);
  app.write("c.cjs", `exports.v = "new";`);
  app.write("main.js", `import { a } from "./a.js"; import "./c.cjs"; throw new Error("broken " + a);`);
  await assert.rejects(app.reload(["main.js", "c.cjs", "a.js"]), /broken 10/);
  assert.equal(main.seen, seen);
  assert.deepEqual(main.now(), [2, "old"]);
  assert.equal(a.inc(), 3);
  assert.deepEqual(Object.keys(a), ["a", "inc"]);
  const required = app.runtime.require(app.path("c.cjs")) as { v: string };
  assert.equal(required.v, "old");
  app.write("main.js", `import { a } from "./a.js"; import c from "./c.cjs"; export const seen = [a, c.v];`);
  await app.reload(["main.js", "c.cjs", "a.js"]);
  assert.deepEqual(main.seen, [10, "new"]);
});

test("what runs on after a rollback does not come back", async () => {
  await using app = new RuntimeApp({ ...ESM, "a.js": `export const a = "old";`, "b.js": `export const b = "old";` });
  const a = await app.import("a.js");
  await app.import("b.js");
  app.write("a.js", `await globalThis.runtimeTestGate; export const a = "new";`);
  app.write("b.js", `throw new Error("b");`);
  app.write("both.js", `import "./a.js"; import "./b.js";`);
  app.told.length = 0;
  const gate = resolvers();
  Object.assign(globalThis, { runtimeTestGate: gate.promise });
  await assert.rejects(app.reload(["b.js", "a.js"], ["both.js"]), /b/);
  gate.resolve(undefined);
  await gate.promise;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(a.a, "old");
  assert.deepEqual(app.told, []);
  Reflect.deleteProperty(globalThis, "runtimeTestGate");
});

test("a failed evaluation is tried again when new code comes", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import "./a.js"; export const ok = true;`,
    "a.js": `throw new Error("first");`,
  });
  await assert.rejects(app.import("main.js"), /first/);
  await assert.rejects(app.import("main.js"), /first/);
  app.write("a.js", `export {};`);
  app.runtime.add([app.compiler.prepare(app.path("a.js"))]);
  assert.equal((await app.import("main.js")).ok, true);
});

test("a file that is purged and not loaded comes back when somebody needs it", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import { a } from "./a.js"; import c from "./c.cjs"; export const late = () => [a, c.v]; export const load = () => import("./a.js");`,
    "a.js": `export const a = 1;`,
    "c.cjs": `exports.v = 1;`,
  });
  const main = await app.import<{ late(): unknown[]; load(): Promise<{ a: number }> }>("main.js");
  app.write("a.js", `export const a = 2;`);
  app.write("c.cjs", `exports.v = 2;`);
  await app.reload(["a.js", "c.cjs"], []);
  app.runtime.add([app.compiler.prepare(app.path("a.js")), app.compiler.prepare(app.path("c.cjs"))]);
  assert.deepEqual(main.late(), [2, 2]);
  app.write("a.js", `export const a = 3;`);
  await app.reload(["a.js"], []);
  app.runtime.add([app.compiler.prepare(app.path("a.js"))]);
  assert.equal((await main.load()).a, 3);
});

test("a barrel gets the new names of what it re-exports without being evaluated again", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import * as all from "./outer.js"; export const keys = () => Object.keys(all); export const read = (name) => all[name];`,
    "outer.js": `export * from "./barrel.js"; export const outer = globalThis.runtimeTestCount = (globalThis.runtimeTestCount ?? 0) + 1;`,
    "barrel.js": `export * from "./a.js"; export * from "./b.js";`,
    "a.js": `export const a = 1, both = "a";`,
    "b.js": `export const b = 1;`,
  });
  const main = await app.import<{ keys(): string[]; read(name: string): unknown }>("main.js");
  assert.deepEqual(main.keys(), ["a", "b", "both", "outer"]);
  app.write("b.js", `export const b = 1, both = "b", c = 3;`);
  await app.reload(["b.js"]);
  assert.deepEqual(main.keys(), ["a", "b", "c", "outer"]);
  assert.equal(main.read("c"), 3);
  app.write("a.js", `export const a = 2;`);
  await app.reload(["a.js"]);
  assert.deepEqual(main.keys(), ["a", "b", "both", "c", "outer"]);
  assert.deepEqual([main.read("both"), main.read("outer")], ["b", 1]);
  Reflect.deleteProperty(globalThis, "runtimeTestCount");
});

test("imports of a kept module lead elsewhere after it was relinked", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import { x } from "./x.js"; export const late = () => x;`,
    "x.js": `export const x = "file";`,
    "req.cjs": `exports.late = () => require("./y").y;`,
    "y.js": `export const y = "file";`,
  });
  const main = await app.import<{ late(): string }>("main.js");
  const req = app.runtime.require(app.path("req.cjs")) as { late(): string };
  assert.deepEqual([main.late(), req.late()], ["file", "file"]);
  app.write("other/x.js", `export const x = "other";`);
  app.write("y/index.cjs", `exports.y = "folder";`);
  const prepared = app.compiler.prepare(app.path("main.js"));
  const required = app.compiler.prepare(app.path("req.cjs"));
  await app.runtime.applyPlan({
    purge: [app.path("x.js"), app.path("y.js")],
    load: [app.path("other/x.js")],
    modules: [app.compiler.prepare(app.path("other/x.js"))],
    relinked: [
      { ...prepared, imports: [{ type: "file", file: app.path("other/x.js") }] },
      { ...required, requires: { "./y": { type: "file", file: app.path("y/index.cjs") } } },
    ],
  });
  assert.deepEqual([main.late(), req.late()], ["other", "folder"]);
});

test("before the first purge the plan waits for what it was given to do", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "a.js": `export const at = globalThis.runtimeTestSteps?.push("evaluated");`,
  });
  await app.import("a.js");
  const steps: string[] = [];
  Object.assign(globalThis, { runtimeTestSteps: steps });
  const file = app.path("a.js");
  const plan = { purge: [file], load: [file], modules: [], relinked: [] };
  await app.runtime.applyPlan(plan, {
    beforePurge: async (purged) => {
      await undefined;
      steps.push(`purged ${purged.length}`);
    },
  });
  assert.deepEqual(steps, ["purged 1", "evaluated"]);
  Reflect.deleteProperty(globalThis, "runtimeTestSteps");
});

test("CommonJS is replaced in place: module, require.main, parent, children and cache", async () => {
  await using app = new RuntimeApp(
    {
      "main.cjs": `exports.isMain = require.main === module; exports.parent = module.parent; exports.id = module.id; exports.b = require("./b.cjs"); exports.mod = module; exports.seenByPackage = require("pkg") === module;`,
      "node_modules/pkg/index.js": `module.exports = require.main;`,
      "b.cjs": `exports.v = 1; exports.parent = () => module.parent.filename; exports.isMain = require.main === module;`,
    },
    "main.cjs",
  );
  app.runtime.install();
  await app.runtime.load([app.path("main.cjs")]);
  const main = () => app.runtime.require(app.path("main.cjs")) as MainExports;
  type MainExports = {
    isMain: boolean;
    parent: unknown;
    id: string;
    b: { v: number; parent(): string; isMain: boolean };
    mod: NodeModule;
    seenByPackage: boolean;
  };
  const first = main();
  assert.ok(first.seenByPackage);
  assert.deepEqual([first.isMain, first.parent, first.id, first.b.isMain], [true, null, ".", false]);
  app.write("b.cjs", `exports.v = 2; exports.parent = () => module.parent.filename;`);
  await app.reload(["main.cjs", "b.cjs"]);
  const second = main();
  assert.notEqual(second, first);
  assert.deepEqual([second.isMain, second.b.v, second.b.parent()], [true, 2, app.path("main.cjs")]);
  assert.deepEqual(
    second.mod.children.map(({ filename, loaded }) => [filename, loaded]),
    [
      [app.path("b.cjs"), true],
      [app.path("node_modules/pkg/index.js"), true],
    ],
  );
});

test("a required ES module with a default keeps one marked view over reloads", async () => {
  await using app = new RuntimeApp({
    "main.cjs": `const e = require("./e.mjs"); exports.view = e; exports.late = () => [e.default, Object.keys(e)];`,
    "e.mjs": `export default 1;`,
  });
  const main = app.runtime.require(app.path("main.cjs")) as { late(): unknown[] };
  assert.deepEqual(main.late(), [1, ["__esModule", "default"]]);
  app.write("e.mjs", `export default 2; export const more = 1;`);
  await app.reload(["e.mjs"]);
  assert.deepEqual(main.late(), [2, ["__esModule", "default", "more"]]);
});

test("a package that requires own files gets the module of the registry, before and after a reload", async () => {
  await using app = new RuntimeApp({
    "main.cjs": `exports.load = (name) => require("loader")(require("path").join(__dirname, name));`,
    "own.cjs": `exports.v = 1;`,
    "own.ts": `export const v: number = 1;`,
    "node_modules/loader/index.js": `module.exports = (file) => require(file);`,
  });
  app.runtime.install();
  const main = app.runtime.require(app.path("main.cjs")) as { load(name: string): { v: number } };
  assert.equal(main.load("own.cjs"), app.runtime.require(app.path("own.cjs")));
  assert.equal(main.load("own.ts").v, 1);
  app.write("own.cjs", `exports.v = 2;`);
  app.write("own.ts", `export const v: number = 2;`);
  await app.reload(["own.cjs", "own.ts"]);
  assert.deepEqual([main.load("own.cjs").v, main.load("own.ts").v], [2, 2]);
});

test("a package that imports own files gets their exports, and follows reloads", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import loader from "loader"; export const load = (name) => loader(new URL(name, import.meta.url).href);`,
    "own.ts": `export const v: number = 1; export default class Own {}`,
    "slow.js": `export const v = await Promise.resolve("slow");`,
    "node_modules/loader/index.js": `"use strict"; module.exports = (url) => import(url);`,
    "node_modules/loader/package.json": `{}`,
  });
  app.runtime.install();
  const main = await app.import<{ load(name: string): Promise<Record<string, unknown>> }>("main.js");
  const first = await main.load("./own.ts");
  assert.equal(first.v, 1);
  assert.equal(first.default, (await app.import("own.ts")).default);
  app.write("own.ts", `export const v: number = 2; export default class Own {}`);
  await app.reload(["own.ts"]);
  assert.equal(first.v, 2);
  assert.equal(first.default, (await app.import("own.ts")).default);
  app.write("own.ts", `export const v = 3, w = 4;`);
  await app.reload(["own.ts"]);
  assert.equal((await main.load("./own.ts")).w, 4);
  assert.equal((await main.load("./slow.js")).v, "slow");
});

function resolvers() {
  let resolve: (value: unknown) => void = () => undefined;
  const promise = new Promise((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
