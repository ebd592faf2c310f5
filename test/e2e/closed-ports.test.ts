/** A server that is taken out of the code: its public port is closed as soon as nothing may listen there any more. */
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { describe, test } from "node:test";
import { certificate, key } from "../support/certificate.js";
import { eventually, within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { frameworkApps } from "../support/framework-apps.js";
import { freePort } from "../support/free-port.js";
import { Gate } from "../support/gate.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Beside the app's own start nobody shall be left hanging: the load of the machine that runs the tests is in it. */
const PROMPT_MS = 4500;

const WHERE = ["in place", "in a fresh worker"] as const;

/** The admin server stays; \`site.js\` has the one that comes and goes. */
const MAIN = `const http = require("node:http");
const admin = http.createServer((req, res) => {
  if (req.url !== "/site") return res.end("admin");
  const { address } = require("./site");
  res.end(JSON.stringify(address ? address() : null));
});
admin.listen(process.env.PORT, "127.0.0.1");
require("./life");
require("./site");
`;

const SITE = `const http = require("node:http");
const server = http.createServer((req, res) => res.end("site"));
server.listen(0, "127.0.0.1");
exports.address = () => server.address();
`;

/**
 * What an app may have going on that is no sign of a server to come. What turns the event loop, or has turned it, is apart
 * from what leaves it alone.
 */
const lives: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  "what does nothing just now": [
    // Timers that are far off, and unref'ed ones.
    `setTimeout(() => {}, 3_600_000);
setTimeout(() => {}, 30_000).unref();`,
    // A socket to a silent database.
    `require("node:net").connect(process.env.SILENT, "127.0.0.1");`,
    // A socket that only sends.
    `const socket = require("node:net").connect(process.env.SILENT, "127.0.0.1", () => socket.write("log line"));`,
    // A thread that it does not wait for.
    `const { Worker } = require("node:worker_threads");
new Worker("setInterval(() => {}, 1000);", { eval: true }).unref();`,
    // Watched files, a datagram socket, a channel.
    `const fs = require("node:fs");
fs.watch(__dirname, () => {});
fs.watchFile(__filename, () => {});
require("node:dgram").createSocket("udp4").bind(0, "127.0.0.1");
const { port1 } = new MessageChannel();
port1.on("message", () => {});
new BroadcastChannel("news").onmessage = () => {};`,
    // A process listener and a signal listener.
    `process.on("SIGHUP", () => {});
process.on("message", () => {});`,
  ],
  "what is done": [
    // A socket to a database that has answered.
    `const socket = require("node:net").connect(process.env.GATE, "127.0.0.1", () => socket.write("login"));
socket.on("data", () => {});`,
    // A kept connection that it keeps alive.
    `const http = require("node:http");
const agent = new http.Agent({ keepAlive: true });
http.get({ port: process.env.GATE, agent }, (res) => res.resume());`,
    // A fetch that was answered.
    `fetch("http://127.0.0.1:" + process.env.GATE + "/").then((answer) => answer.text());`,
    // Zlib, crypto and files that are done.
    `require("node:zlib").gzip("text", () => {});
require("node:crypto").randomBytes(16, () => {});
require("node:fs").readFile(__filename, () => {});`,
  ],
  "what goes on": [
    // Intervals, and timers that set timers.
    `setInterval(() => {}, 20);
const again = () => setTimeout(again, 20);
again();
setInterval(async () => { await new Promise((resolve) => setTimeout(resolve, 5)); }, 30);`,
    // A thread that has spoken.
    `const { Worker } = require("node:worker_threads");
new Worker('require("node:worker_threads").parentPort.postMessage("ready"); setInterval(() => {}, 1000);', { eval: true }).on("message", () => {});`,
    // Another server that listens, and one that answers by itself.
    `const http = require("node:http");
http.createServer((req, res) => setTimeout(() => res.end("slow"), 50)).listen(0, "127.0.0.1");
require("node:net").createServer().listen(0, "127.0.0.1");`,
  ],
};

async function refused(port: number): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  const outcome = await within(
    new Promise<string>((resolve) => {
      socket.once("connect", () => resolve("connected"));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    }),
    "the connection to be refused",
  );
  socket.destroy();
  assert.equal(outcome, "ECONNREFUSED");
}

async function sitePort(served: ServedApp): Promise<number> {
  const known = await eventually(
    () => served.text("/site"),
    (text) => text !== "null",
    "the second server to listen",
  );
  return (JSON.parse(known) as net.AddressInfo).port;
}

function restarts(app: TempApp, where: (typeof WHERE)[number]): void {
  if (where !== "in place") app.write("package.json", `{ "name": "app", "private": true, "version": "2.0.0" }\n`);
}

/** The request waits at the port, until that is closed: as plain Node would, nothing answers. */
async function closesPromptly(served: ServedApp, port: number, ask: () => Promise<unknown>): Promise<void> {
  const from = served.lines.all.length;
  const before = performance.now();
  const failed = ask().then(
    (answer) => assert.fail(`answered: ${JSON.stringify(answer)}`),
    (error: NodeJS.ErrnoException) => error,
  );
  const line = new RegExp(`closed http://\\S+:${port}: the code that is loaded no longer listens there`);
  await served.lines.wait(line, from);
  const tookMs = performance.now() - before;
  const starts = served.lines.matching(/(?:reloaded|restarted) .* in \d+ ms/, from);
  const startMs = starts.reduce((sum, text) => sum + Number(/ in (\d+) ms/.exec(text)?.[1]), 0);
  assert.ok(tookMs < startMs + PROMPT_MS, `it took ${tookMs} ms; output:\n${served.lines}`);
  assert.match(String(await failed), /ECONNRESET|ECONNREFUSED|hang up/);
  await refused(port);
}

describe("a server that is taken out of the code leaves no port behind,", { skip: plainMode, concurrency: 2 }, () => {
  for (const where of WHERE) {
    for (const [what, life] of Object.entries(lives)) {
      test(`with an app that has ${what}, ${where}`, async () => {
        await using gate = await Gate.make(true);
        const silent = net.createServer((socket) => void socket.on("error", () => {}).resume());
        await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
        try {
          const env = { GATE: String(gate.port), SILENT: String((silent.address() as net.AddressInfo).port) };
          const parts = life.map((text, at) => [`life/${at}.js`, `require("../begun").anew;\n${text}`]);
          await using app = new TempApp({
            "main.js": MAIN,
            "site.js": SITE,
            "life.js": life.map((_, at) => `require("./life/${at}");\n`).join(""),
            "begun.js": "exports.anew = 0;\n",
            ...Object.fromEntries(parts),
          });
          await using served = await serve(app, "main.js", { env });
          const port = await sitePort(served);
          assert.equal((await requestOnce(`http://127.0.0.1:${port}/`)).body, "site");

          // What goes on is begun anew: else it would be no part of this start.
          app.write("begun.js", "exports.anew = 1;\n");
          app.write("site.js", "exports.address = undefined;\n");
          restarts(app, where);
          await closesPromptly(served, port, () => requestOnce(`http://127.0.0.1:${port}/`));
          assert.equal(await served.text("/"), "admin");

          app.write("site.js", SITE);
          const again = await sitePort(served);
          assert.equal((await requestOnce(`http://127.0.0.1:${again}/`)).body, "site");
        } finally {
          silent.close();
        }
      });
    }

    test(`when the only server goes, ${where}, and it comes back on the same port`, async () => {
      const text = (listens: string) => `const http = require("node:http");
setInterval(() => {}, 20);
${listens}
`;
      const listens = `http.createServer((req, res) => res.end("here")).listen(process.env.PORT, "127.0.0.1");`;
      await using app = new TempApp({ "main.js": text(listens) });
      const port = await freePort();
      await using served = await serve(app, "main.js", { env: { PORT: String(port) } });
      assert.equal((await served.getOnce("/")).body, "here");
      app.write("main.js", text(""));
      restarts(app, where);
      await closesPromptly(served, port, () => served.getOnce("/"));
      const from = served.lines.all.length;
      app.write("main.js", text(listens));
      await served.lines.wait(new RegExp(`listening on http://127\\.0\\.0\\.1:${port} `), from);
      assert.equal((await served.getOnce("/")).body, "here");
    });

    test(`when it moves to another port, ${where}`, async () => {
      const [first, second] = [await freePort(), await freePort()];
      await using app = new TempApp({ "main.js": listensOn(first, "first") });
      await using served = await serve(app, "main.js");
      assert.equal((await served.getOnce("/")).body, "first");
      app.write("main.js", listensOn(second, "second"));
      restarts(app, where);
      await closesPromptly(served, first, () => served.getOnce("/"));
      assert.equal((await requestOnce(`http://127.0.0.1:${second}/`)).body, "second");
    });

    test(`when it listens on a path, ${where}`, async () => {
      const text = (path: string) => `const http = require("node:http");
http.createServer((req, res) => res.end("main")).listen(process.env.PORT, "127.0.0.1");
${path && `http.createServer((req, res) => res.end("path")).listen(${JSON.stringify(path)});`}
`;
      await using app = new TempApp({ "main.js": "" });
      const path = app.path("..", "p.sock");
      app.write("main.js", text(path));
      await using served = await serve(app, "main.js");
      assert.equal(await askPath(path), "path");
      app.append("main.js", "\n");
      assert.equal(await askPath(path), "path", "after a reload");
      app.write("main.js", text(""));
      restarts(app, where);
      const asked = askPath(path).catch((error: NodeJS.ErrnoException) => error.code);
      await served.lines.wait(/closed .*p\.sock: the code that is loaded no longer listens there/);
      assert.ok(["ECONNRESET", "ECONNREFUSED", "ENOENT"].includes(String(await asked)), String(await asked));
      await assert.rejects(askPath(path), /ENOENT|ECONNREFUSED/);
    });

    for (const kind of where === "in place" ? (["https", "http2", "raw"] as const) : (["https"] as const)) {
      test(`when it is a server of the kind ${kind}, ${where}`, async () => {
        const make = {
          https: `require("node:https").createServer({ key, cert }, (req, res) => res.end("other"))`,
          http2: `require("node:http2").createSecureServer({ key, cert }, (req, res) => res.end("other"))`,
          raw: `require("node:net").createServer((socket) => socket.end("other"))`,
        }[kind];
        const other = `const key = ${JSON.stringify(key)}, cert = ${JSON.stringify(certificate)};
${make}.listen(0, "127.0.0.1", function () { console.log("other at", this.address().port); });
`;
        await using app = new TempApp({ "main.js": MAIN, "life.js": "", "site.js": other });
        await using served = await serve(app, "main.js");
        const port = Number(/other at (\d+)/.exec(await served.lines.wait(/other at/))?.[1]);
        app.write("site.js", "");
        restarts(app, where);
        const socket = net.connect(port, "127.0.0.1").on("error", () => {});
        const closed = new Promise((resolve) => socket.once("close", resolve));
        await served.lines.wait(new RegExp(`closed \\w+://127\\.0\\.0\\.1:${port}: `));
        await within(closed, "the connection that waited to be closed");
        await refused(port);
        assert.equal(await served.text("/"), "admin");
      });
    }

    test(`when an exported app becomes one that listens, and back, ${where}`, async () => {
      const [own, exported] = [await freePort(), await freePort()];
      const exporting = `module.exports = (req, res) => res.end("exported");\n`;
      await using app = new TempApp({ "main.js": exporting });
      await using served = await serve(app, "main.js", { env: { PORT: String(exported) } });
      assert.equal((await served.getOnce("/")).body, "exported");
      app.write("main.js", listensOn(own, "own"));
      restarts(app, where);
      await closesPromptly(served, exported, () => served.getOnce("/"));
      assert.equal((await requestOnce(`http://127.0.0.1:${own}/`)).body, "own");
      const from = served.lines.all.length;
      app.write("main.js", exporting);
      if (where !== "in place") app.write("package.json", `{ "name": "app", "private": true, "version": "3.0.0" }\n`);
      await closesPromptly(served, own, () => requestOnce(`http://127.0.0.1:${own}/`));
      assert.equal((await served.getOnce("/")).body, "exported");
      const [opened] = served.lines.all.slice(from).filter((line) => /listening on|closed/.test(line));
      assert.match(opened ?? "", /listening on/, "a client that saw the one port closed must find the other open");
      if (where !== "in place") return;
      app.write(
        "main.js",
        `let text = "early";
const server = require("node:http").createServer((req, res) => res.end(text));
module.exports = server;
setTimeout(() => server.listen(process.env.PORT, () => { text = "late"; }), 50);
`,
      );
      const isLate = (text: string) => text === "late";
      await eventually(() => served.text("/"), isLate, "the app to listen itself at the port of what it exports");
    });
  }
});

describe("a port that was closed", { skip: plainMode }, () => {
  test("is open again when the app listens there at a request of another server", async () => {
    const port = await freePort();
    const site = (listens: string) => `const http = require("node:http");
const server = http.createServer((req, res) => res.end("site"));
exports.address = () => { ${listens} return server.address(); };
`;
    const listen = `server.listen(${port}, "127.0.0.1");`;
    await using app = new TempApp({ "main.js": MAIN, "life.js": "", "site.js": `${site("")}${listen}\n` });
    await using served = await serve(app, "main.js");
    assert.equal(await sitePort(served), port);
    app.write("site.js", site(`if (!server.listening) ${listen}`));
    await closesPromptly(served, port, () => requestOnce(`http://127.0.0.1:${port}/`));
    assert.equal(await sitePort(served), port);
    assert.equal((await requestOnce(`http://127.0.0.1:${port}/`)).body, "site");
  });

  test("by the app itself is closed at once, and open when it listens again", async () => {
    const port = await freePort();
    await using app = new TempApp({
      "main.js": `const http = require("node:http");
const site = http.createServer((req, res) => res.end("site"));
http.createServer((req, res) => {
  if (req.url === "/close") site.close(() => res.end("closed"));
  else site.listen(${port}, "127.0.0.1", () => res.end("open"));
}).listen(process.env.PORT, "127.0.0.1");
`,
    });
    await using served = await serve(app, "main.js");
    for (let n = 0; n < 3; n++) {
      assert.equal(await served.text("/open"), "open");
      assert.equal((await requestOnce(`http://127.0.0.1:${port}/`)).body, "site");
      assert.equal(await served.text("/close"), "closed");
      await refused(port);
    }
    assert.deepEqual(served.lines.matching(/no longer listens/), []);
  });

  test("by an app that ends for an error which it has taken stays open for the fresh worker", async () => {
    await using app = new TempApp({
      "main.js": `const server = require("node:http").createServer((req, res) => {
  res.end("site");
  if (req.url === "/throw") setImmediate(() => { throw new Error("thrown"); });
  if (req.url === "/reject") void Promise.reject(new Error("rejected"));
}).listen(process.env.PORT, "127.0.0.1");
// As many apps do.
const end = () => server.close(() => { console.log("closed it"); setTimeout(() => process.exit(1), 50); });
process.on("uncaughtException", end);
process.on("unhandledRejection", end);
`,
    });
    await using served = await serve(app, "main.js");
    for (const path of ["/throw", "/reject"]) {
      const from = served.lines.all.length;
      assert.equal((await served.getOnce(path)).body, "site");
      await served.lines.wait(/closed it/, from);
      // After the second end, which comes soon after the first, that is a page about it.
      assert.match((await served.getOnce("/")).body, path === "/throw" ? /^site$/ : /process\.exit\(1\)|^site$/);
      await served.lines.wait(/restarted/, from);
    }
  });

  test("is told by a host's supervisor, and keeps no address", async () => {
    const text = (listens: string) => `import http from "node:http";
http.createServer((req, res) => res.end("first")).listen(0, "127.0.0.1");
${listens}
`;
    const second = `http.createServer((req, res) => res.end("second")).listen(0, "127.0.0.1");`;
    await using embedded = new EmbeddedApp({ "main.js": text(second) }, "main.js");
    const { supervisor } = embedded;
    await within(supervisor.listen(), "listen()");
    const opened = () => supervisor.inspect().addresses as net.AddressInfo[];
    await eventually(
      async () => opened(),
      (addresses) => addresses.length === 2,
      "both servers to listen",
    );
    const [first, other] = opened();
    assert.ok(first && other);
    const told = new Promise<string>((resolve) => {
      supervisor.on("log", ({ message }) => {
        if (message.startsWith("closed ")) resolve(message);
      });
    });
    embedded.app.write("main.js", text(""));
    await supervisor.reload();
    const expected = `closed http://127.0.0.1:${other.port}: the code that is loaded no longer listens there`;
    assert.equal(await within(told, "the line"), expected);
    assert.deepEqual(opened(), [first]);
    await refused(other.port);
    assert.equal((await requestOnce(`http://127.0.0.1:${first.port}/`)).body, "first");
  });
});

describe("an app that moves to another port leaves the old one at once:", { skip: plainMode, concurrency: 2 }, () => {
  const movable = frameworkApps.filter(({ files, entry }) => files[entry]?.includes("process.env.PORT"));
  for (const [at, framework] of movable.entries()) {
    // Each framework once; in a fresh worker it makes no difference, so a few are enough.
    for (const where of at % 5 === 1 ? WHERE.slice(1) : WHERE.slice(0, 1)) {
      test(`${framework.name}, ${where}`, async () => {
        const [first, second] = [await freePort(), await freePort()];
        const { files, packages, entry } = framework;
        await using app = new TempApp(files, { packages });
        const env = { PORT: String(first), SECOND: String(second) };
        await using served = await serve(app, entry, { env });
        assert.equal((await served.getOnce("/items")).status, 200);
        app.edit(entry, "process.env.PORT", "process.env.SECOND");
        if (where !== "in place") app.write("package.json", `${app.read("package.json").trimEnd()}\n\n`);
        await closesPromptly(served, first, () => served.getOnce("/items"));
        const host = new URL(served.origin).hostname;
        assert.equal((await requestOnce(`http://${host}:${second}/items`)).status, 200);
      });
    }
  }
});

test("a TLS session that was idle when its server was taken out of the code is closed", {
  skip: plainMode,
}, async () => {
  const site = `const key = ${JSON.stringify(key)}, cert = ${JSON.stringify(certificate)};
require("node:https").createServer({ key, cert }, (req, res) => res.end("old code")).listen(0, "127.0.0.1", function () {
  console.log("other at", this.address().port);
});
`;
  await using app = new TempApp({ "main.js": MAIN, "life.js": "", "site.js": site });
  await using served = await serve(app, "main.js");
  const port = Number(/other at (\d+)/.exec(await served.lines.wait(/other at/))?.[1]);
  const kept = new KeptConnection(`https://127.0.0.1:${port}`);
  try {
    assert.equal((await kept.request("/")).body, "old code");
    app.write("site.js", "");
    await assert.rejects(kept.request("/"), /ECONNRESET|ECONNREFUSED|hang up/);
    await served.lines.wait(new RegExp(`closed https://127\\.0\\.0\\.1:${port}: `));
    await refused(port);
  } finally {
    kept.close();
  }
});

test("a request that waits at a port is answered by the old server when the reload is rolled back", {
  skip: plainMode,
}, async () => {
  await using gate = await Gate.make(true);
  const text = (version: number, then: string) => `import http from "node:http";
http.createServer((req, res) => res.end("version ${version}")).listen(process.env.PORT, "127.0.0.1");
await (await fetch("http://127.0.0.1:" + process.env.GATE + "/")).text();
${then}
`;
  await using app = new TempApp({ "main.mjs": text(1, "") });
  const flags = ["--on-error", "last-good"];
  await using served = await serve(app, "main.mjs", { flags, env: { GATE: String(gate.port) } });
  assert.equal((await served.getOnce("/")).body, "version 1");
  gate.shut();
  app.write("main.mjs", text(2, `throw new Error("broken");`));
  const waiting = served.getOnce("/");
  await gate.arrival();
  const second = served.getOnce("/");
  gate.open();
  assert.deepEqual([(await waiting).body, (await second).body], ["version 1", "version 1"]);
  assert.deepEqual(served.lines.matching(/no longer listens/), []);
});

function listensOn(port: number, body: string): string {
  return `const http = require("node:http");
http.createServer((req, res) => res.end("${body}")).listen(${port}, "127.0.0.1");
`;
}

function askPath(socketPath: string): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    const request = http.get({ socketPath, path: "/", agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body));
    });
    request.on("error", reject);
  });
  return within(answer, `the answer at ${socketPath}`);
}
