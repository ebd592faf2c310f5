/** Apps that load files without importing them, as ES modules and as CommonJS. What they do is noted in a package. */
import { historyPackage } from "./history-package.js";
import { TempApp } from "./temp-app.js";

export interface ModuleWriter {
  readonly kind: "esm" | "commonjs";
  /** An entry that runs `body` and answers every request with the value of `answer`, as JSON. */
  main(body: string, answer: string): string;
  /** A module that notes `text` when it is evaluated. */
  notes(text: string, more?: string): string;
  /** A statement that takes names from a file. */
  imports(names: string, file: string): string;
  exports(name: string, value: string): string;
  /** A statement that has files loaded; the asynchronous call where there is top-level await. */
  requires(paths: string, options?: string): string;
}

const answers = (answer: string): string =>
  `createServer(async (_req, res) => res.end(JSON.stringify(await (${answer})))).listen(0, "127.0.0.1");\n`;

const esm: ModuleWriter = {
  kind: "esm",
  main: (body, answer) =>
    [esm.imports("createServer", "node:http"), esm.notes("main"), body, answers(answer)].join("\n"),
  notes: (text, more = "") =>
    `import { all, note } from "history";\nimport { unreloader } from "unreloader/app";\nnote("${text}");\n${more}\n`,
  imports: (names, file) => `import { ${names} } from "${file}";`,
  exports: (name, value) => `export const ${name} = ${value};`,
  requires: (paths, options = "{}") => `await unreloader.require(${JSON.stringify(paths)}, ${options});`,
};

const commonjs: ModuleWriter = {
  kind: "commonjs",
  main: (body, answer) =>
    [commonjs.imports("createServer", "node:http"), commonjs.notes("main"), body, answers(answer)].join("\n"),
  notes: (text, more = "") =>
    `const { all, note } = require("history");\nconst { unreloader } = require("unreloader/app");\nnote("${text}");\n${more}\n`,
  imports: (names, file) => `const { ${names} } = require("${file}");`,
  exports: (name, value) => `exports.${name} = ${value};`,
  requires: (paths, options = "{}") => `unreloader.requireSync(${JSON.stringify(paths)}, ${options});`,
};

export const writers: readonly ModuleWriter[] = [esm, commonjs];

export function monitoredFiles({ kind }: ModuleWriter, files: Readonly<Record<string, string>>) {
  const type = kind === "esm" ? `, "type": "module"` : "";
  return { "package.json": `{ "name": "app", "private": true${type} }\n`, ...historyPackage, ...files };
}

export function monitoredApp(writer: ModuleWriter, files: Readonly<Record<string, string>>): TempApp {
  return new TempApp(monitoredFiles(writer, files), { packages: ["unreloader"] });
}
