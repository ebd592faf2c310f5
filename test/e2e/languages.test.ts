/** Every kind of file and every way of loading it, each in an app of its own. */
import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { run } from "../support/compared-run.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const esmPackage = `{ "name": "app", "private": true, "type": "module" }\n`;

/** The last lines of most entries: GET / answers `answer()` as JSON. */
const listen = `createServer(async (_req, res) => {
  res.end(JSON.stringify(await answer()));
}).listen(process.env.PORT, "127.0.0.1");
`;
const importHttp = `import { createServer } from "node:http";\n`;
const requireHttp = `const { createServer } = require("node:http");\n`;

describe("languages", () => {
  test("TypeScript as ESM: enums, namespaces, parameter properties, satisfies, elided imports", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "src/main.ts": `${importHttp}import { Level, Point, type Shape, settings } from "./model.js";
import { Unused } from "./types.js";

const shape: Shape = new Point(1, 2);
const unused: Unused | undefined = undefined;
const answer = () => ({ level: Level[Level.High], sum: (shape as Point).sum(), settings, unused: unused ?? null });
${listen}`,
      "src/model.ts": `export enum Level {
  Low = 1,
  High,
}
export interface Shape {
  readonly x: number;
}
export class Point implements Shape {
  constructor(
    readonly x: number,
    private readonly y: number,
  ) {}
  sum(): number {
    return this.x + this.y + Inner.offset;
  }
}
namespace Inner {
  export const offset = 100;
}
export const settings = { name: "one" } satisfies Record<string, string>;
`,
      "src/types.ts": `export type Unused = string;\n`,
    });
    await using served = await serve(app, "src/main.ts");
    assert.deepEqual(await served.json("/"), { level: "High", sum: 103, settings: { name: "one" }, unused: null });
    app.edit("src/model.ts", "offset = 100", "offset = 200");
    app.edit("src/model.ts", `"one"`, `"two"`);
    assert.deepEqual(await served.json("/"), { level: "High", sum: 203, settings: { name: "two" }, unused: null });
  });

  test("TypeScript with import syntax in a CommonJS package has require, module and __dirname", async () => {
    await using app = new TempApp({
      "tsconfig.json": `{ "compilerOptions": { "module": "commonjs", "esModuleInterop": true } }\n`,
      "src/main.ts": `${importHttp}import path from "path";
import * as all from "./values";
import { value } from "./values";

const answer = () => ({
  value,
  all: all.value,
  required: require("./values").value,
  folder: path.basename(__dirname),
  file: path.basename(__filename),
  main: require.main === module,
});
${listen}`,
      "src/values.ts": `export const value: string = "one";\n`,
    });
    await using served = await serve(app, "src/main.ts");
    const wanted = (value: string) => ({
      value,
      all: value,
      required: value,
      folder: "src",
      file: "main.ts",
      main: true,
    });
    assert.deepEqual(await served.json("/"), wanted("one"));
    app.edit("src/values.ts", "one", "two");
    assert.deepEqual(await served.json("/"), wanted("two"));
  });

  test("import x = require() and export = in a CommonJS package", async () => {
    await using app = new TempApp({
      "tsconfig.json": `{ "compilerOptions": { "module": "commonjs" } }\n`,
      "main.ts": `import http = require("node:http");
import greet = require("./greet");

http.createServer((_req, res) => res.end(JSON.stringify(greet("x")))).listen(process.env.PORT);
`,
      "greet.ts": `function greet(name: string): string {
  return "one " + name;
}
export = greet;
`,
    });
    await using served = await serve(app, "main.ts");
    assert.equal(await served.json("/"), "one x");
    app.edit("greet.ts", "one", "two");
    assert.equal(await served.json("/"), "two x");
  });

  test(".mts, .cts, .tsx, .jsx, .mjs, .cjs and .json together", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "tsconfig.json": `{ "compilerOptions": { "jsx": "react", "allowJs": true, "jsxFactory": "h", "module": "nodenext" } }\n`,
      "main.mts": `${importHttp}import legacy from "./legacy.cjs";
import mixed from "./mixed.cjs";
import modern from "./modern.mjs";
import settings from "./settings.json" with { type: "json" };
import { tag } from "./tag.tsx";
import { oldTag } from "./old-tag.jsx";

const answer = () => [legacy.name, mixed.name, modern, settings.name, tag(), oldTag()];
${listen}`,
      "legacy.cjs": `module.exports = { name: "cjs" };\n`,
      "mixed.cts": `const name: string = "cts";\nexports.name = name;\n`,
      "modern.mjs": `export default "mjs";\n`,
      "settings.json": `{ "name": "json" }\n`,
      "h.ts": `export const h = (name: string, props: object | null, ...children: string[]) =>
  "<" + name + (props ? " " + JSON.stringify(props) : "") + ">" + children.join("");
`,
      "tag.tsx": `import { h } from "./h.js";\nexport const tag = (): string => <b id="x">tsx</b>;\n`,
      "old-tag.jsx": `import { h } from "./h.js";\nexport const oldTag = () => <i>jsx</i>;\n`,
    });
    await using served = await serve(app, "main.mts");
    const wanted = ["cjs", "cts", "mjs", "json", `<b {"id":"x"}>tsx`, "<i>jsx"];
    assert.deepEqual(await served.json("/"), wanted);
    for (const [index, file] of ["legacy.cjs", "mixed.cts", "modern.mjs", "settings.json"].entries()) {
      app.edit(file, `"${wanted[index]}"`, `"new ${wanted[index]}"`);
      wanted[index] = `new ${wanted[index]}`;
      assert.deepEqual(await served.json("/"), wanted, file);
    }
    app.edit("tag.tsx", "tsx</b>", "new tsx</b>");
    app.edit("old-tag.jsx", "jsx</i>", "new jsx</i>");
    app.edit("h.ts", `"<" +`, `"[" +`);
    assert.deepEqual((await served.json<string[]>("/")).slice(4), [`[b {"id":"x"}>new tsx`, "[i>new jsx"]);
  });

  test("tsconfig paths, baseUrl and extends", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "config/base.json": `{
  // comments are allowed here
  "compilerOptions": { "paths": { "#lib/*": ["../src/lib/*"], "settings": ["../src/settings.ts"] } },
}
`,
      "tsconfig.json": `{ "extends": "./config/base.json", "compilerOptions": { "strict": true } }\n`,
      "src/main.ts": `${importHttp}import { value } from "#lib/value";
import { settings } from "settings";

const answer = () => [value, settings];
${listen}`,
      "src/lib/value.ts": `export const value = "one";\n`,
      "src/settings.ts": `export const settings = "set";\n`,
    });
    await using served = await serve(app, "src/main.ts");
    assert.deepEqual(await served.json("/"), ["one", "set"]);
    app.edit("src/lib/value.ts", "one", "two");
    assert.deepEqual(await served.json("/"), ["two", "set"]);
  });

  test("decorators with metadata", { skip: plainMode }, async () => {
    await using app = new TempApp(
      {
        "package.json": esmPackage,
        "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }\n`,
        "main.ts": `import "reflect-metadata";
${importHttp}import { Service } from "./service.js";

const answer = () => ({
  types: Reflect.getMetadata("design:paramtypes", Service).map((type: { name: string }) => type.name),
  returns: Reflect.getMetadata("design:returntype", Service.prototype, "run").name,
  tags: Service.tags,
});
${listen}`,
        "service.ts": `import { Store } from "./store.js";

enum Mode {
  On,
  Off,
}

function tagged(target: { tags?: string[] }): void {
  target.tags = ["one"];
}
function logged(_target: object, _key: string, descriptor: PropertyDescriptor): PropertyDescriptor {
  return descriptor;
}

@tagged
export class Service {
  static tags: string[];
  constructor(store: Store, count: number, name: string, mode: Mode) {}
  @logged
  run(): string {
    return "ran";
  }
}
`,
        "store.ts": `export class Store {}\n`,
      },
      { packages: ["reflect-metadata"] },
    );
    await using served = await serve(app, "main.ts");
    const types = ["Store", "Number", "String", "Number"];
    assert.deepEqual(await served.json("/"), { types, returns: "String", tags: ["one"] });
    app.edit("service.ts", `"one"`, `"two"`);
    assert.deepEqual(await served.json("/"), { types, returns: "String", tags: ["two"] });
    app.edit("store.ts", "{}", "{ open = true; }");
    assert.deepEqual(await served.json("/"), { types, returns: "String", tags: ["two"] });
  });

  test("a byte order mark, a hashbang, and lines that end with CRLF", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `#!/usr/bin/env node\r\n${importHttp}import { value } from "./value.js";\r\nimport data from "./data.json" with { type: "json" };\r\nconst answer = () => [value, data];\r\n${listen}`,
      "value.js": `\uFEFFexport const value = "one";\r\n`,
      "data.json": `\uFEFF[1]\r\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), ["one", [1]]);
    app.edit("value.js", "one", "two");
    assert.deepEqual(await served.json("/"), ["two", [1]]);
  });

  test("letters of other alphabets, spaces and special characters in paths", async () => {
    await using app = new TempApp(
      {
        "package.json": esmPackage,
        "señal/main ü.ts": `${importHttp}import { value } from "./日本 語/value #1%.js";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const answer = () => [value, basename(fileURLToPath(import.meta.url)), basename(import.meta.dirname)];
${listen}`,
        "señal/日本 語/value #1%.ts": `export const value: string = "one";\n`,
      },
      { name: "my äpp (1)" },
    );
    app.edit("señal/main ü.ts", "./日本 語/value #1%.js", "./日本 語/value%20%231%25.js");
    await using served = await serve(app, "señal/main ü.ts");
    assert.deepEqual(await served.json("/"), ["one", "main ü.ts", "señal"]);
    app.edit("señal/日本 語/value #1%.ts", "one", "two");
    assert.deepEqual(await served.json("/"), ["two", "main ü.ts", "señal"]);
  });
});

describe("ways of loading", () => {
  test("computed require() and a loader over readdirSync: edits, added and deleted files", async () => {
    await using app = new TempApp({
      "main.js": `${requireHttp}const { load } = require("./load");
const answer = () => load();
${listen}`,
      "load.js": `const { readdirSync } = require("node:fs");
const { join } = require("node:path");
const models = {};
for (const file of readdirSync(join(__dirname, "models"))) {
  const model = require(join(__dirname, "models", file));
  models[model.name] = model.value;
}
exports.load = () => models;
`,
      "models/user.js": `exports.name = "user";\nexports.value = 1;\n`,
      "models/post.js": `exports.name = "post";\nexports.value = 1;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), { user: 1, post: 1 });
    app.edit("models/user.js", "1", "2");
    assert.deepEqual(await served.json("/"), { user: 2, post: 1 });
    app.write("models/tag.js", `exports.name = "tag";\nexports.value = 3;\n`);
    assert.deepEqual(await served.json("/"), { user: 2, post: 1, tag: 3 });
    app.edit("models/tag.js", "3", "4");
    assert.deepEqual(await served.json("/"), { user: 2, post: 1, tag: 4 });
    app.remove("models/post.js");
    assert.deepEqual(await served.json("/"), { user: 2, tag: 4 });
  });

  test("computed import() in TypeScript, during the start and in a handler", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.ts": `${importHttp}const names: string[] = ["a", "b"];
const early = await Promise.all(names.map((name) => import(\`./parts/\${name}.ts\`)));
const answer = async () => {
  const late = await import("./late/" + names[0] + ".ts");
  return [...early.map((part) => part.value), late.value];
};
${listen}`,
      "parts/a.ts": `export const value: string = "a1";\n`,
      "parts/b.ts": `export const value: string = "b1";\n`,
      "late/a.ts": `import { deep } from "./deep.ts";\nexport const value: string = "late1 " + deep;\n`,
      "late/deep.ts": `export const deep = "deep1";\n`,
    });
    await using served = await serve(app, "main.ts");
    assert.deepEqual(await served.json("/"), ["a1", "b1", "late1 deep1"]);
    app.edit("parts/b.ts", "b1", "b2");
    assert.deepEqual(await served.json("/"), ["a1", "b2", "late1 deep1"]);
    app.edit("late/deep.ts", "deep1", "deep2");
    assert.deepEqual(await served.json("/"), ["a1", "b2", "late1 deep2"]);
    app.edit("late/a.ts", "late1", "late2");
    assert.deepEqual(await served.json("/"), ["a1", "b2", "late2 deep2"]);
  });

  test("a package of the same workspace, reached through a link in node_modules, is own code", async () => {
    await using app = new TempApp({
      "package.json": `{ "name": "root", "private": true, "workspaces": ["packages/*"] }\n`,
      "packages/api/package.json": `{ "name": "api", "type": "module" }\n`,
      "packages/api/src/main.ts": `${importHttp}import { value } from "@acme/shared";
import { sub } from "@acme/shared/sub";
const answer = () => [value, sub];
${listen}`,
      "packages/shared/package.json": `{
  "name": "@acme/shared",
  "type": "module",
  "exports": { ".": "./src/index.ts", "./sub": "./src/sub.ts" }
}
`,
      "packages/shared/src/index.ts": `export const value: string = "one";\n`,
      "packages/shared/src/sub.ts": `export const sub: string = "sub";\n`,
      "node_modules/@acme/.keep": "",
    });
    symlinkSync("../../packages/shared", app.path("node_modules/@acme/shared"), "dir");
    await using served = await serve(app, "packages/api/src/main.ts", { flags: ["--root", app.folder] });
    assert.deepEqual(await served.json("/"), ["one", "sub"]);
    const pid = served.pid;
    app.edit("packages/shared/src/index.ts", "one", "two");
    assert.deepEqual(await served.json("/"), ["two", "sub"]);
    if (served.inPlace) assert.equal(served.pid, pid);
  });

  test("require() of ESM, import() of CommonJS, createRequire and import.meta", async () => {
    await using app = new TempApp({
      "main.cjs": `${requireHttp}const esm = require("./module.mjs");
const answer = async () => [esm.value, esm.fromCommonJs, (await import("./common.cjs")).default.value, await esm.late(), esm.where];
${listen}`,
      "module.mjs": `import { createRequire } from "node:module";
import { basename } from "node:path";
import common, { value as named } from "./common.cjs";
const require = createRequire(import.meta.url);
export const value = "esm1";
export const fromCommonJs = [common.value, named, require("./common.cjs") === common];
export const late = async () => (await import(import.meta.resolve("./late.mjs"))).default;
export const where = [basename(import.meta.filename), basename(import.meta.url)];
`,
      "common.cjs": `exports.value = "cjs1";\n`,
      "late.mjs": `export default "late1";\n`,
    });
    await using served = await serve(app, "main.cjs");
    const wanted = (esm: string, cjs: string, late: string) => [
      esm,
      [cjs, cjs, true],
      cjs,
      late,
      ["module.mjs", "module.mjs"],
    ];
    assert.deepEqual(await served.json("/"), wanted("esm1", "cjs1", "late1"));
    app.edit("common.cjs", "cjs1", "cjs2");
    assert.deepEqual(await served.json("/"), wanted("esm1", "cjs2", "late1"));
    app.edit("module.mjs", "esm1", "esm2");
    assert.deepEqual(await served.json("/"), wanted("esm2", "cjs2", "late1"));
    app.edit("late.mjs", "late1", "late2");
    assert.deepEqual(await served.json("/"), wanted("esm2", "cjs2", "late2"));
  });

  test("what was only loaded during a request fails when a file it imports is deleted or broken", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `${importHttp}const answer = async () => {
  try {
    return (await import("./late.js")).value;
  } catch {
    return "failed";
  }
};
${listen}`,
      "late.js": `import { leaf } from "./leaf.js";\nexport const value = "late " + leaf;\n`,
      "leaf.js": `export const leaf = "one";\n`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), "late one");
    for (const damage of [() => app.remove("leaf.js"), () => app.write("leaf.js", "}{")]) {
      damage();
      const answer = await served.get("/");
      // A reload may say so at once; a fresh start finds out when the file is loaded.
      assert.ok(answer.status === 500 || answer.body === `"failed"`, `${answer.status} ${answer.body}`);
      app.write("leaf.js", `export const leaf = "two";\n`);
      assert.equal(await served.json("/"), "late two");
    }
  });

  test("a module that is required at the start and again during requests fails when it is deleted", async () => {
    await using app = new TempApp({
      "main.js": `${requireHttp}const first = require("./first");
const other = require("./other");
const answer = () => [first.value, other.late()];
${listen}`,
      "first.js": `exports.value = 1;\n`,
      "other.js": `exports.late = () => require("./" + "first").value;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [1, 1]);
    app.remove("first.js");
    assert.equal((await served.get("/")).status, 500);
    app.write("first.js", "exports.value = 2;\n");
    assert.deepEqual(await served.json("/"), [2, 2]);
  });

  test("a WebAssembly module that is imported", { skip: plainMode }, async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `import { fortyTwo } from "./add.wasm";\nconsole.log(fortyTwo());\n`,
    });
    const bytes = "0061736d0100000001050160" + "00017f03020100070c0108666f72747954776f" + "00000a06010400412a0b";
    writeFileSync(path.join(app.folder, "add.wasm"), Buffer.from(bytes, "hex"));
    const { lines } = await run("unreloader", app, "main.js", {
      nodeFlags: ["--experimental-wasm-modules", "--no-warnings"],
      flags: ["--exit", "--quiet"],
    });
    assert.deepEqual(lines, ["42"]);
  });

  test("hooks of --experimental-loader are asked for what the entry imports", { skip: plainMode }, async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `import { one } from "virtual:one";\nconsole.log(one);\n`,
      "hooks.mjs": `export const resolve = (specifier, context, next) =>
  specifier === "virtual:one" ? { url: specifier, format: "module", shortCircuit: true } : next(specifier, context);
export const load = (url, context, next) =>
  url === "virtual:one" ? { format: "module", source: "export const one = 1;", shortCircuit: true } : next(url, context);
`,
    });
    const { lines } = await run("unreloader", app, "main.js", {
      nodeFlags: ["--no-warnings", "--experimental-loader", "./hooks.mjs"],
      flags: ["--exit", "--quiet"],
    });
    assert.deepEqual(lines, ["1"]);
  });

  test("top-level await in a leaf, waited for by all who import it", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `${importHttp}import { value } from "./middle.js";\nconst answer = () => value;\n${listen}`,
      "middle.js": `import { ready } from "./leaf.js";\nexport const value = "got " + ready;\n`,
      "leaf.js": `export const ready = await new Promise((resolve) => setImmediate(resolve, "one"));\n`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), "got one");
    app.edit("leaf.js", "one", "two");
    assert.equal(await served.json("/"), "got two");
  });

  test("a cycle of ESM files whose classes and functions use each other", async () => {
    await using app = new TempApp({
      "package.json": esmPackage,
      "main.js": `${importHttp}import { Dog } from "./dog.js";\nconst answer = () => [new Dog().speak(), new Dog().friend().speak()];\n${listen}`,
      "animal.js": `import { Dog } from "./dog.js";
export class Animal {
  speak() {
    return "animal1";
  }
  friend() {
    return new Dog();
  }
}
`,
      "dog.js": `import { Animal } from "./animal.js";
export class Dog extends Animal {
  speak() {
    return "dog1 " + super.speak();
  }
}
`,
    });
    await using served = await serve(app, "main.js");
    const check = async (dog: string, animal: string) =>
      assert.deepEqual(await served.json("/"), Array(2).fill(`${dog} ${animal}`));
    await check("dog1", "animal1");
    app.edit("animal.js", "animal1", "animal2");
    await check("dog1", "animal2");
    app.edit("dog.js", "dog1", "dog2");
    await check("dog2", "animal2");
  });

  test("files read while a module is evaluated count as its dependencies", async () => {
    await using app = new TempApp({
      "main.js": `${requireHttp}const { template } = require("./template");\nconst answer = () => template;\n${listen}`,
      "template.js": `const { readFileSync } = require("node:fs");
exports.template = readFileSync(require("node:path").join(__dirname, "page.html"), "utf8");
`,
      "page.html": "one",
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.json("/"), "one");
    app.write("page.html", "two");
    assert.equal(await served.json("/"), "two");
  });
});
