import assert from "node:assert/strict";
import { test } from "node:test";
import { seen } from "../support/as-node.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const manifest = `{ "name": "app", "type": "module" }`;
const serves = (all: string) => `
  import http from "node:http";
  http.createServer(async (request, answer) => answer.end(JSON.stringify(await (${all})(request)))).listen(process.env.PORT);`;

test("each query and fragment of an import makes a module of its own, as in Node", async () => {
  await using app = new TempApp({
    "package.json": manifest,
    "x.js": `
      globalThis.count = (globalThis.count ?? 0) + 1;
      const last = (url) => url.slice(url.lastIndexOf("/"));
      export let n = globalThis.count;
      export const change = () => ++n;
      export const told = [last(import.meta.url), last(import.meta.filename ?? "/x.js"), last(import.meta.resolve("./x.js?w=ä b#c"))];`,
    "star.js": `export * from "./x.js?star"; export { n as plain } from "./x.js"; export * as whole from "./x.js?star#frag";`,
    "cycle.js": `import * as self from "./cycle.js?self"; export const other = () => self; export const name = import.meta.url;`,
    "common.cjs": `globalThis.loads = (globalThis.loads ?? 0) + 1; exports.loads = globalThis.loads;`,
    "main.js": `
      import * as plain from "./x.js"; import * as one from "./x.js?v=1"; import { n, change } from "./x.js?v=1";
      import * as fragment from "./x.js#v"; import * as empty from "./x.js?"; import * as star from "./star.js";
      import * as cycle from "./cycle.js"; import first from "./common.cjs?1"; import second from "./common.cjs?2";
      change();
      const again = await import("./x.js?v=1");
      const two = await import(new URL("./x.js?v=2", import.meta.url));
      const both = await Promise.all([import("./x.js?both"), import("./x.js?both")]);
      const shown = (module) => Object.entries(module).map(([name, value]) =>
        [name, typeof value === "object" && !Array.isArray(value) ? shown(value) : typeof value === "function" ? 0 : value]);
      console.log("SEEN " + JSON.stringify([plain, one, fragment, empty, two, star].map(shown).concat([
        n, again === one, empty === plain, both[0] === both[1], first, second,
        cycle.other() === cycle, cycle.other().other() === cycle.other(), cycle.other().name === cycle.name + "?self",
      ])));`,
  });
  const expected = await seen(app, "main.js", "node");
  assert.ok(Array.isArray(expected), JSON.stringify(expected));
  for (const mode of ["reload", "no-reload"] as const)
    assert.deepEqual(await seen(app, "main.js", mode), expected, mode);
});

test("an edit reloads all modules of a file, and what each of them has created is undone", async () => {
  await using app = new TempApp({
    "package.json": manifest,
    "ticks.js": `
      const { searchParams } = new URL(import.meta.url);
      export const name = searchParams.get("name") ?? "plain";
      export const text = "old " + name;
      process.on("ticked", () => globalThis.ticked.push(text));`,
    "main.js": `
      import { text } from "./ticks.js?name=static";
      import * as plain from "./ticks.js";
      globalThis.ticked = [];
      const named = await import("./ticks.js?name=awaited");
      const all = async () => {
        globalThis.ticked.length = 0;
        process.emit("ticked");
        return [text, plain.text, named.text, (await import("./ticks.js?name=late")).text, ticked.sort()];
      };
      ${serves("all")}`,
  });
  await using running = await serve(app, "main.js");
  const answer = (word: string, ticks: string[]) => {
    const texts = ["static", "plain", "awaited", "late"].map((name) => `${word} ${name}`);
    return [...texts, ticks.map((name) => `${word} ${name}`)];
  };
  assert.deepEqual(await running.json("/"), answer("old", ["awaited", "plain", "static"]));
  assert.deepEqual(await running.json("/"), answer("old", ["awaited", "late", "plain", "static"]));
  app.edit("ticks.js", `"old "`, `"new "`);
  assert.deepEqual(await running.json("/"), answer("new", ["awaited", "late", "plain", "static"]));
  app.edit("ticks.js", `"new "`, `"newest "`);
  assert.deepEqual(await running.json("/"), answer("newest", ["awaited", "late", "plain", "static"]));
});

test("queries without number keep no module alive, and none is evaluated twice while somebody has it", async () => {
  await using app = new TempApp({
    "package.json": manifest,
    "busted.js": `export const made = { size: new Array(1000).fill(0) }; export class Made {} export const text = "old";`,
    "main.js": `
      import v8 from "node:v8"; import vm from "node:vm";
      v8.setFlagsFromString("--expose-gc");
      const gc = vm.runInNewContext("gc");
      const held = await import("./busted.js?held");
      let count = 0;
      const all = async () => {
        const made = [];
        for (let k = 0; k < 200; k++) made.push(new WeakRef((await import("./busted.js?t=" + count++)).made));
        for (let k = 0; k < 20; k++) {
          await new Promise((resolve) => setImmediate(resolve));
          gc();
        }
        const alive = made.filter((one) => one.deref()).length;
        return [alive, held === (await import("./busted.js?held")), held.text, (await import("./busted.js?late")).text];
      };
      ${serves("all")}`,
  });
  await using running = await serve(app, "main.js");
  const expectFew = ([alive, ...rest]: unknown[], text: string) => {
    assert.ok(Number(alive) < 60, `${String(alive)} of 200 modules are alive`);
    assert.deepEqual(rest, [true, text, text]);
  };
  expectFew(await running.json<unknown[]>("/"), "old");
  app.edit("busted.js", `"old"`, `"new"`);
  expectFew(await running.json<unknown[]>("/"), "new");
  expectFew(await running.json<unknown[]>("/"), "new");
});
