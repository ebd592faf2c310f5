import assert from "node:assert/strict";
import { test } from "node:test";
import { type RunOptions, seen } from "../support/as-node.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** What the app says is what it says under Node, with and without reloads. */
async function sameAsNode(app: TempApp, entry: string, options: RunOptions = {}): Promise<unknown> {
  const expected = await seen(app, entry, "node", options);
  for (const mode of ["reload", "no-reload"] as const) {
    assert.deepEqual(await seen(app, entry, mode, options), expected, mode);
  }
  return expected;
}

const say = `const say = (value) => console.log("SEEN " + JSON.stringify(value));\n`;

test("an entry may have no extension, an unknown one, or be a folder", async () => {
  const main = (lib: string) =>
    `#!/usr/bin/env node\n${say}say([require("${lib}"), require.main === module, __filename]);
     require("node:http").createServer((_, answer) => answer.end(require("${lib}"))).listen(process.env.PORT);`;
  await using app = new TempApp({
    "package.json": `{ "name": "app", "main": "lib/main" }`,
    "bin/www": main("../lib/app"),
    "lib/main.js": main("./app"),
    "lib/server.v2": main("./app"),
    "lib/app.js": `module.exports = "one";`,
    "folder/index.js": main("../lib/app"),
  });
  for (const entry of ["bin/www", ".", "lib/server.v2", "./folder"]) {
    assert.deepEqual(((await sameAsNode(app, entry)) as unknown[]).slice(0, 2), ["one", true]);
  }
  await using served = await serve(app, "bin/www");
  assert.equal(await served.text("/"), "one");
  app.write("lib/app.js", `module.exports = "two";`);
  assert.equal(await served.text("/"), "two");
  app.edit("bin/www", "answer.end(", `answer.end("www " + `);
  assert.equal(await served.text("/"), "www two");
});

test("a file without an extension is an ES module in a package of type module", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app", "type": "module" }`,
    "main.js": `${say}import "./www"; say([typeof require, import.meta.main ?? "unknown"]);
      import http from "node:http"; http.createServer(() => {}).listen(process.env.PORT);`,
    www: "globalThis.kind = typeof exports; export {};",
  });
  const expected = (await seen(app, "main.js", "node")) as unknown[];
  assert.deepEqual((await seen(app, "main.js", "no-reload")) as unknown[], expected);
  assert.equal(((await seen(app, "main.js", "reload")) as unknown[])[0], expected[0]);
});

test("conditions count wherever Node takes them from", async () => {
  await using app = new TempApp({
    "package.json": JSON.stringify({
      name: "app",
      type: "module",
      imports: { "#own": { first: "./first.js", second: "./second.js", default: "./other.js" } },
    }),
    "first.js": `export default "first";`,
    "second.js": `export default "second";`,
    "other.js": `export default "other";`,
    "main.js": `${say}import own from "#own"; say(own);
      import http from "node:http"; http.createServer(() => {}).listen(process.env.PORT);`,
  });
  assert.equal(await sameAsNode(app, "main.js"), "other");
  for (const node of [["-C", "first"], ["--conditions=first"], ["--conditions", "first"]])
    assert.deepEqual(await sameAsNode(app, "main.js", { node }), "first", node.join(" "));
  for (const NODE_OPTIONS of ["--conditions=first", "-C first", `--no-warnings --conditions "first"`])
    assert.equal(await sameAsNode(app, "main.js", { env: { NODE_OPTIONS } }), "first", NODE_OPTIONS);
  assert.equal(
    await sameAsNode(app, "main.js", { node: ["-C", "second"], env: { NODE_OPTIONS: "-C zero" } }),
    "second",
  );
});

test("an import of an unknown extension fails as in Node; require takes it for JavaScript", async () => {
  await using app = new TempApp({
    "main.cjs": `${say}
      const required = [require("./a.foo"), require("./b.toml")];
      import("./a.foo").catch((error) => error).then((imported) => {
        say([required, imported.name, imported.code, imported.message.replace(/^.* for /, "for ")]);
      });
      require("node:http").createServer(() => {}).listen(process.env.PORT);`,
    "static.mjs": `import "./a.foo";`,
    "a.foo": `module.exports = "foo";`,
    "b.toml": `module.exports = "toml";`,
  });
  await sameAsNode(app, "main.cjs");
  for (const mode of ["node", "reload", "no-reload"] as const)
    assert.match(JSON.stringify(await seen(app, "static.mjs", mode)), /Unknown file extension \\".foo\\" for /, mode);
});

test("require, its cache, its errors and import.meta are as in Node", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "main.cjs": `
      const assert = require("node:assert");
      const { types } = require("node:util");
      const tried = async (run) => {
        try {
          const result = await run();
          return typeof result === "object" ? Object.keys(result) : result;
        } catch (error) {
          return [error.name, error.code, error.message.split("\\n")[0].replaceAll(__dirname, "app")];
        }
      };
      const fake = { fake: true };
      (async () => {
        const esm = require.resolve("./esm.mjs");
        const before = require.cache[esm] !== undefined;
        const first = require("./esm.mjs");
        const cached = require.cache[esm];
        delete require.cache[esm];
        const again = require("./esm.mjs");
        const late = await import("./late.mjs");
        require.cache.fs = { exports: fake };
        const builtins = [require("fs") === fake, require("node:fs") === fake];
        delete require.cache.fs;
        module.parent = "set";
        ${say}say([
          before, cached.exports === first, cached.loaded, first === again, again === require.cache[esm].exports,
          types.isModuleNamespaceObject(first), types.isModuleNamespaceObject(late), types.isModuleNamespaceObject({}), module.parent,
          ...builtins, late.keys,
          await tried(() => require("./late.mjs")), await tried(() => require("node:unknown")), await tried(() => require("./implicit")),
          (await tried(() => require("./broken.json")))[2].startsWith("app/broken.json: "),
          await tried(() => import("./folder")), await tried(() => import("bad%2Fname")), await tried(() => import("@bad")),
          await tried(() => import("./requires.mjs")), await tried(() => import("./exports.mjs")), await tried(() => import("./typed/dir.js")),
        ]);
      })();`,
    "esm.mjs": `export const a = 1;`,
    "late.mjs": `export const b = await 1; export const keys = Reflect.ownKeys(import.meta);`,
    "implicit.mjs": "export {}",
    "broken.json": `{ "a": `,
    "folder/package.json": `{ "main": "./main.js" }`,
    "folder/main.js": "",
    "requires.mjs": `require("./esm.mjs");`,
    "exports.mjs": `exports.a = 1;`,
    "typed/package.json": `{ "type": "module" }`,
    "typed/dir.js": `console.log(__dirname);`,
  });
  await sameAsNode(app, "main.cjs");
});

test("a folder that is required by dots is no file beside it that has its name", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "main.js": `${say}say([require("./lib"), require("./lib/"), require("./lib/."), ...require("./lib/up.js")]);`,
    "lib.js": `module.exports = "lib.js";`,
    "lib.json": `"lib.json"`,
    "lib/index.js": `module.exports = "lib/index.js";`,
    "lib/up.js": `module.exports = [require("."), require("./"), require("./deep"), require("./deep/up.js")];`,
    "lib/deep.json": `"deep.json"`,
    "lib/deep/index.js": `module.exports = "deep/index.js";`,
    "lib/deep/up.js": `module.exports = [require(".."), require("../"), require("../.."), require("../../lib/deep/..")];`,
    "index.js": `module.exports = "index.js";`,
  });
  await sameAsNode(app, "main.js");
});
