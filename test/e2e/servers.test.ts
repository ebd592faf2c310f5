import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { test } from "node:test";
import { certificate, key } from "../support/certificate.js";
import { eventually, within } from "../support/deadline.js";
import { exchangeRaw, requestOnce } from "../support/http-client.js";
import { type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

test("several servers on several ports answer, each with its own code, also after a reload", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
const admin = http.createServer(require("./admin"));
const site = http.createServer((req, res) => {
  if (req.url === "/admin-port") res.end(String(admin.address()?.port ?? "none"));
  else require("./site")(req, res);
});
site.listen(process.env.PORT, "127.0.0.1", () => admin.listen(0, "127.0.0.1"));
`,
    "admin.js": `module.exports = (req, res) => res.end("admin 1");\n`,
    "site.js": `module.exports = (req, res) => res.end("site 1");\n`,
  });
  await using served = await serve(app, "main.js");
  const adminUrl = async () => `http://127.0.0.1:${await adminPort(served)}/`;
  const before = await adminUrl();
  assert.equal(await served.text("/"), "site 1");
  assert.equal((await requestOnce(before)).body, "admin 1");

  app.edit("site.js", "site 1", "site 2");
  assert.equal(await served.text("/"), "site 2");
  app.edit("admin.js", "admin 1", "admin 2");
  if (served.inPlace) assert.equal((await requestOnce(before)).body, "admin 2", "asked first, on the second port");
  assert.equal(await served.text("/"), "site 2");
  const after = await adminUrl();
  assert.equal((await requestOnce(after)).body, "admin 2");
  if (!served.inPlace) return;
  assert.equal(after, before, "port 0 keeps the number it was given");
  app.edit("main.js", `admin.listen(0, "127.0.0.1")`, `admin.listen(0, "0.0.0.0")`);
  assert.equal(await adminUrl(), before, "on another host as well");
});

/** The number of the second server's port, once that server listens. */
async function adminPort(served: ServedApp): Promise<number> {
  const known = (text: string) => text !== "none";
  return Number(await eventually(() => served.text("/admin-port"), known, "the second server to listen"));
}

test("address(), the listen callback, the event and listening are those of the public port", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
const seen = [];
const server = http.createServer((req, res) => {
  res.end(JSON.stringify({ seen, listening: server.listening, address: server.address(), remote: req.socket.remoteAddress, local: req.socket.localPort }));
});
server.on("listening", () => seen.push("event"));
seen.push(server.listening);
const result = server.listen(process.env.PORT, "127.0.0.1", function () {
  seen.push("callback", this === server);
});
seen.push(result === server);
`,
  });
  await using served = await serve(app, "main.js");
  assert.deepEqual(await served.json("/"), {
    seen: [false, true, "event", "callback", true],
    listening: true,
    address: { address: "127.0.0.1", family: "IPv4", port: served.port },
    remote: "127.0.0.1",
    local: served.port,
  });
});

test("a port in use is the app's own listen error", async () => {
  const other = net.createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as net.AddressInfo;
  try {
    await using app = new TempApp({
      "main.js": `const http = require("node:http");
let met;
const server = http.createServer((req, res) => res.end(JSON.stringify(met)));
server.on("error", (error) => {
  met = { code: error.code, syscall: error.syscall, port: error.port, listening: server.listening };
  server.listen(0, "127.0.0.1");
});
server.listen(Number(process.env.TAKEN), "127.0.0.1");
`,
    });
    await using served = await serve(app, "main.js", { env: { TAKEN: String(port) } });
    assert.deepEqual(await served.json("/"), { code: "EADDRINUSE", syscall: "listen", port, listening: false });
  } finally {
    other.close();
  }
});

test("close() closes the public port", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
const second = http.createServer((req, res) => res.end("second"));
const first = http.createServer((req, res) => {
  second.close(() => res.end(JSON.stringify({ listening: second.listening, address: second.address() })));
});
second.listen(0, "127.0.0.1", () => {
  first.listen(process.env.PORT, "127.0.0.1", () => console.log("ports", first.address().port, second.address().port));
});
`,
  });
  await using served = await serve(app, "main.js");
  const [, first, second] = /ports (\d+) (\d+)/.exec(await served.lines.wait(/ports/)) ?? [];
  assert.equal((await requestOnce(`http://127.0.0.1:${second}/`)).body, "second");
  const closed = await requestOnce(`http://127.0.0.1:${first}/close`);
  assert.deepEqual(JSON.parse(closed.body), { listening: false, address: null });
  await assert.rejects(requestOnce(`http://127.0.0.1:${second}/`), { code: "ECONNREFUSED" });
});

test("an https server is served with the app's own certificate, and edits show", async () => {
  await using app = new TempApp({
    "key.pem": key,
    "cert.pem": certificate,
    "main.js": `const https = require("node:https");
const fs = require("node:fs");
const path = require("node:path");
const pem = (name) => fs.readFileSync(path.join(__dirname, name));
https
  .createServer({ key: pem("key.pem"), cert: pem("cert.pem") }, (req, res) => {
    res.end(JSON.stringify({ text: require("./leaf"), encrypted: req.socket.encrypted }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`,
    "leaf.js": `module.exports = "one";\n`,
  });
  await using served = await serve(app, "main.js");
  assert.equal(new URL(served.origin).protocol, "https:");
  assert.deepEqual(await served.json("/"), { text: "one", encrypted: true });
  app.edit("leaf.js", "one", "two");
  assert.deepEqual(await served.json("/"), { text: "two", encrypted: true });
  if (served.inPlace) assert.equal(served.connectionsOpened, 1);
});

for (const secure of [false, true]) {
  test(`an http2 server ${secure ? "with TLS" : "without TLS"} is served, and edits show`, async () => {
    await using app = new TempApp({
      "key.pem": key,
      "cert.pem": certificate,
      "main.js": `const http2 = require("node:http2");
const fs = require("node:fs");
const path = require("node:path");
const pem = (name) => fs.readFileSync(path.join(__dirname, name));
const listener = (req, res) => res.end(require("./leaf") + " " + req.httpVersion);
const server = ${secure ? `http2.createSecureServer({ key: pem("key.pem"), cert: pem("cert.pem") }, listener)` : "http2.createServer(listener)"};
server.listen(process.env.PORT, "127.0.0.1");
`,
      "leaf.js": `module.exports = "one";\n`,
    });
    await using served = await serve(app, "main.js");
    const origin = `${secure ? "https" : "http"}://127.0.0.1:${served.port}`;
    assert.equal(await requestHttp2(origin), "one 2.0");
    app.edit("leaf.js", "one", "two");
    if (served.inPlace) assert.equal(await requestHttp2(origin), "two 2.0");
  });
}

function requestHttp2(origin: string): Promise<string> {
  const session = http2.connect(origin, { rejectUnauthorized: false });
  const body = new Promise<string>((resolve, reject) => {
    let text = "";
    session.on("error", reject);
    const stream = session.request({ ":path": "/" });
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("error", reject);
    stream.on("end", () => resolve(text));
  });
  return within(body, "the http2 answer").finally(() => session.destroy());
}

test("pipelined requests are answered in order, all with the new code", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
http.createServer((req, res) => res.end(require("./leaf") + req.url)).listen(process.env.PORT, "127.0.0.1");
`,
    "leaf.js": `module.exports = "<one>";\n`,
  });
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "<one>/");
  app.edit("leaf.js", "one", "two");
  if (!served.inPlace) return;
  const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
  const bytes = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join("");
  const received = await exchangeRaw(served.port, bytes, (text) => text.includes("<two>/19"));
  assert.deepEqual(
    received.match(/<\w+>\/\d+/g),
    paths.map((path) => `<two>${path}`),
  );
});

test("--port and --host override the app's first server", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
const server = http.createServer((req, res) => res.end(JSON.stringify(server.address())));
server.listen(process.env.TAKEN ?? 1, "0.0.0.0");
`,
  });
  if (process.env.UNRELOADER_TEST_MODE === "plain") return;
  await using served = await serve(app, "main.js", { flags: ["--port", "0", "--host", "127.0.0.1"] });
  const address = { address: "127.0.0.1", family: "IPv4", port: served.port };
  assert.deepEqual(await served.json("/"), address);
  app.edit("main.js", "?? 1,", "?? 2,");
  assert.deepEqual(await served.json("/"), address, "after an edit of the port that is overridden");
});

test("arguments after -- are the app's own", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
http.createServer((req, res) => res.end(JSON.stringify(process.argv.slice(1)))).listen(process.env.PORT);
`,
  });
  await using served = await serve(app, "main.js", { args: ["--port", "7", "x"] });
  assert.deepEqual(await served.json("/"), [app.path("main.js"), "--port", "7", "x"]);
});
