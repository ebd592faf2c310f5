/** `--no-reload`: the app is the process, as under plain Node; nothing of the supervisor runs beside it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frameworkApps, type Items } from "../support/framework-apps.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, runToExit, type ServedApp, type ServeOptions, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const esm = { "package.json": `{ "name": "app", "type": "module" }\n` };

function servePlain(app: TempApp, entry: string, options: ServeOptions = {}): Promise<ServedApp> {
  return serve(app, entry, { ...options, flags: ["--no-reload", ...(options.flags ?? [])] });
}

describe("--no-reload", { skip: plainMode }, () => {
  for (const framework of frameworkApps) {
    test(`serves ${framework.name}, and goes on with the code it started with`, async () => {
      const { entry, leaf, files, packages } = framework;
      await using app = new TempApp(files, { packages });
      await using served = await servePlain(app, entry);
      const first = await served.json<Items>("/items");
      assert.deepEqual([first.leaf, first.pid], ["leaf-1", served.pid]);
      app.edit(leaf, "leaf-1", "leaf-2");
      assert.equal((await served.json<Items>("/items")).leaf, "leaf-1");
      assert.deepEqual(await served.stop(), { code: 0, signal: null });
      assert.deepEqual(app.leftInScratch(), []);
    });
  }

  const evaluates: readonly { name: string; entry: string; files: Record<string, string>; answer: unknown }[] = [
    {
      name: "TypeScript ES modules: enums, namespaces, parameter properties, .js specifiers, JSON, top-level await",
      entry: "main.ts",
      files: {
        ...esm,
        "main.ts": `import http from "node:http";
import settings from "./settings.json" with { type: "json" };
import bare from "./settings.json";
import { Level, Shape, Box } from "./types.js";
const late = await import("./late.js");
import { load } from "loading";
const again = await load(new URL("./late.js", import.meta.url).href);
import { common, passed } from "./common.cjs";
const state = { level: Level.high, shape: Shape.side, size: new Box(3).size, late: late.text + again.text, common: common + passed, settings: { ...settings, ...bare }, main: import.meta.filename };
http.createServer((_, response) => response.end(JSON.stringify(state))).listen(process.env.PORT, "127.0.0.1");
`,
        "types.ts": `export enum Level { low, high }
export namespace Shape { export const side = 4; }
export class Box { constructor(readonly size: number) {} }
`,
        "common.cts": `const common: string = "c"; module.exports = { common, ...require("./passed.cjs") };\n`,
        "passed.cts": `exports.passed = "p" as string;\n`,
        "late.mts": "",
        "late.ts": `export const text: string = "late";\n`,
        "settings.json": `{ "a": 1 }`,
        "node_modules/loading/package.json": `{ "name": "loading", "type": "module", "exports": "./index.js" }`,
        "node_modules/loading/index.js": "export const load = (url) => import(url);",
      },
      answer: {
        level: 1,
        shape: 4,
        size: 3,
        late: "latelate",
        common: "cp",
        settings: { a: 1 },
        main: "FOLDER/main.ts",
      },
    },
    {
      name: "TypeScript with import syntax in a CommonJS package, as the main module",
      entry: "src/main.ts",
      files: {
        "package.json": `{ "name": "app" }`,
        "tsconfig.json": `{ "compilerOptions": { "esModuleInterop": true, "baseUrl": ".", "paths": { "#lib/*": ["src/lib/*"] } } }`,
        "src/main.ts": `import http from "node:http";
import { twice } from "#lib/twice";
import plus = require("./lib/plus");
export const exported: number = twice(4);
const state = { exported, plus: plus(1), main: require.main === module, file: __filename };
http.createServer((_, response) => response.end(JSON.stringify(state))).listen(process.env.PORT, "127.0.0.1");
`,
        "src/lib/twice.ts": `export const twice = (n: number): number => n * 2;\n`,
        "src/lib/plus.ts": `export = (n: number): number => n + 1;\n`,
      },
      answer: { exported: 8, plus: 2, main: true, file: "FOLDER/src/main.ts" },
    },
    {
      name: "ES modules that import CommonJS in TypeScript, and the other way round",
      entry: "main.mts",
      files: {
        "main.mts": `import http from "node:http";
import { named } from "./common.cjs";
import { late } from "./common.cjs";
http.createServer((_, response) => response.end(JSON.stringify([named, late()]))).listen(process.env.PORT, "127.0.0.1");
`,
        "common.cts": `import { value } from "./value.mjs";\nexport const named: string = "named";\nexport const late = (): string => value;\n`,
        "value.mts": `export const value: string = "value";\n`,
      },
      answer: ["named", "value"],
    },
    {
      name: "legacy decorators with metadata, and JSX",
      entry: "main.tsx",
      files: {
        ...esm,
        "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "jsx": "react", "jsxFactory": "h" } }`,
        "main.tsx": `import http from "node:http";
const marked: string[] = [];
const mark = (target: object, name: string): void => { marked.push(target.constructor.name + "." + name); };
class Page { @mark title(): string { return "t"; } }
const h = (tag: string, _: unknown, ...inner: string[]): string => "<" + tag + ">" + inner.join("");
const body = <b>{new Page().title()}</b>;
http.createServer((_, response) => response.end(JSON.stringify({ marked, body }))).listen(process.env.PORT, "127.0.0.1");
`,
      },
      answer: { marked: ["Page.title"], body: "<b>t" },
    },
    {
      name: "JavaScript without a word of TypeScript",
      entry: "main.js",
      files: {
        "main.js": `const http = require("node:http");
const state = { main: require.main === module, argv: process.argv.slice(2), parent: module.parent };
http.createServer((_, response) => response.end(JSON.stringify(state))).listen(process.env.PORT, "127.0.0.1");
`,
      },
      answer: { main: true, argv: ["a"], parent: null },
    },
  ];
  for (const { name, entry, files, answer } of evaluates) {
    test(`evaluates ${name}`, async () => {
      await using app = new TempApp(files);
      await using served = await servePlain(app, entry, { args: ["a"] });
      const text = (await served.text("/")).replaceAll(app.folder, "FOLDER");
      assert.deepEqual(JSON.parse(text), answer);
    });
  }

  test("nothing runs beside the app: the same handles as under plain Node, and no thread", async () => {
    await using app = new TempApp({
      ...esm,
      "main.js": `import http from "node:http";
http.createServer((_, response) => {
  const { workers } = process.report.getReport();
  response.end(JSON.stringify({ handles: process.getActiveResourcesInfo(), workers: workers.length }));
}).listen(process.env.PORT, "127.0.0.1");
`,
    });
    await using served = await servePlain(app, "main.js");
    const { handles, workers } = await served.json<{ handles: string[]; workers: number }>("/");
    // The app's server and its connection; standard output is a pipe.
    const own = new Set(["TCPServerWrap", "TCPSocketWrap", "HTTPINCOMINGMESSAGE", "PipeWrap", "Timeout", "Immediate"]);
    assert.deepEqual([handles.filter((kind) => !own.has(kind)), workers], [[], 0]);
  });

  test("an exported app is served at --port and --host; a listening one has its address overridden", async () => {
    await using exported = new TempApp({
      ...esm,
      "app.ts": `export default { fetch: (): Response => new Response("fetched") };`,
    });
    await using served = await servePlain(exported, "app.ts", { flags: ["-p", "0", "-H", "127.0.0.1"] });
    assert.equal(await served.text("/"), "fetched");
    await using listening = new TempApp({
      ...esm,
      "app.js": `import http from "node:http";
http.createServer((_, response) => response.end("listened")).listen(1, "203.0.113.1");`,
    });
    await using other = await servePlain(listening, "app.js", { flags: ["-p", "0", "-H", "127.0.0.1"] });
    assert.match(other.origin, /^http:\/\/127\.0\.0\.1:/);
    assert.equal(await other.text("/"), "listened");
  });

  test("--env-file sets what is not set, --require loads first, --log-format json tells the address", async () => {
    await using app = new TempApp({
      ...esm,
      "app.env": "GREETING=hello\nPORT=1\n",
      "first.ts": `(globalThis as { first?: string }).first = "loaded";`,
      "main.ts": `import http from "node:http";
const state = [process.env.GREETING, (globalThis as { first?: string }).first];
http.createServer((_, response) => response.end(JSON.stringify(state))).listen(process.env.PORT, "127.0.0.1");
`,
    });
    const flags = ["--env-file", "app.env", "--require", "first.ts", "--log-format", "json"];
    await using served = await servePlain(app, "main.ts", { flags, announced: /"event":"listening"/ });
    const { port } = JSON.parse(served.lines.all[0] ?? "") as { port: number };
    assert.deepEqual(JSON.parse((await requestOnce(`http://127.0.0.1:${port}/`)).body), ["hello", "loaded"]);
  });

  test("requests in flight finish when it is told to end, and the app's own listeners run", async () => {
    await using app = new TempApp({
      ...esm,
      "main.js": `import http from "node:http";
process.on("SIGTERM", () => console.log("the app heard it"));
http.createServer((request, response) => {
  console.log("request");
  process.once("SIGTERM", () => response.end("finished"));
}).listen(process.env.PORT, "127.0.0.1");
`,
    });
    await using served = await servePlain(app, "main.js");
    const answer = served.getOnce("/");
    await served.lines.wait(/^request$/);
    const exit = served.stop();
    assert.equal((await answer).body, "finished");
    assert.deepEqual(await exit, { code: 0, signal: null });
    assert.equal(served.lines.matching(/the app heard it/).length, 1);
  });

  test("ends as Node does: with 1 after an error, with the app's own code, with 0 when nothing is left to do", async () => {
    const endings: readonly [source: string, code: number, line: RegExp | undefined][] = [
      [`interface A {}\nthrow new Error("at start");`, 1, /^Error: at start$/],
      [`setTimeout(() => { throw new Error("later"); }, 1);`, 1, /^Error: later$/],
      [`process.exit(7);`, 7, undefined],
      [`console.log("done");`, 0, /^done$/],
      [`import "./gone.ts";`, 1, /Cannot find module .*gone\.ts/],
      [`const a: = 1;`, 1, /./],
    ];
    for (const [source, code, line] of endings) {
      await using app = new TempApp({ ...esm, "main.ts": source });
      const exit = await runToExit(app.folder, ["--no-reload", "main.ts"]);
      assert.equal(exit.code, code, `${source}\n${exit.lines}`);
      if (line) assert.ok(exit.lines.matching(line).length > 0, `${source}\n${exit.lines}`);
    }
  });

  test("errors show lines of the source", async () => {
    await using app = new TempApp({
      ...esm,
      "main.ts": `interface A {
  readonly a: string;
}

enum B { c }
export function fail(): never {
  throw new Error("here " + B.c);
}
fail();
`,
    });
    const { lines } = await runToExit(app.folder, ["--no-reload", "main.ts"]);
    assert.ok(lines.matching(/at fail \(.*main\.ts:7:9\)/).length > 0, String(lines));
  });
});
