/** The examples for embedding and for calls outside HTTP, run as README says. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { within } from "./support/deadline.js";
import { requestOnce } from "./support/http-client.js";
import { OutputLines } from "./support/output-lines.js";
import { projectRoot } from "./support/project.js";
import { TempApp } from "./support/temp-app.js";

/** A copy of an example, so that the test may edit it, in a folder that finds this package by its name. */
function copyOf(example: string, packages: readonly string[]): TempApp {
  const folder = path.join(projectRoot, "examples", example);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
  const manifest = { "package.json": `{ "name": "example", "type": "module" }\n` };
  const app = new TempApp({ ...manifest, "node_modules/.keep": "", ...files }, { packages });
  symlinkSync(projectRoot, app.path("node_modules", "unreloader"), "junction");
  return app;
}

interface Run extends AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly lines: OutputLines;
  readonly exit: Promise<unknown[]>;
}

function run(app: TempApp, file: string): Run {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [file], {
    cwd: app.folder,
    env: { ...env, PORT: "0", TMPDIR: app.scratch },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines = new OutputLines();
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  const exit = once(child, "close");
  const end = async () => {
    child.kill("SIGKILL");
    await exit;
  };
  return { child, lines, exit, [Symbol.asyncDispose]: end };
}

test("the embedding example serves its own routes and the app, shows edits and failures, and ends cleanly", async () => {
  await using app = copyOf("embedding", ["express"]);
  await using host = run(app, "host.js");
  const origin = /http:\S+/.exec(await host.lines.wait(/listening on (http:\S+)/))?.[0] ?? "";
  assert.equal((await requestOnce(`${origin}/shop/x`)).body, `{"path":"/x","dishes":2}`);
  assert.equal((await requestOnce(`${origin}/price`)).body, `{"total":8}`);
  app.edit("app/menu.js", "price: 2", "price: 3");
  assert.equal((await requestOnce(`${origin}/price`)).body, `{"total":9}`);
  app.edit("app/menu.js", "price: 3 }", "price: 3 ");
  const broken = await requestOnce(`${origin}/shop/x`);
  assert.equal(broken.status, 500);
  assert.match(broken.body, /^ERR_UNRELOADER_COMPILE: /);
  assert.deepEqual(JSON.parse((await requestOnce(`${origin}/health`)).body), {
    phase: "failed",
    generation: 2,
    inFlight: 0,
  });
  host.child.kill("SIGTERM");
  assert.deepEqual(await within(host.exit, () => `the exit; output:\n${host.lines}`), [0, null]);
  assert.deepEqual(app.leftInScratch(), []);
});

test("the queue example runs each job with the newest code, and ends with its queue", async () => {
  await using app = copyOf("queue", []);
  await using consumer = run(app, "consumer.js");
  let answered = 0;
  const job = async (name: string, ...args: unknown[]) => {
    consumer.child.stdin.write(`${JSON.stringify({ name, args })}\n`);
    const line = await consumer.lines.wait(/^\{"name".*$/, answered);
    answered = consumer.lines.all.indexOf(line, answered) + 1;
    return JSON.parse(line) as Record<string, unknown>;
  };
  assert.deepEqual(await job("greet", "Ada"), { name: "greet", result: "Hello, Ada" });
  app.edit("jobs/salutation.js", "Hello", "Good morning");
  assert.deepEqual(await job("remind", "Ada", 1), { name: "remind", result: "Good morning, Ada" });
  assert.deepEqual(await job("charge", "Ada", -1), { name: "charge", code: "E_AMOUNT", error: "cannot charge -1" });
  assert.equal((await job("refund", "Ada")).code, "ERR_UNRELOADER_CALL");
  consumer.child.stdin.end();
  assert.deepEqual(await within(consumer.exit, () => `the exit; output:\n${consumer.lines}`), [0, null]);
  assert.deepEqual(app.leftInScratch(), []);
});
