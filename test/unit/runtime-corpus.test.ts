/** The same programs by Node and by the runtime, and once more after a reload: what they report and how they fail is the same. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commonJsCorpus } from "../support/corpus-commonjs.js";
import { esmCorpus } from "../support/corpus-esm.js";
import { languageCorpus } from "../support/corpus-language.js";
import { typeScriptCorpus } from "../support/corpus-typescript.js";
import { runByRuntime, runNatively } from "../support/module-program.js";

async function compare(program: string, meant = program): Promise<void> {
  const { first, again } = await runByRuntime(program);
  assert.deepEqual(first, await runNatively(meant));
  if (again) assert.deepEqual(again, first, "after a reload");
}

describe("ES modules do what they do in Node", () => {
  for (const [title, program] of esmCorpus) test(title, () => compare(program));
});

describe("CommonJS does what it does in Node", () => {
  for (const [title, program] of commonJsCorpus) test(title, () => compare(program));
});

describe("the language is the one that Node has", () => {
  for (const [title, program] of languageCorpus) test(title, () => compare(program));
});

describe("TypeScript does what the JavaScript it means does in Node", () => {
  for (const [title, typeScript, javaScript] of typeScriptCorpus) test(title, () => compare(typeScript, javaScript));
});
