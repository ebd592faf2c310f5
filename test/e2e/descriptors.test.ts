/** Clients have taken all descriptors: said by a line, survived, and no save is misread because of it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { devNull } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { descriptorReserve, lacksDescriptors } from "../../src/common/compile/descriptor-reserve.js";
import { eventually, within } from "../support/deadline.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

test("a save while clients have taken all descriptors is taken in, and who comes later is served", async () => {
  if (plainMode) return;
  await using app = new TempApp({
    "main.js": `const page = require("./page");
const next = require("./next");
require("node:http").createServer((req, res) => res.end(page + next)).listen(process.env.PORT, "127.0.0.1");
`,
    "page.js": `module.exports = "page 1 ";\n`,
    "next.js": `module.exports = "next 1";\n`,
  });
  await using served = await serve(app, "main.js", { descriptors: 120 });
  assert.equal(await served.text("/"), "page 1 next 1");
  const clients = Array.from({ length: 110 }, () => net.connect(served.port, "127.0.0.1").on("error", () => {}));
  try {
    await served.lines.wait(/no descriptors are left \(E[MN]FILE\).*ulimit -n/);
    // On the connection that it has.
    app.edit("page.js", "page 1", "page 2");
    assert.equal(await served.text("/"), "page 2 next 1");
    app.write("new.js", `module.exports = "new ";\n`);
    app.edit("next.js", `"next 1"`, `require("./new") + "next 2"`);
    assert.equal(await served.text("/"), "page 2 new next 2");
    assert.doesNotMatch(String(served.lines), /reload failed|worker exited/);
  } finally {
    for (const client of clients) client.destroy();
  }
  await within(Promise.all(clients.map((client) => client.closed || once(client, "close"))), "the clients to close");
  assert.equal((await served.getOnce("/")).body, "page 2 new next 2");
});

test("a request that needs another way to the app finds one, although clients that say nothing have taken all descriptors", async () => {
  if (plainMode) return;
  await using app = new TempApp({
    "main.js": `const page = require("./page");
require("node:http").createServer((req, res) => res.end(page)).listen(process.env.PORT, "127.0.0.1");
`,
    "page.js": `module.exports = "page 0";\n`,
  });
  await using served = await serve(app, "main.js", { descriptors: 120 });
  assert.equal(await served.text("/"), "page 0");
  const clients = Array.from({ length: 200 }, () => net.connect(served.port, "127.0.0.1").on("error", () => {}));
  try {
    await served.lines.wait(/no descriptors are left/);
    // Each save replaces the server, so that the kept connection needs another one to it.
    for (let n = 1; n <= 15; n++) {
      app.edit("page.js", `page ${n - 1}`, `page ${n}`);
      assert.equal(await served.text("/"), `page ${n}`);
    }
  } finally {
    for (const client of clients) client.destroy();
  }
});

test("a reload that finds no descriptor to listen with listens when there is one", { skip: plainMode }, async () => {
  await using app = new TempApp({
    "main.js": `const { takeAll } = require("take");
const give = takeAll();
require("node:http").createServer((req, res) => res.end("page 0")).listen(process.env.PORT, "127.0.0.1");
setTimeout(give, 500);
`,
    "node_modules/take/index.js": `const fs = require("node:fs");
let time = 0;
exports.takeAll = () => {
  const taken = [];
  // Not at the start, which opens the port.
  if (time++ > 0) try { for (;;) taken.push(fs.openSync("/dev/null")); } catch {}
  return () => taken.splice(0).forEach((descriptor) => fs.closeSync(descriptor));
};
`,
  });
  await using served = await serve(app, "main.js", { descriptors: 120 });
  assert.equal(await served.text("/"), "page 0");
  app.edit("main.js", "page 0", "page 1");
  assert.equal(await served.text("/"), "page 1");
  assert.deepEqual(served.lines.matching(/worker exited|failed/), []);
});

test("code that failed because clients had all descriptors is tried again by itself, when others may be free", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `require("node:http").createServer((req, res) => res.end("page " + require("./page"))).listen(process.env.PORT, "127.0.0.1");
require("./page");
`,
    "page.js": `module.exports = 1;\n`,
  });
  // What a module reads of the project is a dependency: this must not be one.
  const flag = app.path("..", "no-descriptors");
  writeFileSync(flag, "");
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "page 1");
  app.write(
    "page.js",
    `const lack = Object.assign(new Error("EMFILE: too many open files, open 'data'"), { code: "EMFILE" });
if (require("node:fs").existsSync(${JSON.stringify(flag)})) throw lack;
module.exports = 2;
`,
  );
  assert.equal((await served.getOnce("/")).status, 500);
  rmSync(flag);
  await served.lines.wait(/restarted .*EMFILE/);
  assert.equal(await served.text("/"), "page 2");
});

test("what tells of a lack of descriptors, and what does not", () => {
  assert.ok(lacksDescriptors({ code: "ENFILE", message: "" }));
  assert.ok(lacksDescriptors({ code: "ERR_WORKER_INIT_FAILED", message: "Worker initialization failure: EMFILE" }));
  assert.ok(!lacksDescriptors({ code: "ERR_WORKER_INIT_FAILED", message: "Worker initialization failure: ENOMEM" }));
  assert.ok(!lacksDescriptors({ message: "EMFILE is what I expected" }));
});

test("a client for which there is no descriptor towards the app is told so, when nobody leaves", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `const server = require("node:http").createServer((req, res) => res.end("served"));
server.keepAliveTimeout = 0;
server.listen(process.env.PORT, "127.0.0.1");
`,
  });
  await using served = await serve(app, "main.js", { descriptors: 120, flags: ["--held-deadline", "1000"] });
  const clients = Array.from({ length: 110 }, () => net.connect(served.port, "127.0.0.1").on("error", () => {}));
  try {
    const statuses = clients.map((client) => {
      client.write("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
      return new Promise<string>((resolve) => {
        client.once("data", (bytes: Buffer) => resolve(bytes.toString().slice(9, 12)));
        client.once("close", () => resolve("turned away"));
      });
    });
    const found = new Set(await within(Promise.all(statuses), "every client to be told something"));
    assert.ok(found.has("200") && found.has("503"), [...found].join());
  } finally {
    for (const client of clients) client.destroy();
  }
});

test("the reserve is used only when there are no descriptors, and filled again", () => {
  let calls = 0;
  const lack = Object.assign(new Error("too many"), { code: "EMFILE" });
  const failing = () => {
    calls++;
    if (calls === 1) throw lack;
    return "read";
  };
  descriptorReserve.open();
  try {
    const before = openSync(devNull, "r");
    closeSync(before);
    assert.equal(descriptorReserve.during(failing), "read");
    assert.equal(calls, 2);
    const after = openSync(devNull, "r");
    closeSync(after);
    assert.equal(after, before, "the same descriptors are in use as before");
    assert.throws(() => descriptorReserve.during(() => writeFileSync("/nowhere/file", "")), { code: "ENOENT" });
    assert.throws(
      () =>
        descriptorReserve.during(() => {
          throw lack;
        }),
      { code: "EMFILE" },
    );
  } finally {
    descriptorReserve.close();
  }
});

test("files that the app has open are closed with its thread", {
  skip: process.platform !== "linux" || plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `const fs = require("node:fs");
fs.openSync("open.log", "a");
const stream = fs.createWriteStream("open.log", { flags: "a" });
const isLog = (number) => {
  try { return fs.readlinkSync("/proc/self/fd/" + number).endsWith("open.log"); } catch { return false; }
};
require("node:http").createServer((req, res) => {
  if (req.url === "/exit") process.exit(3);
  if (req.url === "/throw") setImmediate(() => { throw new Error("thrown"); });
  else stream.write("x", () => res.end(String(fs.readdirSync("/proc/self/fd").filter(isLog).length)));
}).listen(process.env.PORT, "127.0.0.1");
`,
  });
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "2");
  for (const end of ["/exit", "/throw", "/exit"]) assert.equal((await served.getOnce(end)).status, 502);
  app.write("package.json", `{ "name": "app", "version": "1.0.0" }\n`);
  assert.equal(
    await eventually(
      () => served.text("/"),
      (open) => open === "2",
      "the descriptors of five threads",
    ),
    "2",
  );
  assert.deepEqual(served.lines.matching(/descriptor/), []);
});

test("a descriptor above the limit, from before that was lowered, hinders no start", async () => {
  if (plainMode) return;
  await using app = new TempApp({ "main.js": `console.log("runs");` });
  const words = ["-c", `ulimit -n 120; exec "$@"`, "sh", process.execPath, cliFile, "--exit", "main.js"];
  const file = openSync(path.join(app.folder, "main.js"), "r");
  const above = Array.from({ length: 147 }, () => "ignore" as const);
  const child = spawn("/bin/sh", words, { cwd: app.folder, stdio: ["ignore", "pipe", "pipe", ...above, file] });
  closeSync(file);
  const lines = new OutputLines();
  for (const output of [child.stdout, child.stderr]) if (output !== null) lines.follow(output);
  const [code] = await within(once(child, "close"), () => `the end:\n${lines}`).finally(() => child.kill("SIGKILL"));
  assert.equal(code, 0, `${lines}`);
  assert.deepEqual(lines.matching(/^runs$/), ["runs"]);
});
