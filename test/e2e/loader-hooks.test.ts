import assert from "node:assert/strict";
import Module from "node:module";
import { test } from "node:test";
import { type RunOptions, seen } from "../support/as-node.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const serves = `
  const http = process.getBuiltinModule("node:http");
  http.createServer((_, answer) => answer.end(JSON.stringify(all()))).listen(process.env.PORT);
  console.log("SEEN " + JSON.stringify(all()));`;
const hasSynchronousHooks = "registerHooks" in Module;

/** With reloads and without, the app says what it says under Node. */
async function sameAsNode(app: TempApp, entry: string, options: RunOptions = {}): Promise<void> {
  const expected = await seen(app, entry, "node", options);
  assert.ok(Array.isArray(expected), JSON.stringify(expected));
  for (const mode of ["reload", "no-reload"] as const)
    assert.deepEqual(await seen(app, entry, mode, options), expected, mode);
}

function served(app: TempApp, entry: string, NODE_OPTIONS: string) {
  return serve(app, entry, { env: { NODE_OPTIONS } });
}

const patches = `
  const Module = require("node:module");
  require.extensions[".sql"] = (module, file) => {
    module.exports = "sql " + require("node:fs").readFileSync(file, "utf8");
  };
  const load = Module._load;
  Module._load = function (request, ...rest) {
    return request === "virtual:id" ? "virtual" : load.call(this, request, ...rest);
  };
  const find = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    return find.call(this, request === "@app/alias" ? __dirname + "/aliased.js" : request, ...rest);
  };
  const before = require.extensions[".js"];
  require.extensions[".js"] = (module, file) => {
    const compile = module._compile;
    module._compile = function (text, ...rest) {
      module._compile = compile;
      return module._compile(text.replace("%VERSION%", "7"), ...rest);
    };
    return before(module, file);
  };`;
const patchedApp = {
  "package.json": `{ "name": "app" }`,
  "patches.cjs": patches,
  "page.sql": "SELECT * FROM page",
  "aliased.js": `module.exports = "aliased";`,
  "version.js": `module.exports = "version %VERSION%";`,
  "main.js": `
    const all = () => [require("./page.sql"), require("./page"), require("virtual:id"), require("@app/alias"),
      require("./version"), require("./aliased"), globalThis.entry];
    ${serves}`,
};

test("own files follow what a preload has changed of require, and an edit is seen", async () => {
  await using app = new TempApp(patchedApp);
  await sameAsNode(app, "main.js", { node: ["--require", "./patches.cjs"] });
  await sameAsNode(app, "main.js", { env: { NODE_OPTIONS: "--require ./patches.cjs" } });
  await using running = await served(app, "main.js", "-r ./patches.cjs");
  app.write("page.sql", "SELECT 2");
  assert.equal((await running.json<string[]>("/"))[0], "sql SELECT 2");
  app.edit("version.js", "version", "other version");
  assert.equal((await running.json<string[]>("/"))[4], "other version 7");
  app.edit("aliased.js", "aliased", "edited");
  assert.deepEqual((await running.json<string[]>("/")).slice(3, 6), ["edited", "other version 7", "edited"]);
});

test("own files follow what the entry has changed of require", async () => {
  await using app = new TempApp({
    ...patchedApp,
    "node_modules/hook/index.js": `
      const before = require.extensions[".js"];
      require.extensions[".js"] = (module, file) => {
        const compile = module._compile;
        module._compile = (text, ...rest) => compile.call(module, text.replace("%NAME%", "Ada"), ...rest);
        return before(module, file);
      };`,
    "entry.js": `require("hook"); require("./patches.cjs"); globalThis.entry = "%NAME%"; require("./main.js");`,
  });
  await sameAsNode(app, "entry.js");
  await using running = await serve(app, "entry.js");
  app.write("page.sql", "SELECT 2");
  assert.equal((await running.json<string[]>("/"))[0], "sql SELECT 2");
  app.edit("patches.cjs", '"7"', '"8"');
  assert.equal((await running.json<string[]>("/"))[4], "version 8");
  app.edit("entry.js", "%NAME%", "edited %NAME%");
  assert.equal((await running.json<string[]>("/"))[6], "edited %NAME%", "the entry is loaded before the hook is there");
});

test("a replaced Module.prototype._compile and Module.prototype.require are called for own files", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "patches.cjs": `
      const Module = require("node:module");
      const { path } = { path: require("node:path") };
      globalThis.seen = [];
      const compile = Module.prototype._compile;
      Module.prototype._compile = function (text, file, ...rest) {
        if (!file.includes("node_modules")) seen.push("compiled " + path.basename(file));
        return compile.call(this, text.replace("%NAME%", "Ada"), file, ...rest);
      };
      const original = Module.prototype.require;
      Module.prototype.require = function (request) {
        if (!this.filename.includes("node_modules") && request.startsWith("./h")) seen.push("required " + request);
        return original.call(this, request);
      };`,
    "main.js": `const hello = require("./hello"); const all = () => [hello, ...seen]; ${serves}`,
    "hello.js": `module.exports = "hello %NAME% from " + require("./place").place;`,
    "place.js": `exports.place = "here";`,
  });
  await sameAsNode(app, "main.js", { node: ["-r", "./patches.cjs"] });
  await using running = await served(app, "main.js", "-r ./patches.cjs");
  app.edit("place.js", "here", "there");
  assert.equal((await running.json<string[]>("/"))[0], "hello Ada from there");
});

test("packages are found in module.paths, and by functions of Module that were replaced", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "patches.cjs": `
      const Module = require("node:module");
      const path = require("node:path");
      globalThis.seen = [];
      const { load } = Module.prototype;
      Module.prototype.load = function (file) {
        if (!file.includes("node_modules")) seen.push("loaded " + path.basename(file));
        return load.call(this, file);
      };
      const find = Module._findPath;
      Module._findPath = (request, ...rest) => request === "found" ? path.join(__dirname, "hello.js") : find.call(Module, request, ...rest);
      const folders = Module._nodeModulePaths;
      Module._nodeModulePaths = (from) => [path.join(__dirname, "shared"), ...folders.call(Module, from)];`,
    "paths.js": `
      module.paths.unshift(__dirname + "/near");
      module.exports = [require("both"), require("near"), require.resolve("both").replace(__dirname, "")];`,
    // Node keeps what a folder has looked for: in another one.
    "inner/plain.js": `
      const found = (name) => { try { return require(name); } catch (error) { return [error.code, error.message, error.requireStack]; } };
      module.exports = ["both", "near", "far", "found", "../settings"].map(found);`,
    "main.js": `const answers = [require("./paths"), require("./inner/plain")];
      const all = () => [...answers, globalThis.seen ?? []]; ${serves}`,
    "hello.js": `module.exports = "hello";`,
    "settings.json": `{ "a": 1 }`,
    "near/near.js": `module.exports = "near";`,
    "near/both.js": `module.exports = "both, near";`,
    "node_modules/both/index.js": `module.exports = "both, installed";`,
    "shared/far.js": `module.exports = "far";`,
  });
  await sameAsNode(app, "main.js");
  await sameAsNode(app, "main.js", { node: ["-r", "./patches.cjs"] });
  await using running = await served(app, "main.js", "-r ./patches.cjs");
  app.edit("hello.js", "hello", "edited");
  app.edit("near/near.js", "near", "edited near");
  const [paths, plain] = await running.json<string[][]>("/");
  assert.deepEqual(paths, ["both, near", "edited near", "/near/both.js"]);
  const [installed, [missing], ...others] = plain as [string, string[], ...unknown[]];
  assert.deepEqual([installed, missing, ...others], ["both, installed", "MODULE_NOT_FOUND", "far", "edited", { a: 1 }]);
});

test("what is registered for an extension may take a text that is no CommonJS, and another place than the disk", async () => {
  const files = {
    "package.json": `{ "name": "app" }`,
    "patches.cjs": `
      const Module = require("node:module");
      const before = require.extensions[".js"];
      require.extensions[".js"] = (module, file) => {
        const compile = module._compile;
        module._compile = (text, ...rest) =>
          compile.call(module, text.replace(/^import (\\w+) from (.*);$/gm, "const $1 = require($2);").replace("export default", "module.exports ="), ...rest);
        if (file.startsWith("/in-memory/")) return module._compile("export default [__filename, module.parent.id];", file);
        return before(module, file);
      };
      const find = Module._resolveFilename;
      Module._resolveFilename = (request, ...rest) => request.startsWith("/in-memory/") ? request : find(request, ...rest);`,
    "hello.js": `import place from "./place";\nexport default "hello " + place;`,
    "place.js": `export default "here";`,
    "main.js": `const hello = require("./hello"); const kept = require("/in-memory/a.js"); const all = () => [hello, kept]; ${serves}`,
  };
  await using app = new TempApp({ ...files, "entry.js": `require("./patches.cjs"); require("./main.js");` });
  await sameAsNode(app, "entry.js");
  await using running = await served(app, "main.js", "-r ./patches.cjs");
  app.edit("place.js", "here", "there");
  assert.equal((await running.json<string[]>("/"))[0], "hello there");
});

test("a package finds who has required it", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "main.js": `
      const all = () => [require("package"), require("./own"), module.children.length];
      ${serves}`,
    "own.js": `module.exports = [require("package"), module.children.length];`,
    "node_modules/package/index.js": `
      const { parent } = module;
      module.exports = [parent === require.main, parent.children.includes(module), parent.require("./place")];`,
    "place.js": `module.exports = __filename.replace(__dirname, "");`,
  });
  await sameAsNode(app, "main.js");
});

const hooked = {
  "package.json": `{ "name": "app", "type": "module" }`,
  "texts.toml": "title one",
  "alias.js": `export default "alias";`,
  "changed.js": `import { own } from "./own.js"; export default "OLD " + own;`,
  "own.js": `export const own = "own";`,
  "app.js": `
    import texts from "./texts.toml"; import built from "virtual:build"; import alias from "#alias";
    import changed from "./changed.js";
    const late = await import("./texts.toml");
    const all = () => [texts, built, alias, changed, late.default === texts]; ${serves}`,
};
const resolveHook = `
  if (specifier === "virtual:build") return { url: "virtual:build", format: "module", shortCircuit: true };
  return next(specifier === "#alias" ? "./alias.js" : specifier, context);`;
const sourceHook = (next: string) => `
  if (url === "virtual:build") return { format: "module", source: 'export default "built"', shortCircuit: true };
  if (url.endsWith(".toml"))
    return { format: "module", source: "export default " + JSON.stringify(readFileSync(new URL(url), "utf8")), shortCircuit: true };
  if (!url.endsWith("/changed.js")) return next(url, context);
  const loaded = ${next}next(url, context);
  return { ...loaded, source: String(loaded.source).replace("OLD", "NEW") };`;
const synchronous = `
  import { readFileSync } from "node:fs"; import { registerHooks } from "node:module";
  registerHooks({
    resolve(specifier, context, next) { ${resolveHook} },
    load(url, context, next) { ${sourceHook("")} },
  });`;

test("own files follow synchronous hooks, and an edit is seen", { skip: !hasSynchronousHooks }, async () => {
  await using app = new TempApp({
    ...hooked,
    "hooks.js": synchronous,
    "entry.js": `import "./hooks.js"; await import("./app.js");`,
  });
  await sameAsNode(app, "app.js", { node: ["--import", "./hooks.js"] });
  await sameAsNode(app, "entry.js");
  for (const [entry, options] of [
    ["app.js", "--import ./hooks.js"],
    ["entry.js", ""],
  ] as const) {
    await using running = await served(app, entry, options);
    app.write("texts.toml", "title two");
    app.edit("own.js", `"own"`, `"edited"`);
    assert.deepEqual(await running.json("/"), ["title two", "built", "alias", "NEW edited", true]);
    app.edit("hooks.js", `"NEW"`, `"NEWER"`);
    assert.deepEqual(await running.json("/"), ["title two", "built", "alias", "NEWER edited", true]);
    app.edit("changed.js", "OLD ", "OLD, changed, ");
    app.edit("hooks.js", `"NEWER"`, `"NEW"`);
    assert.deepEqual(await running.json("/"), ["title two", "built", "alias", "NEW, changed, edited", true]);
    for (const [file, text] of Object.entries({ ...hooked, "hooks.js": synchronous })) app.write(file, text);
  }
});

test("own files follow hooks in Node's other thread, and an edit is seen", async () => {
  // Before 22.15 they are asked for what we cannot find or load ourselves.
  const changed = hasSynchronousHooks ? "NEW" : "OLD";
  await using app = new TempApp({
    ...hooked,
    "register.js": `import { register } from "node:module"; register("./hooks.js", import.meta.url);`,
    "hooks.js": `
      import { readFileSync } from "node:fs";
      export async function resolve(specifier, context, next) { ${resolveHook} }
      export async function load(url, context, next) { ${sourceHook("await ")} }`,
    "entry.js": `import "./register.js"; await import("./app.js");`,
    // JSON that a hook hands on; a module of another scheme, and one of a URL, that import an own file.
    "json.js": `import data from "./data.json" with { type: "json" }; export const answer = data.answer;
      const own = new URL("./once.js", import.meta.url).href;
      const text = "data:text/javascript,export * from " + encodeURIComponent(JSON.stringify(own));
      const same = (await import(text)).token === (await import("./once.js")).token;
      console.log("SEEN " + JSON.stringify([answer, same]));`,
    "once.js": "export const token = {};",
    "data.json": `{ "answer": 42 }`,
  });
  // Before 22.15 a module of a URL has its own files from Node.
  const json = await seen(app, "json.js", "reload", { env: { NODE_OPTIONS: "--import ./register.js" } });
  assert.deepEqual(json, [42, hasSynchronousHooks]);
  for (const [entry, options] of [
    ["app.js", "--import ./register.js"],
    ["entry.js", ""],
  ] as const) {
    const expected = ["title one", "built", "alias", `${changed} own`, true];
    assert.deepEqual(await seen(app, entry, "reload", { env: { NODE_OPTIONS: options } }), expected);
    await using running = await served(app, entry, options);
    app.write("texts.toml", "title two");
    assert.deepEqual(await running.json("/"), ["title two", "built", "alias", `${changed} own`, true]);
    app.edit("own.js", `"own"`, `"edited"`);
    assert.deepEqual(await running.json("/"), ["title two", "built", "alias", `${changed} edited`, true]);
    for (const [file, text] of Object.entries(hooked)) app.write(file, text);
  }
});

test("hooks lead from and to URLs of any scheme", async () => {
  const resolve = `
    const url = { "#virtual": "virtual:a", "#https": "https://a/a.js" }[specifier];
    if (url) return { url, format: "module", shortCircuit: true };
    return next(/^(?:virtual|https):own/.test(specifier) ? "./own.js" : specifier, context);`;
  const load = `
    if (!/^(?:virtual|https):/.test(url)) return next(url, context);
    return { format: "module", source: "export default " + JSON.stringify(url), shortCircuit: true };`;
  await using app = new TempApp({
    "package.json": `{ "name": "app", "type": "module" }`,
    "hooks.js": `import { registerHooks } from "node:module";
      registerHooks({ resolve(specifier, context, next) {${resolve}}, load(url, context, next) {${load}} });`,
    "register.js": `import { register } from "node:module"; register("./thread.js", import.meta.url);`,
    "thread.js": `
      export async function resolve(specifier, context, next) {${resolve}}
      export async function load(url, context, next) {${load}}`,
    "own.js": `export const own = "own";`,
    "from.js": `import { own } from "virtual:own"; import * as same from "https:own"; export default [own, same.own];`,
    "to.js": `import a from "#virtual"; import b from "#https"; export default [a, b];`,
    "main.js": `
      const given = [];
      for (const name of ["./from.js", "./to.js", "virtual:own", "#https", "blob:unknown", "./blob.js"])
        given.push(await import(name).then((all) => [all.own ?? all.default], (error) => [error.name, error.code]));
      const all = () => given; ${serves}`,
    "blob.js": `import "blob:unknown";`,
  });
  if (hasSynchronousHooks) await sameAsNode(app, "main.js", { node: ["--import", "./hooks.js"] });
  await sameAsNode(app, "main.js", { node: ["--import", "./register.js"] });
});

test("a preload runs once for each start, before the app, and an edit of it takes a fresh worker", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app", "type": "module" }`,
    "pre.js": `console.log("preloaded by", process.argv[1]); globalThis.order = ["pre one"];`,
    "required.cjs": `console.log("required by", process.argv[1]);`,
    "main.js": `order.push("main"); const all = () => order; ${serves}`,
  });
  await using running = await served(app, "main.js", "--import ./pre.js --require ./required.cjs");
  assert.deepEqual(await running.json("/"), ["pre one", "main"]);
  // The process itself loads it before we run; the app's thread does, and no other.
  const loads = (file: string) =>
    running.lines.matching(/^(?:preloaded|required) by/).filter((line) => line.endsWith(file));
  assert.equal(loads("main.js").length, 2);
  assert.equal(running.lines.matching(/^(?:preloaded|required) by/).length, 4);
  app.edit("pre.js", "pre one", "pre two");
  assert.deepEqual(await running.json("/"), ["pre two", "main"]);
  assert.equal(loads("main.js").length, 4);
});

const toldHooks = {
  "package.json": `{ "name": "app" }`,
  "own.js": `exports.v = "own"; exports.data = () => require("./data.json");`,
  "second.js": `exports.v = "second";`,
  "data.json": `{ "a": 1 }`,
  "late.mjs": `export { v } from "pkg"; export * as esm from "esm"; export { v as second } from "./second.js";`,
  "typed.mjs": `import data from "./typed.json" with { type: "json" }; export default data;`,
  "typed.json": `{ "typed": true }`,
  "node_modules/pkg/package.json": `{ "exports": { ".": { "custom": "./custom.js", "default": "./index.js" } } }`,
  "node_modules/pkg/index.js": `exports.v = "pkg"; exports.own = require("../../own.js").v;`,
  "node_modules/pkg/custom.js": `exports.v = "custom";`,
  "node_modules/esm/package.json": `{ "type": "module", "exports": "./index.js" }`,
  "node_modules/esm/index.js": `export const v = "esm";`,
};

test("synchronous hooks are called as by Node: how often, with what, and what they may give", {
  skip: !hasSynchronousHooks,
}, async () => {
  await using app = new TempApp({
    ...toldHooks,
    "main.js": `
      const { registerHooks } = require("node:module");
      const seen = [];
      const all = () => seen;
      const here = require("node:url").pathToFileURL(__dirname).href;
      const told = (url) => String(url).replace(here, "app:").replace(__dirname, "app:");
      const noted = (name) => ({
        resolve(specifier, context, next) {
          const result = next(specifier, context);
          const { conditions, parentURL, importAttributes } = context;
          seen.push([name, told(specifier), String(conditions), told(parentURL), importAttributes, Object.keys(context), told(result.url)]);
          return result;
        },
        load(url, context, next) {
          const result = next(url, context);
          const { conditions, format, importAttributes } = context;
          seen.push([name, told(url), String(conditions), format, importAttributes, Object.keys(context),
            result.format, result.source?.constructor.name]);
          return result;
        },
      });
      const hooked = [registerHooks(noted("first")), registerHooks(noted("last"))];
      const tried = async (run, ...hooks) => {
        const registered = hooks.map((one) => registerHooks(one));
        try {
          seen.push(await run());
        } catch (error) {
          seen.push([error.name, error.code, told(error.message)]);
        }
        for (const one of registered) one.deregister();
      };
      (async () => {
        require("./own"); require("./own"); require("./own.js").data(); require("pkg"); require("fs");
        await tried(() => require("./nowhere"));
        await tried(() => require("nowhere"));
        await import("./late.mjs");
        await import("./typed.mjs");
        await tried(() => import("./nowhere.mjs"));
        for (const one of hooked) one.deregister();
        const custom = { resolve: (specifier, context, next) => next(specifier, { ...context, conditions: [...context.conditions, "custom"] }) };
        await tried(() => require("./second.js").v, custom);
        await tried(async () => (await import("pkg")).v, custom);
        await tried(() => require("pkg?"), { resolve: (_, context, next) => next("pkg", { ...context, conditions: "none" }) });
        const give = (one) => ({ resolve: () => one });
        for (const one of [{ url: "node:fs" }, { url: 1, shortCircuit: true }, { url: "node:fs", format: 1, shortCircuit: true },
          { url: "node:fs", importAttributes: 1, shortCircuit: true }, undefined])
          await tried(() => require("./given"), give(one));
        for (const one of [{ source: "", format: "commonjs" }, { source: 1, format: "commonjs", shortCircuit: true },
          { source: null, format: "commonjs", shortCircuit: true }, { source: "", format: 1, shortCircuit: true }])
          await tried(() => require("./refused.js"), { load: () => one });
        for (const one of [{ source: "", format: "odd", shortCircuit: true }, { source: null, format: "module", shortCircuit: true }])
          await tried(() => import("./refused.js"), { load: () => one });
        const bytes = new TextEncoder().encode("export const v = 'bytes'");
        await tried(async () => (await import("./refused.js")).v,
          { load: () => ({ source: bytes.buffer, format: "module", shortCircuit: true }) });
        ${serves}
      })();`,
    "refused.js": `exports.v = "refused";`,
  });
  const asked = (calls: unknown): unknown[] => (calls as unknown[]).map((call) => JSON.stringify(call)).sort();
  const expected = await seen(app, "main.js", "node");
  assert.ok(Array.isArray(expected), JSON.stringify(expected));
  const here = await seen(app, "main.js", "reload");
  // Node resolves all imports of a module, and loads what they lead to, in an order that differs by its version.
  assert.deepEqual(asked(here), asked(expected));
});

test("hooks may give a text for a file that is not there", { skip: !hasSynchronousHooks }, async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "own.js": `exports.own = "own";`,
    "main.js": `
      const { registerHooks } = require("node:module");
      registerHooks({
        resolve: (specifier, context, next) => specifier.startsWith("./made")
          ? { url: new URL(specifier, context.parentURL).href, shortCircuit: true } : next(specifier, context),
        load: (url, context, next) => url.endsWith("/made.mjs")
          ? { source: "export { own } from './own.js'; export const made = 'module';", format: "module", shortCircuit: true }
          : url.endsWith("/made.cjs")
            ? { source: "exports.made = 'commonjs ' + require('./own.js').own;", format: "commonjs", shortCircuit: true }
            : next(url, context),
      });
      (async () => {
        const all = () => [required.made, imported.made, imported.own === require("./own.js").own];
        const required = require("./made.cjs");
        const imported = await import("./made.mjs");
        ${serves}
      })();`,
  });
  const expected = await seen(app, "main.js", "node");
  assert.deepEqual(expected, ["commonjs own", "module", true]);
  assert.deepEqual(await seen(app, "main.js", "reload"), expected);
});
