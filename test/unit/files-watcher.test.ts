/** Watching folders, and what is done where events are late, lost or refused. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { probeEvents } from "../../src/files/event-probe.js";
import { folderAbove } from "../../src/files/folder.js";
import { FileRegistry, type FileRegistryOptions } from "../../src/files/registry.js";
import { type FolderListener, type WatchFolder, watchFolder } from "../../src/files/watcher.js";
import { within } from "../support/deadline.js";
import { watchLeftovers } from "../support/leftovers.js";
import { TempApp } from "../support/temp-app.js";

/** Watches that do what the test tells them. */
class FakeWatches {
  /** Key: folder. */
  readonly open = new Map<string, FolderListener>();
  readonly watch: WatchFolder = (folder, listener) => {
    this.open.set(folder, listener);
    queueMicrotask(() => {
      if (this.open.get(folder) === listener) this.begin(folder, listener);
    });
    return {
      close: () => {
        if (this.open.get(folder) === listener) this.open.delete(folder);
      },
    };
  };
  begin: (folder: string, listener: FolderListener) => void = (_folder, listener) => listener.established();

  event(folder: string, name: string | undefined, renamed = false): void {
    const listener = this.open.get(folder);
    assert.ok(listener, `${folder} is not watched`);
    listener.event(name, renamed);
  }
}

async function registryOf(
  app: TempApp,
  options: Partial<FileRegistryOptions>,
  ...files: string[]
): Promise<FileRegistry> {
  const registry = new FileRegistry({
    root: app.folder,
    mode: "events",
    ignore: [],
    probeFolder: app.path("probe"),
    onStale: () => {},
    ...options,
  });
  registry.track(files.map((file) => ({ file: app.path(file), hash: undefined })));
  await within(registry.ready(), "the watches");
  return registry;
}

test("a watched folder reports its own entries, and lists and stats none of them", async () => {
  await using app = new TempApp({ "src/a.js": "1", "src/deep/b.js": "1" });
  const names = new Set<string | undefined>();
  const watch = await within(
    new Promise<{ close(): void }>((resolve, reject) => {
      const made = watchFolder(app.path("src"), {
        event: (name) => names.add(name),
        established: () => resolve(made),
        missing: () => reject(new Error("missing")),
        failed: reject,
      });
    }),
    "the watch",
  );
  await nextTurn();
  // One watch, not one for each entry.
  const watches = process.getActiveResourcesInfo().filter((kind) => kind === "FSEventWrap");
  assert.equal(watches.length, 1);
  app.write("src/a.js", "2");
  app.write("src/deep/b.js", "2");
  app.write("src/new.js", "2");
  while (!names.has("new.js")) await nextTurn();
  assert.deepEqual([...names].sort(), ["a.js", "new.js"]);
  watch.close();
  watch.close();
});

test("a folder that is missing is reported so, and leaves nothing behind", async () => {
  const leftovers = watchLeftovers();
  await using app = new TempApp({});
  await within(
    new Promise<void>((resolve, reject) => {
      const wrong = () => reject(new Error("not missing"));
      watchFolder(app.path("nowhere"), { event: wrong, established: wrong, missing: resolve, failed: reject });
    }),
    "the report",
  );
  await leftovers.check();
});

test("where the system refuses to watch, files are looked at, and that is said once", async () => {
  await using app = new TempApp({ "a/x.js": "1", "b/y.js": "1" });
  const watches = new FakeWatches();
  watches.begin = (_folder, listener) => listener.failed(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  const warnings: string[] = [];
  const registry = await registryOf(
    app,
    { watch: watches.watch, onWarning: (line) => warnings.push(line) },
    "a/x.js",
    "b/y.js",
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /polled.*no space left.*max_user_watches/);
  app.write("b/y.js", "2");
  assert.equal(registry.stale(), true);
  assert.deepEqual(
    registry.check().map(({ file }) => file),
    [app.path("b/y.js")],
  );
  assert.equal(registry.stale(), false);
  await registry.close();
});

test("a watch that fails later is replaced by looking", async () => {
  await using app = new TempApp({ "x.js": "1" });
  const watches = new FakeWatches();
  const registry = await registryOf(app, { watch: watches.watch }, "x.js");
  app.write("x.js", "2");
  assert.equal(registry.stale(), false);
  watches.open.get(app.folder)?.failed(Object.assign(new Error("gone"), { code: "EMFILE" }));
  assert.equal(registry.stale(), true);
  await registry.close();
});

test("an event without a name, or with the folder's own, marks everything in the folder", async () => {
  for (const name of [undefined, "src"]) {
    await using app = new TempApp({ "src/x.js": "1", "src/y.js": "1", "z.js": "1" });
    const watches = new FakeWatches();
    const registry = await registryOf(app, { watch: watches.watch }, "src/x.js", "src/y.js", "z.js");
    for (const file of ["src/x.js", "src/y.js", "z.js"]) app.write(file, "2");
    assert.equal(registry.stale(), false);
    watches.event(app.path("src"), name);
    assert.deepEqual(
      registry.check().map(({ file }) => file),
      [app.path("src/x.js"), app.path("src/y.js")],
    );
    await registry.close();
  }
});

test("more events than the kernel's queue holds are taken as a loss of some", async () => {
  await using app = new TempApp({ "x.js": "1", "y.js": "1" });
  const watches = new FakeWatches();
  const registry = await registryOf(app, { watch: watches.watch }, "x.js", "y.js");
  app.write("y.js", "2");
  for (let count = 0; count < 10_000; count++) watches.event(app.folder, "x.js");
  assert.deepEqual(
    registry.check().map(({ file }) => file),
    [app.path("y.js")],
  );
  await registry.close();
});

test("a name in another Unicode form than the known one marks the file", async () => {
  await using app = new TempApp({ "caf\u00e9.js": "1" });
  const watches = new FakeWatches();
  const registry = await registryOf(app, { watch: watches.watch }, "caf\u00e9.js");
  app.write("caf\u00e9.js", "2");
  watches.event(app.folder, "cafe\u0301.js");
  assert.equal(registry.check().length, 1);
  await registry.close();
});

test("`auto` relies on events that are prompt, looks as well where they are late, and only looks where there are none", async () => {
  for (const promptness of ["prompt", "late", "none"] as const) {
    await using app = new TempApp({ "x.js": "1" });
    const warnings: string[] = [];
    const watches = new FakeWatches();
    const probing = (folder: string) => folder === app.path("probe");
    const watch: WatchFolder = (folder, listener) => {
      if (!probing(folder)) return watches.watch(folder, listener);
      return watchProbe(folder, listener, promptness);
    };
    const registry = await registryOf(app, { mode: "auto", watch, onWarning: (line) => warnings.push(line) }, "x.js");
    assert.equal(watches.open.has(app.folder), promptness !== "none");
    app.write("x.js", "2");
    assert.equal(registry.stale(), promptness !== "prompt", promptness);
    assert.equal(warnings.length, promptness === "none" ? 1 : 0);
    await registry.close();
    assert.equal(existsSync(app.path("probe")) ? readdirSync(app.path("probe")).length : 0, 0);
  }
});

/** A real watch of the probe's folder, except for when its events arrive. */
function watchProbe(
  folder: string,
  listener: FolderListener,
  promptness: "prompt" | "late" | "none",
): { close(): void } {
  const known = new Set<string>();
  const watch = { closed: false };
  const look = (): void => {
    if (watch.closed) return;
    for (const name of readdirSync(folder)) known.add(name);
    if (promptness === "late") for (const name of known) listener.event(name, true);
    setTimeout(look, 5);
  };
  if (promptness === "none") queueMicrotask(() => listener.missing());
  if (promptness === "prompt") return watchFolder(folder, listener);
  if (promptness === "late") {
    queueMicrotask(() => listener.established());
    setTimeout(look, 5);
  }
  return {
    close: () => {
      watch.closed = true;
    },
  };
}

test("the probe finds events prompt here, or late, and leaves no file", async () => {
  await using app = new TempApp({});
  const promptness = await within(probeEvents(app.path("deep/probe"), watchFolder, 5000), "the probe");
  assert.equal(promptness, process.platform === "linux" ? "prompt" : "late");
  assert.deepEqual(readdirSync(app.path("deep/probe")), []);
});

test("the probe gives up when no event comes, or when it may not write", async () => {
  await using app = new TempApp({ file: "" });
  const silent: WatchFolder = (_folder, listener) => {
    queueMicrotask(() => listener.established());
    return { close: () => {} };
  };
  assert.equal(await within(probeEvents(app.path("probe"), silent, 20), "the probe"), "none");
  assert.equal(await within(probeEvents(app.path("file/probe"), silent, 20), "the probe"), "late");
});

test("a machine that is slow to begin with a watch has no events that do not arrive", async () => {
  await using app = new TempApp({});
  const slow: WatchFolder = (folder, listener) => {
    let watch: { close(): void } | undefined;
    // Later than the time that an event has.
    const timer = setTimeout(() => {
      watch = watchFolder(folder, listener);
    }, 600);
    return {
      close() {
        clearTimeout(timer);
        watch?.close();
      },
    };
  };
  const never: WatchFolder = () => ({ close: () => {} });
  assert.notEqual(await within(probeEvents(app.path("probe"), slow, 500), "the probe"), "none");
  assert.equal(await within(probeEvents(app.path("probe"), never, 20, 60), "the probe"), "late");
});

test("folders above are watched up to the root, outside of it up to what both share, and never a whole disk", () => {
  const chain = (folder: string, root: string): string[] => {
    const above = folderAbove(folder, root);
    return above === undefined ? [] : [above, ...chain(above, root)];
  };
  const at = (folder: string) => path.resolve(folder);
  assert.deepEqual(chain(at("/w/app/src/models"), at("/w/app")), [at("/w/app/src"), at("/w/app")]);
  assert.deepEqual(chain(at("/w/app"), at("/w/app")), []);
  assert.deepEqual(
    chain(at("/w/repo/packages/lib/src"), at("/w/repo/app")),
    ["/w/repo/packages/lib", "/w/repo/packages", "/w/repo"].map(at),
  );
  assert.deepEqual(chain(at("/tmp/x/y"), at("/home/me/app")), [at("/tmp/x")]);
});
