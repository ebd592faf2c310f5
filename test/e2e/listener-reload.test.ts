import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { certificate, key } from "../support/certificate.js";
import { within } from "../support/deadline.js";
import { freePort } from "../support/free-port.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

const credentials = `{ key: ${JSON.stringify(key)}, cert: ${JSON.stringify(certificate)} }`;

async function reload(app: RelayedApp, code: string): Promise<void> {
  await app.release("main");
  await app.run("main", code);
}

test("a kept TLS connection survives reloads, and each answer is the newest", async () => {
  const code = (version: number) => `
    require("node:https").createServer(${credentials}, (req, res) => res.end("v${version}")).listen(0);`;
  await using app = await RelayedApp.start(code(0));
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const ports = new Set<number | undefined>();
  try {
    for (let version = 0; version < 5; version++) {
      const request = https.get({ port: app.port, host: "127.0.0.1", agent });
      const [response] = (await within(once(request, "response"), "the answer")) as [http.IncomingMessage];
      ports.add(response.socket.localPort);
      assert.equal((await response.toArray()).join(""), `v${version}`);
      await reload(app, code(version + 1));
    }
    assert.equal(ports.size, 1);
  } finally {
    agent.destroy();
  }
});

test("an HTTP/2 session survives reloads, streams and compatibility, and each answer is the newest", async () => {
  const code = (version: number) => `
    const server = require("node:http2").createServer();
    if (${version % 2} === 0) server.on("request", (req, res) => res.end("v${version}"));
    else server.on("stream", (stream) => { stream.respond(); stream.end("v${version}"); });
    server.listen(0);`;
  await using app = await RelayedApp.start(code(0));
  const session = http2.connect(`http://127.0.0.1:${app.port}`);
  try {
    for (let version = 0; version < 6; version++) {
      const stream = session.request({ ":path": "/" });
      assert.equal((await within(stream.toArray(), "the answer")).join(""), `v${version}`);
      await reload(app, code(version + 1));
    }
  } finally {
    session.close();
    await once(session, "close");
  }
});

test("a WebSocket stays with the code that accepted it, and a new one gets the new code", async () => {
  const code = (version: number) => `
    const { WebSocketServer } = require("ws");
    const server = require("node:http").createServer();
    new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (text) => socket.send(text + " by v${version}")));
    server.listen(0);`;
  await using app = await RelayedApp.start(code(1));
  const ask = async (socket: WebSocket, text: string) => {
    const reply = within(once(socket, "message"), "the reply");
    socket.send(text);
    return String((await reply)[0]);
  };
  const first = new WebSocket(`ws://127.0.0.1:${app.port}`);
  await once(first, "open");
  assert.equal(await ask(first, "a"), "a by v1");
  await reload(app, code(2));
  assert.equal(await ask(first, "b"), "b by v1");
  const second = new WebSocket(`ws://127.0.0.1:${app.port}`);
  await once(second, "open");
  assert.equal(await ask(second, "c"), "c by v2");
  first.terminate();
  second.terminate();
});

test("a drain waits for requests in flight, but not for event streams, upgraded sockets and held requests", async () => {
  await using app = await RelayedApp.start(`
    require("node:http").createServer((req, res) => {
      if (req.url === "/events") { res.writeHead(200, { "Content-Type": "text/event-stream" }); res.write("data: 1\\n\\n"); }
      else if (req.url === "/slow") { report("begun"); globalThis.finish = () => res.end("slow"); }
      else res.end("quick");
    }).listen(0);`);
  assert.equal(await app.drained(5000), 0);
  const events = http.get({ port: app.port, host: "127.0.0.1", path: "/events", agent: false });
  const [stream] = (await within(once(events, "response"), "the stream")) as [http.IncomingMessage];
  assert.equal(await app.drained(5000), 0);
  const slow = requestOnce(`http://127.0.0.1:${app.port}/slow`);
  await app.nextReport();
  assert.equal(await app.drained(50), 1);
  const drained = app.drained(10000);
  await app.run("main", "globalThis.finish()");
  assert.equal(await drained, 0);
  assert.equal((await slow).body, "slow");
  stream.destroy();
});

test("a reload that moves the server to another port opens that one; the old one closes when nobody adopts it", async () => {
  const code = (port: number) => `
    require("node:http").createServer((req, res) => res.end("ok")).listen(${port}, "127.0.0.1", () => report("up"));`;
  await using app = await RelayedApp.start(code(0));
  if (app.reported.length === 0) await app.nextReport();
  const before = app.port;
  const free = await freePort();
  await app.release("main");
  const up = app.nextReport();
  await app.run("main", code(free));
  await up;
  app.front.closeUnadopted();
  assert.deepEqual(
    app.front.addresses().map((address) => typeof address === "object" && address.port),
    [free],
  );
  assert.equal((await requestOnce(`http://127.0.0.1:${free}/`)).body, "ok");
  await assert.rejects(requestOnce(`http://127.0.0.1:${before}/`), { code: "ECONNREFUSED" });
});

test("a server that only a purged module created is closed, and one that only a kept module knows stays", async () => {
  await using app = await RelayedApp.start("");
  await app.run("server.ts", `globalThis.server = require("node:http").createServer((req, res) => res.end("old"));`);
  await app.run("main", `globalThis.server.listen(0); report(globalThis.server.listening);`);
  await app.release("other.ts");
  await app.run("main", "report(globalThis.server.listening);");
  await app.release("server.ts");
  await app.run("main", "report(globalThis.server.listening);");
  assert.deepEqual(app.reported, [true, true, false]);
});

test("two servers on port 0 keep their ports over a reload", async () => {
  const code = (version: number) => `
    const http = require("node:http");
    const a = http.createServer((req, res) => res.end("a${version}")).listen(0);
    const b = http.createServer((req, res) => res.end("b${version}")).listen(0);
    report([a.address().port, b.address().port]);`;
  await using app = await RelayedApp.start(code(1));
  await reload(app, code(2));
  assert.deepEqual(app.reported[0], app.reported[1]);
  const [[a, b]] = app.reported as [[number, number]];
  assert.equal((await requestOnce(`http://127.0.0.1:${a}/`)).body, "a2");
  assert.equal((await requestOnce(`http://127.0.0.1:${b}/`)).body, "b2");
});

test("300 reloads with kept and new connections leave no sockets, slots, servers or memory behind", async () => {
  const code = (version: number) => `
    const ballast = new Array(20000).fill(${version});
    require("node:http").createServer((req, res) => res.end("v${version} " + ballast.length)).listen(0);
    globalThis.versions ??= [];
    globalThis.versions.push(new WeakRef(ballast));`;
  await using app = await RelayedApp.start(code(0));
  const kept = new KeptConnection(`http://127.0.0.1:${app.port}`);
  try {
    for (let version = 1; version <= 300; version++) {
      await reload(app, code(version));
      assert.equal((await kept.request("/")).body, `v${version} 20000`);
      assert.equal((await requestOnce(`http://127.0.0.1:${app.port}/`)).body, `v${version} 20000`);
    }
    assert.equal(kept.opened, 1);
    await app.run(
      "main",
      `
      require("node:v8").setFlagsFromString("--expose-gc");
      const gc = require("node:vm").runInNewContext("gc");
      await new Promise((resolve) => setTimeout(resolve, 20));
      gc();
      const kinds = process.getActiveResourcesInfo().filter((kind) => kind.startsWith("Pipe"));
      report([globalThis.versions.filter((version) => version.deref() !== undefined).length, kinds.length]);`,
    );
    const [alive, pipes] = app.reported.at(-1) as [number, number];
    assert.ok(alive <= 3, `${alive} of 301 versions are still alive`);
    assert.ok(pipes <= 6, `${pipes} pipes are open`);
  } finally {
    kept.close();
  }
});

test("when all slots are in use, new connections wait for one instead of being refused", async () => {
  await using app = await RelayedApp.start(
    `require("node:http").createServer((req, res) => res.end("ok")).listen(0);`,
    { slots: 4 },
  );
  const url = `http://127.0.0.1:${app.port}`;
  const idle = Array.from({ length: 4 }, () => new KeptConnection(url));
  for (const connection of idle) await connection.request("/");
  const waiting = Array.from({ length: 6 }, () => requestOnce(url));
  const stillWaiting = Symbol();
  const first = await Promise.race([
    Promise.race(waiting),
    new Promise((resolve) => setTimeout(resolve, 60, stillWaiting)),
  ]);
  assert.equal(first, stillWaiting);
  for (const connection of idle) connection.close();
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ body }) => body),
    Array(6).fill("ok"),
  );
});

test("shutting down answers what is in flight, closes what is idle and refuses new connections", async () => {
  await using app = await RelayedApp.start(`
    require("node:http").createServer((req, res) => {
      if (req.url === "/slow") { report("begun"); globalThis.finish = () => res.end("slow"); } else res.end("quick");
    }).listen(0);`);
  const { port } = app;
  const idle = net.connect(port, "127.0.0.1");
  idle.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(idle, "data");
  const slow = requestOnce(`http://127.0.0.1:${port}/slow`);
  await app.nextReport();
  const idleClosed = once(idle.resume(), "close");
  const down = app.front.shutDown(20000);
  await within(idleClosed, "the idle connection to close");
  await assert.rejects(requestOnce(`http://127.0.0.1:${port}/`), { code: "ECONNREFUSED" });
  await app.run("main", "globalThis.finish()");
  assert.equal((await slow).body, "slow");
  await within(down, "the front to shut down");
});
