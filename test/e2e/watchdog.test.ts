/** An app that is busy or waits: what is said of it, and what its requests get. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { eventually } from "../support/deadline.js";
import { DebuggerClient } from "../support/debugger-client.js";
import { plainMode, ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const packageJson = { "package.json": JSON.stringify({ type: "module" }) };

/** `/loop` never answers; `/busy?ms` blocks the thread for so long; everything else is answered at once. */
const app = `import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { busy, loop } from "./work.ts";

interface Unused {
  readonly a: string;
}

createServer((request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", "http://x");
  if (url.pathname === "/loop") loop<string>("x");
  if (url.pathname === "/busy") busy(Number(url.searchParams.get("ms")));
  response.end("answered " + url.pathname);
}).listen(process.env.PORT, "127.0.0.1");
`;
const work = `type Nothing = never;

export function loop<T>(value: T): void {
  console.log("looping");
  while (value) {
    Math.random();
  }
}

export function busy(ms: number): void {
  console.log("busy");
  for (const end = performance.now() + ms; performance.now() < end; );
}
`;
const files = { ...packageJson, "app.ts": app, "work.ts": work };

describe("the watchdog", { skip: plainMode }, () => {
  test("an endless loop is told with its place, its requests get 504 with the place and the source, a save recovers", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts", { flags: ["--watchdog", "3000"] });
    const stuck = served.getOnce("/loop");
    await served.lines.wait(/looping/);
    const beside = served.getOnce("/beside");
    // The line comes again after 10 s: on a busy machine the first one may not know the place.
    await served.lines.wait(
      /^unreloader: warning: work\.ts:(5|6):\d+.* has kept the app busy for (2|10)\S* s: its requests /,
    );
    assert.deepEqual([(await stuck).status, (await beside).status], [504, 504]);
    const { body } = await eventually(
      () => served.getOnce("/new"),
      (answer) => answer.status === 504 && answer.body.startsWith("work.ts"),
      "a page with the place",
    );
    assert.match(body, /^work\.ts:(5|6):\d+.* has kept the app busy for \d/);
    assert.match(body, /^ {2}> (5|6) \| {3}/m, "the lines around it");
    // What might have changed something, and has not, lets nobody through to the thread that is stuck.
    folder.write("work.js", "");
    folder.remove("work.js");
    const during = await Promise.all(Array.from({ length: 5 }, () => served.getOnce("/during")));
    assert.deepEqual(new Set(during.map(({ status }) => status)), new Set([504]));
    folder.edit("work.ts", "while (value)", "while (false)");
    await eventually(
      () => served.getOnce("/loop"),
      ({ status }) => status === 200,
      "an answer by the new code",
    );
  });

  test("a file that is saved as it was takes a fresh worker, too", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts", { flags: ["--watchdog", "1000"] });
    assert.equal((await served.getOnce("/loop")).status, 504);
    folder.write("work.ts", work);
    await eventually(
      () => served.getOnce("/"),
      ({ status }) => status === 200,
      "an answer by a fresh worker",
    );
    assert.match(await served.lines.wait(/restarted/), /work\.ts/);
  });

  test("an app that is only slow loses nothing", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts", { flags: ["--watchdog", "60000"] });
    const slow = served.getOnce("/busy?ms=4000");
    await served.lines.wait(/^busy/);
    const beside = served.getOnce("/beside");
    await served.lines.wait(/work\.ts:12:\d+.* has kept the app busy for 2 s/);
    assert.deepEqual(
      (await Promise.all([slow, beside])).map(({ status, body }) => [status, body]),
      [
        [200, "answered /busy"],
        [200, "answered /beside"],
      ],
    );
  });

  test("when an app that was given up on gets done, requests pass again", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts", { flags: ["--watchdog", "1000"] });
    assert.equal((await served.get("/")).status, 200);
    const slow = await served.getOnce("/busy?ms=5000");
    assert.equal(slow.status, 504);
    await eventually(
      () => served.getOnce("/"),
      ({ status }) => status === 200,
      "an answer by the app that is done",
    );
    assert.equal(served.lines.matching(/restart/).length, 0);
  });

  test("nothing is given up on with the watchdog off, and the line says what helps", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts", { flags: ["--watchdog", "off"] });
    const slow = served.getOnce("/busy?ms=3000");
    const line = await served.lines.wait(/has kept the app busy/);
    assert.match(line, /its requests wait; a save takes a fresh worker$/);
    assert.equal((await slow).status, 200);
  });

  test("an app that a debugger has stopped is neither told nor given up on", async () => {
    await using folder = new TempApp({
      ...files,
      "work.ts": work.replace("performance.now() + ms;", "performance.now() + 10;"),
    });
    await using served = await serve(folder, "app.ts", { flags: ["--inspect=127.0.0.1:0", "--watchdog", "1000"] });
    const url = /ws:\S+/.exec(await served.lines.wait(/Debugger listening on ws:/))?.[0] ?? "";
    await using client = await DebuggerClient.attach(url);
    await client.breakAt(pathToFileURL(folder.path("work.ts")).href, 12);
    const answer = served.getOnce("/busy?ms=1");
    await client.stopped();
    // Longer than the limit and than the line takes: the second look is behind us then, too.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await client.resume();
    assert.equal((await answer).status, 200);
    assert.deepEqual(served.lines.matching(/busy for/), []);
  });

  test("a look at modules that load each other reads nothing of them that Node warns of", async () => {
    await using folder = new TempApp({
      ...files,
      "app.ts": `import "circle";\n${app}`,
      "node_modules/circle/package.json": `{ "main": "a.js" }`,
      "node_modules/circle/a.js": `exports.a = 1;\nrequire("./b.js");\n`,
      "node_modules/circle/b.js": `require("./a.js");\nfor (const end = performance.now() + 3000; performance.now() < end; );\n`,
    });
    await using served = await serve(folder, "app.ts");
    assert.equal((await served.get("/")).status, 200);
    assert.equal(served.lines.matching(/has kept the app busy for 2 s/).length, 1, `${served.lines}`);
    assert.deepEqual(served.lines.matching(/circular dependency/), []);
  });

  test("a start that is stuck is told, and who asks gets the place", async () => {
    await using folder = new TempApp({
      ...files,
      "work.ts": `${work}\nconsole.log("begins");\nfor (;;) Math.random();\n`,
    });
    await using served = new ServedApp(folder, "app.ts", { flags: ["--watchdog", "1000", "--port", "0"] });
    const starting = served.start();
    await served.lines.wait(/begins/);
    await served.lines.wait(/work\.ts:16:\d+.* has kept the app busy for 2 s/);
    folder.write("work.ts", work);
    await starting;
    assert.equal((await served.getOnce("/")).status, 200);
  });

  test("an edit that is stuck answers those who are held with the place", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts", { flags: ["--watchdog", "1000"] });
    assert.equal((await served.getOnce("/")).status, 200);
    folder.write("work.ts", `${work}\nconsole.log("begins");\nfor (;;) Math.random();\n`);
    assert.equal((await served.getOnce("/")).status, 504);
    await eventually(
      () => served.getOnce("/"),
      ({ status, body }) => status === 504 && /^work\.ts:16:\d+/.test(body),
      "a page with the place",
    );
    folder.write("work.ts", work);
    await eventually(
      () => served.getOnce("/"),
      ({ status }) => status === 200,
      "an answer by the new code",
    );
  });
});

describe("what takes long says so", { skip: plainMode }, () => {
  test("a top-level await is told with its line and its importers", async () => {
    await using folder = new TempApp(files);
    await using served = await serve(folder, "app.ts");
    const since = served.lines.all.length;
    folder.write("work.ts", `interface Gone {\n  a: string;\n}\n${work}\nawait new Promise<void>(() => {});\n`);
    await served.lines.wait(
      /^unreloader: still evaluating work\.ts:18, a top-level await; imported by app\.ts$/,
      since,
    );
    folder.write("work.ts", work);
    assert.equal((await served.getOnce("/")).status, 200);
  });

  test("a start that awaits is told, too", async () => {
    await using folder = new TempApp({
      ...files,
      "work.ts": `${work}\nsetInterval(() => {}, 1000);\nawait new Promise<void>(() => {});\n`,
    });
    await using served = new ServedApp(folder, "app.ts", {});
    const starting = served.start();
    await served.lines.wait(/^unreloader: still evaluating work\.ts:16, a top-level await; imported by app\.ts$/);
    folder.write("work.ts", work);
    await starting;
    assert.equal((await served.getOnce("/")).status, 200);
  });

  test("a dispose hook, with its file", async () => {
    const hooked = `import { unreloader } from "unreloader/app";\nunreloader.dispose(() => new Promise(() => {}));\n${work}`;
    await using folder = new TempApp({ ...files, "work.ts": hooked }, { packages: ["unreloader"] });
    await using served = await serve(folder, "app.ts");
    folder.write("work.ts", work);
    await served.lines.wait(/^unreloader: waiting for a dispose hook of work\.ts$/);
    assert.equal((await served.getOnce("/")).status, 200);
  });

  test("requests in flight at the end", async () => {
    const never = app.replace(
      'if (url.pathname === "/loop")',
      'if (url.pathname === "/never") return void console.log("asked");\n  if (url.pathname === "/loop")',
    );
    await using folder = new TempApp({ ...files, "app.ts": never });
    await using served = await serve(folder, "app.ts");
    const waiting = served.getOnce("/never?secret=1").catch(() => undefined);
    await served.lines.wait(/asked/);
    const stopped = served.stop();
    await served.lines.wait(/^unreloader: waiting for 1 request in flight$/);
    await stopped;
    await waiting;
  });
});
