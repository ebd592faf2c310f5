/** What an app can see of its sockets, servers, requests and responses is what it sees under plain Node. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { resetAtOnce } from "../../src/front/reset.js";
import { within } from "../support/deadline.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

/** Runs `code` under plain Node, in a thread; resolves with its port and what it reports. */
async function plain(
  code: string,
): Promise<{ port: number; reported: unknown[]; next: () => Promise<unknown>; end: () => Promise<unknown> }> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const report = (value) => parentPort.postMessage({ value });
     const server = (() => { ${code} })();
     server.once("listening", () => parentPort.postMessage({ port: server.address().port }));`,
    { eval: true },
  );
  const [{ port }] = (await once(worker, "message")) as [{ port: number }];
  const reported: unknown[] = [];
  worker.on("message", ({ value }: { value: unknown }) => reported.push(value));
  const next = async () => ((await within(once(worker, "message"), "a report")) as [{ value: unknown }])[0].value;
  return { port, reported, next, end: () => worker.terminate() };
}

/** What `code` reports first when `ask` asks, relayed and plain. */
async function bothReport(code: string, ask: (port: number) => void): Promise<[relayed: unknown, bare: unknown]> {
  await using app = await RelayedApp.start(code);
  const relayed = app.nextReport();
  ask(app.port);
  const alone = await plain(code);
  try {
    const bare = alone.next();
    ask(alone.port);
    return [await relayed, await bare];
  } finally {
    await alone.end();
  }
}

const LISTENERS = `
  const listeners = (emitter) => Object.fromEntries(
    emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
`;

test("no listener of ours is on a socket, a server, a request or a response", async () => {
  const code = `${LISTENERS}
    const server = require("node:http").createServer((req, res) => {
      const seen = { request: listeners(req), response: listeners(res), socket: listeners(req.socket), server: listeners(server) };
      res.end("a");
      setImmediate(() => report({ ...seen, after: listeners(res) }));
    });
    return server.listen(0, "127.0.0.1");`;
  const [relayed, bare] = await bothReport(code, (port) => void requestOnce(`http://127.0.0.1:${port}/`));
  assert.deepEqual(relayed, bare);
});

for (const event of ["connect", "upgrade"]) {
  test(`no listener of ours is on a socket that the app gets by ${event}`, async () => {
    const code = `${LISTENERS}
      const server = require("node:http").createServer().on("${event}", (req, socket) => {
        report({ socket: listeners(socket), own: listeners(server) });
        socket.destroy();
      });
      return server.listen(0, "127.0.0.1");`;
    const head = event === "connect" ? "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" : UPGRADE;
    const [relayed, bare] = await bothReport(code, (port) => {
      net
        .connect(port, "127.0.0.1")
        .on("error", () => {})
        .resume()
        .write(head);
    });
    assert.deepEqual(relayed, bare);
  });
}

const UPGRADE = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";

test("no listener of ours is on the socket of a raw server", async () => {
  const raw = `${LISTENERS}
    return require("node:net").createServer((socket) => { report(listeners(socket)); socket.destroy(); }).listen(0, "127.0.0.1");`;
  const [relayed, bare] = await bothReport(
    raw,
    (port) =>
      void net
        .connect(port, "127.0.0.1")
        .on("error", () => {})
        .write("x"),
  );
  assert.deepEqual(relayed, bare);
});

/** What the app hears of a client's connection until it has closed. */
const HEARD = `
  const follow = (socket, heard = []) => {
    socket.on("end", () => { heard.push("end"); socket.end(); });
    socket.on("error", ({ code, syscall, errno }) => heard.push("error " + [code, syscall, errno]));
    socket.on("close", (failed) => { heard.push("close " + failed); setImmediate(() => report(heard)); });
    return heard;
  };
`;
const RESETS = {
  "a raw socket": `${HEARD}
    return require("node:net").createServer((socket) => { follow(socket); socket.once("data", () => socket.write("ready")); }).listen(0, "127.0.0.1");`,
  "an upgraded socket": `${HEARD}
    return require("node:http").createServer().on("upgrade", (req, socket) => { follow(socket); socket.resume(); socket.write("ready"); }).listen(0, "127.0.0.1");`,
  "the socket of a request": `${HEARD}
    return require("node:http").createServer((req, res) => {
      const heard = follow(req.socket);
      req.on("aborted", () => heard.push("aborted")).on("error", ({ code }) => heard.push("request " + code));
      res.on("close", () => heard.push("response closed " + res.writableFinished));
      req.resume();
      res.write("ready");
    }).listen(0, "127.0.0.1");`,
  "what writes to it before it has looked": `
    return require("node:http").createServer((req, res) => {
      const seen = [];
      req.socket.on("error", (error) => seen.push(error.code)).on("close", (hadError) => report([...seen, hadError]));
      res.write("ready", () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        res.write("more");
      });
    }).listen(0, "127.0.0.1");`,
};
for (const [what, code] of Object.entries(RESETS)) {
  for (const way of ["resets it", "ends it"] as const) {
    test(`a client that ${way} is to ${what} what it is under plain Node`, async () => {
      const head =
        what === "the socket of a request" ? "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12" : UPGRADE;
      const [relayed, bare] = await bothReport(code, (port) => {
        const client = net.connect(port, "127.0.0.1").on("error", () => {});
        client.write(head);
        client.once("data", () => setImmediate(() => (way === "ends it" ? client.end() : resetAtOnce(client))));
      });
      assert.deepEqual(relayed, bare);
    });
  }
}

test("what others write to the worker's socket ends their connection only", async () => {
  await using app = await RelayedApp.start(`
    require("node:http").createServer((req, res) => res.end("alive")).listen(0);
  `);
  const kept = new KeptConnection(`http://127.0.0.1:${app.port}`);
  assert.equal((await kept.request("/")).body, "alive");
  const [file] = readdirSync(app.folder).filter((name) => name.endsWith(".sock"));
  const junk = [
    "999999999 127.0.0.1 1 127.0.0.1 1\n",
    "99999999999999999999 127.0.0.1 1 127.0.0.1 1\n",
    "-1 127.0.0.1 1 127.0.0.1 1\n",
    "16384 127.0.0.1 1 127.0.0.1 1\n",
    "5 nowhere 1 127.0.0.1 1\n",
    "5 127.0.0.1 x 127.0.0.1 99999999\n",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "x".repeat(5000),
    "\n",
    "",
  ];
  try {
    for (const bytes of junk) {
      const socket = net.connect(path.join(app.folder, file ?? "")).on("error", () => {});
      // It need not end its side.
      socket.resume().write(bytes);
      if (!bytes.includes("\n") && bytes.length < 5000) socket.end();
      // Perhaps by a reset: the rest is not read.
      const closed = new Promise((resolve) => socket.once("close", resolve));
      await within(closed, () => `the end of ${JSON.stringify(bytes.slice(0, 40))}`);
      assert.equal((await requestOnce(`http://127.0.0.1:${app.port}/`)).body, "alive");
    }
  } finally {
    kept.close();
  }
  assert.equal(app.epoch, 1);
});
