/** What counts as state, what as a write to it, and who is said to have written. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { evaluationEffects } from "../../src/common/compile/evaluation-effects.js";
import { parse } from "../../src/common/compile/syntax-tree.js";
import { affected } from "../../src/graph/affected.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import { firstDifference } from "../../workers/written/differences.js";
import { innerScopesOf } from "../../workers/written/inner-scopes.js";
import { stateOf } from "../../workers/written/known-kinds.js";
import { reach } from "../../workers/written/reach.js";
import { type Slots, type Surroundings, slotsOf } from "../../workers/written/slots.js";
import { RuntimeApp } from "../support/module-program.js";
import { esm } from "../support/random-graph.js";

class Own {
  readonly list: unknown[] = [];
}

const surroundings: Surroundings = {
  isOwnClass: (made) => made === Own,
  isForeign: () => false,
  isAdapted: () => false,
  privateFields: () => undefined,
};

const slots = (object: object): Slots | undefined => stateOf(object) ?? slotsOf(object, surroundings);

/** Paths of the objects that hold something, behind `value`. */
function paths(value: unknown): string[] {
  return reach(["value", value], { depth: 5, objects: 50 }, slots).map(({ path }) => path);
}

/** Whether `write` changes what can be reached from `value`. */
function seen<T extends object>(value: T, write: (value: T) => void, isLazy = false): boolean {
  const reached = reach(["value", value], { depth: 5, objects: 50 }, slots);
  const before = reached.map(({ object }) => slots(object) ?? []);
  write(value);
  return reached.some(({ object }, index) =>
    firstDifference(before[index] ?? [], slots(object) ?? [], () => isLazy, false),
  );
}

describe("the state behind a binding", () => {
  test("is found in collections, instances, functions and emitters, cycles included", () => {
    const own = new Own();
    const ring: { own: Own; again?: unknown } = { own };
    ring.again = ring;
    assert.deepEqual(paths([new Map([["key", ring]])]), [
      "value",
      "value.0",
      "value.0.key",
      "value.0.key.own",
      "value.0.key.own.list",
    ]);
    assert.deepEqual(paths(Object.assign(() => {}, { cache: new Set([1]) })), ["value", "value.cache"]);
    assert.ok(paths(new EventEmitter().on("a", () => {})).includes("value._events"));
  });

  test("is not looked for in what lives a life of its own", () => {
    class Library extends EventEmitter {}
    for (const value of [new Library(), Buffer.alloc(2), Promise.resolve(), new Date(), process, globalThis, 1n]) {
      assert.deepEqual(paths([value]), ["value"], String(value));
    }
  });

  test("no accessor is called", () => {
    let calls = 0;
    const value = {
      get lazy() {
        return ++calls;
      },
    };
    assert.ok(!seen(value, () => {}));
    assert.equal(calls, 0);
  });

  test("changes when something is added, taken out, replaced or moved", () => {
    assert.ok(seen([1], (list) => list.push(2)));
    assert.ok(seen([1, 2], (list) => list.reverse()));
    assert.ok(seen(new Map([["a", 1]]), (map) => map.set("a", 2)));
    assert.ok(seen(new Set([1]), (set) => set.delete(1)));
    assert.ok(seen({ deep: { count: 1 } }, (value) => value.deep.count++));
    assert.ok(seen<Record<string, unknown>>({}, (value) => Object.assign(value, { added: 1 })));
    assert.ok(seen(new Own(), (own) => own.list.push(1)));
    assert.ok(
      seen(
        new EventEmitter().on("a", () => {}),
        (emitter) => emitter.prependListener("a", () => {}),
      ),
    );
    assert.ok(
      !seen({ deep: { count: 1 } }, (value) => {
        value.deep.count = 1;
      }),
    );
  });

  test("what a library works out and keeps is no write, a handler that it is given is one", () => {
    const value: { kept: unknown } = { kept: undefined };
    assert.ok(
      !seen(
        value,
        (one) => {
          one.kept = {};
        },
        true,
      ),
    );
    value.kept = undefined;
    assert.ok(
      seen(
        value,
        (one) => {
          one.kept = () => {};
        },
        true,
      ),
    );
  });

  test("numbers that change while other things run are taken for counts", () => {
    assert.equal(
      firstDifference(["count", 1], ["count", 2], () => false, true),
      undefined,
    );
    assert.ok(firstDifference(["count", 1], ["count", 2], () => false, false));
  });
});

describe("what functions keep in scopes of their own", () => {
  test("is given with the app's own objects and the values that variables have now", () => {
    const counting = () => {
      const list: number[] = [];
      let count = 0;
      return () => list.push(++count);
    };
    const count = counting();
    const before = innerScopesOf([count])[0]?.variables ?? [];
    count();
    const [scopes] = innerScopesOf([count]);
    assert.equal(before[before.indexOf("0.count") + 1], 0);
    assert.equal(scopes?.variables[scopes.variables.indexOf("0.count") + 1], 1);
    assert.deepEqual(before[before.indexOf("0.list") + 1], [1]);
  });

  test("is not asked of functions that the top level makes itself", () => {
    const text = `const { c } = require("./c"); function a() {} const b = () => {}; let d = create(), e = (() => () => {})();
exports.f = () => {}; exports.g = create(); module.exports = { h() {}, a, i: b, j: d, k: c, l: { m: function () {} } };`;
    const { functions } = evaluationEffects(parse(text, "commonjs").program, text);
    assert.deepEqual(functions, ["a", "b", "c", "f", "h", "i", "k", "m"]);
  });

  test("leaves no inspector session and no handover behind", () => {
    const names = Reflect.ownKeys(globalThis);
    innerScopesOf([() => names]);
    assert.deepEqual(Reflect.ownKeys(globalThis), names);
  });
});

describe("written edges", () => {
  const ESM = { "package.json": `{ "type": "module" }` };

  /** Which files each file has written to, by their names. */
  async function written(app: RuntimeApp, entry: string): Promise<Record<string, string[]>> {
    await app.runtime.load([app.path(entry)]);
    const short = (file: string) => file.slice(app.folder.length + 1);
    const loaded = app.runtime.takeLoaded().filter((module) => module.written.length > 0);
    return Object.fromEntries(loaded.map((module) => [short(module.file), module.written.map(short).sort()]));
  }

  test("lead to all modules through which the written object can be reached", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import "./plugin.js";`,
      "plugin.js": `import { register } from "./front.js"; register("plugin");`,
      "front.js": `import { list } from "./list.js"; const own = list; export const register = (name) => own.push(name);`,
      "list.js": `export const list = [];`,
    });
    assert.deepEqual(await written(app, "main.js"), { "plugin.js": ["front.js", "list.js"] });
  });

  test("are found behind what CommonJS has taken from other modules and keeps", async () => {
    await using app = new RuntimeApp({
      "main.js": `require("./plugin.js");`,
      "plugin.js": `require("./front.js").register("plugin");`,
      "front.js": `const { add } = require("./list.js"); exports.register = (name) => add(name);`,
      "list.js": `const list = []; exports.add = (name) => list.push(name);`,
    });
    assert.deepEqual(await written(app, "main.js"), { "plugin.js": ["list.js"] });
  });

  test("lead to what functions keep in scopes of their own, in own modules and in packages", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import "./a.js"; import "./b.js"; import "./c.js"; import "./reads.js";`,
      "a.js": `import { bus } from "./bus.js"; bus.on("a");`,
      "b.js": `import { group } from "./group.js"; group.inner.count();`,
      "c.js": `import { events } from "./events.js"; events.on("c");`,
      "reads.js": `import { bus } from "./bus.js"; import { group } from "./group.js"; bus.all(); group.inner.now();`,
      "bus.js": `const create = () => { const all = []; const add = (one) => all.push(one); return { on: (one) => add(one), all: () => all }; };\nexport const bus = create();`,
      "group.js": `function counting() { let count = 0; return { count() { count++; }, now: () => count }; }\nexport const group = { inner: counting() };`,
      "events.js": `import create from "emits"; export const events = create();`,
      "node_modules/emits/package.json": `{ "main": "index.cjs" }`,
      "node_modules/emits/index.cjs": `module.exports = function create() { const all = new Set(); return { on: (one) => void all.add(one), all: () => all }; };`,
    });
    assert.deepEqual(await written(app, "main.js"), {
      "a.js": ["bus.js"],
      "b.js": ["group.js"],
      "c.js": ["events.js"],
    });
  });

  test("are those of the innermost module that ran", async () => {
    await using app = new RuntimeApp({
      "main.js": `const list = require("./list.js"); require("./plugin.js");`,
      "plugin.js": `require("./list.js").push("plugin");`,
      "list.js": `module.exports = [];`,
    });
    assert.deepEqual(await written(app, "main.js"), { "plugin.js": ["list.js"] });
  });

  test("do not come from reading, from calls that change nothing, or from a module's own work", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.js": `import { all, size } from "./list.js"; export const x = [...all(), size];`,
      "list.js": `const list = [1]; export let size = list.length; export const all = () => list; list.push(2);`,
    });
    assert.deepEqual(await written(app, "main.js"), {});
  });

  test("of one file take its target along, and all who write to it and use it", () => {
    const graph = ModuleGraph.of([
      esm("/main", ["/a", "/b"], ["/list"]),
      { ...esm("/a", ["/list"]), written: new Set(["/list"]) },
      { ...esm("/b", ["/list"]), written: new Set(["/list"]) },
      esm("/list", []),
      esm("/other", []),
    ]);
    const { files, why } = affected(graph, ["/a"]);
    assert.deepEqual([...files].sort(), ["/a", "/b", "/list", "/main"]);
    assert.deepEqual(why.get("/b"), ["/b", "/list", "/a"]);
  });
});
