/** Specifiers lead where Node, or TypeScript, would have them lead. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ResolveKind } from "../../src/common/compile/compiled-module.js";
import { Compiler } from "../../src/common/compile/compiler.js";
import { ResolveError } from "../../src/common/errors.js";
import { TempApp } from "../support/temp-app.js";

/** Resolution as text: a path relative to the app, `native:` or `builtin:` before it, or the error's code. */
function resolver(app: TempApp, options: { conditions?: readonly string[] } = {}) {
  const compiler = new Compiler({ root: app.folder, ...options });
  return (specifier: string, importer: string, kind: ResolveKind = "import"): string => {
    try {
      const found = compiler.resolve(specifier, app.path(importer), kind);
      if (found.type === "builtin") return `builtin:${found.name}`;
      const file = found.file.replace(`${app.folder}/`, "");
      return found.type === "native" ? `native:${file}` : file;
    } catch (error) {
      assert.ok(error instanceof ResolveError, String(error));
      return error.nodeCode;
    }
  };
}

const empty = (...files: string[]): Record<string, string> => Object.fromEntries(files.map((file) => [file, ""]));

test("JavaScript imports the exact file name, requires with extensions and folders", async () => {
  await using app = new TempApp(
    empty("a.mjs", "a.cjs", "x.js", "data.json", "dir/index.js", "addon.node", "both/index.js", "both.js"),
  );
  const resolve = resolver(app);
  assert.equal(resolve("./x.js", "a.mjs"), "x.js");
  assert.equal(resolve("./x", "a.mjs"), "ERR_MODULE_NOT_FOUND");
  assert.equal(resolve("./dir", "a.mjs"), "ERR_UNSUPPORTED_DIR_IMPORT");
  assert.equal(resolve("./x", "a.cjs", "require"), "x.js");
  assert.equal(resolve("./data", "a.cjs", "require"), "data.json");
  assert.equal(resolve("./dir", "a.cjs", "require"), "dir/index.js");
  assert.equal(resolve("./both", "a.cjs", "require"), "both.js");
  assert.equal(resolve("./both/", "a.cjs", "require"), "both/index.js");
  assert.equal(resolve(".", "dir/index.js", "require"), "dir/index.js");
  assert.equal(resolve("..", "dir/index.js", "require"), "MODULE_NOT_FOUND");
  assert.equal(resolve("./addon", "a.cjs", "require"), "native:addon.node");
  assert.equal(resolve(app.path("x.js"), "a.mjs"), "x.js");
  assert.equal(resolve("./missing.js", "a.mjs"), "ERR_MODULE_NOT_FOUND");
  assert.equal(resolve("./missing", "a.cjs", "require"), "MODULE_NOT_FOUND");
});

test("TypeScript: .js means .ts first, extensions and index files are found", async () => {
  await using app = new TempApp(
    empty("a.ts", "a.js", "x.ts", "x.js", "y.tsx", "z.mts", "w.cts", "only.js", "dir/index.ts", "only-ts.ts", "a.mjs"),
  );
  const resolve = resolver(app);
  assert.equal(resolve("./x.js", "a.ts"), "x.ts");
  assert.equal(resolve("./x", "a.ts"), "x.ts");
  assert.equal(resolve("./x.ts", "a.ts"), "x.ts");
  assert.equal(resolve("./y.js", "a.ts"), "y.tsx");
  assert.equal(resolve("./y.jsx", "a.ts"), "y.tsx");
  assert.equal(resolve("./z.mjs", "a.ts"), "z.mts");
  assert.equal(resolve("./w.cjs", "a.ts", "require"), "w.cts");
  assert.equal(resolve("./only.js", "a.ts"), "only.js");
  assert.equal(resolve("./dir", "a.ts"), "dir/index.ts");
  assert.equal(resolve("./dir", "a.ts", "require"), "dir/index.ts");
  // JavaScript sees JavaScript first, and TypeScript where there is nothing else.
  assert.equal(resolve("./x.js", "a.mjs"), "x.js");
  assert.equal(resolve("./only-ts.js", "a.mjs"), "only-ts.ts");
  assert.equal(resolve("./x", "a.js", "require"), "x.js");
  assert.equal(resolve("./only-ts", "a.js", "require"), "only-ts.ts");
});

test("tsconfig paths and baseUrl, for TypeScript and for JavaScript that belongs to the project", async () => {
  await using app = new TempApp({
    "tsconfig.json": `{ "compilerOptions": { "baseUrl": "./src", "paths": { "@app/*": ["./app/*", "./fallback/*"], "exact": ["./app/exact.ts"] } } }`,
    ...empty(
      "src/main.ts",
      "src/main.mjs",
      "src/app/one.ts",
      "src/fallback/two.ts",
      "src/app/exact.ts",
      "src/plain/deep.ts",
      "src/app/dir/index.ts",
    ),
    "node_modules/pkg/index.js": "",
    "js/tsconfig.json": `{ "extends": "../tsconfig.json", "compilerOptions": { "allowJs": true } }`,
    "js/main.mjs": "",
  });
  const resolve = resolver(app);
  assert.equal(resolve("@app/one", "src/main.ts"), "src/app/one.ts");
  assert.equal(resolve("@app/one.js", "src/main.ts"), "src/app/one.ts");
  assert.equal(resolve("@app/two", "src/main.ts", "require"), "src/fallback/two.ts");
  assert.equal(resolve("@app/dir", "src/main.ts"), "src/app/dir/index.ts");
  assert.equal(resolve("exact", "src/main.ts"), "src/app/exact.ts");
  assert.equal(resolve("plain/deep", "src/main.ts"), "src/plain/deep.ts");
  assert.equal(resolve("pkg", "src/main.ts"), "native:node_modules/pkg/index.js");
  assert.equal(resolve("@app/one", "src/main.mjs"), "ERR_MODULE_NOT_FOUND");
  assert.equal(resolve("@app/one", "js/main.mjs"), "src/app/one.ts");
});

test("packages: conditions, custom conditions, subpaths, self-reference, imports", async () => {
  const conditional = { import: "./i.mjs", require: "./r.cjs" };
  await using app = new TempApp({
    "package.json": JSON.stringify({
      name: "self",
      type: "module",
      exports: { "./sub": "./sub.js" },
      imports: { "#own": "./own.js", "#dep": "pkg", "#dir/*": "./dir/*.js" },
    }),
    ...empty("main.js", "main.cjs", "main.ts", "sub.js", "own.js", "own.ts", "dir/one.ts"),
    "node_modules/pkg/package.json": JSON.stringify({
      exports: {
        ".": { special: "./s.js", ...conditional },
        "./only": { import: "./i.mjs" },
        "./gone": "./gone.js",
        "./bad": "../x.js",
      },
    }),
    "node_modules/@scope/old/package.json": `{ "main": "lib/main" }`,
    ...empty(
      "node_modules/pkg/i.mjs",
      "node_modules/pkg/r.cjs",
      "node_modules/pkg/s.js",
      "node_modules/@scope/old/lib/main.js",
      "node_modules/@scope/old/lib/main.ts",
      "node_modules/@scope/old/deep.js",
    ),
  });
  const resolve = resolver(app);
  assert.equal(resolve("pkg", "main.js"), "native:node_modules/pkg/i.mjs");
  assert.equal(resolve("pkg", "main.cjs", "require"), "native:node_modules/pkg/r.cjs");
  assert.equal(resolver(app, { conditions: ["special"] })("pkg", "main.js"), "native:node_modules/pkg/s.js");
  assert.equal(resolve("pkg/only", "main.js"), "native:node_modules/pkg/i.mjs");
  assert.equal(resolve("pkg/only", "main.cjs", "require"), "ERR_PACKAGE_PATH_NOT_EXPORTED");
  assert.equal(resolve("pkg/nothing", "main.js"), "ERR_PACKAGE_PATH_NOT_EXPORTED");
  assert.equal(resolve("pkg/gone", "main.js"), "ERR_MODULE_NOT_FOUND");
  assert.equal(resolve("pkg/bad", "main.js"), "ERR_INVALID_PACKAGE_TARGET");
  assert.equal(resolve("@scope/old", "main.ts"), "native:node_modules/@scope/old/lib/main.js");
  assert.equal(resolve("@scope/old/deep.js", "main.js"), "native:node_modules/@scope/old/deep.js");
  assert.equal(resolve("@scope/old/deep", "main.cjs", "require"), "native:node_modules/@scope/old/deep.js");
  assert.equal(resolve("@scope/none", "main.js"), "ERR_MODULE_NOT_FOUND");
  assert.equal(resolve("self/sub", "main.js"), "sub.js");
  assert.equal(resolve("self/none", "main.js"), "ERR_PACKAGE_PATH_NOT_EXPORTED");
  assert.equal(resolve("#own", "main.js"), "own.js");
  assert.equal(resolve("#own", "main.ts"), "own.ts");
  assert.equal(resolve("#dep", "main.js"), "native:node_modules/pkg/i.mjs");
  assert.equal(resolve("#dir/one", "main.ts"), "dir/one.ts");
  assert.equal(resolve("#none", "main.js"), "ERR_PACKAGE_IMPORT_NOT_DEFINED");
});

test("module-sync is a condition where Node has it", async () => {
  await using app = new TempApp({
    "main.mjs": "",
    "node_modules/pkg/package.json": JSON.stringify({ exports: { "module-sync": "./m.js", default: "./d.js" } }),
    ...empty("node_modules/pkg/m.js", "node_modules/pkg/d.js"),
  });
  const native = createRequire(app.path("main.mjs")).resolve("pkg").replace(`${app.folder}/`, "native:");
  assert.equal(resolver(app)("pkg", "main.mjs"), native);
});

test("builtins, data URLs, file URLs, queries and escapes", async () => {
  await using app = new TempApp(empty("a.mjs", "x.js", "with space.js", "odd?name.js", "odd#name.js", "ünï.js"), {
    name: "my app é",
  });
  const resolve = resolver(app);
  assert.equal(resolve("fs", "a.mjs"), "builtin:node:fs");
  assert.equal(resolve("node:fs/promises", "a.mjs", "require"), "builtin:node:fs/promises");
  assert.equal(resolve("node:test", "a.mjs"), "builtin:node:test");
  assert.equal(resolve("node:nothing", "a.mjs"), "ERR_UNKNOWN_BUILTIN_MODULE");
  assert.equal(resolve("data:text/javascript,1", "a.mjs"), "builtin:data:text/javascript,1");
  assert.equal(resolve("https://example.org/x.js", "a.mjs"), "ERR_UNSUPPORTED_ESM_URL_SCHEME");
  assert.equal(resolve(pathToFileURL(app.path("with space.js")).href, "a.mjs"), "with space.js");
  assert.equal(resolve("./x.js?v=1#part", "a.mjs"), "x.js");
  assert.equal(resolve("./with%20space.js", "a.mjs"), "with space.js");
  assert.equal(resolve("./with space.js", "a.mjs", "require"), "with space.js");
  assert.equal(resolve("./odd%3Fname.js", "a.mjs"), "odd?name.js");
  assert.equal(resolve("./odd%23name.js", "a.mjs"), "odd#name.js");
  assert.equal(resolve("./odd?name.js", "a.mjs", "require"), "odd?name.js");
  assert.equal(resolve("./odd#name.js", "a.mjs", "require"), "odd#name.js");
  assert.equal(resolve("./%C3%BCn%C3%AF.js", "a.mjs"), "ünï.js");
  assert.equal(resolve("./a%2fb.js", "a.mjs"), "ERR_INVALID_MODULE_SPECIFIER");
});

test("a symlinked workspace package is own code, by its real path", async () => {
  await using app = new TempApp({
    "main.mjs": "",
    "packages/lib/package.json": `{ "name": "lib", "main": "./src/index.ts" }`,
    ...empty("packages/lib/src/index.ts", "packages/lib/src/other.ts"),
  });
  mkdirSync(app.path("node_modules"));
  symlinkSync(app.path("packages/lib"), app.path("node_modules/lib"), "junction");
  const resolve = resolver(app);
  assert.equal(resolve("lib", "main.mjs"), "packages/lib/src/index.ts");
  assert.equal(resolve("lib/src/other.ts", "main.mjs"), "packages/lib/src/other.ts");
});

test("what an app imports from unreloader itself is never own code, even when it is linked", async () => {
  const own = fileURLToPath(new URL("../../src/common/compile/compiler.js", import.meta.url));
  await using app = new TempApp(empty("a.mjs"));
  assert.equal(resolver(app)(pathToFileURL(own).href, "a.mjs"), `native:${own}`);
});

test("errors have Node's words", async () => {
  await using app = new TempApp({
    ...empty("a.mjs", "a.cjs", "dir/index.js"),
    "node_modules/pkg/package.json": `{ "exports": {} }`,
  });
  const compiler = new Compiler({ root: app.folder });
  for (const specifier of [
    "./missing.js",
    "./dir",
    "missing",
    "@scope/missing/deep",
    "pkg/sub",
    "#none",
    "node:nothing",
  ]) {
    const importer = app.path("a.mjs");
    app.write("a.mjs", `await import(${JSON.stringify(specifier)});`);
    const native: unknown = await import(`${pathToFileURL(importer).href}?${encodeURIComponent(specifier)}`).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(native instanceof Error && "code" in native);
    assert.throws(
      () => compiler.resolve(specifier, importer, "import"),
      (error) => {
        assert.ok(error instanceof ResolveError);
        assert.equal(error.nodeCode, native.code);
        // Newer versions of Node say a little more at the end.
        const words = (text: string): string => (text.split("\n")[0] ?? "").replace(/\?[^ ]*$/, "").trim();
        assert.equal(words(error.message), words(native.message));
        return true;
      },
    );
  }
  const require = createRequire(app.path("a.cjs"));
  for (const specifier of ["./missing", "missing", "pkg/sub"]) {
    let native: unknown;
    try {
      require.resolve(specifier);
    } catch (error) {
      native = error;
    }
    assert.ok(native instanceof Error);
    const { message } = native;
    assert.throws(() => compiler.resolve(specifier, app.path("a.cjs"), "require"), { message });
  }
});

test("what is resolved is remembered until forget, failures are not counted on", async () => {
  await using app = new TempApp(empty("a.ts", "x.js"));
  const compiler = new Compiler({ root: app.folder });
  const resolve = () => compiler.resolve("./x.js", app.path("a.ts"), "import");
  assert.deepEqual(resolve(), { type: "file", file: app.path("x.js") });
  app.write("x.ts", "");
  assert.deepEqual(resolve(), { type: "file", file: app.path("x.js") });
  compiler.forget();
  assert.deepEqual(resolve(), { type: "file", file: app.path("x.ts") });
  app.rename("x.ts", "x/index.ts");
  app.remove("x.js");
  compiler.forget();
  assert.deepEqual(compiler.resolve("./x", app.path("a.ts"), "import"), { type: "file", file: app.path("x/index.ts") });
});

test("an unresolvable literal require is left out", async () => {
  await using app = new TempApp({
    "a.cjs": `try { require("./optional"); } catch {} require("./there"); require("fs");`,
    "there.js": "",
  });
  const { requires } = new Compiler({ root: app.folder }).prepare(app.path("a.cjs"));
  assert.deepEqual(requires, {
    "./there": { type: "file", file: app.path("there.js") },
    fs: { type: "builtin", name: "node:fs" },
  });
});

test("static imports of TypeScript in a CommonJS package resolve as require does", async () => {
  await using app = new TempApp({
    "package.json": "{}",
    "a.ts": `import pkg from "pkg"; import x from "./x"; export { pkg, x }; import("pkg");`,
    "x.ts": "",
    "node_modules/pkg/package.json": JSON.stringify({ exports: { import: "./i.mjs", require: "./r.cjs" } }),
    ...empty("node_modules/pkg/i.mjs", "node_modules/pkg/r.cjs"),
  });
  const compiler = new Compiler({ root: app.folder });
  assert.deepEqual(compiler.prepare(app.path("a.ts")).imports, [
    { type: "native", file: app.path("node_modules/pkg/r.cjs") },
    { type: "file", file: app.path("x.ts") },
  ]);
});

test("candidates are the folders where an added file could change the target", async () => {
  await using app = new TempApp({
    "tsconfig.json": `{ "compilerOptions": { "paths": { "@app/*": ["./app/*"] } } }`,
    ...empty("src/a.ts"),
  });
  const compiler = new Compiler({ root: app.folder });
  const candidates = (specifier: string, kind: ResolveKind = "import") =>
    compiler.candidates(specifier, app.path("src/a.ts"), kind).map((folder) => folder.replace(`${app.folder}/`, ""));
  assert.deepEqual(candidates("./lib/x"), ["src/lib", "src/lib/x"]);
  assert.deepEqual(candidates("../x.js?query"), [app.folder, "x.js"]);
  assert.deepEqual(candidates("@app/deep/x", "require"), ["app/deep", "app/deep/x"]);
  assert.deepEqual(candidates("express"), []);
  assert.deepEqual(candidates("node:fs"), []);
});
