/**
 * What Ruby's rack-unreloader promises about required files and folders, recorded dependencies and split classes, one test for
 * each example of its spec and README, by whole transcripts. A comment says where we differ on purpose.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode } from "../support/served-app.js";
import { TranscribedApp, type TranscribedOptions } from "../support/transcribed-app.js";

const reloaded = (loaded: number, modules: number, generation: number, files: string): string =>
  `info reloaded ${loaded} of ${modules} modules in N ms (generation ${generation}): ${files} changed`;

/** An app that has the folder `dir` loaded; what the files there put into its map is the answer. */
const collecting = (options = ""): string => `import { mkdirSync } from "node:fs";
import { unreloader } from "unreloader/app";
import { map } from "./map.js";
mkdirSync(new URL("dir/", import.meta.url), { recursive: true });
await unreloader.require("./dir"${options});
export const answer = () => map;
`;
const MAP = "export const map = {};\n";
const puts = (n: number, up = ".."): string => `import { map } from "${up}/map.js";\nmap.foo = ${n};\n`;

function folderApp(files: Readonly<Record<string, string>>, options: TranscribedOptions = {}): TranscribedApp {
  return new TranscribedApp(
    { "app.js": collecting(), "map.js": MAP, ...files },
    { packages: ["unreloader"], ...options },
  );
}

describe("rack-unreloader: required files and folders", { skip: plainMode }, () => {
  test("a folder's changed file is loaded again, in a subfolder too", async () => {
    for (const [file, up] of [
      ["dir/a.js", ".."],
      ["dir/sub/a.js", "../.."],
    ] as const) {
      await using app = folderApp({ [file]: puts(1, up) });
      assert.deepEqual(await app.answer(), { foo: 1 });
      app.transcript();
      app.write(file, puts(2, up));
      assert.deepEqual(await app.answer(), { foo: 2 });
      assert.deepEqual(app.transcript(), [
        `${file} has changed`,
        // It has written into map.js, which is therefore loaded again as well.
        `purged ${file}`,
        "purged map.js",
        `loaded map.js <- ${file}`,
        `loaded ${file}`,
        reloaded(2, 3, 2, file),
      ]);
    }
  });

  test("a new file is loaded, in a new subfolder too, without its caller", async () => {
    for (const [file, up] of [
      ["dir/a.js", ".."],
      ["dir/sub/a.js", "../.."],
    ] as const) {
      await using app = folderApp({});
      assert.deepEqual(await app.answer(), {});
      app.transcript();
      app.write(file, puts(2, up));
      assert.deepEqual(await app.answer(), { foo: 2 });
      assert.deepEqual(app.transcript(), [
        `${file} was added`,
        // It writes into map.js, and is loaded once more, after that: as a fresh start would have it.
        `purged ${file}`,
        "purged map.js",
        `loaded map.js <- ${file} <- app.js`,
        `loaded ${file} <- app.js`,
        `${file} uses map.js`,
        reloaded(2, 3, 2, file),
      ]);
    }
  });

  test("a deleted file is dropped, in a subfolder too, while another comes", async () => {
    for (const [file, other, up] of [
      ["dir/a.js", "dir/b.js", ".."],
      ["dir/sub/a.js", "dir/sub/b.js", "../.."],
    ] as const) {
      await using app = folderApp({ [file]: puts(1, up) });
      assert.deepEqual(await app.answer(), { foo: 1 });
      app.transcript();
      app.remove(file);
      app.write(other, puts(2, up));
      assert.deepEqual(await app.answer(), { foo: 2 });
      assert.deepEqual(app.transcript(), [
        `${other} was added`,
        `${file} was deleted`,
        // It has written into map.js, which is made anew: nothing that it wrote stays there.
        `purged ${file}`,
        "purged map.js",
        `loaded map.js <- ${file}`,
        `loaded ${other} <- app.js`,
        `${other} uses map.js`,
        reloaded(2, 3, 2, `${other}, ${file}`),
      ]);
    }
  });

  test("onDelete (Ruby: delete_hook) is called once for each deleted file, with its absolute path", async () => {
    await using app = folderApp({
      "app.js": collecting(", { onDelete: (file) => (globalThis.gone ??= []).push(file) }").replace(
        "() => map",
        "() => globalThis.gone ?? []",
      ),
      "dir/a.js": "export const a = 1;\n",
    });
    assert.deepEqual(await app.answer(), []);
    app.transcript();
    const [a, b] = [app.path("dir/a.js"), app.path("dir/b.js")];
    app.remove("dir/a.js");
    app.write("dir/b.js", "export const b = 1;\n");
    assert.deepEqual(await app.answer(), [a]);
    app.remove("dir/b.js");
    assert.deepEqual(await app.answer(), [a, b]);
    app.write("dir/c.js", "export const c = 1;\n");
    assert.deepEqual(await app.answer(), [a, b]);
    assert.deepEqual(app.transcript(), [
      "dir/b.js was added",
      "dir/a.js was deleted",
      "purged dir/a.js",
      "loaded dir/b.js <- app.js",
      reloaded(1, 3, 2, "dir/b.js, dir/a.js"),
      "dir/b.js was deleted",
      "purged dir/b.js",
      reloaded(0, 2, 3, "dir/b.js"),
      "dir/c.js was added",
      "loaded dir/c.js <- app.js",
      reloaded(1, 3, 4, "dir/c.js"),
    ]);
  });

  test("onDelete takes out of a shared object what a file has put in", async () => {
    await using app = new TranscribedApp({
      "shared.js": "export const shared = (globalThis.shared ??= new Map());\n",
      "app.js": `import { shared } from "./shared.js";\nexport const answer = () => [...shared.keys()];\n`,
      "dir/one.js": `import { shared } from "../shared.js";\nshared.set("one", 1);\n`,
      "dir/two.js": `import { shared } from "../shared.js";\nshared.set("two", 2);\n`,
    });
    const deleted: string[] = [];
    await app.supervisor.require("dir", { onDelete: (file) => deleted.push(file) });
    assert.deepEqual(await app.answer(), ["one", "two"]);
    app.remove("dir/one.js");
    await app.answer();
    assert.deepEqual(deleted, [app.path("dir/one.js")]);
  });

  test("files and globs are required, too, shallow paths first, and before the entry", async () => {
    await using app = new TranscribedApp(
      {
        "app.js": "export const answer = () => globalThis.order;\n",
        ...Object.fromEntries(
          ["models/deep/z.js", "models/b.js", "models/a.js", "one.js"].map((file) => [
            file,
            `(globalThis.order ??= []).push("${file}");\n`,
          ]),
        ),
      },
      { require: ["one.js", "models/**/*.js"] },
    );
    assert.deepEqual(await app.answer(), ["one.js", "models/a.js", "models/b.js", "models/deep/z.js"]);
    assert.deepEqual(app.transcript(), [
      "loaded one.js",
      "loaded models/a.js",
      "loaded models/b.js",
      "loaded models/deep/z.js",
      "loaded app.js",
    ]);
  });

  test("a folder is required with reload: false", async () => {
    await using app = folderApp({ "dir/a.js": puts(3) }, { reload: false });
    assert.deepEqual(await app.answer(), { foo: 3 });
    app.write("dir/b.js", puts(4));
    assert.deepEqual(await app.answer(), { foo: 3 });
    assert.deepEqual(app.transcript(), []);
  });

  // Ruby's `require` with a block. Names that the block leaves out are not unloaded, and a later version reopens them.
  test("classes are unloaded under the names that are given", async () => {
    const text = (n: number) => `globalThis.One = class One {
  static n = ${n};
};
globalThis.Two = class Two {
  static n = ${n};
};
`;
    await using app = new TranscribedApp({
      "app.js": "export const answer = () => [globalThis.One.n, globalThis.Two.n];\n",
      "models/one.js": text(1),
    });
    await app.supervisor.require("models", { classes: () => "One" });
    assert.deepEqual(await app.answer(), [1, 1]);
    app.write("models/one.js", text(2));
    assert.deepEqual(await app.answer(), [2, 2]);
    assert.deepEqual(app.transcript(), [
      "loaded models/one.js",
      "found class One in models/one.js",
      "found class Two in models/one.js",
      "loaded app.js",
      "models/one.js has changed",
      "purged models/one.js",
      "removed class One of models/one.js",
      "loaded models/one.js",
      "found class One in models/one.js",
      "found class Two in models/one.js",
      reloaded(1, 2, 2, "models/one.js"),
    ]);
  });

  test('classes are found when the function says "auto" (Ruby: :ObjectSpace)', async () => {
    await using app = new TranscribedApp({
      "app.js": "export const answer = () => globalThis.One.n;\n",
      "models/one.js": "globalThis.One = class One {\n  static n = 1;\n};\n",
    });
    await app.supervisor.require("models", { classes: () => "auto" });
    assert.equal(await app.answer(), 1);
    app.edit("models/one.js", "1", "2");
    assert.equal(await app.answer(), 2);
    assert.deepEqual(app.transcript(), [
      "loaded models/one.js",
      "found class One in models/one.js",
      "loaded app.js",
      "models/one.js has changed",
      "purged models/one.js",
      "removed class One of models/one.js",
      "loaded models/one.js",
      "found class One in models/one.js",
      reloaded(1, 2, 2, "models/one.js"),
    ]);
  });

  test("a name that the file does not define is no error", async () => {
    await using app = new TranscribedApp({
      "app.js": "export const answer = () => globalThis.One.n;\n",
      "models/one.js": "globalThis.One = class One {\n  static n = 1;\n};\n",
    });
    await app.supervisor.require("models", { classes: () => "Missing" });
    assert.equal(await app.answer(), 1);
    app.edit("models/one.js", "1", "2");
    assert.equal(await app.answer(), 2);
    assert.deepEqual(app.transcript(), [
      "loaded models/one.js",
      "found class One in models/one.js",
      "loaded app.js",
      "models/one.js has changed",
      "purged models/one.js",
      "loaded models/one.js",
      "found class One in models/one.js",
      reloaded(1, 2, 2, "models/one.js"),
    ]);
  });

  test("a path that does not exist is named", async () => {
    await using app = new TranscribedApp({ "app.js": "export const answer = () => 1;\n" });
    await assert.rejects(app.supervisor.require("nothing"), { code: "ERR_UNRELOADER_ARGUMENT", message: /nothing/ });
    await app.supervisor.require("nothing/*.js");
    assert.equal(await app.answer(), 1);
  });
});

describe("rack-unreloader: recorded dependencies", { skip: plainMode }, () => {
  /** Reads a value that it does not import, as Ruby's constants are read. */
  const READER = "const b = globalThis.B ?? 0;\nexport const answer = () => b;\n";
  const sets = (n: number) => `globalThis.B = ${n};\n`;

  test("a change of the dependency loads its dependents after it, along a chain", async () => {
    await using app = new TranscribedApp(
      { "app.js": READER, "mod.js": sets(1) },
      { require: ["mod.js"], depend: { "mod.js": ["app.js"] } },
    );
    assert.equal(await app.answer(), 1);
    app.write("mod.js", sets(2));
    assert.equal(await app.answer(), 2);
    app.write("mod2.js", "globalThis.C = 3;\n");
    app.write("mod.js", "globalThis.B = globalThis.C;\n");
    app.supervisor.recordDependency("mod2.js", "mod.js");
    await app.supervisor.require("mod2.js");
    assert.equal(await app.answer(), 3);
    app.write("mod2.js", "globalThis.C = 4;\n");
    assert.equal(await app.answer(), 4);
    assert.deepEqual(app.transcript(), [
      "loaded mod.js",
      "loaded app.js",
      "mod.js has changed",
      "purged app.js",
      "purged mod.js",
      "loaded mod.js",
      "loaded app.js <- mod.js",
      reloaded(2, 2, 2, "mod.js"),
      "mod.js has changed",
      "purged app.js",
      "purged mod.js",
      "loaded mod2.js",
      "loaded mod.js",
      "loaded app.js <- mod.js",
      reloaded(3, 3, 3, "mod.js"),
      "mod2.js has changed",
      "purged app.js",
      "purged mod.js",
      "purged mod2.js",
      "loaded mod2.js",
      "loaded mod.js <- mod2.js",
      "loaded app.js <- mod.js <- mod2.js",
      reloaded(3, 3, 4, "mod2.js"),
    ]);
  });

  test("folders are dependencies and dependents", async () => {
    await using app = new TranscribedApp({ "app.js": READER, "sub/mod.js": sets(1) });
    await app.supervisor.require("sub");
    app.supervisor.recordDependency("sub", "app.js");
    assert.equal(await app.answer(), 1);
    app.write("sub/mod.js", sets(2));
    assert.equal(await app.answer(), 2);
    app.write("sub/mod.js", "globalThis.B = globalThis.C;\n");
    app.write("sub2/mod2.js", "globalThis.C = 3;\n");
    await app.supervisor.require("sub2/mod2.js");
    app.supervisor.recordDependency("sub2/mod2.js", "sub");
    app.append("sub/mod.js", "// after sub2\n");
    assert.equal(await app.answer(), 3);
    app.write("sub2/mod2.js", "globalThis.C = 4;\n");
    assert.equal(await app.answer(), 4);
    assert.deepEqual(app.transcript(), [
      "loaded sub/mod.js",
      "loaded app.js",
      "sub/mod.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "loaded sub/mod.js",
      "loaded app.js <- sub/mod.js",
      reloaded(2, 2, 2, "sub/mod.js"),
      "sub/mod.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "loaded sub/mod.js",
      "loaded sub2/mod2.js",
      "loaded app.js <- sub/mod.js",
      reloaded(3, 3, 3, "sub/mod.js"),
      "sub/mod.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "loaded sub/mod.js",
      "loaded app.js <- sub/mod.js",
      reloaded(2, 3, 4, "sub/mod.js"),
      "sub2/mod2.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "purged sub2/mod2.js",
      "loaded sub2/mod2.js",
      "loaded sub/mod.js <- sub2/mod2.js",
      "loaded app.js <- sub/mod.js <- sub2/mod2.js",
      reloaded(3, 3, 5, "sub2/mod2.js"),
    ]);
  });

  test("folders in which files come and go later", async () => {
    await using app = new TranscribedApp({ "app.js": READER, "sub/.keep": "", "sub2/.keep": "" });
    app.supervisor.recordDependency("sub", "app.js");
    app.supervisor.recordDependency("sub2", "sub");
    await app.supervisor.require("sub");
    await app.supervisor.require("sub2");
    assert.equal(await app.answer(), 0);
    app.write("sub/mod.js", sets(1));
    assert.equal(await app.answer(), 1);
    app.write("sub/mod.js", sets(2));
    assert.equal(await app.answer(), 2);
    app.write("sub2/mod2.js", "globalThis.C = 3;\n");
    assert.equal(await app.answer(), 2);
    app.write("sub/mod.js", "globalThis.B = globalThis.C;\n");
    assert.equal(await app.answer(), 3);
    app.write("sub2/mod2.js", "globalThis.C = 4;\n");
    assert.equal(await app.answer(), 4);
    app.remove("sub/mod.js");
    assert.equal(await app.answer(), 0);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "sub/mod.js was added",
      "purged app.js",
      "loaded sub/mod.js",
      "loaded app.js <- sub/mod.js",
      reloaded(2, 2, 2, "sub/mod.js"),
      "sub/mod.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "loaded sub/mod.js",
      "loaded app.js <- sub/mod.js",
      reloaded(2, 2, 3, "sub/mod.js"),
      "sub2/mod2.js was added",
      "purged app.js",
      "purged sub/mod.js",
      "loaded sub2/mod2.js",
      "loaded sub/mod.js <- sub2/mod2.js",
      "loaded app.js <- sub/mod.js <- sub2/mod2.js",
      reloaded(3, 3, 4, "sub2/mod2.js"),
      "sub/mod.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "loaded sub/mod.js",
      "loaded app.js <- sub/mod.js",
      reloaded(2, 3, 5, "sub/mod.js"),
      "sub2/mod2.js has changed",
      "purged app.js",
      "purged sub/mod.js",
      "purged sub2/mod2.js",
      "loaded sub2/mod2.js",
      "loaded sub/mod.js <- sub2/mod2.js",
      "loaded app.js <- sub/mod.js <- sub2/mod2.js",
      reloaded(3, 3, 6, "sub2/mod2.js"),
      "sub/mod.js was deleted",
      "purged app.js",
      "purged sub/mod.js",
      "loaded app.js <- sub/mod.js",
      reloaded(1, 2, 7, "sub/mod.js"),
    ]);
  });

  test("a dependency may be no code at all (Ruby: code alone)", async () => {
    await using app = new TranscribedApp(
      { "app.js": "const n = Math.random();\nexport const answer = () => n;\n", "note.txt": "1\n" },
      { depend: { "note.txt": ["app.js"] } },
    );
    const first = await app.answer();
    app.transcript();
    app.write("note.txt", "2\n");
    assert.notEqual(await app.answer(), first);
    assert.deepEqual(app.transcript(), [
      "note.txt has changed",
      "purged app.js",
      "loaded app.js <- note.txt",
      reloaded(1, 1, 2, "note.txt"),
    ]);
  });

  test("nothing is recorded with reload: false", async () => {
    await using app = new TranscribedApp({ "app.js": READER }, { reload: false });
    assert.equal(await app.answer(), 0);
    assert.equal(app.supervisor.recordDependency("a.js", "app.js"), undefined);
    assert.equal(app.supervisor.recordSplitClass("app.js", "parts"), undefined);
    assert.equal((await app.supervisor.reload()).kind, "unchanged");
  });
});

describe("rack-unreloader: split classes", { skip: plainMode }, () => {
  test("a class is loaded as a whole, whatever part changes, comes or goes", async () => {
    await using app = new TranscribedApp(
      {
        "app.js": `import { unreloader } from "unreloader/app";
import { App } from "./class.js";
unreloader.recordSplitClass("./class.js", "./dir");
export const answer = () => Number([App.a?.() ?? "", App.b?.() ?? "", 1].join(""));
`,
        "class.js": `import { unreloader } from "unreloader/app";
globalThis.App = class App {};
export const App = globalThis.App;
await unreloader.require("./dir");
`,
        "dir/.keep": "",
      },
      { packages: ["unreloader"] },
    );
    const part = (name: string, n: number) => `globalThis.App.${name} = () => ${n};\n`;
    assert.equal(await app.answer(), 1);
    app.write("dir/appa.js", part("a", 2));
    assert.equal(await app.answer(), 21);
    app.write("dir/appa.js", part("a", 3));
    assert.equal(await app.answer(), 31);
    app.write("dir/appb.js", part("b", 4));
    assert.equal(await app.answer(), 341);
    app.write("dir/appa.js", part("a", 5));
    app.write("dir/appb.js", part("b", 6));
    assert.equal(await app.answer(), 561);
    app.write("dir/appa.js", "export {};\n");
    assert.equal(await app.answer(), 61);
    app.remove("dir/appb.js");
    assert.equal(await app.answer(), 1);
    assert.deepEqual(app.transcript(), [
      "loaded class.js",
      "found class App in class.js",
      "loaded app.js",
      "dir/appa.js was added",
      "purged class.js",
      "removed class App of class.js",
      "loaded dir/appa.js",
      "loaded class.js <- dir/appa.js",
      "found class App in class.js",
      reloaded(2, 3, 2, "dir/appa.js"),
      "dir/appa.js has changed",
      "purged class.js",
      "removed class App of class.js",
      "purged dir/appa.js",
      "loaded dir/appa.js",
      "loaded class.js <- dir/appa.js",
      "found class App in class.js",
      reloaded(2, 3, 3, "dir/appa.js"),
      "dir/appb.js was added",
      "purged class.js",
      "removed class App of class.js",
      "purged dir/appa.js",
      "loaded dir/appa.js <- class.js <- dir/appb.js",
      "loaded dir/appb.js",
      "loaded class.js <- dir/appb.js",
      "found class App in class.js",
      reloaded(3, 4, 4, "dir/appb.js"),
      "dir/appa.js has changed",
      "dir/appb.js has changed",
      "purged class.js",
      "removed class App of class.js",
      "purged dir/appb.js",
      "purged dir/appa.js",
      "loaded dir/appa.js",
      "loaded dir/appb.js",
      "loaded class.js <- dir/appa.js",
      "found class App in class.js",
      reloaded(3, 4, 5, "dir/appa.js, dir/appb.js"),
      "dir/appa.js has changed",
      "purged class.js",
      "removed class App of class.js",
      "purged dir/appb.js",
      "purged dir/appa.js",
      "loaded dir/appa.js",
      "loaded dir/appb.js <- class.js <- dir/appa.js",
      "loaded class.js <- dir/appa.js",
      "found class App in class.js",
      reloaded(3, 4, 6, "dir/appa.js"),
      "dir/appb.js was deleted",
      "purged class.js",
      "removed class App of class.js",
      "purged dir/appb.js",
      "purged dir/appa.js",
      "loaded dir/appa.js <- class.js <- dir/appb.js",
      "loaded class.js <- dir/appb.js",
      "found class App in class.js",
      reloaded(2, 3, 7, "dir/appb.js"),
    ]);
  });
});
