/** Specifiers that are worked out at run time: as many as clients like, of which the newest are known. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Compiler } from "../../src/common/compile/compiler.js";
import { NewestKeys } from "../../src/common/protocol/late-lookups.js";
import { LateFolders } from "../../src/files/late-folders.js";
import { FileRegistry } from "../../src/files/registry.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

test("the newest keys are known, and what goes is told", () => {
  const keys = new NewestKeys(2);
  assert.deepEqual(keys.add("a"), { forgotten: undefined });
  assert.deepEqual(keys.add("b"), { forgotten: undefined });
  assert.equal(keys.add("a"), false);
  assert.deepEqual(keys.add("c"), { forgotten: "a" }, "the oldest goes, however often it was used");
  assert.deepEqual(keys.add("a"), { forgotten: "b" });
  assert.equal(keys.size, 2);
});

describe("the folders of late specifiers", () => {
  function registryOf(app: TempApp): FileRegistry {
    return new FileRegistry({
      root: app.folder,
      ignore: [],
      mode: "poll",
      probeFolder: app.path("node_modules/.cache/probe"),
      onStale: () => {},
    });
  }

  test("those of the newest are watched, whether they are there or not; older ones are let go", async () => {
    await using app = new TempApp({ "pages/a/x.js": "", "kept/x.js": "" });
    const registry = registryOf(app);
    try {
      registry.trackFolders([app.path("kept")]);
      const late = new LateFolders(registry, 3);
      const look = (...folders: string[]) => late.add(folders.map((folder) => app.path(folder)));
      look("kept");
      look("pages/a");
      for (const n of [1, 2, 3]) look(`pages/visitor-${n}`);
      app.write("pages/a/added.js", "");
      app.write("kept/added.js", "");
      app.write("pages/visitor-3/page.js", "");
      const added = registry.check().map(({ file, kind }) => [file, kind]);
      assert.deepEqual(
        added.sort(),
        [
          [app.path("kept", "added.js"), "added"],
          [app.path("pages", "visitor-3", "page.js"), "added"],
        ].sort(),
      );
    } finally {
      await registry.close();
    }
  });

  test("a folder that several newest ones share stays with the last of them", async () => {
    const tracked = new Set<string>();
    const late = new LateFolders(
      {
        trackForNow: (folders) => {
          for (const folder of folders) tracked.add(folder);
        },
        untrackForNow: (folders) => {
          for (const folder of folders) tracked.delete(folder);
        },
      },
      2,
    );
    late.add(["/pages", "/pages/1"]);
    late.add(["/pages", "/pages/2"]);
    late.add(["/pages", "/pages/3"]);
    assert.deepEqual([...tracked].sort(), ["/pages", "/pages/2", "/pages/3"]);
    late.add(["/other"]);
    late.add(["/more"]);
    assert.deepEqual([...tracked].sort(), ["/more", "/other"]);
  });

  test("of a hundred thousand specifiers, in folders that are not there, no more is kept than of the newest", async () => {
    await using app = new TempApp({ "pages/a.js": "" });
    const registry = registryOf(app);
    try {
      const late = new LateFolders(registry);
      const compiler = new Compiler({ root: app.folder });
      for (let n = 0; n < 100_000; n++) {
        late.add(compiler.candidates(`./pages/visitor-${n}/page.js`, app.path("server.js"), "import"));
      }
      assert.ok(registry.folderCount < 10_000, `${registry.folderCount} folders`);
    } finally {
      await registry.close();
    }
  });
});

describe("a late specifier that leads nowhere", () => {
  for (const kind of ["import", "require"] as const) {
    test(`is looked for anew each time (${kind})`, async () => {
      await using app = new TempApp({ "pages/a.js": "" });
      const compiler = new Compiler({ root: app.folder });
      const find = (isNew = false) => compiler.resolveLate("./pages/b.js", app.path("server.js"), kind, isNew);
      assert.throws(() => find(true));
      assert.throws(() => find());
      app.write("pages/b.js", "");
      const found = { type: "file", file: app.path("pages", "b.js") };
      assert.deepEqual(find(), found);
    });
  }

  test("is found once its file is there, also when very many others have been asked for since", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "server.js": `import { createServer } from "node:http";
createServer(async (request, response) => {
  if (request.url === "/many") {
    for (let n = 0; n < 6000; n++) await import("./pages/visitor-" + n + "/page.js").catch(() => {});
    return response.end("done");
  }
  const page = await import("./pages" + request.url).catch((error) => ({ text: error.code }));
  response.end(page.text);
}).listen(0, "127.0.0.1");
`,
      "pages/known.js": `export const text = "known";\n`,
    });
    await using served = await serve(app, "server.js");
    assert.equal((await served.get("/known.js?visitor=1")).body, "known");
    assert.equal((await served.get("/new/page.js")).body, "ERR_MODULE_NOT_FOUND");
    assert.equal((await served.get("/many")).body, "done");
    app.write("pages/new/page.js", `export const text = "new-1";\n`);
    assert.equal((await served.get("/new/page.js")).body, "new-1");
    app.edit("pages/new/page.js", "new-1", "new-2");
    assert.equal((await served.get("/new/page.js")).body, "new-2");
    app.edit("pages/known.js", "known", "edited");
    assert.equal((await served.get("/known.js?visitor=2")).body, "edited");
  });
});
