/** TypeScript and JSX: what tsc's output would do, the compiler's does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Compiler } from "../../src/common/compile/compiler.js";
import { evaluate } from "../support/evaluate.js";
import { TempApp } from "../support/temp-app.js";

const ESM = `{ "type": "module" }`;

interface Project {
  readonly files: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly packageJson?: string;
  readonly entry?: string;
}

async function run(project: Project): Promise<Record<string, unknown>> {
  const { files, options = {}, packageJson = ESM, entry = "main.ts" } = project;
  const config = JSON.stringify({ compilerOptions: options });
  await using app = new TempApp({ "package.json": packageJson, "tsconfig.json": config, ...files });
  return { ...(await evaluate(new Compiler({ root: app.folder }), app.path(entry))) };
}

/** A file that only TypeScript reads: what `a` is exported as. */
async function value(text: string, options: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  return (await run({ files: { "main.ts": text }, options })).a;
}

test("types, interfaces, casts and satisfies leave no trace", async () => {
  const text = `
    interface Shape { name: string }
    type Id<T> = T extends string ? T : never;
    declare const nowhere: number;
    declare function ghost(): void;
    abstract class Base<T> { abstract id: T; protected abstract make(): T; hi(this: Base<T>): string { return "hi"; } }
    class Own extends Base<number> implements Shape { id = 1; name!: string; declare extra: string; override make() { return 2; } }
    function over(x: string): string; function over(x: number): number; function over(x: unknown) { return x; }
    const list = <const T,>(x: T) => x as unknown as string;
    export const a = [new Own().hi(), over(1)!, list("x") satisfies string, (<any>3), new Own()?.id!, Object.keys(new Own())];`;
  assert.deepEqual(await value(text), ["hi", 1, "x", 3, 1, ["id", "name"]]);
});

test("enums, const enums and namespaces", async () => {
  const text = `
    enum Plain { A, B = 5, C, D = "d".length, E = 2 | 8 }
    const enum Inlined { X = 1, Y = X * 2 }
    enum Text { One = "one" }
    namespace Space { export const inner = Plain.C; export namespace Deep { export const x = inner; } export enum Kind { K } }
    enum Plain { Later = 100 }
    export const a = [Plain.C, Plain[5], Plain.D, Plain.E, Inlined.Y, Text.One, Space.Deep.x, Space.Kind[0], Plain.Later];`;
  assert.deepEqual(await value(text), [6, "B", 1, 10, 2, "one", 6, "K", 100]);
});

test("a namespace that exports a variable (beyond the fast transformer) still compiles", async () => {
  const text = `namespace N { export let count = 1; export function bump() { return ++count; } } N.bump(); export const a: number = N.count;`;
  assert.equal(await value(text), 2);
});

test("parameter properties", async () => {
  const text = `class P { constructor(private x: number, public readonly y = 2, protected z?: string) {} sum() { return this.x + this.y; } } export const a = [new P(1).sum(), Object.keys(new P(1, 3, "z"))];`;
  assert.deepEqual(await value(text), [3, ["x", "y", "z"]]);
});

test("class fields are defined or assigned as the target says", async () => {
  const text = `class Base { set x(v: number) { log.push(v); } } const log: number[] = []; class D extends Base { x = 1; y: string; static s = 2; #p = 3; p() { return this.#p; } } const d = new D(); export const a = [log, "y" in d, D.s, d.p()];`;
  const defined = [[], true, 2, 3];
  const assigned = [[1], false, 2, 3];
  assert.deepEqual(await value(text, { target: "ES2022" }), defined);
  assert.deepEqual(await value(text, { target: "ESNext" }), defined);
  assert.deepEqual(await value(text, { target: "ES2021" }), assigned);
  assert.deepEqual(await value(text, { target: "ES2022", useDefineForClassFields: false }), assigned);
  assert.deepEqual(await value(text, { target: "ES2017", useDefineForClassFields: true }), defined);
});

test("imports that are only types are dropped, and the module is not even loaded", async () => {
  const files = {
    "main.ts": `import { Shape } from "./types.js"; import type { Other } from "./missing.js"; import { type Third, real } from "./values.js"; import Default from "./types.js"; export type { Shape }; const x: Shape | Other | Third | Default = real; export const a = x;`,
    "types.ts": `throw new Error("loaded"); export interface Shape {}`,
    "values.ts": `export const real = 1; export interface Third {}`,
  };
  assert.deepEqual(await run({ files }), { a: 1 });
});

test("verbatimModuleSyntax keeps imports that are not marked as types", async () => {
  const files = {
    "main.ts": `import { x } from "./effect.js"; let y: typeof x; export const a = (globalThis as any).__kept;`,
    "effect.ts": `export const x = 1; (globalThis as any).__kept = true;`,
  };
  assert.deepEqual(await run({ files }), { a: undefined });
  assert.deepEqual(await run({ files, options: { verbatimModuleSyntax: true } }), { a: true });
  delete (globalThis as { __kept?: boolean }).__kept;
});

test("import and export assignments in a CommonJS package", async () => {
  const files = {
    "main.ts": `import value = require("./value"); import path = require("node:path"); import { named } from "./value"; import sep = path.posix; export = { value, sep: sep.sep, named };`,
    "value.ts": `class Value { static named = 1; } export = Value;`,
  };
  await using app = new TempApp({ "package.json": "{}", ...files });
  const compiler = new Compiler({ root: app.folder });
  const value = compiler.prepare(app.path("value.ts"));
  assert.equal(value.compiled.format, "commonjs");
  const main = compiler.prepare(app.path("main.ts"));
  assert.equal(main.compiled.format, "esm");
  assert.equal(main.compiled.interop, "esModule");
  assert.deepEqual(main.compiled.requires, ["./value", "node:path"]);
  assert.deepEqual(main.requires["./value"], { type: "file", file: app.path("value.ts") });
});

test("import assignment in an ES module requires by createRequire", async () => {
  const files = {
    "main.mts": `import old = require("./old.cjs"); import { sep } from "node:path"; export const a: number = old.one, b = sep;`,
    "old.cjs": "exports.one = 1;",
  };
  assert.equal((await run({ files, entry: "main.mts" })).a, 1);
});

test("TypeScript with import syntax in a CommonJS package has the CommonJS names and import.meta", async () => {
  const files = {
    "main.ts": `import fs from "node:fs"; import { join } from "node:path"; const here = join(__dirname, "x"); export const a = [typeof require, typeof module, __filename.endsWith("main.ts"), here.endsWith("x"), typeof fs.readFileSync, import.meta.url.endsWith("main.ts")]; export const b = await Promise.resolve(1);`,
  };
  assert.deepEqual(await run({ files, packageJson: "{}" }), {
    a: ["function", "object", true, true, "function", true],
    b: 1,
  });
});

test("its own declarations may be called like the CommonJS names", async () => {
  const files = {
    "main.ts": `const require = 1, exports = 2; function module() { return __dirname; } const __dirname = 3; export const a = [require, exports, module()];`,
  };
  assert.deepEqual(await run({ files, packageJson: "{}" }), { a: [1, 2, 3] });
});

test("without import and export syntax it is CommonJS, strict as tsconfig says", async () => {
  const text = `const path = require("node:path"); const f = function (): unknown { return this; }; exports.a = [typeof path.join, f() === undefined, this === exports];`;
  assert.deepEqual((await run({ files: { "main.ts": text }, packageJson: "{}", options: { strict: true } })).a, [
    "function",
    true,
    true,
  ]);
  assert.deepEqual((await run({ files: { "main.ts": text }, packageJson: "{}", options: { alwaysStrict: false } })).a, [
    "function",
    false,
    true,
  ]);
  const topLevelReturn = "exports.a = 1; if (exports.a) return; exports.a = 2 as number;";
  assert.equal((await run({ files: { "main.ts": topLevelReturn }, packageJson: "{}" })).a, 1);
});

test(".mts is an ES module and .cts CommonJS, whatever the package", async () => {
  await using app = new TempApp({
    "package.json": ESM,
    "a.cts": "const x: number = 1; exports.x = x;",
    "b.cts": `import fs from "node:fs"; export const y = fs;`,
    "cjs/package.json": `{ "type": "commonjs" }`,
    "cjs/c.mts": "const x: number = 1;",
  });
  const compiler = new Compiler({ root: app.folder });
  const kind = (file: string) => {
    const { format, interop } = compiler.compile(app.path(file));
    return [format, interop];
  };
  assert.deepEqual(kind("a.cts"), ["commonjs", "none"]);
  assert.deepEqual(kind("b.cts"), ["esm", "esModule"]);
  assert.deepEqual(kind("cjs/c.mts"), ["esm", "none"]);
});

test("a module that imports only types stays a module", async () => {
  await using app = new TempApp({ "package.json": "{}", "a.ts": `import type { X } from "./x"; let y: X;` });
  const compiled = new Compiler({ root: app.folder }).compile(app.path("a.ts"));
  assert.deepEqual([compiled.format, compiled.imports], ["esm", []]);
});

const decorated = `
  const log: unknown[] = [];
  const note = (name: string) => (...args: any[]) => { log.push([name, args.length, typeof args[2]]); };
  @note("class") class A { @note("field") x = 1; @note("method") m(@note("param") p: string) { return p; } @note("accessor") get g() { return 1; } @note("static") static s = 2; constructor(@note("ctor") q: number) {} }
  export const a = log;`;

test("legacy decorators run in tsc's order", async () => {
  assert.deepEqual(await value(decorated, { experimentalDecorators: true }), [
    ["field", 3, "undefined"],
    ["param", 3, "number"],
    ["method", 3, "object"],
    ["accessor", 3, "object"],
    ["static", 3, "undefined"],
    ["ctor", 3, "number"],
    ["class", 1, "undefined"],
  ]);
});

test("a legacy decorator may replace the class, the method and the field", async () => {
  const text = `
    const swap = (c: any): any => class Swapped extends c { swapped = true };
    const twice = (_t: any, _k: string, d: PropertyDescriptor) => ({ ...d, value() { return 2 * d.value.call(this); } });
    const fixed = (t: any, k: string): any => ({ get: () => "fixed", set() {}, configurable: true });
    @swap class A { @twice m() { return 21; } @fixed f: string; static self = () => A; }
    export const a = [(new A() as any).swapped, new A().m(), new A().f, A.self() === A, A.name];
    export default @swap class { };`;
  const options = { experimentalDecorators: true, useDefineForClassFields: false };
  assert.deepEqual(await value(text, options), [true, 42, "fixed", true, "Swapped"]);
});

test("decorator metadata: enums are Number and String, interfaces Object, cycles do not throw", async () => {
  const files = {
    "main.ts": `
      import { Numeric, Textual, Mixed, Shape, Real } from "./kinds.js";
      import { Peer } from "./peer.js";
      const seen: Record<string, unknown> = {};
      (Reflect as any).metadata = (key: string, value: any) => (_t: object, name: string) => { seen[name + " " + key] = value; };
      function d(..._: unknown[]): any {}
      enum Local { A }
      export class Main { @d n: Numeric; @d t: Textual; @d m: Mixed; @d s: Shape; @d r: Real; @d l: Local; @d p: Peer; @d u: string | null;
        @d list(a: Numeric[], b: Textual, c?: Shape): Promise<Real> { return null!; } @d kind(): Numeric { return 0; } }
      const name = (v: any): any => Array.isArray(v) ? v.map(name) : v?.name;
      export const a = Object.fromEntries(Object.entries(seen).map(([k, v]) => [k, name(v)]));
      delete (Reflect as any).metadata;`,
    "kinds.ts": `export enum Numeric { A, B = -1, C = 1.5 } export enum Textual { A = "a", B = "b" } export enum Mixed { A = "a", B = 1 } export interface Shape {} export class Real {}`,
    "peer.ts": `import { Main } from "./main.js"; function d(..._: unknown[]): any {} export class Peer { @d main: Main; @d mains: Main[]; }`,
  };
  const { a } = await run({
    files,
    options: { experimentalDecorators: true, emitDecoratorMetadata: true, strict: true },
  });
  assert.deepEqual(a, {
    "n design:type": "Number",
    "t design:type": "String",
    "m design:type": "Object",
    "s design:type": "Object",
    "r design:type": "Real",
    "l design:type": "Number",
    "p design:type": "Peer",
    "u design:type": "Object",
    "list design:type": "Function",
    "list design:paramtypes": ["Array", "String", "Object"],
    "list design:returntype": "Promise",
    "kind design:type": "Function",
    "kind design:paramtypes": [],
    "kind design:returntype": "Number",
  });
});

test("an import that only metadata uses need not exist", async () => {
  await using app = new TempApp({
    "package.json": ESM,
    "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }`,
    "main.ts": `import { Shape, used } from "./shape.js"; function d(..._: unknown[]): any {} class A { @d x: Shape; y = used; } export { A };`,
  });
  const { imports } = new Compiler({ root: app.folder }).compile(app.path("main.ts"));
  assert.deepEqual(
    imports.map(({ names }) => names),
    [["used"]],
  );
});

test("standard decorators, when experimentalDecorators is off, in TypeScript and in JavaScript", async () => {
  const body = (type: string) => `
    const log = [];
    function note(value${type}, context${type}) { log.push(context.kind + " " + String(context.name)); }
    @note class A { @note x = 1; @note m() {} @note static accessor s = 2; @note get g() { return 1; } }
    export const a = log, b = [new A().x, A.s];`;
  const expected = { a: ["accessor s", "method m", "getter g", "field x", "class A"], b: [1, 2] };
  assert.deepEqual(
    await run({ files: { "main.ts": body(": any").replace("log = []", "log: string[] = []") } }),
    expected,
  );
  assert.deepEqual(await run({ files: { "main.js": body("") }, entry: "main.js" }), expected);
});

test("using and await using", async () => {
  const text = (type: string) => `
    const log${type} = [];
    const open = (name${type && ": string"}) => ({ [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() { log.push("close " + name); }, async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() { log.push("close later " + name); } });
    { using x = open("x"), y = open("y"); log.push("in"); }
    { await using z = open("z"); }
    export const a = log;`;
  const expected = ["in", "close y", "close x", "close later z"];
  assert.deepEqual((await run({ files: { "main.ts": text(": string[]") } })).a, expected);
  assert.deepEqual((await run({ files: { "main.mjs": text("") }, entry: "main.mjs" })).a, expected);
});

const factory = `
  export const h = (type: any, props: any, ...children: any[]) => [typeof type === "function" ? type.name : type, props, ...children];
  export const Frag = "frag";`;

test("JSX: classic with factories, automatic with an import source, preserve", async () => {
  const files = {
    "main.tsx": `import { h, Frag } from "./h.js"; function Box() {} export const a = <><Box x={1} {...{ y: 2 }}>text {3}</Box></>;`,
    "h.ts": factory,
  };
  const classic = { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Frag" };
  const expected = ["frag", null, ["Box", { x: 1, y: 2 }, "text ", 3]];
  assert.deepEqual((await run({ files, options: classic, entry: "main.tsx" })).a, expected);

  const runtime = `export const jsx = (type, { children, ...props }, key) => [type.name ?? type, props, children, key]; export const jsxs = jsx, jsxDEV = jsx, Fragment = "fragment";`;
  const automatic = {
    "main.tsx": `const Box = () => null; export const a = <><Box x={1} key="k">text</Box></>;`,
    "node_modules/view/package.json": `{ "type": "module", "exports": { "./jsx-runtime": "./index.js", "./jsx-dev-runtime": "./index.js" } }`,
    "node_modules/view/index.js": runtime,
  };
  for (const jsx of ["react-jsx", "preserve", "react-native", "react-jsxdev"]) {
    const options = { jsx, jsxImportSource: "view" };
    assert.deepEqual(
      (await run({ files: automatic, options, entry: "main.tsx" })).a,
      ["fragment", {}, ["Box", { x: 1 }, "text", "k"], undefined],
      jsx,
    );
  }
});

test("JSX: pragmas in the file win", async () => {
  const files = {
    "main.jsx": `/** @jsx h */ /** @jsxRuntime classic */\nimport { h } from "./h.js"; export const a = <p>{1}</p>;`,
    "h.ts": factory,
  };
  assert.deepEqual((await run({ files, entry: "main.jsx" })).a, ["p", null, 1]);
});

test("tsconfig.json: extends, nearest wins, comments, none at all", async () => {
  const text =
    "class B { set x(v: number) {} } class C extends B { x = 1; } export const a = Object.keys(new C()).length;";
  await using app = new TempApp({
    "package.json": ESM,
    "tsconfig.base.json": `{ /* comment */ "compilerOptions": { "target": "es2020", }, }`,
    "tsconfig.json": `{ "extends": "./tsconfig.base.json" }`,
    "main.ts": text,
    "sub/tsconfig.json": `{ "extends": ["../tsconfig.json"], "compilerOptions": { "target": "es2022" } }`,
    "sub/main.ts": text,
  });
  const compiler = new Compiler({ root: app.folder });
  assert.equal((await evaluate(compiler, app.path("main.ts"))).a, 0);
  assert.equal((await evaluate(compiler, app.path("sub/main.ts"))).a, 1);
  assert.deepEqual(
    compiler.configFiles(),
    ["package.json", "sub/tsconfig.json", "tsconfig.base.json", "tsconfig.json"].map((name) => app.path(name)),
  );
  await using bare = new TempApp({ "package.json": ESM, "main.ts": text });
  assert.equal((await evaluate(new Compiler({ root: bare.folder }), bare.path("main.ts"))).a, 1);
});

test("after forget a changed tsconfig.json counts", async () => {
  await using app = new TempApp({
    "package.json": ESM,
    "tsconfig.json": `{ "compilerOptions": { "target": "es2020" } }`,
    "main.ts":
      "class B { set x(v: number) {} } class C extends B { x = 1; } export const a = Object.keys(new C()).length;",
  });
  const compiler = new Compiler({ root: app.folder });
  assert.equal((await evaluate(compiler, app.path("main.ts"))).a, 0);
  app.write("tsconfig.json", `{ "compilerOptions": { "target": "es2023" } }`);
  compiler.forget();
  assert.equal((await evaluate(compiler, app.path("main.ts"))).a, 1);
});

test("byte order mark, hashbang and CRLF in TypeScript", async () => {
  const text = `\uFEFF#!/usr/bin/env -S node\r\nconst x: number = 1;\r\nexport const a = [x, \`a\r\nb\`];\r\n`;
  assert.deepEqual(await value(text), [1, "a\nb"]);
  const commonJs = await run({
    files: { "main.cts": `#!/usr/bin/env node\r\nexports.a = 1 as number;` },
    entry: "main.cts",
  });
  assert.equal(commonJs.a, 1);
});
