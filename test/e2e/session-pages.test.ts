/** TLS and HTTP/2 servers: within a session only the worker can speak, so it is the worker that says the failure page. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { test } from "node:test";
import tls from "node:tls";
import { plainPage } from "../../src/common/page/written-page.js";
import { createConnectionTable, SAID } from "../../src/common/protocol/connection-table.js";
import { PASS, type Verdict } from "../../src/front/turn.js";
import { SpokenPage } from "../../workers/listener/spoken-page.js";
import { certificate, key } from "../support/certificate.js";
import { within } from "../support/deadline.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const NOBODY = { remoteAddress: undefined, remotePort: undefined, localAddress: undefined, localPort: undefined };
const PAGE = "module.exports = () => 'page 1';\n";
const BROKEN = "module.exports = () => 'page 2;\n";
const MENDED = "module.exports = () => 'page 3';\n";
const PEM = `const page = require("./page");
const { readFileSync } = require("node:fs");
const pem = (file) => readFileSync(require("node:path").join(__dirname, file));
const secure = { key: pem("key.pem"), cert: pem("cert.pem") };
`;
const files = (server: string) => ({
  "key.pem": key,
  "cert.pem": certificate,
  "page.js": PAGE,
  "main.js": `${PEM}${server}.listen(process.env.PORT, "127.0.0.1");\n`,
});

test("an https server answers with the failure page on kept and new connections, until it is mended", async () => {
  await using app = new TempApp(
    files(`require("node:https").createServer(secure, (req, res) => res.end(page() + " " + req.method))`),
  );
  await using served = await serve(app, "main.js", { flags: ["--live"] });
  if (!served.inPlace) return;
  const kept = new KeptConnection(served.origin);
  const phase = async () => {
    const { body } = await kept.request("/__unreloader/state");
    return (JSON.parse(body) as { phase: string }).phase;
  };
  try {
    assert.equal((await kept.request("/")).body, "page 1 GET");
    assert.equal(await phase(), "running");
    assert.equal((await kept.request("/__unreloader/other")).body, "page 1 GET");
    assert.equal((await kept.request("/__unreloader/live", { headers: { host: "evil.com" } })).status, 403);
    app.write("page.js", BROKEN);
    for (const ask of [{}, { method: "POST", body: "x".repeat(100_000) }]) {
      for (const answer of [await kept.request("/", ask), await requestOnce(`${served.origin}/`, ask)]) {
        assert.equal(answer.status, 500);
        assert.match(answer.body, /page\.js:1:\d+/);
      }
    }
    const html = await requestOnce(`${served.origin}/`, { headers: { accept: "text/html, */*;q=0.8" } });
    assert.equal(html.headers["content-type"], "text/html; charset=utf-8");
    assert.match(html.body, /<span class="message">.*page\.js/s);
    const head = await requestOnce(`${served.origin}/`, { method: "HEAD" });
    assert.deepEqual([head.status, head.body], [500, ""]);
    assert.equal(await phase(), "failed");
    assert.match(await upgrade(served.port), /^HTTP\/1\.1 500 .*page\.js:1:/s);
    app.write("page.js", MENDED);
    assert.equal((await kept.request("/")).body, "page 3 GET");
    assert.equal((await requestOnce(`${served.origin}/`)).body, "page 3 GET");
  } finally {
    kept.close();
  }
});

const HTTP2_SERVERS = {
  "an http2 server with TLS": `require("node:http2").createSecureServer(secure, (req, res) => res.end(page()))`,
  "an http2 server without TLS": `require("node:http2").createServer((req, res) => res.end(page()))`,
  "an http2 server of streams": `require("node:http2").createServer().on("stream", (stream) => {
  stream.respond();
  stream.end(page());
})`,
};

for (const [name, server] of Object.entries(HTTP2_SERVERS)) {
  test(`${name} answers with the failure page in sessions that are open, until it is mended`, async () => {
    await using app = new TempApp(files(server));
    await using served = await serve(app, "main.js");
    if (!served.inPlace) return;
    const scheme = server.includes("Secure") ? "https" : "http";
    const connect = () => http2.connect(`${scheme}://127.0.0.1:${served.port}`, { rejectUnauthorized: false });
    const session = connect();
    try {
      assert.deepEqual(await ask(session), { status: 200, body: "page 1" });
      assert.match((await ask(session, "GET", { ":path": "/__unreloader/live" })).body, /"live":true/);
      app.write("page.js", BROKEN);
      const pages = await Promise.all([ask(session), ask(session, "POST"), ask(session)]);
      for (const page of pages) {
        assert.equal(page.status, 500);
        assert.match(page.body, /page\.js:1:\d+/);
      }
      assert.deepEqual(await ask(session, "HEAD"), { status: 500, body: "" });
      const asJson = await ask(session, "GET", { accept: "application/json" });
      assert.match((JSON.parse(asJson.body) as { error: { file: string } }).error.file, /page\.js$/);
      const fresh = connect();
      assert.equal((await ask(fresh)).status, 500);
      fresh.close();
      app.write("page.js", MENDED);
      assert.deepEqual(await ask(session), { status: 200, body: "page 3" });
    } finally {
      session.destroy();
    }
  });
}

test("requests that wait in the worker behind another one get the failure page, not old code", async () => {
  await using app = await RelayedApp.start(`
    require("node:http").createServer((req, res) => res.end("old code")).listen(0);
  `);
  app.closeGate();
  const held = requestOnce(`http://127.0.0.1:${app.port}/`);
  // It has been passed on: the gate of the front is open, the worker's word is not.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  const port = await app.front.entrance.admit();
  const far = app.front.entrance.connect(port, { ...NOBODY, remoteAddress: "192.0.2.7", remotePort: 1 }, false);
  const answered = once(far.setEncoding("utf8"), "data") as Promise<[string]>;
  far.write("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n");
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  app.say({ status: 500, text: "the failure" });
  await app.openGate();
  assert.deepEqual({ ...(await held), headers: 0 }, { status: 500, headers: 0, body: "the failure" });
  const [remote] = await within(answered, "the answer to a client elsewhere");
  assert.match(remote, /^HTTP\/1\.1 500 /);
  assert.doesNotMatch(remote, /the failure/);
  assert.equal((await requestOnce(`http://127.0.0.1:${app.port}/`)).body, "the failure");
  app.say(undefined);
  assert.equal((await requestOnce(`http://127.0.0.1:${app.port}/`)).body, "old code");
});

test("a page is said while its number stands in the shared memory, and never in place of a newer one", () => {
  const table = createConnectionTable(1);
  const spoken = new SpokenPage(table);
  const page = (number: number) => ({ number, page: plainPage(500, `page ${number}`) });
  const state = () => [spoken.current?.details.text, spoken.awaited];
  assert.deepEqual(state(), [undefined, false]);
  Atomics.store(table, SAID, 1);
  assert.deepEqual(state(), [undefined, true], "its text is on its way");
  spoken.learn(page(1));
  assert.deepEqual(state(), ["page 1", false]);
  Atomics.store(table, SAID, 2);
  assert.deepEqual(state(), [undefined, true], "the page before is not said again");
  spoken.learn(page(2));
  assert.deepEqual(state(), ["page 2", false]);
  Atomics.store(table, SAID, 0);
  assert.deepEqual(state(), [undefined, false], "the app answers");
});

test("a session that is opened while the gate is closed begins with what the new code has: certificate and protocols", async () => {
  const server = (protocol: string) => `
    const options = ${JSON.stringify({ cert: certificate, key })};
    require("node:https").createServer({ ...options, ALPNProtocols: ["${protocol}"] }, (req, res) => res.end()).listen(0);
  `;
  await using app = await RelayedApp.start(server("old"));
  for (let round = 0; round < 10; round++) {
    let open = (_: Verdict) => {};
    const opened = new Promise<Verdict>((resolve) => {
      open = resolve;
    });
    app.closeGate();
    app.verdict = () => opened;
    const client = tls.connect({
      port: app.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["old", ...Array.from({ length: 10 }, (_, index) => `new${index}`)],
    });
    const secured = new Promise((resolve, reject) => client.on("secureConnect", resolve).on("error", reject));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    await app.release("main");
    await app.run("main", server(`new${round}`));
    app.verdict = () => PASS;
    await app.openGate();
    open(PASS);
    await within(secured, "the handshake");
    assert.equal(client.alpnProtocol, `new${round}`);
    client.destroy();
  }
});

function ask(
  session: http2.ClientHttp2Session,
  method = "GET",
  headers: http2.OutgoingHttpHeaders = {},
): Promise<{ status: number | undefined; body: string }> {
  const answer = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    let body = "";
    let status: number | undefined;
    const stream = session.request({ ":path": "/", ...headers, ":method": method });
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    stream.on("error", reject).on("end", () => resolve({ status, body }));
    if (method === "POST") stream.end("x".repeat(100_000));
  });
  return within(answer, "the answer");
}

/** What comes back for an upgrade over TLS, to its end. */
function upgrade(port: number): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    let received = "";
    const client = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    client.setEncoding("latin1").on("data", (text: string) => {
      received += text;
    });
    client.on("error", reject).on("close", () => resolve(received));
    client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
  return within(answer, "the end of the upgrade");
}
