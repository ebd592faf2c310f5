/** An app that answers and closes while its client still sends: the answer arrives, whatever way it closes. */
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { within } from "../support/deadline.js";
import { RelayedApp } from "../support/relayed-app.js";

/** As many as it took to see every fifth answer lost. */
const CLIENTS = 320;
const PARTS = 20;
const PART = Buffer.alloc(65536, 97);

const APP = `
  const answer = "HTTP/1.1 413 Payload Too Large\\r\\nContent-Length: 9\\r\\nConnection: close\\r\\n\\r\\ntoo large";
  const server = require("node:http").createServer({ maxHeaderSize: 2000, requestTimeout: 0 }, (req, res) => {
    switch (req.url) {
      case "/response": res.writeHead(413, { Connection: "close" }); res.end("too large"); break;
      case "/kept": res.writeHead(413); res.end("too large"); break;
      case "/end": req.socket.write(answer); req.socket.end(); break;
      case "/destroy": req.socket.write(answer, () => req.socket.destroy()); break;
      case "/destroySoon": req.socket.write(answer); req.socket.destroySoon(); break;
    }
  });
  server.on("connect", (req, socket) => { socket.end(answer); });
  server.on("upgrade", (req, socket) => { socket.write(answer); socket.destroySoon(); });
  server.listen(0);
`;

const post = (path: string, more = "") =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${PARTS * PART.length}\r\n\r\n`;

const WAYS: Readonly<Record<string, { head: string; status?: number; clients?: number }>> = {
  "an answer with Connection: close": { head: post("/response") },
  "HTTP/1.0": { head: post("/response").replace("HTTP/1.1", "HTTP/1.0"), clients: 80 },
  "an answer on a connection that is kept": { head: post("/kept"), clients: 80 },
  "socket.end()": { head: post("/end"), clients: 80 },
  "socket.destroy()": { head: post("/destroy") },
  "socket.destroySoon()": { head: post("/destroySoon"), clients: 80 },
  "a head that is too long": { head: post("/response", `X: ${"x".repeat(3000)}\r\n`), status: 431, clients: 80 },
  "no HTTP at all": { head: "what is this\r\n\r\n", status: 400, clients: 80 },
  CONNECT: { head: "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", clients: 80 },
  "an upgrade": { head: "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", clients: 80 },
};

test("answers that come before the request was sent arrive", async (t) => {
  await using app = await RelayedApp.start(APP);
  for (const [way, { head, status = 413, clients = CLIENTS }] of Object.entries(WAYS)) {
    await t.test(way, async () => {
      const answers = await Promise.all(Array.from({ length: clients }, () => sendInParts(app.port, head)));
      const whole = answers.filter((answer) => answer.startsWith(`HTTP/1.1 ${status} `) && isWhole(answer));
      assert.equal(whole.length, clients, `${clients - whole.length} of ${clients} answers were lost`);
    });
  }
});

test("pages of the supervisor's own arrive as well", async () => {
  await using app = await RelayedApp.start(APP);
  app.verdict = () => ({ type: "page", page: { status: 500, text: "too large is the error in your code\n" } });
  const answers = await Promise.all(Array.from({ length: 80 }, () => sendInParts(app.port, post("/response"))));
  assert.equal(answers.filter((answer) => /^HTTP\/1.1 500 .*error in your code/s.test(answer)).length, 80);
});

test("what a raw server says before it closes arrives", async () => {
  await using app = await RelayedApp.start(`
    require("node:net").createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => { socket.write("too large"); socket.destroySoon(); });
    }).listen(0);
  `);
  const answers = await Promise.all(Array.from({ length: 80 }, () => sendInParts(app.port, "first")));
  assert.equal(answers.filter((answer) => answer === "too large").length, 80);
});

test("a worker that dies after its answers has not taken them with it", async () => {
  await using app = await RelayedApp.start(`
    let waiting = [];
    require("node:http").createServer((req, res) => {
      waiting.push(res);
      if (waiting.length < 40) return;
      for (const one of waiting) { one.writeHead(413, { Connection: "close" }); one.end("too large"); }
      setImmediate(() => process.exit(1));
    }).listen(0);
  `);
  const answers = await Promise.all(Array.from({ length: 40 }, () => sendInParts(app.port, post("/"))));
  assert.equal(answers.filter((answer) => answer.startsWith("HTTP/1.1 413 ") && isWhole(answer)).length, 40);
});

/** 413 has the app's text; what Node answers by itself has none. */
function isWhole(answer: string): boolean {
  return answer.includes(" 413 ") ? answer.includes("too large") : answer.endsWith("\r\n\r\n");
}

/** Sends the head and then part after part, a turn apart, whatever comes back; resolves with that once it is closed. */
function sendInParts(port: number, head: string): Promise<string> {
  const closed = new Promise<string>((resolve) => {
    const client = net.connect(port, "127.0.0.1");
    let received = "";
    let parts = 0;
    client.setEncoding("latin1").on("data", (text: string) => {
      received += text;
      if (received.startsWith("HTTP/1.1 413") && received.endsWith("too large") && parts === PARTS) client.end();
    });
    // Some ways of closing reset the client, as they do without a supervisor.
    client.on("error", () => {});
    client.on("close", () => resolve(received));
    client.write(head);
    const next = () => {
      if (!client.writable) return;
      if (parts++ < PARTS) client.write(PART, () => setImmediate(next));
      else if (received !== "") client.end();
    };
    next();
  });
  return within(closed, "the connection to close");
}
