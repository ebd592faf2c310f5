/** An app that asks itself: its requests do not wait for what waits for them, and nobody else's go before their time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { certificate, key } from "../support/certificate.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const head = `import http from "node:http";
import https from "node:https";
import net from "node:net";
import { once } from "node:events";
const text = (await import("./text.mjs")).default;
const server = http.createServer((req, res) => res.end("health " + text));
`;

/** Expressions that ask `port` and give the answer's body. */
const clients: Readonly<Record<string, string>> = {
  fetch: "await (await fetch('http://127.0.0.1:' + port + '/health')).text()",
  "fetch by name": "await (await fetch('http://localhost:' + port + '/health')).text()",
  "http.get":
    "await new Promise((resolve, reject) => http.get({ port, host: '127.0.0.1' }, async (res) => { let all = ''; for await (const part of res) all += part; resolve(all); }).on('error', reject))",
  "http.get with a kept connection, twice":
    "await (async () => { const agent = new http.Agent({ keepAlive: true, maxSockets: 1 }); let all = ''; for (let i = 0; i < 2; i++) { all = ''; const [res] = await once(http.get({ port, host: 'localhost', agent }), 'response'); for await (const part of res) all += part; } agent.destroy(); return all; })()",
  "net.connect":
    "await new Promise((resolve, reject) => { let all = ''; net.connect(port, '127.0.0.1').on('error', reject).on('data', (part) => { all += part; }).on('end', () => resolve(all.split('\\r\\n\\r\\n')[1])).write('GET / HTTP/1.0\\r\\n\\r\\n'); })",
  "a connection that was made before":
    "await (async () => { const socket = net.connect(port, '127.0.0.1'); await once(socket, 'connect'); await new Promise((r) => setTimeout(r, 30)); let all = ''; socket.write('GET / HTTP/1.0\\r\\n\\r\\n'); for await (const part of socket) all += part; return all.split('\\r\\n\\r\\n')[1]; })()",
};

const listenAndAsk = (client: string, host = "") => `${head}server.listen(Number(process.env.PORT)${host});
await once(server, "listening");
const { port } = server.address();
globalThis.asked = ${client};
const inner = server.listeners("request")[0];
server.removeListener("request", inner);
server.on("request", (req, res) => req.url === "/asked" ? res.end(globalThis.asked) : inner(req, res));
`;

const files = (main: string) => ({ "main.mjs": main, "text.mjs": `export default "one";\n` });

describe("an app that asks itself while it is evaluated", { skip: plainMode }, () => {
  for (const [name, client] of Object.entries(clients)) {
    test(`starts, reloads and is restarted: ${name}`, async () => {
      const host = /127\.0\.0\.1/.test(client) ? `, "127.0.0.1"` : "";
      await using app = new TempApp(files(listenAndAsk(client, host)));
      await using served = await serve(app, "main.mjs");
      assert.equal(await served.text("/asked"), "health one");
      app.edit("text.mjs", "one", "two");
      assert.equal((await served.getOnce("/asked")).body, "health two");
      app.edit("text.mjs", "two", "three");
      app.write("package.json", `{ "name": "other" }\n`);
      assert.equal((await served.getOnce("/asked")).body, "health three");
      assert.deepEqual(served.lines.matching(/error|worker exited|failed/), []);
    });
  }

  test("by IPv6", async () => {
    const client = "await (await fetch('http://[::1]:' + port + '/health')).text()";
    await using app = new TempApp(files(listenAndAsk(client, `, "::1"`)));
    await using served = await serve(app, "main.mjs", { announced: /listening on \S+/ });
    assert.equal(await served.text("/asked"), "health one");
    app.edit("text.mjs", "one", "two");
    assert.equal((await served.getOnce("/asked")).body, "health two");
  });

  test("by TLS, and by a WebSocket's upgrade", async () => {
    const main = `${head}
const secure = https.createServer({ key: ${JSON.stringify(key)}, cert: ${JSON.stringify(certificate)} }, (req, res) => res.end("secure " + text));
server.on("upgrade", (req, socket) => socket.end("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: x\\r\\n\\r\\n" + text));
server.listen(Number(process.env.PORT), "127.0.0.1");
secure.listen(0, "127.0.0.1");
await Promise.all([once(server, "listening"), once(secure, "listening")]);
const [answer] = await once(https.get({ port: secure.address().port, host: "127.0.0.1", rejectUnauthorized: false, agent: false }), "response");
let asked = "";
for await (const part of answer) asked += part;
const upgrade = http.get({ port: server.address().port, host: "127.0.0.1", headers: { Connection: "Upgrade", Upgrade: "x" } });
const [, socket, first] = await once(upgrade, "upgrade");
let rest = String(first);
for await (const part of socket) rest += part;
server.removeAllListeners("request").on("request", (req, res) => res.end(asked + " " + rest));
`;
    await using app = new TempApp(files(main));
    await using served = await serve(app, "main.mjs");
    assert.equal(await served.text("/"), "secure one one");
    app.edit("text.mjs", "one", "two");
    assert.equal((await served.getOnce("/")).body, "secure two two");
  });

  test("by a raw server of its own", async () => {
    const main = `${head}
const raw = net.createServer((socket) => socket.end("raw " + text)).listen(0, "127.0.0.1");
await once(raw, "listening");
let asked = "";
for await (const part of net.connect(raw.address().port, "127.0.0.1")) asked += part;
server.removeAllListeners("request").on("request", (req, res) => res.end(asked));
server.listen(Number(process.env.PORT), "127.0.0.1");
`;
    await using app = new TempApp(files(main));
    await using served = await serve(app, "main.mjs", { announced: /listening on http:/ });
    assert.equal(await served.text("/"), "raw one");
    app.edit("text.mjs", "one", "two");
    assert.equal((await served.getOnce("/")).body, "raw two");
  });

  test("in a handler, when a reload waits for that handler", async () => {
    const main = `import http from "node:http";
import { execFileSync } from "node:child_process";
import text from "./text.mjs";
http.createServer(async (req, res) => {
  if (req.url === "/inner") return res.end(text);
  if (req.url === "/outer") {
    // As an editor does: what the app itself writes reloads nothing.
    execFileSync("cp", ["other.mjs", "text.mjs"]);
    const began = Date.now();
    const inner = await (await fetch("http://127.0.0.1:" + req.socket.localPort + "/inner")).text();
    return res.end(inner + (Date.now() - began < 1500 ? " soon" : " late"));
  }
  res.end(text);
}).listen(Number(process.env.PORT), "127.0.0.1");
`;
    await using app = new TempApp({ ...files(main), "other.mjs": `export default "two";\n` });
    await using served = await serve(app, "main.mjs");
    assert.match((await served.getOnce("/outer")).body, /^(one|two) soon$/);
    assert.equal((await served.getOnce("/")).body, "two");
  });

  test("others still wait: no answer of theirs is older than the last write", async () => {
    const client =
      "await (async () => { for (let i = 0; i < 20; i++) await (await fetch('http://127.0.0.1:' + port + '/health')).text(); return 'asked'; })()";
    await using app = new TempApp(files(listenAndAsk(client, `, "127.0.0.1"`)));
    await using served = await serve(app, "main.mjs");
    for (let round = 1; round <= 15; round++) {
      app.write("text.mjs", `export default "round ${round}";\n`);
      const answers = await Promise.all(Array.from({ length: 4 }, () => requestOnce(`${served.origin}/`)));
      for (const { body } of answers) assert.equal(body, `health round ${round}`);
      assert.equal(await served.text("/"), `health round ${round}`);
    }
  });
});
