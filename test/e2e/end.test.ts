/** The end: SIGTERM and SIGINT end the process within 5 s, with code 0, whatever the app is doing. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import http from "node:http";
import type { Readable } from "node:stream";
import { describe, test } from "node:test";
import { within } from "../support/deadline.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { type Exit, plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** 5 s, and what a loaded machine may add. */
const END_MS = 9000;

const server = `const http = require("node:http");
const server = http.createServer(handler).listen(0, "127.0.0.1");
function handler(req, res) { res.end("hello"); }
`;

interface Stuck {
  readonly files: Readonly<Record<string, string>>;
  /** Brings the app into the state; it prints "stuck" when it is there. */
  readonly bring?: (url: string, app: TempApp) => void;
  /** It never listens. */
  readonly starts?: false;
  /** Of the command line. */
  readonly flags?: readonly string[];
}

const ask = (path: string) => (url: string) => void http.get(url + path).on("error", () => undefined);
const save = (file: string) => (_: string, app: TempApp) => app.append(file, "// saved\n");

/** Prints a line although the thread will not turn any more. */
const SAY = `require("node:fs").writeSync(1, "stuck\\n");`;
const LOOP = `${SAY} for (;;) {}`;
const NEVER = `${SAY} await new Promise(() => {});`;

const states: Readonly<Record<string, Stuck>> = {
  "does nothing": { files: { "main.js": `${server}${SAY}` } },
  "loops in a handler": {
    files: { "main.js": server.replace(`res.end("hello");`, LOOP) },
    bring: ask("loop"),
  },
  "loops at its start": { files: { "main.js": LOOP }, starts: false },
  "awaits for ever at its start": {
    files: {
      "main.mjs": `import fs from "node:fs"; fs.writeSync(1, "stuck\\n"); setInterval(() => {}, 1000); await new Promise(() => {});`,
    },
    starts: false,
  },
  "awaits for ever at its start, with nothing to do": {
    files: { "main.mjs": `import fs from "node:fs"; fs.writeSync(1, "stuck\\n"); await new Promise(() => {});` },
    starts: false,
  },
  "loops in an edit": {
    files: { "main.js": `${server}require("./part");`, "part.js": "" },
    bring: (url, app) => {
      app.write("part.js", LOOP);
      ask("")(url);
    },
  },
  "awaits for ever in an edit": {
    files: {
      "main.mjs": `import "./part.mjs"; import http from "node:http"; http.createServer((q, s) => s.end("hello")).listen(0, "127.0.0.1");`,
      "part.mjs": "",
    },
    bring: (url, app) => {
      app.write("part.mjs", `import fs from "node:fs"; fs.writeSync(1, "stuck\\n"); await new Promise(() => {});`);
      ask("")(url);
    },
  },
  "loops in a dispose hook during a reload": {
    files: {
      "main.js": `${server}require("./part");`,
      "part.js": `require("unreloader/app").unreloader.dispose(() => { ${LOOP} });\n`,
    },
    bring: save("part.js"),
  },
  "loops in a dispose hook at the end": {
    files: { "main.js": `${server}${SAY} require("unreloader/app").unreloader.dispose(() => { for (;;) {} });\n` },
  },
  "awaits for ever in a dispose hook during a reload": {
    files: {
      "main.js": `${server}require("./part");`,
      "part.js": `require("unreloader/app").unreloader.dispose(async () => { ${NEVER} });\n`,
    },
    bring: save("part.js"),
  },
  "awaits for ever in a dispose hook at the end": {
    files: {
      "main.js": `${server}${SAY} require("unreloader/app").unreloader.dispose(() => new Promise(() => {}));\n`,
    },
  },
  "closes a kept value for ever": {
    files: {
      "main.js": `${server} require("unreloader/app").unreloader.keep("db", () => 1, () => new Promise(() => {})).then(() => { ${SAY} });\n`,
    },
  },
  "awaits for ever in onDelete": {
    files: {
      "main.js": `${server}require("unreloader/app").unreloader.requireSync("./parts", { onDelete: async () => { ${NEVER} } });`,
      "parts/a.js": "",
      "parts/b.js": "",
    },
    bring: (_, app) => app.remove("parts/a.js"),
  },
  "loops in onDelete": {
    files: {
      "main.js": `${server}require("unreloader/app").unreloader.requireSync("./parts", { onDelete: () => { ${LOOP} } });`,
      "parts/a.js": "",
      "parts/b.js": "",
    },
    bring: (_, app) => app.remove("parts/a.js"),
  },
  "has listeners for the signals that never end": {
    files: {
      "main.js": `${server}for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => new Promise(() => {}));${SAY}`,
    },
  },
  "has listeners for the signals that loop": {
    files: {
      "main.js": `${server}for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => { for (;;) {} });${SAY}`,
    },
  },
  "is blocked while a request streams": {
    files: {
      "main.js": server.replace(`res.end("hello");`, `res.write("x".repeat(100000)); setImmediate(() => { ${LOOP} });`),
    },
    bring: ask("stream"),
  },
  "never ends an answer": {
    files: { "main.js": server.replace(`res.end("hello");`, `res.write("x"); ${SAY}`) },
    bring: ask("stream"),
  },
  "sleeps in Atomics.wait": {
    files: {
      "main.js": server.replace(
        `res.end("hello");`,
        `${SAY} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`,
      ),
    },
    bring: ask(""),
  },
  "catches whatever ends it": {
    files: { "main.js": `${SAY} for (;;) try { for (;;) {} } finally { for (;;) {} }` },
    starts: false,
  },
};

describe("the process ends within 5 s of SIGTERM when the app", { skip: plainMode, concurrency: 2 }, () => {
  for (const [state, stuck] of Object.entries(states)) {
    test(state, async () => {
      await using running = await start(stuck);
      const exit = await running.signal("SIGTERM");
      assert.deepEqual(exit, { code: 0, signal: null }, running.lines.toString());
      // It is ended, and that is not its fault.
      if (state === "awaits for ever at its start") assert.doesNotMatch(running.lines.toString(), /failed/);
      running.assertNothingLeft();
    });
  }
});

describe("the process ends within 5 s of SIGINT when the app", { skip: plainMode, concurrency: 2 }, () => {
  for (const state of [
    "loops in a handler",
    "awaits for ever at its start",
    "has listeners for the signals that never end",
  ]) {
    test(state, async () => {
      await using running = await start(states[state] as Stuck);
      assert.deepEqual(await running.signal("SIGINT"), { code: 0, signal: null }, running.lines.toString());
      running.assertNothingLeft();
    });
  }
});

/** Native code cannot be stopped in a thread: the process can only be ended as a whole, as Node itself ends at a signal. */
describe("native code that goes on for ever", { skip: plainMode }, () => {
  const native = {
    "a child process that is waited for": `require("node:child_process").execSync("sleep 60");`,
    "a long computation": `require("node:crypto").pbkdf2Sync("a", "b", 300000000, 64, "sha512");`,
  };
  for (const [what, code] of Object.entries(native)) {
    test(`does not keep the process from ending: ${what}`, async () => {
      const drainMs = 2000;
      await using running = await start({
        files: { "main.js": server.replace(`res.end("hello");`, SAY + code) },
        bring: ask(""),
        flags: ["--drain", String(drainMs)],
      });
      const began = performance.now();
      const { code: exitCode, signal } = await running.signal("SIGTERM");
      const tookMs = performance.now() - began;
      assert.ok(exitCode === 0 || signal === "SIGTERM", `ended with ${exitCode} ${signal}`);
      // The force is part of the time that there is, and not added to it.
      assert.ok(tookMs < drainMs + 750, `${tookMs} ms`);
      running.assertNothingLeft();
    });
  }
});

test("threads in native code that a save has left behind do not keep the process from ending", {
  skip: plainMode || process.platform === "win32",
}, async () => {
  const waits = `const fs = require("node:fs");
if (!fs.existsSync("pipe")) require("node:child_process").execFileSync("mkfifo", ["pipe"]);
${SAY} fs.readFileSync("pipe");
`;
  await using running = await start({ files: { "main.js": waits }, starts: false });
  const since = running.lines.all.length;
  running.save("main.js");
  await running.lines.wait(/^stuck/, since);
  const { code, signal } = await running.signal("SIGTERM");
  assert.ok(code === 0 || signal === "SIGTERM", `ended with ${code} ${signal}`);
  running.assertNothingLeft();
});

describe("a second signal", { skip: plainMode }, () => {
  const app = `${server}process.on("SIGINT", () => { require("node:fs").writeSync(1, "told\\n"); return new Promise(() => {}); });${SAY}`;
  const stuck = { files: { "main.js": app } };

  test("ends the process at once, with code 1", async () => {
    await using running = await start(stuck);
    running.send("SIGINT");
    await running.lines.wait(/^told/);
    assert.deepEqual(await running.signal("SIGINT"), { code: 1, signal: null });
    running.assertNothingLeft();
  });

  test("is ended by another one, too", async () => {
    await using running = await start(stuck);
    running.send("SIGINT");
    await running.lines.wait(/^told/);
    assert.deepEqual(await running.signal("SIGTERM"), { code: 1, signal: null });
  });

  test("that a package manager passes on is the same one; a third is meant", async () => {
    await using copied = await start(stuck, { npm_lifecycle_event: "dev" });
    copied.send("SIGINT");
    await copied.lines.wait(/^told/);
    assert.deepEqual(await copied.signal("SIGINT"), { code: 0, signal: null });

    await using meant = await start(stuck, { npm_lifecycle_event: "dev" });
    meant.send("SIGINT");
    await meant.lines.wait(/^told/);
    meant.send("SIGINT");
    assert.deepEqual(await meant.signal("SIGTERM"), { code: 1, signal: null });
  });
});

async function start(
  { files, bring, starts, flags }: Stuck,
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const app = new TempApp(files, { packages: ["unreloader"] });
  const running = new Running(app, [...(flags ?? []), Object.keys(files)[0] ?? ""], env);
  try {
    if (starts !== false) {
      const url = /http:\S+/.exec(await running.lines.wait(/listening on/))?.[0] ?? "";
      bring?.(`${url}/`, app);
    }
    await running.lines.wait(/^stuck/);
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
  return running;
}

class Running implements AsyncDisposable {
  readonly lines = new OutputLines();
  readonly ended: Promise<Exit>;
  readonly #app: TempApp;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(app: TempApp, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#app = app;
    const { npm_lifecycle_event: _npm, ...rest } = process.env;
    this.#child = spawn(process.execPath, [cliFile, ...args], {
      cwd: app.folder,
      env: { ...rest, TMPDIR: app.scratch, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.lines.follow(this.#child.stdout);
    this.lines.follow(this.#child.stderr);
    this.ended = once(this.#child, "exit").then(([code, signal]): Exit => ({ code, signal }));
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  save(file: string): void {
    this.#app.append(file, "// saved\n");
  }

  /** Sends it and resolves with how the process ended. */
  signal(signal: NodeJS.Signals): Promise<Exit> {
    this.send(signal);
    return within(this.ended, () => `the end after ${signal}; output:\n${this.lines}`, END_MS);
  }

  assertNothingLeft(): void {
    assert.deepEqual(this.#app.leftInScratch(), []);
    assert.deepEqual(readdirSync(this.#app.scratch), []);
    assert.deepEqual(this.lines.matching(/start failed: the worker was stopped|uncaught|Error/), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
    await this.#app[Symbol.asyncDispose]();
  }
}
