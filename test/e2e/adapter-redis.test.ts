/** ioredis and bullmq against a real Redis. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { serviceUrl, skipWithout } from "../support/services.js";

const skip = skipWithout("REDIS");
const url = serviceUrl("REDIS") ?? "";

test("ioredis: one client is connected after many reloads, and a message is handled once", { skip }, async () => {
  const files = {
    "client.js": `
const { Redis } = require("ioredis");
const { watch } = require("./probe.cjs");
exports.client = watch(new Redis(process.env.REDIS));
exports.subscriber = watch(new Redis(process.env.REDIS));
exports.received = [];
exports.ready = exports.subscriber.subscribe("channel");
exports.subscriber.on("message", (channel, message) => process.emit("test:message", message + " version-1"));
`,
    "main.js": `
const { client, ready } = require("./client.js");
require("./probe.cjs").serve(async (request) => {
  if (request.url === "/clients") return (await client.client("LIST")).split("\\n").filter((line) => line.includes("addr=")).length;
  await ready;
  const received = [];
  const note = (message) => received.push(message);
  process.on("test:message", note);
  const subscribers = await client.publish("channel", "hello");
  while (received.length < subscribers) await new Promise((resolve) => setImmediate(resolve));
  process.off("test:message", note);
  return received.length === 1 ? received[0].replace("hello ", "") : received.join();
});
`,
  };
  await reloadManyTimes(
    { packages: ["ioredis"], files, entry: "main.js", edited: "client.js", options: { env: { REDIS: url } } },
    RELOADS,
    async ({ alive, served }) => {
      assert.equal(await served.text("/clients"), "2");
      assert.ok((await alive()) <= 4, `${await alive()} clients are alive`);
    },
  );
});

for (const kind of ["CommonJS", "ES modules"] as const) {
  test(`bullmq: only the newest worker takes jobs (${kind})`, { skip }, async () => {
    const imports =
      kind === "CommonJS"
        ? {
            bullmq: `const { Queue, Worker, QueueEvents } = require("bullmq");\nconst { Redis } = require("ioredis");`,
            probe: `const { watch } = require("./probe.cjs");`,
          }
        : {
            bullmq: `import { Queue, Worker, QueueEvents } from "bullmq";\nimport { Redis } from "ioredis";`,
            probe: `import { watch } from "./probe.cjs";`,
          };
    const name = `jobs-${process.pid}-${kind.length}`;
    const files = {
      "package.json": kind === "CommonJS" ? `{}` : `{ "type": "module" }`,
      "worker.js": `
${imports.bullmq}
${imports.probe}
const connection = { url: process.env.REDIS };
watch(new Worker("${name}", async () => "version-1", { connection }));
`,
      "queue.js": `
${imports.bullmq}
const connection = { url: process.env.REDIS };
const queue = new Queue("${name}", { connection });
const events = new QueueEvents("${name}", { connection });
${kind === "CommonJS" ? "exports.run =" : "export const run ="} async () => {
  await events.waitUntilReady();
  const job = await queue.add("job", {});
  return job.waitUntilFinished(events);
};
${kind === "CommonJS" ? "exports.connections =" : "export const connections ="} async () => {
  const client = new Redis(process.env.REDIS);
  try {
    return (await client.client("LIST")).split("\\n").filter((line) => line.includes("addr=")).length - 1;
  } finally {
    client.disconnect();
  }
};
`,
      "main.js":
        kind === "CommonJS"
          ? `
const { connections, run } = require("./queue.js");
require("./worker.js");
require("./probe.cjs").serve((request) => request.url === "/connections" ? connections() : run());
`
          : `
import { connections, run } from "./queue.js";
import "./worker.js";
import { serve } from "./probe.cjs";
serve((request) => request.url === "/connections" ? connections() : run());
`,
    };
    await reloadManyTimes(
      {
        packages: ["bullmq", "ioredis"],
        files,
        entry: "main.js",
        edited: "worker.js",
        options: { env: { REDIS: url } },
      },
      RELOADS,
      async ({ alive, served }) => {
        const connections = Number(await served.text("/connections"));
        assert.ok(connections <= 8, `${connections} connections`);
        assert.ok((await alive()) <= 4, `${await alive()} workers are alive`);
      },
    );
  });
}
