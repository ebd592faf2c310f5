/**
 * Purged versions become collectable: hundreds of reloads through the command line leave heap, open files and
 * listeners where they were. The app reports on its thread, a preloaded module on the main thread.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const RELOADS = Number(process.env.UNRELOADER_LEAK_RELOADS ?? 400);
const CHAIN_RELOADS = Number(process.env.UNRELOADER_LEAK_CHAIN_RELOADS ?? 120);
const SOAK_RELOADS = Number(process.env.UNRELOADER_SOAK_RELOADS ?? 600);
const SOAK_TIMEOUT_MS = 900_000;

/** What may grow without being a leak: caches that fill up once. What a reload would leak here is over 10 KB. */
const HEAP_MARGIN = 2_000_000;
/**
 * V8 keeps 0.3 to 0.9 KB a reload (in Node 20 up to 3) of code that it has optimized and thrown away again, until memory is
 * short: 3000 reloads kept 2.4 MB, 9000 kept 0.3 MB. Snapshots after 400 and 1400 reloads differ in nothing else.
 */
const MARGIN_OF_A_RELOAD = 1000;
/**
 * The main thread remembers the newest reloads and texts: with the chain 13.6 MB after 100 reloads, 15.4 after 300, 15.0 after
 * 900. Thousands of reloads show that it ends there (memory-soak-reloads).
 */
const MAIN_MARGIN = 3_500_000;

interface Usage {
  readonly heap: number;
  readonly mainHeap: number;
  readonly files: number | null;
  readonly listeners: number;
}

const reporter = `const { readdirSync } = require("node:fs");
const { getHeapStatistics, setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

/**
 * The most thorough collection that there is without the seconds of CPU that a heap snapshot takes. Node 20 has no "last-resort":
 * it keeps caches that are emptied when memory is short, up to 3 KB a reload (it stayed at 13 MB for 5000 reloads in a heap
 * limited to 22 MB). Several turns: what a turn of the event loop still holds goes with the next collection.
 */
exports.collect = async () => {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
  }
  return getHeapStatistics().used_heap_size;
};

exports.openFiles = () => {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
};

exports.listeners = () => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
`;

/**
 * Answers a question on the broadcast channel with the heap of the main thread. It is preloaded in the app's thread, too, which
 * takes itself for the main one: only their scripts differ.
 */
const mainThread = `const { BroadcastChannel } = require("node:worker_threads");
if (process.argv[1].endsWith("cli.js")) {
  const { collect } = require("./reporter.cjs");
  const channel = new BroadcastChannel("leak-test");
  channel.unref();
  channel.onmessage = ({ data }) => {
    if (data === "report") collect().then((heap) => channel.postMessage({ heap }));
  };
}
`;

/** In the app: `mainHeap()` asks the main thread. */
const askMainThread = `const mainHeap = () =>
  new Promise((resolve) => {
    const channel = new BroadcastChannel("leak-test");
    channel.onmessage = ({ data }) => {
      if (data === "report") return;
      channel.close();
      resolve(data.heap);
    };
    channel.postMessage("report");
  });
`;

const files = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "reporter.cjs": reporter,
  "main-thread.cjs": mainThread,
  "main.js": `import http from "node:http";
import { BroadcastChannel } from "node:worker_threads";
import { value } from "./m0.js";
import reporter from "./reporter.cjs";

${askMainThread}
http.createServer(async (req, res) => {
  if (req.url === "/") return res.end(value());
  const [main, heap] = [await mainHeap(), await reporter.collect()];
  const usage = { heap, mainHeap: main, files: reporter.openFiles(), listeners: reporter.listeners() };
  res.end(JSON.stringify(usage));
}).listen(process.env.PORT, "127.0.0.1");
`,
};

/** Weight that makes every version of a module show in the heap. */
const ballast = (count: number) => `class Thing {
  held = this;
}
export const things = Array.from({ length: ${count} }, () => new Thing());
`;

/** An app that does at its start what apps do: a router, a model, timers, listeners on what stays. */
const soakFiles = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "reporter.cjs": reporter,
  "main-thread.cjs": mainThread,
  "node_modules/shared/package.json": `{ "name": "shared", "version": "1.0.0" }`,
  "node_modules/shared/index.js": `const { EventEmitter } = require("node:events");\nmodule.exports = new EventEmitter();\n`,
  "bus.js": `import { EventEmitter } from "node:events";\nexport const bus = new EventEmitter();\n`,
  "user.js": `import mongoose from "mongoose";
import shared from "shared";
import { bus } from "./bus.js";
${ballast(200)}
const version = 0;
const schema = new mongoose.Schema({ name: String });
schema.statics.version = () => version;
export const User = mongoose.model("User", schema);
setInterval(() => process.emit("test:tick", version), 20);
setTimeout(function again() { setTimeout(again, 50); }, 50);
process.on("SIGUSR2", () => things);
process.on("test:note", () => things);
shared.on("event", () => things);
bus.on("event", () => things);
`,
  "routes.js": `import express from "express";
import { User } from "./user.js";
export const router = express.Router();
router.get("/", (request, response) => { response.send(User.version() + ":0"); });
`,
  "main.js": `import { BroadcastChannel } from "node:worker_threads";
import express from "express";
import shared from "shared";
import { bus } from "./bus.js";
import reporter from "./reporter.cjs";
import { router } from "./routes.js";

${askMainThread}
const app = express();
app.use(router);
app.get("/usage", async (request, response) => {
  const [main, heap] = [await mainHeap(), await reporter.collect()];
  const listeners = reporter.listeners() + shared.listenerCount("event") + bus.listenerCount("event");
  response.json({ heap, mainHeap: main, files: reporter.openFiles(), listeners });
});
app.get("/ticks", (request, response) => {
  const ticks = [];
  const note = (version) => {
    if (ticks.push(version) < 10) return;
    process.off("test:tick", note);
    response.json(ticks);
  };
  process.on("test:tick", note);
});
app.listen(process.env.PORT, "127.0.0.1");
`,
};

describe("hundreds of reloads", { skip: plainMode }, () => {
  test(`${SOAK_RELOADS} reloads of an app with Express, a model, timers and listeners leave nothing behind`, {
    timeout: SOAK_TIMEOUT_MS,
  }, async () => {
    await using app = new TempApp(soakFiles, { packages: ["express", "mongoose"] });
    await using served = await serve(app, "main.js", {
      env: { NODE_OPTIONS: `--require ${app.path("main-thread.cjs")}` },
    });
    const edit = (reload: number) => app.edit("user.js", `version = ${reload - 1};`, `version = ${reload};`);
    await flat(served, SOAK_RELOADS, edit);
    const ticks = await served.json<number[]>("/ticks");
    assert.deepEqual(new Set(ticks), new Set([SOAK_RELOADS]), "only the newest interval ticks");
  });

  test(`${RELOADS} reloads of one module leave nothing behind`, async () => {
    await using app = new TempApp({
      ...files,
      "m0.js": `${ballast(2000)}let state = 0;\nexport const value = () => "0:" + state;\n`,
    });
    await using served = await serve(app, "main.js", {
      env: { NODE_OPTIONS: `--require ${app.path("main-thread.cjs")}` },
    });
    await flat(served, RELOADS, (reload) => app.edit("m0.js", `"${reload - 1}:"`, `"${reload}:"`));
  });

  test(`${CHAIN_RELOADS} reloads of a chain of 50 modules leave nothing behind`, async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [
        `m${index}.js`,
        `import { text as below } from "./m${index + 1}.js";\n${ballast(100)}export const text = below;\n${index === 0 ? "export const value = () => text;\n" : ""}`,
      ]),
    );
    await using app = new TempApp({ ...files, ...chain, "m50.js": `export const text = "0:0";\n` });
    await using served = await serve(app, "main.js", {
      env: { NODE_OPTIONS: `--require ${app.path("main-thread.cjs")}` },
    });
    await flat(served, CHAIN_RELOADS, (reload) => app.edit("m50.js", `"${reload - 1}:0"`, `"${reload}:0"`));
  });
});

/** Edits and requests `count` times; what is used after the first third must be all that is used at the end. */
async function flat(served: ServedApp, count: number, edit: (reload: number) => void): Promise<void> {
  const margin = Math.max(HEAP_MARGIN, MARGIN_OF_A_RELOAD * count);
  const settled = Math.ceil(count / 3);
  let before: Usage | undefined;
  for (let reload = 1; reload <= count; reload++) {
    edit(reload);
    assert.equal(await served.text("/"), `${reload}:0`);
    if (reload === settled) before = await served.json<Usage>("/usage");
  }
  assert.ok(before);
  const after = await served.json<Usage>("/usage");
  const told = `${JSON.stringify(before)} became ${JSON.stringify(after)}`;
  if (process.env.UNRELOADER_TEST_OUTPUT) process.stderr.write(`  ${told}\n`);
  assert.ok(after.heap < before.heap + margin, told);
  assert.ok(after.mainHeap < before.mainHeap + MAIN_MARGIN, told);
  assert.equal(after.listeners, before.listeners, told);
  if (after.files !== null && before.files !== null) assert.ok(after.files <= before.files + 2, told);
}
