/** TLS and HTTP/2 while no worker can speak: the supervisor says the page itself, with the certificate of the app's server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { Socket } from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import { OwnSessions } from "../../src/front/own-sessions.js";
import type { Verdict } from "../../src/front/turn.js";
import { certificate, key } from "../support/certificate.js";
import { eventually, within } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { RelayedApp } from "../support/relayed-app.js";

const SERVERS = `
  const secure = ${JSON.stringify({ key, cert: certificate })};
  const { createServer, createSecureServer } = require("node:http2");
  const answer = (req, res) => res.end("the app");
  require("node:https").createServer({ ...secure, key: [{ pem: Buffer.from(secure.key) }] }, answer).listen(0);
  createSecureServer({ ...secure, allowHTTP1: true }, answer).listen(0);
  createServer(answer).listen(0);
  require("node:https").createServer({ SNICallback: (name, done) => done(new Error(name)) }, answer).listen(0);
`;
const FAILED: Verdict = { type: "page", page: { status: 500, text: "src/app.ts:3:1 throws\n" } };
/** Until the last word of the table, which no connection uses, is 1. */
const BLOCK = "setImmediate(() => { while (Atomics.load(table, table.length - 1) === 0); });";

test("TLS and HTTP/2 clients get the page while no worker lives, is blocked, or takes what is held, and then the app", async () => {
  await using app = await RelayedApp.start(SERVERS, { heldDeadline: 1 });
  const [https = 0, secure = 0, plain = 0, unknown = 0] = app.front.addresses().map(portOf);
  const page = async (ask: () => Promise<Said>, status: number, text: RegExp) => {
    const answer = await ask();
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, text);
  };
  const clients = [
    () => requestOnce(`https://127.0.0.1:${https}/`, { method: "POST", body: "x".repeat(100_000) }),
    () => requestOnce(`https://127.0.0.1:${secure}/`),
    () => askHttp2(`https://127.0.0.1:${secure}`),
    () => askHttp2(`http://127.0.0.1:${plain}`),
  ];
  const all = (status: number, text: RegExp) => Promise.all(clients.map((ask) => page(ask, status, text)));
  await all(200, /^the app$/);

  await app.run("main", BLOCK);
  const waiting = all(504, /it is stuck/);
  await eventually(
    async () => app.front.inFlightOf(app.epoch).requests,
    (count) => count === clients.length,
    "clients that the worker has not taken",
  );
  app.front.blocked(app.epoch, { status: 504, text: "it is stuck\n" });
  await waiting;
  app.front.blocked(app.epoch, undefined);

  await app.terminate();
  await all(503, /has held this request/);
  app.verdict = () => FAILED;
  await all(500, /throws/);
  assert.deepEqual(await askHttp2(`https://127.0.0.1:${secure}`, "HEAD"), { status: 500, body: "" });
  await assert.rejects(requestOnce(`https://127.0.0.1:${unknown}/`), "a certificate that nobody knows");

  const idle = tls.connect({ port: https, host: "127.0.0.1", rejectUnauthorized: false });
  await within(once(idle, "secureConnect"), "the handshake");
  const ended = once(idle.resume(), "close");
  app.verdict = () => ({ type: "pass" });
  await app.boot(SERVERS);
  await within(ended, "the end of a session that began when the app was broken");
  await all(200, /^the app$/);
});

test("a certificate that cannot be used leaves the client's connection as it is", () => {
  const sessions = new OwnSessions({ speakHttp1: () => {}, respond: () => {} });
  const page = { status: 500, text: "" } as const;
  const credentials = { key: "no key", cert: certificate };
  assert.equal(sessions.begin(new Socket(), [], page, { kind: "https", credentials }), false);
});

interface Said {
  readonly status: number | undefined;
  readonly body: string;
}

function portOf(address: unknown): number {
  return (address as { port: number }).port;
}

/** In a session of its own, which the server ends after a page. */
async function askHttp2(origin: string, method = "GET"): Promise<Said> {
  const session = http2.connect(origin, { rejectUnauthorized: false });
  const failed = new Promise<never>((_, reject) => session.on("error", reject));
  const closed = new Promise((resolve) => session.on("close", resolve));
  try {
    const stream = session.request({ ":path": "/", ":method": method });
    let body = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    const ended = once(stream, "end");
    const [headers] = (await within(Promise.race([once(stream, "response"), failed]), "the answer")) as [
      http2.IncomingHttpHeaders,
    ];
    await within(ended, "the end of the answer");
    const status = headers[":status"] as number | undefined;
    if (status !== 200) await within(closed, "the end of the session");
    return { status, body };
  } finally {
    session.destroy();
  }
}
