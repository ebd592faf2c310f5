/**
 * What a module creates while it is evaluated is gone when the module is purged: after 20 reloads everything is there
 * once. What requests create, and what packages do for themselves, is left alone.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/deadline.js";
import { ledgerApp, reloadMade } from "../support/ledger-app.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import type { TempApp } from "../support/temp-app.js";

const RELOADS = 14;

const reload = (app: TempApp, served: ServedApp, times = RELOADS) => reloadMade(app, served, times);

describe("timers", { skip: plainMode }, () => {
  /** Tells which versions have ticked since it was asked last. */
  const report = `export const report = (url, { counts }) => {
  const now = { ...counts };
  for (const key of Object.keys(counts)) delete counts[key];
  return now;
};`;

  /** Asks until each kind of the newest version has ticked twice since the reloads; no other may have. */
  async function onlyNewestTicks(served: ServedApp, kinds: readonly string[]): Promise<void> {
    await served.json("/ticks");
    const total: Record<string, number> = {};
    await eventually(
      async () => {
        const ticks = await served.json<Record<string, number>>("/ticks");
        for (const [key, times] of Object.entries(ticks)) total[key] = (total[key] ?? 0) + times;
        return total;
      },
      (ticks) => kinds.every((kind) => (ticks[`${kind}: ${RELOADS}`] ?? 0) >= 2),
      "the newest version of each to tick",
    );
    assert.deepEqual(Object.keys(total).sort(), kinds.map((kind) => `${kind}: ${RELOADS}`).sort());
  }

  const kinds: Readonly<Record<string, string>> = {
    setInterval: `setInterval(() => count(version), 1);`,
    "setInterval of node:timers": `import { setInterval as every } from "node:timers"; every(() => count(version), 1);`,
    "an unref'd interval": `setInterval(() => count(version), 1).unref();`,
    "a timeout that sets the next": `const tick = () => { count(version); setTimeout(tick, 1); }; tick();`,
    "a timeout that starts itself again": `const timer = setTimeout(() => { count(version); timer.refresh(); }, 1);`,
    "an immediate that sets the next": `const tick = () => { count(version); setImmediate(tick); }; tick();`,
    "an async function that sets the next timeout": `async function tick() { await null; count(version); setTimeout(tick, 1); } tick();`,
    "a timeout whose unreturned promise sets the next": `async function tick() { await null; await null; count(version); setTimeout(() => { tick(); }, 1); } tick();`,
    "a loop over a promised timeout": `import { setTimeout as sleep } from "node:timers/promises"; (async () => { for (;;) { await sleep(1); count(version); } })();`,
    "a loop over a promisified timeout": `import { promisify } from "node:util"; const sleep = promisify(setTimeout); (async () => { for (;;) { await sleep(1); count(version); } })();`,
    "a loop over a promise of its own": `const sleep = (ms) => new Promise((done) => setTimeout(done, ms)); (async () => { for (;;) { await sleep(1); count(version); } })();`,
    "scheduler.wait": `import { scheduler } from "node:timers/promises"; (async () => { for (;;) { await scheduler.wait(1); count(version); } })();`,
    "the interval of node:timers/promises": `import { setInterval as every } from "node:timers/promises"; (async () => { for await (const _ of every(1)) count(version); })();`,
    "an interval of async main": `async function main() { await new Promise((done) => setTimeout(done, 2)); setInterval(() => count(version), 1); } main();`,
    "an interval after a top-level await": `await new Promise((done) => setImmediate(done)); setInterval(() => count(version), 1);`,
  };
  test("only those of the newest version go on, of whatever kind", async () => {
    const kept = Object.entries(kinds);
    // Each uses what is edited while it is evaluated.
    const files = kept.map(([kind, made], index) => [
      `kinds/${index}.js`,
      `import * as state from "state"; import * as edited from "../made.js"; const { version } = edited;
const count = (version) => state.count(${JSON.stringify(`${kind}: `)} + version);\n${made}\n`,
    ]);
    const imports = kept.map((_, index) => `import "./kinds/${index}.js";`).join("\n");
    await using app = ledgerApp({ made: "", report: `${imports}\n${report}`, more: Object.fromEntries(files) });
    await using served = await serve(app, "main.js");
    await reload(app, served);
    await onlyNewestTicks(served, Object.keys(kinds));
  });

  test("a timeout that nobody has waited for is not run", async () => {
    await using app = ledgerApp({ made: `if (version < ${RELOADS}) setTimeout(() => count("late"), 100);`, report });
    await using served = await serve(app, "main.js");
    await reload(app, served);
    app.write(
      "made.js",
      `import { count } from "state"; setTimeout(() => count("end"), 200); export const version = "x";`,
    );
    const seen = await eventually(
      () => served.json<Record<string, number>>("/ticks"),
      (ticks) => "end" in ticks,
      "a timer that was set last",
    );
    assert.deepEqual(seen, { end: 1 });
  });

  test("what a request starts, and what a package starts as it is loaded, is left alone", async () => {
    const ticking = (name: string) => `let ticks = 0; setInterval(() => ticks++, 1); exports.${name} = () => ticks;`;
    await using app = ledgerApp({
      made: `import one from "one"; import "two"; import { createRequire } from "node:module";
        const three = createRequire(import.meta.url)("three"); const four = await import("four");
        state.packages = { one: one.ticks, two: globalThis.two, three: three.ticks, four: four.ticks, lazy: one.lazy() };`,
      report: `let ticks = 0; let started = false;
        export const report = (url, { packages }) => {
          if (!started) setInterval(() => ticks++, 1);
          started = true;
          return { own: ticks, ...Object.fromEntries(Object.entries(packages).map(([name, read]) => [name, read()])) };
        };`,
      more: {
        "node_modules/one/index.js": `${ticking("ticks")} require("./below.js"); exports.lazy = () => require("./lazy.js").ticks;`,
        "node_modules/one/below.js": `setInterval(() => {}, 1);`,
        "node_modules/one/lazy.js": ticking("ticks"),
        "node_modules/two/package.json": `{ "type": "module", "exports": "./index.js" }`,
        "node_modules/two/index.js": `import "./below.js";`,
        "node_modules/two/below.js": `let ticks = 0; setInterval(() => ticks++, 1); globalThis.two = () => ticks;`,
        "node_modules/three/index.js": ticking("ticks"),
        "node_modules/four/package.json": `{ "type": "module", "exports": "./index.js" }`,
        "node_modules/four/index.js": `let n = 0; setInterval(() => n++, 1); export const ticks = () => n;`,
      },
    });
    await using served = await serve(app, "main.js");
    await served.json("/ticks");
    await reload(app, served, 3);
    const before = await served.json<Record<string, number>>("/ticks");
    assert.deepEqual(Object.keys(before).sort(), ["four", "lazy", "one", "own", "three", "two"]);
    await eventually(
      () => served.json<Record<string, number>>("/ticks"),
      (now) => Object.entries(now).every(([name, ticks]) => ticks > (before[name] ?? 0)),
      "every timer to go on",
    );
  });

  test("the Date header goes on", async () => {
    await using app = ledgerApp({ made: `setInterval(() => {}, 1);`, report });
    await using served = await serve(app, "main.js");
    for (let second = 0; second < 3; second++) {
      const { headers } = await served.get("/");
      await reload(app, served, 3);
      await eventually(
        () => served.get("/"),
        (answer) => answer.headers.date !== headers.date,
        "another Date header",
      );
    }
  });
});

describe("listeners", { skip: plainMode }, () => {
  test("those on the process, a kept emitter, a library's singleton and a signal are there once", async () => {
    await using app = ledgerApp({
      made: `import { singleton } from "library"; import { once, on } from "node:events";
        process.on("exit", () => {}); process.once("SIGTERM", () => {}); process.on("uncaughtException", (error) => { throw error; });
        state.bus.on("event", () => state.counts.event = (state.counts.event ?? 0) + 1);
        state.bus.addListener("event", () => {}); state.bus.prependListener("event", () => {});
        state.bus.once("event", () => {}); state.bus.prependOnceListener("event", () => {});
        state.bus.on("error", () => {}); once(state.bus, "once"); on(state.bus, "on");
        singleton.on("event", () => {}); state.controller ??= new AbortController();
        state.controller.signal.addEventListener("abort", () => {}); state.controller.signal.addEventListener("abort", () => {}, { once: true, capture: true });
        async function main() { await null; state.bus.on("later", () => {}); } main();`,
      report: `import { getEventListeners } from "node:events"; import { singleton } from "library";
        const countsOf = (emitter, names) => names.map((name) => emitter.listenerCount(name)).join();
        let first;
        export const report = (url, { bus, controller }) => {
          first ??= () => {};
          if (!bus.listeners("event").includes(first)) bus.prependListener("event", first);
          return {
            process: countsOf(process, ["exit", "SIGTERM", "uncaughtException"]),
            bus: countsOf(bus, ["event", "error", "once", "on", "later"]),
            singleton: countsOf(singleton, ["event"]),
            signal: getEventListeners(controller.signal, "abort").length,
            first: bus.listeners("event")[0] === first,
          };
        };`,
      more: { "node_modules/library/index.js": `exports.singleton = new (require("events"))();` },
    });
    await using served = await serve(app, "main.js");
    await served.json("/count");
    const before = await served.json("/count");
    await reload(app, served);
    const now = await served.json<{ first: boolean }>("/count");
    assert.deepEqual({ ...now, first: true }, before);
  });

  test("a kept emitter does not end the process when an error comes between two versions", async () => {
    await using app = ledgerApp({
      made: `import { dispose } from "./dispose.js"; state.bus.on("error", () => count("errors"));`,
      report: `export const report = (url, { bus, counts }) => { bus.emit("error", new Error("heard")); return counts.errors; };`,
      more: { "dispose.js": `export const dispose = 1;` },
    });
    await using served = await serve(app, "main.js");
    await reload(app, served, 3);
    assert.equal(await served.json("/error"), 1);
  });

  test("an emitter of the module's own keeps its listeners, and identities are Node's", async () => {
    await using app = ledgerApp({
      made: `import { EventEmitter } from "node:events";
        class Own extends EventEmitter {} const own = new Own(); own.on("error", () => count("heard"));
        const mine = () => {}; state.bus.once("mine", mine);
        state.checks = [EventEmitter.prototype.on === EventEmitter.prototype.addListener, EventEmitter.prototype.on.name,
          EventEmitter.prototype.on.length, state.bus.listeners("mine").includes(mine), state.bus.on("x", mine) === state.bus,
          setTimeout.name, setTimeout.length > 1, globalThis.setTimeout === (await import("node:timers")).setTimeout];
        state.bus.off("x", mine); state.old ??= own;`,
      report: `export const report = (url, { old, counts, checks }) => {
        old.emit("error", new Error("late")); return { heard: counts.heard, checks };
      };`,
    });
    await using served = await serve(app, "main.js");
    await reload(app, served, 2);
    assert.deepEqual(await served.json("/old"), {
      heard: 1,
      checks: [true, "addListener", 2, true, true, "setTimeout", true, true],
    });
  });
});

describe("globals, patches and the environment", { skip: plainMode }, () => {
  test("are what they were before the version that changed them", async () => {
    await using app = ledgerApp({
      made: `import fs from "node:fs"; import util from "node:util"; import { config } from "dotenv";
        const original = fs.statSync;
        if (version < 3) {
          globalThis.added = version; globalThis[Symbol.for("added")] = 1; delete globalThis.escape; globalThis.structuredClone = () => "changed";
          Object.defineProperty(globalThis, "hidden", { value: 1, configurable: true });
          Array.prototype.patched = () => version; String.prototype.anchor = () => "patched"; Promise.patched = 1;
          fs.statSync = (...args) => original(...args); util.inspect.defaultOptions.depth = 77; Math.random = () => 4; console.debug = () => {};
          process.env.SET = "set"; process.env.CHANGED = "changed"; delete process.env.DELETED; config({ quiet: true });
          await null; globalThis.afterAwait = 1;
        }`,
      report: `import fs from "node:fs"; import util from "node:util";
        const original = { anchor: String.prototype.anchor, stat: fs.statSync, random: Math.random, debug: console.debug, clone: structuredClone, depth: util.inspect.defaultOptions.depth };
        export const report = () => [
          "added" in globalThis, Symbol.for("added") in globalThis, "hidden" in globalThis, "afterAwait" in globalThis,
          typeof escape === "function", structuredClone === original.clone, "patched" in [], String.prototype.anchor === original.anchor,
          "patched" in Promise, fs.statSync === original.stat, util.inspect.defaultOptions.depth === original.depth,
          Math.random === original.random, console.debug === original.debug,
          process.env.SET ?? null, process.env.CHANGED ?? null, process.env.DELETED ?? null, process.env.FROM_FILE ?? null,
        ];`,
      more: { ".env": "FROM_FILE=yes\n" },
      packages: ["dotenv"],
    });
    const env = { CHANGED: "before", DELETED: "before" };
    await using served = await serve(app, "main.js", { env });
    const changed = [true, true, true, true, false, false, true, false, true, false, false, false, false];
    assert.deepEqual(await served.json("/"), 0);
    assert.deepEqual(await served.json("/report"), [...changed, "set", "changed", null, "yes"]);
    await reload(app, served, 2);
    assert.deepEqual(await served.json("/report"), [...changed, "set", "changed", null, "yes"]);
    await reload(app, served, 1);
    const restored = changed.map((value) => !value);
    assert.deepEqual(await served.json("/report"), [...restored, null, "before", "before", null]);
  });

  test("settings with accessors, and globals that Node loads when they are read, are put back as well", async () => {
    await using app = ledgerApp({
      made: `import dns from "node:dns"; import { EventEmitter } from "node:events"; import net from "node:net"; import http from "node:http";
        if (version < 3) {
          process.exitCode = 3; EventEmitter.defaultMaxListeners = 77; http.globalAgent = new http.Agent({ maxSockets: 7 });
          dns.setDefaultResultOrder("ipv4first"); net.setDefaultAutoSelectFamily(false);
          globalThis.Headers = class {}; Object.defineProperty(globalThis, "crypto", { value: 1, configurable: true });
        }`,
      report: `import dns from "node:dns"; import { EventEmitter } from "node:events"; import net from "node:net"; import http from "node:http";
        export const report = () => [process.exitCode ?? null, EventEmitter.defaultMaxListeners, http.globalAgent.maxSockets ?? null,
          dns.getDefaultResultOrder(), net.getDefaultAutoSelectFamily(), typeof Headers.prototype.append, typeof crypto];`,
    });
    await using served = await serve(app, "main.js");
    const changed = [3, 77, 7, "ipv4first", false, "undefined", "number"];
    assert.deepEqual(await served.json("/report"), changed);
    await reload(app, served, 2);
    assert.deepEqual(await served.json("/report"), changed);
    await reload(app, served, 1);
    assert.deepEqual(await served.json("/report"), [null, 10, null, "verbatim", true, "function", "object"]);
  });
});
