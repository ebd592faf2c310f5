/** `autoload`: files that are loaded when one of their names is first read. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { reloadManyTimes } from "../support/adapter-app.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { type ModuleWriter, monitoredApp, monitoredFiles, writers } from "../support/monitored-app.js";
import { plainMode, runToExit, serve } from "../support/served-app.js";

/** `models/user.js` has the name `User`. */
const nameOf = `(file) => { const name = file.replace(/^.*[/]|[.]js$/g, ""); return name[0].toUpperCase() + name.slice(1); }`;

function files(write: ModuleWriter): Record<string, string> {
  return {
    "main.js": write
      .main(
        `const models = unreloader.autoload("./models", ${nameOf});`,
        `request.url === "/names" ? [Object.keys(models), all()] : [new models[request.url.slice(1)]().say(), all()]`,
      )
      .replace("_req", "request"),
    "models/user.js": write.notes("user", write.exports("User", `class User { say() { return "user"; } }`)),
    "models/deep/post.js": write.notes("post", write.exports("Post", `class Post { say() { return "post"; } }`)),
  };
}

for (const write of writers) {
  describe(`unreloader.autoload, ${write.kind}`, { skip: plainMode }, () => {
    test("a file is loaded by the first read of its name, and reloaded only when it was loaded", async () => {
      await using app = monitoredApp(write, files(write));
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/names"), [["User", "Post"], ["main"]]);
      assert.deepEqual(await served.json("/User"), ["user", ["main", "user"]]);
      assert.deepEqual(await served.json("/User"), ["user", ["main", "user"]]);
      app.edit("models/deep/post.js", `"post"`, `"post 2"`);
      assert.deepEqual(await served.json("/names"), [
        ["User", "Post"],
        ["main", "user"],
      ]);
      app.edit("models/user.js", `return "user"`, `return "user 2"`);
      assert.deepEqual(await served.json("/names"), [
        ["User", "Post"],
        ["main", "user", "user"],
      ]);
      assert.deepEqual(await served.json("/User"), ["user 2", ["main", "user", "user"]]);
      assert.deepEqual(await served.json("/Post"), ["post", ["main", "user", "user", "post 2"]]);
    });

    test("new files bring their names, deleted ones take them away, loaded or not", async () => {
      await using app = monitoredApp(write, files(write));
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/User"), ["user", ["main", "user"]]);
      app.write("models/tag.js", write.notes("tag", write.exports("Tag", `class Tag { say() { return "tag"; } }`)));
      assert.deepEqual(await served.json("/names"), [
        ["User", "Post", "Tag"],
        ["main", "user"],
      ]);
      assert.deepEqual(await served.json("/Tag"), ["tag", ["main", "user", "tag"]]);
      app.remove("models/deep/post.js");
      assert.deepEqual((await served.json<[string[]]>("/names"))[0], ["User", "Tag"]);
      app.remove("models/user.js");
      assert.deepEqual((await served.json<[string[]]>("/names"))[0], ["Tag"]);
      app.write(
        "models/user.js",
        write.notes("user again", write.exports("User", `class User { say() { return "again"; } }`)),
      );
      assert.deepEqual(await served.json("/User"), ["again", ["main", "user", "tag", "user again"]]);
    });

    test("names stand on the given target, may be several, and go with the module that has asked", async () => {
      await using app = monitoredApp(write, {
        "main.js": write
          .main(
            "",
            `[globalThis.Both?.(), globalThis.Second?.both, typeof globalThis.Both, unreloader.autoloading, shown]`,
          )
          .replace("\n", `\n${write.imports("shown", "./names.js")}\n`),
        "names.js": write.notes(
          "names",
          `unreloader.autoload("./lib", () => ["Both", "Second"], globalThis);\n${write.exports("shown", "1")}`,
        ),
        "lib/all.js":
          write.kind === "esm"
            ? `export default function both() { return "default"; }\nboth.both = "second";\n`
            : `module.exports = function both() { return "default"; };\nmodule.exports.both = "second";\n`,
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["default", "second", "function", true, 1]);
      app.write("names.js", write.notes("no names", write.exports("shown", "2")));
      assert.deepEqual(await served.json("/"), [null, null, "undefined", true, 2]);
    });

    test("inspect() lists the names, and says which are loaded", async () => {
      await using embedded = new EmbeddedApp(monitoredFiles(write, files(write)), "main.js", {}, ["unreloader"]);
      const { supervisor, app } = embedded;
      await supervisor.fetch("/User");
      await supervisor.reload();
      const by = app.path("main.js");
      const user = { name: "User", file: app.path("models/user.js"), by, loaded: true };
      const post = { name: "Post", file: app.path("models/deep/post.js"), by, loaded: false };
      assert.deepEqual(supervisor.inspect().autoloads, [user, post]);
      assert.deepEqual(supervisor.inspect().monitored, [
        { by, patterns: [app.path("models")], files: [app.path("models/user.js")] },
      ]);
    });

    test("--no-autoload: all is loaded at once, then reloaded; new files too", async () => {
      await using app = monitoredApp(write, files(write));
      await using served = await serve(app, "main.js", { flags: ["--no-autoload"] });
      assert.deepEqual(await served.json("/names"), [
        ["User", "Post"],
        ["main", "user", "post"],
      ]);
      app.write("models/tag.js", write.notes("tag", write.exports("Tag", `class Tag { say() { return "tag"; } }`)));
      assert.deepEqual(await served.json("/Tag"), ["tag", ["main", "user", "post", "tag"]]);
      app.edit("models/user.js", `return "user"`, `return "user 2"`);
      assert.deepEqual(await served.json("/User"), ["user 2", ["main", "user", "post", "tag", "user"]]);
    });

    test("without reloads it is lazy, or not, as the option says; without a supervisor all is loaded", async () => {
      const script = (body: string) =>
        write.notes(
          "main",
          `${body}\nconsole.log(JSON.stringify([unreloader.autoloading, all()]));\nmodels.User;\nconsole.log(JSON.stringify(all()));`,
        );
      await using app = monitoredApp(write, {
        ...files(write),
        "main.js": script(`const models = unreloader.autoload("./models", ${nameOf});`),
      });
      const printed = (text: string) => text.split("\n").filter((line) => line.startsWith("["));
      const lazy = await runToExit(app.folder, ["--no-reload", "main.js"]);
      assert.deepEqual(printed(lazy.lines.toString()), [`[true,["main"]]`, `["main","user"]`]);
      const eager = await runToExit(app.folder, ["--no-reload", "--no-autoload", "main.js"]);
      assert.deepEqual(printed(eager.lines.toString()), [`[false,["main","user","post"]]`, `["main","user","post"]`]);
      const { stdout } = await promisify(execFile)(process.execPath, ["main.js"], { cwd: app.folder });
      assert.deepEqual(printed(stdout), [`[false,["main","user","post"]]`, `["main","user","post"]`]);
    });

    test("a module that reads a name while it is evaluated is loaded again with its file", async () => {
      await using app = monitoredApp(write, {
        ...files(write),
        "main.js": write.main(
          `const models = unreloader.autoload("./models", ${nameOf});\nconst said = new models.User().say();`,
          "[said, all()]",
        ),
      });
      await using served = await serve(app, "main.js");
      assert.deepEqual(await served.json("/"), ["user", ["main", "user"]]);
      app.edit("models/user.js", `return "user"`, `return "user 2"`);
      assert.deepEqual((await served.json<unknown[]>("/"))[0], "user 2");
    });
  });
}

test("versions of a module that has files loaded, and of those files, are collected", { skip: plainMode }, async () => {
  const held = `const { watch } = require("../probe.cjs");\nrequire("../base.js");\nclass Held {}\nconst held = watch(new Held());\n`;
  const files = {
    "main.js": `require("./lib/asks.js");
require("./probe.cjs").serve(() => require("./lib/asks.js").answer());
`,
    "lib/asks.js": `${held}const { unreloader } = require("unreloader/app");
unreloader.requireSync("../jobs", { onDelete: () => held, classes: () => (held, "Job") });
const names = unreloader.autoload("../models", () => (held, "Model"));
unreloader.autoload("../models", () => (held, "GlobalModel"), globalThis);
unreloader.recordDependency("./asks.js", "../jobs");
exports.answer = () => (held, names.Model.base);
`,
    "jobs/job.js": held,
    "models/model.js": `${held}exports.base = require("../base.js").base;\n`,
    "base.js": `exports.base = "version-1";\n`,
  };
  const once = { packages: ["unreloader"], files, entry: "main.js", edited: "base.js" };
  await reloadManyTimes(once, 30, async ({ alive }) => assert.equal(await alive(), 3));
});
