/** Compiler options to settings, with the defaults of the TypeScript version that the project has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { typeScriptSettings } from "../../src/common/compile/tsconfig-settings.js";

test("interop: explicit, implied by the module kind, or as the installed version has it", () => {
  const interop = (options: Parameters<typeof typeScriptSettings>[0], major?: number) =>
    typeScriptSettings(options, major).interop;
  assert.equal(interop({ esModuleInterop: true, module: "commonjs" }, 5), "esModule");
  assert.equal(interop({ esModuleInterop: false, module: "nodenext" }), "callable");
  assert.equal(interop({ module: "Node16" }, 5), "esModule");
  assert.equal(interop({ module: "NodeNext" }, 5), "esModule");
  assert.equal(interop({ module: "preserve" }, 5), "esModule");
  assert.equal(interop({ module: "commonjs" }, 5), "callable");
  assert.equal(interop({}, 5), "callable");
  assert.equal(interop({ module: "commonjs" }, 6), "esModule");
  assert.equal(interop({}, undefined), "esModule");
});

test("class fields: explicit, by target, or as the installed version has it", () => {
  const defined = (options: Parameters<typeof typeScriptSettings>[0], major?: number) =>
    typeScriptSettings(options, major).defineClassFields;
  assert.equal(defined({ target: "ES2021" }), false);
  assert.equal(defined({ target: "es6" }), false);
  assert.equal(defined({ target: "es2022" }, 5), true);
  assert.equal(defined({ target: "ESNext" }, 5), true);
  assert.equal(defined({ target: "es2023", useDefineForClassFields: false }), false);
  assert.equal(defined({}, 5), false);
  assert.equal(defined({ module: "nodenext" }, 5), true);
  assert.equal(defined({}, 7), true);
  assert.equal(defined({}), true);
});

test("strictness reaches metadata and directives", () => {
  const strict = (options: Parameters<typeof typeScriptSettings>[0], major?: number) => {
    const { strictNullChecks, alwaysStrict } = typeScriptSettings(options, major);
    return [strictNullChecks, alwaysStrict];
  };
  assert.deepEqual(strict({ strict: true }, 5), [true, true]);
  assert.deepEqual(strict({}, 5), [false, false]);
  assert.deepEqual(strict({}, 6), [true, true]);
  assert.deepEqual(strict({ strict: true, strictNullChecks: false, alwaysStrict: false }), [false, false]);
});

test("jsx", () => {
  const runtime = (options: Parameters<typeof typeScriptSettings>[0]) => typeScriptSettings(options, 6).jsx.runtime;
  assert.equal(runtime({}), "automatic");
  assert.equal(runtime({ jsx: "react" }), "classic");
  assert.equal(runtime({ jsxFactory: "h" }), "classic");
  assert.equal(runtime({ jsx: "preserve", jsxFactory: "h" }), "automatic");
  assert.equal(typeScriptSettings({ jsx: "react-jsxdev" }, 6).jsx.development, true);
});
