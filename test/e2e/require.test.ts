/** `require`: files, globs and folders that are loaded and monitored without anybody importing them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { EmbeddedApp } from "../support/embedded-app.js";
import { monitoredApp, monitoredFiles, writers } from "../support/monitored-app.js";
import { plainMode, runToExit, serve } from "../support/served-app.js";

test("an onDelete that never ends is left to itself after 5 s, and is told", { skip: plainMode }, async () => {
  const [write] = writers;
  assert.ok(write);
  await using app = monitoredApp(write, {
    "main.js": write.main(write.requires("./models", "{ onDelete: () => new Promise(() => {}) }"), "all()"),
    "models/a.js": write.notes("a"),
    "models/b.js": write.notes("b"),
  });
  await using served = await serve(app, "main.js");
  assert.deepEqual(await served.json("/"), ["main", "a", "b"]);
  app.remove("models/a.js");
  assert.deepEqual(await served.json("/"), ["main", "a", "b"]);
  assert.match(String(served.lines), /onDelete.*not done after 5000 ms/);
});

for (const write of writers) {
  describe(`unreloader.require in the app, ${write.kind}`, { skip: plainMode }, () => {
    test("loads a folder with its subfolders, shallow paths first, then by name, relative to the calling file", async () => {
      await using app = monitoredApp(write, {
        "src/main.js": write.main(write.requires("./models"), "all()"),
        "src/models/b.js": write.notes("b"),
        "src/models/a/deep.js": write.notes("a/deep"),
        "src/models/c.js": write.notes("c"),
        "src/models/readme.md": "no code",
      });
      await using served = await serve(app, "src/main.js");
      assert.deepEqual(await served.json("/"), ["main", "b", "c", "a/deep"]);
    });

    test("a changed file is loaded again, and not the module that has required it", async () => {
      await using app = monitoredApp(write, {
        "main.js": write.main(write.requires("./models/*.js"), "all()"),
        "models/a.js": write.notes("a"),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["main", "a"]);
      app.write("models/a.js", write.notes("a 2"));
      assert.deepEqual(await served.json("/"), ["main", "a", "a 2"]);
      app.edit("main.js", `note("main")`, `note("main 2")`);
      assert.deepEqual(await served.json("/"), ["main", "a", "a 2", "main 2"]);
    });

    test("a caller that has read a required file is loaded again with it", async () => {
      await using app = monitoredApp(write, {
        "main.js": write
          .main(`${write.requires("./models")}\nnote("main has read " + value);`, "all()")
          .replace("\n", `\n${write.imports("value", "./models/a.js")}\n`),
        "models/a.js": write.notes("a", write.exports("value", "1")),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["a", "main", "main has read 1"]);
      app.edit("models/a.js", "1", "2");
      assert.deepEqual((await served.json<string[]>("/")).slice(3), ["a", "main", "main has read 2"]);
    });

    test("a new file is loaded before the next request, in a new subfolder as well, and nothing else is", async () => {
      await using app = monitoredApp(write, {
        "main.js": write.main(write.requires("./models"), "all()"),
        "models/a.js": write.notes("a"),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["main", "a"]);
      app.write("models/b.js", write.notes("b"));
      assert.deepEqual(await served.json("/"), ["main", "a", "b"]);
      app.write("models/deep/er/c.js", write.notes("c"));
      assert.deepEqual(await served.json("/"), ["main", "a", "b", "c"]);
      app.edit("models/deep/er/c.js", `"c"`, `"c 2"`);
      assert.deepEqual(await served.json("/"), ["main", "a", "b", "c", "c 2"]);
    });

    test("a deleted file is purged, and onDelete is called once with its absolute path", async () => {
      const hook = `{ onDelete: (file) => note("deleted " + file) }`;
      await using app = monitoredApp(write, {
        "main.js": write.main(write.requires("./models", hook), "[all(), globalThis.ofA ?? null]"),
        "models/a.js": write.notes("a", "globalThis.ofA = true;"),
        "models/b.js": write.notes("b"),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), [["main", "a", "b"], true]);
      app.remove("models/a.js");
      const deleted = `deleted ${app.path("models/a.js")}`;
      assert.deepEqual(await served.json("/"), [["main", "a", "b", deleted], null]);
      app.edit("models/b.js", `"b"`, `"b 2"`);
      assert.deepEqual(await served.json("/"), [["main", "a", "b", deleted, "b 2"], null]);
      app.write("models/a.js", write.notes("a again"));
      assert.deepEqual(await served.json("/"), [["main", "a", "b", deleted, "b 2", "a again"], null]);
    });

    test("a new file that throws is an error until it is mended, and the error names it", async () => {
      await using app = monitoredApp(write, {
        "main.js": write.main(write.requires("./models"), "all()"),
        "models/a.js": write.notes("a"),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["main", "a"]);
      app.write("models/b.js", write.notes("b", `throw new Error("half written");`));
      const failed = await served.get("/");
      assert.equal(failed.status, 500);
      assert.match(failed.body, /models\/b\.js:4:7 threw while being evaluated: half written/);
      app.write("models/b.js", write.notes("b 2"));
      assert.deepEqual((await served.json<string[]>("/")).at(-1), "b 2");
    });

    test("monitoring ends when the caller is evaluated again and does not ask again", async () => {
      await using app = monitoredApp(write, {
        "main.js": write
          .main("", "all()")
          .replace("\n", `\n${write.imports("started", "./start.js")}\nvoid started;\n`),
        "start.js": write.notes("start", `${write.exports("started", "true")}\n${write.requires("./models")}`),
        "models/a.js": write.notes("a"),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["start", "a", "main"]);
      app.write("start.js", write.notes("start 2", write.exports("started", "true")));
      assert.deepEqual((await served.json<string[]>("/")).slice(3), ["start 2", "main"]);
      app.write("models/b.js", write.notes("b"));
      app.edit("models/a.js", `"a"`, `"a 2"`);
      assert.deepEqual((await served.json<string[]>("/")).slice(5), []);
    });

    test("a plain path that does not exist is named, a glob may match nothing yet", async () => {
      const body = `${write.requires("./later/*.js")}
let message = "";
try { ${write.requires("./modles")} } catch (error) { message = error.code + " " + error.message; }`;
      await using app = monitoredApp(write, { "main.js": write.main(body, "[message, all()]") });
      await using served = await serve(app, "main.js");
      const call = write.kind === "esm" ? "require" : "requireSync";
      const said = `ERR_UNRELOADER_ARGUMENT ${call}('./modles'): there is no such file or folder: ${app.path("modles")}`;
      assert.deepEqual(await served.json("/"), [said, ["main"]]);
      app.write("later/a.js", write.notes("a"));
      assert.deepEqual(await served.json("/"), [said, ["main", "a"]]);
    });

    test("classes named by a function are purged under these names, others are found", async () => {
      const classes = `{ classes: (file) => (file.endsWith("b.js") ? "auto" : ["Named", "Elsewhere"]) }`;
      const two = (name: string) =>
        write.notes(name, `globalThis.Elsewhere = class Elsewhere {};\nclass Named {}\nclass Unnamed {}`);
      await using app = monitoredApp(write, {
        "main.js": write.main(write.requires("./models", classes), "all()"),
        "models/a.js": two("a"),
        "models/b.js": write.notes("b", "class Found {}"),
      });
      await using served = await serve(app, "main.js", { flags: ["--log-level", "debug"] });
      await served.json("/");
      app.edit("models/a.js", `"a"`, `"a 2"`);
      app.edit("models/b.js", `"b"`, `"b 2"`);
      assert.deepEqual((await served.json<string[]>("/")).slice(3), ["a 2", "b 2"]);
      const removed = served.lines
        .matching(/removed class/)
        .map((line) => /class (\w+) of (\S+)/.exec(line)?.slice(1, 3).join(" "));
      assert.deepEqual(removed.sort(), ["Elsewhere models/a.js", "Found models/b.js", "Named models/a.js"]);
    });

    test("without a supervisor files are loaded in the same order", async () => {
      await using app = monitoredApp(write, {
        "main.js": write.notes(
          "main",
          `${write.requires("./models", "{ onDelete() {} }")}\nconsole.log(JSON.stringify(all()));`,
        ),
        "models/b.js": write.notes("b"),
        "models/a/deep.js": write.notes("a/deep"),
      });
      const { stdout } = await promisify(execFile)(process.execPath, ["main.js"], { cwd: app.folder });
      assert.deepEqual(JSON.parse(stdout), ["main", "b", "a/deep"]);
    });
  });

  describe(`--require, ${write.kind}`, { skip: plainMode }, () => {
    test("loads what it matches before the entry, new files too, and purges deleted ones", async () => {
      await using app = monitoredApp(write, {
        "src/main.js": write.main("", "all()"),
        "lib/b.js": write.notes("b"),
        "lib/a/deep.js": write.notes("a/deep", "globalThis.deep = true;"),
      });
      await using served = await serve(app, "src/main.js", { flags: ["--require", "lib"] });
      assert.deepEqual(await served.json("/"), ["b", "a/deep", "main"]);
      app.write("lib/c.js", write.notes("c"));
      assert.deepEqual(await served.json("/"), ["b", "a/deep", "main", "c"]);
      app.remove("lib/a");
      assert.deepEqual(await served.json("/"), ["b", "a/deep", "main", "c"]);
      app.edit("lib/c.js", `"c"`, `"c 2"`);
      assert.deepEqual(await served.json("/"), ["b", "a/deep", "main", "c", "c 2"]);
    });

    test("the entry is loaded last, even when it is matched, and once", async () => {
      await using app = monitoredApp(write, {
        "src/main.js": write.main("", "all()"),
        "src/other.js": write.notes("other"),
      });
      await using served = await serve(app, "src/main.js", { flags: ["--require", "src/**"] });
      assert.deepEqual(await served.json("/"), ["other", "main"]);
    });
  });

  describe(`supervisor.require, ${write.kind}`, { skip: plainMode }, () => {
    test("loads before the start and after it, relative to the project root, and tells of deletions once", async () => {
      const files = monitoredFiles(write, {
        "src/main.js": write.main("", "all()"),
        "first/a.js": write.notes("a"),
        "later/b.js": write.notes("b"),
      });
      await using embedded = new EmbeddedApp(files, "src/main.js", {}, ["unreloader"]);
      const { supervisor, app } = embedded;
      const told: string[] = [];
      const answer = async () => (await supervisor.fetch("/")).json();
      await supervisor.require("first");
      await supervisor.start();
      assert.deepEqual(await answer(), ["a", "main"]);
      const report = await supervisor.require("later/*.js", { onDelete: (file) => told.push(file) });
      assert.deepEqual(report.loaded, [app.path("later/b.js")]);
      assert.deepEqual(await answer(), ["a", "main", "b"]);
      app.write("later/c.js", write.notes("c"));
      assert.deepEqual(await answer(), ["a", "main", "b", "c"]);
      const [, second] = supervisor.inspect().monitored;
      assert.deepEqual(second, {
        by: undefined,
        patterns: [app.path("later/*.js")],
        files: [app.path("later/b.js"), app.path("later/c.js")],
      });
      app.remove("later/b.js");
      await answer();
      app.edit("later/c.js", `"c"`, `"c 2"`);
      await answer();
      assert.deepEqual(told, [app.path("later/b.js")]);
      await supervisor.restart();
      assert.deepEqual(await answer(), ["a", "c 2", "main"]);
    });

    test("names classes in the main thread", async () => {
      const files = monitoredFiles(write, {
        "main.js": write.main("", "all()"),
        "models/user.js": write.notes("user", "class User {}\nclass Hidden {}"),
      });
      await using embedded = new EmbeddedApp(files, "main.js", {}, ["unreloader"]);
      const { supervisor, app } = embedded;
      const asked: string[] = [];
      await supervisor.require("models", {
        classes: (file) => {
          asked.push(basename(file));
          return "User";
        },
      });
      await supervisor.start();
      app.edit("models/user.js", `"user"`, `"user 2"`);
      const report = await supervisor.reload();
      assert.deepEqual(report.purged, [{ file: app.path("models/user.js"), classes: ["User"] }]);
      assert.deepEqual(asked, ["user.js"]);
    });

    test("says what does not fit", async () => {
      const files = monitoredFiles(write, { "main.js": write.main("", "all()") });
      await using embedded = new EmbeddedApp(files, "main.js", {}, ["unreloader"]);
      const { supervisor, app } = embedded;
      const failsWith = (message: string) => ({ code: "ERR_UNRELOADER_ARGUMENT", message });
      const missing = `require('modles'): there is no such file or folder: ${app.path("modles")}`;
      await assert.rejects(supervisor.require("modles"), failsWith(missing));
      await assert.rejects(
        supervisor.require("*.js", { onDelete: 5 as never }),
        failsWith("require(): onDelete must be a function, not 5"),
      );
      await assert.rejects(
        supervisor.require("*.js", { classes: [] as never }),
        failsWith(`require(): classes must be "auto" or a function, not []`),
      );
    });
  });

  test(`--no-reload loads what is required, before the entry and in the app, ${write.kind}`, {
    skip: plainMode,
  }, async () => {
    await using app = monitoredApp(write, {
      "src/main.js": write.notes("main", `${write.requires("./models")}\nconsole.log(JSON.stringify(all()));`),
      "src/models/a.js": write.notes("a"),
      "lib/b.js": write.notes("b"),
    });
    const { code, lines } = await runToExit(app.folder, ["--no-reload", "--require", "lib", "src/main.js"]);
    assert.deepEqual([code, lines.matching(/^\[/)], [0, [`["b","main","a"]`]]);
  });
}
