import assert from "node:assert/strict";
import { test } from "node:test";
import { io, type Socket } from "socket.io-client";
import { WebSocket } from "ws";
import { DEADLINE_MS, within } from "../support/deadline.js";
import { type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const wsApp = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "main.js": `import http from "node:http";
import { WebSocketServer } from "ws";
import { reply } from "./reply.js";

const server = http.createServer((req, res) => res.end(reply(req.url)));
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("message", (message) => socket.send(reply(String(message)) + " entry-1"));
});
server.listen(process.env.PORT, "127.0.0.1");
`,
  "reply.js": `export const reply = (text) => "leaf-1 " + text;\n`,
};

test("a connected WebSocket stays usable over a leaf edit and is answered by the new code", async () => {
  await using app = new TempApp(wsApp, { packages: ["ws"] });
  await using served = await serve(app, "main.js");
  const socket = await connect(served);
  try {
    assert.equal(await converse(socket, "a"), "leaf-1 a entry-1");
    if (!served.inPlace) return;
    await reload(served, () => app.edit("reply.js", "leaf-1", "leaf-2"));
    assert.equal(await converse(socket, "b"), "leaf-2 b entry-1");
  } finally {
    socket.terminate();
  }
});

test("after an edit of the entry new WebSockets reach the new code, and the process lives", async () => {
  await using app = new TempApp(wsApp, { packages: ["ws"] });
  await using served = await serve(app, "main.js");
  const old = await connect(served);
  try {
    await converse(old, "a");
    app.edit("main.js", "entry-1", "entry-2");
    assert.equal(await served.text("/x"), "leaf-1 /x");
    const socket = await connect(served);
    assert.equal(await converse(socket, "b"), "leaf-1 b entry-2");
    socket.terminate();
    if (old.readyState === WebSocket.OPEN && served.inPlace) assert.match(await converse(old, "c"), /^leaf-1 c entry-/);
  } finally {
    old.terminate();
  }
});

const socketIoApp = {
  "main.js": `const { createServer } = require("node:http");
const { Server } = require("socket.io");
const replies = require("./replies");

const server = createServer((req, res) => res.end("page"));
const io = new Server(server);
io.on("connection", (socket) => {
  socket.on("ask", (text, answer) => answer(replies.reply(text)));
});
server.listen(process.env.PORT, "127.0.0.1");
`,
  "replies.js": `exports.reply = (text) => "leaf-1 " + text;\n`,
};

for (const transport of ["websocket", "polling"]) {
  test(`a socket.io client (${transport}) is served by the new code after an edit`, async () => {
    await using app = new TempApp(socketIoApp, { packages: ["socket.io"] });
    await using served = await serve(app, "main.js");
    const client = io(served.origin, { transports: [transport], reconnectionDelay: 10, reconnectionDelayMax: 50 });
    try {
      await within(connected(client), "the socket.io connection");
      assert.equal(await ask(client, "a"), "leaf-1 a");
      if (!served.inPlace) return;
      await reload(served, () => app.edit("replies.js", "leaf-1", "leaf-2"));
      assert.equal(await served.text("/"), "page");
      assert.match(await ask(client, "b"), /^leaf-[12] b$/);
      client.disconnect().connect();
      await within(connected(client), "a new connection");
      assert.equal(await ask(client, "c"), "leaf-2 c");
    } finally {
      client.close();
    }
  });
}

/** Edits, and resolves when the reload is reported: messages on open sockets do not wait at the gate. */
async function reload(served: ServedApp, edit: () => void): Promise<void> {
  const since = served.lines.all.length;
  edit();
  await served.lines.wait(/unreloader: reloaded/, since);
}

async function connect(served: ServedApp): Promise<WebSocket> {
  const socket = new WebSocket(served.origin.replace("http", "ws"));
  await within(
    new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    }),
    "the WebSocket to open",
  );
  return socket;
}

function converse(socket: WebSocket, text: string): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    socket.once("message", (message) => resolve(String(message)));
    socket.once("close", () => reject(new Error("the WebSocket was closed")));
  });
  socket.send(text);
  return within(answer, `the answer to ${text}`);
}

/** Asks; when the connection turns out to be gone, once more on the next one, as the library's users do. */
async function ask(client: Socket, text: string): Promise<string> {
  try {
    return await client.timeout(DEADLINE_MS).emitWithAck("ask", text);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("disconnected")) throw error;
    await within(connected(client), "the reconnection");
    return await client.timeout(DEADLINE_MS).emitWithAck("ask", text);
  }
}

function connected(client: Socket): Promise<void> {
  if (client.connected) return Promise.resolve();
  return new Promise((resolve) => client.once("connect", () => resolve()));
}
