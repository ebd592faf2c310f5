/** Two workers for a while: the old one ends what it has begun, the new one takes everything else. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { test } from "node:test";
import { HOLD } from "../../src/common/protocol/connection-table.js";
import { PASS, type Verdict } from "../../src/front/turn.js";
import { certificate, key } from "../support/certificate.js";
import { eventually, within } from "../support/deadline.js";
import { freePort } from "../support/free-port.js";
import { exchangeRaw, KeptConnection, requestOnce } from "../support/http-client.js";
import { randomSource } from "../support/random.js";
import { RelayedApp } from "../support/relayed-app.js";

const url = (app: RelayedApp, path = "/") => `http://127.0.0.1:${app.port}${path}`;

/** `/wait` answers when told by `answer()`, `/half` sends a part before; `/early` answers before it has read. */
const named = (name: string) => `
  const waiting = [];
  globalThis.answer = () => { for (const end of waiting.splice(0)) end(); };
  require("node:http").createServer((req, res) => {
    if (req.url.startsWith("/wait")) {
      report("begun " + req.url);
      waiting.push(() => res.end("${name} " + req.url));
    } else if (req.url === "/half") {
      res.writeHead(200);
      res.write("half");
    } else if (req.url === "/early") {
      res.end("${name} early");
    } else {
      let size = 0;
      req.on("data", (chunk) => { size += chunk.length; });
      req.on("end", () => res.end("${name} " + req.url + " " + size));
    }
  }).on("upgrade", (req, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n");
    socket.on("data", (bytes) => socket.write("${name} " + bytes));
  }).listen(0);
`;

test("idle connections go to the new worker with their next request, busy ones when their answer has ended", async () => {
  await using app = await RelayedApp.start(named("old"));
  const idle = new KeptConnection(url(app, ""));
  const busy = new KeptConnection(url(app, ""));
  try {
    assert.equal((await idle.request("/")).body, "old / 0");
    const begun = app.nextReport();
    const answer = busy.request("/wait");
    await begun;
    await app.boot(named("new"));
    assert.equal((await idle.request("/")).body, "new / 0");
    assert.deepEqual(app.front.inFlightOf(1), { requests: 1, sockets: 0 });
    app.post(1, "answer()");
    assert.equal((await answer).body, "old /wait");
    assert.equal((await busy.request("/", { method: "POST", body: "123" })).body, "new / 3");
    assert.deepEqual(app.front.inFlightOf(1), { requests: 0, sockets: 0 });
    assert.deepEqual([idle.opened, busy.opened], [1, 1]);
    await app.terminate(1);
    assert.equal((await idle.request("/")).body, "new / 0");
    assert.equal(idle.opened, 1);
  } finally {
    idle.close();
    busy.close();
  }
});

test("requests that were sent behind one that the old worker answers are answered by the new one", async () => {
  await using app = await RelayedApp.start(named("old"));
  const client = net.connect(app.port, "127.0.0.1");
  let received = "";
  client.setEncoding("latin1").on("data", (text: string) => {
    received += text;
  });
  try {
    const begun = app.nextReport();
    client.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await begun;
    app.closeGate();
    client.write("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    client.write("POST /q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /r HT");
    // Round trips, so that they lie in the old worker.
    for (let trip = 0; trip < 3; trip++) await app.drained(0);
    await app.boot(named("new"));
    await app.openGate();
    app.post(1, "answer()");
    client.write("TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await within(once(client, "close"), () => `the answers; so far ${received}`);
    const bodies = [...received.matchAll(/(?:old|new) \/(?:wait|[pqr] \d)/g)].map(([body]) => body);
    assert.deepEqual(bodies, ["old /wait", "new /p 3", "new /q 2", "new /r 0"]);
  } finally {
    client.destroy();
  }
});

test("a request that comes behind one of the old worker when the new one serves is not begun by the old one", async () => {
  await using app = await RelayedApp.start(named("old"));
  const client = net.connect(app.port, "127.0.0.1");
  let received = "";
  client.setEncoding("latin1").on("data", (text: string) => {
    received += text;
  });
  try {
    const begun = app.nextReport();
    client.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await begun;
    await app.boot(named("new"));
    client.write("GET /wait2 HTTP/1.1\r\nHost: x\r\n\r\n");
    const other = new KeptConnection(url(app, ""));
    // Once this is answered, the front has passed on what came before, and the old worker has had its time to begin it.
    await other.request("/");
    other.close();
    const looked = once(app, "reported");
    app.post(1, `setImmediate(() => setImmediate(() => report("looked")));`);
    await looked;
    assert.deepEqual(app.reported, ["begun /wait", "looked"]);
    const next = app.nextReport();
    app.post(1, "answer()");
    assert.equal(await next, "begun /wait2");
    await app.run("main", "answer()");
    await within(bothAnswered(), () => `the answers; so far ${received}`);
    assert.match(received, /old \/wait.*new \/wait2/s);
  } finally {
    client.destroy();
  }

  async function bothAnswered(): Promise<void> {
    while (!received.includes("/wait2")) await once(client, "data");
  }
});

test("the rest of a body that the old worker has answered early is not taken for a request", async () => {
  await using app = await RelayedApp.start(named("old"));
  const client = net.connect(app.port, "127.0.0.1");
  try {
    client.write("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n");
    client.write(Buffer.alloc(100000));
    assert.match(String((await once(client, "data"))[0]), /old early/);
    await app.boot(named("new"));
    client.write(Buffer.alloc(300000));
    client.write("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(String((await within(once(client, "data"), "the next answer"))[0]), /200 OK.*new \/next 0/s);
  } finally {
    client.destroy();
  }
});

test("upgraded connections stay with the old worker until it ends, and then close", async () => {
  await using app = await RelayedApp.start(named("old"));
  const client = net.connect(app.port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  assert.match(String((await once(client, "data"))[0]), /101/);
  await app.boot(named("new"));
  client.write("ping");
  assert.equal(String((await once(client, "data"))[0]), "old ping");
  assert.deepEqual(app.front.inFlightOf(1), { requests: 0, sockets: 1 });
  const closed = once(client.resume(), "close");
  await app.terminate(1);
  await within(closed, "the connection to close");
});

test("an old worker that is blocked gets nothing new: kept connections and what it has not begun go on at once", async () => {
  await using app = await RelayedApp.start(named("old"));
  const idle = new KeptConnection(url(app, ""));
  const asking = new KeptConnection(url(app, ""));
  const busy = new KeptConnection(url(app, ""));
  try {
    await Promise.all([idle.request("/"), asking.request("/")]);
    const begun = app.nextReport();
    const answer = busy.request("/wait");
    await begun;
    const blocked = app.nextReport();
    app.post(1, `report("blocked"); Atomics.wait(table, ${HOLD}, 0); answer();`);
    await blocked;
    const stuck = asking.request("/", { method: "POST", body: "abc" });
    const fresh = requestOnce(url(app));
    // The front has passed them on.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    app.front.abandonEpoch(1);
    const before = performance.now();
    await app.boot(named("new"));
    assert.deepEqual(
      (await Promise.all([idle.request("/"), stuck, fresh])).map(({ body }) => body),
      ["new / 0", "new / 3", "new / 0"],
    );
    const took = performance.now() - before;
    assert.deepEqual(app.front.inFlightOf(1), { requests: 1, sockets: 0 });
    // It goes on after all, and its own request is answered by it; what went to the new one it does not begin.
    Atomics.notify(app.table, HOLD);
    assert.equal((await answer).body, "old /wait");
    assert.deepEqual([idle.opened, asking.opened, busy.opened], [1, 1, 1]);
    assert.ok(took < 5000, `${took} ms`);
  } finally {
    for (const client of [idle, asking, busy]) client.close();
  }
});

test("a second server on port 0 gets the port of the second one, when a worker that was on trial takes over", async () => {
  const two = (name: string) => `
    const http = require("node:http");
    for (const part of ["a", "b"]) http.createServer((req, res) => res.end("${name} " + part)).listen(0);
  `;
  await using app = await RelayedApp.start(two("old"));
  const ports = () => app.front.addresses().map((address) => (typeof address === "object" ? address.port : 0));
  const before = ports();
  app.onTrial = true;
  await app.boot(two("new"));
  assert.equal((await requestOnce(`http://127.0.0.1:${before[1]}/`)).body, "old b");
  await app.promote();
  assert.deepEqual(ports(), before);
  const bodies = await Promise.all(before.map((port) => requestOnce(`http://127.0.0.1:${port}/`)));
  assert.deepEqual(
    bodies.map(({ body }) => body),
    ["new a", "new b"],
  );
});

test("a port on another host is taken over with its clients", async () => {
  const on = (name: string, port: number, host: string) =>
    `require("node:http").createServer((req, res) => res.end("${name}")).listen(${port}, "${host}");`;
  const port = await freePort();
  await using app = await RelayedApp.start(on("old", port, "127.0.0.1"));
  const kept = new KeptConnection(url(app, ""));
  try {
    assert.equal((await kept.request("/")).body, "old");
    await app.boot(on("new", port, "0.0.0.0"));
    assert.equal((await requestOnce(url(app))).body, "new");
    assert.equal((await kept.request("/")).body, "new");
    assert.equal(kept.opened, 1);
    assert.equal(app.front.addresses().length, 1);
    // The next one listens elsewhere: what only an old worker serves is closed when told.
    await app.boot(on("other", 0, "127.0.0.1"));
    assert.equal(app.front.addresses().length, 2);
    app.front.closeUnadopted(3);
    assert.equal(app.front.addresses().length, 1);
    assert.equal((await requestOnce(url(app))).body, "other");
  } finally {
    kept.close();
  }
});

test("sessions of the old worker end when they are idle, and their streams are refused so that clients send them again", async () => {
  const session = (name: string) => `
    const waiting = [];
    globalThis.answer = () => { for (const end of waiting.splice(0)) end(); };
    require("node:http2").createSecureServer(${JSON.stringify({ cert: certificate, key })}, (req, res) => {
      if (req.url === "/wait") { report("begun"); waiting.push(() => res.end("${name}")); }
      else res.end("${name}");
    }).listen(0);
  `;
  await using app = await RelayedApp.start(session("old"));
  const connect = () => http2.connect(`https://127.0.0.1:${app.port}`, { rejectUnauthorized: false });
  const idle = connect();
  const busy = connect();
  try {
    assert.equal(await streamBody(idle, "/"), "old");
    const begun = app.nextReport();
    const answer = streamBody(busy, "/wait");
    await begun;
    const idleClosed = once(idle, "close");
    const busyClosed = once(busy, "close");
    await app.boot(session("new"));
    await within(idleClosed, "the idle session to close");
    app.post(1, "answer()");
    assert.equal(await answer, "old");
    await within(busyClosed, "the other session to close");
    const fresh = connect();
    assert.equal(await streamBody(fresh, "/"), "new");
    fresh.close();
  } finally {
    idle.destroy();
    busy.destroy();
  }
});

test("requests in sessions of the old worker that wait for the new one are refused so that clients can send them again", async () => {
  const secure = JSON.stringify({ cert: certificate, key });
  const https = (name: string) =>
    `require("node:https").createServer(${secure}, (req, res) => { report("begun"); res.end("${name}"); }).listen(0);`;
  await using app = await RelayedApp.start(https("old"));
  const origin = `https://127.0.0.1:${app.port}`;
  const [reading, writing] = [new KeptConnection(origin), new KeptConnection(origin)];
  try {
    for (const kept of [reading, writing]) assert.equal((await kept.request("/")).body, "old");
    const begunBefore = app.reported.length;
    let open = (_: Verdict) => {};
    const gate = new Promise<Verdict>((resolve) => {
      open = resolve;
    });
    app.verdict = () => gate;
    const read = reading.request("/").catch((error: NodeJS.ErrnoException) => error.code);
    const written = writing.request("/", { method: "POST", body: "x".repeat(10_000) });
    await eventually(
      async () => app.front.held,
      (held) => held === 2,
      "both to wait",
    );
    await app.boot(https("new"));
    app.verdict = () => PASS;
    open(PASS);
    const { status, headers, body } = await written;
    assert.deepEqual([status, headers.connection, headers["retry-after"]], [503, "close", "0"]);
    assert.match(body, /was not begun/);
    assert.equal(await read, "ECONNRESET");
    assert.equal(app.reported.length, begunBefore, "neither was begun");
    for (const kept of [reading, writing]) assert.equal((await kept.request("/", { method: "POST" })).body, "new");
  } finally {
    reading.close();
    writing.close();
  }
});

function streamBody(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    let body = "";
    const stream = session.request({ ":path": path });
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    stream.on("error", reject).on("end", () => resolve(body));
  });
  return within(answer, `the stream of ${path}`);
}

const RESTARTS = Number(process.env.UNRELOADER_FUZZ_RESTARTS ?? 12);

test("no request is refused, lost, begun twice or answered by old code while its worker is replaced", async () => {
  const random = randomSource("restarts under load");
  const server = (version: number) => `
    require("node:http").createServer((req, res) => {
      report(req.headers["x-id"]);
      let size = 0;
      req.on("data", (chunk) => { size += chunk.length; });
      req.on("end", () => {
        const answer = () => { res.setHeader("X-Version", "${version}"); res.end(String(size)); };
        if (req.url === "/slow") setTimeout(answer, 20);
        else answer();
      });
    }).listen(0);
  `;
  await using app = await RelayedApp.start(server(0));
  let version = 0;
  let stopping = false;
  let lastId = 0;
  const client = async (agent: http.Agent | false) => {
    while (!stopping) {
      const newest = version;
      const body = "b".repeat(random.pick([0, 5, 70_000, 400_000]));
      const id = String(++lastId);
      const answer = await post(app.port, random.pick(["/", "/slow"]), agent, id, body);
      assert.equal(answer.status, 200, answer.body);
      assert.ok(answer.version >= newest, `version ${answer.version} answered after ${newest} was there`);
      assert.equal(answer.body, String(body.length));
    }
  };
  const agents = Array.from({ length: 6 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const clients = Array.from({ length: 12 }, (_, index) => client(agents[index] ?? false));
  const restarts = async () => {
    for (let restart = 1; restart <= RESTARTS; restart++) {
      let open = (_: Verdict) => {};
      const opened = new Promise<Verdict>((resolve) => {
        open = resolve;
      });
      app.verdict = () => opened;
      app.closeGate();
      await app.boot(server(restart));
      version = restart;
      await app.openGate();
      app.verdict = () => PASS;
      open(PASS);
      while (app.front.inFlightOf(restart).requests > 0) await new Promise((resolve) => setImmediate(resolve));
      await app.terminate(restart);
      for (let turn = random.below(200); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    }
    stopping = true;
  };
  try {
    await Promise.all([restarts(), ...clients]);
  } finally {
    stopping = true;
    for (const agent of agents) agent.destroy();
  }
  // Reports of a worker that was ended may be missing; none may be there twice.
  assert.equal(new Set(app.reported).size, app.reported.length);
});

function post(
  port: number,
  path: string,
  agent: http.Agent | false,
  id: string,
  body: string,
): Promise<{ status: number | undefined; version: number; body: string }> {
  const answer = new Promise<{ status: number | undefined; version: number; body: string }>((resolve, reject) => {
    const ask = { method: "POST", host: "127.0.0.1", port, path, agent, headers: { "X-Id": id } };
    const request = http.request(ask, (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode, version: Number(response.headers["x-version"]), body: text }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
  return within(answer, "the answer");
}

test("raw bytes: the answer of a pipelined burst comes in order across the change of workers", async () => {
  await using app = await RelayedApp.start(named("old"));
  await app.boot(named("new"));
  const burst = Array.from({ length: 5 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`).join("");
  const received = await exchangeRaw(app.port, burst, (text) => text.includes("/4 0"));
  assert.deepEqual(
    [...received.matchAll(/new \/(\d)/g)].map(([, digit]) => digit),
    ["0", "1", "2", "3", "4"],
  );
});
