/** The recipes below examples/, run as docs/recipes.md says, as far as one machine without Docker and Kubernetes can. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { within } from "../support/deadline.js";
import { copyOf, type Run, run } from "../support/example.js";
import { requestOnce } from "../support/http-client.js";
import { packageFolders } from "../support/packages.js";
import { cliFile, projectRoot } from "../support/project.js";
import { writers } from "../support/sync-writers.js";
import type { TempApp } from "../support/temp-app.js";

/** What an MCP server answers. */
interface Answer {
  readonly result?: { readonly content?: { text: string }[]; readonly serverInfo?: { name: string } };
  readonly error?: { readonly code: number };
}

const read = (file: string): string => readFileSync(path.join(projectRoot, "examples", file), "utf8");
const ask = async (started: Run, where = "/") => (await requestOnce((await started.origin()) + where)).body.trim();
/** Exit code and output of a program of the recipe. */
async function ended(app: TempApp, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
  const program = promisify(execFile)(process.execPath, args, { cwd: app.folder, env: { ...rest, ...env } });
  return program.then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, text: stdout + stderr }),
  );
}

test("containers: files that are synchronised are served, and probes know what runs", async () => {
  await using app = copyOf("containers", []);
  // What the container runs.
  const [, ...command] = JSON.parse(/^CMD (\[.*\])$/m.exec(read("containers/Dockerfile"))?.[1] ?? "[]") as string[];
  assert.deepEqual(command, ["src/main.ts"]);
  await using container = run(app, [cliFile, "--no-launcher", ...command]);
  const greeted = async () =>
    (await requestOnce((await container.origin()).replace("0.0.0.0", "127.0.0.1"))).body.trim();
  assert.equal(await greeted(), "Hello from the container");
  for (const [index, way] of (["tar", "rsync", "mutagen", "bind mount"] as const).entries()) {
    const text = `export const greeting = "${index}";\n`;
    writers[way](app.path("src/greeting.ts"), text, new Date(Date.now() - 3_600_000));
    assert.equal(await greeted(), String(index), way);
  }
  const PORT = new URL(await container.origin()).port;
  const probes = [...read("containers/kubernetes.yaml").matchAll(/exec: \{ command: (\[.*?\]) \}/g)].map(
    ([, words = ""]) => (JSON.parse(words) as string[]).slice(1),
  );
  assert.deepEqual(probes, [
    ["probe.js", "ready"],
    ["probe.js", "live"],
  ]);
  const probed = () => Promise.all(probes.map(async (words) => (await ended(app, words, { PORT })).code));
  assert.deepEqual(await probed(), [0, 0]);
  app.write("src/greeting.ts", "export const greeting = ;\n");
  assert.deepEqual(await probed(), [1, 0]);
  assert.match(read("containers/compose.yaml"), /test: \["CMD", "node", "probe\.js", "ready"\]/);
});

test("containers: each description names the folders that there are", () => {
  for (const file of ["compose.yaml", "Tiltfile", "skaffold.yaml"]) assert.match(read(`containers/${file}`), /\bsrc\b/);
  for (const file of ["Tiltfile", "skaffold.yaml"]) assert.match(read(`containers/${file}`), /\bkubernetes\.yaml\b/);
  const { build, postAttachCommand } = JSON.parse(read("containers/.devcontainer/devcontainer.json"));
  assert.equal(path.join(".devcontainer", build.dockerfile), "Dockerfile");
  assert.match(postAttachCommand, /unreloader --inspect src\/main\.ts$/);
});

test("monorepo: packages beside the app are its own code", async () => {
  await using app = copyOf("monorepo", []);
  // As `npm install` links workspaces.
  mkdirSync(app.path("node_modules/@acme"));
  symlinkSync(app.path("packages/shared"), app.path("node_modules/@acme/shared"), "junction");
  const { scripts } = JSON.parse(read("monorepo/package.json"));
  const [, ...words] = (scripts.dev as string).split(" ");
  await using started = run(app, [cliFile, "--no-launcher", ...words]);
  assert.equal(await ask(started), "3.00 EUR");
  app.edit("packages/shared/src/currency.ts", "EUR", "CHF");
  assert.equal(await ask(started), "3.00 CHF");
  assert.equal(started.lines.matching(/restarted/).length, 0);
});

test("singleton: one client, whatever is saved beside it", async () => {
  await using app = copyOf("singleton", []);
  await using started = run(app, [cliFile, "--no-launcher", "main.js"]);
  assert.equal(await ask(started), "clients: 1, 2");
  app.edit("routes.js", "clients", "customers");
  assert.equal(await ask(started), "customers: 1, 2");
});

test("bot: each update is handled once, by the newest code, and no two polls overlap", async () => {
  await using app = copyOf("bot", []);
  let polls = 0;
  let most = 0;
  let waiting: ServerResponse | undefined;
  const sent: string[] = [];
  let arrived = () => {};
  const offsets: string[] = [];
  const service = createServer(async (request, response) => {
    if (request.url?.startsWith("/bot/getUpdates")) {
      offsets.push(new URL(request.url, "http://x").searchParams.get("offset") ?? "");
      most = Math.max(most, ++polls);
      response.on("close", () => polls--);
      waiting = response;
      arrived();
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    sent.push((JSON.parse(Buffer.concat(pieces).toString()) as { text: string }).text);
    response.end("{}");
    arrived();
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as { port: number };
  const until = async (isThere: () => boolean, what: string) => {
    while (!isThere())
      await within(
        new Promise<void>((resolve) => {
          arrived = resolve;
        }),
        () => `${what}; output:\n${started.lines}`,
      );
  };
  let update = 0;
  const say = async (text: string) => {
    const before = sent.length;
    await until(() => waiting !== undefined && !waiting.destroyed && !waiting.writableEnded, "a poll");
    waiting?.end(JSON.stringify({ result: [{ update_id: ++update, message: { chat: { id: 1 }, text } }] }));
    await until(() => sent.length > before, "an answer");
    return sent.at(-1);
  };
  await using started = run(app, [cliFile, "--no-launcher", "--cooldown", "0", "main.js"], {
    API: `http://127.0.0.1:${port}/bot`,
  });
  try {
    assert.equal(await say("a"), "You said: a");
    const reloaded = started.lines.wait(/reloaded/);
    app.edit("commands.js", "You said", "I heard");
    await reloaded;
    assert.equal(await say("b"), "I heard: b");
    const again = started.lines.wait(/reloaded|restarted/, started.lines.all.length);
    app.edit("main.js", "timeout=25", "timeout=20");
    await again;
    assert.equal(await say("c"), "I heard: c");
    await until(() => waiting !== undefined && !waiting.writableEnded, "the next poll");
    assert.deepEqual([sent.length, most, offsets.at(-1)], [3, 1, "4"]);
  } finally {
    service.closeAllConnections();
    service.close();
  }
});

test("mcp-server: a client keeps its session while tools are edited, and stdout has nothing but the protocol", async () => {
  await using app = copyOf("mcp-server", []);
  await using started = run(app, [cliFile, "--no-launcher", "main.js"]);
  let out = "";
  started.child.stdout.on("data", (piece: Buffer) => {
    out += piece;
  });
  let id = 0;
  const call = async (method: string, params: object = {}) => {
    const since = started.lines.all.length;
    started.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params })}\n`);
    return JSON.parse(await started.lines.wait(new RegExp(`"id":${id}\\b`), since)) as Answer;
  };
  const greet = async () =>
    (await call("tools/call", { name: "greet", arguments: { name: "Ada" } })).result?.content?.[0]?.text;
  assert.equal((await call("initialize", { protocolVersion: "2025-06-18" })).result?.serverInfo?.name, "example");
  started.child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  assert.equal(await greet(), "Hello Ada");
  const reloaded = started.lines.wait(/reloaded/);
  app.edit("tools.js", "Hello", "Good day");
  await reloaded;
  assert.equal(await greet(), "Good day Ada");
  assert.equal((await call("nothing")).error?.code, -32601);
  for (const line of out.trim().split("\n")) assert.equal(JSON.parse(line).jsonrpc, "2.0");
});

test("tested: tests of a running app wait for the last save, and are told what is wrong with it", async () => {
  await using app = copyOf("tested", ["jest", "vitest"]);
  await using started = run(app, [cliFile, "--no-launcher", "main.js"]);
  await started.origin();
  app.write("unreloader.sh", `#!/bin/sh\nexec "${process.execPath}" "${cliFile}" "$@"\n`);
  chmodSync(app.path("unreloader.sh"), 0o755);
  const env = { UNRELOADER: app.path("unreloader.sh") };
  const { scripts } = JSON.parse(read("tested/package.json")) as { scripts: Record<string, string> };
  const [, ...jest] = scripts["test:jest"]?.split(" ") ?? [];
  app.edit("add.js", "left + right", "left +");
  assert.match((await ended(app, ["--test", "add.test.js"], env)).text, /add\.js:1 /);
  app.edit("add.js", "left +", "left - right");
  assert.match((await ended(app, jest, env)).text, /Received:.*"-1"/);
  app.edit("add.js", "left - right", "left + right");
  const passed = await ended(app, ["node_modules/vitest/vitest.mjs", "run"], env);
  assert.equal(passed.code, 0, passed.text);
});

test("telemetry: spans go on after a save", async () => {
  await using app = copyOf("telemetry", []);
  const names = ["api", "instrumentation", "instrumentation-http", "sdk-trace-base", "sdk-trace-node"].map(
    (name) => `@opentelemetry/${name}`,
  );
  mkdirSync(app.path("node_modules/@opentelemetry"));
  for (const [index, folder] of packageFolders(names).entries())
    symlinkSync(folder, app.path("node_modules", names[index] ?? ""), "junction");
  const [, options = ""] = /NODE_OPTIONS="(.*?)"/.exec(read("telemetry/telemetry.js")) ?? [];
  await using started = run(app, [cliFile, "--no-launcher", "main.js"], { NODE_OPTIONS: options });
  const spanned = async () => {
    const since = started.lines.all.length;
    const body = await ask(started);
    await started.lines.wait(/'http\.method': 'GET'|name: 'GET'/, since);
    return body;
  };
  assert.equal(await spanned(), "Hello");
  app.edit("greeting.js", "Hello", "Good day");
  assert.equal(await spanned(), "Good day");
});

test("fleet: `wait --all` returns when all run the same files, and not before", async () => {
  await using here = copyOf("fleet", []);
  await using there = copyOf("fleet", []);
  await using one = run(here, [cliFile, "--no-launcher", "main.js"]);
  await using two = run(there, [cliFile, "--no-launcher", "main.js"]);
  const urls = [await one.origin(), await two.origin()];
  const inStep = async (...flags: string[]) => (await ended(here, [cliFile, "wait", "--all", ...urls, ...flags])).code;
  here.edit("version.js", "one", "two");
  assert.equal(await inStep("--timeout", "100"), 4);
  there.edit("version.js", "one", "two");
  assert.equal(await inStep(), 0);
  assert.deepEqual([await ask(one), await ask(two)], ["two", "two"]);
});

test("editors: both start or find the debugger at its address", () => {
  const { configurations } = JSON.parse(read("editors/.vscode/launch.json")) as {
    configurations: Record<string, unknown>[];
  };
  assert.deepEqual(
    configurations.map(({ port, attachSimplePort }) => port ?? attachSimplePort),
    [9229, 9229],
  );
  assert.match(read("editors/.run/unreloader.run.xml"), /port="9229"/);
});
