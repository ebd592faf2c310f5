/** The table of options, and what is written from it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { Ajv2020 } from "ajv/dist/2020.js";
import { commandsPage } from "../../scripts/commands-page.js";
import { linesSchema } from "../../scripts/lines-schema.js";
import { exampleOf, optionsPage, schemaFile, typesFile } from "../../scripts/options-files.js";
import type { ConfigOptions } from "../../src/options/config-options.js";
import {
  choicesOf,
  type OptionInputs,
  optionNames,
  optionsSchema,
  optionTable,
} from "../../src/options/option-table.js";
import { optionFlags } from "../../src/terminal/flags.js";
import { projectRoot } from "../support/project.js";

const read = (file: string): string => readFileSync(path.join(projectRoot, file), "utf8");

test("types, the page and the JSON schema are those of the table", () => {
  const outdated = "is out of date: run npm run docs:tables";
  assert.equal(read("src/options/config-options.ts"), typesFile(), `src/options/config-options.ts ${outdated}`);
  assert.equal(read("schema/options.json"), schemaFile(), `schema/options.json ${outdated}`);
  assert.equal(read("schema/lines.json"), linesSchema(), `schema/lines.json ${outdated}`);
  assert.equal(read("docs/options.md"), optionsPage(read("docs/options.md")), `docs/options.md ${outdated}`);
  assert.equal(read("docs/commands.md"), commandsPage(read("docs/commands.md")), `docs/commands.md ${outdated}`);
});

test("the written types say what the checks take", () => {
  // Each line is checked by the compiler; the build fails when one of the two says more than the other.
  type Written = { [Name in keyof ConfigOptions]-?: Exclude<ConfigOptions[Name], undefined> };
  const written = {} as Written satisfies OptionInputs;
  const checked = {} as OptionInputs satisfies Written;
  const names: keyof OptionInputs extends keyof ConfigOptions ? true : false = true;
  assert.ok(written && checked && names);
});

test("every option has a line of documentation, and no two have one flag", () => {
  for (const name of optionNames) assert.match(optionTable[name].doc, /^[^\n]{10,110}[^.\n]$/, name);
  const shorts = optionFlags.flatMap(({ short }) => short ?? []);
  assert.deepEqual([...new Set(shorts)], shorts);
});

test("every default is a value that one could give", () => {
  for (const name of optionNames) {
    const value = optionTable[name].default;
    if (value !== undefined) assert.ok(optionsSchema.safeParse({ [name]: value }).success, name);
  }
});

test("every option has an example for editors, which fits", () => {
  for (const name of optionNames) {
    const value: unknown = runInNewContext(`[${exampleOf(name)}]`, { console })[0];
    const given: unknown = name === "logger" ? value : JSON.parse(JSON.stringify(value));
    assert.ok(optionsSchema.safeParse({ [name]: given }).success, `${name}: ${exampleOf(name)}`);
  }
});

test("the JSON schema takes and refuses what unreloader does", () => {
  const validate = new Ajv2020().compile(JSON.parse(read("schema/options.json")));
  const values: unknown[] = [
    ...[true, false, 0, 1, -1, 0.5, 99, 100, 65535, 65536, 70000, 2 ** 31, "", "a", "off", [], ["a"], [""], [1], null],
    ...[{}, { a: "b" }, { a: ["b"] }, { a: [] }, { a: 1 }, { "": "b" }],
  ];
  let [taken, refused] = [0, 0];
  for (const name of optionNames.filter((option) => option !== "logger"))
    for (const value of [...values, ...choicesOf(name)]) {
      const given = { [name]: value };
      const expected = optionsSchema.safeParse(given).success;
      assert.equal(validate(given), expected, JSON.stringify(given));
      if (expected) taken++;
      else refused++;
    }
  assert.ok(taken > 100 && refused > 300, `${taken} taken, ${refused} refused`);
  assert.equal(validate({ onEror: "page" }), false);
  assert.equal(validate({ $schema: "./node_modules/unreloader/schema/options.json", port: 1 }), true);
});

test("the JSON schema comes with the package", () => {
  const { files, exports } = JSON.parse(read("package.json")) as {
    files: string[];
    exports: Record<string, unknown>;
  };
  assert.ok(files.includes("schema"));
  assert.equal(exports["./schema/options.json"], "./schema/options.json");
});
