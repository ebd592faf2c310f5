/**
 * What Ruby's rack-unreloader promises about autoload, one test for each example of its spec and README, by whole
 * transcripts. A comment says where we differ on purpose.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode } from "../support/served-app.js";
import { TranscribedApp, type TranscribedOptions } from "../support/transcribed-app.js";

/** Answers with the names that there are, and with the values of those that it is asked for. */
const AUTOLOADS = `import { unreloader } from "unreloader/app";
import { basename } from "node:path";
const app = unreloader.autoload("./dir", (file) => basename(file, ".js").toUpperCase());
export const answer = (...names) => [Object.keys(app).sort().join(""), ...names.map((name) => app[name])];
export const autoloading = () => [unreloader.autoloading, unreloader.reloading];
`;
const reloaded = (loaded: number, modules: number, generation: number, files: string): string =>
  `info reloaded ${loaded} of ${modules} modules in N ms (generation ${generation}): ${files} changed`;
const value = (name: string, n: number) => `export const ${name} = ${n};\n`;

function autoloadApp(files: Readonly<Record<string, string>>, options: TranscribedOptions = {}): TranscribedApp {
  return new TranscribedApp(
    { "app.js": AUTOLOADS, "dir/.keep": "", ...files },
    { packages: ["unreloader"], ...options },
  );
}

describe("rack-unreloader: autoload", { skip: plainMode }, () => {
  test("files are loaded when they are first read, and reloaded from then on", async () => {
    await using app = autoloadApp({ "dir/a.js": value("A", 1), "dir/b.js": value("B", 3) });
    assert.deepEqual(await app.answer(), ["AB"]);
    assert.deepEqual(await app.answer("A"), ["AB", 1]);
    app.write("dir/a.js", value("A", 2));
    app.write("dir/b.js", value("B", 4));
    assert.deepEqual(await app.answer("A"), ["AB", 2]);
    assert.deepEqual(await app.answer("A", "B"), ["AB", 2, 4]);
    app.write("dir/a.js", value("A", 3));
    app.write("dir/b.js", value("B", 6));
    assert.deepEqual(await app.answer("A", "B"), ["AB", 3, 6]);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "loaded dir/a.js when it was first used",
      "dir/a.js has changed",
      "dir/b.js has changed",
      "purged dir/a.js",
      "loaded dir/a.js",
      reloaded(1, 2, 2, "dir/a.js, dir/b.js"),
      "loaded dir/b.js when it was first used",
      "dir/a.js has changed",
      "dir/b.js has changed",
      "purged dir/b.js",
      "purged dir/a.js",
      "loaded dir/a.js",
      "loaded dir/b.js",
      reloaded(2, 3, 3, "dir/a.js, dir/b.js"),
    ]);
  });

  test("files that come to the folder bring their names, and files that go take them", async () => {
    await using app = autoloadApp({});
    assert.deepEqual(await app.answer(), [""]);
    app.write("dir/a.js", value("A", 1));
    assert.deepEqual(await app.answer(), ["A"]);
    app.write("dir/b.js", value("B", 3));
    assert.deepEqual(await app.answer("A"), ["AB", 1]);
    app.remove("dir/b.js");
    assert.deepEqual(await app.answer("A"), ["A", 1]);
    app.write("dir/b.js", value("B", 7));
    assert.deepEqual(await app.answer("B"), ["AB", 7]);
    app.remove("dir/b.js");
    assert.deepEqual(await app.answer("A"), ["A", 1]);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "loaded dir/a.js when it was first used",
      "loaded dir/b.js when it was first used",
      "dir/b.js was deleted",
      "purged dir/b.js",
      reloaded(0, 2, 2, "dir/b.js"),
    ]);
  });

  test("without reload files are loaded when they are first read, and never again", async () => {
    await using app = autoloadApp({ "dir/a.js": value("A", 1), "dir/b.js": value("B", 3) }, { reload: false });
    assert.deepEqual(await app.answer("A"), ["AB", 1]);
    app.write("dir/a.js", value("A", 2));
    app.write("dir/b.js", value("B", 4));
    assert.deepEqual(await app.answer("A", "B"), ["AB", 1, 4]);
    app.write("dir/b.js", value("B", 6));
    assert.deepEqual(await app.answer("A", "B"), ["AB", 1, 4]);
    assert.deepEqual(app.transcript(), []);
  });

  test("without reload and without a logger", async () => {
    const quiet = { reload: false, logger: false, logLevel: "silent" } as const;
    await using app = autoloadApp({ "dir/a.js": value("A", 1) }, quiet);
    assert.deepEqual(await app.answer("A"), ["A", 1]);
    assert.deepEqual(app.transcript(), []);
  });

  test("with autoload: false files are required at once, and reloaded", async () => {
    await using app = autoloadApp({ "dir/a.js": value("A", 1), "dir/b.js": value("B", 3) }, { autoload: false });
    assert.deepEqual(await app.answer("A"), ["AB", 1]);
    app.write("dir/a.js", value("A", 2));
    assert.deepEqual(await app.answer("A", "B"), ["AB", 2, 3]);
    assert.deepEqual(app.transcript(), [
      "loaded dir/a.js",
      "loaded dir/b.js",
      "loaded app.js",
      "dir/a.js has changed",
      "purged dir/a.js",
      "loaded dir/a.js",
      reloaded(1, 3, 2, "dir/a.js"),
    ]);
  });

  test("with autoload: false and without reload files are required at once, and never again", async () => {
    const options = { autoload: false, reload: false };
    await using app = autoloadApp({ "dir/a.js": value("A", 1), "dir/b.js": value("B", 3) }, options);
    assert.deepEqual(await app.answer("A", "B"), ["AB", 1, 3]);
    app.write("dir/a.js", value("A", 2));
    app.write("dir/b.js", value("B", 4));
    assert.deepEqual(await app.answer("A", "B"), ["AB", 1, 3]);
    assert.deepEqual(app.transcript(), []);
  });

  test("the app is told in which of the four ways it runs (Ruby: autoload?, reload?)", async () => {
    for (const autoload of [true, false]) {
      for (const reload of [true, false]) {
        await using app = autoloadApp({}, { autoload, reload });
        assert.deepEqual(await app.supervisor.call("autoloading"), [autoload, reload]);
      }
    }
  });

  test("a file that something else has loaded is reloaded like one that was read", async () => {
    await using app = autoloadApp({
      "app.js": `${AUTOLOADS}export const load = async () => (await import("./dir/a.js")).A;\n`,
      "dir/a.js": value("A", 1),
    });
    assert.deepEqual(await app.answer(), ["A"]);
    app.write("dir/a.js", value("A", 2));
    assert.deepEqual(await app.answer(), ["A"]);
    assert.equal(await app.supervisor.call("load"), 2);
    app.write("dir/a.js", value("A", 3));
    assert.deepEqual(await app.answer("A"), ["A", 3]);
    assert.equal(await app.supervisor.call("load"), 3);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "loaded dir/a.js when it was first used",
      "dir/a.js has changed",
      "purged dir/a.js",
      reloaded(0, 1, 2, "dir/a.js"),
      "loaded dir/a.js when it was first used",
    ]);
  });

  test("a file that is deleted before anybody reads it was never loaded", async () => {
    await using app = autoloadApp({ "dir/a.js": value("A", 1) });
    assert.deepEqual(await app.answer(), ["A"]);
    app.remove("dir/a.js");
    assert.deepEqual(await app.answer(), [""]);
    assert.deepEqual(app.transcript(), ["loaded app.js"]);
  });

  // Ruby: a constant's name. Here any name of a property will do, `a` too: nothing is to be logged or ignored.
  test("any name is valid, and a target of one's own can be given", async () => {
    await using app = autoloadApp({
      "app.js": `import { unreloader } from "unreloader/app";
unreloader.autoload("./dir", () => ["a", "with space"], globalThis);
export const answer = () => [globalThis.a, globalThis["with space"]];
`,
      "dir/a.js": "export default 1;\n",
    });
    assert.deepEqual(await app.answer(), [1, 1]);
  });

  test("the names must be given", async () => {
    const text = `import { unreloader } from "unreloader/app";
let code;
try {
  unreloader.autoload("./dir");
} catch (error) {
  ({ code } = error);
}
export const answer = () => code;
`;
    for (const reload of [true, false]) {
      await using app = autoloadApp({ "app.js": text }, { reload });
      assert.equal(await app.answer(), "ERR_UNRELOADER_ARGUMENT");
    }
  });
});
