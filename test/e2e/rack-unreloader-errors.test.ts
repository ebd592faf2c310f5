/**
 * What Ruby's rack-unreloader promises about errors, cooldown, logging and use outside of HTTP, one test for each example of
 * its spec and README, by whole transcripts. A comment says where we differ on purpose.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { FailureReport } from "../../src/index.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode } from "../support/served-app.js";
import { TranscribedApp } from "../support/transcribed-app.js";

const code = (n: number, rest = ""): string => `export class App {
  static list = [${n}];
}
export const answer = () => App.list;
export default (request, response) => response.end(String(App.list));
${rest}`;

const FIRST_LOAD = ["loaded app.js", "found class App in app.js"];
const AGAIN = ["purged app.js", "removed class App of app.js", ...FIRST_LOAD];
const reloaded = (generation: number, file = "app.js"): string =>
  `info reloaded 1 of 1 modules in N ms (generation ${generation}): ${file} changed`;
const THROWS = `throw new Error("foo");\n`;

describe("rack-unreloader: errors", { skip: plainMode }, () => {
  // Ruby leaves the app without the class until the file is mended. Here the code that threw is tried in a fresh worker
  // beside the old one, which goes on unharmed.
  test("a file that throws while it is loaded leaves nothing behind, and loads when it is mended", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2, `globalThis.left = "behind";\n${THROWS}`));
    await assert.rejects(app.answer(), { message: "foo" });
    app.write("app.js", code(3, `App.list.push(globalThis.left ?? "nothing");\n`));
    assert.deepEqual(await app.answer(), [3, "nothing"]);
    assert.deepEqual(app.transcript(), [
      ...FIRST_LOAD,
      "app.js has changed",
      "error reload failed (generation 1 kept): app.js:7:7 foo",
      "app.js has changed",
      ...AGAIN,
      reloaded(2),
    ]);
  });

  test("the answer is the error, with its place and status 500 (Ruby: handle_reload_errors)", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { cooldown: 0, onError: "page" });
    assert.equal(await (await app.supervisor.fetch("/")).text(), "1");
    app.write("app.js", code(2, THROWS));
    const failed = await app.supervisor.fetch("/", { headers: { accept: "text/plain" } });
    const body = await failed.text();
    assert.deepEqual([failed.status, failed.headers.get("content-type")], [500, "text/plain; charset=utf-8"]);
    assert.match(body, /app\.js:6:7 .*foo/);
    app.write("app.js", code(3));
    assert.equal(await (await app.supervisor.fetch("/")).text(), "3");
    assert.deepEqual(app.transcript(), [
      ...FIRST_LOAD,
      "app.js has changed",
      "error reload failed (generation 1 kept): app.js:6:7 foo",
      "app.js has changed",
      ...AGAIN,
      reloaded(2),
    ]);
  });

  test("the error is raised for the host to rescue, when the app is mounted (Ruby: handle_reload_errors: false)", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { cooldown: 0 });
    const host = http.createServer((request, response) =>
      app.supervisor.handler(request, response, (error) => {
        response.statusCode = 503;
        response.end(`rescued ${(error as Error).message}`);
      }),
    );
    host.listen(0, "127.0.0.1");
    await once(host, "listening");
    try {
      const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
      assert.equal((await requestOnce(url)).body, "1");
      app.write("app.js", code(2, THROWS));
      const { status, body } = await requestOnce(url);
      assert.deepEqual([status, body], [503, "rescued foo"]);
    } finally {
      host.closeAllConnections();
      host.close();
    }
  });

  test("requests get the last good generation, when that is wanted (Ruby has no such option)", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { onError: "last-good" });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2, THROWS));
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(3));
    assert.deepEqual(await app.answer(), [3]);
  });

  test("a syntax error is logged, at the start and at a reload, and what runs is not touched", async () => {
    await using app = new TranscribedApp({ "app.js": "class App {\n" });
    await assert.rejects(app.answer(), { code: "ERR_UNRELOADER_COMPILE" });
    app.write("app.js", code(1));
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", "class App {\n");
    await assert.rejects(app.answer(), { code: "ERR_UNRELOADER_COMPILE" });
    assert.deepEqual(app.transcript(), [
      "error start failed: app.js:2:1 Expected `}` but found `EOF`",
      "app.js has changed",
      ...FIRST_LOAD,
      "app.js has changed",
      "error reload failed (generation 1 kept): app.js:2:1 Expected `}` but found `EOF`",
    ]);
  });

  test("a file that cannot be found is logged, and loaded once it is there", async () => {
    await using app = new TranscribedApp({ "app.js": `import "./nonexistent.js";\n${code(1)}` });
    await assert.rejects(app.answer(), { code: "ERR_UNRELOADER_RESOLVE" });
    app.write("nonexistent.js", "");
    assert.deepEqual(await app.answer(), [1]);
    assert.deepEqual(app.transcript(), [
      "error start failed: app.js:1:8 Cannot find module 'nonexistent.js' imported from app.js",
      "nonexistent.js was added",
      "loaded nonexistent.js",
      ...FIRST_LOAD,
    ]);
  });

  test("a failing file among many is named, with who imports it, and each of the others stays", async () => {
    await using app = new TranscribedApp(
      {
        "app.js": `import { b } from "./b.js";\nimport { c } from "./c.js";\nexport const answer = () => [b, c];\n`,
        "b.js": "export const b = process.hrtime.bigint();\n",
        "c.js": "export const c = 1;\n",
      },
      { cooldown: "off" },
    );
    const [before] = (await app.answer()) as [bigint];
    app.transcript();
    const told = once(app.supervisor, "failed");
    app.edit("c.js", "1", "nothing");
    assert.equal((await app.supervisor.reload()).kind, "failed");
    const [{ error, importedBy }] = (await told) as [FailureReport];
    assert.deepEqual([error.name, importedBy], ["ReferenceError", [app.path("app.js")]]);
    await assert.rejects(app.answer(), { name: "ReferenceError" });
    app.edit("c.js", "nothing", "2");
    assert.equal((await app.supervisor.reload()).kind, "reloaded");
    assert.deepEqual(await app.answer(), [before, 2]);
    assert.deepEqual(app.transcript(), [
      "c.js has changed",
      "error reload failed (generation 1 kept): c.js:1:18 nothing is not defined",
      "c.js has changed",
      "purged c.js",
      "loaded c.js",
      "info reloaded 1 of 3 modules in N ms (generation 2): c.js changed",
    ]);
  });
});

describe("rack-unreloader: cooldown, logging, and use outside of HTTP", { skip: plainMode }, () => {
  test("checks are at least the cooldown apart; reload() checks at once", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { cooldown: 3_600_000 });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2));
    assert.deepEqual((await app.supervisor.reload()).kind, "reloaded");
    assert.deepEqual(await app.answer(), [2]);
    app.write("app.js", code(3));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual((await app.supervisor.reload()).kind, "reloaded");
    assert.deepEqual(await app.answer(), [3]);
    assert.equal((await app.supervisor.reload()).kind, "unchanged");
    assert.deepEqual(app.transcript(), [
      ...FIRST_LOAD,
      "app.js has changed",
      ...AGAIN,
      reloaded(2),
      "app.js has changed",
      ...AGAIN,
      reloaded(3),
    ]);
  });

  test("works without a logger", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { logger: false, logLevel: "silent" });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2));
    assert.deepEqual(await app.answer(), [2]);
    app.write("app.js", code(3, THROWS));
    await assert.rejects(app.answer(), { message: "foo" });
    assert.deepEqual(app.transcript(), []);
  });

  test("works with a logger that lacks methods", async () => {
    const lines: string[] = [];
    const logger = { info: (line: unknown) => lines.push(String(line)) };
    await using app = new TranscribedApp({ "app.js": code(1) }, { logger });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(
      lines.map((line) => line.replace(/\d+ ms/, "N ms")),
      [reloaded(2).replace("info ", "")],
    );
  });

  test("a program without HTTP calls its code, and reloads it when it likes", async () => {
    await using app = new TranscribedApp(
      { "work.js": "export const answer = (job) => '1: ' + job;\n" },
      { entry: "work.js", cooldown: "off" },
    );
    assert.equal(await app.answer("a"), "1: a");
    app.edit("work.js", "1:", "2:");
    assert.equal(await app.answer("b"), "1: b");
    const { kind, changed, loaded } = await app.supervisor.reload();
    assert.deepEqual([kind, changed, loaded], ["reloaded", [app.path("work.js")], [app.path("work.js")]]);
    assert.equal(await app.answer("c"), "2: c");
    assert.deepEqual(app.transcript(), [
      "loaded work.js",
      "work.js has changed",
      "purged work.js",
      "loaded work.js",
      reloaded(2, "work.js"),
    ]);
  });

  test("with reload: false the app is loaded once, and nothing is logged or reloaded", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { reload: false });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2));
    assert.deepEqual(await app.answer(), [1]);
    assert.equal((await app.supervisor.reload()).kind, "unchanged");
    assert.deepEqual(app.transcript(), []);
  });

  test("the app is told whether it is reloaded (Ruby: reload?)", async () => {
    const asks = `import { unreloader } from "unreloader/app";\nexport const answer = () => unreloader.reloading;\n`;
    for (const reload of [true, false]) {
      await using app = new TranscribedApp({ "app.js": asks }, { reload, packages: ["unreloader"] });
      assert.equal(await app.answer(), reload);
    }
  });
});
