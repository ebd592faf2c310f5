import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { flagOf, optionNames } from "../src/options.js";
import { projectRoot } from "./support/project.js";

const readme = read("README.md");

function read(file: string): string {
  return readFileSync(path.join(projectRoot, file), "utf8");
}

function rowsOf(heading: string): string[] {
  const [, section = ""] = readme.split(new RegExp(`^#+ ${heading}\\n`, "m"));
  const [own = ""] = section.split(/^#/m);
  return own.split("\n").filter((line) => line.startsWith("| `"));
}

test("the table of options is complete", () => {
  const rows = rowsOf("Options");
  for (const option of optionNames) {
    if (option === "entry" || option === "args") continue;
    const row = `| \`${option}\` |`;
    assert.ok(
      rows.some((one) => one.includes(row)),
      option,
    );
    const named = option === "adapters" || option === "logger" ? `\`${option}\`` : `\`${flagOf(option)}`;
    assert.ok(readme.includes(named), named);
  }
});

test("the table of errors has the codes of the catalogue", () => {
  const [, union = ""] = /export type ErrorCode =([^;]+);/.exec(read("src/errors.ts")) ?? [];
  const codes = [...union.matchAll(/"(ERR_UNRELOADER_\w+)"/g)].map(([, code]) => code);
  assert.ok(codes.length > 0);
  assert.deepEqual(
    rowsOf("Errors").map((row) => /`(\w+)`/.exec(row)?.[1]),
    codes,
  );
});

test("the line to edit is where README says", () => {
  const [, file = "", line = "", text = ""] =
    /Open `([^`]+)` and change \*\*line (\d+)\*\*, `([^`]+)`/.exec(readme) ?? [];
  assert.equal(read(file).split("\n")[Number(line) - 1], text);
});

test("every file that README leads to is there", () => {
  for (const [, target = ""] of readme.matchAll(/\]\((?!http)([^)#]+)\)/g))
    assert.ok(existsSync(path.join(projectRoot, target)), target);
});
