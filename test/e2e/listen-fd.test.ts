/** `listen()` on what is no port: a descriptor that the process was started with, another server, with a signal. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { eventually, within } from "../support/deadline.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Starts the command line with a listening socket as descriptor 3, as systemd does. */
async function activated(app: TempApp): Promise<{ child: ChildProcess; lines: OutputLines; port: number }> {
  const socket = net.createServer().listen(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address() as net.AddressInfo;
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const lines = new OutputLines();
  const env = { ...process.env, LISTEN_FDS: "1" };
  const child = spawn(process.execPath, [cliFile, "main.js"], {
    cwd: app.folder,
    env,
    stdio: ["ignore", "pipe", "pipe", fd],
  });
  if (child.stdout) lines.follow(child.stdout);
  if (child.stderr) lines.follow(child.stderr);
  socket.close();
  return { child, lines, port };
}

test("an app on a descriptor that it was started with is served, announced, and never stale", async () => {
  await using app = new TempApp({
    "main.js": `require("node:http").createServer((req, res) => res.end("version 1")).listen({ fd: 3 });\n`,
  });
  const { child, lines, port } = await activated(app);
  const origin = `http://127.0.0.1:${port}`;
  const kept = new KeptConnection(origin);
  try {
    await lines.wait(new RegExp(`listening on ${origin}`));
    assert.equal((await kept.request("/")).body, "version 1");
    app.edit("main.js", "version 1", "version 2");
    assert.equal((await kept.request("/")).body, "version 2");
    assert.equal((await requestOnce(`${origin}/`)).body, "version 2");
    app.edit("main.js", `"version 2"`, `"version 2`);
    assert.equal((await kept.request("/")).status, 500);
    app.edit("main.js", `"version 2`, `"version 3"`);
    assert.equal((await requestOnce(`${origin}/`)).body, "version 3");
    // A fresh worker has the same descriptor.
    app.write("package.json", `{ "name": "touched" }`);
    assert.equal((await requestOnce(`${origin}/`)).body, "version 3");
    app.edit("main.js", "version 3", "version 4");
    assert.equal((await kept.request("/")).body, "version 4");
    // Taken out of the code and put in again: it could not be opened a second time.
    app.write("main.js", `require("node:http").createServer(() => {});\n`);
    await lines.wait(/generation 7|reloaded .*main\.js changed/);
    app.write("main.js", `require("node:http").createServer((req, res) => res.end("version 5")).listen({ fd: 3 });\n`);
    assert.equal((await requestOnce(`${origin}/`)).body, "version 5");
    assert.doesNotMatch(String(lines), /EEXIST|EBADF|EADDRINUSE/);
  } finally {
    kept.close();
    child.kill();
    await within(once(child, "exit"), "the exit");
  }
});

test("a descriptor that is none is the app's own listen error", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
const met = [];
const server = http.createServer();
server.on("error", (error) => met.push(error.syscall, typeof error.code));
server.listen({ fd: 999 });
http.createServer((req, res) => res.end(met.join())).listen(process.env.PORT, "127.0.0.1");
`,
  });
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "listen,string");
});

test("a server that listens on another one's handle takes its connections, also after an edit", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
const first = http.createServer((req, res) => res.end("first"));
first.listen(process.env.PORT, "127.0.0.1", () => {
  const second = http.createServer((req, res) => res.end("second 1 " + (second.address().port === first.address().port)));
  second.listen(first);
});
`,
  });
  await using served = await serve(app, "main.js");
  const settled = async (text: string) => {
    while ((await served.getOnce("/")).body === "first") await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await served.getOnce("/")).body, text);
  };
  await settled("second 1 true");
  app.edit("main.js", "second 1", "second 2");
  await settled("second 2 true");
});

test("a server that shares another one's handle is served after code that throws, and after that is mended", async () => {
  const code = (word: string, port = "0") => `const http = require("node:http");
const first = http.createServer((req, res) => res.end("first"));
first.listen(${port}, "127.0.0.1", () => http.createServer((req, res) => res.end("${word}")).listen(first));
`;
  await using app = new TempApp({ "main.js": code("one") });
  await using served = await serve(app, "main.js");
  const second = (text: string) =>
    eventually(
      async () => (await served.getOnce("/")).body,
      (body) => body === text,
      text,
    );
  await second("one");
  const { port } = new URL(served.origin);
  app.write("main.js", code("same port", port));
  await second("same port");
  // Rolled back in place, and tried by a fresh worker while the old one has the port.
  app.write("main.js", `throw new Error("broken");\n`);
  assert.equal((await served.getOnce("/")).status, 500);
  app.write("main.js", code("two", port));
  await second("two");
  app.write("package.json", `{ "name": "touched" }`);
  await second("two");
  assert.doesNotMatch(String(served.lines), /EADDRINUSE|worker exited/);
});

test("a server that is closed by its signal, and one that listens exclusively, behave as ever", async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
let answer = "not closed";
http.createServer((req, res) => res.end(answer)).listen({ port: process.env.PORT, host: "127.0.0.1", exclusive: true }, () => {
  const stop = new AbortController();
  const closed = http.createServer((req, res) => res.end("no"));
  closed.listen({ port: 0, host: "127.0.0.1", signal: stop.signal }, () => {
    const { port } = closed.address();
    closed.on("close", () => { answer = "port " + port; });
    stop.abort();
  });
});
`,
  });
  await using served = await serve(app, "main.js");
  const told = await eventually(
    () => served.text("/"),
    (text) => text.startsWith("port "),
    "the server to close",
  );
  const port = Number(told.replace("port ", ""));
  await assert.rejects(requestOnce(`http://127.0.0.1:${port}/`), { code: "ECONNREFUSED" });
});
