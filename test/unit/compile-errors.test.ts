/** Every error of the compiler names the place in the user's own text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Compiler } from "../../src/common/compile/compiler.js";
import { CompileError, ResolveError } from "../../src/common/errors.js";
import { TempApp } from "../support/temp-app.js";

interface Bad {
  readonly file: string;
  /** `¦` stands where the error must be. */
  readonly text: string;
  readonly message: RegExp;
  readonly type?: "module" | "commonjs";
  readonly options?: Readonly<Record<string, unknown>>;
}

const bad: readonly Bad[] = [
  { file: "a.mjs", text: "const a = 1;\nconst b = ¦;\n", message: /Unexpected token/ },
  { file: "a.mjs", text: "\uFEFFconst b = ¦;\n", message: /Unexpected token/ },
  { file: "a.mjs", text: "#!/usr/bin/env node\r\nlet é = 'ü';\r\n\tlet b = ¦;", message: /Unexpected token/ },
  { file: "a.mjs", text: "let a = 1;\nlet ¦a = 2;", message: /already been declared/ },
  { file: "a.mjs", text: "export { ¦nothing };", message: /not defined/ },
  { file: "a.mjs", text: "export const a = 1;\nexport { b as ¦a };\nvar b;", message: /[Dd]uplicate/ },
  { file: "a.mjs", text: "¦return 1;", message: /return/ },
  { file: "a.mjs", text: "for (;;) { break ¦nowhere; }", message: /label/ },
  { file: "a.mjs", text: "function f() { ¦await 1; }", message: /await/ },
  { file: "a.mjs", text: "\n  ¦import defer * as x from 'node:fs';", message: /import defer.*not supported/ },
  { file: "a.mjs", text: "\n  ¦import source x from 'node:fs';", message: /import source.*not supported/ },
  { file: "a.mjs", text: "const x = ¦import.defer('node:fs');", message: /import defer.*not supported/ },
  { file: "a.cjs", text: "¦import fs from 'node:fs';", message: /outside a module/ },
  { file: "a.cjs", text: "exports.a = ¦import.meta.url;", message: /import\.meta/ },
  { file: "a.cjs", text: "const x = 1;\n¦const { require } = x;", message: /'require' has already been declared/ },
  { file: "a.js", text: "¦import fs from 'node:fs';", message: /outside a module/, type: "commonjs" },
  { file: "a.js", text: "exports.a = ¦;", message: /Unexpected token/ },
  { file: "a.js", text: "import fs from 'node:fs';\nlet x = ¦;", message: /Unexpected token/ },
  { file: "a.ts", text: "interface X { a: string }\nlet é: number = ¦;", message: /Unexpected token/ },
  { file: "a.ts", text: "type X = 1;\nlet a: X = 1;\nlet ¦a = 2;", message: /already been declared/ },
  { file: "a.ts", text: "interface X {}\n\nlet x: X;\nfor (;;) break ¦out;\nexport {}", message: /label/ },
  { file: "a.mts", text: "interface X {}\nconst y = 1;\n¦export = y;", message: /export =/ },
  {
    file: "a.ts",
    text: "interface A {}\ninterface B {}\n\nconst y: A = ¦import.defer('./b');",
    message: /import defer/,
    type: "module",
  },
  { file: "a.tsx", text: "export const a = (\n  <div>\n    <span>{1}</¦p>\n  </div>\n);", message: /./ },
  { file: "a.ts", text: "class A {\n  @dec ¦;\n}", message: /./, options: { experimentalDecorators: true } },
  { file: "a.json", text: '{ "a": 1,\n  ¦b: 2 }', message: /Unexpected "b" in JSON/ },
  { file: "a.json", text: '{ "a": [1, 2¦', message: /Unexpected end of JSON input/ },
  { file: "a.json", text: "[1, 2,¦]", message: /Unexpected "]" in JSON/ },
  { file: "a.json", text: '\uFEFF{ "a": ¦trux }', message: /Unexpected/ },
  { file: "a.json", text: "¦", message: /Unexpected end of JSON input/ },
];

for (const { file, text, message, type, options } of bad) {
  test(`the place of an error: ${file} ${JSON.stringify(text)}`, async () => {
    await using app = new TempApp({
      "package.json": JSON.stringify(type ? { type } : {}),
      "tsconfig.json": JSON.stringify({ compilerOptions: options ?? {} }),
      [file]: text.replace("¦", ""),
    });
    const before = text.replace(/^\uFEFF/, "").split("¦")[0] ?? "";
    const lines = before.split(/\r?\n/);
    const location = { file: app.path(file), line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
    assert.throws(
      () => new Compiler({ root: app.folder }).compile(app.path(file)),
      (error) => {
        assert.ok(error instanceof CompileError, String(error));
        assert.equal(error.code, "ERR_UNRELOADER_COMPILE");
        assert.match(error.message, message);
        assert.deepEqual(error.location, location);
        return true;
      },
    );
  });
}

test("the frame shows the line, its neighbours and a caret", async () => {
  await using app = new TempApp({ "a.mjs": "// one\n// two\n// three\n\tconst x = ;\n// five\n// six" });
  assert.throws(
    () => new Compiler({ root: app.folder }).compile(app.path("a.mjs")),
    (error) => {
      assert.ok(error instanceof CompileError);
      assert.equal(
        error.frame,
        ["  2 | // two", "  3 | // three", "> 4 | \tconst x = ;", "    | \t          ^", "  5 | // five"].join("\n"),
      );
      return true;
    },
  );
});

test("what V8 refuses, the compiler refuses in a file that replaces another version", async () => {
  const texts = [
    "let a; var a;",
    "const a = 1; function a() {}",
    "import { a } from 'node:fs'; let a;",
    "class A { constructor() {} constructor() {} }",
    "class A { #a; #a; }",
    "class A { m() { this.#b; } }",
    "a: for (;;) a: for (;;);",
    "for (;;) { function f() { break; } }",
    "x = { __proto__: 1, __proto__: 2 };",
    "delete x;",
    "with (x) {}",
    "01;",
    "let yield;",
    "arguments = 1;",
    "eval = 1;",
    "new.target;",
    "super.x;",
    "function f(a, a) {}",
    "(a, a) => 1;",
    "let let = 1;",
    "const a;",
    "({ a = 1 });",
    "a?.b = 1;",
    "1 = 2;",
    "`\\u{`",
    "/(/;",
    "/a/gg;",
    "async () => { for await (x in y); };",
    "try {} catch (a) { let a; }",
    "switch (1) { case 1: let a; case 2: let a; }",
    "if (1) let a;",
    "label: function* f() {}",
    "export default 1; export default 2;",
    "export { a, a }; let a;",
    "import { default } from 'node:fs';",
    "import * from 'node:fs';",
    "{ import 'node:fs'; }",
    "class A extends B { x = super(); }",
    "class A { static { await 1; } }",
    "class A { constructor() { super(); } }",
    "function* g() { yield\n* 2 }",
    "x = async (await) => 1;",
    "'\\08';",
    "undefined: { continue undefined; }",
  ];
  await using app = new TempApp({});
  const compiler = new Compiler({ root: app.folder });
  compiler.compile(app.path("a.mjs"), "");
  const accepted = texts.filter((text) => {
    try {
      compiler.compile(app.path("a.mjs"), text);
      return true;
    } catch (error) {
      if (error instanceof CompileError) return false;
      throw error;
    }
  });
  assert.deepEqual(accepted, []);
});

test("the place of an error that only V8 sees", async () => {
  await using app = new TempApp({ "package.json": "{}" });
  const compiler = new Compiler({ root: app.folder });
  const place = (file: string, text: string): unknown => {
    compiler.compile(app.path(file), "");
    try {
      compiler.compile(app.path(file), text);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof CompileError);
      assert.match(error.message, /Invalid regular expression/);
      return [error.location?.line, error.location?.column];
    }
  };
  assert.deepEqual(place("a.mjs", "import { sep } from 'node:path';\nconst x = [sep, sep, /(/];"), [2, 22]);
  assert.deepEqual(place("a.cjs", "x = /(/;"), [1, 5]);
  assert.deepEqual(place("a.ts", "interface X {}\n\nexport const x: RegExp = /(/;"), [3, 26]);
  const classes = "class A { #a; } class B { static c = class{}; m() { return /(/; } }";
  for (const file of ["a.mjs", "a.cjs", "a.mts", "a.cts"])
    assert.deepEqual(place(file, classes), [1, classes.indexOf("/(/") + 1], file);
  assert.equal(place("b.mjs", "const x = /\\(/; await x;"), undefined);
});

test("a static import that leads nowhere is located at its specifier", async () => {
  const text = `import fs from "node:fs";\nimport type { X } from "./gone.js";\n\nexport {\n  x,\n} from "./missing.js";\nconst é = 1; export * from "./missing-too.js";`;
  await using app = new TempApp({
    "package.json": `{ "type": "module" }`,
    "a.ts": text,
    "b.mjs": `const a = 1; import "nowhere";`,
  });
  const compiler = new Compiler({ root: app.folder });
  assert.throws(
    () => compiler.prepare(app.path("a.ts")),
    (error) => {
      assert.ok(error instanceof ResolveError);
      assert.equal(error.nodeCode, "ERR_MODULE_NOT_FOUND");
      assert.equal(error.message, `Cannot find module '${app.path("missing.js")}' imported from ${app.path("a.ts")}`);
      assert.deepEqual(error.location, { file: app.path("a.ts"), line: 6, column: 8 });
      assert.match(error.frame ?? "", /> 6 \| } from ".\/missing.js";\n +\| {8}\^/);
      return true;
    },
  );
  assert.throws(
    () => compiler.prepare(app.path("b.mjs")),
    (error) => {
      assert.ok(error instanceof ResolveError);
      assert.equal(error.message, `Cannot find package 'nowhere' imported from ${app.path("b.mjs")}`);
      assert.deepEqual(error.location, { file: app.path("b.mjs"), line: 1, column: 21 });
      return true;
    },
  );
});

test("a broken tsconfig.json is named", async () => {
  await using app = new TempApp({ "tsconfig.json": `{ "extends": "./nowhere.json" }`, "a.ts": "let a: number;" });
  assert.throws(() => new Compiler({ root: app.folder }).compile(app.path("a.ts")), {
    name: "CompileError",
    message: /tsconfig\.json.*nowhere\.json/,
  });
});

test("what is nested too deep for the parser is told with its place, and does not end the process", async () => {
  await using app = new TempApp({});
  const deep = (open: string, close: string): string => `const a =\n${open.repeat(20_000)}${close.repeat(20_000)};`;
  const texts = [deep("[", "]"), deep("{ a: [", "]}"), deep("(", ""), deep("`${", "}`"), deep("class { x =", "}")];
  for (const file of ["a.mjs", "a.cjs", "a.tsx"]) {
    for (const text of texts) {
      app.write(file, text);
      assert.throws(
        () => new Compiler({ root: app.folder }).compile(app.path(file)),
        (error: CompileError) => {
          assert.match(error.message, /nested too deep/);
          assert.equal(error.location?.line, 2);
          return true;
        },
      );
    }
    // The stack of JavaScript may be smaller than that: it is on Node 20, 24 and 26, not on 22.
    app.write(file, `const a = ${"1 ? ".repeat(4000)}1${" : 1".repeat(4000)};`);
    try {
      new Compiler({ root: app.folder }).compile(app.path(file));
    } catch (error) {
      assert.match(String(error), /nested too deep/);
    }
  }
  assert.deepEqual(new Compiler({ root: app.folder }).dynamicImports(deep("[", "]")), []);
});

test("thousands of operands, statements and brackets in texts are not nested", async () => {
  await using app = new TempApp({
    "a.mjs": `export const sum = ${"1 + ".repeat(9000)}1, text = ${'"[({" + '.repeat(2000)}"";
${"// ((((\n".repeat(2000)}/* ${"[".repeat(2000)} */
${"export { sum as s };".replace("s }", "s0 }")}${"{ [sum] }\n".repeat(3000)}`,
  });
  const { exports } = new Compiler({ root: app.folder }).compile(app.path("a.mjs"));
  assert.equal(exports.length, 3);
});
