import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { unreloader } from "../../src/app-side/app-api.js";
import { projectRoot } from "../support/project.js";

const readme = read("README.md");
/** README and the pages below docs/, by their path below the project. */
const pages = new Map(
  [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/README.md",
    ...readdirSync(path.join(projectRoot, "docs")).map((name) => `docs/${name}`),
  ].map((page) => [page, read(page)]),
);
const allText = [...pages.values()].join("\n");

function read(file: string): string {
  return readFileSync(path.join(projectRoot, file), "utf8");
}

function rowsOf(page: string): string[] {
  return read(page)
    .split("\n")
    .filter((line) => line.startsWith("| `"));
}

test("README is read in a few minutes", () => {
  assert.ok(Buffer.byteLength(readme) <= 10_000, `${Buffer.byteLength(readme)} bytes`);
});

test("the table of errors has the codes of the catalogue", () => {
  const [, union = ""] = /export type ErrorCode =([^;]+);/.exec(read("src/common/errors.ts")) ?? [];
  const codes = [...union.matchAll(/"(ERR_UNRELOADER_\w+)"/g)].map(([, code]) => code);
  assert.ok(codes.length > 0);
  assert.deepEqual(
    rowsOf("docs/errors.md").map((row) => /`(\w+)`/.exec(row)?.[1]),
    codes,
  );
});

test("the line to edit is where README says", () => {
  const [, file = "", line = "", text = ""] =
    /Open `([^`]+)` and change \*\*line (\d+)\*\*, `([^`]+)`/.exec(readme) ?? [];
  assert.equal(read(file).split("\n")[Number(line) - 1], text);
});

test("every file and every heading that a page leads to is there", () => {
  const broken: string[] = [];
  for (const [page, text] of pages)
    for (const [, target = ""] of withoutCode(text).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const led = file === "" ? page : path.posix.join(path.posix.dirname(page), file);
      const isThere = existsSync(path.join(projectRoot, led));
      if (!isThere || (anchor !== undefined && !anchorsOf(led).has(anchor))) broken.push(`${page}: ${target}`);
    }
  assert.deepEqual(broken, []);
});

test("README leads to every page of docs/", () => {
  const missing = [...pages.keys()].filter((page) => page.startsWith("docs/") && !readme.includes(`](${page})`));
  assert.deepEqual(missing, []);
});

test("every file of the project that a page names is there", () => {
  const named = /(?<![\w./-])(?:src|workers|test|bench|docs|examples)\/[\w./-]*\w\.(?:ts|js|cjs|mjs|md)\b/g;
  const ours = ["CONTRIBUTING.md", "docs/internals.md", "bench/README.md"];
  const missing = ours.flatMap((page) =>
    [...(pages.get(page) ?? "").matchAll(named)]
      .filter(([file]) => !existsSync(path.join(projectRoot, file)))
      .map(([file]) => `${page}: ${file}`),
  );
  assert.deepEqual(missing, []);
});

test("what a page says is in a file is named in that file", () => {
  const internals = read("docs/internals.md");
  const places = [
    ...[...internals.matchAll(/`(#?\w+)` of\s+((?:src|workers)\/[\w./-]+\.ts)/g)].map(([, name, file]) => [file, name]),
    ...[...internals.matchAll(/((?:src|workers)\/[\w./-]+\.ts), `(#?\w+)`,/g)].map(([, file, name]) => [file, name]),
  ];
  assert.ok(places.length > 5, `only ${places.length} places`);
  const wrong = places.filter(([file = "", name = ""]) => !read(file).includes(`${name}(`));
  assert.deepEqual(wrong, []);
});

test("docs/internals.md lists the rooms that there are", () => {
  const internals = read("docs/internals.md");
  const rooms = ["src", "workers"].flatMap((floor) =>
    readdirSync(path.join(projectRoot, floor), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${floor}/${name}/`),
  );
  const listed = [...internals.matchAll(/^\| ((?:(?:src|workers)\/[\w-]+\/(?:, )?)+) \|/gm)].flatMap(([, cell = ""]) =>
    cell.split(", "),
  );
  assert.deepEqual(new Set(listed), new Set(rooms));
});

test("the deadlines and shared words that docs/internals.md names are as the code has them", () => {
  const internals = read("docs/internals.md");
  const deadlines = new Map(
    [...read("src/common/deadlines.ts").matchAll(/^export const (\w+) = ([\d_]+);/gm)].map(([, name, ms = ""]) => [
      name,
      Number(ms.replaceAll("_", "")),
    ]),
  );
  const named = [...internals.matchAll(/`([A-Z_]+_MS)` ([\d.]+) (ms|s)\b/g)];
  assert.ok(named.length > 10, `only ${named.length} deadlines`);
  for (const [, name = "", value, unit] of named)
    assert.equal(Number(value) * (unit === "s" ? 1000 : 1), deadlines.get(name), name);
  for (const [file, words] of [
    ["src/common/protocol/connection-table.ts", /^export const ([A-Z_]+) = (?!.*(?:_WORDS|_SLOTS))/gm],
    ["src/common/protocol/thread-board.ts", /^const ([A-Z_]+) = \d;$/gm],
  ] as const) {
    const declared = [...read(file).matchAll(words)].flatMap(([, word = ""]) =>
      /_(?:WORDS|BYTES|SLOTS|MS)$/.test(word) ? [] : word,
    );
    assert.ok(declared.length > 5, `only ${declared.length} words in ${file}`);
    const missing = declared.filter((word) => !new RegExp(`\\b${word}\\b`).test(internals));
    assert.deepEqual(missing, [], file);
  }
});

/** The text without its examples, whose brackets are no links. */
function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, "");
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = withoutCode(pages.get(page) ?? read(page)).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** What a user can name: exports, members, events. Types are documented where what they describe is. */
const publicNames = [
  ...Object.keys(await import("../../src/index.js")),
  ...[...read("src/public-supervisor.ts").matchAll(/^ {2}(?:readonly )?(\w+)(?:<[^(]*>)?[(:]/gm)].map(
    ([, name = ""]) => name,
  ),
  ...membersOf(Object.getPrototypeOf(unreloader)),
  ...[...read("src/reports/report.ts").matchAll(/^ {2}"?([\w-]+)"?: \w+Report;$/gm)].map(([, name = ""]) => name),
  ...Object.keys(declaredHot()),
];

function membersOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
}

/** The members of `import.meta.hot`, from its published type. */
function declaredHot(): Record<string, true> {
  const [, body = ""] =
    /export interface ImportMetaHot \{(.*?)^\}/ms.exec(read("src/common/protocol/hot-api.ts")) ?? [];
  return Object.fromEntries([...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(<:]/gm)].map(([, name]) => [name, true]));
}

test("every public name is in the documentation", () => {
  assert.ok(publicNames.length > 30, publicNames.join(" "));
  const missing = publicNames.filter((name) => !new RegExp(`\\b${name}\\b`).test(allText));
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
