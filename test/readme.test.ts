import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { unreloader } from "../src/app-side/app-api.js";
import { flagOf, optionNames } from "../src/options/options.js";
import { Supervisor } from "../src/supervisor/supervisor.js";
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
  const [, union = ""] = /export type ErrorCode =([^;]+);/.exec(read("src/common/errors.ts")) ?? [];
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

/** What a user can name: exports, members, events. Types are documented where what they describe is. */
const publicNames = [
  ...Object.keys(await import("../src/index.js")),
  ...membersOf(Supervisor.prototype, EventEmitter.prototype),
  ...membersOf(Object.getPrototypeOf(unreloader)),
  ...[...read("src/reports/report.ts").matchAll(/^ {2}"?([\w-]+)"?: \w+Report;$/gm)].map(([, name = ""]) => name),
  ...Object.keys(declaredHot()),
];

function membersOf(prototype: object, inherited: object = Object.prototype): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor" && !(name in inherited));
}

/** The members of `import.meta.hot`, from its published type. */
function declaredHot(): Record<string, true> {
  const [, body = ""] =
    /export interface ImportMetaHot \{(.*?)^\}/ms.exec(read("src/common/protocol/hot-api.ts")) ?? [];
  return Object.fromEntries([...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(<:]/gm)].map(([, name]) => [name, true]));
}

test("every public name is in README", () => {
  assert.ok(publicNames.length > 30, publicNames.join(" "));
  const missing = publicNames.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme));
  assert.deepEqual(missing, []);
});

test("every public name is used by an example", () => {
  const folder = path.join(projectRoot, "examples");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.[cm]?[jt]s$/.test(file));
  const code = files.map((file) => readFileSync(path.join(folder, file), "utf8")).join("\n");
  // `decline` costs a worker, `send` does nothing, and signals are for hosts that take them.
  const without = new Set(["decline", "send", "signal"]);
  const missing = publicNames.filter((name) => !without.has(name) && !new RegExp(`\\b${name}\\b`).test(code));
  assert.deepEqual(missing, []);
});
