/** The class table knows every class that the code of a file makes, from the moment on at which it exists. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { basesOf } from "../../workers/classes/base-chain.js";
import type { OwnClass } from "../../workers/classes/class-table.js";
import { RuntimeApp } from "../support/module-program.js";

const ESM = { "package.json": `{ "type": "module" }` };
const COMMONJS = { "package.json": `{ "type": "commonjs" }` };
const LEGACY = {
  "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "module": "esnext", "jsx": "react-jsx", "jsxImportSource": "./jsx" } }`,
};
const INTEROP = { "tsconfig.json": `{ "compilerOptions": { "esModuleInterop": true, "module": "commonjs" } }` };

function classesOf(app: RuntimeApp, file: string): OwnClass[] {
  const version = app.runtime.currentVersion(app.path(file));
  return version ? app.runtime.classes.classesOf(version) : [];
}

/** `Name < Base < Base` for each class that the evaluation of a file has made. */
function described(app: RuntimeApp, file: string): string[] {
  const version = app.runtime.currentVersion(app.path(file));
  const classes = version ? app.runtime.classes.describe(version) : [];
  return classes.map(({ name, bases }) => [name, ...bases].join(" < "));
}

const forms: readonly (readonly [form: string, file: string, text: string, expected: string[], rest?: object])[] = [
  ["a declaration that is not exported", "a.mjs", "class A {}", ["A"]],
  ["an exported declaration", "a.mjs", "export class A {}", ["A"]],
  ["a default export", "a.mjs", "export default class A {}", ["A"]],
  ["an anonymous default export", "a.mjs", "export default class {}", ["default"]],
  ["an expression that gets the name of a variable", "a.mjs", "const A = class {}; let B = class C {};", ["A", "C"]],
  ["an anonymous class", "a.mjs", "[class {}];", ["(anonymous)"]],
  [
    "a property, a default value and a field",
    "a.mjs",
    "({ A: class {} }); const { B = class {} } = {}; class C { static D = class {}; }",
    ["A", "B", "C", "D"],
  ],
  ["a class in a function and in a class", "a.mjs", "(() => { class A { static { class B {} } } })();", ["A", "B"]],
  ["a class on globalThis", "a.mjs", "globalThis.urTestGlobal = class A {}; delete globalThis.urTestGlobal;", ["A"]],
  [
    "a class with a static name",
    "a.mjs",
    `class A { static name = "x"; } class B { static name() {} } class C { static get name() { throw 1; } }`,
    ["A", "(anonymous)", "(anonymous)"],
  ],
  [
    "bases of all kinds",
    "a.mjs",
    `import { EventEmitter } from "node:events"; class A extends EventEmitter {} class B extends A {} class C extends null {} class D extends (class extends Array {}) {}`,
    ["A < EventEmitter", "B < A < EventEmitter", "C", "(anonymous) < Array", "D < (anonymous) < Array"],
  ],
  [
    "bases that are functions",
    "a.cjs",
    `const { inherits } = require("node:util"); function F() {} function G() {} inherits(G, F); class A extends G {}`,
    ["A < G < F"],
  ],
  ["a CommonJS file", "a.cjs", "class A {} module.exports = class B extends A {};", ["A", "B < A"]],
  ["a class whose file is strict", "a.cjs", "'use strict'\nclass A {}", ["A"]],
  ["a class behind a hashbang", "a.cjs", "#!/usr/bin/env node\nclass A {}", ["A"]],
  [
    "TypeScript",
    "a.ts",
    "abstract class A<T> { constructor(private x: T) {} } export class B extends A<string> {} namespace N { export class C {} }",
    ["A", "B < A", "C"],
    ESM,
  ],
  [
    "TypeScript with import syntax in a CommonJS package",
    "a.ts",
    "import path from 'node:path'; export default class A { x = path; } class B extends A {}",
    ["A", "B < A"],
    { ...COMMONJS, ...INTEROP },
  ],
  [
    "JSX",
    "a.tsx",
    "class A { render() { return <p>{this.x}</p>; } x: any }",
    ["A"],
    { ...ESM, ...LEGACY, "jsx/jsx-runtime.js": "export const jsx = () => 0;" },
  ],
  [
    "a class that TypeScript's decorators have kept",
    "a.ts",
    "const d = (..._: any[]): any => {}; @d class A { @d x = 1; static self = A; }",
    ["A"],
    { ...ESM, ...LEGACY },
  ],
  [
    "a class that TypeScript's decorators have replaced",
    "a.ts",
    "const d = (c: any): any => class R extends c {}; @d class A {}",
    ["A", "R < A"],
    { ...ESM, ...LEGACY },
  ],
  [
    "a class that a standard decorator has replaced",
    "a.ts",
    "const d = (c: any): any => class R extends c {}; @d class A {}",
    ["A", "R < A"],
    ESM,
  ],
  [
    "what tsc has made of decorators",
    "a.cjs",
    "var __decorate = (d, c) => d[0](c); let A = class A {}; A = __decorate([(c) => Object.assign(function R() {}, { c })], A);",
    ["A", "R"],
  ],
  ["async modules", "a.mjs", "await 0; class A {} await 0; class B extends A {}", ["A", "B < A"]],
];

describe("a class is known:", () => {
  for (const [form, file, text, expected, rest = {}] of forms) {
    test(form, async () => {
      await using app = new RuntimeApp({ ...rest, [file]: text });
      await app.runtime.load([app.path(file)]);
      assert.deepEqual(described(app, file), expected);
    });
  }
});

test("a class with #private members has a reader of its fields, others have none", async () => {
  await using app = new RuntimeApp({
    "a.mjs": `export class Fields { #a = 1; #b = { x: 2 }; static #s = 3; get #g() { throw new Error("ran"); } set #w(v) {} }
export class Methods { #m() {} }
export class Plain { constructor() { this.a = 1; } }
export class Derived extends Fields { #a = "own"; }`,
  });
  const exported = await app.import<Record<string, new () => object>>("a.mjs");
  const read = (name: string, object: object | undefined): unknown[] | undefined => {
    const reader = app.runtime.classes.find(exported[name])?.reader;
    return object && reader?.(object);
  };
  const made = (name: string): object => Reflect.construct(exported[name] ?? Object, []);
  assert.deepEqual(read("Fields", made("Fields")), [1, { x: 2 }, false]);
  assert.deepEqual(read("Fields", exported.Fields), [false, false, 3]);
  assert.deepEqual(read("Fields", {}), [false, false, false]);
  assert.deepEqual(read("Derived", made("Derived")), ["own"]);
  assert.deepEqual(read("Methods", made("Methods")), []);
  assert.equal(app.runtime.classes.find(exported.Plain)?.reader, undefined);
});

test("the table answers whose a class is and what it descends from", async () => {
  await using app = new RuntimeApp({
    "base.mjs": `export class Base {}\nexport const Mixed = (base) => class Mixed extends base {};`,
    "user.mjs": `import { Base, Mixed } from "./base.mjs"; export class User extends Mixed(Base) {}`,
  });
  const { User } = await app.import<{ User: new () => object }>("user.mjs");
  await app.import("base.mjs");
  const { classes } = app.runtime;
  assert.equal(classes.find(User)?.version.file, app.path("user.mjs"));
  assert.equal(classes.find(Map), undefined);
  // What a mixin makes belongs to the module that has asked for it.
  assert.deepEqual(described(app, "user.mjs"), ["Mixed < Base", "User < Mixed < Base"]);
  assert.deepEqual(described(app, "base.mjs"), ["Base"]);
  assert.deepEqual(
    basesOf(User).map((base) => classes.nameOf(base)),
    ["Mixed", "Base"],
  );
});

test("a class that a decorator of another file has made belongs to the decorated one's", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    ...LEGACY,
    "d.ts": `export const d = (c: any): any => class R extends c {};`,
    "a.ts": `import { d } from "./d.js"; @d export class A {}`,
  });
  const { A } = await app.import<{ A: object }>("a.ts");
  assert.equal(app.runtime.classes.find(A)?.name, "R");
  assert.deepEqual(described(app, "a.ts"), ["A", "R < A"]);
});

test("classes that are made after the evaluation are known while the app holds them, and not longer", async () => {
  await using app = new RuntimeApp({
    "a.mjs": `export const make = () => class Made {}; export class Own {}`,
    "b.cjs": `exports.make = () => class Made {};`,
  });
  for (const file of ["a.mjs", "b.cjs"]) {
    const { make } = await app.import<{ make(): object }>(file);
    app.runtime.settle();
    const kept = make();
    assert.ok(classesOf(app, file).some(({ target }) => target === kept));
    for (let n = 0; n < 1000; n++) make();
    await collectGarbage();
    for (let n = 0; n < 64; n++) make();
    await collectGarbage();
    const made = classesOf(app, file).filter(({ name }) => name === "Made");
    assert.ok(made.length < 64, `${made.length} classes of ${file} are held`);
    assert.ok(made.some(({ target }) => target === kept));
  }
  assert.equal(classesOf(app, "a.mjs")[0]?.name, "Own");
});

/** WeakRefs that were read or made in a turn of the event loop hold until its end. */
async function collectGarbage(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
}

describe("a reload", () => {
  test("puts the new version's classes in the place of the old ones'", async () => {
    await using app = new RuntimeApp({ "a.mjs": `export class Old { x = 1; }` });
    const { Old } = await app.import<{ Old: object }>("a.mjs");
    const old = app.runtime.currentVersion(app.path("a.mjs"));
    app.write("a.mjs", `export class New {}`);
    const { loaded } = await app.reload(["a.mjs"]);
    assert.deepEqual(
      loaded.map(({ classes }) => classes),
      [[{ name: "New", bases: [] }]],
    );
    assert.deepEqual(described(app, "a.mjs"), ["New"]);
    assert.ok(old && app.runtime.classes.classesOf(old).length === 0);
    // Whoever still meets the old class can tell where it came from.
    assert.equal(app.runtime.classes.find(Old)?.name, "Old");
    assert.deepEqual(
      [...app.runtime.classes.all()].map(({ name }) => name),
      ["New"],
    );
  });

  test("lets the old version's classes be collected, those that were made later too", async () => {
    await using app = new RuntimeApp({
      "a.mjs": `export class Old { #a = 1; static #b = 2; } export const make = () => class Made extends Old {};`,
      "b.cjs": `class Old { #a = 1; } exports.Old = Old; exports.make = () => class Made extends Old {};`,
    });
    const classesIn = async (file: string): Promise<WeakRef<object>[]> => {
      const { Old, make } = await app.import<{ Old: object; make(): object }>(file);
      app.runtime.settle();
      return [new WeakRef(Old), new WeakRef(make())];
    };
    const old = [...(await classesIn("a.mjs")), ...(await classesIn("b.cjs"))];
    app.write("a.mjs", `export class New {}`);
    app.write("b.cjs", `exports.New = class New {};`);
    await app.reload(["a.mjs", "b.cjs"]);
    await collectGarbage();
    assert.deepEqual(
      old.map((reference) => reference.deref()),
      [undefined, undefined, undefined, undefined],
    );
  });

  test("that fails leaves the classes as they were", async () => {
    await using app = new RuntimeApp({ "a.mjs": `export class A {}`, "b.cjs": `exports.B = class B {};` });
    await app.import("a.mjs");
    await app.import("b.cjs");
    app.write("a.mjs", `class Half {} throw new Error("broken");`);
    await assert.rejects(app.reload(["b.cjs", "a.mjs"], ["b.cjs", "a.mjs"]), /broken/);
    assert.deepEqual([described(app, "a.mjs"), described(app, "b.cjs")], [["A"], ["B"]]);
    assert.deepEqual([...app.runtime.classes.all()].map(({ name }) => name).sort(), ["A", "B"]);
  });
});

test("a CommonJS file whose evaluation throws leaves no class behind", async () => {
  await using app = new RuntimeApp({ "a.cjs": `class A {} throw new Error("broken");` });
  await assert.rejects(app.import("a.cjs"), /broken/);
  assert.deepEqual([...app.runtime.classes.all()], []);
});

test("top-level bindings that are not exported and can change can be read, with the value that they have now", async () => {
  const text = (exported: string): string => `let count = 0; const list = [1]; var v; function f() {} class C {}
const { a, b: [c = 3] } = { a: 1, b: [] }; for (var k = 0; k < 2; k++) { var inner = k; let hidden; }
try { var tried = 1; } catch (e) { var caught; } const __proto__ = [5], é = [6], fixed = 1;
{ let block; } ${exported}; count++; const late = [1] // a comment is the last line`;
  await using app = new RuntimeApp({
    "a.mjs": `import path from "node:path"; import * as ns from "node:fs"; ${text("export const out = 1; export { list as items, count as default }")}`,
    "b.cjs": text("exports.out = 1; if (0) { var path }"),
  });
  await app.import("a.mjs");
  await app.import("b.cjs");
  const values = (file: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(app.runtime.privateBindings(app.path(file))).map(([name, get]) => {
        const value = get();
        return [`$${name}`, typeof value === "function" ? "function" : value];
      }),
    );
  const both = {
    $v: undefined,
    $C: "function",
    $a: 1,
    $c: 3,
    $k: 2,
    $inner: 1,
    $tried: 1,
    $caught: undefined,
    $__proto__: [5],
    $é: [6],
    $late: [1],
  };
  assert.deepEqual(values("a.mjs"), both);
  assert.deepEqual(values("b.cjs"), { ...both, $count: 1, $list: [1], $path: undefined });
  assert.deepEqual(app.runtime.privateBindings(app.path("none.mjs")), {});
});

test("an injector that reads a constructor's parameters from the class's text finds them", async () => {
  const text = `class Plain { constructor(a, b) { this.got = [a, b]; } }
class Late { static x = 1; static { this.y = 2; } #p = 1; m() { return this.#p; } constructor(b, a) { this.got = [b, a]; } }
class Sub extends Plain {}
class None {}
module.exports = { Plain, Late, Sub, None };`;
  await using app = new RuntimeApp({ "a.cjs": text });
  app.runtime.install();
  const { createRequire } = await import("node:module");
  const { createContainer, asClass, asValue } = createRequire(import.meta.url)("awilix") as typeof import("awilix");
  const classes = (await app.import<{ default: Record<string, new () => { got: unknown }> }>("a.cjs")).default;
  const container = createContainer({ injectionMode: "CLASSIC" });
  container.register({ a: asValue("A"), b: asValue("B") });
  for (const [name, target] of Object.entries(classes)) container.register(name, asClass(target));
  assert.deepEqual(container.resolve<{ got: unknown }>("Plain").got, ["A", "B"]);
  assert.deepEqual(container.resolve<{ got: unknown }>("Late").got, ["B", "A"]);
  assert.deepEqual(container.resolve<{ got: unknown }>("Sub").got, ["A", "B"]);
  assert.equal(container.resolve<{ got: unknown }>("None").got, undefined);
});
