/** Every step of a reload, as a logger gets it: whole transcripts, in order; and the loggers that people bring. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import pino from "pino";
import { createSupervisor } from "../../src/index.js";
import { type Logger, logFunction } from "../../src/reports/logger.js";
import { appliedSteps, changeSteps } from "../../src/reports/steps.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "app.js": `import { page } from "./page.js";
export default (request, response) => response.end(page);
`,
  "page.js": `import { Greeting } from "./greeting.js";
import { footer } from "./footer.js";
class Loud extends Greeting {}
export const page = new Loud().text() + footer();
`,
  "greeting.js": `export class Greeting {
  text() {
    return "hello";
  }
}
`,
  "footer.js": `export const footer = () => "";\n`,
};

/** Durations differ from run to run. */
function transcript(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/\d+ ms/, "N ms"));
}

describe("logger", { skip: plainMode }, () => {
  test("gets each step of a start, a reload, a failure and its mending, in the order in which it happened", async () => {
    await using app = new TempApp(files);
    const lines: string[] = [];
    const take = (): string[] => transcript(lines.splice(0));
    await using supervisor = createSupervisor({
      entry: app.path("app.js"),
      logger: (level, message) => lines.push(`${level} ${message}`),
    });
    const ask = async (): Promise<string> => (await supervisor.fetch("/")).text();

    assert.equal(await ask(), "hello");
    assert.deepEqual(take(), [
      "debug loaded greeting.js",
      "debug found class Greeting in greeting.js",
      "debug loaded footer.js",
      "debug loaded page.js",
      "debug found class Loud < Greeting in page.js",
      "debug page.js uses greeting.js",
      "debug page.js uses footer.js",
      "debug loaded app.js",
    ]);

    app.edit("greeting.js", "hello", "good day");
    assert.equal(await ask(), "good day");
    assert.deepEqual(take(), [
      "debug greeting.js has changed",
      "debug purged page.js",
      "debug removed class Loud of page.js",
      "debug purged greeting.js",
      "debug removed class Greeting of greeting.js",
      "debug loaded greeting.js",
      "debug found class Greeting in greeting.js",
      "debug loaded page.js <- greeting.js",
      "debug found class Loud < Greeting in page.js",
      `info reloaded 2 of 4 modules in N ms (generation 2): greeting.js changed`,
    ]);

    app.edit("page.js", "+ footer()", "");
    assert.equal(await ask(), "good day");
    assert.deepEqual(take(), [
      "debug page.js has changed",
      "debug purged page.js",
      "debug removed class Loud of page.js",
      "debug loaded page.js",
      "debug found class Loud < Greeting in page.js",
      "debug page.js no longer uses footer.js",
      `info reloaded 1 of 4 modules in N ms (generation 3): page.js changed`,
    ]);

    app.edit("page.js", "export", "exprot");
    assert.match(await ask(), /CompileError/);
    const failed = take();
    assert.equal(failed[0], "debug page.js has changed");
    assert.match(failed[1] ?? "", /^error reload failed \(generation 3 kept\): page\.js:4:/);
    assert.equal(failed.length, 2);

    app.edit("page.js", "exprot", "export");
    app.remove("footer.js");
    app.edit("page.js", `import { footer } from "./footer.js";\n`, "");
    assert.equal(await ask(), "good day");
    assert.deepEqual(take().slice(0, 3), [
      "debug page.js has changed",
      "debug footer.js was deleted",
      "debug purged page.js",
    ]);
  });

  test("clear() has the next request load everything again, in one reload", async () => {
    await using app = new TempApp({
      ...files,
      "footer.js": "const evaluation = Math.random();\nexport const footer = () => evaluation;\n",
    });
    await using supervisor = createSupervisor({ entry: app.path("app.js"), cooldown: "off" });
    const ask = async (): Promise<string> => (await supervisor.fetch("/")).text();
    const first = await ask();
    const { epoch, generation } = supervisor.inspect();
    supervisor.clear();
    supervisor.clear();
    const second = await ask();
    assert.notEqual(second, first);
    assert.equal(await ask(), second);
    assert.deepEqual([supervisor.inspect().epoch, supervisor.inspect().generation], [epoch, generation + 1]);
    supervisor.clear();
    const report = await supervisor.reload();
    assert.deepEqual([report.kind, report.loaded.length, report.kept], ["reloaded", 4, 0]);
    assert.notEqual(await ask(), second);
  });

  test("without a level of its own nothing is left out; with one, what is below it is", async () => {
    await using app = new TempApp(files);
    const levels = new Set<string>();
    await using supervisor = createSupervisor({
      entry: app.path("app.js"),
      logLevel: "info",
      logger: (level) => levels.add(level),
    });
    await supervisor.fetch("/");
    app.edit("greeting.js", "hello", "good day");
    await supervisor.fetch("/");
    assert.deepEqual([...levels], ["info"]);
  });
});

describe("kinds of logger", () => {
  const message = "a message";
  const fields = { event: "log" };

  test("pino gets the fields first", () => {
    const lines: string[] = [];
    const logger: Logger = pino({ level: "debug" }, { write: (line: string) => lines.push(line) });
    for (const level of ["debug", "info", "warn", "error"] as const) logFunction(logger)(level, message, fields);
    const said = lines.map((line) => JSON.parse(line) as { level: number; msg: string; event: string });
    assert.deepEqual(
      said.map(({ level, msg, event }) => [level, msg, event]),
      [20, 30, 40, 50].map((level) => [level, message, "log"]),
    );
  });

  test("what is called like console gets the message, on itself", () => {
    const said: unknown[] = [];
    const logger = {
      prefix: "> ",
      info(...parts: unknown[]) {
        said.push([this.prefix, ...parts]);
      },
    };
    logFunction(logger)("info", message, fields);
    assert.deepEqual(said, [["> ", message]]);
  });

  test("a missing method is not called; errors and warnings stand in for each other", () => {
    const said: string[] = [];
    const only = (name: string): Logger => ({ [name]: (text: string) => said.push(`${name}: ${text}`) });
    for (const logger of [only("error"), only("warn"), {}])
      for (const level of ["debug", "info", "warn", "error"] as const) logFunction(logger)(level, level, fields);
    assert.deepEqual(said, ["error: warn", "error: error", "warn: warn", "warn: error"]);
  });
});

test("steps name files as lines do: relative to the root", () => {
  assert.deepEqual(
    changeSteps(
      { changed: ["/app/a.js", "/lib/b.js"], added: new Set(["/lib/b.js"]), deleted: ["/app/d/c.js"] },
      "/app",
    ),
    ["a.js has changed", "../lib/b.js was added", "d/c.js was deleted"],
  );
  const loaded = { file: "/app/a.js", observed: ["/app/b.js"], dynamic: [], reads: [], lists: [], written: [] };
  const steps = appliedSteps(
    {
      purged: [{ file: "/app/a.js", classes: ["A"] }],
      loaded: [{ ...loaded, classes: [{ name: "A", bases: ["B", "C"] }] }],
      why: { "/app/a.js": ["/app/a.js", "/app/b.js", "/app/c.js"] },
      observedBefore: () => new Set(["/app/z.js"]),
    },
    "/app",
  );
  assert.deepEqual(steps, [
    "purged a.js",
    "removed class A of a.js",
    "loaded a.js <- b.js <- c.js",
    "found class A < B < C in a.js",
    "a.js uses b.js",
    "a.js no longer uses z.js",
  ]);
});
