/** Commands for scripts and agents: what is asked of a supervisor that runs, its answers and exit codes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { askSupervisor, type Question } from "../../src/control/ask-supervisor.js";
import { chooseSupervisor } from "../../src/control/choose-supervisor.js";
import type { SupervisorState } from "../../src/control/state.js";
import type { WaitVerdict } from "../../src/control/wait.js";
import { COMMANDS } from "../../src/terminal/commands/command-table.js";
import { isRunning } from "../../src/thread/process-state.js";
import { DEADLINE_MS, eventually, within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { cleanEnvironment, runToExit, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": `{ "name": "app", "type": "module" }`,
  "main.ts": `import { readFileSync } from "node:fs";
    import http from "node:http";
    import { greeting } from "./greeting.ts";
    const title = readFileSync(new URL("./title.txt", import.meta.url), "utf8");
    export const sum = (a: number, b: number) => a + b;
    export const map = () => new Map([[1, 2n]]);
    export function fails() { throw new TypeError("not today"); }
    http.createServer(async (request, response) => {
      if (request.url === "/late") return response.end((await import("./late.ts")).late);
      if (request.url === "/crash") throw new Error("crashed");
      if (request.url === "/raw") return response.end(Buffer.from([0xff, 0xfe]));
      console.log("asked for", request.url);
      response.setHeader("x-host", request.headers.host ?? "").end(title + greeting());
    }).listen(0, "127.0.0.1");`,
  "greeting.ts": `import { name } from "./name.ts";\nexport const greeting = (): string => "hello " + name;`,
  "name.ts": `export const name = "you";`,
  "late.ts": `export const late = "late";`,
  "title.txt": "T:",
  "elsewhere.ts": `export {};`,
};

/** Of a question that is put to the supervisor of the app without starting a process. */
async function ask<Answer>(app: TempApp, question: Question): Promise<Answer & { readonly exitCode: number }> {
  const { supervisor } = await chooseSupervisor(app.folder, undefined);
  const reply = await askSupervisor(supervisor, question);
  if ("error" in reply) return { error: reply.error, exitCode: reply.exitCode } as never;
  return { ...(reply.answer as Answer), exitCode: reply.exitCode };
}

interface Refusal {
  readonly error: string;
}

test("commands tell what runs, what an edit does, and whether it has arrived", async () => {
  await using app = new TempApp(files);
  const env = { TMPDIR: app.scratch };
  await using agent = await startAgent(app, env);
  const early = await agent.call("status");
  assert.deepEqual([early.isError, early.exitCode], [true, 4]);
  assert.match(early.error?.message ?? "", /^no supervisor is running for \S+: start one/);
  await using served = await serve(app, "main.ts", { launcher: true });
  const run = async (...args: string[]) => {
    const { code, lines } = await runToExit(app.folder, args, env);
    return { code, text: lines.all.join("\n") };
  };
  const waits = (...named: string[]) =>
    ask<WaitVerdict>(app, { command: "wait", ...(named.length > 0 && { files: named.map((file) => app.path(file)) }) });
  const state = () => ask<SupervisorState>(app, { command: "status" });

  // ---- status, ls
  assert.equal((await waits()).verdict, "live");
  const first = await state();
  assert.deepEqual(
    [first.phase, first.live, first.generation, first.epoch, first.modules, first.exitCode],
    ["running", true, 1, 1, 3, 0],
  );
  assert.deepEqual([first.root, first.entry], [app.folder, app.path("main.ts")]);
  assert.deepEqual(first.addresses, [served.origin]);
  assert.equal(first.launcher, served.pid);
  const listed = await run("ls", "--json");
  const { supervisors } = JSON.parse(listed.text) as { supervisors: SupervisorState[] };
  // Others of this user may run beside the test.
  const own = supervisors.filter(({ pid }) => pid === first.pid);
  assert.deepEqual(own, [(({ exitCode: _, ...rest }) => rest)(first)]);
  const byPid = await runToExit(app.scratch, ["status", "--pid", `${served.pid}`], env);
  assert.match(
    byPid.lines.all.join("\n"),
    /^live: generation 1 in worker 1, 3 modules, content [0-9a-f]{16}\n {2}entry /,
  );

  // ---- wait
  app.write("name.ts", `export const name = "me";`);
  const live = await waits("name.ts");
  assert.deepEqual([live.verdict, live.generation, live.exitCode, live.error], ["live", 2, 0, null]);
  assert.notEqual(live.content, first.content);
  assert.equal(await served.text("/"), "T:hello me");
  assert.equal((await state()).generation, 2, "wait had not waited");
  app.write("title.txt", "title:");
  assert.equal((await waits()).generation, 3);
  app.write("greeting.ts", files["greeting.ts"].replace("+ name", "+ "));
  const failed = await run("wait", "greeting.ts");
  assert.equal(failed.code, 3);
  assert.match(
    failed.text,
    /^failed: generation 3 is kept after \d+ ms\nCompileError \[ERR_UNRELOADER_COMPILE\]: greeting\.ts:2:\d+ .*\n {2}.*\n {2}> 2 \| .*(\n.*)*imported by main\.ts\n {2}new since the last edit$/,
  );
  app.append("name.ts", "\n");
  const old = await waits("name.ts");
  assert.deepEqual([old.verdict, old.error?.isNew, old.error?.sinceGeneration], ["failed", false, 3]);
  assert.equal(old.error?.file, app.path("greeting.ts"));
  assert.deepEqual([(await state()).exitCode, (await state()).error], [3, old.error]);
  const page = await ask<{ status: number; isOwn: boolean }>(app, { command: "request", method: "GET", url: "/" });
  assert.deepEqual([page.status, page.isOwn, page.exitCode], [500, true, 3]);
  app.write("greeting.ts", files["greeting.ts"]);
  assert.equal((await waits()).verdict, "live");
  assert.deepEqual((await waits("late.ts")).unused, [app.path("late.ts")], "nobody has asked for it");
  assert.equal(await served.text("/late"), "late");
  app.write("late.ts", "export const late = ;");
  const late = await waits();
  const {
    live: isLive,
    broken,
    exitCode: lateCode,
  } = await ask<SupervisorState & { broken: object[] }>(app, {
    command: "status",
  });
  assert.deepEqual([isLive, broken, lateCode], [true, [late.error], 3]);
  assert.deepEqual([late.verdict, late.error?.file, late.exitCode], ["failed", app.path("late.ts"), 3]);
  app.write("late.ts", files["late.ts"]);
  const { unused, missing } = await waits("late.ts", "elsewhere.ts", "nowhere.ts");
  assert.deepEqual([unused, missing], [[app.path("elsewhere.ts"), app.path("nowhere.ts")], [app.path("nowhere.ts")]]);

  // ---- request, call
  const asked = await run("request", "get", "/?q=ä", "--header", "host: me:1", "--json");
  const { status, headers, body, generation } = JSON.parse(asked.text);
  assert.deepEqual([status, headers["x-host"], body, generation], [200, "me:1", "title:hello me", 5]);
  const raw = await ask<{ body: string; encoding: string }>(app, { command: "request", method: "GET", url: "/raw" });
  assert.deepEqual([raw.body, raw.encoding], ["//4=", "base64"]);
  assert.deepEqual(await run("call", "sum", "1", "2"), { code: 0, text: "3" });
  const map = await ask<{ value: unknown; text: string }>(app, { command: "call", name: "map", args: [] });
  assert.deepEqual([map.value, map.text], [null, "Map(1) { 1 => 2n }"]);
  const thrown = await run("call", "fails");
  assert.equal(thrown.code, 3);
  assert.match(thrown.text, /^TypeError: not today\n {4}at fails \(\S*main\.ts:7/);
  assert.deepEqual(await ask<Refusal>(app, { command: "call", name: "nothing", args: [] }), {
    error: "the entry exports no function nothing: it exports fails, map, sum",
    exitCode: 1,
  });

  // ---- plan, why, errors, logs
  const plan = await run("plan", "title.txt");
  assert.match(plan.text, /^title\.txt: in place \(UR14, .*\)\n1 module again, 2 kept:\n {2}main\.ts <- title\.txt$/);
  assert.match((await run("plan", "package.json")).text, /^package\.json: fresh worker \(UR50, /);
  assert.match((await run("why", "name.ts")).text, /^name\.ts was loaded by a reload \(UR11\) as generation 2, /);
  const unknown = await run("why", "nowhere.ts", "--json");
  assert.deepEqual([unknown.code, JSON.parse(unknown.text).exitCode], [1, 1]);
  assert.match(JSON.parse(unknown.text).error.message, /^nowhere\.ts is no part of what runs, /);
  const { errors } = await ask<{ errors: Record<string, unknown>[] }>(app, { command: "errors", sinceGeneration: 1 });
  assert.deepEqual(
    errors.map(({ kind, sinceGeneration, count }) => [kind, sinceGeneration, count]),
    [["reload", 3, 2]],
  );
  const logs = await run("logs", "--since", "5");
  assert.match(logs.text, /^\d\d:\d\d:\d\d 5 asked for \/\?q=/m);
  assert.ok(!/ 4 /.test(logs.text), logs.text);

  // ---- hold, release
  assert.match((await run("hold")).text, /^saves wait until unreloader release$/);
  app.write("name.ts", `export const name = "a";`);
  app.write("greeting.ts", `this is no code`);
  assert.equal(await served.text("/"), "title:hello me");
  const held = await ask<WaitVerdict>(app, { command: "wait", timeoutMs: 50 });
  assert.deepEqual([held.verdict, held.waitingFor, held.exitCode], ["late", "unreloader release", 4]);
  assert.deepEqual([(await state()).live, (await state()).hold], [false, { until: null }]);
  app.write("greeting.ts", files["greeting.ts"]);
  const released = await run("release");
  assert.match(released.text, /^live: generation 6, /);
  assert.equal(await served.text("/"), "title:hello a");
  assert.match((await run("release")).text, /^nothing was held\nlive: generation 6, /);
  await ask(app, { command: "hold", forMs: 100 });
  app.write("name.ts", `export const name = "b";`);
  assert.equal((await waits()).verdict, "live", "it ends by itself");
  assert.equal(await served.text("/"), "title:hello b");

  // ---- reload, restart
  assert.match((await run("reload")).text, /^nothing has changed \(generation 7\)$/);
  assert.match((await run("restart")).text, /^started in \S+ ms \(generation 8, UR60\)$/);
  assert.match((await run("why", "name.ts")).text, /^name\.ts was loaded with worker 2 as generation 8, /);

  // ---- Model Context Protocol
  const { tools } = await agent.client.listTools();
  assert.deepEqual(
    tools.filter(({ name }) => !(name in COMMANDS)),
    [],
  );
  app.write("name.ts", `export const name = ;`);
  const told = await agent.call("wait", { files: ["name.ts"] });
  assert.deepEqual(
    [told.isError, told.verdict, told.error?.file, told.exitCode],
    [false, "failed", app.path("name.ts"), 3],
  );
  await ask(app, { command: "hold" });
  assert.equal(await served.text("/"), "title:hello b", "what was loaded last answers");
  app.write("name.ts", files["name.ts"]);
  await ask(app, { command: "release" });
  assert.equal((await agent.call("wait")).verdict, "live");
  const crash = await ask<typeof page>(app, { command: "request", method: "GET", url: "/crash" });
  assert.deepEqual([crash.status, crash.isOwn, crash.exitCode], [502, true, 3]);
  const crashes = await ask<{ errors: { kind: string; error: Error }[] }>(app, { command: "errors" });
  assert.deepEqual([crashes.errors.at(-1)?.kind, crashes.errors.at(-1)?.error.message], ["run", "crashed"]);
  assert.equal((await agent.call("call", { name: "sum", args: [3, 4] })).value, 7);
  assert.equal((await agent.call("plan", { file: "name.ts" })).code, "UR11");
  const misspelt = await agent.call("wait", { file: "name.ts" });
  assert.deepEqual([misspelt.isError, misspelt.exitCode], [true, 1]);
  assert.match(misspelt.error?.message ?? "", /^wait: unknown argument file \(\S+\); it takes files, timeoutMs$/);
  const { pid } = await state();
  process.kill(pid, "SIGKILL");
  const again = await agent.call("wait", { timeoutMs: DEADLINE_MS });
  assert.equal(again.verdict, "live", JSON.stringify(again));
  assert.notEqual((await state()).pid, pid);

  // ---- what does not fit
  const wrong = async (...args: string[]) => {
    const { code, text } = await run(...args);
    assert.equal(code, 1, text);
    return text;
  };
  assert.equal(
    await wrong("statsu"),
    "unreloader: unknown command statsu; did you mean status? an entry that is called so is written ./statsu",
  );
  assert.equal(
    await wrong("wait", "--timeout", "1s"),
    "unreloader: --timeout 1s: expected milliseconds, such as 30000",
  );
  assert.match(await wrong("--quiet", "main"), /^unreloader: unknown command main/);
  assert.match(await wrong("status", "--root", "nowhere"), /^unreloader: --root \S+nowhere: there is no such folder$/);
  mkdirSync(app.path("none"));
  app.write("none/package.json", "{}");
  const near = await runToExit(app.path("none"), ["wait"], env);
  assert.match(near.lines.all.join("\n"), /^unreloader: asking the supervisor of \S+ \(\d+\)\nlive: /);
});

interface Told extends Partial<WaitVerdict> {
  readonly isError: boolean;
  readonly exitCode: number;
  readonly value?: unknown;
  readonly code?: string;
}

/** As much of the protocol's SDK as is used: its own types are thousands of lines, which each build would check. */
interface Sdk {
  readonly Client: new (
    info: object,
  ) => {
    connect(transport: object): Promise<void>;
    close(): Promise<void>;
    listTools(): Promise<{ tools: { name: string }[] }>;
    callTool(call: object): Promise<{ structuredContent?: object; isError?: boolean }>;
  };
  readonly StdioClientTransport: new (options: object) => object;
}

async function loadSdk(): Promise<Sdk> {
  const sdk = "@modelcontextprotocol/sdk/client";
  return { ...(await import(`${sdk}/index.js`)), ...(await import(`${sdk}/stdio.js`)) } as Sdk;
}

/** A client of `unreloader mcp`. */
async function startAgent(app: TempApp, env: Readonly<Record<string, string>>) {
  const { Client, StdioClientTransport } = await loadSdk();
  const client = new Client({ name: "test", version: "1" });
  const transport = new StdioClientTransport({
    ...{ command: process.execPath, args: [cliFile, "mcp"], cwd: app.folder, stderr: "inherit" },
    env: { ...env, PATH: process.env.PATH ?? "" },
  });
  await client.connect(transport);
  return {
    client,
    async call(name: string, given: Record<string, unknown> = {}): Promise<Told> {
      const { structuredContent, isError = false } = await client.callTool({ name, arguments: given });
      return { ...(structuredContent as Omit<Told, "isError">), isError: isError === true };
    },
    async [Symbol.asyncDispose]() {
      await client.close();
    },
  };
}

test("a script without a server is live; what a cooldown keeps waiting is not", async () => {
  await using script = new EmbeddedApp({ "main.js": "console.log(1);" }, "main.js");
  await script.supervisor.start();
  const over = await ask<WaitVerdict>(script.app, { command: "wait" });
  assert.deepEqual([over.verdict, over.exitCode, over.error], ["live", 0, null]);
  const ended = await ask<SupervisorState>(script.app, { command: "status" });
  assert.deepEqual([ended.live, ended.error, ended.exitCode], [true, null, 0]);

  const server = `import http from "node:http"; http.createServer().listen(0);`;
  await using app = new EmbeddedApp({ "main.js": server }, "main.js", { cooldown: "off" });
  await app.supervisor.start();
  app.app.append("main.js", " ");
  assert.equal((await ask<WaitVerdict>(app.app, { command: "wait", timeoutMs: 20 })).verdict, "late");
  const reloaded = await ask<{ live: boolean; generation: number }>(app.app, { command: "reload" });
  assert.deepEqual([reloaded.live, reloaded.generation, reloaded.exitCode], [true, 2, 0]);
  assert.equal((await ask<WaitVerdict>(app.app, { command: "wait" })).verdict, "live");
});

test("a file that only a failed reload has come to mends it when it is saved, or gets what it imports", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "main.js": `import { readdirSync } from "node:fs"; import http from "node:http";
      for (const name of readdirSync(new URL("plugins", import.meta.url))) await import("./plugins/" + name);
      http.createServer().listen(0);`,
    "plugins/a.js": "",
  };
  await using app = new EmbeddedApp(files, "main.js");
  await app.supervisor.start();
  const saved = async (file: string, text: string) => {
    app.app.write(file, text);
    return (await ask<WaitVerdict>(app.app, { command: "wait" })).verdict;
  };
  assert.equal(await saved("plugins/b.js", "syntax("), "failed");
  assert.equal(await saved("plugins/b.js", `import "../missing.js";`), "failed");
  assert.equal(await saved("missing.js", ""), "live");
});

test("a bench that is interrupted leaves the files, and no process, behind", async () => {
  const source = {
    "package.json": "{}",
    "leaf.js": "exports.leaf = 1;",
    "main.js": `const { readFileSync, writeFileSync } = require("node:fs");
      require("./leaf.js");
      const isPlain = process.execArgv.includes("--require");
      if (isPlain && readFileSync(__dirname + "/leaf.js", "utf8").includes("bench " + 1)) {
        setInterval(() => {}, 1e6);
        writeFileSync(__dirname + "/stuck", String(process.pid));
      } else require("node:http").createServer().listen(3000);`,
  };
  await using app = new TempApp(source);
  const modified = () => Object.keys(source).map((file) => statSync(app.path(file)).mtimeMs);
  const before = modified();
  const child = spawn(process.execPath, [cliFile, "bench", "--rounds", "9"], {
    ...{ cwd: app.folder, env: cleanEnvironment({ TMPDIR: app.scratch }) },
  });
  const lines = new OutputLines();
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  const ended = once(child, "exit");
  await lines.wait(/^1 of 9: main\.js reload \S+ ms \(in place\), restart \S+ ms$/);
  const stuck = async () => (existsSync(app.path("stuck")) ? Number(app.read("stuck")) : 0);
  const pid = await eventually(stuck, (found) => found > 0, "the second round");
  assert.match(app.read("leaf.js"), /\n;void "unreloader bench 1";\n$/);
  child.kill("SIGINT");
  assert.deepEqual(await within(ended, "the end"), [130, null]);
  for (const [file, text] of Object.entries(source)) assert.equal(app.read(file), text);
  modified().forEach((ms, index) => {
    assert.ok(Math.abs(ms - (before[index] ?? 0)) < 0.01, `${ms} ${before[index]}`);
  });
  await eventually(
    async () => isRunning(pid),
    (runs) => !runs,
    "the end of the restart",
  );
});

test("without a supervisor the exit code is 4", async () => {
  await using app = new TempApp({});
  const none = await runToExit(app.folder, ["wait", "--timeout", "100", "--json"], { TMPDIR: app.scratch });
  assert.equal(none.code, 4);
  const answer = JSON.parse(none.lines.all.join("\n"));
  assert.equal(answer.exitCode, 4);
  assert.match(
    answer.error.message,
    /^no supervisor is running for \S+: start one, or name another project by --root$/,
  );
});
