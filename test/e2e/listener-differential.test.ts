/**
 * The same app code once bare and once behind the front, in threads of their own: raw bytes sent to both, raw bytes
 * received from both, and what the app reported about itself, must be equal.
 */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { certificate, key } from "../support/certificate.js";
import { within } from "../support/deadline.js";
import { RelayedApp } from "../support/relayed-app.js";

/** Runs the code without the virtual listen. `report` works as in the relayed app. */
class BareApp {
  readonly reported: unknown[] = [];
  readonly #worker: Worker;
  readonly #done: Promise<void>;

  constructor(code: string) {
    const source = `
      import { createRequire } from "node:module";
      import { parentPort } from "node:worker_threads";
      const report = (value) => parentPort.postMessage({ value });
      const AsyncFunction = (async () => {}).constructor;
      await new AsyncFunction("require", "report", ${JSON.stringify(code)})(createRequire(${JSON.stringify(import.meta.url)}), report);
      parentPort.postMessage("done");
      parentPort.on("message", () => {});
    `;
    this.#worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    this.#done = new Promise((resolve, reject) => {
      this.#worker.on("error", reject);
      this.#worker.on("message", (message: "done" | { value: unknown }) => {
        if (message === "done") resolve();
        else this.reported.push(message.value);
      });
    });
  }

  async ready(): Promise<this> {
    await within(this.#done, "the bare app");
    return this;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Sends the parts one after the other, each when something came back for the one before; gives all that came back. */
async function converse(port: number, parts: readonly string[], endAfter: boolean): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.setEncoding("latin1");
  let received = "";
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("end", () => socket.end());
    socket.on("error", () => {});
  });
  socket.on("data", (chunk: string) => {
    received += chunk;
  });
  for (const [index, part] of parts.entries()) {
    const before = received.length;
    socket.write(part, "latin1");
    if (index < parts.length - 1) {
      await within(
        new Promise<void>((resolve) => {
          const look = () => (received.length > before || socket.destroyed ? resolve() : setImmediate(look));
          look();
        }),
        `an answer to ${part}`,
      );
    }
  }
  if (endAfter) socket.end();
  await within(closed, () => `the end; so far ${JSON.stringify(received)}`);
  return received.replace(/^date: .*$/gim, "Date: D");
}

const HTTP_APP = `
  const http = require("node:http");
  const server = http.createServer({ keepAliveTimeout: 0 }, (req, res) => {
    const path = req.url.split("?")[0];
    switch (path) {
      case "/echo": {
        const chunks = [];
        req.on("data", (c) => chunks.push(c));
        req.on("end", () => {
          const seen = { method: req.method, url: req.url, version: req.httpVersion, raw: req.rawHeaders, trailers: req.rawTrailers, body: Buffer.concat(chunks).toString("latin1") };
          res.setHeader("X-Case", "Kept");
          res.setHeader("Set-Cookie", ["a=1", "b=2"]);
          res.end(JSON.stringify(seen));
        });
        break;
      }
      case "/204": res.writeHead(204).end(); break;
      case "/304": res.writeHead(304, { ETag: '"x"' }).end(); break;
      case "/early": res.writeEarlyHints({ link: "</style.css>; rel=preload" }); res.end("after hints"); break;
      case "/trailers": res.writeHead(200, { Trailer: "X-Sum" }); res.write("abc"); res.addTrailers({ "X-Sum": "3" }); res.end(); break;
      case "/close": res.setHeader("Connection", "close"); res.end("bye"); break;
      case "/destroy": res.write("half"); setImmediate(() => req.socket.destroy()); break;
      case "/nothing": req.socket.end(); break;
      case "/raw": req.socket.end("HTTP/1.1 299 Raw\\r\\nX: y\\r\\n\\r\\nraw"); break;
      case "/chunks": { let n = 0; const next = () => { if (n++ < 5) { res.write("chunk " + n + ";"); setImmediate(next); } else res.end(); }; next(); break; }
      case "/ip": res.end(req.socket.remoteAddress + " " + req.socket.remoteFamily + " " + (req.socket.remotePort > 0)); break;
      case "/other": other.emit("request", req, res); break;
      default: res.statusCode = 404; res.end("no " + path);
    }
  });
  const other = http.createServer((req, res) => res.end("other " + req.method));
  server.on("upgrade", (req, socket, head) => {
    socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n" + head);
    socket.on("data", (data) => socket.write(data));
    socket.on("end", () => socket.end("ended"));
  });
  server.on("connect", (req, socket, head) => { socket.write("HTTP/1.1 200 Tunnel\\r\\n\\r\\n" + req.url + head); socket.pipe(socket); });
  if (globalThis.withContinue) server.on("checkContinue", (req, res) => { if (req.url === "/refuse") { res.writeHead(417).end(); } else { res.writeContinue(); server.emit("request", req, res); } });
  server.listen(0);
  report(server.address().port);
  other.listen(0);
`;

const close = "Connection: close\r\n";
const CONVERSATIONS: Record<string, readonly string[]> = {
  "a plain GET": [`GET /echo?a=%20b HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
  "odd header case, order and duplicates": [
    `GET /echo HTTP/1.1\r\nhOsT: h\r\nX-A: 1\r\nx-a: 2\r\nCookie: a\r\nCookie: b\r\n${close}\r\n`,
  ],
  "a request that is passed on to another server": [`GET /other HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
  "HTTP/1.0": ["GET /echo HTTP/1.0\r\n\r\n"],
  "HTTP/1.0 with keep-alive": ["GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", `GET /echo HTTP/1.0\r\n\r\n`],
  "no Host": ["GET /echo HTTP/1.1\r\n\r\n"],
  "a body": [`POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${close}\r\nhello`],
  "a chunked body with trailers": [
    `POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n${close}\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: v\r\n\r\n`,
  ],
  "binary bytes": [`POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n${close}\r\n\x00\xff\n\r`],
  HEAD: [`HEAD /echo HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
  "three kept requests": [
    "GET /echo?1 HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /chunks HTTP/1.1\r\nHost: h\r\n\r\n",
    `GET /echo?3 HTTP/1.1\r\nHost: h\r\n${close}\r\n`,
  ],
  "pipelined requests": [
    `GET /chunks HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?2 HTTP/1.1\r\nHost: h\r\n\r\nGET /chunks HTTP/1.1\r\nHost: h\r\n${close}\r\n`,
  ],
  "204": [`GET /204 HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
  "304": [`GET /304 HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
  "early hints": [`GET /early HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
  "response trailers": [`GET /trailers HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n${close}\r\n`],
  "the app closes": ["GET /close HTTP/1.1\r\nHost: h\r\n\r\n"],
  "the app destroys half an answer": ["GET /destroy HTTP/1.1\r\nHost: h\r\n\r\n"],
  "the app ends without an answer": ["GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"],
  "the app writes raw bytes": ["GET /raw HTTP/1.1\r\nHost: h\r\n\r\n"],
  "a bad request": ["NONSENSE\r\n\r\n"],
  "a bad request after a good one": ["GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\x01 HTTP/9.9\r\n\r\n"],
  "Expect: 100-continue": [
    "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    "abc",
  ].map((part, index) => (index === 0 ? part.replace("Content", `${close}Content`) : part)),
  "an unknown expectation": [`POST /echo HTTP/1.1\r\nHost: h\r\nExpect: magic\r\n${close}\r\n`],
  "an upgrade": ["GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", "ping"],
  "an upgrade with bytes behind it": [
    "GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhead",
    "more",
  ],
  CONNECT: ["CONNECT there:1 HTTP/1.1\r\nHost: there:1\r\n\r\n", "through"],
  "the client's address": [`GET /ip HTTP/1.1\r\nHost: h\r\n${close}\r\n`],
};

/** Conversations that the client ends; the others end by themselves. */
const CLIENT_ENDS = new Set(["an upgrade", "an upgrade with bytes behind it", "CONNECT"]);

let relayed: RelayedApp;
let bare: BareApp;
before(async () => {
  relayed = await RelayedApp.start(HTTP_APP);
  bare = await new BareApp(HTTP_APP).ready();
});
after(async () => {
  await relayed?.close();
  await bare?.close();
});

for (const [name, parts] of Object.entries(CONVERSATIONS)) {
  test(`byte for byte as without us: ${name}`, async () => {
    const expected = await converse(bare.reported[0] as number, parts, CLIENT_ENDS.has(name));
    const received = await converse(relayed.port, parts, CLIENT_ENDS.has(name));
    assert.equal(received, expected);
    assert.notEqual(name === "the app ends without an answer" ? "-" : received, "");
  });
}

/** Each piece reports what it sees of a server's behaviour; both runs must report the same. */
const BEHAVIOURS: Record<string, string> = {
  "listen() returns the server and calls back later": `
    const server = require("node:http").createServer();
    const order = [];
    const same = server.listen(0, () => order.push("callback")) === server;
    server.on("listening", () => order.push("event"));
    order.push("returned", server.listening, typeof server.address().port, server.address().family);
    await new Promise((resolve) => setImmediate(resolve));
    report([same, order]);`,
  "a host is looked up first": `
    const server = require("node:http").createServer().listen({ port: 0, host: "127.0.0.1" });
    const before = [server.listening, server.address()];
    await require("node:events").once(server, "listening");
    report([before, server.address().address, server.address().family]);`,
  "an unknown host is an error event": `
    const server = require("node:net").createServer().listen(0, "host.invalid");
    const [error] = await require("node:events").once(server, "error");
    report([error.code, error.syscall, server.listening]);`,
  "listening twice throws": `
    const server = require("node:net").createServer().listen(0);
    try { server.listen(0); } catch (error) { report([error.code, error.message]); }`,
  "bad ports throw": `
    for (const port of [-1, 65536, "x", 1.5, NaN, {}, true]) {
      try { const s = require("node:net").createServer(); s.listen(port); report(["listens", String(port), s.listening]); s.close(); }
      catch (error) { report([String(port), error.code, error.name]); }
    }`,
  "all forms of listen": `
    const net = require("node:net"), { once } = require("node:events");
    for (const args of [[], [null], [undefined], [0], ["0"], [0, 5], [0, "127.0.0.1", 5], [{ port: 0 }], [{ port: "0", host: "localhost" }], [{ port: 0, ipv6Only: true }], [{ port: undefined }], [{}], [{ host: "x" }]]) {
      try {
        const server = net.createServer();
        let called = 0;
        server.listen(...args, () => called++);
        if (!server.listening) await once(server, "listening"); else await new Promise((r) => setImmediate(r));
        report([JSON.stringify(args), called, server.address().address, server.address().family, server.address().port > 0]);
        server.close();
      } catch (error) { report([JSON.stringify(args), error.code]); }
    }`,
  "a used port is EADDRINUSE": `
    const net = require("node:net"), { once } = require("node:events");
    const first = net.createServer().listen(0);
    const { port } = first.address();
    const second = net.createServer().listen(port);
    const sync = second.listening;
    const [error] = await once(second, "error");
    report([sync, error.code, error.syscall, error.errno, error.address, error.port === port, error.message.replace(port, "PORT"), second.listening, second.address()]);
    const third = net.createServer().listen(port, "127.0.0.1");
    const [again] = await once(third, "error");
    report([again.code, again.address, again.message.replace(port, "PORT")]);
    first.close();
    await once(first, "close");
    second.listen(port);
    await once(second, "listening");
    report(second.address().port === port);`,
  "a path": `
    const net = require("node:net"), fs = require("node:fs"), { once } = require("node:events");
    const path = require("node:path").join(fs.mkdtempSync(require("node:path").join(require("node:os").tmpdir(), "ur-")), "app.sock");
    const server = net.createServer((socket) => { report([socket.remoteAddress, socket.remotePort, socket.localAddress]); socket.end("hi"); }).listen({ path, readableAll: true, writableAll: true });
    await once(server, "listening");
    report([server.address() === path, (fs.statSync(path).mode & 0o777).toString(8)]);
    const second = net.createServer().listen(path);
    const [error] = await once(second, "error");
    report([error.code, error.message.replace(path, "PATH"), error.port, error.address === path]);
    const client = net.connect(path);
    const [data] = await once(client, "data");
    report(String(data));
    client.destroy();
    server.close();
    await once(server, "close");
    report(fs.existsSync(path));
    fs.rmSync(require("node:path").dirname(path), { recursive: true });`,
  "a missing folder and a forbidden path": `
    const net = require("node:net"), { once } = require("node:events");
    const server = net.createServer().listen("/nowhere/at/all.sock");
    const [error] = await once(server, "error");
    report([error.code, error.message, server.listening]);`,
  "close() before and after listening": `
    const server = require("node:http").createServer(), { once } = require("node:events");
    server.close((error) => report(["never listened", error.code]));
    await new Promise((resolve) => setImmediate(resolve));
    server.listen(0);
    server.close((error) => report(["listened", error]));
    report([server.listening, server.address()]);
    await once(server, "close");
    server.close((error) => report(["again", error.code]));
    await new Promise((resolve) => setImmediate(resolve));`,
  "close() at once means no listening event": `
    const server = require("node:net").createServer();
    server.on("listening", () => report("listening")).on("close", () => report("close"));
    server.listen(0).close();
    await new Promise((resolve) => setTimeout(resolve, 50));`,
  "close() waits for open connections": `
    const net = require("node:net"), { once } = require("node:events");
    const server = net.createServer((socket) => socket.write("hi")).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1");
    await once(client, "data");
    report(await new Promise((resolve) => server.getConnections((error, count) => resolve(count))));
    let closed = false;
    server.close(() => { closed = true; });
    await new Promise((resolve) => setTimeout(resolve, 30));
    report(closed);
    client.destroy();
    await once(server, "close");
    report(closed);`,
  "closeIdleConnections and closeAllConnections": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    const server = http.createServer((req, res) => { if (req.url !== "/hang") res.end("x"); else server.emit("hanging"); }).listen(0);
    const { port } = server.address();
    const idle = net.connect(port, "127.0.0.1").setEncoding("latin1"), busy = net.connect(port, "127.0.0.1");
    idle.write("GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
    await once(idle, "data");
    busy.write("GET /hang HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
    await once(server, "hanging");
    const gone = once(idle.resume(), "close");
    server.closeIdleConnections();
    await gone;
    report(busy.destroyed);
    const cut = new Promise((resolve) => busy.on("close", resolve).on("error", () => {}).resume());
    server.closeAllConnections();
    await cut;
    server.close();
    await once(server, "close");
    report("closed");`,
  "a signal closes the server": `
    const server = require("node:net").createServer(), { once } = require("node:events");
    const abort = new AbortController();
    server.listen({ port: 0, signal: abort.signal });
    abort.abort();
    await once(server, "close");
    report(server.listening);`,
  "async dispose": `
    const server = require("node:http").createServer().listen(0);
    await server[Symbol.asyncDispose]();
    report([server.listening, server.address()]);`,
  "maxConnections drops": `
    const net = require("node:net"), { once } = require("node:events");
    const server = net.createServer((socket) => socket.write("in")).listen(0);
    server.maxConnections = 1;
    server.on("drop", (data) => report([Object.keys(data).sort(), data.remoteFamily, data.localPort === server.address().port]));
    const { port } = server.address();
    const first = net.connect(port, "127.0.0.1");
    await once(first, "data");
    const second = net.connect(port, "127.0.0.1");
    second.on("error", () => {});
    await new Promise((resolve) => second.resume().on("close", resolve));
    report(await new Promise((resolve) => server.getConnections((error, count) => resolve(count))));
    first.destroy();`,
  "a raw server may speak first, half-close, and see aborts": `
    const net = require("node:net"), { once } = require("node:events");
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.write("220 ready;");
      let got = "";
      socket.setEncoding("latin1").on("data", (d) => { got += d; });
      socket.on("end", () => { report(["end", got]); socket.end("bye"); });
      socket.on("close", (hadError) => report(["close", hadError]));
    }).listen(0);
    const client = net.connect({ port: server.address().port, host: "127.0.0.1", allowHalfOpen: true }).setEncoding("latin1");
    const [hello] = await once(client, "data");
    client.end("over");
    let rest = "";
    for await (const chunk of client) rest += chunk;
    report([hello, rest]);
    await new Promise((resolve) => setTimeout(resolve, 30));`,
  "pauseOnConnect keeps bytes until resume": `
    const net = require("node:net"), { once } = require("node:events");
    const server = net.createServer({ pauseOnConnect: true }).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1");
    client.write("early");
    const [socket] = await once(server, "connection");
    report([socket.isPaused(), socket.readableFlowing]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.resume();
    report(String((await once(socket, "data"))[0]));
    client.destroy();`,
  "what a new socket looks like": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = net.connect(server.address().port, "127.0.0.1");
    const [socket] = await once(server, "connection");
    report([socket.server === server, socket.readable, socket.writable, socket.readyState, socket.connecting, socket.pending, socket.allowHalfOpen,
      socket.readableFlowing, socket.readableLength, socket.timeout ?? null, socket.remoteFamily, socket.localAddress, socket.localFamily, socket.bytesWritten, socket instanceof net.Socket]);
    client.destroy();
    await once(socket.resume(), "close");
    report([socket.remoteAddress ?? null, socket.destroyed]);`,
  "the app resets the connection": `
    const net = require("node:net"), { once } = require("node:events");
    const server = net.createServer((socket) => socket.resetAndDestroy()).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1");
    const [error] = await once(client.resume(), "error");
    report(error.code);`,
  "an https server": `
    const https = require("node:https"), { once } = require("node:events");
    const server = https.createServer({ key: ${JSON.stringify(key)}, cert: ${JSON.stringify(certificate)} }, ({ socket, url }, res) => {
      res.end([url, socket.encrypted, socket.remoteAddress, socket.remotePort > 0, socket.localPort === server.address().port, socket.getProtocol()].join());
    }).listen(0);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    for (let n = 0; n < 3; n++) {
      const [response] = await once(https.get({ port: server.address().port, host: "127.0.0.1", path: "/" + n, agent }), "response");
      let text = ""; for await (const chunk of response) text += chunk;
      report([text, response.headers.connection]);
    }
    agent.destroy();
    server.close();
    await once(server, "close");`,
  "an http2 server, clear and secure, streams and compatibility": `
    const http2 = require("node:http2"), { once } = require("node:events");
    for (const secure of [false, true]) {
      const options = { key: ${JSON.stringify(key)}, cert: ${JSON.stringify(certificate)}, allowHTTP1: true };
      const server = secure ? http2.createSecureServer(options) : http2.createServer();
      server.on("request", (req, res) => { res.setHeader("x", "y"); res.end("compat " + req.url + " " + req.socket.remoteAddress + " " + req.httpVersion); });
      server.listen(0);
      const client = http2.connect((secure ? "https" : "http") + "://127.0.0.1:" + server.address().port, { rejectUnauthorized: false });
      const texts = await Promise.all(["/a", "/b", "/c"].map(async (path) => {
        const stream = client.request({ ":path": path });
        const [headers] = await once(stream, "response");
        let text = ""; for await (const chunk of stream) text += chunk;
        return [headers[":status"], headers.x, text];
      }));
      report(texts);
      client.close();
      await once(client, "close");
      server.close();
      await once(server, "close");
    }`,
  "an http2 server that answers streams": `
    const http2 = require("node:http2"), { once } = require("node:events");
    const server = http2.createServer();
    server.on("stream", (stream, headers) => { stream.respond({ ":status": 201 }); stream.end("stream " + headers[":path"]); });
    server.listen(0);
    const client = http2.connect("http://127.0.0.1:" + server.address().port);
    const stream = client.request({ ":path": "/s" });
    const [headers] = await once(stream, "response");
    let text = ""; for await (const chunk of stream) text += chunk;
    report([headers[":status"], text]);
    client.close();
    server.close();
    await once(server, "close");`,
  "a bad TLS handshake": `
    const tls = require("node:tls"), net = require("node:net"), { once } = require("node:events");
    const server = tls.createServer({ key: ${JSON.stringify(key)}, cert: ${JSON.stringify(certificate)} }, (socket) => socket.end("tls " + socket.remoteAddress)).listen(0);
    server.on("tlsClientError", (error) => report([error.code]));
    const bad = net.connect(server.address().port, "127.0.0.1");
    bad.write("this is not TLS at all, really not\\r\\n\\r\\n");
    bad.on("error", () => {});
    await new Promise((resolve) => bad.resume().on("close", resolve));
    const good = tls.connect({ port: server.address().port, host: "127.0.0.1", rejectUnauthorized: false });
    let text = ""; for await (const chunk of good) text += chunk;
    report(text);`,
  "timeouts of the server": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    const server = http.createServer({ headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 }, (req, res) => res.end()).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1").setEncoding("latin1");
    client.write("GET / HTTP/1.1\\r\\nHo");
    let text = ""; for await (const chunk of client) text += chunk;
    report(text);
    const kept = http.createServer({ keepAliveTimeout: 30 }, (req, res) => res.end("k")).listen(0);
    const second = net.connect(kept.address().port, "127.0.0.1").setEncoding("latin1");
    second.write("GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
    text = ""; for await (const chunk of second) text += chunk;
    report(text.replace(/Date: .*/, ""));`,
  "back-pressure on a client that does not read": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    const server = http.createServer((req, res) => {
      const chunk = Buffer.alloc(65536, 120);
      let written = 0;
      const more = () => { while (written < 400) { written++; if (!res.write(chunk)) { res.once("drain", more); return; } } res.end(); };
      more();
      setTimeout(() => report(written < 400), 300);
    }).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1");
    client.pause();
    client.write("GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n");
    await new Promise((resolve) => setTimeout(resolve, 400));
    let size = 0; for await (const chunk of client) size += chunk.length;
    report(size > 400 * 65536);`,
  "back-pressure on a handler that does not read": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    const server = http.createServer((req, res) => { setTimeout(() => { let n = 0; req.on("data", (c) => { n += c.length; }); req.on("end", () => res.end(String(n))); }, 300); }).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1").setEncoding("latin1");
    client.write("POST / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 52428800\\r\\n\\r\\n");
    const chunk = Buffer.alloc(1048576, 120);
    let full = 0;
    for (let n = 0; n < 50; n++) if (!client.write(chunk)) { full++; await once(client, "drain"); }
    let text = ""; for await (const chunk of client) text += chunk;
    report([full > 10, text.slice(-8)]);`,
  "what a socket has read and written": `
    const net = require("node:net"), { once } = require("node:events");
    for (const pauseOnConnect of [false, true]) {
      const server = net.createServer({ pauseOnConnect }).listen(0);
      const client = net.connect(server.address().port, "127.0.0.1");
      client.write("early bytes");
      const [socket] = await once(server, "connection");
      await new Promise((resolve) => setTimeout(resolve, 30));
      const before = [socket.bytesRead, socket.readableLength];
      socket.on("data", () => {}).resume().end("answer");
      client.end("more").resume();
      await once(socket, "close");
      report([pauseOnConnect, before, socket.bytesRead, socket.bytesWritten]);
      server.close();
    }`,
  "a descriptor that cannot listen, and one of a bound path": `
    const net = require("node:net"), fs = require("node:fs"), { once } = require("node:events");
    const fd = fs.openSync("/dev/null", "r");
    const server = net.createServer().listen({ fd });
    const [error] = await once(server, "error");
    report([error.message, error.code, "port" in error, error.address]);
    fs.closeSync(fd);`,
  "what is published of servers and sockets": `
    const net = require("node:net"), channels = require("node:diagnostics_channel"), { once } = require("node:events");
    const told = [];
    const server = net.createServer(), second = net.createServer();
    const nameOf = (one) => one === server ? "server" : one === second ? "second" : "another";
    const listens = channels.tracingChannel("net.server.listen");
    listens.subscribe({
      asyncStart: ({ server, options }) => told.push(["start", nameOf(server), Object.keys(options)]),
      asyncEnd: ({ server }) => told.push(["end", nameOf(server)]),
      error: ({ server, error }) => told.push(["error", nameOf(server), error.code]),
    });
    channels.subscribe("net.server.socket", ({ socket }) => told.push(["socket", socket.remoteFamily, socket.server === server]));
    server.on("listening", () => told.push(["listening"])).on("connection", (socket) => { told.push(["connection"]); socket.end("x"); });
    server.listen({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const { port } = server.address();
    second.listen(port, "127.0.0.1").on("error", () => told.push(["error event"]));
    const client = net.connect(port, "127.0.0.1").resume();
    await once(client, "close");
    server.close();
    await once(server, "close");
    report(told);`,
  "a stream that is handed to an http2 server": `
    const http2 = require("node:http2"), { duplexPair } = require("node:stream"), { once } = require("node:events");
    if (duplexPair === undefined) { report("Node has none"); return; }
    const [one, other] = duplexPair();
    const server = http2.createServer((req, res) => res.end("over a pair")).listen(0);
    server.emit("connection", one);
    const client = http2.connect("http://localhost", { createConnection: () => other });
    let text = "";
    for await (const chunk of client.request().setEncoding("utf8")) text += chunk;
    report(text);
    client.destroy();
    server.close();`,
  "an http2 session that is destroyed as it begins": `
    const http2 = require("node:http2"), { once } = require("node:events");
    const server = http2.createServer().on("session", (session) => session.destroy()).on("sessionError", () => {}).listen(0);
    const client = http2.connect("http://127.0.0.1:" + server.address().port);
    client.on("error", () => {});
    client.request().on("error", () => {});
    await once(client, "close");
    server.close();
    await once(server, "close");
    report("closed");`,
  "a client that goes on after the last answer": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    for (const last of [(req, res) => res.writeHead(200, { Connection: "close" }).end("last"), (req) => req.socket.end("HTTP/1.1 200 OK\\r\\n\\r\\n"), (req, res) => { res.end("x"); req.socket.destroySoon(); }]) {
      let requests = 0;
      const server = http.createServer((req, res) => { requests++; last(req, res); }).listen(0);
      const client = net.connect({ port: server.address().port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {}).resume();
      client.write("GET /1 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
      await once(client, "end");
      client.write("GET /2 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
      await new Promise((resolve) => setTimeout(resolve, 100));
      report(requests);
      client.destroy();
      server.closeAllConnections();
      server.close();
    }`,
  "an http2 client that goes on after the app has ended its session": `
    const http2 = require("node:http2"), net = require("node:net"), { once } = require("node:events");
    let streams = 0;
    const server = http2.createServer().on("stream", (stream) => {
      streams++;
      stream.respond({ ":status": 200 });
      stream.end("hello");
      stream.session.close();
    });
    server.on("sessionError", () => {}).listen(0);
    const frame = (type, flags, stream, bytes) => Buffer.concat([Buffer.from([0, 0, bytes.length, type, flags, 0, 0, 0, stream]), bytes]);
    const client = net.connect({ port: server.address().port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {}).resume();
    // GET, http, the path "/" and an authority, by the static table of HPACK.
    client.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"), frame(4, 0, 0, Buffer.alloc(0)), frame(1, 5, 1, Buffer.from([0x82, 0x86, 0x84, 0x41, 1, 0x61]))]));
    await once(client, "end");
    client.write(frame(6, 0, 0, Buffer.alloc(8)));
    await new Promise((resolve) => setTimeout(resolve, 150));
    report(streams);
    client.destroy();
    server.close();`,
  "a client that breaks off": `
    const http = require("node:http"), net = require("node:net"), { once } = require("node:events");
    const events = [];
    const server = http.createServer((req, res) => {
      req.on("error", (error) => events.push("req " + error.code)).on("close", () => events.push("req close"));
      res.on("close", () => { events.push("res close " + res.writableFinished); server.emit("seen"); });
      req.resume();
      res.write("x");
    }).listen(0);
    const client = net.connect(server.address().port, "127.0.0.1");
    client.write("POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 10\\r\\n\\r\\nabc");
    await once(client, "data");
    client.destroy();
    await once(server, "seen");
    await new Promise((resolve) => setTimeout(resolve, 20));
    report(events.sort());`,
};

for (const [name, code] of Object.entries(BEHAVIOURS)) {
  test(`behaves as without us: ${name}`, async () => {
    const expected = await new BareApp(code).ready();
    await expected.close();
    await using app = await RelayedApp.start(code);
    assert.deepEqual(app.reported, expected.reported);
    assert.notEqual(app.reported.length, 0);
  });
}
