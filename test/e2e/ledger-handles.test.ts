/**
 * What a module opens while it is evaluated (sockets, watchers, threads, processes, channels) is closed when the module is
 * purged: after many reloads everything is open once. What requests and packages open is left alone.
 */
import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { eventually } from "../support/deadline.js";
import { ledgerApp, reloadMade } from "../support/ledger-app.js";
import { plainMode, serve } from "../support/served-app.js";

const RELOADS = 14;

/** Resources as Node counts them, and open files where the system tells. */
const resources = `import { existsSync, readdirSync } from "node:fs";
export const report = () => {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  delete counts.Timeout; delete counts.Immediate; delete counts.FSReqPromise; delete counts.FSReqCallback;
  return { ...counts, files: existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0 };
};`;

const kinds: Readonly<Record<string, string>> = {
  "datagram sockets": `import dgram from "node:dgram"; const socket = dgram.createSocket("udp4"); await new Promise((done) => socket.bind(0, "127.0.0.1", done));`,
  "file watchers": `import fs from "node:fs"; fs.watch(import.meta.dirname + "/../node_modules", () => {});`,
  "promised file watchers": `import { watch } from "node:fs/promises"; (async () => { for await (const _ of watch(import.meta.dirname + "/../node_modules")) count("changed"); })(); await new Promise((done) => setImmediate(done));`,
  "stat watchers": `import fs from "node:fs"; fs.watchFile(import.meta.dirname + "/../node_modules/none-" + version, () => {});`,
  chokidar: `import { watch } from "chokidar"; import { mkdirSync } from "node:fs";
    const folder = import.meta.dirname + "/../node_modules/x/" + version; mkdirSync(folder, { recursive: true });
    const watcher = watch(folder); await new Promise((done) => watcher.on("ready", done));`,
  "worker threads": `import { Worker } from "node:worker_threads"; class Own extends Worker {} const worker = new Own("setInterval(() => {}, 1000)", { eval: true }); await new Promise((done) => worker.on("online", done)); worker.on("exit", () => count("exit"));`,
  "message channels": `const { port1, port2 } = new MessageChannel(); port1.onmessage = () => {}; port2.on("message", () => {});`,
  "file streams": `import fs from "node:fs"; fs.createWriteStream(import.meta.dirname + "/../log.txt", { flags: "a" }).write(version + " "); await new Promise((done) => fs.createReadStream(import.meta.filename).on("open", done));`,
  "line readers": `import readline from "node:readline"; import { PassThrough } from "node:stream"; state.input ??= new PassThrough();
    if (state.reader && !state.reader.closed) throw new Error("still open");
    state.reader = readline.createInterface({ input: state.input }).on("close", () => process.exit(1));`,
};

describe("handles", { skip: plainMode }, () => {
  test("those of the newest version are left, of whatever kind", async () => {
    // Each uses what is edited while it is evaluated.
    const files = Object.values(kinds).map((made, index) => [
      `kinds/${index}.js`,
      `import { count, getState } from "state"; import * as edited from "../made.js"; const { version } = edited;
const state = getState();\n${made}\n`,
    ]);
    const imports = files.map(([file]) => `import "./${file}";`).join("\n");
    await using app = ledgerApp({
      made: "",
      report: `${imports}\n${resources}`,
      packages: ["chokidar"],
      more: { "log.txt": "", "node_modules/x/index.js": "", ...Object.fromEntries(files) },
    });
    await using served = await serve(app, "main.js", { flags: ["--ignore", "log.txt"] });
    await reloadMade(app, served, 2);
    const before = await served.json<Record<string, number>>("/resources");
    await reloadMade(app, served, RELOADS);
    await eventually(
      () => served.json<Record<string, number>>("/resources"),
      (now) => Object.entries(now).every(([name, count]) => count < (before[name] ?? 0) + RELOADS / 2),
      // The supervisor's own come and go as well.
      `little more than ${JSON.stringify(before)}`,
    );
  });

  test("broadcast channels: only those of the newest version hear anything", async () => {
    await using app = ledgerApp({
      made: `import { BroadcastChannel as Other } from "node:worker_threads";
        for (const channel of [new BroadcastChannel("test"), new Other("test")]) channel.onmessage = () => count(version);`,
      report: `const sum = (counts) => Object.values(counts).reduce((one, other) => one + other, 0);
        export const report = async (url, { counts }) => {
          const probe = new BroadcastChannel("test");
          for (let round = 1; round <= 5; round++) {
            probe.postMessage(round);
            while (sum(counts) < 2 * round) await new Promise((done) => setImmediate(done));
          }
          probe.close();
          return counts;
        };`,
    });
    await using served = await serve(app, "main.js");
    await reloadMade(app, served, RELOADS);
    assert.deepEqual(await served.json("/heard"), { [RELOADS]: 10 });
  });

  test("channels are closed, whoever still has them", async () => {
    await using app = ledgerApp({
      made: `(state.channels ??= []).push(new BroadcastChannel("test"), new MessageChannel().port1);`,
      report: `import { inspect } from "node:util";
        export const report = (url, { channels }) => channels.map((channel) => inspect(channel).includes("active: true"));`,
    });
    await using served = await serve(app, "main.js");
    await reloadMade(app, served, 2);
    assert.deepEqual(await served.json("/open"), [false, false, false, false, true, true]);
  });

  test("sockets of the module's own are closed, and do not connect again; those of a package are left to it", async (t) => {
    const open = new Set<object>();
    let opened = 0;
    const server = createServer((socket) => {
      opened++;
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => {});
      socket.resume();
    });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    {
      await using app = ledgerApp({
        made: `import net from "node:net"; import pool from "pool";
          const connect = () => { const socket = net.connect(${port}, "127.0.0.1"); socket.on("close", connect); socket.on("error", () => {}); return socket; };
          await new Promise((done) => connect().on("connect", done)); state.pooled ??= await pool.open(${port});`,
        report: "export const report = (url, { pooled }) => pooled.destroyed;",
        more: {
          "node_modules/pool/index.js": `exports.open = (port) => new Promise((done) => { const socket = require("net").connect(port, "127.0.0.1", () => done(socket)); });`,
        },
      });
      await using served = await serve(app, "main.js");
      await reloadMade(app, served, RELOADS);
      await eventually(
        async () => ({ opened, open: open.size }),
        (now) => now.opened >= RELOADS + 2 && now.open === 2,
        "two open sockets",
      );
      assert.equal(opened, RELOADS + 2);
      assert.equal(await served.json("/destroyed"), false);
    }
  });

  test("HTTP/2 sessions are closed", async (t) => {
    const open = new Set<object>();
    const server = createHttp2Server().on("session", (session) => {
      open.add(session);
      session.on("close", () => open.delete(session)).on("error", () => {});
    });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    {
      await using app = ledgerApp({
        made: `import http2 from "node:http2"; await new Promise((done) => http2.connect("http://127.0.0.1:${port}").on("remoteSettings", done));`,
        report: "export const report = () => null;",
      });
      await using served = await serve(app, "main.js");
      await reloadMade(app, served, 5);
      await eventually(
        async () => open.size,
        (sessions) => sessions === 1,
        "one session",
      );
    }
  });

  test("child processes end, also those that do not want to; unref'ed ones and those of requests live", async () => {
    const child = `spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); process.send('up'); setInterval(() => {}, 1000)"], { stdio: ["ignore", "ignore", "ignore", "ipc"] })`;
    await using app = ledgerApp({
      made: `import { spawn } from "node:child_process";
        const stubborn = ${child}; await new Promise((done) => stubborn.on("message", done));
        const plain = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]); plain.on("exit", () => count("respawned"));
        (state.children ??= []).push(stubborn, plain);
        if (!state.detached) { state.detached = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"], { stdio: "ignore", detached: true }); state.detached.unref(); }`,
      report: `import { spawn } from "node:child_process"; let own;
        const lives = (child) => { try { process.kill(child.pid, 0); return child.exitCode === null && child.signalCode === null; } catch { return false; } };
        export const report = (url, { children, detached, counts }) => {
          own ??= spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
          const answer = { children: children.filter(lives).length, own: lives(own), detached: lives(detached), ...counts };
          if (url === "/end") for (const child of [...children, own, detached]) child.kill("SIGKILL");
          return answer;
        };`,
    });
    await using served = await serve(app, "main.js");
    await served.json("/children");
    await reloadMade(app, served, 3);
    assert.deepEqual(await served.json("/children"), { children: 2, own: true, detached: true });
    await served.json("/end");
  });

  test("subscriptions, async hooks and performance observers are there once", async () => {
    await using app = ledgerApp({
      made: `import dc from "node:diagnostics_channel"; import { AsyncLocalStorage, createHook } from "node:async_hooks"; import { PerformanceObserver } from "node:perf_hooks";
        dc.subscribe("one", () => count("subscribe")); dc.channel("one").subscribe(() => count("channel"));
        dc.tracingChannel("two").subscribe({ start: () => count("tracing") });
        dc.channel("three").bindStore(new AsyncLocalStorage(), () => count("store"));
        createHook({ init: (id, type) => { if (type === "Immediate") count("hook"); } }).enable();
        new PerformanceObserver((list) => { for (const _ of list.getEntries()) count("observer"); }).observe({ entryTypes: ["mark"] });`,
      report: `import dc from "node:diagnostics_channel"; import { performance } from "node:perf_hooks";
        export const report = async (url, { counts }) => {
          for (const key of Object.keys(counts)) delete counts[key];
          dc.channel("one").publish({}); dc.tracingChannel("two").traceSync(() => {}); dc.channel("three").runStores({}, () => {});
          performance.mark("m");
          const before = counts.hook ?? 0;
          setImmediate(() => {});
          counts.hook -= before;
          while (!counts.observer) await new Promise((done) => setTimeout(done, 1));
          const { subscribe, channel, tracing, store, observer } = counts;
          return { subscribe, channel, tracing, store, observer, hook: counts.hook };
        };`,
    });
    await using served = await serve(app, "main.js");
    const before = await served.json("/counts");
    assert.deepEqual(before, { subscribe: 1, channel: 1, tracing: 1, store: 1, observer: 1, hook: 1 });
    await reloadMade(app, served, RELOADS);
    assert.deepEqual(await served.json("/counts"), before);
  });

  test("a kept http server has one listener of each kind, and one WebSocket server", async () => {
    await using app = ledgerApp({
      made: `import { WebSocketServer } from "ws"; import { Server } from "socket.io"; import { server } from "./kept.js";
        server.on("request", (req, res) => { if (req.url === "/made") res.end(String(version)); });
        const wss = new WebSocketServer({ server, path: "/ws" }); wss.on("connection", (socket) => socket.send(String(version)));
        new Server(server);`,
      report: `import { server } from "./kept.js"; import { WebSocket } from "ws";
        export const report = async () => {
          if (!server.listening) await new Promise((done) => server.listen(0, "127.0.0.1", done));
          const { port } = server.address();
          const { headers, ...answer } = { text: await (await fetch("http://127.0.0.1:" + port + "/made")).text() };
          const socket = new WebSocket("ws://127.0.0.1:" + port + "/ws");
          const greetings = []; socket.on("message", (message) => greetings.push(String(message)));
          await new Promise((done, fail) => { socket.on("message", done); socket.on("error", fail); });
          socket.close();
          return { ...answer, kept: await (await fetch("http://127.0.0.1:" + port + "/kept")).text(), greetings,
            listeners: ["request", "upgrade", "connection", "close", "error", "listening"].map((name) => server.listenerCount(name)) };
        };`,
      more: {
        "kept.js": `import http from "node:http";
          export const server = http.createServer((req, res) => { if (req.url === "/kept") res.end("kept"); });`,
      },
      packages: ["ws", "socket.io"],
    });
    await using served = await serve(app, "main.js");
    const before = await served.json<{ listeners: unknown }>("/server");
    await reloadMade(app, served, 10);
    assert.deepEqual(await served.json("/server"), { ...before, text: "10", greetings: ["10"] });
  });

  test("an agent's idle connections end with it", async (t) => {
    const server = createHttpServer((_, res) => res.end("x"));
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    {
      await using app = ledgerApp({
        made: `import http from "node:http"; const agent = new http.Agent({ keepAlive: true });
          await new Promise((done) => http.get({ host: "127.0.0.1", port: ${port}, agent }, (res) => res.resume().on("close", done)));`,
        report: "export const report = () => null;",
      });
      await using served = await serve(app, "main.js");
      await reloadMade(app, served, 5);
      const count = () =>
        new Promise<number>((resolve, reject) => {
          server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
        });
      await eventually(count, (connections) => connections === 1, "one connection", 4000);
    }
  });
});
