/** An app whose new code listens long after its evaluation: the public port stays open, and requests wait for it. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { describe, test } from "node:test";
import { within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { Gate } from "../support/gate.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Says that a while has passed in the app. It is none of the app's work. */
const TICKS = `let ticks = 0;
setInterval(() => console.log("tick", ++ticks), 50).unref();
`;

const main = `${TICKS}const http = require("node:http");
const server = http.createServer((req, res) => res.end(require("./version")));
require("./start")(() => server.listen(process.env.PORT, "127.0.0.1"));
`;

/** The bodies of \`start.js\`: all wait for the gate, or for the file, before they call listen(). */
const ways: Readonly<Record<string, string>> = {
  "in the callback of a request": `require("node:http").get(gate, (res) => res.resume().on("end", listen));`,
  "after a fetch": `fetch(gate).then((answer) => answer.text()).then(listen);`,
  "after an await in an async main": `(async () => { await (await fetch(gate)).text(); await null; listen(); })();`,
  "when a socket that it opened has answered": `const socket = require("node:net").connect(port, "127.0.0.1", () => socket.write("login"));
socket.once("data", () => { socket.destroy(); listen(); });`,
  "when a kept connection has answered": `require("./pool").query().then(listen);`,
  "when a child process has ended": `require("node:child_process").execFile(process.execPath, ["-e", \`fetch("\${gate}").then((answer) => answer.text())\`], listen);`,
  "when a child process has said something": `const child = require("node:child_process").spawn(process.execPath, ["-e", \`fetch("\${gate}").then((answer) => answer.text()).then(console.log)\`]);
child.stdout.once("data", () => listen());`,
  "when a worker thread has posted": `const { Worker } = require("node:worker_threads");
const worker = new Worker(\`fetch("\${gate}").then((answer) => answer.text()).then((text) => require("node:worker_threads").parentPort.postMessage(text))\`, { eval: true });
worker.once("message", () => listen());`,
  "when a worker thread is awaited": `const { Worker } = require("node:worker_threads");
const worker = new Worker(\`fetch("\${gate}").then((answer) => answer.text())\`, { eval: true });
require("node:events").once(worker, "exit").then(listen);`,
  "when a file is there, which it looks for again and again": `arrive();
(async () => {
  while (!require("node:fs").existsSync(process.env.FLAG)) await new Promise((resolve) => setTimeout(resolve, 20));
  listen();
})();`,
  "in an interval, when a file is there": `arrive();
const timer = setInterval(() => {
  if (!require("node:fs").existsSync(process.env.FLAG)) return;
  clearInterval(timer);
  listen();
}, 20);`,
  "in timers that set timers, when a file is there": `arrive();
const look = () => (require("node:fs").existsSync(process.env.FLAG) ? listen() : setTimeout(look, 20));
look();`,
  "in immediates that set immediates, when a file is there": `arrive();
const look = () => (require("node:fs").existsSync(process.env.FLAG) ? listen() : setImmediate(look));
look();`,
  "after a timer that it awaits": `arrive(); require("node:timers/promises").setTimeout(1500).then(listen);`,
  "after two timers, one after the other": `arrive(); setTimeout(() => setTimeout(listen, 700), 700);`,
  "after a job in the thread pool": `arrive(); require("node:crypto").pbkdf2("a", "b", 300000, 64, "sha512", listen);`,
  "after files that it reads": `arrive(); require("node:fs").readFile(__filename, () => require("node:fs").promises.readFile(__filename).then(listen));`,
  "after a name was looked up": `arrive(); require("node:dns").lookup("localhost", () => require("node:dns").promises.lookup("localhost").then(listen));`,
};

const POOL = `const net = require("node:net");
const socket = net.connect(process.env.GATE, "127.0.0.1");
exports.query = () => new Promise((resolve) => { socket.once("data", resolve); socket.write("query"); });
`;

function start(body: string): string {
  return `const port = process.env.GATE, gate = "http://127.0.0.1:" + port + "/";
const arrive = () => void require("node:net").connect(port, "127.0.0.1", function () { this.end("here"); }).resume().unref();
module.exports = (listen) => {
${body}
};
`;
}

/** Resolves when the app has gone on for a while since now. */
async function awhile(served: ServedApp): Promise<void> {
  const since = served.lines.all.length;
  for (let from = since, n = 0; n < 14; n++) {
    await served.lines.wait(/^tick/, from);
    from = served.lines.all.findIndex((line, index) => index >= from && /^tick/.test(line)) + 1;
  }
}

/** Resolves when a connection is accepted; rejects when it is refused. */
async function connects(port: number): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  await within(
    new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject)),
    "the connection to be accepted",
  );
  socket.destroy();
}

describe("the public port stays open while code that was saved has not listened yet:", {
  skip: plainMode,
  // Both wait most of their time.
  concurrency: 2,
}, () => {
  for (const where of ["in place", "in a fresh worker"]) {
    test(where, async (context) => {
      await using gate = await Gate.make(true);
      let version = 1;
      const versionText = () => `module.exports = "${version}";\n`;
      await using app = new TempApp({
        "main.js": main,
        "version.js": versionText(),
        "pool.js": POOL,
        "start.js": start(`require("./pool"); listen();`),
      });
      const flag = app.path("..", "flag");
      await using served = await serve(app, "main.js", { env: { GATE: String(gate.port), FLAG: flag } });
      assert.equal((await served.getOnce("/")).body, "1");
      // A fresh worker differs in how it is begun, not in what is waited for.
      const some = Object.entries(ways).filter((_, at) => where === "in place" || at % 3 === 0);
      for (const [way, body] of some)
        await context.test(way, async () => {
          version++;
          gate.shut();
          app.write("start.js", start(body));
          app.write("version.js", versionText());
          if (where !== "in place") app.write("package.json", `{ "name": "app", "version": "${version}.0.0" }\n`);
          const answer = served.getOnce("/");
          answer.catch(() => {});
          await gate.arrival();
          await awhile(served);
          await connects(served.port);
          gate.open();
          writeFileSync(flag, "");
          assert.equal((await answer).body, String(version));
          rmSync(flag);
          await awhile(served);
          assert.equal((await served.getOnce("/")).body, String(version));
          assert.deepEqual(served.lines.matching(/closed http/), []);
        });
    });
  }
});

describe("the public port stays open", { skip: plainMode }, () => {
  test("while a reload comes before the start that an earlier one has begun is over", async () => {
    await using gate = await Gate.make(true);
    await using app = new TempApp({
      "main.js": main,
      "version.js": `module.exports = "1";\n`,
      "start.js": start(`fetch(gate).then((answer) => answer.text()).then(listen);`),
    });
    await using served = await serve(app, "main.js", { env: { GATE: String(gate.port) } });
    for (const version of ["2", "3", "4"]) {
      gate.shut();
      app.write("version.js", `module.exports = "${version}";\n`);
      app.append("start.js", "\n");
      const first = served.getOnce("/");
      await gate.arrival();
      await awhile(served);
      await connects(served.port);
      app.append("start.js", "\n");
      const second = served.getOnce("/");
      await served.lines.wait(/reloaded .*start\.js changed/, served.lines.all.length);
      await awhile(served);
      await connects(served.port);
      gate.open();
      assert.deepEqual([(await first).body, (await second).body], [version, version]);
    }
    assert.deepEqual(served.lines.matching(/closed http/), []);
  });

  test("while package.json is saved during a start", async () => {
    await using gate = await Gate.make(true);
    await using app = new TempApp({
      "main.js": main,
      "version.js": `module.exports = "1";\n`,
      "start.js": start(`fetch(gate).then((answer) => answer.text()).then(listen);`),
    });
    await using served = await serve(app, "main.js", { env: { GATE: String(gate.port) } });
    gate.shut();
    app.append("start.js", "\n");
    const first = served.getOnce("/");
    await gate.arrival();
    for (const version of ["2.0.0", "3.0.0"]) {
      gate.shut();
      app.write("package.json", `{ "name": "app", "private": true, "version": "${version}" }\n`);
      const asked = served.getOnce("/");
      asked.catch(() => {});
      await gate.arrival();
      await awhile(served);
      await connects(served.port);
    }
    gate.open();
    assert.equal((await first).body, "1");
    assert.equal((await served.getOnce("/")).body, "1");
    assert.deepEqual(served.lines.matching(/closed http/), []);
  });

  test("when the new code crashes soon after its start: the page stays", async () => {
    await using app = new TempApp({
      "main.js": main,
      "version.js": `module.exports = "1";\n`,
      "start.js": start("listen();"),
    });
    await using served = await serve(app, "main.js");
    app.write("start.js", start(`setTimeout(() => { throw new Error("no database"); }, 20);`));
    await served.lines.wait(/no database/);
    // As long as the old deadline was, and longer: the supervisor's own clock is asked, there is no app.
    const until = performance.now() + 6000;
    while (performance.now() < until) {
      const answer = await served.getOnce("/");
      assert.equal(answer.status, 500);
      assert.match(answer.body, /no database/);
    }
    assert.deepEqual(served.lines.matching(/closed http/), []);
    app.write("start.js", start("listen();"));
    assert.equal((await served.getOnce("/")).body, "1");
  });

  test("under createSupervisor, with an app that connects first", async () => {
    await using gate = await Gate.make(true);
    const text = (version: number) => `import http from "node:http";
const server = http.createServer((req, res) => res.end("${version}"));
async function main() {
  await (await fetch("http://127.0.0.1:${gate.port}/")).text();
  server.listen(0, "127.0.0.1");
}
main();
`;
    await using embedded = new EmbeddedApp({ "main.js": text(1) }, "main.js");
    const address = (await within(embedded.supervisor.listen(0, "127.0.0.1"), "listen()")) as net.AddressInfo;
    const url = `http://127.0.0.1:${address.port}/`;
    assert.equal((await requestOnce(url)).body, "1");
    for (const again of ["reload", "restart"] as const) {
      gate.shut();
      embedded.app.write("main.js", text(2));
      const reported = embedded.supervisor[again]();
      const answer = requestOnce(url);
      await gate.arrival();
      await reported;
      await connects(address.port);
      gate.open();
      assert.equal((await answer).body, "2");
      embedded.app.write("main.js", text(1));
      assert.equal((await requestOnce(url)).body, "1");
    }
  });
});

test("a version that is gone does not listen any more on the port of the one that has taken its place", {
  skip: plainMode,
}, async () => {
  await using gate = await Gate.make();
  const site = (
    version: number,
    listens: string,
  ) => `const server = require("node:http").createServer((req, res) => res.end("site ${version}"));
server.on("error", (error) => console.log("site ${version} cannot listen", error.code));
const listen = () => server.listen(0, "127.0.0.1", () => console.log("site ${version} listens at", server.address().port));
${listens}
`;
  const waits = `fetch("http://127.0.0.1:" + process.env.GATE + "/").then((answer) => answer.text()).then(() => { listen(); console.log("went on"); });`;
  await using app = new TempApp({
    "main.js": `require("node:http").createServer((req, res) => res.end("main")).listen(process.env.PORT, "127.0.0.1");
require("./site");
`,
    "site.js": site(1, waits),
  });
  await using served = await serve(app, "main.js", { env: { GATE: String(gate.port) } });
  await gate.arrival();
  app.write("site.js", site(2, "listen();"));
  assert.equal(await served.text("/"), "main");
  await served.lines.wait(/site 2 listens/);
  gate.open();
  await served.lines.wait(/went on/);
  app.write("site.js", site(3, "listen();"));
  assert.equal(await served.text("/"), "main");
  await served.lines.wait(/site 3 listens/);
  assert.deepEqual(served.lines.matching(/site 1 (listens|cannot)/), []);
});

for (const afterMs of [0, 100])
  test(`an app that has failed ${afterMs} ms after its evaluation, before it listens, is started again, and requests wait for that start`, {
    skip: plainMode,
  }, async () => {
    await using app = new TempApp({
      "main.js": `const fs = require("node:fs");
async function main() {
  if (!fs.existsSync("failed.tmp")) {
    await new Promise((resolve) => setTimeout(resolve, ${afterMs}));
    fs.writeFileSync("failed.tmp", "");
    throw new Error("the database is not there");
  }
  while (!fs.existsSync("go.tmp")) await new Promise((resolve) => setTimeout(resolve, 20));
  require("node:http").createServer((req, res) => res.end("hello")).listen(process.env.PORT, "127.0.0.1");
}
main().catch(({ message }) => { console.error(message); process.exit(1); });
`,
    });
    await using served = await serve(app, "main.js");
    const answer = served.text("/");
    await connects(served.port);
    app.write("go.tmp", "");
    assert.equal(await answer, "hello");
    assert.equal(served.lines.matching(/listening on/).length, 1);
  });
