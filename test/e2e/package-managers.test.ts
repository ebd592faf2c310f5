import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { seen } from "../support/as-node.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const serves = `
  const http = process.getBuiltinModule("node:http");
  http.createServer(async (_, answer) => answer.end(JSON.stringify(await all()))).listen(process.env.PORT);
  all().then((what) => console.log("SEEN " + JSON.stringify(what)));`;

/** What Yarn PnP does to Node, with two packages in a store that Node's own lookup does not find. */
const yarn = {
  ".pnp.cjs": `
    const Module = require("node:module"); const path = require("node:path");
    const stores = { plain: "one", modern: "two" };
    const folderOf = (name) => path.join(__dirname, ".yarn/store", stores[name], "node_modules", name);
    const api = {
      resolveRequest(request, issuer, { conditions, extensions } = {}) {
        if (!stores[request]) throw Object.assign(new Error("Your application tried to access " + request), { code: "MODULE_NOT_FOUND" });
        if (request === "modern" && conditions && !conditions.has("import")) throw new Error("only for import");
        return path.join(folderOf(request), "index.js");
      },
    };
    const setUp = () => {
      process.versions.pnp = "3";
      Module.findPnpApi = (file) => (file.startsWith(__dirname) ? api : null);
      const { _resolveFilename } = Module;
      Module._resolveFilename = (request, parent, ...rest) =>
        stores[request] ? path.join(folderOf(request), "index.js") : _resolveFilename.call(Module, request, parent, ...rest);
    };
    if (module.parent?.id === "internal/preload") setUp();`,
  ".pnp.loader.mjs": `
    import { pathToFileURL } from "node:url"; import path from "node:path";
    const stores = { plain: "one", modern: "two" };
    export const resolve = async (specifier, context, next) => stores[specifier]
      ? next(pathToFileURL(path.join(import.meta.dirname, ".yarn/store", stores[specifier], "node_modules", specifier, "index.js")).href, context)
      : next(specifier, context);`,
  ".yarn/store/one/node_modules/plain/package.json": `{ "name": "plain" }`,
  ".yarn/store/one/node_modules/plain/index.js": `exports.name = "plain"; exports.modern = () => import("modern");`,
  ".yarn/store/two/node_modules/modern/package.json": `{ "name": "modern", "type": "module" }`,
  ".yarn/store/two/node_modules/modern/index.js": `import plain from "plain"; export const name = "modern " + plain.name;`,
};
const yarnApp = {
  ...yarn,
  "package.json": `{ "name": "app" }`,
  "word.js": `exports.word = "one";`,
  "late.mjs": `import { name } from "modern"; export const late = "late one " + name;`,
  "main.cjs": `
    const plain = require("plain"); const { word } = require("./word");
    const all = async () => [plain.name, word, (await import("modern")).name, (await plain.modern()).name, (await import("./late.mjs")).late];
    ${serves}`,
  "main.mjs": `
    import plain from "plain"; import { name } from "modern"; import { word } from "./word.js";
    const all = async () => [plain.name, word, name, (await plain.modern()).name, (await import("./late.mjs")).late];
    ${serves}`,
};

test("an app finds its packages by Yarn PnP, CommonJS and ES modules, and an edit is seen", async () => {
  await using app = new TempApp(yarnApp);
  const flags = "--require ./.pnp.cjs --loader ./.pnp.loader.mjs --no-warnings";
  for (const entry of ["main.cjs", "main.mjs"]) {
    const expected = ["plain", "one", "modern plain", "modern plain", "late one modern plain"];
    assert.deepEqual(await seen(app, entry, "node", { node: flags.split(" ") }), expected);
    await using running = await serve(app, entry, { env: { NODE_OPTIONS: flags } });
    assert.deepEqual(await running.json("/"), expected);
    app.edit("word.js", "one", "two");
    app.edit("late.mjs", "one", "two");
    assert.deepEqual(await running.json("/"), [
      "plain",
      "two",
      "modern plain",
      "modern plain",
      "late two modern plain",
    ]);
    app.write("word.js", yarnApp["word.js"]);
    app.write("late.mjs", yarnApp["late.mjs"]);
  }
});

test("packages of a workspace are own code, wherever pnpm has linked them from", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "mono", "private": true }`,
    "packages/app/package.json": `{ "name": "app", "type": "module" }`,
    "packages/app/main.js": `
      import lib from "@mono/lib"; import { typed } from "@mono/typed"; import external from "external";
      const all = async () => [lib.word, lib.external === external, typed, (await import("@mono/lib/late")).late];
      ${serves}`,
    "packages/lib/package.json": `{ "name": "@mono/lib", "exports": { ".": "./index.js", "./late": "./late.mjs" } }`,
    "packages/lib/index.js": `exports.external = require("external"); exports.word = "lib one";`,
    "packages/lib/late.mjs": `export const late = "late one";`,
    "packages/typed/package.json": `{ "name": "@mono/typed", "type": "module", "exports": "./src/index.ts" }`,
    "packages/typed/src/index.ts": `import { deep } from "./deep.js"; export const typed: string = "typed one " + deep;`,
    "packages/typed/src/deep.ts": `export const deep: string = "deep one";`,
    "node_modules/.pnpm/external@1.0.0/node_modules/external/package.json": `{ "name": "external" }`,
    "node_modules/.pnpm/external@1.0.0/node_modules/external/index.js": `exports.name = "external";`,
  });
  const link = (from: string, to: string) => {
    mkdirSync(path.dirname(app.path(from)), { recursive: true });
    symlinkSync(path.relative(path.dirname(app.path(from)), app.path(to)), app.path(from), "junction");
  };
  for (const name of ["app", "lib"])
    link(`packages/${name}/node_modules/external`, "node_modules/.pnpm/external@1.0.0/node_modules/external");
  for (const name of ["lib", "typed"]) link(`packages/app/node_modules/@mono/${name}`, `packages/${name}`);
  await using running = await serve(app, "packages/app/main.js");
  assert.deepEqual(await running.json("/"), ["lib one", true, "typed one deep one", "late one"]);
  app.edit("packages/lib/index.js", "lib one", "lib two");
  assert.deepEqual(await running.json("/"), ["lib two", true, "typed one deep one", "late one"]);
  app.edit("packages/typed/src/deep.ts", "deep one", "deep two");
  app.edit("packages/lib/late.mjs", "late one", "late two");
  assert.deepEqual(await running.json("/"), ["lib two", true, "typed one deep two", "late two"]);
  assert.equal(running.lines.matching(/restarted/).length, 0);
});

test("packages that are links find what lies beside their own place, with standard streams that are pipes", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "store/node_modules/beside/index.js": `module.exports = "beside";`,
    "store/node_modules/linked/package.json": `{ "name": "linked", "exports": "./index.js" }`,
    "store/node_modules/linked/index.js": `module.exports = "linked " + require("beside");`,
    "node_modules/kept/index.js": `console.log("a pipe is looked at"); module.exports = "kept " + require("linked");`,
    "main.js": `const kept = require("kept"); const all = async () => kept; ${serves.replace("process.getBuiltinModule", "require")}`,
  });
  symlinkSync(app.path("store/node_modules/linked"), app.path("node_modules/linked"));
  await using running = await serve(app, "main.js");
  assert.equal(await running.json("/"), "kept linked beside");
});
