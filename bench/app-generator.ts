/**
 * Writes an app of N modules shaped like a real one: an entry, features that collect leaves, a shared base class, and
 * leaves of about forty lines with types, constants, a class and functions. The leaf's functions are called when a
 * request comes; the entry reads every feature's routes while it is being evaluated, as routers are.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** `typescript`: ES modules in TypeScript. `javascript`: the same, compiled beforehand. */
export type AppKind = "typescript" | "javascript" | "commonjs";
export type EditTarget = "leaf" | "middle" | "entry";

export interface BenchApp {
  readonly kind: AppKind;
  readonly size: number;
  readonly folder: string;
  readonly entry: string;
  /** Changes the value that `GET /value/TARGET` answers with, by writing one file. */
  edit(target: EditTarget, value: string): void;
}

const LEAVES_PER_FEATURE = 8;

/** The app answers `/` (tiny), `/value/leaf`, `/value/middle`, `/value/entry`, `/sum` (calls every leaf) and `/cpu`. */
export function generateApp(folder: string, kind: AppKind, size: number): BenchApp {
  const extension = kind === "typescript" ? ".ts" : ".js";
  const syntax = createSyntax(kind, extension);
  // Entry and base are two modules; each feature is one, beside its leaves.
  const features = Math.max(1, Math.ceil((size - 2) / (LEAVES_PER_FEATURE + 1)));
  const leaves = size - 2 - features;
  const leavesOf = (feature: number) =>
    Math.floor(((feature + 1) * leaves) / features) - Math.floor((feature * leaves) / features);

  const write = (name: string, lines: readonly string[]) => {
    const file = path.join(folder, "src", name + extension);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };

  writeFile(folder, "package.json", JSON.stringify({ type: kind === "commonjs" ? "commonjs" : "module" }));
  write("base", baseLines(syntax));
  const entry = write("main", entryLines(syntax, features, "0"));
  for (let feature = 0; feature < features; feature++) {
    write(`feature-${feature}/index`, featureLines(syntax, feature, leavesOf(feature), "0"));
    for (let leaf = 0; leaf < leavesOf(feature); leaf++)
      write(`feature-${feature}/leaf-${leaf}`, leafLines(syntax, feature, leaf, "0"));
  }

  const edits: Record<EditTarget, (value: string) => void> = {
    leaf: (value) => write("feature-0/leaf-0", leafLines(syntax, 0, 0, value)),
    middle: (value) => write("feature-0/index", featureLines(syntax, 0, leavesOf(0), value)),
    entry: (value) => write("main", entryLines(syntax, features, value)),
  };
  return { kind, size, folder, entry, edit: (target, value) => edits[target](value) };
}

function writeFile(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), text);
}

interface Syntax {
  readonly typed: boolean;
  /** A type annotation: nothing in JavaScript. */
  type(text: string): string;
  /** A name in an import list that gets another name here. */
  alias(name: string, own: string): string;
  import(names: readonly string[], specifier: string): string;
  /** At the end of a file; declarations carry no `export` keyword of their own. */
  export(names: readonly string[]): string;
}

function createSyntax(kind: AppKind, extension: string): Syntax {
  const withExtension = (specifier: string) => (specifier.startsWith(".") ? specifier + extension : specifier);
  const commonjs = kind === "commonjs";
  return {
    typed: kind === "typescript",
    alias: (name, own) => (commonjs ? `${name}: ${own}` : `${name} as ${own}`),
    type: (text) => (kind === "typescript" ? text : ""),
    import: (names, specifier) =>
      commonjs
        ? `const { ${names.join(", ")} } = require("${withExtension(specifier)}");`
        : `import { ${names.join(", ")} } from "${withExtension(specifier)}";`,
    export: (names) => (commonjs ? `module.exports = { ${names.join(", ")} };` : `export { ${names.join(", ")} };`),
  };
}

function baseLines(syntax: Syntax): string[] {
  const { type } = syntax;
  return [
    "class Base {",
    ...(syntax.typed ? ["  name: string;"] : []),
    `  constructor(name${type(": string")}) {`,
    "    this.name = name;",
    "  }",
    `  describe()${type(": string")} {`,
    '    return this.constructor.name + " " + this.name;',
    "  }",
    "}",
    syntax.export(["Base"]),
  ];
}

function leafLines(syntax: Syntax, feature: number, leaf: number, value: string): string[] {
  const { type } = syntax;
  const name = `Item${feature}x${leaf}`;
  return [
    syntax.import(["Base"], "../base"),
    "",
    ...(syntax.typed
      ? ["interface Row {", "  readonly id: number;", "  readonly label: string;", "  readonly price: number;", "}", ""]
      : []),
    `const VALUE = "${value}";`,
    `const RATES${type(": Readonly<Record<string, number>>")} = { low: 0.05, middle: 0.1, high: 0.2 };`,
    `const rows${type(": readonly Row[]")} = [`,
    ...Array.from(
      { length: 8 },
      (_, row) => `  { id: ${row}, label: "${name} ${row}", price: ${(row * 7 + leaf) % 31} },`,
    ),
    "];",
    "",
    `class ${name} extends Base {`,
    ...(syntax.typed ? ["  readonly rows: readonly Row[];"] : []),
    `  constructor(own${type(": readonly Row[]")}) {`,
    `    super("${name}");`,
    "    this.rows = own;",
    "  }",
    `  total(rate${type(": string")})${type(": number")} {`,
    "    const factor = 1 + (RATES[rate] ?? 0);",
    "    return this.rows.reduce((sum, row) => sum + row.price * factor, 0);",
    "  }",
    `  find(id${type(": number")})${type(": Row | undefined")} {`,
    "    return this.rows.find((row) => row.id === id);",
    "  }",
    "}",
    "",
    `function total(rate${type(": string")})${type(": number")} {`,
    `  return new ${name}(rows).total(rate);`,
    "}",
    "",
    `function value()${type(": string")} {`,
    "  return VALUE;",
    "}",
    syntax.export([name, "total", "value"]),
  ];
}

function featureLines(syntax: Syntax, feature: number, leaves: number, value: string): string[] {
  const { type } = syntax;
  const numbers = Array.from({ length: leaves }, (_, leaf) => leaf);
  return [
    ...numbers.map((leaf) =>
      syntax.import([syntax.alias("total", `total${leaf}`), syntax.alias("value", `value${leaf}`)], `./leaf-${leaf}`),
    ),
    "",
    `const VALUE = "${value}";`,
    "",
    `function sum()${type(": number")} {`,
    `  return ${numbers.map((leaf) => `total${leaf}("low")`).join(" + ") || "0"};`,
    "}",
    "",
    `const routes${type(": Record<string, () => string>")} = {`,
    `  "/feature/${feature}": () => String(sum()),`,
    ...(feature === 0 ? [`  "/value/leaf": () => value0(),`, `  "/value/middle": () => VALUE,`] : []),
    "};",
    syntax.export(["routes", "sum"]),
  ];
}

function entryLines(syntax: Syntax, features: number, value: string): string[] {
  const { type } = syntax;
  const numbers = Array.from({ length: features }, (_, feature) => feature);
  return [
    syntax.import(["createServer"], "node:http"),
    ...numbers.map((feature) =>
      syntax.import(
        [syntax.alias("routes", `routes${feature}`), syntax.alias("sum", `sum${feature}`)],
        `./feature-${feature}/index`,
      ),
    ),
    "",
    `const VALUE = "${value}";`,
    `const sums = [${numbers.map((feature) => `sum${feature}`).join(", ")}];`,
    `const routes${type(": Record<string, () => string>")} = {`,
    ...numbers.map((feature) => `  ...routes${feature},`),
    `  "/": () => "hello",`,
    `  "/value/entry": () => VALUE,`,
    `  "/sum": () => String(sums.reduce((all, sum) => all + sum(), 0)),`,
    `  "/cpu": () => JSON.stringify(process.cpuUsage()),`,
    `  "/memory": () => String(process.memoryUsage.rss()),`,
    "};",
    "",
    "const server = createServer((request, response) => {",
    `  const route = routes[request.url ?? "/"];`,
    "  if (!route) response.statusCode = 404;",
    `  response.end(route ? route() : "no such route");`,
    "});",
    `server.listen(Number(process.env.PORT), "127.0.0.1");`,
  ];
}
