import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { PASS } from "../../src/front/turn.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

/** Answers with its own name and what it was asked. */
const echo = (name: string) => `
  const http = require("node:http");
  const server = http.createServer((req, res) => {
    let size = 0;
    req.on("data", (chunk) => { size += chunk.length; });
    req.on("end", () => res.end("${name} " + req.method + " " + req.url + " " + size));
  });
  server.listen(0);
`;

const url = (app: RelayedApp, path = "/") => `http://127.0.0.1:${app.port}${path}`;

test("a server without a host listens as soon as listen() returns, on the port that clients use", async () => {
  await using app = await RelayedApp.start(`
    const http = require("node:http");
    const server = http.createServer((req, res) => res.end("one")).listen(0);
    report([server.listening, server.address()]);
  `);
  const [listening, address] = app.reported[0] as [boolean, net.AddressInfo];
  assert.equal(listening, true);
  assert.equal(address.port, app.port);
  assert.equal((await requestOnce(url(app))).body, "one");
});

test("a kept connection survives 50 reloads of its server, and each answer is the newest", async () => {
  await using app = await RelayedApp.start(echo("v0"));
  const kept = new KeptConnection(url(app, ""));
  try {
    for (let version = 1; version <= 50; version++) {
      assert.equal((await kept.request("/a")).body, `v${version - 1} GET /a 0`);
      await app.release("main");
      await app.run("main", echo(`v${version}`));
    }
    assert.equal((await kept.request("/a", { method: "POST", body: "12345" })).body, "v50 POST /a 5");
    assert.equal(kept.opened, 1);
  } finally {
    kept.close();
  }
});

test("a request that comes while its server is replaced waits for the new one", async () => {
  await using app = await RelayedApp.start(echo("old"));
  const kept = new KeptConnection(url(app, ""));
  try {
    await kept.request("/");
    await app.release("main");
    const answers = [kept.request("/kept"), requestOnce(url(app, "/new"))];
    await app.run("main", echo("new"));
    assert.deepEqual(
      (await Promise.all(answers)).map(({ body }) => body),
      ["new GET /kept 0", "new GET /new 0"],
    );
  } finally {
    kept.close();
  }
});

test("a request in flight is answered by the server that began it, after that one was replaced", async () => {
  await using app = await RelayedApp.start(`
    const http = require("node:http");
    http.createServer((req, res) => {
      report("begun");
      globalThis.finish = () => res.end("old");
    }).listen(0);
  `);
  const kept = new KeptConnection(url(app, ""));
  try {
    const answer = kept.request("/");
    await app.nextReport();
    await app.release("main");
    await app.run("main", echo("new"));
    await app.run("main", "globalThis.finish()");
    assert.equal((await answer).body, "old");
    assert.equal((await kept.request("/")).body, "new GET / 0");
    assert.equal(kept.opened, 1);
  } finally {
    kept.close();
  }
});

test("the gate holds a request until it settles, and the bytes that follow stay behind it", async () => {
  await using app = await RelayedApp.start(echo("app"));
  let open = () => {};
  const asked = new Promise<void>((resolve) => {
    app.verdict = () => {
      resolve();
      return new Promise((settle) => {
        open = () => {
          app.verdict = () => PASS;
          settle(PASS);
        };
      });
    };
  });
  const client = net.connect(app.port, "127.0.0.1");
  client.setEncoding("latin1").write("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  await asked;
  assert.equal(app.front.inFlight(), 1);
  client.write("def");
  open();
  const [answer] = await once(client, "data");
  assert.match(String(answer), /app POST \/x 6$/);
  client.destroy();
});

test("the gate is asked once for each request of a kept connection", async () => {
  await using app = await RelayedApp.start(echo("app"));
  let asked = 0;
  app.verdict = () => {
    asked++;
    return PASS;
  };
  const kept = new KeptConnection(url(app, ""));
  for (let request = 0; request < 20; request++) await kept.request("/");
  kept.close();
  assert.equal(asked, 20);
});

test("a page instead of the app reaches the client whole, HEAD and a large body included, and the next request the app", async () => {
  await using app = await RelayedApp.start(echo("app"));
  const page = { status: 500, text: "app.ts:1:1 broke\n" } as const;
  const kept = new KeptConnection(url(app, ""));
  try {
    await kept.request("/");
    app.verdict = () => ({ type: "page", page });
    const shown = await kept.request("/");
    assert.deepEqual([shown.status, shown.body, shown.headers.connection], [500, page.text, "close"]);
    const large = await requestOnce(url(app), { method: "POST", body: "x".repeat(3_000_000) });
    assert.equal(large.body, page.text);
    assert.equal((await requestOnce(url(app), { method: "HEAD" })).body, "");
    app.verdict = () => PASS;
    assert.equal((await kept.request("/")).body, "app GET / 0");
  } finally {
    kept.close();
  }
});

test("pipelined requests that reach the worker while the gate is closed wait there, and are answered in order", async () => {
  await using app = await RelayedApp.start(`
    const http = require("node:http");
    globalThis.version = 1;
    http.createServer((req, res) => {
      const now = globalThis.version;
      if (req.url === "/1") { report("begun"); globalThis.finish = () => res.end("/1 by " + now); }
      else res.end(req.url + " by " + now);
    }).listen(0);
  `);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const client = net.connect(app.port, "127.0.0.1");
  client.setEncoding("latin1").write(get("/1"));
  await app.nextReport();
  app.closeGate();
  client.write(get("/2") + get("/3") + get("/4"));
  // The front passes them on, since the connection is active; a later request shows that the worker has read them.
  await app.run("main", "await new Promise((resolve) => setTimeout(resolve, 50)); globalThis.version = 2;");
  await app.run("main", "globalThis.finish()");
  await app.openGate();
  let received = "";
  for await (const chunk of client) {
    received += String(chunk);
    if (received.includes("/4 by")) break;
  }
  assert.deepEqual(received.match(/\/\d by \d/g), ["/1 by 1", "/2 by 2", "/3 by 2", "/4 by 2"]);
  client.destroy();
});
