/**
 * An app whose process was started by `fork()` talks with its parent as under plain Node; what its parent sends is not lost
 * when code is replaced, and a process manager has it end.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Mode } from "../support/as-node.js";
import { Forked } from "../support/forked.js";
import { TempApp } from "../support/temp-app.js";

const type = `{ "name": "app", "type": "module" }`;

/** Says all that it sees; the parent tells it to go on at "go on", and to end. */
const talker = `
const log = [];
const say = (seen) => log.push(seen);
const attempt = (name, run) => {
  try {
    say([name, run()]);
  } catch (error) {
    say([name, error.name, error.code, error.message]);
  }
};
const counts = () =>
  ["newListener", "removeListener", "internalMessage", "message", "disconnect"].map((name) => process.listenerCount(name));
say({
  own: Object.keys(process).filter((name) => /send|connected|channel|disconnect|_handleQueue|_pendingMessage/i.test(name)),
  send: [typeof process.send, process.send.name, process.send.length],
  connected: process.connected,
  channel: [process.channel.constructor.name, typeof process.channel.fd],
  counts: counts(),
});
attempt("undefined", () => process.send());
attempt("symbol", () => process.send(Symbol("a")));
attempt("function", () => process.send(() => 1));
attempt("bigint", () => process.send(1n));
attempt("options", () => process.send({ a: 1 }, undefined, 5));
attempt("no handle", () => process.send("x", { bad: 1 }));
attempt("circular", () => {
  const circular = { text: "circular" };
  circular.self = circular;
  return process.send(circular);
});
attempt("function inside", () => process.send({ inside() {} }));
attempt("null", () => process.send(null));
attempt("many", () => process.send({ error: new TypeError("no"), map: new Map([[1, 2]]), date: new Date(0), bytes: Buffer.from("x"), none: undefined }));
attempt("false", () => process.send(false));
const calledBack = [];
process.send("with a callback", (error) => calledBack.push(error));
process.send("with options", undefined, { swallowErrors: true }, (error) => {
  calledBack.push(error);
  say(calledBack);
  process.once("message", (message, handle) => {
    say(["once", message, handle]);
    process.on("message", (next) => {
      say(["on", next]);
      if (next !== "last") return;
      say(counts());
      process.send({ log }, (failed) => {
        process.once("disconnect", () => {
          process.send("too late", (late) => console.log("LATE", failed, late.code, late.message, process.connected, process.channel));
          process.removeAllListeners("message");
        });
        process.disconnect();
      });
    });
    process.send("go on");
  });
});
process.on("exit", (code) => console.log("EXIT", code));
`;

/** What a parent hears of it. */
async function talk(mode: Mode, serialization: "json" | "advanced", files = {}): Promise<unknown> {
  await using app = new TempApp({ "package.json": type, "main.js": talker, ...files });
  await using forked = new Forked(app, "main.js", mode, { serialization });
  // Long before anybody listens.
  forked.send("early");
  forked.send({ also: "early", more: serialization === "advanced" ? new Map([[1, 2]]) : undefined });
  await forked.heard((message) => message === "go on");
  forked.send({ answer: 1 });
  forked.send("last");
  const code = await forked.end();
  return { code, messages: forked.messages, lines: forked.lines.matching(/^(LATE|EXIT) /) };
}

const server = `import http from "node:http";
import "./listens.js";
http.createServer((request, response) => response.end()).listen(0, "127.0.0.1", () => process.send("ready"));
`;
const listens = `process.on("message", (message) => process.send({ answer: message, from: "old" }));\n`;

const answered = (answer: string, from: string) => (message: unknown) =>
  (message as { answer?: string }).answer === answer && (message as { from?: string }).from === from;

describe("an app that was forked", () => {
  for (const serialization of ["json", "advanced"] as const) {
    test(`talks with its parent as under Node, by ${serialization}`, async () => {
      const expected = await talk("node", serialization);
      assert.deepEqual(await talk("reload", serialization), expected);
      if (serialization === "advanced") return;
      assert.deepEqual(await talk("no-reload", serialization), expected);
      const config = { "unreloader.config.json": `{ "reload": false }` };
      assert.deepEqual(await talk("reload", serialization, config), expected);
    });
  }

  test("gets what its parent sends while code is replaced", async () => {
    await using app = new TempApp({ "package.json": type, "main.js": server, "listens.js": listens });
    await using forked = new Forked(app, "main.js", "reload");
    await forked.heard((message) => message === "ready");
    forked.send("first");
    await forked.heard(answered("first", "old"));
    const slow = (from: string) =>
      `process.send("evaluating ${from}");\nawait new Promise((resolve) => setTimeout(resolve, 100));\n${listens.replace("old", from)}`;

    // In place: what old code has listened for, new code will.
    app.write("listens.js", slow("new"));
    await forked.heard((message) => message === "evaluating new");
    forked.send("meanwhile");
    await forked.heard(answered("meanwhile", "new"));

    // Whoever waits for a message while it is evaluated gets it.
    app.write(
      "listens.js",
      `process.send("asking");\nawait new Promise((resolve) => process.once("message", resolve));\n${listens.replace("old", "asker")}`,
    );
    await forked.heard((message) => message === "asking");
    forked.send("taken");
    await forked.lines.wait(/^unreloader: reloaded .*generation 3/);
    forked.send("again");
    await forked.heard(answered("again", "asker"));

    // A fresh worker.
    app.write("listens.js", slow("fresh"));
    await forked.heard((message) => message === "evaluating fresh");
    forked.child.kill("SIGUSR2");
    forked.send("for whom it may concern");
    await forked.lines.wait(/^unreloader: restarted/);
    forked.send("to the newest");
    await forked.heard(answered("to the newest", "fresh"));
    await forked.heard(answered("for whom it may concern", "fresh"));
    const told = forked.messages.filter(answered("meanwhile", "old"));
    assert.deepEqual(told, [], "nobody has heard it twice");
  });

  test("is ended by a process manager's message", async () => {
    const managed = `import http from "node:http";
const server = http.createServer((request, response) => response.end());
server.listen(0, "127.0.0.1", () => process.send("ready"));
process.on("message", (message) => {
  if (message === "shutdown") server.close(() => process.send("closed", () => process.exit(3)));
});
`;
    await using app = new TempApp({ "package.json": type, "main.js": managed });
    await using forked = new Forked(app, "main.js", "reload");
    await forked.heard((message) => message === "ready");
    forked.send("shutdown");
    assert.equal(await forked.end(), 3);
    assert.deepEqual(forked.messages, ["ready", "closed"]);
  });

  test("lives until its parent leaves, when it only waits for messages", async () => {
    await using app = new TempApp({
      "package.json": type,
      "waits.js": `process.on("message", (message) => process.send(message));\nprocess.send("ready");`,
      "told.js": `process.on("disconnect", () => process.exit(process.connected === false && process.channel === null ? 4 : 5));
process.send("ready");
setInterval(() => {}, 1000);`,
      "unreferenced.js": `process.on("message", () => {});\nprocess.channel.unref();\nprocess.send("ready");`,
    });
    for (const [entry, code] of [
      ["waits.js", 0],
      ["told.js", 4],
    ] as const) {
      await using forked = new Forked(app, entry, "reload");
      await forked.heard((message) => message === "ready");
      forked.child.disconnect();
      assert.equal(await forked.end(), code, entry);
    }
    await using forked = new Forked(app, "unreferenced.js", "reload", { flags: ["--exit"] });
    assert.equal(await forked.end(), 0);
    assert.deepEqual(forked.messages, ["ready"]);
  });

  test("may leave its parent, and does so again when it is evaluated again", async () => {
    const leaves = `import http from "node:http";
import { text } from "./text.js";
http.createServer((request, response) => response.end()).listen(0, "127.0.0.1", () => {
  console.log("SAYS", text, process.connected);
  process.send("ready");
  process.disconnect();
});
`;
    await using app = new TempApp({ "package.json": type, "main.js": leaves, "text.js": `export const text = "one";` });
    await using forked = new Forked(app, "main.js", "reload");
    await forked.lines.wait(/^SAYS one true/);
    app.write("text.js", `export const text = "two";`);
    await forked.lines.wait(/^SAYS two true/);
    const before = forked.lines.all.length;
    forked.child.kill("SIGUSR2");
    await forked.lines.wait(/^SAYS two true/, before);
    assert.deepEqual(forked.messages, ["ready"]);
    assert.deepEqual(forked.lines.matching(/failed|ERR_IPC/), []);
  });

  test("is told when a handle cannot be passed on", async () => {
    const refused = `import net from "node:net";
try {
  process.send("with a socket", new net.Socket());
} catch (error) {
  process.send([error.code, error.message.includes("--no-reload")]);
}
process.on("message", (message, handle) => process.send([message, handle === undefined]));
`;
    await using app = new TempApp({ "package.json": type, "main.js": refused });
    await using forked = new Forked(app, "main.js", "reload");
    await forked.heard((message) => Array.isArray(message));
    const { createServer } = await import("node:net");
    const listening = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => listening.once("listening", resolve));
    forked.child.send("with a server", listening);
    await forked.heard((message) => Array.isArray(message) && message[0] === "with a server");
    assert.deepEqual(forked.messages, [
      ["ERR_UNRELOADER_HANDLE_SENT", true],
      ["with a server", true],
    ]);
    await forked.lines.wait(/a server with a message.*--no-reload/);
    listening.close();
  });
});
