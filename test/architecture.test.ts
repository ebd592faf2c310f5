/** The folders' promises to each other (README, "where things are"): read from the import statements. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { test } from "node:test";
import { projectRoot } from "./support/project.js";

interface Import {
  /** File that imports, relative to the project. */
  readonly from: string;
  readonly specifier: string;
  /** The imported file, relative to the project; undefined for packages and builtins. */
  readonly to: string | undefined;
  /** `import type`: nothing is loaded. */
  readonly typeOnly: boolean;
}

const files = ["src", "workers"].flatMap((folder) => sourceFiles(folder));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(projectRoot, file), "utf8")));

test("the imports of all files were found", () => {
  assert.ok(files.length > 20, `only ${files.length} files`);
  assert.ok(imports.length > files.length, `only ${imports.length} imports`);
  for (const { from, to } of imports) if (to !== undefined) assert.ok(files.includes(to), `${from} imports ${to}`);
});

test("the worker thread takes from src only what both threads share", () => {
  const shared = /^src\/(protocol|compile|common)\/|^src\/errors\.ts$/;
  const wrong = imports.filter(
    ({ from, to }) => from.startsWith("workers/") && to?.startsWith("src/") && !shared.test(to),
  );
  assert.deepEqual(wrong.map(show), []);
});

test("the main thread imports nothing of the worker thread, except where it evaluates the user's files itself", () => {
  const evaluates = /^src\/(config\/evaluate-config|plain\/plain-supervisor)\.ts$/;
  const wrong = imports.filter(
    ({ from, to }) => from.startsWith("src/") && to?.startsWith("workers/") && !evaluates.test(from),
  );
  assert.deepEqual(wrong.map(show), []);
});

test("what both threads share imports nothing of either", () => {
  const shared = (file: string) => /^src\/(protocol|compile|common)\/|^src\/errors\.ts$/.test(file);
  const wrong = imports.filter(({ from, to }) => shared(from) && to !== undefined && !shared(to));
  assert.deepEqual(wrong.map(show), []);
});

test("an outside package is imported in one place", () => {
  /** Packages with a place of several files. */
  const places: Readonly<Record<string, RegExp>> = {
    zod: /^src\/(options\.ts|protocol\/)/,
    undici: /^src\/front\//,
  };
  const importers = new Map<string, Set<string>>();
  for (const { from, specifier, to } of imports) {
    if (to !== undefined || isBuiltin(specifier)) continue;
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    importers.set(name, (importers.get(name) ?? new Set()).add(from));
  }
  assert.ok(importers.has("zod"));
  for (const [name, where] of importers) {
    const place = places[name];
    if (place === undefined)
      assert.deepEqual([...where].slice(1), [], `${name} is imported in ${[...where].join(", ")}`);
    else for (const file of where) assert.match(file, place, `${name} is imported in ${file}`);
  }
});

test("pure files read no disk, no clock and know no thread", () => {
  const pure = /^src\/(graph\/|supervisor\/(report-lines|state)\.ts|files\/change-batch\.ts)/;
  const impure = /^node:(fs|child_process|worker_threads|net|http|https|timers)/;
  const wrong = imports.filter(({ from, specifier }) => pure.test(from) && impure.test(specifier));
  assert.deepEqual(wrong.map(show), []);
  for (const file of files.filter((name) => pure.test(name))) {
    const text = readFileSync(join(projectRoot, file), "utf8");
    assert.doesNotMatch(text, /\bDate\.now\(|\bperformance\.now\(|\bconsole\.|\bsetTimeout\(/, file);
  }
});

test("builtins are imported with the node: prefix", () => {
  const wrong = imports.filter(({ specifier }) => isBuiltin(specifier) && !specifier.startsWith("node:"));
  assert.deepEqual(wrong.map(show), []);
});

test("no file imports itself through others", () => {
  const targets = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    if (to === undefined || typeOnly) continue;
    targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const finished = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) assert.fail([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (finished.has(file)) return;
    for (const target of targets.get(file) ?? []) walk(target, [...path, file]);
    finished.add(file);
  };
  for (const file of files) walk(file, []);
});

test("the deadline of a wait is declared in src/common/deadlines.ts, not where it is waited", () => {
  const waits = [
    /\bdeadlineMs\s*[:=]\s*(\w+)/g,
    /\bwithDeadline\([^;]*?,\s*(\w+)\)/g,
    /\.askFor\(\s*(\w+)/g,
    /\bperformance\.now\(\) \+ (\w+)/g,
    /\bstartTimer\(\s*(\w+)/g,
    /\bsetTimeout\(\s*(?:resolve|answer)\s*,\s*(\w+)/g,
  ];
  const deadlines = readFileSync(join(projectRoot, "src/common/deadlines.ts"), "utf8");
  const wrong: string[] = [];
  let right = 0;
  for (const file of files) {
    const text = readFileSync(join(projectRoot, file), "utf8");
    for (const [wait, deadline = ""] of waits.flatMap((pattern) => [...text.matchAll(pattern)])) {
      // What is only looked up again and again may be looked up as often as it likes.
      if (!/^(\d|[A-Z_]+_MS$)/.test(deadline) || deadline === "0" || deadline.endsWith("_POLL_MS")) continue;
      if (deadlines.includes(`export const ${deadline}`)) right++;
      else wrong.push(`${file}: ${wait}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(right > 15, `only ${right} waits were found`);
});

function sourceFiles(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name).split(sep).join("/"))
    .filter((name) => name.endsWith(".ts"))
    .sort();
}

function importsOf(file: string, text: string): Import[] {
  const statement = /^(import|export)\s+(type\s)?[^;"'`]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...text.matchAll(statement)].map((match) => {
    const specifier = match[3] ?? match[4] ?? match[5] ?? "";
    const target = specifier.startsWith(".")
      ? relative(projectRoot, join(projectRoot, dirname(file), specifier))
      : undefined;
    const to = target?.split(sep).join("/").replace(/\.js$/, ".ts");
    return { from: file, specifier, to, typeOnly: match[2] !== undefined };
  });
}

function show({ from, specifier }: Import): string {
  return `${from} imports ${specifier}`;
}
