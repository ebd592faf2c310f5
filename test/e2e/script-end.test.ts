/** An app that ends by itself: with the code and the listeners that it has under `node`, and then a save runs it again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ComparedRun, run, type Step } from "../support/compared-run.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const SAY = `const say = (text) => require("node:fs").writeSync(1, text + "\\n");
process.on("exit", (code) => say("exit " + code + " " + process.exitCode));
`;
const MODULE = `import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\n`;

const scripts: Readonly<Record<string, string>> = {
  "nothing to do": "",
  "process.exitCode": "process.exitCode = 3;",
  "process.exit()": "setTimeout(() => process.exit(4), 10);",
  "process.exit() while it is evaluated": "process.exit(4);",
  "process.exit() without a code while it is evaluated": "process.exit();",
  "signals to itself": `for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"]) process.on(signal, (...args) => say(args.join()));
say(String([process.kill(process.pid, "SIGINT"), process.kill(process.pid), process.kill(process.pid, 1), process.kill(process.pid, 12)]));
setTimeout(() => say("goes on"), 100);`,
  "process.exit() after process.exitCode": "process.exitCode = 4; setTimeout(() => process.exit(), 10);",
  "another code in an exit listener": `process.on("exit", () => { process.exitCode = 9; }); process.exitCode = 2;`,
  "beforeExit that begins new work, twice": `let n = 0;
process.on("beforeExit", (code) => { say("beforeExit " + code); if (n++ < 2) setTimeout(() => { process.exitCode = n; }, 20); });`,
  "beforeExit that begins a promise": `process.once("beforeExit", async () => { await null; setImmediate(() => say("more")); });`,
  "work in the thread pool": `require("node:crypto").scrypt("a", "b", 64, () => require("node:zlib").gzip("x", () => say("zipped")));`,
  "timers that do not count, and ticks before promises": `setTimeout(() => say("never"), 60_000).unref(); setImmediate(() => say("soon"));
queueMicrotask(() => say("microtask")); process.nextTick(() => say("tick")); say(require("node:async_hooks").executionAsyncId());`,
  "a server that closes": `const server = require("node:http").createServer().listen(0, () => server.close(() => say("closed")));`,
  "a server that does not count": `require("node:http").createServer().listen(0, "127.0.0.1", function () { say("listens"); this.unref(); });`,
  "a worker thread and a child process": `const { Worker } = require("node:worker_threads");
new Worker("setTimeout(() => {}, 50)", { eval: true }).on("exit", () => require("node:child_process").execFile("true", () => say("both")));`,
  "an exception that is caught": `process.on("uncaughtException", (error, origin) => { say(error.message + " " + origin); process.exitCode = 5; });
Promise.reject(new Error("one")); setTimeout(() => { throw new Error("two"); }, 20);`,
  "an exception that is caught while it is evaluated": `process.nextTick(() => say("tick")); queueMicrotask(() => say("microtask")); process.on("uncaughtException", (error, origin) => say(error.message + " " + origin));
process.on("uncaughtExceptionMonitor", (error, origin) => say("monitor " + error.message + " " + origin));
setTimeout(() => say("goes on"), 20); throw new Error("one");`,
  "the same, by a listener that ends the process": `process.on("uncaughtException", ({ message }) => { say(message); process.exit(9); }); throw new Error("one");`,
  "the same, by a callback": `process.setUncaughtExceptionCaptureCallback(({ message }) => say("captured " + message)); throw new Error("one");`,
  "the same, later": `process.setUncaughtExceptionCaptureCallback(({ message }) => say("captured " + message)); setTimeout(() => { throw new Error("one"); });`,
  "a module that is missing, and caught": `process.on("uncaughtException", ({ code }) => say(code)); require("./missing");`,
  "a domain": `const domain = require("node:domain").create(); domain.on("error", ({ message }) => say("domain " + message));
domain.run(() => setTimeout(() => { throw new Error("one"); }));`,
  "a rejection that is caught": `process.on("unhandledRejection", (error) => say("rejected " + error.message)); Promise.reject(new Error("one"));`,
  "a rejection that is caught late": `process.on("unhandledRejection", () => say("unhandled")); process.on("rejectionHandled", () => say("handled"));
const late = Promise.reject(new Error("one")); setTimeout(() => late.catch(() => say("caught")), 20);`,
  "an exception that a domain catches": `const domain = require("node:domain").create();
domain.on("error", (error) => say("domain " + error.message)); domain.run(() => setTimeout(() => { throw new Error("one"); }, 10));`,
  "an exception that the capture callback catches": `process.setUncaughtExceptionCaptureCallback((error) => say("captured " + error.message));
setTimeout(() => { throw new Error("one"); }, 10);`,
  "globals that are gone": `require("node:http").createServer().listen(0, "127.0.0.1", function () { this.close(() => say("closed")); });
for (const name of ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask"]) delete globalThis[name];
globalThis.process = {};`,
  "a warning": `process.on("warning", ({ name, message }) => say(name + " " + message)); process.emitWarning("careful", "Careful"); process.removeAllListeners("exit");`,
};

/** Node tells more of an error than fits here. */
const failures: Readonly<Record<string, string>> = {
  "an exception, and a report of it": `Object.assign(process.report, { reportOnUncaughtException: true, filename: "report.json" });
setTimeout(() => { throw new Error('one'); }, 10);`,
  "an exception": "setTimeout(() => { throw new Error('one'); }, 10);",
  "an exception while it is evaluated":
    "process.nextTick(() => say('tick')); queueMicrotask(() => say('microtask')); throw new Error('one');",
  "an error that cannot be cloned":
    "setTimeout(() => require('node:assert').strictEqual({ weak: new WeakMap(), call() {} }, 3, 'one'), 10);",
  "no error, and without a prototype":
    "setTimeout(() => { throw Object.create(null, { one: { value: 1, enumerable: true } }); }, 10);",
  "nothing, which is thrown all the same": "setTimeout(() => { throw null; }, 10);",
  "a rejection": "Promise.reject(new Error('one'));",
  "an exception, and an exit listener that sets another code": `process.on("exit", () => { process.exitCode = 5; }); setTimeout(() => { throw new Error("one"); }, 10);`,
  "an exception, and an exit listener that ends with another code": `process.on("exit", () => process.exit(6)); setTimeout(() => { throw new Error("one"); }, 10);`,
  "the same while it is evaluated": `process.on("exit", () => { process.exitCode = 5; }); throw new Error("one");`,
  "an exception while it is evaluated, and a listener that only watches": `process.on("uncaughtExceptionMonitor", ({ message }) => say(message)); throw new Error("one");`,
  "an exception while it is evaluated, and a listener for rejections": `process.on("unhandledRejection", () => say("not called")); throw new Error("one");`,
  "an exception in the listener for one that comes while it is evaluated": `process.on("uncaughtException", () => { throw new Error("two"); }); throw new Error("one");`,
  "an exception in the callback for exceptions": `process.setUncaughtExceptionCaptureCallback(() => { throw new Error("two"); }); setTimeout(() => { throw new Error("one"); });`,
  "an exception in a listener for the end": `process.on("exit", () => { throw new Error("one"); });`,
  "the same after process.exit()": `process.on("exit", () => { throw new Error("one"); }); process.exit(3);`,
  "an exception in the listener for exceptions": `process.on("uncaughtException", () => { throw new Error("two"); }); setTimeout(() => { throw new Error("one"); });`,
};

describe("with --exit a script ends as under node", { skip: plainMode, concurrency: 2 }, () => {
  for (const [at, [name, code]] of Object.entries(scripts).entries()) {
    for (const [entry, text] of entries(name, code, at)) {
      test(`${name}: ${entry}`, async () => {
        await using app = new TempApp({ [entry]: text });
        const expected = await run("node", app, entry, {});
        const got = await run("unreloader", app, entry, { flags: ["--exit", "--quiet"] });
        assert.deepEqual(own(got), own(expected), got.said.join("\n"));
      });
    }
  }

  for (const [at, [name, code]] of Object.entries(failures).entries()) {
    for (const [entry, text] of entries(name, code, at)) {
      test(`${name}: ${entry}`, async () => {
        await using app = new TempApp({ [entry]: text });
        const expected = await run("node", app, entry, {});
        const got = await run("unreloader", app, entry, { flags: ["--exit"] });
        assert.deepEqual([got.code, got.signal], [expected.code, expected.signal]);
        const exits = ({ lines }: ComparedRun) => lines.filter((line) => /^exit \d/.test(line));
        assert.deepEqual(exits(got), exits(expected));
        assert.match(got.said.join("\n"), /(?:one|two|null)/);
        // What such listeners throw is told by the end of the thread alone; the place of what is no error, by nothing.
        if (got.code !== 7 && expected.lines.includes("Error: one"))
          assert.deepEqual(printed(got, entry), printed(expected, entry));
      });
    }
  }

  for (const mode of ["strict", "warn", "none", "throw", "warn-with-error-codes"]) {
    test(`--unhandled-rejections=${mode}`, async () => {
      await using app = new TempApp({
        "main.cjs": `${SAY}Promise.reject(new Error("one")); setTimeout(() => say("goes on"), 50);`,
      });
      const nodeFlags = [`--unhandled-rejections=${mode}`];
      const expected = await run("node", app, "main.cjs", { nodeFlags });
      const got = await run("unreloader", app, "main.cjs", { nodeFlags, flags: ["--exit"] });
      const lines = ({ lines }: ComparedRun) => lines.filter((line) => /^goes on/.test(line));
      assert.deepEqual([got.code, lines(got)], [expected.code, lines(expected)], got.lines.join("\n"));
    });
  }

  for (const [name, code] of Object.entries({
    "": "",
    "ended by process.exit()": "setTimeout(() => process.exit(), 10);",
    "with another code": "process.exitCode = 4;",
    "and a listener that takes it away": "process.on('exit', () => { process.exitCode = 0; });",
  })) {
    test(`a top-level await that never settles ${name}`, async () => {
      await using app = new TempApp({ "main.mjs": `${MODULE}${SAY}${code}\nawait new Promise(() => {});` });
      const expected = await run("node", app, "main.mjs", {});
      const got = await run("unreloader", app, "main.mjs", { flags: ["--exit"] });
      const exits = ({ lines }: ComparedRun) => lines.filter((line) => /^exit \d/.test(line));
      assert.deepEqual([got.code, exits(got)], [expected.code, exits(expected)]);
    });
  }

  test("what waits for a thread of Node's pool is carried out at process.exit()", async () => {
    await using app = new TempApp({
      "main.cjs": `const fs = require("node:fs");
for (let i = 0; i < 8; i++) require("node:crypto").pbkdf2("a", "b", 50_000, 64, "sha512", () => {});
const file = fs.openSync("written.txt", "w");
for (let i = 0; i < 50; i++) fs.write(file, "x", i, () => {});
process.exit(3);`,
    });
    const { code } = await run("unreloader", app, "main.cjs", { flags: ["--exit"] });
    assert.deepEqual([code, app.read("written.txt")], [3, "x".repeat(50)]);
  });

  test("a script ends also when it has a process write what it reads, and is run again a few times at the most", async () => {
    const write = (text: string) => `require("node:child_process").execSync(${JSON.stringify(text)});`;
    const read = `require("node:fs").readFileSync("made.txt");`;
    await using app = new TempApp({
      "main.cjs": `${SAY}say("runs");${write("echo 1 > made.txt")}${read}${write("rm made.txt")}`,
    });
    const { code, lines } = await run("unreloader", app, "main.cjs", { flags: ["--exit"] });
    assert.equal(code, 0);
    assert.equal(lines.at(-1), "exit 0 undefined");
    const runs = lines.filter((line) => line === "runs").length;
    assert.ok(runs >= 1 && runs <= 6, `${runs} runs`);
  });

  test("process.abort() is told, and process.execve() refused", async () => {
    const refused = `try { process.execve("/bin/true"); } catch ({ code }) { say(code); }`;
    await using app = new TempApp({ "main.cjs": `${SAY}${refused}\nprocess.abort();` });
    const { code, lines, said } = await run("unreloader", app, "main.cjs", { flags: ["--exit", "--quiet"] });
    if ("execve" in process) assert.match(lines.join("\n"), /^ERR_UNRELOADER_EXECVE$/m);
    assert.equal(code, 134, "as a shell has it of SIGABRT");
    assert.match(said.join("\n"), /^unreloader: start failed: main\.cjs:\d+:9 the app called process\.abort\(\)$/);
    assert.doesNotMatch(lines.join("\n"), /^exit/m);
  });

  test("flags of V8 stay as they were given", async () => {
    await using app = new TempApp({ "main.cjs": `${SAY}eval("%IsSmi(1)"); say(typeof gc);` });
    const nodeFlags = ["--allow-natives-syntax", "--expose-gc"];
    const expected = await run("node", app, "main.cjs", { nodeFlags });
    const got = await run("unreloader", app, "main.cjs", { nodeFlags, flags: ["--exit", "--quiet"] });
    assert.deepEqual(own(got), own(expected));
  });

  test("a top-level await that never settles is Node's 13, with its warning", async () => {
    await using app = new TempApp({ "main.mjs": "const a = 1;\n  await new Promise(() => {});\n" });
    const got = await run("unreloader", app, "main.mjs", { flags: ["--exit"] });
    assert.equal(got.code, 13);
    assert.match(
      got.lines.join("\n"),
      /^Warning: Detected unsettled top-level await at file:.*main\.mjs:2\n {2}await new Promise\(\(\) => \{\}\);\n {2}\^/,
    );
  });
});

describe("without --exit", { skip: plainMode }, () => {
  test("a script that has ended is told, and runs again with the next save", async () => {
    await using app = new TempApp({ "main.cjs": "console.log('one'); process.exitCode = 3;" });
    const { said, code } = await run("unreloader", app, "main.cjs", {
      steps: (function* (): Generator<Step> {
        yield { wait: /main\.cjs ended with code 3; waiting for a save \(--exit: end with it\)/ };
        app.write("main.cjs", "console.log('two');");
        yield { wait: /^two/ };
        yield { wait: /main\.cjs ended with code 0 \(it neither calls listen\(\) nor exports an app\)/ };
        app.write("main.cjs", "console.log('three'); setInterval(() => {}, 1000);");
        yield { wait: /^three/ };
        yield { wait: /main\.cjs runs; it neither calls listen\(\) nor exports an app/ };
        app.write("main.cjs", "console.log('four');");
        yield { wait: /^four/ };
        yield { wait: /main\.cjs ended with code 0/ };
        yield { kill: "SIGTERM" };
      })(),
    });
    assert.equal(code, 0);
    assert.doesNotMatch(said.join("\n"), /failed|error/);
  });

  test("a start that fails is given to the app's listeners, and waits for the save that mends it", async () => {
    const text = `${SAY}process.on("uncaughtException", async ({ message }, origin) => {
  say("caught " + message + " " + origin);
  await new Promise((resolve) => setTimeout(resolve, 50));
  say("written");
  process.exit(1);
});
`;
    for (const [entry, start, origin] of [
      ["main.cjs", text, "uncaughtException"],
      ["main.mjs", MODULE + text, "unhandledRejection"],
    ] as const) {
      await using app = new TempApp({ [entry]: `${start}throw new Error("one");` });
      const { lines, said, code } = await run("unreloader", app, entry, {
        steps: (function* (): Generator<Step> {
          yield { wait: new RegExp(`caught one ${origin}`) };
          yield { wait: /^written/ };
          yield { wait: /start failed: main\.[cm]js:\d+:\d+ one/ };
          app.write(entry, `${start}say("mended"); setInterval(() => {}, 1000);`);
          yield { wait: /^mended/ };
          yield { kill: "SIGTERM" };
        })(),
      });
      assert.deepEqual(withoutFrames(lines), [`caught one ${origin}`, "written", "exit 1 1", "mended"]);
      assert.equal(code, 0);
      assert.doesNotMatch(said.join("\n"), /exited|restarting/);
    }
  });

  test("the exit listeners of a start that fails find Node's code", async () => {
    await using app = new TempApp({ "main.cjs": `${SAY}throw new Error("one");` });
    const { lines } = await run("unreloader", app, "main.cjs", {
      steps: [{ wait: /^exit/ }, { wait: /start failed: main\.cjs:\d+:\d+ one/ }, { kill: "SIGTERM" }],
    });
    assert.deepEqual(withoutFrames(lines), ["exit 1 1"]);
  });

  test("an app that has closed its server is not said to have none", async () => {
    const server = (closed: string): string =>
      `const server = require("node:http").createServer().listen(0, () => server.close(${closed}));`;
    await using app = new TempApp({
      "ends.cjs": server(""),
      "goes-on.cjs": server("() => setInterval(() => {}, 1000)"),
    });
    for (const [entry, words] of [
      ["ends.cjs", "ended with code 0 (nothing listens any more); waiting for a save"],
      ["goes-on.cjs", "runs; nothing listens any more"],
    ] as const) {
      const { said } = await run("unreloader", app, entry, {
        steps: [{ wait: /nothing listens|neither/ }, { kill: "SIGTERM" }],
      });
      assert.ok(
        said.some((line) => line.includes(`${entry} ${words}`)),
        said.join("\n"),
      );
    }
  });

  test("who has asked for a port is told that nothing listens there", async () => {
    await using app = new TempApp({
      "main.mjs": "export const nothing = 1;",
      "on.mjs": "setInterval(() => {}, 1000);",
    });
    for (const entry of ["main.mjs", "on.mjs"]) {
      const { said } = await run("unreloader", app, entry, {
        flags: ["--port", "4199"],
        steps: [
          { wait: /nothing listens on port 4199: it neither calls listen\(\) nor exports an app/ },
          { kill: "SIGTERM" },
        ],
      });
      assert.doesNotMatch(said.join("\n"), /listening on/);
    }
  });
});

/** In which kind of module it stands counts while that is evaluated; of the rest every second is an ES module. */
function entries(name: string, code: string, at: number): (readonly [entry: string, text: string])[] {
  const commonJs = ["main.cjs", SAY + code] as const;
  const esModule = ["main.mjs", MODULE + SAY + code] as const;
  if (name.includes("evaluated")) return [commonJs, esModule];
  return [at % 2 === 0 ? commonJs : esModule];
}

/** What is printed of the failure itself: Node's text for it, and the places in own code that its stack tells. */
function printed({ lines }: ComparedRun, entry: string): string[] {
  return lines.flatMap((line) => {
    if (/^\S*Error(?: \[\w+\])?: |^Node\.js |^Writing |^\S+:\d+$/.test(line))
      return line.startsWith("node:") ? [] : [line];
    const [, place] = new RegExp(`^ +at .*${entry}:(\\d+:\\d+)`).exec(line) ?? [];
    return place === undefined ? [] : [`at ${place}`];
  });
}

function own({ lines, code, signal }: ComparedRun): Pick<ComparedRun, "lines" | "code" | "signal"> {
  return { lines: lines.map((line) => line.replace(/^\(node:\d+\)/, "(node)")), code, signal };
}

/** The source around what has failed is part of a report. */
function withoutFrames(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/^ *>? +\d* *\|/.test(line));
}
