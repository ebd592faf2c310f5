/** Web sockets on an http server that is kept: the file that attaches them is reloaded, the server and its clients stay. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { within } from "../support/deadline.js";
import type { ServedApp } from "../support/served-app.js";

/** Answers with the version, in a file of its own, so that a server that was attached twice would answer twice. */
const answering = `
server.on("request", async (request, response) => {
  if (request.url.startsWith("/socket.io/")) return;
  const listeners = () => ["request", "upgrade", "close"].map((name) => server.listenerCount(name)).join();
  const answers = { "/alive": alive, "/listeners": listeners };
  response.end(String(await (answers[request.url] ?? (() => "version-1"))()));
});
`;

const serverFile = `
const http = require("node:http");
exports.server = http.createServer().listen(0, "127.0.0.1");
`;

/** Takes web sockets for one path, and says what it is asked for. */
const ws = (path: string, text: string) => `
const { WebSocketServer } = require("ws");
const { server } = require("./server.js");
const { alive, watch } = require("./probe.cjs");
const sockets = watch(new WebSocketServer({ noServer: true }));
sockets.on("connection", (socket) => socket.on("message", (message) => socket.send(message + " ${text}")));
server.on("upgrade", (request, socket, head) => {
  if (request.url !== "${path}") return;
  sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit("connection", opened, request));
});
`;

test("ws: a file's sockets are taken once, and those of another file stay connected", async () => {
  const files = {
    "server.js": serverFile,
    "kept.js": ws("/kept", "kept"),
    "sockets.js": ws("/edited", "version-1") + answering,
    "main.js": `require("./kept.js"); require("./sockets.js");`,
  };
  let kept: WebSocket | undefined;
  let before = "";
  try {
    await reloadManyTimes(
      { packages: ["ws"], files, entry: "main.js", edited: "sockets.js" },
      RELOADS,
      async ({ served, alive }) => {
        assert.ok(kept);
        assert.deepEqual(await answersTo(kept, ["a", "b"]), ["a kept", "b kept"], "the connection is the same");
        const fresh = await connect(served, "/edited");
        const version = `version-${RELOADS + 1}`;
        assert.deepEqual(await answersTo(fresh, ["a", "b"]), [`a ${version}`, `b ${version}`]);
        fresh.terminate();
        assert.equal(await served.text("/listeners"), before);
        assert.ok((await alive()) <= 4, `${await alive()} servers of web sockets are alive`);
      },
      async (served) => {
        kept = await connect(served, "/kept");
        assert.deepEqual(await answersTo(kept, ["a"]), ["a kept"]);
        before = await served.text("/listeners");
      },
    );
  } finally {
    kept?.terminate();
  }
});

test("ws: a server that is attached to the kept http server itself answers once", async () => {
  const files = {
    "server.js": serverFile,
    "sockets.js": `
const { WebSocketServer } = require("ws");
const { server } = require("./server.js");
const { alive, watch } = require("./probe.cjs");
const sockets = watch(new WebSocketServer({ server }));
sockets.on("connection", (socket) => socket.on("message", (message) => socket.send(message + " version-1")));
${answering}`,
    "main.js": `require("./sockets.js");`,
  };
  let before = "";
  await reloadManyTimes(
    { packages: ["ws"], files, entry: "main.js", edited: "sockets.js" },
    RELOADS,
    async ({ served, alive }) => {
      const socket = await connect(served, "/");
      const version = `version-${RELOADS + 1}`;
      assert.deepEqual(await answersTo(socket, ["a", "b"]), [`a ${version}`, `b ${version}`]);
      socket.terminate();
      assert.equal(await served.text("/listeners"), before);
      assert.ok((await alive()) <= 3, `${await alive()} servers of web sockets are alive`);
    },
    async (served) => {
      before = await served.text("/listeners");
    },
  );
});

test("socket.io: a server on a kept http server answers once, with the newest code", async () => {
  const files = {
    "server.js": serverFile,
    "sockets.js": `
const { Server } = require("socket.io");
const { server } = require("./server.js");
const { alive, watch } = require("./probe.cjs");
${answering}
const io = watch(new Server(server));
io.on("connection", (socket) => socket.on("ask", (text) => socket.emit("answer", text + " version-1")));
`,
    "main.js": `require("./sockets.js");`,
  };
  let before = "";
  await reloadManyTimes(
    { packages: ["socket.io"], files, entry: "main.js", edited: "sockets.js" },
    RELOADS,
    async ({ served, alive }) => {
      const version = `version-${RELOADS + 1}`;
      assert.deepEqual(await answersOverSocketIo(served, ["a", "b"]), [`a ${version}`, `b ${version}`]);
      assert.equal(await served.text("/listeners"), before);
      assert.ok((await alive()) <= 3, `${await alive()} socket.io servers are alive`);
    },
    async (served) => {
      assert.deepEqual(await answersOverSocketIo(served, ["a"]), ["a version-1"]);
      before = await served.text("/listeners");
    },
  );
});

async function connect(served: ServedApp, path: string): Promise<WebSocket> {
  const socket = new WebSocket(served.origin.replace("http", "ws") + path);
  await within(once(socket, "open"), () => `the web socket; output:\n${served.lines}`);
  return socket;
}

/** What comes until the last question has its answer. */
async function answersTo(socket: WebSocket, questions: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on("message", (message) => {
      answers.push(String(message));
      if (String(message).startsWith(`${questions.at(-1)} `)) resolve();
    });
  });
  for (const question of questions) socket.send(question);
  await within(all, () => `answers to ${questions}`);
  socket.removeAllListeners("message");
  return answers;
}

async function answersOverSocketIo(served: ServedApp, questions: readonly string[]): Promise<string[]> {
  const socket = io(served.origin, { reconnection: false, forceNew: true });
  try {
    const answers: string[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on("answer", (text: string) => {
        answers.push(text);
        if (text.startsWith(`${questions.at(-1)} `)) resolve();
      });
    });
    for (const question of questions) socket.emit("ask", question);
    await within(all, () => `answers to ${questions}; output:\n${served.lines}`);
    return answers;
  } finally {
    socket.disconnect();
  }
}
