/** The file registry on a real file system, with real events: what a check finds after what happened to files. */
import assert from "node:assert/strict";
import { chmodSync, closeSync, openSync, statSync, symlinkSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { hashSource, largeMark } from "../../src/common/compile/hash.js";
import type { FileChange } from "../../src/files/change-batch.js";
import { FileRegistry, type FileRegistryOptions } from "../../src/files/registry.js";
import { within } from "../support/deadline.js";
import { watchLeftovers } from "../support/leftovers.js";
import { TempApp } from "../support/temp-app.js";

/** An app whose files are all tracked. */
class Tracked implements AsyncDisposable {
  readonly app: TempApp;
  readonly registry: FileRegistry;
  readonly warnings: string[] = [];
  staleCalls = 0;
  #onStale: () => void = () => {};

  constructor(files: Readonly<Record<string, string>>, options: Partial<FileRegistryOptions> = {}) {
    this.app = new TempApp(files);
    this.registry = new FileRegistry({
      root: this.app.folder,
      mode: "events",
      ignore: [],
      probeFolder: this.app.path("node_modules/.cache/probe"),
      onStale: () => {
        this.staleCalls++;
        this.#onStale();
      },
      onWarning: (message) => this.warnings.push(message),
      ...options,
    });
    this.track(...Object.keys(files));
  }

  static async ready(
    files: Readonly<Record<string, string>>,
    options: Partial<FileRegistryOptions> = {},
  ): Promise<Tracked> {
    const tracked = new Tracked(files, options);
    await tracked.watched();
    assert.deepEqual(tracked.registry.check(), []);
    return tracked;
  }

  /** Resolves when all watches stand, in a phase of the event loop after which it looks for events before the next turn. */
  async watched(): Promise<void> {
    await within(this.registry.ready(), "the watches");
    await nextTurn();
  }

  track(...files: string[]): void {
    this.registry.track(
      files.map((file) => ({ file: this.app.path(file), hash: hashSource(Buffer.from(this.app.read(file))) })),
    );
  }

  trackFolders(...folders: string[]): void {
    this.registry.trackFolders(folders.map((folder) => this.app.path(folder)));
  }

  /** What a request sees that comes one turn of the event loop after the last write. */
  async changes(): Promise<string[]> {
    await nextTurn();
    return this.registry.stale() ? this.show(this.registry.check()) : [];
  }

  show(changes: readonly FileChange[]): string[] {
    return changes.map(({ file, kind }) => `${kind} ${path.relative(this.app.folder, file)}`).sort();
  }

  /** Resolves at the next mark. */
  async nextMark(): Promise<void> {
    await within(
      new Promise<void>((resolve) => {
        this.#onStale = resolve;
      }),
      "a mark",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close();
    await this.app[Symbol.asyncDispose]();
  }
}

const isPrompt = process.platform === "linux";

/** `events` where they are prompt enough for a request; elsewhere events and a look, as `auto` finds out by itself. */
const modes: readonly FileRegistryOptions["mode"][] = isPrompt ? ["events", "poll", "auto"] : ["poll", "auto"];

for (const mode of modes) {
  const behaves = (
    name: string,
    run: (t: (files: Readonly<Record<string, string>>) => Promise<Tracked>) => Promise<void>,
  ) => test(`${mode}: ${name}`, async () => run((files) => Tracked.ready(files, { mode })));

  behaves("a saved file is changed, once", async (start) => {
    await using tracked = await start({ "a.js": "1", "b.js": "1" });
    tracked.app.write("a.js", "2");
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
    assert.deepEqual(await tracked.changes(), []);
    assert.equal(tracked.registry.stale(), false);
  });

  behaves("an atomic save is a change, and its temporary file is none", async (start) => {
    await using tracked = await start({ "src/a.js": "1" });
    tracked.trackFolders("src");
    tracked.app.writeAtomically("src/a.js", "2");
    assert.deepEqual(await tracked.changes(), ["changed src/a.js"]);
  });

  behaves("a touch, a save of the same text and a chmod are no change", async (start) => {
    await using tracked = await start({ "a.js": "1", "b.js": "1", "c.js": "1" });
    utimesSync(tracked.app.path("a.js"), new Date(), new Date());
    tracked.app.write("b.js", "1");
    chmodSync(tracked.app.path("c.js"), 0o600);
    assert.deepEqual(await tracked.changes(), []);
  });

  behaves("a change with its mtime set back is found", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    utimesSync(tracked.app.path("a.js"), 1000, 1000);
    assert.deepEqual(await tracked.changes(), []);
    tracked.app.write("a.js", "2");
    utimesSync(tracked.app.path("a.js"), 1000, 1000);
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
  });

  behaves("two saves of equal size within one tick of the file system's clock are two changes", async (start) => {
    await using tracked = await start({ "a.js": "0" });
    for (let round = 1; round < 100; round++) {
      tracked.app.write("a.js", String(round % 10));
      assert.deepEqual(await tracked.changes(), ["changed a.js"], `round ${round}`);
    }
  });

  behaves("going back to an earlier text is a change", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    tracked.app.write("a.js", "(");
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
    tracked.app.write("a.js", "1");
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
  });

  behaves("a deleted file is deleted, and added when it comes back", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    tracked.app.remove("a.js");
    assert.deepEqual(await tracked.changes(), ["deleted a.js"]);
    tracked.app.write("a.js", "1");
    assert.deepEqual(await tracked.changes(), ["added a.js"]);
  });

  behaves(
    "a file that was deleted and written again between two checks is a change only if its text is another",
    async (start) => {
      await using tracked = await start({ "a.js": "1", "b.js": "1" });
      for (const [file, text] of [
        ["a.js", "1"],
        ["b.js", "2"],
      ] as const) {
        tracked.app.remove(file);
        tracked.app.write(file, text);
      }
      assert.deepEqual(await tracked.changes(), ["changed b.js"]);
    },
  );

  behaves("a file replaced by a folder is deleted", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    tracked.app.remove("a.js");
    tracked.app.write("a.js/index.js", "1");
    assert.deepEqual(await tracked.changes(), ["deleted a.js"]);
  });

  behaves("x.js that becomes x/index.js is deleted there and added here", async (start) => {
    await using tracked = await start({ "src/x.js": "1", "src/main.js": "1" });
    tracked.trackFolders("src", "src/x", "src/x.js");
    tracked.app.rename("src/x.js", "src/x/index.js");
    assert.deepEqual(await tracked.changes(), ["added src/x/index.js", "deleted src/x.js"]);
  });

  behaves("a file in a folder made where a lookup failed is added", async (start) => {
    await using tracked = await start({ "src/main.js": "1" });
    tracked.trackFolders("src/models/user", "lib");
    assert.deepEqual(await tracked.changes(), []);
    tracked.app.write("src/models/user/index.js", "1");
    tracked.app.write("lib/x.js", "1");
    assert.deepEqual(await tracked.changes(), ["added lib/x.js", "added src/models/user/index.js"]);
    tracked.app.write("src/models/user/more.js", "1");
    assert.deepEqual(await tracked.changes(), ["added src/models/user/more.js"]);
  });

  behaves("a file added to a folder where lookups pass is added, once, and again after it was gone", async (start) => {
    await using tracked = await start({ "src/main.js": "1" });
    tracked.trackFolders("src");
    tracked.app.write("src/x.js", "1");
    assert.deepEqual(await tracked.changes(), ["added src/x.js"]);
    tracked.app.write("src/x.js", "2");
    assert.deepEqual(await tracked.changes(), []);
    tracked.app.remove("src/x.js");
    assert.deepEqual(await tracked.changes(), []);
    tracked.app.write("src/x.js", "3");
    assert.deepEqual(await tracked.changes(), ["added src/x.js"]);
  });

  behaves(
    "files of folders that come into a folder where lookups pass are added, node_modules left out",
    async (start) => {
      await using tracked = await start({ "src/main.js": "1" });
      tracked.trackFolders("src");
      tracked.app.write("src/new/deep/x.js", "1");
      tracked.app.write("src/node_modules/p/index.js", "1");
      assert.deepEqual(await tracked.changes(), ["added src/new/deep/x.js"]);
    },
  );

  behaves("a file in a folder that nobody asked for is not reported", async (start) => {
    await using tracked = await start({ "src/main.js": "1" });
    tracked.app.write("src/other.js", "1");
    assert.deepEqual(await tracked.changes(), []);
  });

  behaves("a removed folder deletes its files; made again, they are added and watched", async (start) => {
    await using tracked = await start({ "src/a/b/x.js": "1", "src/a/y.js": "1", "main.js": "1" });
    tracked.app.remove("src/a");
    assert.deepEqual(await tracked.changes(), ["deleted src/a/b/x.js", "deleted src/a/y.js"]);
    tracked.app.write("src/a/b/x.js", "1");
    assert.deepEqual(await tracked.changes(), ["added src/a/b/x.js"]);
    await tracked.watched();
    tracked.app.write("src/a/b/x.js", "2");
    tracked.app.write("src/a/y.js", "2");
    assert.deepEqual(await tracked.changes(), ["added src/a/y.js", "changed src/a/b/x.js"]);
  });

  behaves("a folder removed and made again between two checks is watched as the new one", async (start) => {
    await using tracked = await start({ "src/a/x.js": "1" });
    tracked.app.remove("src/a");
    tracked.app.write("src/a/x.js", "1");
    assert.deepEqual(await tracked.changes(), []);
    await tracked.watched();
    tracked.app.write("src/a/x.js", "2");
    assert.deepEqual(await tracked.changes(), ["changed src/a/x.js"]);
  });

  behaves("a folder moved away deletes its files, and moved back it is watched", async (start) => {
    await using tracked = await start({ "src/a/b/x.js": "1" });
    tracked.app.rename("src", "moved");
    assert.deepEqual(await tracked.changes(), ["deleted src/a/b/x.js"]);
    tracked.app.write("moved/a/b/x.js", "2");
    assert.deepEqual(await tracked.changes(), []);
    tracked.app.rename("moved", "src");
    assert.deepEqual(await tracked.changes(), ["added src/a/b/x.js"]);
    await tracked.watched();
    tracked.app.write("src/a/b/x.js", "3");
    assert.deepEqual(await tracked.changes(), ["changed src/a/b/x.js"]);
  });

  behaves("a folder put in the place of another changes what differs", async (start) => {
    await using tracked = await start({ "src/x.js": "1", "src/y.js": "1" });
    tracked.app.write("next/x.js", "1");
    tracked.app.write("next/y.js", "2");
    tracked.app.rename("src", "old");
    tracked.app.rename("next", "src");
    assert.deepEqual(await tracked.changes(), ["changed src/y.js"]);
    await tracked.watched();
    tracked.app.write("src/x.js", "3");
    assert.deepEqual(await tracked.changes(), ["changed src/x.js"]);
  });

  behaves("500 files saved together are one batch", async (start) => {
    const files = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`src/d${index % 20}/f${index}.js`, "1"]),
    );
    await using tracked = await start(files);
    for (const file of Object.keys(files)) tracked.app.write(file, "2");
    assert.equal((await tracked.changes()).length, 500);
    assert.deepEqual(await tracked.changes(), []);
  });

  behaves("a file renamed to other letter case is found under its new name only", async (start) => {
    await using tracked = await start({ "src/user.js": "1" });
    if (isCaseInsensitive(tracked.app)) return;
    tracked.trackFolders("src");
    tracked.app.rename("src/user.js", "src/User.js");
    assert.deepEqual(await tracked.changes(), ["added src/User.js", "deleted src/user.js"]);
  });

  behaves("names with spaces and other letters are watched", async (start) => {
    await using tracked = await start({ "a b/mönster 文.js": "1" });
    tracked.app.write("a b/mönster 文.js", "2");
    assert.deepEqual(await tracked.changes(), ["changed a b/mönster 文.js"]);
  });

  behaves("a file that was saved between being compiled and being tracked is changed", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    tracked.app.write("b.js", "2");
    tracked.app.write("new/c.js", "2");
    for (const file of ["b.js", "new/c.js"])
      tracked.registry.track([{ file: tracked.app.path(file), hash: hashSource(Buffer.from("1")) }]);
    assert.deepEqual(await tracked.changes(), ["changed b.js", "changed new/c.js"]);
  });

  behaves("a file compiled from a newer text than was reported is not reported again", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    tracked.app.write("a.js", "2");
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
    tracked.app.write("a.js", "3");
    tracked.track("a.js");
    assert.deepEqual(await tracked.changes(), []);
  });

  behaves("an untracked file is not reported", async (start) => {
    await using tracked = await start({ "a.js": "1", "src/b.js": "1" });
    tracked.registry.untrack([tracked.app.path("a.js"), tracked.app.path("src/b.js"), tracked.app.path("unknown.js")]);
    tracked.app.write("a.js", "2");
    tracked.app.remove("src");
    assert.deepEqual(await tracked.changes(), []);
  });

  behaves("config files are of the kind config, whatever happens to them, existing or not", async (start) => {
    await using tracked = await start({ "a.js": "1", "tsconfig.json": "{}" });
    tracked.registry.trackConfig(
      [".env", "package.json", "tsconfig.json", "deep/package.json"].map((file) => tracked.app.path(file)),
    );
    assert.deepEqual(await tracked.changes(), []);
    tracked.app.write(".env", "A=1");
    tracked.app.write("tsconfig.json", "{ }");
    tracked.app.remove("package.json");
    assert.deepEqual(await tracked.changes(), ["config .env", "config package.json", "config tsconfig.json"]);
    tracked.app.write("deep/package.json", "{}");
    assert.deepEqual(await tracked.changes(), ["config deep/package.json"]);
  });

  behaves("a config file that is a symbolic link changes with its target", async (start) => {
    await using tracked = await start({ "shared/env": "A=1" });
    tracked.registry.untrack([tracked.app.path("shared/env")]);
    symlinkSync("shared/env", tracked.app.path(".env"));
    tracked.registry.trackConfig([tracked.app.path(".env")]);
    await tracked.watched();
    tracked.app.write("shared/env", "A=2");
    assert.ok((await tracked.changes()).includes("config shared/env"));
  });

  behaves("files outside of the root are watched", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    await using other = new TempApp({ "lib/x.js": "1" });
    tracked.registry.track([{ file: other.path("lib/x.js"), hash: hashSource(Buffer.from("1")) }]);
    await tracked.watched();
    other.write("lib/x.js", "2");
    await nextTurn();
    assert.deepEqual(
      tracked.registry.check().map(({ kind }) => kind),
      ["changed"],
    );
  });

  behaves("a file is reported that nobody may read, and again when it may be read", async (start) => {
    await using tracked = await start({ "a.js": "1" });
    if (process.getuid?.() === 0 || process.platform === "win32") return;
    tracked.app.write("a.js", "2");
    chmodSync(tracked.app.path("a.js"), 0);
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
    chmodSync(tracked.app.path("a.js"), 0o644);
    assert.deepEqual(await tracked.changes(), ["changed a.js"]);
  });

  behaves("2,000 writes, each followed by one turn of the event loop and a check: none is missed", async (start) => {
    await using tracked = await start({ "src/a.js": "", "src/b.js": "", "lib/c.js": "" });
    const names = ["src/a.js", "src/b.js", "lib/c.js"];
    await nextTurn();
    for (let round = 0; round < 2000; round++) {
      const name = names[round % names.length] ?? "";
      const text = String(round).padStart(4, "0");
      if (round % 5 === 4) tracked.app.writeAtomically(name, text);
      else tracked.app.write(name, text);
      assert.deepEqual(await tracked.changes(), [`changed ${name}`], `write ${round}`);
    }
  });

  behaves("after close nothing is left, and closing again is no harm", async () => {
    const leftovers = watchLeftovers();
    const tracked = new Tracked({ "a/b/c.js": "1", "d.js": "1" }, { mode });
    await tracked.registry.close();
    await tracked.registry.close();
    await leftovers.check();
    await tracked.app[Symbol.asyncDispose]();
    const started = await Tracked.ready({ "a/b/c.js": "1", "d.js": "1" }, { mode });
    started.app.write("d.js", "2");
    await started[Symbol.asyncDispose]();
    await leftovers.check();
  });
}

test("before the watches stand, saved files are found all the same", async () => {
  await using tracked = new Tracked({ "a.js": "1", "src/b.js": "1" });
  tracked.app.write("a.js", "2");
  assert.deepEqual(tracked.show(tracked.registry.check()), ["changed a.js"]);
  tracked.app.write("src/b.js", "2");
  assert.ok(tracked.registry.stale());
  assert.deepEqual(tracked.show(tracked.registry.check()), ["changed src/b.js"]);
});

test("ignored files are not monitored", async () => {
  await using tracked = await Tracked.ready(
    { "a.js": "1", "src/gen/b.js": "1", "src/c.test.js": "1" },
    { ignore: ["src/gen", "**/*.test.js"] },
  );
  tracked.trackFolders("src", "src/gen");
  for (const file of ["src/gen/b.js", "src/c.test.js", "src/gen/new.js", "src/new.test.js"])
    tracked.app.write(file, "2");
  assert.deepEqual(await tracked.changes(), []);
  tracked.app.write("src/new.js", "2");
  tracked.app.write("a.js", "2");
  assert.deepEqual(await tracked.changes(), ["added src/new.js", "changed a.js"]);
});

test("a mark is told at once, without a request", async () => {
  await using tracked = await Tracked.ready({ "a.js": "1" }, { mode: "auto" });
  const marked = tracked.nextMark();
  tracked.app.write("a.js", "2");
  await marked;
  assert.deepEqual(tracked.show(tracked.registry.check()), ["changed a.js"]);
});

test("without events, changes are found in the background", async () => {
  await using tracked = await Tracked.ready({ "a.js": "1" }, { mode: "poll" });
  const marked = tracked.nextMark();
  tracked.app.write("a.js", "2");
  await marked;
  assert.deepEqual(tracked.show(tracked.registry.check()), ["changed a.js"]);
});

test("within the cooldown nothing is stale, after it everything is noticed", async () => {
  let now = Date.now();
  await using tracked = await Tracked.ready({ "a.js": "1" }, { cooldownMs: 1000, clock: () => now });
  tracked.app.write("a.js", "2");
  assert.deepEqual(await tracked.changes(), []);
  now += 1001;
  assert.deepEqual(await tracked.changes(), ["changed a.js"]);
});

test("a file that is emptied and then written, as editors save, is checked when it has text again", async () => {
  await using tracked = await Tracked.ready({ "a.js": "1", "b.js": "1" });
  const open = openSync(tracked.app.path("a.js"), "w");
  tracked.app.rename("b.js", "b.js~");
  await nextTurn();
  const checked = tracked.registry.checkWhenSaved();
  await nextTurn();
  writeSync(open, "2");
  closeSync(open);
  tracked.app.write("b.js", "2");
  assert.deepEqual(tracked.show(await within(checked, "the check")), ["changed a.js", "changed b.js"]);
  assert.deepEqual(await tracked.changes(), []);
});

test("a file that stays empty, or gone, is believed after a while", async () => {
  await using tracked = await Tracked.ready({ "a.js": "1", "b.js": "1" });
  tracked.app.write("a.js", "");
  tracked.app.remove("b.js");
  await nextTurn();
  assert.deepEqual(tracked.show(await within(tracked.registry.checkWhenSaved(), "the check")), [
    "changed a.js",
    "deleted b.js",
  ]);
});

test("a check that trusts no event finds what has changed in this very turn", async () => {
  await using tracked = await Tracked.ready({ "a.js": "1" });
  tracked.trackFolders(".");
  tracked.app.write("a.js", "2");
  tracked.app.write("b.js", "2");
  tracked.registry.markAll();
  assert.deepEqual(tracked.show(tracked.registry.check()), ["added b.js", "changed a.js"]);
});

function isCaseInsensitive(app: TempApp): boolean {
  app.write("case", "");
  try {
    return app.read("CASE") === "";
  } catch {
    return false;
  }
}

test("a large file that is code for one and data for the other has changed only when it was written", async () => {
  await using tracked = await Tracked.ready({ "large.json": "1" });
  const file = tracked.app.path("large.json");
  writeFileSync(file, Buffer.alloc(17 * 2 ** 20, " "));
  assert.deepEqual(await tracked.changes(), ["changed large.json"]);
  const asCode = (): void => tracked.track("large.json");
  const asData = (): void => {
    const { size, mtimeMs } = statSync(file);
    tracked.registry.track([{ file, hash: largeMark(size, mtimeMs) }]);
  };
  for (const take of [asData, asCode, asData]) {
    take();
    assert.deepEqual(await tracked.changes(), []);
  }
  // Not its text.
  utimesSync(file, 1, 1);
  assert.deepEqual(await tracked.changes(), ["changed large.json"]);
  asCode();
  utimesSync(file, 2, 2);
  assert.deepEqual(await tracked.changes(), []);
});
