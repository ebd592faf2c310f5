/** Threads and processes that the app starts: TypeScript runs in them, and an edit of what they evaluate is taken in. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seen } from "../support/as-node.js";
import { within } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Each gives a promise of what the started file says. */
const starts = {
  "a thread by its URL": `new Promise((done) => new Worker(new URL("./kid.EXT", import.meta.url), { workerData: 1, argv: ["a"] }).once("message", done))`,
  "a thread by its path": `new Promise((done) => new Worker("./kid.EXT", { workerData: 1, argv: ["a"] }).once("message", done))`,
  fork: `new Promise((done) => fork("kid.EXT", ["a"]).once("message", done))`,
  spawn: `spoken(spawn(process.execPath, ["--no-warnings", "kid.EXT", "a"]))`,
  "spawn of node": `spoken(spawn("node", ["kid.EXT", "a"]))`,
  spawnSync: `JSON.parse(spawnSync(process.execPath, ["kid.EXT", "a"], { encoding: "utf8" }).stdout)`,
  execFile: `new Promise((done) => execFile(process.execPath, ["kid.EXT", "a"], (_, out) => done(JSON.parse(out))))`,
  "promised execFile": `promisify(execFile)(process.execPath, ["kid.EXT", "a"]).then(({ stdout }) => JSON.parse(stdout))`,
  execFileSync: `JSON.parse(execFileSync(process.execPath, ["kid.EXT", "a"], { encoding: "utf8" }))`,
};

const ofEachKind = ["a thread by its path", "fork", "spawn", "execFileSync"];

const helpers = `
const spoken = (child) => new Promise((done) => { let text = ""; child.stdout.on("data", (part) => { text += part; }).on("end", () => done(JSON.parse(text))); });
const serving = (said) => http.createServer(async (_, answer) => answer.end(JSON.stringify(await said))).listen(process.env.PORT, "127.0.0.1");
`;
const esmHead = `import http from "node:http"; import { Worker } from "node:worker_threads"; import { promisify } from "node:util";
import { fork, spawn, spawnSync, execFile, execFileSync } from "node:child_process"; ${helpers}`;
const commonJsHead = `const http = require("node:http"), { Worker } = require("node:worker_threads"), { promisify } = require("node:util");
const { fork, spawn, spawnSync, execFile, execFileSync } = require("node:child_process"); ${helpers}`;

const says = (argv: string) => `
const said = { text, args: ${argv}.slice(2), file: ${argv}[1], execArgv: process.execArgv, main: MAIN, thread: !isMainThread };
if (!isMainThread) parentPort.postMessage(said); else if (process.send) process.send(said, () => process.disconnect()); else console.log(JSON.stringify(said));
`;
const esmKid = `import { isMainThread, parentPort } from "node:worker_threads"; import { text } from "./text.EXT"; ${says("process.argv")}`;
const commonJsKid = `const { isMainThread, parentPort } = require("node:worker_threads"), { text } = require("./text.EXT"); ${says("process.argv")}`;

interface Said {
  readonly text: string;
  readonly args: readonly string[];
  readonly file: string;
  readonly execArgv: readonly string[];
  readonly main: boolean;
  readonly thread: boolean;
}

const languages = {
  "ES modules": { main: "main.js", ext: "js", type: "module", text: `export const text = "one";`, typed: false },
  CommonJS: { main: "main.cjs", ext: "cjs", type: "commonjs", text: `exports.text = "one";`, typed: false },
  "TypeScript as ES modules": {
    main: "main.ts",
    ext: "ts",
    type: "module",
    text: `enum Text { one = "one" } export const text: string = Text.one;`,
    typed: true,
  },
  "TypeScript as CommonJS": {
    main: "main.ts",
    ext: "ts",
    type: "commonjs",
    text: `enum Text { one = "one" } export const text: string = Text.one;`,
    typed: true,
  },
};

for (const [language, { main, ext, type, text, typed }] of Object.entries(languages)) {
  test(`started from ${language}, in every way`, async () => {
    const isCommonJs = ext === "cjs";
    const isRequired = isCommonJs || (typed && type === "commonjs");
    const inExt = (source: string) =>
      source.replaceAll("EXT", ext).replaceAll("MAIN", isRequired ? "require.main === module" : "true");
    // In CommonJS, which has no URLs of files, one of each kind is enough.
    const ways = Object.entries(starts).filter(([how]) => !isRequired || ofEachKind.includes(how));
    await using app = new TempApp({
      "package.json": `{ "name": "app", "type": "${type}" }`,
      [main]:
        (isCommonJs ? commonJsHead : esmHead) + inExt(`serving(Promise.all([${ways.map(([, start]) => start)}]));`),
      [`kid.${ext}`]: inExt(isCommonJs ? commonJsKid : esmKid),
      [`text.${ext}`]: text,
    });
    // Some are waited for, and each takes its time.
    await using served = await serve(app, main, { flags: ["--watchdog", "off"] });
    const all = async (): Promise<Record<string, Said>> => {
      const said = await served.json<Said[]>("/");
      return Object.fromEntries(ways.map(([how], index) => [how, said[index] as Said]));
    };
    const expected = (how: string): Said => ({
      text: "one",
      args: ["a"],
      file: app.path(`kid.${ext}`),
      execArgv: how === "spawn" ? ["--no-warnings"] : [],
      main: true,
      thread: how.includes("thread"),
    });
    const texts = async () => Object.entries(await all()).map(([how, said]) => `${how}: ${said.text}`);
    assert.deepEqual(await all(), Object.fromEntries(ways.map(([how]) => [how, expected(how)])));
    app.edit(`text.${ext}`, `"one"`, `"two"`);
    assert.deepEqual(
      await texts(),
      ways.map(([how]) => `${how}: two`),
    );
    app.edit(`kid.${ext}`, "= { text,", "= { text: text + '!',");
    assert.deepEqual(
      await texts(),
      ways.map(([how]) => `${how}: two!`),
    );
  });
}

const workerApp = (
  start: string,
) => `import http from "node:http"; import { Worker } from "node:worker_threads"; import { fork } from "node:child_process";
const ask = (url) => new Promise((done, failed) => new Worker(url).once("message", done).once("error", failed));
${start}
http.createServer(async (_, answer) => { try { answer.end(await said()); } catch (error) { answer.end("failed: " + error.message); } }).listen(process.env.PORT, "127.0.0.1");`;

describe("what is started", () => {
  test("loads first what the process was told to, as under Node", async () => {
    await using app = new TempApp({
      "first.cjs": `globalThis.first = "first";`,
      "main.cjs": `const { Worker } = require("node:worker_threads"), { fork } = require("node:child_process");
const said = (child) => new Promise((done) => child.once("message", done));
Promise.all([said(new Worker("./kid.cjs")), said(new Worker("./kid.cjs", { execArgv: [] })), said(new Worker(require("node:fs").readFileSync("./kid.cjs", "utf8"), { eval: true })), said(fork("kid.cjs"))])
.then((all) => { console.log("SEEN " + JSON.stringify([globalThis.first, ...all])); require("node:http").createServer(() => {}).listen(process.env.PORT); });`,
      "kid.cjs": `const { parentPort } = require("node:worker_threads"); const said = [globalThis.first ?? "none", process.execArgv];
if (parentPort) parentPort.postMessage(said); else process.send(said, () => process.disconnect());`,
    });
    const ways = [
      { node: ["--require", "./first.cjs", "--conditions=mine"] },
      { env: { NODE_OPTIONS: "--require ./first.cjs" } },
      {},
    ];
    for (const way of ways) {
      assert.deepEqual(await seen(app, "main.cjs", "reload", way), await seen(app, "main.cjs", "node", way));
    }
  });

  test("in a request counts with the module that started it, and its state goes with the old version", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "main.js": `import http from "node:http"; import { said } from "./jobs.js";
http.createServer(async (_, answer) => answer.end(await said())).listen(process.env.PORT, "127.0.0.1");`,
      "jobs.js": `import { Worker } from "node:worker_threads"; let made = 0; let worker;
export const said = () => new Promise((done) => { worker ??= (made++, new Worker(new URL("./kid.js", import.meta.url))); worker.once("message", (text) => done(text + made)); worker.postMessage(0); });`,
      "kid.js": `import { parentPort } from "node:worker_threads"; import { text } from "./text.js"; parentPort.on("message", () => parentPort.postMessage(text));`,
      "text.js": `export const text = "one";`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one1");
    assert.equal(await served.text("/"), "one1");
    app.edit("text.js", "one", "two");
    assert.equal(await served.text("/"), "two1");
  });

  for (const [how, made] of Object.entries({
    "by itself": `new Worker(new URL("./kid.js", import.meta.url), { workerData: "message" })`,
    "by a pool": `(pool = new Piscina({ filename: new URL("./kid.js", import.meta.url).href, minThreads: 1, maxThreads: 1 })).threads[0]`,
  })) {
    test(`that a request has made ${how} ends with the module, when requests that wait for it are over`, {
      skip: plainMode,
    }, async () => {
      await using app = new TempApp(
        {
          "package.json": `{ "type": "module" }`,
          "main.js": `import http from "node:http"; import kept from "kept"; import { said } from "./jobs.js";
http.createServer(async (request, answer) => answer.end(request.url === "/alive" ? kept.alive() : await said(request.url))).listen(process.env.PORT, "127.0.0.1");`,
          "jobs.js": `import { Worker } from "node:worker_threads"; import { Piscina } from "piscina"; import kept from "kept";
const version = 1; let pool; let worker;
export const said = async (url) => {
  if (!worker) kept.add((worker = ${made}));
  if (url === "/long") console.log("begun");
  const text = pool ? await pool.run(url) : await new Promise((done) => { worker.once("message", done); worker.postMessage(url); });
  return text + " " + version;
};`,
          "kid.js": `import { existsSync } from "node:fs"; import { parentPort, workerData } from "node:worker_threads";
const say = async (url) => { while (url === "/long" && !existsSync("go.tmp")) await new Promise((resolve) => setTimeout(resolve, 10)); return url; };
if (workerData === "message") parentPort.on("message", async (url) => parentPort.postMessage(await say(url)));
export default say;`,
          "node_modules/kept/package.json": `{ "name": "kept", "main": "index.cjs" }`,
          "node_modules/kept/index.cjs": `const all = []; exports.add = new Proxy((worker) => void all.push(worker), {}); exports.alive = new Proxy(() => all.map(({ threadId }) => threadId > 0).join(), {});`,
        },
        { packages: ["piscina"] },
      );
      await using served = await serve(app, "main.js");
      const long = served.getOnce("/long");
      await served.lines.wait(/^begun/);
      app.edit("jobs.js", "version = 1", "version = 2");
      assert.equal(await served.text("/"), "/ 2");
      assert.equal(await served.text("/alive"), "true,true");
      app.write("go.tmp", "");
      assert.equal((await long).body, "/long 1");
      let alive = "";
      const look = async () => {
        while (alive !== "false,true") alive = await served.text("/alive");
      };
      await within(look(), () => `the end of the thread; alive: ${alive}`);
      assert.equal(await served.text("/"), "/ 2");
    });
  }

  test("may be JavaScript that leads to TypeScript, and to files that come later", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "tsconfig.json": "{}",
      "main.ts": workerApp(`const said = (): Promise<string> => ask(new URL("./kid.js", import.meta.url));`),
      "kid.js": `import { parentPort } from "node:worker_threads"; import { text } from "./own/text.js"; parentPort.postMessage(text);`,
      "own/text.ts": `enum Text { one = "one" } export const text: string = Text.one;`,
    });
    await using served = await serve(app, "main.ts");
    assert.equal(await served.text("/"), "one");
    app.edit("kid.js", `import { text }`, `import "./missing.js"; import { text }`);
    assert.match(await served.text("/"), /failed: .*missing\.js/);
    app.write("missing.js", "");
    assert.equal(await served.text("/"), "one");
  });

  test("says what is wrong with its TypeScript, and is taken up again when that is mended", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "main.ts": workerApp(
        `const first = ask(new URL("./kid.ts", import.meta.url)); first.catch(() => {}); const said = () => first;`,
      ),
      "kid.ts": `import { parentPort } from "node:worker_threads"; const text: string = "one"; parentPort!.postMessage(text);`,
    });
    await using served = await serve(app, "main.ts");
    assert.equal(await served.text("/"), "one");
    app.edit("kid.ts", `"one";`, `= "two";`);
    assert.match(await served.text("/"), /failed: .*kid\.ts|failed: .*xpected/);
    app.edit("kid.ts", `= "two";`, `"two";`);
    assert.equal(await served.text("/"), "two");
  });

  test("starts TypeScript in its turn", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "main.ts": workerApp(
        `const first = new Promise<unknown>((done) => fork("kid.ts").once("message", done)); const said = () => first;`,
      ),
      "kid.ts": `import { Worker } from "node:worker_threads"; import { fork } from "node:child_process";
const from = (url: URL) => new Promise((done) => new Worker(url).once("message", done));
process.send!(await from(new URL("./thread.ts", import.meta.url)) + " " + (await new Promise((done) => fork("./leaf.ts").once("message", done))), () => process.disconnect());`,
      "thread.ts": `import { parentPort } from "node:worker_threads"; enum Kind { thread = "thread" } parentPort!.postMessage(Kind.thread);`,
      "leaf.ts": `enum Kind { leaf = "leaf" } process.send!(Kind.leaf, () => process.disconnect());`,
    });
    await using served = await serve(app, "main.ts");
    assert.equal(await served.text("/"), "thread leaf");
  });

  test("is not given a server that listens, and the process goes on", async () => {
    await using app = new TempApp({
      "main.cjs": `const http = require("node:http"), net = require("node:net"), { fork } = require("node:child_process");
const child = fork("kid.cjs"); const other = net.createServer().listen(0, "127.0.0.1");
http.createServer((_, answer) => { try { child.send("server", other); answer.end("sent"); } catch (error) { answer.end(error.code); } }).listen(process.env.PORT, "127.0.0.1");`,
      "kid.cjs": `process.on("message", () => {});`,
    });
    await using served = await serve(app, "main.cjs", { announced: /listening on http:\/\/127\.0\.0\.1:\d+/ });
    const port = served.lines.matching(/listening on http:/)[0]?.match(/http:\/\/[\d.:]+/)?.[0] ?? "";
    assert.equal((await requestOnce(port)).body, "ERR_UNRELOADER_SERVER_SENT");
    assert.equal((await requestOnce(port)).body, "ERR_UNRELOADER_SERVER_SENT");
  });

  test("is TypeScript without reloads as well", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "main.ts": workerApp(`const said = (): Promise<string> => ask(new URL("./kid.ts", import.meta.url));`),
      "kid.ts": `import { parentPort } from "node:worker_threads"; enum Text { one = "one" } parentPort!.postMessage(Text.one);`,
    });
    await using served = await serve(app, "main.ts", { flags: ["--no-reload"] });
    assert.equal(await served.text("/"), "one");
  });

  test("is left to the runner of TypeScript that is preloaded for it", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "node_modules/tsx/package.json": `{ "name": "tsx", "main": "index.cjs" }`,
      "node_modules/tsx/index.cjs": `require("node:module").registerHooks?.({ load: (url, context, next) => url.endsWith("kid.ts") ? { format: "module", source: "process.send('runner', () => process.disconnect())", shortCircuit: true } : next(url, context) });
if (!require("node:module").registerHooks) { process.send("runner", () => process.exit()); }`,
      "main.ts": workerApp(
        `const first = new Promise<unknown>((done) => fork("kid.ts", { execArgv: ["--require", "tsx"] }).once("message", done)); const said = () => first;`,
      ),
      "kid.ts": `process.send!("ours", () => process.disconnect());`,
    });
    await using served = await serve(app, "main.ts");
    assert.equal(await served.text("/"), "runner");
  });

  test("by a pool is reloaded with the module that made the pool, whose threads end", async () => {
    await using app = new TempApp(
      {
        "package.json": `{ "type": "module" }`,
        "main.ts": `import http from "node:http"; import { run } from "./pool.js";
http.createServer(async (_, answer) => answer.end(String(await run()))).listen(process.env.PORT, "127.0.0.1");`,
        "pool.ts": `import { Piscina } from "piscina"; import kept from "kept";
const pool = new Piscina({ filename: new URL("./job.ts", import.meta.url).href, minThreads: 1, maxThreads: 1 });
kept.add(pool);
export const run = async () => { const result = await pool.run(0); while (kept.threads() > 1) await new Promise(setImmediate); return result + " " + kept.threads(); };`,
        "node_modules/kept/package.json": `{ "name": "kept", "main": "index.cjs" }`,
        "node_modules/kept/index.cjs": `const all = []; exports.add = (pool) => void all.push(pool); exports.threads = () => all.reduce((sum, pool) => sum + pool.threads.length, 0);`,
        "job.ts": `import { text } from "./text.js"; enum Kind { job = "job" } export default () => Kind.job + " " + text;`,
        "text.ts": `export const text: string = "one";`,
        "tsconfig.json": "{}",
      },
      { packages: ["piscina"] },
    );
    await using served = await serve(app, "main.ts");
    assert.equal(await served.text("/"), "job one 1");
    app.edit("text.ts", "one", "two");
    assert.equal(await served.text("/"), "job two 1");
    app.edit("job.ts", `= "job"`, `= "work"`);
    assert.equal(await served.text("/"), "work two 1");
  });
});
