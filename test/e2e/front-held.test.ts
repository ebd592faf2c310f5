/** Requests that are held: for how long, and in how much memory. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { type TestContext, test } from "node:test";
import { Refusal } from "../../src/front/entrance.js";
import { PASS, type Verdict } from "../../src/front/turn.js";
import { within } from "../support/deadline.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

const COUNTS = `
  require("node:http").createServer((req, res) => {
    let size = 0;
    req.on("data", (chunk) => { size += chunk.length; });
    req.on("end", () => res.end("got " + size));
  }).listen(0);
`;

const url = (app: RelayedApp, path = "/") => `http://127.0.0.1:${app.port}${path}`;

/** A closed gate, until it is opened. */
function close(app: RelayedApp): () => void {
  let open = (_: Verdict) => {};
  const opened = new Promise<Verdict>((resolve) => {
    open = resolve;
  });
  app.verdict = () => opened;
  return () => {
    app.verdict = () => PASS;
    open(PASS);
  };
}

/** Resolves when `holds` does; the front brings no events for it. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const look = async () => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  await within(look(), what);
}

test("a request that is held for too long is told what it has waited for, and the next one is served", async () => {
  await using app = await RelayedApp.start(COUNTS, { heldDeadline: 200 });
  const open = close(app);
  app.waitingFor = "src/db.ts, which is being evaluated";
  const kept = new KeptConnection(url(app, ""));
  try {
    const [one, other] = await Promise.all([kept.request("/"), requestOnce(url(app), { method: "POST", body: "abc" })]);
    for (const { status, body } of [one, other]) {
      assert.equal(status, 503);
      assert.match(body, /held this request for 0.2 s .* waits for src\/db.ts, which is being evaluated/);
    }
    await assert.rejects(app.front.entrance.admit(), (error: Refusal) => {
      assert.ok(error instanceof Refusal);
      assert.equal(error.page.error?.code, "ERR_UNRELOADER_HELD");
      return true;
    });
    assert.equal(app.front.heldBytes, 0);
    open();
    assert.equal((await kept.request("/", { method: "POST", body: "abcd" })).body, "got 4");
  } finally {
    kept.close();
  }
});

test("a request that passes before its time is over is not told anything, however long its answer takes", async () => {
  await using app = await RelayedApp.start(
    `require("node:http").createServer((req, res) => setTimeout(() => res.end("slow"), 700)).listen(0);`,
    { heldDeadline: 300 },
  );
  const open = close(app);
  const answer = requestOnce(url(app));
  setImmediate(() => setImmediate(open));
  assert.equal((await answer).body, "slow");
});

test("a large upload is paused while it is held, and arrives whole", async () => {
  await using app = await RelayedApp.start(COUNTS);
  const open = close(app);
  const size = 8 * 1024 * 1024;
  const answer = requestOnce(url(app), { method: "POST", body: "x".repeat(size) });
  await until(() => app.front.heldBytes > 65536, "the upload to be paused");
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(app.front.heldBytes <= 3 * 65536, `${app.front.heldBytes} bytes are held`);
  open();
  assert.equal((await answer).body, `got ${size}`);
  assert.equal(app.front.heldBytes, 0);
});

test("many uploads that are held together stay within the bytes that all may have", async () => {
  const limit = 4 * 1024 * 1024;
  await using app = await RelayedApp.start(COUNTS, { heldBytes: limit });
  app.waitingFor = "a fresh worker";
  const open = close(app);
  const size = 300_000;
  let refused = 0;
  let most = 0;
  const uploads = Array.from({ length: 400 }, async () => {
    const answer = await requestOnce(url(app), { method: "POST", body: "x".repeat(size) });
    if (answer.status === 503) {
      assert.match(answer.body, /no room for this one .* waits for a fresh worker/);
      refused++;
    } else {
      assert.equal(answer.body, `got ${size}`);
    }
    return answer.status;
  });
  let settled = false;
  const allSettled = Promise.all(uploads).finally(() => {
    settled = true;
  });
  let quiet = 0;
  let before = 0;
  while (!settled && (refused === 0 || quiet < 200)) {
    most = Math.max(most, app.front.heldBytes);
    quiet = refused === before ? quiet + 1 : 0;
    before = refused;
    await new Promise((resolve) => setImmediate(resolve));
  }
  open();
  const statuses = await within(allSettled, "the answers");
  // What has come in this turn is refused in the next one.
  assert.ok(most <= limit + 1024 * 1024, `${most} bytes were held`);
  assert.ok(refused > 100, `${refused} were refused`);
  assert.ok(statuses.filter((status) => status === 200).length >= 20, "those that had room are served");
  assert.equal(app.front.heldBytes, 0);
});

test("clients that leave while they are held take their bytes with them", async () => {
  await using app = await RelayedApp.start(COUNTS);
  const open = close(app);
  const clients = Array.from({ length: 20 }, () => net.connect(app.port, "127.0.0.1"));
  for (const client of clients)
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n${"x".repeat(5000)}`);
  await until(() => app.front.heldBytes >= 20 * 5000, "the bytes to come");
  const closed = clients.map((client) => once(client, "close"));
  for (const client of clients) client.destroy();
  await Promise.all(closed);
  open();
  await until(() => app.front.heldBytes === 0 && app.front.inFlight() === 0, "the bytes to go");
});

/** From now until the mocks are restored, connections to the app fail for want of a descriptor while `isLacking`. */
function lackDescriptors(t: TestContext, isLacking: () => boolean): void {
  const { connect } = net;
  t.mock.method(net, "connect", (options: net.IpcNetConnectOpts) => {
    if (!isLacking()) return connect(options);
    const socket = connect({ ...options, path: `${options.path}-gone` });
    socket.prependListener("error", (error: NodeJS.ErrnoException) => {
      error.code = "EMFILE";
    });
    return socket;
  });
  syncBuiltinESMExports();
}

test("a request that finds no descriptor on its way to the app is told so at its deadline", async (t) => {
  await using app = await RelayedApp.start(COUNTS, { heldDeadline: 300 });
  const { connect } = net;
  lackDescriptors(t, () => true);
  const client = connect(app.port, "127.0.0.1");
  try {
    client.write("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    const [page] = (await within(once(client, "data"), "the page")) as [Buffer];
    assert.match(page.toString(), /^HTTP\/1.1 503 .*waits for a descriptor, of which none are left \(EMFILE\)/s);
    assert.equal(app.front.heldBytes, 0);
  } finally {
    client.destroy();
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});

test("a client that has never sent anything makes room for a request that finds no descriptor", async (t) => {
  await using app = await RelayedApp.start(COUNTS);
  const { connect } = net;
  let isLacking = false;
  lackDescriptors(t, () => isLacking);
  const silent = connect(app.port, "127.0.0.1");
  const asking = connect(app.port, "127.0.0.1");
  try {
    // Both are known to the front when another client has been answered after them.
    await Promise.all([once(silent, "connect"), once(asking, "connect")]);
    await requestOnce(url(app));
    isLacking = true;
    const closed = once(silent.resume(), "close").then(() => {
      isLacking = false;
    });
    // The way to the app that it had is gone with the old worker.
    await app.boot(COUNTS);
    asking.write("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    const [answer] = (await within(once(asking, "data"), "the answer")) as [Buffer];
    await within(closed, "the silent client to be turned away");
    assert.match(answer.toString(), /^HTTP\/1.1 200 /);
  } finally {
    silent.destroy();
    asking.destroy();
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});
