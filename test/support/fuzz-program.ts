/**
 * The programs that the differential fuzzer runs: a small graph of modules as plain data, drawn in one of five
 * dialects. Pure: a program is rendered to the texts of its files, nothing is read or written here.
 */
export type Dialect = "commonjs" | "esm" | "typescript" | "mixed" | "classes";

export const dialects: readonly Dialect[] = ["commonjs", "esm", "typescript", "mixed", "classes"];

/**
 * How one module uses another. While it is evaluated: `eager` reads a sum, `call` calls a function (which reads late
 * imports of its own), `extra` reads an export that may be missing, `write` adds to a list that the target keeps for itself,
 * `shared` reads what the target changes for all: a variable of the environment, a global, a patch. Later: `late` reads through the import, `keys`
 * lists what the target exports, `lazy` and `computed` load the target first, by a literal or a computed specifier.
 */
export type How = "eager" | "call" | "extra" | "write" | "shared" | "late" | "keys" | "lazy" | "computed";

export interface Use {
  readonly target: string;
  readonly how: How;
}

export interface ModuleSpec {
  readonly name: string;
  readonly folder: "" | "lib" | "plugins";
  /** As `name/index.js` instead of `name.js`. */
  readonly asFolder: boolean;
  readonly language: "cjs" | "esm" | "ts";
  readonly value: number;
  /** Stands in bodies of functions only: an edit of it alone is one that `--scope function` swaps in. */
  readonly body: number;
  readonly uses: readonly Use[];
  /** Module whose class this one's class extends. */
  readonly base: string | null;
  /** Module whose exports this one passes on. */
  readonly star: string | null;
  /** Whether it exports `extra`, and changes something for all. */
  readonly extra: boolean;
  /** Whether it awaits at top level. */
  readonly awaits: boolean;
  readonly fault: "syntax" | "throw" | null;
}

export interface Program {
  readonly dialect: Dialect;
  /** Whether the file it reads and the folder it lists while it is evaluated are edited as well. */
  readonly reads: boolean;
  readonly entryValue: number;
  /** Read by a module while it is evaluated. */
  readonly template: string;
  readonly modules: ReadonlyMap<string, ModuleSpec>;
  /** Modules that the entry imports, in this order. Those in the folder `plugins` are found by listing it. */
  readonly roots: readonly string[];
}

/** Routes of every program; each answers JSON. */
export const routes = ["/eager", "/answer", "/lazy", "/things", "/extras", "/registered"] as const;

export function entryFile(dialect: Dialect): string {
  return { commonjs: "main.js", esm: "main.js", typescript: "main.ts", mixed: "main.mjs", classes: "main.js" }[dialect];
}

/** Path of a module's file, relative to the app's folder. */
export function fileOf(program: Program, module: ModuleSpec): string {
  const extension =
    module.language === "ts" ? "ts" : program.dialect === "mixed" && module.language === "esm" ? "mjs" : "js";
  const folder = module.folder === "" ? "" : `${module.folder}/`;
  return `${folder}${module.name}${module.asFolder ? "/index" : ""}.${extension}`;
}

/** The texts of all files, by path. */
export function render(program: Program): Map<string, string> {
  const files = new Map<string, string>();
  const type = program.dialect === "esm" || program.dialect === "typescript" ? `, "type": "module"` : "";
  files.set("package.json", `{ "name": "app", "private": true${type} }\n`);
  files.set("template.txt", program.template);
  files.set("plugins/readme.txt", "Every module here is a plugin.\n");
  const esm = entryLanguage(program.dialect) !== "cjs";
  const [viewFile, view] = views[program.dialect];
  files.set(viewFile, view);
  files.set(entryFile(program.dialect), esm ? esmEntry(program) : cjsEntry(program));
  for (const module of program.modules.values()) {
    const text = module.language === "cjs" ? renderCommonJs(program, module) : renderEsm(program, module);
    files.set(fileOf(program, module), withFault(text, module));
  }
  return files;
}

export function entryLanguage(dialect: Dialect): ModuleSpec["language"] {
  return ({ commonjs: "cjs", esm: "esm", typescript: "ts", mixed: "esm", classes: "cjs" } as const)[dialect];
}

const STATIC: ReadonlySet<How> = new Set(["eager", "call", "extra", "write", "shared", "late", "keys"]);

/** Modules that are loaded with this one, in the order of its import statements. */
export function staticTargets(module: ModuleSpec): string[] {
  const targets = module.uses.filter((use) => STATIC.has(use.how)).map((use) => use.target);
  if (module.base !== null) targets.push(module.base);
  if (module.star !== null) targets.push(module.star);
  return [...new Set(targets)];
}

function withFault(text: string, module: ModuleSpec): string {
  if (module.fault === "syntax") return `${text}\n}{ not code\n`;
  if (module.fault === "throw") return `${text}\nthrow new Error("boom ${module.name}");\n`;
  return text;
}

/** The specifier that leads from a file to a module. */
function specifier(program: Program, from: string, target: string, kind: "require" | "import"): string {
  const module = program.modules.get(target);
  const depth = from.split("/").length - 1;
  const up = depth === 0 ? "./" : "../".repeat(depth);
  if (module === undefined) return `${up}${target}${kind === "import" ? ".js" : ""}`;
  const path = fileOf(program, module);
  if (kind === "require" && module.language === "cjs") return up + path.replace(/(\/index)?\.js$/, "");
  return up + path.replace(/\.ts$/, ".js");
}

function renderCommonJs(program: Program, module: ModuleSpec): string {
  const from = fileOf(program, module);
  const required = (target: string) => `require(${JSON.stringify(specifier(program, from, target, "require"))})`;
  const lines = [`"use strict";`, `exports.answer = answer;`];
  for (const target of staticTargets(module)) lines.push(`const ${target} = ${required(target)};`);
  lines.push(
    `const value = ${module.value};`,
    `exports.name = ${JSON.stringify(module.name)};`,
    `exports.value = value;`,
  );
  lines.push(`exports.only_${module.name} = ${module.value};`);
  if (module.extra) {
    lines.push(`exports.extra = ${JSON.stringify(`extra of ${module.name}`)};`, sharedLine(module, ""));
  }
  if (module.star !== null)
    lines.push(
      `for (const key of Object.keys(${module.star})) if (key.startsWith("only_")) exports[key] = ${module.star}[key];`,
    );
  lines.push(`exports.sum = ${["value", ...sums(module, (target) => target)].join(" + ")};`);
  lines.push(`exports.eager = [${["value", ...eagerReads(module, (target) => target)].join(", ")}];`);
  lines.push(
    ...registryLines(module, (target) => target),
    `exports.register = register;`,
    `exports.registered = registered;`,
  );
  lines.push(`function answer(depth) {`);
  lines.push(`  if (depth <= 0) return value;`);
  lines.push(`  return [${["value", module.body, ...lateReads(module)].join(", ")}];`);
  lines.push(`}`);
  const loads = module.uses.flatMap((use) => {
    if (use.how === "lazy") return [`await settle(async () => ${load(program, module, use.target, required)}.value)`];
    if (use.how !== "computed") return [];
    const parts = JSON.stringify(specifier(program, from, use.target, "require").split("/"));
    return [`await settle(async () => require(${parts}.join("/")).value)`];
  });
  lines.push(`exports.lazy = async (settle) => [${["value", ...loads].join(", ")}];`);
  lines.push(
    ...classLines(module, module.base === null ? "" : ` extends ${module.base}.Thing`),
    `exports.Thing = Thing;`,
  );
  return `${lines.join("\n")}\n`;
}

/** A literal load: `require()` of CommonJS, `import()` of anything else. */
function load(program: Program, module: ModuleSpec, target: string, required: (target: string) => string): string {
  if (program.modules.get(target)?.language === "cjs" || program.dialect === "commonjs") return required(target);
  return `(await import(${JSON.stringify(specifier(program, fileOf(program, module), target, "import"))}))`;
}

function renderEsm(program: Program, module: ModuleSpec): string {
  const from = fileOf(program, module);
  const typed = module.language === "ts";
  const quoted = (target: string) => JSON.stringify(specifier(program, from, target, "import"));
  const lines: string[] = [];
  for (const target of staticTargets(module)) {
    if (program.modules.get(target)?.language === "cjs") {
      lines.push(`import ${target} from ${quoted(target)};`);
      if (module.star === target) lines.push(`export * from ${quoted(target)};`);
      continue;
    }
    const hows = module.uses.filter((use) => use.target === target).map((use) => use.how);
    const named = [
      ...(hows.includes("eager") ? [`sum as ${target}_sum`] : []),
      ...(hows.includes("call") ? [`answer as ${target}_answer`] : []),
      ...(hows.includes("write") ? [`register as ${target}_register`, `registered as ${target}_registered`] : []),
      ...(hows.includes("extra") ? [`extra as ${target}_extra`] : []),
      ...(module.base === target ? [`Thing as ${target}_Thing`] : []),
    ];
    if (hows.includes("late") || hows.includes("keys")) lines.push(`import * as ${target} from ${quoted(target)};`);
    if (named.length === 0) lines.push(`import ${quoted(target)};`);
    else lines.push(`import { ${named.join(", ")} } from ${quoted(target)};`);
    if (module.star === target) lines.push(`export * from ${quoted(target)};`);
  }
  if (typed) lines.push(`import type { Settle } from "${"../".repeat(from.split("/").length - 1) || "./"}view.js";`);
  if (module.awaits) lines.push(`const awaited = await Promise.resolve(${module.value});`);
  lines.push(typed ? `enum Level {\n  Low = ${module.value},\n}` : "");
  const value = module.awaits ? "awaited" : typed ? "Level.Low" : String(module.value);
  lines.push(`export const name${typed ? ": string" : ""} = ${JSON.stringify(module.name)};`);
  lines.push(`export const value${typed ? ": number" : ""} = ${value};`);
  lines.push(`export const only_${module.name} = ${module.value};`);
  if (module.extra) {
    const any = typed ? " as any" : "";
    lines.push(`export const extra = ${JSON.stringify(`extra of ${module.name}`)};`, sharedLine(module, any));
  }
  const cjs = (target: string) => program.modules.get(target)?.language === "cjs";
  const bind = (target: string, name: string): Bound => (cjs(target) ? target : { bound: `${target}_${name}` });
  const eager = eagerReads(module, bind);
  lines.push(`export const sum${typed ? ": number" : ""} = ${["value", ...sums(module, bind)].join(" + ")};`);
  lines.push(`export const eager${typed ? ": unknown[]" : ""} = [${["value", ...eager].join(", ")}];`);
  lines.push(...registryLines(module, bind), `export { register, registered };`);
  lines.push(`export function answer(depth${typed ? ": number" : ""})${typed ? ": unknown" : ""} {`);
  lines.push(`  if (depth <= 0) return value;`);
  lines.push(`  return [${["value", module.body, ...lateReads(module)].join(", ")}];`);
  lines.push(`}`);
  const loads = module.uses.flatMap((use) => {
    const read = cjs(use.target) ? ".default.value" : ".value";
    if (use.how === "lazy") return [`await settle(async () => (await import(${quoted(use.target)}))${read})`];
    if (use.how !== "computed") return [];
    const parts = JSON.stringify(specifier(program, from, use.target, "import").split("/"));
    return [`await settle(async () => (await import(${parts}.join("/")))${read})`];
  });
  const settle = typed ? "settle: Settle" : "settle";
  lines.push(`export async function lazy(${settle}) {\n  return [${["value", ...loads].join(", ")}];\n}`);
  const base =
    module.base === null ? "" : ` extends ${cjs(module.base) ? `${module.base}.Thing` : `${module.base}_Thing`}`;
  lines.push(...classLines(module, base), `export { Thing };`);
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

type Bound = string | { readonly bound: string };

type Bind = (target: string, name: string) => Bound;

function read(bind: Bind, target: string, name: string): string {
  const bound = bind(target, name);
  return typeof bound === "string" ? `${bound}.${name}` : bound.bound;
}

/** A list that nobody sees, who adds to it, and what this module adds to the lists of others. */
function registryLines(module: ModuleSpec, bind: Bind): string[] {
  const typed = module.language === "ts";
  const targets = module.uses.flatMap(({ target, how }) => (how === "write" ? [target] : []));
  const below = targets.map((target) => `...${read(bind, target, "registered")}(depth - 1)`);
  return [
    `const entries${typed ? ": string[]" : ""} = [];`,
    `function register(entry${typed ? ": string" : ""}) {`,
    `  entries.push(entry);`,
    `}`,
    `function registered(depth${typed ? ": number" : ""})${typed ? ": unknown[]" : ""} {`,
    `  return depth < 0 ? [] : [${["entries", ...below].join(", ")}];`,
    `}`,
    ...targets.map((target) => `${read(bind, target, "register")}("${module.name} " + value);`),
  ];
}

/** Sums of what is read eagerly: a change anywhere below changes them. */
function sums(module: ModuleSpec, bind: Bind): string[] {
  return module.uses.flatMap(({ target, how }) => (how === "eager" ? [read(bind, target, "sum")] : []));
}

function eagerReads(module: ModuleSpec, bind: Bind): string[] {
  return module.uses.flatMap(({ target, how }) => {
    if (how === "eager") return [read(bind, target, "sum")];
    if (how === "call") return [`${read(bind, target, "answer")}(1)`];
    if (how === "extra") return [read(bind, target, "extra")];
    if (how === "shared") {
      const patch = `Reflect.get(Number.prototype, "ur_${target}")?.() ?? null`;
      return [`process.env.UR_${target} ?? null`, `Reflect.get(globalThis, "ur_${target}") ?? null`, patch];
    }
    return [];
  });
}

/** What it changes depends on its value, so that an edit of that takes one thing away and adds another. */
function sharedLine({ name, value }: ModuleSpec, any: string): string {
  if (value % 3 === 0) return `process.env.UR_${name} = String(value);`;
  if (value % 3 === 1) return `(globalThis${any}).ur_${name} = value;`;
  return `(Number.prototype${any}).ur_${name} = () => value;`;
}

function lateReads(module: ModuleSpec): string[] {
  return module.uses.flatMap(({ target, how }) => {
    if (how === "late") return [`${target}.value`, `${target}.answer(depth - 1)`];
    if (how === "keys") return [`Object.keys(${target}).filter((key) => key.startsWith("only_")).sort()`];
    return [];
  });
}

function classLines(module: ModuleSpec, heritage: string): string[] {
  const inherited = heritage === "" ? "[]" : "super.describe()";
  const typed = module.language === "ts";
  return [
    `class Thing${heritage} {`,
    `  static kind = ${JSON.stringify(module.name)};`,
    `  describe()${typed ? ": unknown[]" : ""} {`,
    `    return [Thing.kind, value, ${module.body}, ...${inherited}];`,
    `  }`,
    `}`,
  ];
}

const cjsView = `"use strict";
const fs = require("node:fs");
const path = require("node:path");
const template = fs.readFileSync(path.join(__dirname, "template.txt"), "utf8");
exports.view = () => template;
`;

const esmView = `import { readFileSync } from "node:fs";
const template = readFileSync(new URL("./template.txt", import.meta.url), "utf8");
export const view = () => template;
`;

const typedView = `${esmView}export type Settle = (work: () => Promise<unknown>) => Promise<unknown>;
`;

const views: Readonly<Record<Dialect, readonly [string, string]>> = {
  commonjs: ["view.js", cjsView],
  esm: ["view.js", esmView],
  typescript: ["view.ts", typedView],
  mixed: ["view.mjs", esmView],
  classes: ["view.js", cjsView],
};

/** The part of the entry that answers, the same in all dialects; `roots` and `plugins` are lists of modules. */
function handler(program: Program): string {
  return `
async function settle(work) {
  try {
    return await work();
  } catch {
    return "failed";
  }
}

function chain(type) {
  const names = [];
  for (let at = type; typeof at === "function" && at !== Function.prototype; at = Object.getPrototypeOf(at)) names.push(at.kind ?? null);
  return names;
}

const answers = {
  "/eager": async () => roots.map((root) => [root.name, root.eager]),
  "/answer": () => Promise.all(roots.map((root) => settle(async () => root.answer(3)))),
  "/lazy": async () => {
    const all = [];
    for (const root of roots) all.push(await settle(() => root.lazy(settle)));
    return all;
  },
  "/registered": async () => roots.map((root) => root.registered(3)),
  "/things": async () =>
    roots.map((root) => [
      new root.Thing().describe(),
      chain(root.Thing),
      roots.map((other) => new root.Thing() instanceof other.Thing),
    ]),
  "/extras": async () => [${program.entryValue}, view(), plugins.map((plugin) => [plugin.name, plugin.answer(2)])],
};

http.createServer((req, res) => {
  const answer = answers[req.url];
  settle(async () => (answer ? answer() : "no such route")).then((body) => {
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(body));
  });
}).listen(process.env.PORT);
`;
}

function cjsEntry(program: Program): string {
  const required = program.roots.map(
    (root) => `require(${JSON.stringify(specifier(program, "main.js", root, "require"))})`,
  );
  return `"use strict";
const http = require("node:http");
const fs = require("node:fs");
const path = require("node:path");
const { view } = require("./view");
const roots = [${required.join(", ")}];
const plugins = [];
for (const file of fs.readdirSync(path.join(__dirname, "plugins")).sort()) {
  if (!file.endsWith(".txt")) plugins.push(require(path.join(__dirname, "plugins", file)));
}
${handler(program)}`;
}

function esmEntry(program: Program): string {
  const typed = program.dialect === "typescript";
  const entry = entryFile(program.dialect);
  const imports = program.roots.map((root, index) => {
    const commonjs = program.modules.get(root)?.language === "cjs";
    return `import ${commonjs ? "" : "* as "}root${index} from ${JSON.stringify(specifier(program, entry, root, "import"))};`;
  });
  return `import http from "node:http";
import { readdirSync } from "node:fs";
import { view } from "./view.${program.dialect === "mixed" ? "mjs" : "js"}";
${imports.join("\n")}
const roots${typed ? ": any[]" : ""} = [${program.roots.map((_, index) => `root${index}`).join(", ")}];
const plugins${typed ? ": any[]" : ""} = [];
for (const file of readdirSync(new URL("./plugins/", import.meta.url)).sort()) {
  if (file.endsWith(".txt")) continue;
  const plugin = await import(new URL("./plugins/" + file, import.meta.url).href);
  plugins.push(plugin.default ?? plugin);
}
${handler(program)}`;
}
