/** The launcher: what ends the whole process leaves the ports open, and another process takes its place. */
import assert from "node:assert/strict";
import { type ChildProcess, fork, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import net from "node:net";
import { describe, test } from "node:test";
import { eventually, within } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": JSON.stringify({ type: "module" }),
  "app.js": `import http from "node:http";
import { answer } from "./answer.js";
process.on("SIGHUP", () => console.log("heard"));
http.createServer((request, response) => response.end(answer(request.url))).listen(process.env.PORT, "127.0.0.1");
`,
  "answer.js": `const version = 1;
export function answer(url) {
  if (url === "/array") for (const all = []; ; ) all.push(1);
  if (url === "/pieces") for (let text = "a,", all = []; ; text += text) all.push(text.split(","));
  if (url === "/process") return JSON.stringify([process.pid, process.ppid]);
  return "version " + version;
}
`,
};

const skip = plainMode || (process.platform === "win32" && "there is no launcher");
const smallHeap = ["--max-old-space-size=200"];

async function processOf(served: ServedApp): Promise<number> {
  return (JSON.parse((await served.getOnce("/process")).body) as number[])[0] ?? 0;
}

describe("a process that the system ends", { skip }, () => {
  for (const path of ["/array", "/pieces"])
    test(`memory that runs out in one step (${path}): the same port answers with the newest code`, async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, "app.js", {
        launcher: true,
        node: smallHeap,
        flags: ["--watchdog", "off"],
      });
      for (let round = 1; round <= 2; round++) {
        const before = await processOf(served);
        await assert.rejects(served.getOnce(path));
        // Saved while no process looks.
        app.edit("answer.js", `version = ${round}`, `version = ${round + 1}`);
        assert.equal((await served.getOnce("/")).body, `version ${round + 1}`);
        assert.notEqual(await processOf(served), before);
      }
      assert.equal(
        served.lines.matching(/unreloader: the process ended by SIG(ABRT|TRAP|ILL): .*; restarting$/).length,
        2,
      );
    });

  test("nobody is refused: who connects while there is no process is answered by the next", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "app.js", { launcher: true });
    // Which is not what ends it.
    process.kill(served.pid ?? 0, "SIGHUP");
    await served.lines.wait(/^heard/);
    for (const signal of ["SIGKILL", "SIGSEGV", "SIGABRT"] as const) {
      const pid = await processOf(served);
      process.kill(pid, signal);
      const answers = await Promise.all(Array.from({ length: 5 }, () => answeredOnce(served)));
      assert.deepEqual(new Set(answers), new Set(["version 1"]), signal);
      assert.notEqual(await processOf(served), pid);
    }
  });

  test("one that crashes at each start waits for the save that mends it, and says so on a page", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "app.js", { launcher: true });
    app.edit("answer.js", "const version = 1;", `process.kill(process.pid, "SIGKILL");\nconst version = 2;`);
    // Each wait has its own limit: five starts may take long.
    await served.lines.wait(/the process ended by SIGKILL: .*; restarting in 1 s/);
    await served.lines.wait(/the process ended by SIGKILL: .*; restarting in 4 s/);
    await served.lines.wait(/the process ended by SIGKILL: .*; waiting for a change/);
    const page = await served.getOnce("/");
    assert.equal(page.status, 500);
    assert.match(page.body, /the process ended by SIGKILL/);
    assert.ok(served.lines.matching(/; restarting in 0\.25 s$/).length > 0, String(served.lines));
    app.edit("answer.js", `process.kill(process.pid, "SIGKILL");\n`, "");
    assert.equal((await served.getOnce("/")).body, "version 2");
  });

  test("one process only: it ends as it is ended", async () => {
    await using app = new TempApp(files);
    for (const flags of [["--no-launcher"], ["--exit"]]) {
      const run = new Run(app, flags);
      await run.listens();
      const [pid] = JSON.parse((await requestOnce(`${run.origin}/process`)).body) as [number, number];
      assert.equal(pid === run.pid, flags[0] === "--no-launcher");
      process.kill(pid, "SIGKILL");
      assert.deepEqual(await run.end(), [null, "SIGKILL"]);
    }
  });
});

/** A connection that a dying process had may be cut off; one that comes later is not. */
async function answeredOnce(served: ServedApp): Promise<string> {
  const { code, body } = await served.getOnce("/").then(
    ({ body }) => ({ code: undefined, body }),
    (error: Error) => ({ code: (error.cause as NodeJS.ErrnoException).code, body: "" }),
  );
  if (code === undefined) return body;
  assert.notEqual(code, "ECONNREFUSED");
  return (await served.getOnce("/")).body;
}

/** The command line, with all that a process can be given. */
class Run {
  readonly lines = new OutputLines();
  readonly #child: ChildProcess;
  readonly #exit: Promise<[number | null, NodeJS.Signals | null]>;
  origin = "";

  constructor(
    app: TempApp,
    flags: readonly string[] = [],
    options: { env?: NodeJS.ProcessEnv; more?: StdioOptions; isGroup?: boolean; node?: readonly string[] } = {},
  ) {
    const { NODE_TEST_CONTEXT: _test, NODE_OPTIONS: _options, npm_lifecycle_event: _npm, ...env } = process.env;
    this.#child = spawn(process.execPath, [...(options.node ?? []), cliFile, ...flags, "app.js"], {
      cwd: app.folder,
      env: { ...env, PORT: "0", TMPDIR: app.scratch, ...options.env },
      stdio: ["ignore", "pipe", "pipe", ...((options.more ?? []) as "ignore"[])],
      detached: options.isGroup === true,
    });
    this.#exit = once(this.#child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream) this.lines.follow(stream);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async listens(): Promise<void> {
    const line = await this.lines.wait(/listening on http/);
    this.origin = /http:\/\/[^ ]+:\d+/.exec(line)?.[0] ?? "";
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(): Promise<[number | null, NodeJS.Signals | null]> {
    try {
      return await within(this.#exit, () => `the end; output:\n${this.lines}`);
    } finally {
      this.#child.kill("SIGKILL");
    }
  }
}

describe("a launcher", { skip }, () => {
  const say = `import { writeSync } from "node:fs";
const say = (text) => writeSync(1, text + "\\n");
`;

  test("that is killed takes the process with it, and the port", async () => {
    await using app = new TempApp(files);
    const run = new Run(app);
    await run.listens();
    const { port } = new URL(run.origin);
    run.kill("SIGKILL");
    assert.deepEqual(await run.end(), [null, "SIGKILL"]);
    const outcome = await eventually(
      () => connects(Number(port)),
      (code) => code === "ECONNREFUSED",
      "the port to be closed",
    );
    assert.equal(outcome, "ECONNREFUSED");
  });

  test("ends as its process does: by a code, or by a signal that nobody listens for", async () => {
    await using app = new TempApp({
      ...files,
      "app.js": `${say}setInterval(() => {}, 1000);
process.on("SIGTERM", () => { say("heard"); process.exit(7); });
setImmediate(() => say("ready"));
`,
    });
    for (const [signal, end] of [
      ["SIGTERM", [7, null]],
      ["SIGQUIT", [null, "SIGQUIT"]],
      ["SIGALRM", [null, "SIGALRM"]],
    ] as const) {
      const run = new Run(app);
      await run.lines.wait(/^ready/);
      run.kill(signal);
      assert.deepEqual(await run.end(), end, signal);
    }
  });

  test("ends a process whose main thread is stuck: after 4 s, or at a second signal", async () => {
    await using app = new TempApp({ ...files, "unreloader.config.js": `${say}say("stuck");\nfor (;;);\n` });
    const runs = [new Run(app), new Run(app)] as const;
    for (const run of runs) await run.lines.wait(/^stuck/);
    const began = performance.now();
    for (const run of runs) run.kill("SIGTERM");
    // What comes within a second is taken for a copy of the first.
    const again = setInterval(() => runs[1].kill("SIGTERM"), 100);
    assert.deepEqual(await runs[1].end(), [null, "SIGTERM"]);
    clearInterval(again);
    const tookMs = performance.now() - began;
    assert.ok(tookMs > 900 && tookMs < 3500, `${tookMs} ms`);
    assert.deepEqual(await runs[0].end(), [null, "SIGTERM"]);
  });

  test("and its process are told of the same signal once", async () => {
    await using app = new TempApp({
      ...files,
      "app.js": `${say}setInterval(() => {}, 1000);
for (const signal of ["SIGUSR1", "SIGQUIT", "SIGHUP"]) process.on(signal, (name) => say("heard " + name));
setImmediate(() => say("ready"));
process.on("SIGTERM", () => { say("heard SIGTERM"); setTimeout(() => process.exit(0), 200); });
`,
    });
    const run = new Run(app, [], { isGroup: true });
    await run.lines.wait(/^ready/);
    // To the launcher, and to the group, as a terminal does it.
    run.kill("SIGUSR1");
    await run.lines.wait(/^heard SIGUSR1/);
    for (const signal of ["SIGQUIT", "SIGHUP", "SIGTERM"] as const) {
      process.kill(-run.pid, signal);
      await run.lines.wait(new RegExp(`^heard ${signal}`));
    }
    assert.deepEqual(await run.end(), [0, null]);
    assert.deepEqual(
      run.lines.matching(/^heard/),
      ["SIGUSR1", "SIGQUIT", "SIGHUP", "SIGTERM"].map((signal) => `heard ${signal}`),
    );
  });

  test("tells what the app sends itself from a copy of what it has heard", async () => {
    await using app = new TempApp({
      ...files,
      "app.js": `${say}setInterval(() => {}, 1000);
process.once("SIGHUP", () => { say("heard"); process.kill(process.pid, "SIGHUP"); });
setImmediate(() => say("ready"));
`,
    });
    const run = new Run(app);
    await run.lines.wait(/^ready/);
    run.kill("SIGHUP");
    await run.lines.wait(/^heard/);
    assert.deepEqual(await run.end(), [0, null]);
  });

  test("leaves no trace that the app could find", async () => {
    await using app = new TempApp({
      ...files,
      "preload.cjs": `globalThis.preloads = (globalThis.preloads ?? 0) + 1; require("node:fs").appendFileSync(__dirname + "/preloads.txt", "once ");`,
      "app.js": `${say}import { readFileSync } from "node:fs";
const { NODE_OPTIONS, OWN, UNRELOADER_LAUNCHED, NODE_CHANNEL_FD } = process.env;
say(JSON.stringify({
  parent: process.ppid, execArgv: process.execArgv, env: { NODE_OPTIONS, OWN, UNRELOADER_LAUNCHED, NODE_CHANNEL_FD },
  send: typeof process.send, connected: process.connected, preloads: globalThis.preloads, three: readFileSync(3, "utf8"),
}));
setInterval(() => {}, 1000);
`,
    });
    const NODE_OPTIONS = `--require ${app.path("preload.cjs")} --stack-trace-limit=7`;
    app.write("three.txt", "the third descriptor");
    const descriptor = openSync(app.path("three.txt"), "r");
    const run = new Run(app, [], { node: ["--no-deprecation"], env: { NODE_OPTIONS, OWN: "1" }, more: [descriptor] });
    closeSync(descriptor);
    assert.deepEqual(JSON.parse(await run.lines.wait(/^\{/)), {
      parent: process.pid,
      execArgv: ["--no-deprecation"],
      env: { NODE_OPTIONS, OWN: "1" },
      send: "undefined",
      preloads: 1,
      three: "the third descriptor",
    });
    // In the launcher, which Node has started with it, and in the app's thread.
    assert.equal(app.read("preloads.txt"), "once once ");
    run.kill("SIGTERM");
    assert.deepEqual(await run.end(), [0, null]);
  });

  test("is not there for a process that another one has forked", async () => {
    await using app = new TempApp(files);
    const run = new Run(app, [], { more: ["ipc"] });
    await run.listens();
    const [pid] = JSON.parse((await requestOnce(`${run.origin}/process`)).body) as [number];
    assert.equal(pid, run.pid);
    run.kill("SIGTERM");
    assert.deepEqual(await run.end(), [0, null]);
  });

  test("is waited for until it has sent what it has, and no longer", async () => {
    const file = JSON.stringify(new URL("../../src/launcher/launched.js", import.meta.url));
    await using app = new TempApp({
      "waits.mjs": `import { Launched } from ${file};
const launched = new Launched({ parent: 1, before: { signal: "SIGKILL", startedAt: 0, ports: 1 } });
console.log("waits");
console.log("left " + (await launched.inheritedPorts()).length);
`,
    });
    const child = fork(app.path("waits.mjs"), { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    const closed = once(child, "close");
    const lines = new OutputLines();
    if (child.stdout) lines.follow(child.stdout);
    await lines.wait(/^waits/);
    child.send({ type: "port", port: { id: 1, target: { type: "path", path: "none" }, kind: "http" } });
    assert.deepEqual(await within(closed, "the end of the process"), [0, null]);
    assert.deepEqual(lines.matching(/^left/), ["left 1"]);
  });

  test("has each port that is open, and no other", async () => {
    await using app = new TempApp({
      ...files,
      "app.js": `import http from "node:http";
const on = (...where) => http.createServer((request, response) => response.end("here")).listen(...where);
on(process.env.PORT, "127.0.0.1");
let second = on(0, "127.0.0.1", () => console.log("second " + second.address().port));
on(${JSON.stringify("PATH")}, () => console.log("path"));
process.on("SIGUSR1", () => second.close(() => console.log("second is closed")));
process.on("SIGALRM", () => console.log("process " + process.pid));
`,
    });
    const path = app.path("web.sock");
    app.edit("app.js", `"PATH"`, JSON.stringify(path));
    await using served = await serve(app, "app.js", { launcher: true });
    const overPath = async (): Promise<string> => (await requestPath(path)).toString();
    const second = Number((await served.lines.wait(/^second \d/)).split(" ")[1]);
    await served.lines.wait(/^path/);
    assert.equal(await overPath(), "here");
    process.kill(served.pid ?? 0, "SIGALRM");
    const pid = Number((await served.lines.wait(/^process \d/)).split(" ")[1]);
    const since = served.lines.all.length;
    process.kill(pid, "SIGKILL");
    assert.equal((await served.getOnce("/")).body, "here");
    assert.equal(await overPath(), "here");
    assert.equal((await requestOnce(`http://127.0.0.1:${second}/`)).body, "here");
    await served.lines.wait(/^second \d/, since);
    process.kill(served.pid ?? 0, "SIGUSR1");
    await served.lines.wait(/^second is closed/, since);
    assert.equal(await connects(second), "ECONNREFUSED");
    // The same port on another host is opened in place of the first.
    app.edit("app.js", `on(process.env.PORT, "127.0.0.1")`, `on(${served.port}, "0.0.0.0")`);
    assert.equal((await served.getOnce("/")).body, "here");
    await served.stop();
    assert.equal(await connects(served.port), "ECONNREFUSED");
    await assert.rejects(requestPath(path), { code: "ENOENT" });
  });
});

async function connects(port: number): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return "connected";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

async function requestPath(path: string): Promise<Buffer> {
  const socket = net.connect(path);
  socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  await once(socket, "close");
  const text = Buffer.concat(pieces);
  return text.subarray(text.indexOf("\r\n\r\n") + 4);
}
