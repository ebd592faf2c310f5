/** The same programs by Node and by the runtime: what they report and how they fail is the same. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commonJsCorpus } from "../support/corpus-commonjs.js";
import { esmCorpus } from "../support/corpus-esm.js";
import { typeScriptCorpus } from "../support/corpus-typescript.js";
import { runByRuntime, runNatively } from "../support/module-program.js";

describe("ES modules do what they do in Node", () => {
  for (const [title, program] of esmCorpus) {
    test(title, async () => assert.deepEqual(await runByRuntime(program), await runNatively(program)));
  }
});

describe("CommonJS does what it does in Node", () => {
  for (const [title, program] of commonJsCorpus) {
    test(title, async () => assert.deepEqual(await runByRuntime(program), await runNatively(program)));
  }
});

describe("TypeScript does what the JavaScript it means does in Node", () => {
  for (const [title, typeScript, javaScript] of typeScriptCorpus) {
    test(title, async () => assert.deepEqual(await runByRuntime(typeScript), await runNatively(javaScript)));
  }
});
