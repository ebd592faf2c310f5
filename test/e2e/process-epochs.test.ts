/**
 * What an app does to its process is real, as without us; and what one start has done to it, another does not find: each
 * begins with what the process was started with.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seen } from "../support/as-node.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

interface Seen {
  readonly hours: number;
  readonly zone: string | null;
  readonly added: string | null;
  readonly folder: string;
  readonly listing: string[];
  readonly title: string;
  readonly mask: number;
  readonly native: string | null;
  readonly child: string;
}

const look = `import { execFileSync } from "node:child_process";
import fs from "node:fs";
export const look = () => ({
  hours: new Date(0).getHours(),
  zone: process.env.TZ ?? null,
  added: process.env.ADDED ?? null,
  folder: process.cwd(),
  listing: fs.readdirSync(".").sort(),
  title: process.title,
  mask: process.umask(),
  // As native code finds it.
  native: process.report.getReport().environmentVariables.ADDED ?? null,
  child: execFileSync("sh", ["-c", 'echo "$TZ $ADDED"']).toString(),
});
`;
const changes = `process.env.TZ = "Asia/Tokyo";
process.env.ADDED = "by the app";
process.chdir("inner");
process.title = "an app";
process.umask(0o77);
`;
const main = (text: string) => `import http from "node:http";
import { look } from "./look.js";
import "./changes.js";
const before = look();
${text}
http.createServer((req, res) => res.end(JSON.stringify({ before, now: look() }))).listen(process.env.PORT, "127.0.0.1");
`;
const files = {
  "package.json": `{ "name": "app", "type": "module" }`,
  "look.js": look,
  "changes.js": "",
  "main.js": main(changes),
  "inner/here.txt": "",
};
const env = { TZ: "America/New_York" };

type Answer = { before: Seen; now: Seen };

const changed = (app: TempApp) => ({
  hours: 9,
  zone: "Asia/Tokyo",
  added: "by the app",
  folder: app.path("inner"),
  listing: ["here.txt"],
  title: "an app",
  mask: 0o77,
  native: "by the app",
  child: "Asia/Tokyo by the app\n",
});

describe("the process of an app", () => {
  test("is changed by it as without us", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js", { env });
    const { before, now } = await served.json<Answer>("/");
    assert.equal(before.hours, 19);
    assert.equal(before.folder, app.folder);
    assert.deepEqual(now, changed(app));
  });

  test("is as it was started for a fresh worker", { skip: plainMode }, async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js", { env });
    const first = await served.json<Answer>("/");
    for (const round of [1, 2]) {
      const restarted = served.lines.wait(/restarted/, served.lines.all.length);
      process.kill(served.pid ?? 0, "SIGUSR2");
      await restarted;
      const { before, now } = await served.json<Answer>("/");
      assert.deepEqual(before, first.before, `restart ${round}`);
      assert.deepEqual(now, changed(app), `restart ${round}`);
    }
  });

  test("is put back when the module that changed it is purged", { skip: plainMode }, async () => {
    await using app = new TempApp({ ...files, "main.js": main(""), "changes.js": changes });
    await using served = await serve(app, "main.js", { env });
    assert.deepEqual((await served.json<Answer>("/")).now, changed(app));
    app.write("changes.js", "export {};\n");
    const { now } = await served.json<Answer>("/");
    const { hours, zone, added, native, folder, mask } = now;
    const putBack = { hours: 19, zone: env.TZ, added: null, native: null, folder: app.folder };
    assert.deepEqual({ hours, zone, added, native, folder }, putBack);
    assert.notEqual(mask, 0o77);
    assert.notEqual(now.title, "an app");
  });

  test("is the old worker's again when a start on trial fails", { skip: plainMode }, async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js", { env });
    await served.json<Answer>("/");
    const failed = served.lines.wait(/failed/, served.lines.all.length);
    app.write(
      "main.js",
      main(`process.env.ADDED = "in vain"; process.chdir(".."); process.title = "none"; throw new Error("no");`),
    );
    await served.get("/");
    await failed;
    app.write("main.js", main(changes.replace("by the app", "again")));
    const { before, now } = await served.json<Answer>("/");
    assert.equal(before.added, null);
    assert.deepEqual(now, { ...changed(app), added: "again", native: "again", child: "Asia/Tokyo again\n" });
  });

  test("has the time zone of --env-file", { skip: plainMode }, async () => {
    await using app = new TempApp({ ...files, "main.js": main(""), ".env": "TZ=Asia/Tokyo\nADDED=from a file\n" });
    await using served = await serve(app, "main.js", { flags: ["--env-file", ".env"] });
    const seen = await served.json<Answer>("/");
    assert.equal(seen.now.hours, 9);
    assert.equal(seen.now.added, "from a file");
    app.write(".env", "TZ=America/New_York\n");
    const edited = await served.json<Answer>("/");
    assert.deepEqual([edited.now.hours, edited.now.added], [19, null]);
  });

  test("is not that of an old worker which ends what it has begun", { skip: plainMode }, async () => {
    const slow = (word: string) => `import fs from "node:fs";
import http from "node:http";
process.env.WORD = "${word}";
const go = process.env.GO;
http.createServer((req, res) => {
  if (req.url !== "/slow") return res.end(JSON.stringify([process.env.WORD, new Date(0).getHours()]));
  console.log("slow begun");
  res.write("begun in ${word} ");
  const poll = setInterval(() => {
    if (!fs.existsSync(go)) return;
    clearInterval(poll);
    const before = process.env.WORD;
    process.env.WORD = "late";
    process.env.TZ = "Asia/Tokyo";
    process.chdir("/");
    delete process.env.PATH;
    res.end([before, process.env.WORD, "PATH" in process.env].join());
  }, 10);
}).listen(process.env.PORT, "127.0.0.1");
`;
    await using app = new TempApp({ "package.json": `{ "name": "app", "type": "module" }`, "main.js": slow("old") });
    await using served = await serve(app, "main.js", {
      env: { ...env, GO: app.path("go.tmp") },
      flags: ["--scope", "worker"],
    });
    const begun = served.getOnce("/slow");
    // The answer to another request, on a connection of its own, may come before this one has begun.
    await served.lines.wait(/slow begun/);
    assert.deepEqual(await served.json("/"), ["old", 19]);
    const restarted = served.lines.wait(/restarted/, served.lines.all.length);
    app.write("main.js", slow("new"));
    await restarted;
    assert.deepEqual(await served.json("/"), ["new", 19]);
    app.write("go.tmp", "");
    assert.equal((await begun).body, "begun in old old,late,false");
    assert.deepEqual(await served.json("/"), ["new", 19]);
  });

  test("is not changed by packages that a thread loads ahead", { skip: plainMode }, async () => {
    await using app = new TempApp({
      ...files,
      "node_modules/goes/index.js": `process.chdir("inner"); process.title = "a package"; exports.gone = true;`,
      "node_modules/stays/index.js": `exports.stays = true;`,
      "main.js": `import "stays";\nimport "goes";\n${main("")}`,
    });
    await using served = await serve(app, "main.js", { env, flags: ["--log-level", "debug"] });
    const first = await served.json<Answer>("/");
    assert.deepEqual([first.now.folder, first.now.title], [app.path("inner"), "a package"]);
    await served.lines.wait(/standby: ready/);
    assert.deepEqual((await served.json<Answer>("/")).now, first.now);
    const restarted = served.lines.wait(/restarted/, served.lines.all.length);
    process.kill(served.pid ?? 0, "SIGUSR2");
    await restarted;
    assert.deepEqual((await served.json<Answer>("/")).now, first.now);
  });
});

test("the process of an app answers by more than its properties as without us", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app" }`,
    "inner/here.txt": "",
    "main.js": `
      const os = require("node:os");
      const seen = [];
      os.setPriority(process.pid, 3);
      seen.push(os.getPriority(), os.getPriority(process.pid), Number(require("node:child_process").execSync("ps -o ni= -p $$")));
      for (const close of [Object.preventExtensions, Object.freeze, Object.seal])
        try { close(process.env); } catch (error) { seen.push(error.name); }
      process.env.ADDED = "later";
      seen.push(process.env.ADDED, Object.isExtensible(process.env));
      // As graceful-fs does.
      const { cwd, chdir } = process;
      let folder;
      process.cwd = () => (folder ??= cwd.call(process));
      process.cwd();
      process.chdir = (to) => { folder = undefined; chdir.call(process, to); };
      process.chdir("inner");
      seen.push(process.cwd().endsWith("inner"));
      process.env.UV_THREADPOOL_SIZE = "9";
      seen.push(process.env.UV_THREADPOOL_SIZE);
      require("node:http").createServer().listen(0, "127.0.0.1", () => console.log("SEEN " + JSON.stringify(seen)));`,
  });
  const expected = await seen(app, "main.js", "node");
  assert.ok(Array.isArray(expected), JSON.stringify(expected));
  for (const mode of plainMode ? ["no-reload" as const] : ["reload" as const, "no-reload" as const])
    assert.deepEqual(await seen(app, "main.js", mode), expected, mode);
});

test("a variable that the process has read before is told with the remedy", { skip: plainMode }, async () => {
  const listens = `require("node:http").createServer((_, answer) => answer.end("ok")).listen(process.env.PORT, "127.0.0.1");`;
  await using app = new TempApp({ "main.cjs": listens, ".env": "UV_THREADPOOL_SIZE=9" });
  const flags = ["--env-file", ".env"];
  {
    await using served = await serve(app, "main.cjs", { flags });
    await served.lines.wait(/UV_THREADPOOL_SIZE=9 is set too late.*: UV_THREADPOOL_SIZE=9 unreloader/);
  }
  await using served = await serve(app, "main.cjs", { flags, env: { UV_THREADPOOL_SIZE: "9" } });
  assert.deepEqual(served.lines.matching(/too late/), []);
});

test("a host that embeds an app keeps its process", { skip: plainMode }, async () => {
  const text = `import http from "node:http";
import { isMainThread } from "node:worker_threads";
process.env.SET_BY_APP = "by the app";
process.env.TZ = "Asia/Tokyo";
process.title = "an app";
let code;
try { process.chdir("/"); } catch (error) { code = error.code; }
http.createServer((req, res) => res.end(JSON.stringify([isMainThread, process.env.SET_BY_APP, code]))).listen(0, "127.0.0.1");
`;
  const before = [process.env.TZ, process.title, process.cwd()];
  await using embedded = new EmbeddedApp({ "package.json": `{ "type": "module" }`, "main.js": text }, "main.js");
  await embedded.supervisor.start();
  const answer = await embedded.supervisor.fetch("/");
  assert.deepEqual(await answer.json(), [true, "by the app", "ERR_WORKER_UNSUPPORTED_OPERATION"]);
  assert.deepEqual([process.env.TZ, process.title, process.cwd()], before);
  assert.equal(process.env.SET_BY_APP, undefined);
});
