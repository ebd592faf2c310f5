/** The folders' promises to each other (docs/internals.md): read from the import statements. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { test } from "node:test";
import { projectRoot } from "../support/project.js";

interface Import {
  /** File that imports, relative to the project. */
  readonly from: string;
  readonly specifier: string;
  /** The imported file, relative to the project; undefined for packages and builtins. */
  readonly to: string | undefined;
}

const files = ["src", "workers"].flatMap((folder) => sourceFiles(folder));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(projectRoot, file), "utf8")));

test("the imports of all files were found", () => {
  assert.ok(files.length > 20, `only ${files.length} files`);
  assert.ok(imports.length > files.length, `only ${imports.length} imports`);
  for (const { from, to } of imports) if (to !== undefined) assert.ok(files.includes(to), `${from} imports ${to}`);
});

/** Upper floors first; bench is above all of them. Each floor uses the floors below it. */
const floors: readonly { readonly name: string; readonly has: RegExp; readonly uses: RegExp }[] = [
  // src loads the built entries of workers by their paths: app.js in a thread, evaluate-here.js in its own.
  { name: "src", has: /^src\/(?!common\/)/, uses: /^src\// },
  { name: "workers", has: /^workers\//, uses: /^(workers|src\/common)\// },
  { name: "src/common", has: /^src\/common\//, uses: /^src\/common\// },
];

for (const { name, has, uses } of floors) {
  test(`${name} imports downwards only`, () => {
    const own = imports.filter(({ from }) => has.test(from));
    assert.ok(own.length > 10, `only ${own.length} imports`);
    const wrong = own.filter(({ to }) => to && !uses.test(to));
    assert.deepEqual(wrong.map(show), []);
  });
}

test("an outside package is imported in one place", () => {
  /** Packages with a place of several files. */
  const places: Readonly<Record<string, RegExp>> = {
    zod: /^src\/(options\/options\.ts|common\/protocol\/)/,
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
  const pure = /^src\/(graph\/|reports\/report-lines\.ts|supervisor\/state\.ts|files\/change-batch\.ts)/;
  const impure = /^node:(fs|child_process|worker_threads|net|http|https|timers)/;
  const wrong = imports.filter(({ from, specifier }) => pure.test(from) && impure.test(specifier));
  assert.deepEqual(wrong.map(show), []);
  for (const file of files.filter((name) => pure.test(name))) {
    const text = readFileSync(join(projectRoot, file), "utf8");
    assert.doesNotMatch(text, /\bDate\.now\(|\bperformance\.now\(|\bconsole\.|\bsetTimeout\(/, file);
  }
});

test("a test is one of test/unit, which starts nothing, or of test/e2e: no other is run", () => {
  const tests = sourceFiles("test").filter((file) => file.endsWith(".test.ts") && !file.includes("/node_modules/"));
  assert.ok(tests.length > 100, `only ${tests.length} tests`);
  assert.deepEqual(
    tests.filter((file) => !/^test\/(unit|e2e)\/[^/]+$/.test(file)),
    [],
  );
});

test("builtins are imported with the node: prefix", () => {
  const wrong = imports.filter(({ specifier }) => isBuiltin(specifier) && !specifier.startsWith("node:"));
  assert.deepEqual(wrong.map(show), []);
});

test("no file imports itself through others", () => {
  const targets = new Map<string, string[]>();
  // Types count: who knows the type of another cannot be understood without it.
  for (const { from, to } of imports) {
    if (to === undefined) continue;
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
    /\.#request\(\s*(\w+)/g,
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

test("names have no word that says nothing", () => {
  const empty = new Set("manager helper helpers util utils data info misc stuff anew whoever".split(" "));
  // An adapter's file has the names of its library.
  const own = files.filter((file) => !file.startsWith("workers/adapters/"));
  const names = own.flatMap((file) => [
    ...file.split("/"),
    ...[...readFileSync(join(projectRoot, file), "utf8").matchAll(/\b(?:class|interface|type|function)\s+(\w+)/g)].map(
      ([, name = ""]) => name,
    ),
  ]);
  assert.ok(names.length > 2000, `only ${names.length} names`);
  const wrong = names.filter((name) => words(name).some((word) => empty.has(word)));
  assert.deepEqual(wrong, []);
});

test("each verb of the glossary is one that the code uses", () => {
  const internals = readFileSync(join(projectRoot, "docs/internals.md"), "utf8");
  const [, table = ""] = internals.split("Verbs, for changes of state:");
  const verbs = [...table.matchAll(/^\| ([a-z, ]+) \|/gm)].flatMap(([, cell = ""]) => cell.split(", "));
  assert.ok(verbs.length > 40, `only ${verbs.length} verbs`);
  const used = new Set(files.flatMap(declaredNames).map((name) => words(name)[0]));
  const unused = verbs.filter((verb) => verb !== "verb" && !used.has(verb) && !used.has(`${verb.replace(/e$/, "")}ed`));
  assert.deepEqual(unused, []);
});

/** Names of classes, functions, constants, types, methods and messages that a file declares. */
function declaredNames(file: string): string[] {
  const text = readFileSync(join(projectRoot, file), "utf8");
  const declared =
    /\b(?:class|interface|type|function|const|let|type:|literal\()\s*[#"]?(\w+)|^ {2}(?:async |static |get |readonly )*#?(\w+)[(?:]/gm;
  return [...text.matchAll(declared)].map(([, name, member]) => name ?? member ?? "");
}

function words(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/);
}

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
    return { from: file, specifier, to };
  });
}

function show({ from, specifier }: Import): string {
  return `${from} imports ${specifier}`;
}
