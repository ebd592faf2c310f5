/** A fresh worker on a thread that has the app's packages already: as one that starts from nothing, only sooner. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSupervisor, type Supervisor } from "../../src/index.js";
import { within } from "../support/deadline.js";
import { type FrameworkApp, frameworkApps } from "../support/framework-apps.js";
import { watchLeftovers } from "../support/leftovers.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const DEADLINE_MS = 60_000;
const READY = /standby: ready/;

/** `require("calm").ahead(t)`: whether it was loaded before `t` of this thread's clock. */
const calm = `const at = performance.now();
module.exports = { ahead: (time) => at < time, version: "one", mode: process.env.MODE ?? "none" };
`;
const entry = (requires: string): string => `const began = performance.now();
${requires}
const calm = require("calm");
exports.look = () => ({ ahead: calm.ahead(began), version: calm.version, mode: calm.mode, other: process.env.OTHER ?? "none" });
`;
const main = `const began = performance.now();
console.log("app: main begins");
const calm = require("calm");
const loud = require("loud");
console.log("app: has both", loud);
const http = require("node:http");
const main = require.main === module && calm.main() === module && process.mainModule === module;
http.createServer((req, res) => res.end(JSON.stringify({ ahead: calm.ahead(began), main, parent: module.parent }))).listen(0, "127.0.0.1");
process.on("exit", () => {});
console.log("app: main ends");
`;

describe("a fresh worker on a standby thread", { skip: plainMode }, () => {
  test("prints, in the same order, and answers what one without prints and answers", async () => {
    const files = {
      "main.js": main,
      "node_modules/calm/index.js": `${calm}module.exports.main = () => require.main;\n`,
      "node_modules/loud/index.js": `console.log("app: loud is loaded");\nmodule.exports = "loud";\n`,
    };
    const outcomes: { printed: string[]; answer: Record<string, unknown> }[] = [];
    for (const flags of [[], ["--no-standby"]]) {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js", { flags: ["--log-level", "debug", ...flags] });
      await served.lines.wait(/^app: main ends/);
      if (flags.length === 0) await ready(served);
      const since = served.lines.all.length;
      app.write("package.json", `{ "name": "app", "private": true, "description": "touched" }\n`);
      await served.lines.wait(/^app: main ends/, since);
      outcomes.push({ printed: served.lines.matching(/^app: /, since), answer: await served.json("/") });
    }
    const [warm, cold] = outcomes;
    assert.deepEqual(warm?.printed, [
      "app: main begins",
      "app: loud is loaded",
      "app: has both loud",
      "app: main ends",
    ]);
    assert.deepEqual(warm?.printed, cold?.printed);
    assert.deepEqual(warm?.answer, { ahead: true, main: true, parent: null });
    assert.deepEqual(cold?.answer, { ahead: false, main: true, parent: null });
  });

  test("has the variables of an env file that has changed; a package that has read one is loaded anew", async () => {
    const files = { "app.js": entry(""), "node_modules/calm/index.js": calm, ".env": "MODE=one\nOTHER=one\n" };
    await using app = new TempApp(files);
    await using supervisor = supervise(app, { envFile: app.path(".env") });
    await started(supervisor);
    app.write(".env", "MODE=one\nOTHER=two\n");
    await supervisor.reload();
    assert.deepEqual(await supervisor.call("look"), { ahead: true, version: "one", mode: "one", other: "two" });
    await standbyOf(supervisor);
    app.write(".env", "MODE=two\n");
    await supervisor.reload();
    assert.deepEqual(await supervisor.call("look"), { ahead: false, version: "one", mode: "two", other: "none" });
  });

  test("has the version of a package that is installed when it starts", async () => {
    await using app = new TempApp({ "app.js": entry(""), "node_modules/calm/index.js": calm });
    await using supervisor = supervise(app);
    await started(supervisor);
    app.edit("node_modules/calm/index.js", "one", "two");
    await supervisor.restart();
    assert.deepEqual(await supervisor.call("look"), { ahead: false, version: "two", mode: "none", other: "none" });
    await standbyOf(supervisor);
    // A package of its own that Node would find first.
    app.write("node_modules/calm/package.json", `{ "main": "other.js" }`);
    app.write("node_modules/calm/other.js", calm.replace("one", "three"));
    await supervisor.restart();
    assert.deepEqual(await supervisor.call("look"), { ahead: false, version: "three", mode: "none", other: "none" });
  });

  test("has what packages read while they are loaded, in their own folder and in the app's, as it is now", async () => {
    const reads = `const fs = require("node:fs"), path = require("node:path");
const text = (file) => fs.readFileSync(path.join(__dirname, file), "utf8");
const own = text("text.txt"), app = text("../../app.txt");
exports.texts = () => own + " " + app;\n`;
    await using app = new TempApp({
      "app.js": entry(`exports.texts = require("reads").texts;`),
      "app.txt": "one",
      "node_modules/calm/index.js": calm,
      "node_modules/reads/index.js": reads,
      "node_modules/reads/text.txt": "one",
    });
    await using supervisor = supervise(app);
    await started(supervisor);
    app.write("node_modules/reads/text.txt", "two");
    await supervisor.restart();
    assert.equal(await supervisor.call("texts"), "two one");
    await standbyOf(supervisor);
    app.write("app.txt", "three");
    await supervisor.restart();
    assert.equal(await supervisor.call("texts"), "two three");
    await standbyOf(supervisor);
    await supervisor.restart();
    assert.equal(await supervisor.call("texts"), "two three");
    assert.equal((await supervisor.call<{ ahead: boolean }>("look")).ahead, true);
  });

  test("is not taken when the app has come to change, before a package, what that sees", async () => {
    const changes = [
      // Nothing in these texts shows it.
      { text: `Reflect.get(process, ["e", "nv"].join(""))["MODE"] = "own";`, sees: "own" },
      { text: `const set = (object) => (object.mode = "patched"); set(Object);`, sees: "patched" },
    ];
    for (const { text, sees } of changes) {
      await using app = new TempApp({
        "app.js": entry("/* set-up */"),
        "node_modules/calm/index.js": calm.replace("process.env.MODE", "Object.mode ?? process.env.MODE"),
      });
      await using supervisor = supervise(app);
      const logged = logOf(supervisor);
      await started(supervisor);
      app.edit("app.js", "/* set-up */", text);
      await supervisor.restart();
      assert.deepEqual(await supervisor.call("look"), { ahead: false, version: "one", mode: sees, other: "none" });
      assert.match(logged.join("\n"), /standby: not used: .*calm.*loaded ahead, but/);
    }
  });

  test("is not taken when the app asks for its packages in another order, or not at all", async () => {
    const order = `module.exports = (globalThis.order ??= []).push(__filename);\n`;
    await using app = new TempApp({
      "app.js": `const names = ["a", "b"];\nfor (const name of names) require(name);\nexports.look = () => globalThis.order.map((file) => file.split("/").at(-2));\n`,
      "node_modules/a/index.js": order,
      "node_modules/b/index.js": order,
    });
    await using supervisor = supervise(app);
    await started(supervisor);
    assert.deepEqual(await supervisor.call("look"), ["a", "b"]);
    app.edit("app.js", `["a", "b"]`, `["b", "a"]`);
    await supervisor.restart();
    assert.deepEqual(await supervisor.call("look"), ["b", "a"]);
    await standbyOf(supervisor);
    app.edit("app.js", `["b", "a"]`, `["b"]`);
    await supervisor.restart();
    assert.deepEqual(await supervisor.call("look"), ["b"]);
  });

  test("leaves packages to the app whose load does something, and says so", async () => {
    const packages = {
      ticks: `setInterval(() => {}, 1000).unref();`,
      listens: `process.on("SIGUSR2", () => {});`,
      warns: `process.emitWarning("old");`,
      throws: `throw new Error("no");`,
      sets: `process.env.SET = "1";`,
      writes: `require("node:fs").writeFileSync(require("node:path").join(__dirname, "../../written"), "x");`,
      later: `Promise.resolve().then(() => {}); setImmediate(() => {});`,
      own: `require("../../own.js");`,
    };
    const requires = Object.keys(packages).map((name) => `try { require("${name}") } catch {}`);
    const installed = Object.entries(packages).map(([name, text]) => [`node_modules/${name}/index.js`, text]);
    await using app = new TempApp({
      "app.js": entry(requires.join("\n")),
      "own.js": "",
      "node_modules/calm/index.js": calm,
      ...Object.fromEntries(installed),
    });
    await using supervisor = supervise(app);
    const logged = logOf(supervisor);
    await started(supervisor);
    for (const name of Object.keys(packages)) {
      assert.ok(
        logged.some((line) => line.includes(`/${name}/index.js is not loaded ahead, because it `)),
        `${name}:\n${logged.join("\n")}`,
      );
    }
    await supervisor.restart();
    const expected = { ahead: true, version: "one", mode: "none", other: "none" };
    assert.deepEqual(await supervisor.call("look"), expected, logged.join("\n"));
  });

  test("outlives a package that only fails when nobody asks for it, and gives it up", async () => {
    const fails = `if (!globalThis.asked) require("node:fs").closeSync(123456);\n`;
    await using app = new TempApp({
      "app.js": entry(
        `Object.defineProperty(globalThis, "asked", { value: true, enumerable: false });\nrequire("fails");`,
      ),
      "node_modules/calm/index.js": calm,
      "node_modules/fails/index.js": fails,
    });
    await using supervisor = supervise(app);
    const logged = logOf(supervisor);
    await supervisor.start();
    await until(supervisor, (line) => /standby: .*not loaded ahead/.test(line), logged);
    await supervisor.restart();
    const { version } = await supervisor.call<{ version: string }>("look");
    assert.equal(version, "one");
  });
});

describe("the standby thread", { skip: plainMode }, () => {
  test("counts in inspect(), is not made with standby: false, and nothing of it is left after close()", async () => {
    const leftovers = watchLeftovers();
    const files = { "app.js": entry(""), "node_modules/calm/index.js": calm };
    await using without = new TempApp(files);
    await using withOne = new TempApp(files);
    await using other = supervise(without, { standby: false });
    await other.start();
    await using supervisor = supervise(withOne);
    await started(supervisor);
    const { state, packages, heapBytes } = supervisor.inspect().standby;
    assert.deepEqual({ state, packages }, { state: "ready", packages: 1 });
    assert.ok(heapBytes > 2 ** 20 && heapBytes < 2 ** 28, `${heapBytes} bytes`);
    assert.equal(other.inspect().standby.state, "none");
    await other.restart();
    assert.equal((await other.call<{ ahead: boolean }>("look")).ahead, false);
    await supervisor.close();
    await other.close();
    await leftovers.check();
  });

  test("is ended while it loads", async () => {
    const leftovers = watchLeftovers();
    const slow = `const end = performance.now() + 300;\nwhile (performance.now() < end);\n`;
    await using app = new TempApp({ "app.js": entry(""), "node_modules/calm/index.js": slow + calm });
    await using supervisor = supervise(app);
    await supervisor.start();
    await untilState(supervisor, "loading");
    await supervisor.close();
    await leftovers.check();
  });
});

describe("the same app on a standby thread and from nothing", { skip: plainMode }, () => {
  for (const framework of frameworkApps.filter(({ packages }) => packages.length > 0)) {
    test(framework.name, async () => {
      const warm = await restarted(framework, true);
      const cold = await restarted(framework, false);
      assert.deepEqual(warm, cold);
    });
  }
});

/** What can be seen of an app after a restart. */
async function restarted(framework: FrameworkApp, standby: boolean) {
  await using app = new TempApp(framework.files, { packages: framework.packages });
  using _anyPort = variable("PORT", "0");
  await using supervisor = supervise(app, { entry: app.path(framework.entry), port: 0, standby });
  const logged = logOf(supervisor);
  await supervisor.listen(0);
  if (standby) await until(supervisor, (line) => READY.test(line), logged);
  const first = (await (await supervisor.fetch("/items")).json()) as Record<string, unknown>;
  await supervisor.restart();
  if (standby) assert.doesNotMatch(logged.join("\n"), /standby: (?:not used|given up)/);
  const answer = (await (await supervisor.fetch("/items")).json()) as Record<string, unknown>;
  const { modules, classes, edges } = supervisor.inspect();
  const relative = JSON.stringify({ modules, classes, edges }).replaceAll(app.folder, "");
  return { first, answer, inspected: JSON.parse(relative) as unknown };
}

function supervise(app: TempApp, options: Partial<Parameters<typeof createSupervisor>[0]> = {}): Supervisor {
  return createSupervisor({ entry: app.path("app.js"), logLevel: "silent", ...options });
}

/** Starts the app and waits for the thread that is ready for the next one. */
async function started(supervisor: Supervisor): Promise<void> {
  const standby = standbyOf(supervisor);
  await supervisor.start();
  await standby;
}

function variable(name: string, value: string): Disposable {
  const before = process.env[name];
  process.env[name] = value;
  return {
    [Symbol.dispose]() {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    },
  };
}

function standbyOf(supervisor: Supervisor): Promise<void> {
  return until(supervisor, (line) => READY.test(line));
}

function until(supervisor: Supervisor, fits: (line: string) => boolean, known: readonly string[] = []): Promise<void> {
  if (known.some(fits)) return Promise.resolve();
  const line = new Promise<void>((resolve) => {
    supervisor.on("log", ({ message }) => {
      if (fits(message)) resolve();
    });
  });
  return within(line, "a line about the standby thread", DEADLINE_MS);
}

function untilState(supervisor: Supervisor, state: string): Promise<void> {
  let look: NodeJS.Timeout | undefined;
  const reached = new Promise<void>((resolve) => {
    look = setInterval(() => supervisor.inspect().standby.state === state && resolve(), 5);
  });
  return within(reached, `the standby thread ${state}`, DEADLINE_MS).finally(() => clearInterval(look));
}

function logOf(supervisor: Supervisor): string[] {
  const lines: string[] = [];
  supervisor.on("log", ({ message }) => void lines.push(message));
  return lines;
}

function ready(served: ServedApp): Promise<string> {
  return within(served.lines.wait(READY), "the standby thread", DEADLINE_MS);
}
