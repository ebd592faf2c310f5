/** A worker that is blocked: its requests are answered without it, and pass again when it is done. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import type { OwnPage } from "../../src/pages/own-page.js";
import { eventually, within } from "../support/deadline.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

const url = (app: RelayedApp, path = "/") => `http://127.0.0.1:${app.port}${path}`;
const page: OwnPage = { status: 504, text: "src/app.ts:3:1 has kept the app busy for 10 s\n" };

/** `/half` sends half an answer. */
const app = `
  const http = require("node:http");
  http.createServer((req, res) => {
    if (req.url === "/half") {
      res.writeHead(200, { "Content-Length": 10 });
      res.write("12345");
    } else if (req.url !== "/never") res.end("answered " + req.url);
  }).listen(0);
`;

/** Blocks the worker until the last word of the table, which no connection uses, is 1. */
const block = "setImmediate(() => { while (Atomics.load(table, table.length - 1) === 0); });";

test("requests in flight get the page, half-sent answers are cut, idle connections stay, and all pass again later", async () => {
  await using relayed = await RelayedApp.start(app);
  const idle = new KeptConnection(url(relayed, ""));
  const waiting = new KeptConnection(url(relayed, ""));
  try {
    assert.equal((await idle.request("/")).body, "answered /");
    const begun = waiting.request("/never");
    const half = connect(relayed.port, "127.0.0.1");
    half.write("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    let received = "";
    half.on("data", (bytes) => {
      received += bytes;
    });
    const cut = once(half, "error");
    await eventually(
      async () => received,
      (text) => text.includes("12345"),
      "half an answer",
    );
    await eventually(
      async () => relayed.front.inFlightOf(relayed.epoch).requests,
      (count) => count === 2,
      "two requests in flight",
    );
    await relayed.run("main", block);
    // Not begun by the worker, which is blocked when they come.
    const unread = requestOnce(url(relayed, "/unread"), { method: "POST", body: "x".repeat(1000) });
    await eventually(
      async () => relayed.front.inFlightOf(relayed.epoch).requests,
      (count) => count === 3,
      "three requests in flight",
    );
    relayed.front.blocked(relayed.epoch, page);
    for (const answer of await within(Promise.all([begun, unread]), "the pages")) {
      assert.equal(answer.status, 504);
      assert.equal(answer.body, page.text);
    }
    const [error] = (await within(cut, "the reset")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNRESET");
    assert.ok(!received.includes("504"));
    relayed.front.blocked(relayed.epoch, undefined);
    Atomics.store(relayed.table, relayed.table.length - 1, 1);
    assert.equal((await idle.request("/again")).body, "answered /again");
    assert.equal(idle.opened, 1);
    assert.equal((await requestOnce(url(relayed, "/new"))).body, "answered /new");
  } finally {
    idle.close();
    waiting.close();
  }
});

test("a request that waits in the worker behind one that it has answered gets the page, too", async () => {
  await using relayed = await RelayedApp.start(`
    require("node:http").createServer((req, res) => {
      if (req.url !== "/slow") return res.end("answered " + req.url);
      process.once("finish", () => res.end("answered /slow"));
      report("slow begun");
    }).listen(0);
  `);
  const client = connect(relayed.port, "127.0.0.1");
  let received = "";
  client.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  const has = (text: string) =>
    eventually(
      async () => received,
      (seen) => seen.includes(text),
      text,
    );
  try {
    const begun = relayed.nextReport();
    client.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    await within(begun, "the first request");
    relayed.closeGate();
    client.write("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    await relayed.run("main", `process.emit("finish");`);
    await has("answered /slow");
    await relayed.run("main", block);
    assert.equal(relayed.front.inFlightOf(relayed.epoch).requests, 1);
    relayed.front.blocked(relayed.epoch, page);
    await has(page.text);
    assert.match(received, /answered \/slow[\s\S]*HTTP\/1.1 504/);
    assert.ok(!received.includes("answered /next"));
  } finally {
    client.destroy();
    Atomics.store(relayed.table, relayed.table.length - 1, 1);
  }
});
