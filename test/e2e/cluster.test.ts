/** node:cluster: the primary runs in the app's thread, its workers are processes, and their connections pass the gate. */
import assert from "node:assert/strict";
import https from "node:https";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { lookUntil } from "../../src/common/wait.js";
import { certificate, key } from "../support/certificate.js";
import { run } from "../support/compared-run.js";
import { DEADLINE_MS } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

interface Said {
  readonly text: string;
  readonly id: number;
  readonly pid: number;
  readonly remote: string;
  readonly primary: boolean;
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly body: string;
}

const serverText = `
const server = http.createServer((request, answer) => {
  let body = "";
  request.on("data", (part) => { body += part; }).on("end", () => {
    const say = () => answer.end(JSON.stringify({ text: text(), id: cluster.worker.id, pid: process.pid, remote: request.socket.remoteAddress, primary: cluster.isPrimary, argv: process.argv.slice(1), execArgv: process.execArgv, body }));
    if (request.url === "/slow") setTimeout(say, 300); else if (request.url === "/die") process.exit(3); else say();
  });
});
server.listen(process.env.PORT, "127.0.0.1");
`;

const apps = {
  CommonJS: {
    entry: "main.cjs",
    files: {
      "main.cjs": `const cluster = require("node:cluster");
if (cluster.isPrimary) { for (let i = 0; i < 2; i++) cluster.fork(); cluster.on("exit", () => cluster.fork()); } else require("./server.cjs");`,
      "server.cjs": `const cluster = require("node:cluster"), http = require("node:http"), { text } = require("./text.cjs"); ${serverText}`,
      "text.cjs": `exports.text = () => "one";`,
    },
    leaf: "text.cjs",
  },
  "ES modules": {
    entry: "main.mjs",
    files: {
      "main.mjs": `import cluster from "node:cluster";
if (cluster.isPrimary) { for (let i = 0; i < 2; i++) cluster.fork(); cluster.on("exit", () => cluster.fork()); } else await import("./server.mjs");`,
      "server.mjs": `import cluster from "node:cluster"; import http from "node:http"; import { text } from "./text.mjs"; ${serverText}`,
      "text.mjs": `export const text = () => "one";`,
    },
    leaf: "text.mjs",
  },
  TypeScript: {
    entry: "main.ts",
    files: {
      "package.json": `{ "type": "module" }`,
      "main.ts": `import cluster from "node:cluster"; import http from "node:http"; import { text } from "./text.ts";
if (cluster.isPrimary) { for (let i: number = 0; i < 2; i++) cluster.fork(); cluster.on("exit", () => cluster.fork()); } else { ${serverText.replace("(request, answer)", "(request: any, answer: any)")} }`,
      "text.ts": `enum Text { one = "one" } export const text = (): string => Text.one;`,
    },
    leaf: "text.ts",
  },
};

/** Resolves when no process has this number any more. */
async function goneWithin(pid: number): Promise<void> {
  await lookUntil(() => !isAlive(pid), 20, performance.now() + DEADLINE_MS);
  assert.equal(isAlive(pid), false, `${pid} is still there`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
    return false;
  }
}

function askHttps(origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { rejectUnauthorized: false, agent: false as const };
    https.get(origin, options, (answer) => text(answer).then(resolve, reject)).once("error", reject);
  });
}

/** When both workers answer. */
async function twoIds(served: ServedApp): Promise<number[]> {
  const ids = new Set<number>();
  while (ids.size < 2) ids.add((await said(served)).id);
  return [...ids].sort();
}

async function said(served: ServedApp, path = "/"): Promise<Said> {
  return served.json<Said>(path);
}

for (const [language, { entry, files, leaf }] of Object.entries(apps)) {
  describe(`a cluster in ${language}`, () => {
    test("serves behind the one port, and an edit is answered by new workers", async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, entry);
      const first = await said(served);
      assert.deepEqual([first.text, first.primary, first.remote], ["one", false, "127.0.0.1"]);
      assert.deepEqual([first.argv, first.execArgv], [[app.path(entry)], []]);
      assert.deepEqual(await twoIds(served), [1, 2]);
      app.edit(leaf, `"one"`, `"two"`);
      const next = await said(served);
      assert.equal(next.text, "two");
      assert.ok(next.id === 1 || next.id === 2);
      app.edit(leaf, `"two"`, `"three"`);
      assert.equal((await said(served)).text, "three");
    });
  });
}

describe("a cluster", () => {
  test("answers what had begun before an edit, and loses no request to one", async () => {
    await using app = new TempApp(apps["ES modules"].files);
    await using served = await serve(app, "main.mjs");
    await said(served);
    const slow = requestOnce(`${served.origin}/slow`);
    await said(served);
    app.edit("text.mjs", "one", "two");
    const [answer, after] = await Promise.all([slow, requestOnce(served.origin)]);
    assert.equal((JSON.parse(answer.body) as Said).text, "one");
    assert.equal((JSON.parse(after.body) as Said).text, "two");
  });

  test("keeps its port and shows the failure while its workers' code is broken", async () => {
    await using app = new TempApp(apps["ES modules"].files);
    await using served = await serve(app, "main.mjs");
    assert.equal((await said(served)).text, "one");
    app.edit("text.mjs", "one", `one" + ; "`);
    const broken = await served.get("/");
    assert.equal(broken.status, 500);
    assert.match(broken.body, /text\.mjs:1/);
    app.edit("text.mjs", `one" + ; "`, "two");
    assert.equal((await said(served)).text, "two");
  });

  test("serves bare sockets, with the addresses of their clients", async () => {
    await using app = new TempApp({
      "main.cjs": `const cluster = require("node:cluster"), net = require("node:net");
if (cluster.isPrimary) cluster.fork(); else net.createServer((socket) => socket.end("hello " + (socket.remotePort > 0) + " " + socket.remoteAddress)).listen(process.env.PORT, "127.0.0.1");`,
    });
    await using served = await serve(app, "main.cjs", { announced: /listening on tcp:\/\/127\.0\.0\.1:\d+/ });
    const port = Number(served.lines.matching(/listening on tcp/)[0]?.match(/:(\d+)/)?.[1]);
    const socket = connect(port, "127.0.0.1");
    assert.equal(await text(socket), "hello true 127.0.0.1");
  });

  test("is warned of a policy that takes its port away from the gate", async () => {
    await using app = new TempApp({
      "main.cjs": `const cluster = require("node:cluster"); cluster.schedulingPolicy = cluster.SCHED_NONE;
if (cluster.isPrimary) { cluster.fork(); require("node:http").createServer((_, answer) => answer.end("primary")).listen(process.env.PORT, "127.0.0.1"); }
else require("node:http").createServer(() => {}).listen(0, "127.0.0.1");`,
    });
    await using served = await serve(app, "main.cjs");
    assert.equal(await served.text("/"), "primary");
    await served.lines.wait(/cluster\.schedulingPolicy is SCHED_NONE: .*; leave the policy at SCHED_RR/);
  });

  test("serves HTTPS with the addresses of its clients", async () => {
    await using app = new TempApp({
      "main.cjs": `const cluster = require("node:cluster");
if (cluster.isPrimary) cluster.fork(); else { const { text } = require("./text.cjs");
require("node:https").createServer(${JSON.stringify({ key, cert: certificate })}, (request, answer) => answer.end(text + " " + request.socket.remoteAddress)).listen(process.env.PORT, "127.0.0.1"); }`,
      "text.cjs": `exports.text = "one";`,
    });
    await using served = await serve(app, "main.cjs");
    const ask = () => askHttps(served.origin);
    assert.equal(await ask(), "one 127.0.0.1");
    app.edit("text.cjs", "one", "two");
    assert.equal(await ask(), "two 127.0.0.1");
  });

  test("is heard by workers, whenever it has sent something", async () => {
    await using app = new TempApp({
      "main.cjs": `const cluster = require("node:cluster");
if (cluster.isPrimary) {
  cluster.setupPrimary({ serialization: "advanced" });
  const worker = cluster.fork();
  console.log(worker.send("one", (error) => console.log("sent", error)));
  worker.once("online", () => worker.send(new Map([["two", 2]])));
  worker.on("message", (text) => console.log(text));
  worker.on("exit", (code) => console.log("exit", code));
} else {
  process.on("message", (message) => process.send(["process", message]));
  cluster.worker.on("message", (message) => process.send(["worker", message], () => message === "one" || process.exit(4)));
}`,
    });
    const expected = await run("node", app, "main.cjs", {});
    const got = await run("unreloader", app, "main.cjs", { flags: ["--exit", "--quiet"] });
    assert.deepEqual(got, expected);
  });

  test("ends with its workers", async () => {
    await using app = new TempApp(apps.CommonJS.files);
    await using served = await serve(app, "main.cjs");
    const { pid } = await said(served);
    assert.deepEqual(await served.stop(), { code: 0, signal: null });
    await goneWithin(pid);
  });

  test("gets bodies of any size, and starts a worker for one that ends", async () => {
    await using app = new TempApp(apps.CommonJS.files);
    await using served = await serve(app, "main.cjs");
    const body = "x".repeat(300_000);
    const answer = await requestOnce(served.origin, { method: "POST", body });
    assert.equal((JSON.parse(answer.body) as Said).body.length, body.length);
    // With one worker alone, its end would close the port, as under Node.
    await twoIds(served);
    await requestOnce(`${served.origin}/die`).catch(() => {});
    const ids = new Set<number>();
    while (!ids.has(3)) ids.add((await said(served)).id);
  });
});
