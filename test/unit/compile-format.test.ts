// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders belong to the snippets
/** ES module or CommonJS: Node's rules. And what is found in each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Compiler } from "../../src/common/compile/compiler.js";
import { evaluate } from "../support/evaluate.js";
import { TempApp } from "../support/temp-app.js";

const formats: readonly [file: string, text: string, type: string | undefined, expected: string][] = [
  ["a.mjs", "", "commonjs", "esm"],
  ["a.cjs", "", "module", "commonjs"],
  ["a.js", "", "module", "esm"],
  ["a.js", "", "commonjs", "commonjs"],
  ["a.js", "", undefined, "commonjs"],
  ["a.js", "exports.a = 1; return;", undefined, "commonjs"],
  ["a.js", "import 'node:fs';", undefined, "esm"],
  ["a.js", "export {};", undefined, "esm"],
  ["a.js", "/* x */ export const a = 1;", undefined, "esm"],
  ["a.js", "const a = 1; export { a };", undefined, "esm"],
  ["a.js", "console.log(import.meta.url);", undefined, "esm"],
  ["a.js", "import('node:fs');", undefined, "commonjs"],
  ["a.js", "await 1;", undefined, "esm"],
  ["a.js", "for await (const x of []) ;", undefined, "esm"],
  ["a.js", "async () => { await 1; };", undefined, "commonjs"],
  ["a.js", "const await = 1;", undefined, "commonjs"],
  ["a.js", "const require = 1;", undefined, "esm"],
  ["a.js", "class module {}", undefined, "esm"],
  ["a.js", "var require = 1; function exports() {}", undefined, "commonjs"],
  ["a.js", "with ({}) {}", undefined, "commonjs"],
  ["a.js", "// import x from 'y'\n`\nexport const a = 1`", undefined, "commonjs"],
  ["a.js", "x = 'await'", undefined, "commonjs"],
  ["a", "exports.a = 1", undefined, "commonjs"],
  ["a", "export {}", "module", "esm"],
  ["a.unknown", "exports.a = 1", "module", "commonjs"],
  ["a.json", "{}", "module", "json"],
  ["a.ts", "const a: number = 1", "module", "esm"],
  ["a.ts", "const a: number = 1", "commonjs", "commonjs"],
  ["a.ts", "export const a: number = 1", "commonjs", "esm"],
  ["a.ts", "const s = `\nexport const x = 1`", "commonjs", "commonjs"],
  ["a.ts", "await (1 as number)", undefined, "esm"],
  ["a.jsx", "export const a = 1", undefined, "esm"],
  ["node_modules/a.js", "", "module", "commonjs"],
];

for (const [file, text, type, expected] of formats) {
  test(`${file} ${JSON.stringify(text)} in a package of type ${type} is ${expected}`, async () => {
    await using app = new TempApp({ "package.json": JSON.stringify({ type }), [file]: text });
    assert.equal(new Compiler({ root: app.folder }).compile(app.path(file)).format, expected);
  });
}

test("the nearest package.json decides, and after forget it is read again", async () => {
  await using app = new TempApp({
    "package.json": `{ "type": "module" }`,
    "sub/package.json": "{}",
    "sub/deep/a.js": "",
    "a.js": "",
  });
  const compiler = new Compiler({ root: app.folder });
  const format = (file: string) => compiler.compile(app.path(file)).format;
  assert.deepEqual([format("a.js"), format("sub/deep/a.js")], ["esm", "commonjs"]);
  app.write("sub/package.json", `{ "type": "module" }`);
  assert.equal(format("sub/deep/a.js"), "commonjs");
  compiler.forget();
  assert.equal(format("sub/deep/a.js"), "esm");
  assert.deepEqual(compiler.configFiles(), [app.path("package.json"), app.path("sub/package.json")].slice(1));
});

test("CommonJS: literal requires and imports are found, shadowed ones are not; lines stay as they are but for import()", async () => {
  const text = [
    "#!/usr/bin/env node",
    "const a = require('./a'), again = require(\"./a\"), t = require(`./t`);",
    "// require('./comment')",
    "const s = \"require('./string')\";",
    "(function (require) { require('./shadowed'); })(() => {});",
    "if (later) { let require = x; require('./shadowed-too'); }",
    "require(computed); require.resolve('./resolved'); x.require('./member'); require?.('./optional');",
    "import('./dynamic'); import(`./dynamic`, { with: {} }); import(computed);",
    "const list = []; module.exports = 1;",
  ].join("\n");
  await using app = new TempApp({});
  const compiled = new Compiler({ root: app.folder }).compile(app.path("a.cjs"), text);
  assert.deepEqual(compiled.requires, ["./a", "./t", "./optional"]);
  assert.deepEqual(compiled.dynamicImports, ["./dynamic"]);
  assert.equal(
    compiled.body,
    `${text.replace("#!", "//").replaceAll("import(", "__ur.import(")}
;__ur.scope(() => ({ list: () => list }));`,
  );
  assert.deepEqual([compiled.prologue, compiled.mapped, compiled.exports, compiled.imports], ["", false, [], []]);
});

test("ES modules: requires of createRequire are found", async () => {
  await using app = new TempApp({});
  const compiler = new Compiler({ root: app.folder });
  const file = app.path("a.mjs");
  const made = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url); require("./x.cjs");`;
  assert.deepEqual(compiler.compile(file, made).requires, ["./x.cjs"]);
  assert.deepEqual(compiler.compile(file, `const require = (x) => x; require("./x.cjs");`).requires, []);
});

test("what a module imports and exports is listed in source order", async () => {
  const text = `
    import d, { a, b as c, "any name" as e } from "./one.mjs";
    export * from "./two.mjs";
    import * as ns from "./one.mjs";
    import json from "./three.json" with { type: "json" };
    import plain from "./three.json";
    export { x as y, default } from "./four.mjs";
    export * as all from "./two.mjs";
    import "./five.mjs";
    export const [p, { q }] = [], r = 1; export { a as "string name", ns };
    import("./six.mjs");`;
  await using app = new TempApp({});
  const compiled = new Compiler({ root: app.folder }).compile(app.path("a.mjs"), text);
  const attributes = null;
  assert.deepEqual(compiled.imports, [
    { specifier: "./one.mjs", attributes, names: ["default", "a", "b", "any name"], whole: true },
    { specifier: "./two.mjs", attributes, names: [], whole: true },
    { specifier: "./three.json", attributes: { type: "json" }, names: ["default"] },
    { specifier: "./three.json", attributes, names: ["default"] },
    { specifier: "./four.mjs", attributes, names: ["x", "default"] },
    { specifier: "./five.mjs", attributes, names: [] },
  ]);
  assert.deepEqual(compiled.stars, [1]);
  assert.deepEqual([...compiled.exports].sort(), ["all", "default", "ns", "p", "q", "r", "string name", "y"]);
  assert.deepEqual(compiled.dynamicImports, ["./six.mjs"]);
  assert.doesNotMatch(compiled.prologue, /[\n\r]/);
});

test("top-level await is told from awaits in functions", async () => {
  await using app = new TempApp({});
  const compiler = new Compiler({ root: app.folder });
  const awaits = (text: string) => compiler.compile(app.path("a.mjs"), text).topLevelAwait;
  for (const text of [
    "await 1",
    "for await (const x of y);",
    "{ { await 1 } }",
    "class A { [await 1] = 2 }",
    "class A extends (await 1) {}",
    "const { a = await 1 } = x;",
    "export default await 1;",
    "`${await 1}`",
  ]) {
    assert.equal(awaits(text), true, text);
  }
  for (const text of [
    "async () => await 1",
    "async function f() { for await (const x of y); }",
    "class A { async m() { await 1 } }",
    "x = { async *m() { await 1 } }",
    "const await_ = 1; // await",
    "x.await; x = { await: 1 };",
  ]) {
    assert.equal(awaits(text), false, text);
  }
});

test("own JSON is a module, with or without a byte order mark", async () => {
  await using app = new TempApp({
    "package.json": `{ "type": "module" }`,
    "main.js": `import values from "./values.json" with { type: "json" }; import { a as b } from "./main.cjs"; export const a = [values, b];`,
    "main.cjs": `exports.a = require("./values.json").list;`,
    "values.json": `\uFEFF{ "list": [1, "\u2028"] }`,
  });
  const namespace = await evaluate(new Compiler({ root: app.folder }), app.path("main.js"));
  assert.deepEqual(namespace.a, [{ list: [1, "\u2028"] }, [1, "\u2028"]]);
});
