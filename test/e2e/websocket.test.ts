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
import { seen } from "./seen.js";

const server = http.createServer((req, res) => res.end(reply(req.url)));
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("close", () => seen.left++);
  socket.on("message", (message) => {
    const text = String(message);
    if (text !== "/state") return socket.send(reply(text) + " entry-1");
    socket.send([sockets.clients.size, "open,", seen.left, "left,", socket.listenerCount("message"), "listener"].join(" "));
  });
});
server.listen(process.env.PORT, "127.0.0.1");
`,
  "seen.js": `export const seen = { left: 0 };`,
  "reply.js": `export const reply = (text) => "leaf-1 " + text;\n`,
};

test("what comes on an open WebSocket after a save is answered by the new code: of a leaf, and of the entry", async () => {
  await using app = new TempApp(wsApp, { packages: ["ws"] });
  await using served = await serve(app, "main.js");
  const [socket, other] = [await connect(served), await connect(served)];
  try {
    assert.equal(await converse(socket, "a"), "leaf-1 a entry-1");
    if (!served.inPlace) return;
    app.edit("reply.js", "leaf-1", "leaf-2");
    assert.equal(await converse(socket, "b"), "leaf-2 b entry-1");
    for (const version of [2, 3, 4]) {
      app.edit("main.js", /entry-\d/.exec(app.read("main.js"))?.[0] ?? "", `entry-${version}`);
      assert.equal(await converse(socket, "c"), `leaf-2 c entry-${version}`);
      assert.equal(await converse(other, "/state"), `2 open, ${2 * (version - 1)} left, 1 listener`);
    }
    other.terminate();
    const isClosed = async (): Promise<void> => {
      // The server hears of it after the client.
      for (let state = ""; !state.startsWith("1 open"); ) state = await converse(socket, "/state");
    };
    await within(isClosed(), "the close");
    assert.equal(await converse(socket, "/state"), "1 open, 7 left, 1 listener");
  } finally {
    socket.terminate();
    other.terminate();
  }
});

test("--sockets close has the clients of replaced listeners connect again; with keep they stay with the old code", async () => {
  for (const what of ["close", "keep"]) {
    await using app = new TempApp(wsApp, { packages: ["ws"] });
    await using served = await serve(app, "main.js", { flags: ["--sockets", what] });
    if (!served.inPlace) return;
    const socket = await connect(served);
    try {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      app.edit("main.js", "entry-1", "entry-2");
      if (what === "keep") assert.equal(await converse(socket, "a"), "leaf-1 a entry-1");
      else {
        assert.equal(await served.text("/x"), "leaf-1 /x");
        assert.equal(await within(closed, "the close"), 1012);
      }
      const fresh = await connect(served);
      assert.equal(await converse(fresh, "b"), "leaf-1 b entry-2");
      fresh.terminate();
    } finally {
      socket.terminate();
    }
  }
});

test("of a WebSocket server that is kept, the listener of an edited file is replaced", async () => {
  await using app = new TempApp(
    {
      "main.js": `const { createServer } = require("node:http"); const { sockets } = require("./sockets"); require("./talk");
const server = createServer((req, res) => res.end("page"));
server.on("upgrade", (req, socket, head) =>
  sockets.handleUpgrade(req, socket, head, (opened) => sockets.emit("connection", opened, req)));
server.listen(process.env.PORT, "127.0.0.1");`,
      "sockets.js": `exports.sockets = new (require("ws").WebSocketServer)({ noServer: true });`,
      "talk.js": `const { sockets } = require("./sockets"); const state = require("./state"); state.talks++;
sockets.on("connection", (socket, req) => socket.on("message", (text) => socket.send("1 " + text + req.url)));`,
      "state.js": `exports.talks = 0;`,
    },
    { packages: ["ws"] },
  );
  await using served = await serve(app, "main.js");
  const socket = await connect(served);
  try {
    assert.equal(await converse(socket, "a"), "1 a/");
    if (!served.inPlace) return;
    app.edit("talk.js", `"1 "`, `"2 "`);
    assert.equal(await converse(socket, "b"), "2 b/");
  } finally {
    socket.terminate();
  }
});

const socketIoApp = {
  "main.js": `const { createServer } = require("node:http");
const { Server } = require("socket.io");
const replies = require("./replies");

const server = createServer((req, res) => res.end("page"));
const io = new Server(server);
io.on("connection", (socket) => {
  socket.data.greeted = (socket.data.greeted ?? 0) + 1;
  socket.on("join", (room, answer) => answer(socket.join(room)));
  socket.on("state", (answer) =>
    answer([[...socket.rooms].length, socket.data.greeted, io.sockets.sockets.size, io.engine.clientsCount, "entry-1"].join()));
  socket.on("ask", (text, answer) => answer(replies.reply(text)));
  socket.on("shout", (room, text) => io.to(room).emit("shouted", text));
});
server.listen(process.env.PORT, "127.0.0.1");
`,
  "replies.js": `exports.reply = (text) => "leaf-1 " + text;\n`,
};

for (const transport of ["websocket", "polling"]) {
  test(`a socket.io client (${transport}) keeps its id and rooms over edits, and is served by the new code`, async () => {
    await using app = new TempApp(socketIoApp, { packages: ["socket.io"] });
    await using served = await serve(app, "main.js");
    const client = io(served.origin, { transports: [transport], reconnectionDelay: 10, reconnectionDelayMax: 50 });
    try {
      await within(connected(client), "the socket.io connection");
      const asked = (name: string, ...args: string[]): Promise<string> =>
        client.timeout(DEADLINE_MS).emitWithAck(name, ...args);
      assert.equal(await asked("ask", "a"), "leaf-1 a");
      if (!served.inPlace) return;
      await asked("join", "room");
      const { id } = client;
      app.edit("replies.js", "leaf-1", "leaf-2");
      assert.equal(await asked("ask", "b"), "leaf-2 b");
      for (const version of [2, 3, 4]) {
        app.edit("main.js", `entry-${version - 1}`, `entry-${version}`);
        assert.match(await asked("state"), new RegExp(`^2,\\d,1,1,entry-${version}$`));
      }
      assert.equal(client.id, id);
      const shouted = new Promise((resolve) => client.once("shouted", resolve));
      client.emit("shout", "room", "hello");
      assert.equal(await within(shouted, "the shout"), "hello");
      client.disconnect().connect();
      await within(connected(client), "a new connection");
      assert.match(await asked("state"), /^1,1,1,1,entry-4$/);
    } finally {
      client.close();
    }
  });
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

function connected(client: Socket): Promise<void> {
  if (client.connected) return Promise.resolve();
  return new Promise((resolve) => client.once("connect", () => resolve()));
}
