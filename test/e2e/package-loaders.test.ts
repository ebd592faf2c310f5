import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Packages that import files of the app by their paths: routes, plugins, migrations. */
const packages = {
  "node_modules/esm-loader/package.json": `{ "name": "esm-loader", "type": "module", "exports": "./index.js" }`,
  "node_modules/esm-loader/index.js": `
    import { pathToFileURL } from "node:url";
    export { loadAll } from "./all.js";
    export const text = "import(file) stands in this text, and stays: /* import(x) */";
    const kept = new Map();
    /** Keeps the module that it has imported. */
    export const keep = async (file) => {
      if (!kept.has(file)) kept.set(file, await import(/* webpackIgnore: true */ pathToFileURL(file).href));
      return kept.get(file);
    };
    export const load = (file) => import(file);
    export const builtin = (name) => import(name);`,
  "node_modules/esm-loader/all.js": `
    import fs from "node:fs"; import path from "node:path"; import { pathToFileURL } from "node:url";
    export async function loadAll(folder) {
      const all = {};
      for (const name of fs.readdirSync(folder).sort()) {
        const url = pathToFileURL(path.join(folder, name));
        all[name] = (await import(url.href)).default;
      }
      return all;
    }`,
  "node_modules/cjs-loader/package.json": `{ "name": "cjs-loader" }`,
  "node_modules/cjs-loader/index.js": `#!/usr/bin/env node
    "use strict";
    exports.text = "import(file)";
    exports.load = (file) => import(file);`,
};
const app = {
  "package.json": `{ "name": "app", "type": "module" }`,
  "plugins/a.js": `export default () => "a one";`,
  "plugins/b.js": `import { word } from "../word.js"; export default () => "b one " + word;`,
  "plugins/typed.ts": `interface Word { text: string } const word: Word = { text: "typed one" }; export default () => word.text;`,
  "word.js": `export const word = "word one";`,
  "by-cjs.js": `export default () => "by-cjs one";`,
  "late.js": `export default () => "late one";`,
  "kept.js": `export default () => "kept one";`,
};
const place = (name: string) => `new URL("${name}", import.meta.url).pathname`;
const main = `
  import http from "node:http";
  import { builtin, keep, load, loadAll, text } from "esm-loader"; import cjs from "cjs-loader";
  import { word } from "./word.js";
  const plugins = await loadAll(${place("./plugins")});
  const byCjs = (await cjs.load(${place("./by-cjs.js")})).default;
  const same = plugins["a.js"] === (await import("./plugins/a.js")).default;
  const all = async () => [
    ...Object.values(plugins).map((one) => one()), byCjs(), word,
    (await load(${place("./late.js")})).default(), (await keep(${place("./kept.js")})).default(),
    same, text, cjs.text, (await builtin("node:path")).sep,
  ];
  http.createServer(async (_, answer) => answer.end(JSON.stringify(await all()))).listen(process.env.PORT);`;

test("own files that packages import by their paths are the app's modules, and an edit of them is seen", async () => {
  await using temp = new TempApp({ ...packages, ...app, "main.js": main });
  await using running = await serve(temp, "main.js");
  const expected = ["a one", "b one word one", "typed one", "by-cjs one", "word one", "late one", "kept one"];
  const stays = [true, "import(file) stands in this text, and stays: /* import(x) */", "import(file)", "/"];
  assert.deepEqual(await running.json("/"), [...expected, ...stays]);
  for (const [round, files] of [
    ["two", ["plugins/a.js", "plugins/b.js", "plugins/typed.ts", "by-cjs.js", "word.js", "late.js", "kept.js"]],
    ["three", ["kept.js", "word.js", "plugins/a.js", "late.js", "by-cjs.js", "plugins/typed.ts", "plugins/b.js"]],
  ] as const) {
    const before = round === "two" ? "one" : "two";
    for (const file of files) {
      temp.edit(file, before, round);
      const name = file.replace(/^plugins\/|\.[jt]s$/g, "");
      for (const [index, text] of expected.entries())
        if (text.includes(`${name} ${before}`)) expected[index] = text.replace(`${name} ${before}`, `${name} ${round}`);
      assert.deepEqual(await running.json("/"), [...expected, ...stays], `${file}: ${round}`);
    }
  }
  assert.equal(running.lines.matching(/restarted/).length, 0);
});

test("a process and a thread of the app have the flags that they have under Node", async () => {
  await using temp = new TempApp({
    "package.json": `{ "name": "app", "type": "module" }`,
    "main.js": `
      import fs from "node:fs"; import { Worker } from "node:worker_threads"; import http from "node:http";
      const asked = new Worker("require('node:worker_threads').parentPort.postMessage(process.execArgv)", { eval: true });
      const flags = await new Promise((resolve) => asked.on("message", resolve));
      const text = fs.readFileSync(new URL("./import.txt", import.meta.url)).toString();
      http.createServer((_, answer) => answer.end(JSON.stringify([process.execArgv, flags, text]))).listen(process.env.PORT);`,
    "import.txt": "import(x)",
  });
  await using running = await serve(temp, "main.js");
  assert.deepEqual(await running.json("/"), [[], [], "import(x)"]);
});
