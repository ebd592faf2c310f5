/** Which edges the runtime sees: reads while a module is evaluated, also in functions and after an await. */
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import { Observer } from "../../workers/runtime/observer.js";
import { WrittenEdges } from "../../workers/written/written-edges.js";
import { RuntimeApp } from "../support/module-program.js";

const ESM = { "package.json": `{ "type": "module" }` };

/** Edges of the files of an app, by their names. */
function edgesOf(app: RuntimeApp, loaded: readonly LoadedModule[]) {
  const short = (file: string) => file.slice(app.folder.length + 1);
  const edges = new Map<string, { observed: string[]; dynamic: string[] }>();
  for (const { file, observed, dynamic } of loaded) {
    edges.set(short(file), { observed: observed.map(short).sort(), dynamic: dynamic.map(short).sort() });
  }
  return edges;
}

/** Loads the entry and gives the edges that were seen. */
async function load(app: RuntimeApp, entry: string) {
  await app.runtime.load([app.path(entry)]);
  return edgesOf(app, app.runtime.takeLoaded());
}

describe("observed edges", () => {
  test("a read at top level counts, a read in a function that is not called does not", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import { a } from "./a.js"; import { b } from "./b.js"; export const x = a; export const f = () => b;`,
      "a.js": `export const a = 1;`,
      "b.js": `export const b = 1;`,
    });
    assert.deepEqual((await load(app, "main.js")).get("main.js"), { observed: ["a.js"], dynamic: [] });
  });

  test("a read in a function that another module calls belongs to the caller's evaluation", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import { f } from "./f.js"; export const x = f();`,
      "f.js": `import { deep } from "./deep.js"; export const f = () => deep;`,
      "deep.js": `export const deep = 1;`,
    });
    const edges = await load(app, "main.js");
    assert.deepEqual(edges.get("main.js")?.observed, ["deep.js", "f.js"]);
    assert.deepEqual(edges.get("f.js")?.observed, []);
  });

  test("a read through barrels credits every one of them and the target", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import { a, named } from "./outer.js"; export const x = [a, named];`,
      "outer.js": `export * from "./inner.js"; export { named } from "./named.js";`,
      "inner.js": `export * from "./a.js";`,
      "named.js": `export const named = 1;`,
      "a.js": `export const a = 1;`,
    });
    assert.deepEqual((await load(app, "main.js")).get("main.js")?.observed, [
      "a.js",
      "inner.js",
      "named.js",
      "outer.js",
    ]);
  });

  test("a namespace used as a value counts as read, and what it re-exports too", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import * as all from "./barrel.js"; export const names = Object.keys(all);`,
      "barrel.js": `export * from "./a.js";`,
      "a.js": `export const a = 1;`,
    });
    assert.deepEqual((await load(app, "main.js")).get("main.js")?.observed, ["a.js", "barrel.js"]);
  });

  test("a side-effect import is no observed edge", async () => {
    await using app = new RuntimeApp({ ...ESM, "main.js": `import "./a.js";`, "a.js": `export {};` });
    assert.deepEqual((await load(app, "main.js")).get("main.js"), { observed: [], dynamic: [] });
  });

  test("require during evaluation counts, cached or not; a later one is dynamic only", async () => {
    await using app = new RuntimeApp({
      "main.cjs": `require("./a.cjs"); const b = require("./b.cjs"); exports.late = () => require("./late.cjs");`,
      "a.cjs": `require("./b.cjs");`,
      "b.cjs": ``,
      "late.cjs": ``,
    });
    const edges = await load(app, "main.cjs");
    assert.deepEqual(edges.get("main.cjs"), { observed: ["a.cjs", "b.cjs"], dynamic: ["a.cjs", "b.cjs"] });
    assert.deepEqual(edges.get("a.cjs")?.observed, ["b.cjs"]);
    app.runtime.settle();
    (app.runtime.require(app.path("main.cjs")) as { late(): unknown }).late();
    await app.nextTold();
    assert.deepEqual(edgesOf(app, app.told).get("main.cjs"), {
      observed: ["a.cjs", "b.cjs"],
      dynamic: ["a.cjs", "b.cjs", "late.cjs"],
    });
    assert.ok(edgesOf(app, app.told).has("late.cjs"));
  });

  test("a late require in a function that is called during evaluation counts for the caller, too", async () => {
    await using app = new RuntimeApp({
      "main.cjs": `exports.x = require("./f.cjs")();`,
      "f.cjs": `module.exports = () => require("./deep.cjs");`,
      "deep.cjs": `module.exports = 1;`,
    });
    const edges = await load(app, "main.cjs");
    assert.deepEqual(edges.get("main.cjs")?.observed, ["deep.cjs", "f.cjs"]);
    assert.deepEqual(edges.get("f.cjs"), { observed: [], dynamic: ["deep.cjs"] });
  });

  test("ES modules that read CommonJS, and CommonJS that requires ES modules", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import { v } from "./c.cjs"; export const x = v;`,
      "c.cjs": `exports.v = require("./e.mjs").e;`,
      "e.mjs": `export const e = 1;`,
    });
    const edges = await load(app, "main.js");
    assert.deepEqual(edges.get("main.js")?.observed, ["c.cjs"]);
    assert.deepEqual(edges.get("c.cjs")?.observed, ["e.mjs"]);
  });

  test("import() is a dynamic edge; during evaluation it is observed as well", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `export const a = (await import("./a.js")).a; export const late = () => import("./late.js");`,
      "a.js": `export const a = 1;`,
      "late.js": `export {};`,
    });
    assert.deepEqual((await load(app, "main.js")).get("main.js"), { observed: ["a.js"], dynamic: ["a.js"] });
    app.runtime.settle();
    const { late } = await app.import<{ late(): Promise<unknown> }>("main.js");
    await late();
    await app.nextTold();
    assert.deepEqual(edgesOf(app, app.told).get("main.js"), { observed: ["a.js"], dynamic: ["a.js", "late.js"] });
  });
});

describe("continuations", () => {
  const files = {
    ...ESM,
    "main.js": `import { a } from "./a.js"; import { b } from "./b.js";
      let go; const gate = new Promise((resolve) => { go = resolve; });
      async function main() { await gate; return [a, await later()]; }
      async function later() { await 0; return b; }
      export const done = main(); export { go };`,
    "a.js": `export const a = 1;`,
    "b.js": `export const b = 1;`,
  };
  type Main = { done: Promise<unknown>; go(): void };

  test("what an evaluation left to be done later still counts while the window is open", async () => {
    await using app = new RuntimeApp(files);
    assert.deepEqual((await load(app, "main.js")).get("main.js")?.observed, []);
    const main = await app.import<Main>("main.js");
    main.go();
    await main.done;
    await app.nextTold();
    assert.deepEqual(edgesOf(app, app.told).get("main.js")?.observed, ["a.js", "b.js"]);
  });

  test("and not after it was closed, nor when the next one opens", async () => {
    await using app = new RuntimeApp(files);
    await load(app, "main.js");
    app.runtime.settle();
    const main = await app.import<Main>("main.js");
    const applied = app.reload(["b.js"]);
    main.go();
    await main.done;
    await applied;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([...edgesOf(app, app.told).values()], []);
  });

  test("the current module is the one evaluated, or the one whose continuation runs", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import { note } from "./note.js"; note("main"); await 0; note("main later"); setTimeout(() => note("main timer"), 0); export const t = new Promise((resolve) => setTimeout(resolve, 1));`,
      "note.js": `export const notes = []; export const note = (what) => notes.push([what, globalThis.runtimeTestCurrent()]); note("note");`,
    });
    Object.assign(globalThis, { runtimeTestCurrent: () => app.runtime.currentModule() });
    await app.runtime.load([app.path("main.js")]);
    const { notes } = await app.import<{ notes: [string, string | undefined][] }>("note.js");
    await (await app.import<{ t: Promise<void> }>("main.js")).t;
    assert.deepEqual(notes, [
      ["note", app.path("note.js")],
      ["main", app.path("main.js")],
      ["main later", app.path("main.js")],
      ["main timer", app.path("main.js")],
    ]);
    app.runtime.settle();
    assert.equal(app.runtime.currentModule(), undefined);
    Reflect.deleteProperty(globalThis, "runtimeTestCurrent");
  });
});

test("modules are told in the order of their evaluation", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `import "./b.js"; import "./c.cjs";`,
    "b.js": `import "./a.js";`,
    "a.js": ``,
    "c.cjs": `require("./d.json");`,
    "d.json": `1`,
  });
  assert.deepEqual([...(await load(app, "main.js")).keys()], ["a.js", "b.js", "d.json", "c.cjs", "main.js"]);
});

test("modules that are evaluated one after the other, while requests run, are looked at once for each, not twice", async () => {
  const names = Array.from({ length: 30 }, (_, index) => `m${index}.js`);
  const observer = new Observer();
  observer.inUse = () => true;
  const texts = names.map((name, index) => [name, `export const value = { n: ${index} };`]);
  await using app = new RuntimeApp({ ...ESM, ...Object.fromEntries(texts) }, "m0.js", observer);
  // What is looked at then is all that is open: 50 modules of a large app took 2 s.
  const interrupted = mock.method(WrittenEdges.prototype, "interrupted");
  try {
    await app.runtime.load(names.map((name) => app.path(name)));
    assert.ok(interrupted.mock.callCount() <= names.length + 2, `${interrupted.mock.callCount()} at the start`);
    interrupted.mock.resetCalls();
    await app.reload(names);
    assert.ok(interrupted.mock.callCount() <= names.length + 2, `${interrupted.mock.callCount()} at a reload`);
  } finally {
    interrupted.mock.restore();
  }
});

test("a module that a request loads is looked at when its evaluation is over: what the request does then is not its doing", async () => {
  const observer = new Observer();
  observer.inUse = () => true;
  const files = { "main.cjs": `exports.late = () => require("./late.cjs");`, "late.cjs": "" };
  await using app = new RuntimeApp(files, "main.cjs", observer);
  await app.runtime.load([app.path("main.cjs")]);
  const { default: main } = await app.import<{ default: { late(): void } }>("main.cjs");
  const interrupted = mock.method(WrittenEdges.prototype, "interrupted");
  try {
    const calls = await new Promise<number>((resolve) =>
      setImmediate(() => {
        main.late();
        resolve(interrupted.mock.callCount());
      }),
    );
    assert.equal(calls, 1);
  } finally {
    interrupted.mock.restore();
  }
});

test("what a module asks for of packages and builtins that are loaded is no reason to look at what it has changed", async () => {
  const observer = new Observer();
  let suspensions = 0;
  const nothing = () => {};
  observer.watchEvaluations({
    entering: nothing,
    leaving: nothing,
    suspending: () => {
      suspensions++;
    },
    resuming: nothing,
    waiting: nothing,
    settled: nothing,
  });
  const asks = `require("one"); require("two"); require("node:zlib");`;
  await using app = new RuntimeApp(
    {
      "main.js": `${asks} require("./other.js"); ${asks}`,
      "other.js": asks,
      "node_modules/one/index.js": "",
      "node_modules/two/index.js": `require("one");`,
    },
    "main.js",
    observer,
  );
  app.runtime.install();
  await app.runtime.load([app.path("main.js")]);
  // Some 50 builtins are compared at each, where a module looks as if it patched one.
  assert.equal(suspensions, 3);
});
