/** Every flag of docs/options.md does what it says, on an app that answers with what the flag is about. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { line as lineSchema } from "../../src/reports/line-schema.js";
import { historyPackage } from "../support/history-package.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Answers with the value, how often the entry and the kept module were evaluated in this thread, and the thread. */
const files = {
  ...historyPackage,
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "main.js": `import http from "node:http";
import history from "history";
import { count } from "./kept.js";
import { value } from "./value.js";

history.note("evaluated", "main.js");
// A mark lives as long as its thread.
const thread = () => (performance.getEntriesByName("begun")[0] ?? performance.mark("begun")).startTime;
http.createServer((req, res) => {
  const mains = history.all("main.js").length;
  const required = history.all("required");
  res.end(JSON.stringify({ value: value(), count, mains, required, thread: thread(), greeting: process.env.GREETING }));
}).listen(process.env.PORT, "127.0.0.1");
`,
  "kept.js": `import history from "history";\nhistory.note("evaluated", "kept.js");\nexport const count = history.all("kept.js").length;\n`,
  "value.js": `export const value = () => "one";\n`,
};

interface State {
  readonly value: string;
  readonly count: number;
  readonly mains: number;
  readonly required: readonly string[];
  readonly thread: number;
  readonly greeting?: string;
}

describe("options", { skip: plainMode }, () => {
  test("--port and --host override what the app chose", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": files["main.js"].replace('process.env.PORT, "127.0.0.1"', '1, "203.0.113.1"'),
    });
    await using served = await serve(app, "main.js", { flags: ["-p", "0", "-H", "127.0.0.1"] });
    assert.match(served.origin, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await served.json<State>("/")).value, "one");
  });

  test("--require loads files before the entry, and monitors them", async () => {
    const plugin = (name: string) => `import history from "history";\nhistory.note("${name}", "required");\n`;
    await using app = new TempApp({ ...files, "plugins/a.js": plugin("a"), "plugins/b.js": plugin("b") });
    await using served = await serve(app, "main.js", { flags: ["--require", "plugins/*.js"] });
    assert.deepEqual((await served.json<State>("/")).required, ["a", "b"]);
    app.write("plugins/b.js", plugin("B"));
    assert.deepEqual((await served.json<State>("/")).required, ["a", "b", "B"]);
  });

  test("--env-file sets what is not set, and a change restarts the worker", async () => {
    await using app = new TempApp({ ...files, "app.env": "GREETING=hello\nPORT=1\n" });
    await using served = await serve(app, "main.js", { flags: ["--env-file", "app.env"] });
    const before = await served.json<State>("/");
    assert.equal(before.greeting, "hello");
    app.write("app.env", "GREETING=good day\nPORT=1\n");
    const after = await served.json<State>("/");
    assert.equal(after.greeting, "good day");
    assert.notEqual(after.thread, before.thread);
  });

  test("--scope affected evaluates what has changed, app all modules, worker starts a fresh thread", async () => {
    const reloaded = async (scope: string) => {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js", { flags: ["--scope", scope] });
      const before = await served.json<State>("/");
      app.edit("value.js", "one", "two");
      const { value, count, mains, thread } = await served.json<State>("/");
      return { value, count, mains, sameThread: thread === before.thread };
    };
    assert.deepEqual(await reloaded("affected"), { value: "two", count: 1, mains: 1, sameThread: true });
    assert.deepEqual(await reloaded("app"), { value: "two", count: 2, mains: 2, sameThread: true });
    assert.deepEqual(await reloaded("worker"), { value: "two", count: 1, mains: 1, sameThread: false });
  });

  test("--cooldown off reloads nothing by itself", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js", { flags: ["--cooldown", "off"] });
    app.edit("value.js", "one", "two");
    assert.equal((await served.json<State>("/")).value, "one");
  });

  test("--cooldown N leaves N milliseconds between two checks", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js", { flags: ["--cooldown", "3600000"] });
    app.edit("value.js", "one", "two");
    assert.equal((await served.json<State>("/")).value, "one");
  });

  test("--watch poll and events notice a change before the next request", async () => {
    for (const how of ["poll", "events"]) {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js", { flags: ["--watch", how] });
      // Where events come late (macOS), `events` promises less: the change is awaited instead.
      app.edit("value.js", "one", "two");
      if (how === "events" && process.platform !== "linux") await served.lines.wait(/reloaded 1 of 3 modules/);
      assert.equal((await served.json<State>("/")).value, "two", how);
    }
  });

  test("--ignore leaves files alone, by path and anywhere", async () => {
    for (const glob of ["value.js", "**/value.js"]) {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js", { flags: ["--ignore", glob] });
      app.edit("value.js", "one", "two");
      assert.equal((await served.json<State>("/")).value, "one", glob);
    }
  });

  test("--on-error page shows the failure, last-good serves the generation before", async () => {
    const broken = async (flags: readonly string[]) => {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js", { flags });
      app.write("value.js", "export const value = (;\n");
      const { status } = await served.get("/");
      app.write("value.js", `export const value = () => "two";\n`);
      assert.equal((await served.json<State>("/")).value, "two");
      return status;
    };
    assert.equal(await broken([]), 500);
    assert.equal(await broken(["--on-error", "page"]), 500);
    assert.equal(await broken(["--on-error", "last-good"]), 200);
  });

  test("--why says for every reloaded file why", async () => {
    await using app = new TempApp({
      ...files,
      "value.js": `import { word } from "./word.js";\nconst spoken = word;\nexport const value = () => spoken;\n`,
      "word.js": `export const word = "one";\n`,
    });
    await using served = await serve(app, "main.js", { flags: ["--why"] });
    app.edit("word.js", "one", "two");
    assert.equal((await served.json<State>("/")).value, "two");
    await served.lines.wait(/^ {2}word\.js changed$/);
    await served.lines.wait(/^ {2}value\.js <- word\.js$/);
  });

  test("--log-format json prints one object a line", async () => {
    await using app = new TempApp(files);
    // Under this format the address is a field, and not in the line that `serve` waits for.
    await using served = await serve(app, "main.js", { flags: ["--log-format", "json"], announced: /"listening"/ });
    const [line = ""] = served.lines.matching(/"listening"/);
    const { event, port } = JSON.parse(line) as { event: string; port: number };
    assert.equal(event, "listening");
    app.edit("value.js", "one", "two");
    const answer = await requestOnce(`http://127.0.0.1:${port}/`);
    assert.equal((JSON.parse(answer.body) as State).value, "two");
    const reload = JSON.parse(await served.lines.wait(/"event":"reload"/)) as Record<string, unknown>;
    assert.deepEqual([reload.kind, reload.changed, reload.generation], ["reloaded", [app.path("value.js")], 2]);
    app.write("value.js", "this is no code");
    await requestOnce(`http://127.0.0.1:${port}/`);
    await served.lines.wait(/"event":"failed"/);
    const lines = served.lines.matching(/^\{/).map((text) => lineSchema.parse(JSON.parse(text)));
    assert.deepEqual([...new Set(lines.map(({ event: name }) => name))], ["listening", "reload", "failed"]);
    assert.equal(new Set(lines.map(({ id }) => id)).size, 1);
    for (const { time } of lines) assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
  });
});
