/** Recorded dependencies and split classes: what reloads what because somebody has said so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EmbeddedApp } from "../support/embedded-app.js";
import { monitoredApp, monitoredFiles, writers } from "../support/monitored-app.js";
import { plainMode, serve } from "../support/served-app.js";

for (const write of writers) {
  describe(`recordDependency, ${write.kind}`, { skip: plainMode }, () => {
    const modules = (more: Readonly<Record<string, string>> = {}) => ({
      "main.js": write.main(write.requires("./lib"), "all()"),
      "lib/a.js": write.notes("a"),
      "lib/b.js": write.notes("b"),
      ...more,
    });

    test("--depend: a change of code reloads the dependents after it, and nothing else", async () => {
      await using app = monitoredApp(write, modules({ "lib/c.js": write.notes("c") }));
      await using served = await serve(app, "main.js", { flags: ["--depend", "lib/b.js=lib/a.js", "--why"] });
      assert.deepEqual(await served.json("/"), ["main", "a", "b", "c"]);
      app.edit("lib/b.js", `"b"`, `"b 2"`);
      assert.deepEqual((await served.json<string[]>("/")).slice(4), ["b 2", "a"]);
      app.edit("lib/a.js", `"a"`, `"a 2"`);
      assert.deepEqual((await served.json<string[]>("/")).slice(6), ["a 2"]);
      await served.lines.wait(/lib\/a\.js <- lib\/b\.js/);
    });

    test("in the app: a file of data, before it exists, changed and deleted", async () => {
      await using app = monitoredApp(write, {
        ...modules(),
        "lib/b.js": write.notes("b", `unreloader.recordDependency("../sql/users.sql", "./b.js");`),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["main", "a", "b"]);
      app.write("sql/users.sql", "select 1");
      assert.deepEqual((await served.json<string[]>("/")).slice(3), ["b"]);
      app.write("sql/users.sql", "select 2");
      assert.deepEqual((await served.json<string[]>("/")).slice(4), ["b"]);
      app.remove("sql/users.sql");
      assert.deepEqual((await served.json<string[]>("/")).slice(5), ["b"]);
    });

    test("a folder reloads its dependents when a file in it, at any depth, is added, changed or deleted", async () => {
      await using app = monitoredApp(write, modules({ "views/page.html": "<p>" }));
      await using served = await serve(app, "main.js", { flags: ["--depend", "views=lib/a.js"] });
      assert.deepEqual(await served.json("/"), ["main", "a", "b"]);
      app.write("views/page.html", "<b>");
      assert.deepEqual((await served.json<string[]>("/")).slice(3), ["a"]);
      app.write("views/more/deep.html", "<p>");
      assert.deepEqual((await served.json<string[]>("/")).slice(4), ["a"]);
      app.write("views/more/deep.html", "<b>");
      assert.deepEqual((await served.json<string[]>("/")).slice(5), ["a"]);
      app.remove("views/page.html");
      assert.deepEqual((await served.json<string[]>("/")).slice(6), ["a"]);
      app.write("views/page.html", "<i>");
      assert.deepEqual((await served.json<string[]>("/")).slice(7), ["a"]);
    });

    test("a folder, and a glob, as dependents: files that come later are among them", async () => {
      await using app = monitoredApp(write, modules({ "mod.js": write.notes("mod") }));
      const flags = ["--require", "mod.js", "--depend", "mod.js=lib", "--depend", "x.txt=lib/*.js"];
      await using served = await serve(app, "main.js", { flags });
      assert.deepEqual(await served.json("/"), ["mod", "main", "a", "b"]);
      app.write("lib/c.js", write.notes("c"));
      assert.deepEqual((await served.json<string[]>("/")).slice(4), ["c"]);
      app.edit("mod.js", `"mod"`, `"mod 2"`);
      assert.deepEqual((await served.json<string[]>("/")).slice(5), ["mod 2", "a", "b", "c"]);
      app.write("x.txt", "x");
      assert.deepEqual((await served.json<string[]>("/")).slice(9), ["a", "b", "c"]);
    });

    test("chains over code and data are followed, cycles are legal", async () => {
      await using app = monitoredApp(write, modules({ "schema.sql": "", "types.json": "{}" }));
      const depend = ["schema.sql=types.json", "types.json=lib/b.js", "lib/b.js=lib/a.js", "lib/a.js=lib/b.js"];
      await using served = await serve(app, "main.js", { flags: depend.flatMap((one) => ["--depend", one]) });
      assert.deepEqual(await served.json("/"), ["main", "a", "b"]);
      app.write("schema.sql", "create table users");
      assert.deepEqual((await served.json<string[]>("/")).slice(3).sort(), ["a", "b"]);
      app.edit("lib/a.js", `"a"`, `"a 2"`);
      assert.deepEqual((await served.json<string[]>("/")).slice(5).sort(), ["a 2", "b"]);
    });

    test("supervisor.recordDependency: lists on both sides, from the next request on", async () => {
      await using embedded = new EmbeddedApp(monitoredFiles(write, modules()), "main.js", {}, ["unreloader"]);
      const { supervisor, app } = embedded;
      const answer = async () => (await (await supervisor.fetch("/")).json()) as string[];
      assert.deepEqual(await answer(), ["main", "a", "b"]);
      supervisor.recordDependency(["x.txt", "y.txt"], ["lib/a.js"], "lib/b.js");
      assert.deepEqual(await answer(), ["main", "a", "b"]);
      app.write("y.txt", "y");
      const report = await supervisor.reload();
      assert.deepEqual(report.why, {
        [app.path("lib/a.js")]: [app.path("lib/a.js"), app.path("y.txt")],
        [app.path("lib/b.js")]: [app.path("lib/b.js"), app.path("y.txt")],
      });
      const message = "recordDependency('x'): no files that depend on it are given";
      assert.throws(() => supervisor.recordDependency("x"), { code: "ERR_UNRELOADER_ARGUMENT", message });
    });
  });

  describe(`recordSplitClass, ${write.kind}`, { skip: plainMode }, () => {
    // The class is found under a global name, as parts cannot import a module that waits for them.
    const files = {
      "entry.js": write
        .main("", "[all(), Object.keys(new App()).sort()]")
        .replace("\n", `\n${write.imports("App", "./app.js")}\n`),
      "app.js": write.notes(
        "app",
        [
          write.exports("App", "(globalThis.TheApp = class App {})"),
          `unreloader.requireSync("./helpers");`,
          `unreloader.recordSplitClass("./app.js", "./helpers");`,
        ].join("\n"),
      ),
      "helpers/a.js": write.notes("a", "globalThis.TheApp.prototype.a = 1;"),
      "helpers/b.js": write.notes("b", "globalThis.TheApp.prototype.b = 1;"),
    };
    files["entry.js"] = files["entry.js"].replace("Object.keys(new App())", "Object.keys(App.prototype)");

    test("a change, an addition and a deletion among the parts evaluates the class again, each part once", async () => {
      await using app = monitoredApp(write, files);
      await using served = await serve(app, "entry.js");
      assert.deepEqual(await served.json("/"), [
        ["app", "a", "b", "main"],
        ["a", "b"],
      ]);
      const since = async (index: number) => {
        const [notes, methods] = await served.json<[string[], string[]]>("/");
        return [notes.slice(index).filter((note) => note !== "main"), methods];
      };
      app.write("helpers/a.js", write.notes("a 2", "globalThis.TheApp.prototype.c = 1;"));
      assert.deepEqual(await since(4), [
        ["app", "a 2", "b"],
        ["b", "c"],
      ]);
      app.write("helpers/deep/d.js", write.notes("d", "globalThis.TheApp.prototype.d = 1;"));
      const second = (await served.json<[string[], string[]]>("/"))[1];
      assert.deepEqual(second, ["b", "c", "d"]);
      const count = (await served.json<[string[], string[]]>("/"))[0].length;
      app.remove("helpers/b.js");
      assert.deepEqual(await since(count), [
        ["app", "a 2", "d"],
        ["c", "d"],
      ]);
    });

    test("a change of the main file loads its parts again, too", async () => {
      await using app = monitoredApp(write, files);
      await using served = await serve(app, "entry.js");
      assert.deepEqual((await served.json<[string[], string[]]>("/"))[0], ["app", "a", "b", "main"]);
      app.edit("app.js", `"app"`, `"app 2"`);
      const [notes, methods] = await served.json<[string[], string[]]>("/");
      assert.deepEqual(
        [notes.slice(4, 7), methods],
        [
          ["app 2", "a", "b"],
          ["a", "b"],
        ],
      );
    });

    test("parts that the supervisor was told of are left to their main file", async () => {
      const { "app.js": main } = files;
      const own = { ...files, "app.js": main.replace(/.*recordSplitClass.*\n/, "") };
      await using embedded = new EmbeddedApp(monitoredFiles(write, own), "entry.js", {}, ["unreloader"]);
      const { supervisor, app } = embedded;
      supervisor.recordSplitClass("app.js", "helpers");
      await supervisor.require(".");
      const [notes] = (await (await supervisor.fetch("/")).json()) as [string[]];
      assert.deepEqual(notes, ["app", "a", "b", "main"]);
      app.edit("helpers/a.js", `"a"`, `"a 2"`);
      const [again] = (await (await supervisor.fetch("/")).json()) as [string[]];
      assert.deepEqual(
        again.slice(4).filter((note) => note !== "main"),
        ["app", "a 2", "b"],
      );
    });
  });
}
