import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { HOLD } from "../../src/common/protocol/connection-table.js";
import { REPLAY_LIMIT } from "../../src/front/replay-buffer.js";
import { PASS } from "../../src/front/turn.js";
import { within } from "../support/deadline.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

const url = (app: RelayedApp, path = "/") => `http://127.0.0.1:${app.port}${path}`;

/** `/crash` throws after it was begun, `/half` after half an answer; others are answered with `name`. */
const fragile = (name: string) => `
  const http = require("node:http");
  http.createServer((req, res) => {
    if (req.url === "/crash") setImmediate(() => { throw new Error("boom"); });
    else if (req.url === "/exit") process.exit(3);
    else if (req.url === "/half") {
      res.writeHead(200, { "Content-Length": 10 });
      res.write("12345", () => setImmediate(() => { throw new Error("boom"); }));
    } else {
      let size = 0;
      req.on("data", (chunk) => { size += chunk.length; });
      req.on("end", () => res.end("${name} " + size));
    }
  }).listen(0);
`;

test("a request that was begun when its worker died gets a page with the reason, and the next one the fresh worker", async () => {
  await using app = await RelayedApp.start(fragile("first"));
  const kept = new KeptConnection(url(app, ""));
  try {
    const crashed = await kept.request("/crash");
    assert.equal(crashed.status, 502);
    assert.match(crashed.body, /boom/);
    const next = kept.request("/");
    await app.boot(fragile("second"));
    assert.equal((await next).body, "second 0");
    assert.equal((await kept.request("/exit")).status, 502);
  } finally {
    kept.close();
  }
});

test("an answer that was cut is not taken for whole by the client", async () => {
  await using app = await RelayedApp.start(fragile("first"));
  await assert.rejects(requestOnce(url(app, "/half")), { code: "ECONNRESET" });
});

test("idle kept connections outlive the worker", async () => {
  await using app = await RelayedApp.start(fragile("first"));
  const clients = Array.from({ length: 20 }, () => new KeptConnection(url(app, "")));
  try {
    for (const client of clients) await client.request("/");
    // A round trip, so that the worker is done with the last answer.
    await app.run("main", "");
    await app.terminate();
    await app.boot(fragile("second"));
    for (const client of clients) assert.equal((await client.request("/")).body, "second 0");
    for (const client of clients) assert.equal(client.opened, 1);
  } finally {
    for (const client of clients) client.close();
  }
});

test("requests that the dead worker had not begun are sent to the next one, kept and new connections alike", async () => {
  await using app = await RelayedApp.start(fragile("first"));
  const kept = new KeptConnection(url(app, ""));
  try {
    await kept.request("/");
    // The worker is blocked until it dies: it never reads what is sent now.
    await app.run("main", `setImmediate(() => { while (Atomics.load(table, ${HOLD}) === 0); process.exit(1); });`);
    const answers = [
      kept.request("/", { method: "POST", body: "12345" }),
      requestOnce(url(app)),
      requestOnce(url(app), { method: "POST", body: "x".repeat(REPLAY_LIMIT - 1000) }),
      requestOnce(url(app), { method: "POST", body: "x".repeat(2 * REPLAY_LIMIT) }),
    ];
    await within(allPassed(app, answers.length), "the front to pass the requests on");
    app.closeGate();
    await app.died();
    Atomics.store(app.table, HOLD, 0);
    await app.boot(fragile("second"));
    const settled = await Promise.all(answers);
    assert.deepEqual(
      settled.map(({ body }) => body),
      // Of the last one only as much was sent to the first worker as could be sent again.
      ["second 5", "second 0", `second ${REPLAY_LIMIT - 1000}`, `second ${2 * REPLAY_LIMIT}`],
    );
  } finally {
    kept.close();
  }
});

test("a request that kills each worker before it is begun is given up, with a page", async () => {
  const killer = `
    const http = require("node:http");
    const server = http.createServer();
    server.on("connection", () => { throw new Error("at the door"); });
    server.listen(0);
  `;
  await using app = await RelayedApp.start(killer);
  const answer = requestOnce(url(app));
  let answered = false;
  answer.then(
    () => {
      answered = true;
    },
    () => {},
  );
  while (!answered) {
    await Promise.race([app.died(), answer]);
    if (!answered) await app.boot(killer);
  }
  assert.equal((await answer).status, 502);
  assert.match((await answer).body, /at the door/);
  assert.ok(app.epoch <= 6, `${app.epoch} workers were tried`);
});

test("an open upgraded connection ends when its worker dies", async () => {
  await using app = await RelayedApp.start(`
    const http = require("node:http");
    http.createServer().on("upgrade", (req, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n");
      socket.pipe(socket);
    }).listen(0);
  `);
  const client = net.connect(app.port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  assert.match(String((await once(client, "data"))[0]), /101/);
  client.write("ping");
  assert.equal(String((await once(client, "data"))[0]), "ping");
  assert.equal(app.front.inFlight(), 0);
  const closed = once(client.resume(), "close");
  await app.terminate();
  await within(closed, "the connection to end");
});

/** Resolves once the gate has passed `count` requests. */
function allPassed(app: RelayedApp, count: number): Promise<void> {
  return new Promise((resolve) => {
    let passed = 0;
    app.verdict = () => {
      passed++;
      // The bytes go out after the verdict, and their rest in later turns.
      if (passed >= count) setImmediate(() => setImmediate(resolve));
      return PASS;
    };
  });
}
