import assert from "node:assert/strict";
import { test } from "node:test";
import { express4Apps } from "../support/express4-apps.js";
import { frameworkApps, type Items } from "../support/framework-apps.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const apps = [...frameworkApps, ...express4Apps].filter((framework) => !plainMode || framework.plain !== false);

for (const framework of apps) {
  const { entry, middle, leaf, added } = framework;

  test(framework.name, async (context) => {
    await using app = new TempApp(framework.files, { packages: framework.packages });
    await using served = await serve(app, entry);

    await context.test("edits of the leaf, a middle file and the entry show, in the same process", async () => {
      const first = await items(served);
      assert.deepEqual(withoutState(first), { leaf: "leaf-1", middle: "middle-1", extra: null });
      assert.equal(first.count, 1);
      if (served.inPlace) assert.equal(first.pid, served.pid);

      app.edit(leaf, "leaf-1", "leaf-2");
      assert.equal((await items(served)).leaf, "leaf-2");
      app.edit(middle, "middle-1", "middle-2");
      assert.equal((await items(served)).middle, "middle-2");
      app.edit(entry, "entry-1", "entry-2");
      assert.equal((await served.get("/items")).headers["x-entry"], "entry-2");

      const last = await items(served);
      assert.deepEqual(withoutState(last), { leaf: "leaf-2", middle: "middle-2", extra: null });
      if (!served.inPlace) return;
      assert.equal(last.pid, first.pid);
      assert.equal(last.count, 5, "the counter, which no edit concerned, went on counting");
      assert.equal(served.connectionsOpened, 1, "the kept connection survived");
    });

    await context.test("edits of the module that makes the app, and of a view, show", async () => {
      for (const file of ["app.js", "server.js"]) if (file in framework.files) app.append(file, "\n// edited\n");
      assert.equal((await items(served)).middle, "middle-2");
      if (!("views/index.html" in framework.files)) return;
      assert.match((await served.get("/")).body, /<h1>title-1<\/h1>/);
      app.edit("views/index.html", "<h1>", "<h2>");
      assert.match((await served.get("/")).body, /<h2>title-1/);
    });

    await context.test("an added file is used, and its deletion is noticed", async () => {
      app.write(added.file, added.text);
      app.edit(middle, "// add an import here", added.importLine);
      app.edit(middle, "null /* extra */", added.use);
      assert.equal((await items(served)).extra, "extra-1");
      app.edit(added.file, "extra-1", "extra-2");
      assert.equal((await items(served)).extra, "extra-2");

      app.remove(added.file);
      assert.equal((await served.get("/items")).status, 500, "its importer cannot be loaded any more");
      app.edit(middle, added.importLine, "// add an import here");
      app.edit(middle, `extra: ${added.use}`, "extra: null /* extra */");
      assert.equal((await items(served)).extra, null);
    });

    await context.test("a syntax error and a throw answer 500, and a fix is served again", async () => {
      const first = await items(served);
      const good = app.read(leaf);

      app.append(leaf, "\n}{ not code\n");
      assert.equal((await served.get("/items")).status, 500);
      assert.equal((await served.getOnce("/items")).status, 500);
      app.write(leaf, good.replace("leaf-2", "leaf-3"));
      const afterSyntax = await items(served);
      assert.equal(afterSyntax.leaf, "leaf-3");
      if (served.inPlace)
        assert.equal(afterSyntax.count, first.count + 1, "a change that does not compile touches nothing");

      app.append(leaf, `\nthrow new Error("broken on purpose");\n`);
      const failure = await served.get("/items");
      assert.equal(failure.status, 500);
      assert.match(failure.body, /broken on purpose/);
      app.write(leaf, good.replace("leaf-2", "leaf-4"));
      const afterThrow = await items(served);
      assert.equal(afterThrow.leaf, "leaf-4");
      if (served.inPlace) assert.equal(afterThrow.pid, first.pid);
    });
  });
}

function items(served: ServedApp): Promise<Items> {
  return served.json<Items>("/items");
}

function withoutState({ leaf, middle, extra }: Items): Pick<Items, "leaf" | "middle" | "extra"> {
  return { leaf, middle, extra };
}
