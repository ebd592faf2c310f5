/** Dispose hooks and kept values without an app around them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DisposeHooks } from "../../workers/hot/dispose-hooks.js";
import { KeptValues } from "../../workers/hot/kept-values.js";
import { ModuleEdges } from "../../workers/runtime/module-edges.js";
import type { ModuleVersion } from "../../workers/runtime/module-record.js";
import { Observer } from "../../workers/runtime/observer.js";
import { within } from "../support/deadline.js";

const NEVER = new Promise<void>(() => undefined);

function version(file: string): ModuleEdges {
  return new ModuleEdges(file, () => undefined);
}

test("a hook that does not end is reported, and the others run", async () => {
  const ran: string[] = [];
  const failed: string[] = [];
  const hooks = new DisposeHooks({
    observer: new Observer(),
    failed: (file, error) => failed.push(`${file}: ${(error as Error).message}`),
  });
  const lib = version("/lib");
  hooks.add(lib, () => ran.push("oldest"));
  hooks.add(undefined, () => ran.push("of the thread"));
  hooks.add(lib, () => NEVER);
  hooks.add(lib, async () => {
    await undefined;
    ran.push("newest");
  });
  await within(
    hooks.disposeAll(() => 1),
    "all hooks",
  );
  assert.deepEqual(ran, ["newest", "of the thread", "oldest"]);
  assert.deepEqual(failed, ["/lib: not done after 1 ms"]);
  assert.equal(hooks.size, 0);
});

test("what is left of a purged version has its hooks run at once, and only its own", async () => {
  const ran: string[] = [];
  const hooks = new DisposeHooks({ observer: new Observer(), failed: () => assert.fail() });
  const lib = version("/lib");
  const removed = hooks.add(lib, () => ran.push("removed"));
  hooks.remove(removed);
  assert.equal(hooks.dispose(lib), false);
  hooks.add(version("/other"), () => ran.push("other"));
  lib.purge();
  hooks.add(lib, () => ran.push("late"));
  assert.deepEqual(ran, ["late"]);
});

/** A little app: which version of each file is loaded, and who is being evaluated. */
class Life {
  readonly observer = new Observer();
  readonly closed: unknown[] = [];
  readonly failed: string[] = [];
  readonly #loaded = new Map<string, ModuleEdges>();
  readonly kept = new KeptValues({
    observer: this.observer,
    currentVersion: (file) => this.#loaded.get(file),
    failed: (file, key, error) => this.failed.push(`${file} ${key}: ${(error as Error).message}`),
  });

  load(file: string, evaluate: () => void = () => undefined): void {
    const edges = version(file);
    this.#loaded.set(file, edges);
    this.observer.evaluate(edges, evaluate);
  }

  keep(key: string, value: unknown): Promise<unknown> {
    return this.kept.keep(
      key,
      async () => {
        assert.equal(this.observer.owner, undefined, "what a factory creates is nobody's");
        return value;
      },
      (one) => this.closed.push(one),
    );
  }

  /** `/db` is about to be purged; its text is another, or not. */
  purge(file: string, textChanges: boolean): false | Promise<true> {
    const prepared = { compiled: { hash: "old" } };
    const next = { compiled: { hash: textChanges ? "new" : "old" } };
    return this.kept.closeOf({ record: { file, prepared: next }, prepared } as unknown as ModuleVersion);
  }
}

test("a value is closed before its factory's file is evaluated from another text, and not from the same", async () => {
  const life = new Life();
  life.load("/db", () => void life.keep("db", 1));
  assert.equal(life.purge("/db", false), false);
  assert.equal(life.purge("/other", true), false);
  life.load("/db", () => void life.keep("db", 2));
  assert.equal(await life.purge("/db", true), true);
  assert.deepEqual(life.closed, [1]);
  assert.equal(life.kept.size, 0);
});

test("a value stays while one loaded module keeps it, or a request does", async () => {
  const life = new Life();
  life.load("/a", () => void life.keep("shared", "value"));
  life.load("/b", () => void life.keep("shared", "another"));
  life.load("/a");
  await life.kept.closeUnused();
  await life.kept.closeUnused(["/a"]);
  assert.deepEqual(life.closed, []);
  life.load("/b");
  await life.kept.closeUnused();
  assert.deepEqual(life.closed, ["value"]);

  await life.keep("asked for by a request", "value");
  await life.kept.closeUnused(["/a", "/b"]);
  assert.deepEqual(life.closed, ["value"]);
});

test("values are closed newest first, and one that fails to close is reported and stops no other", async () => {
  const life = new Life();
  life.load("/db", () => {
    void life.keep("first", 1);
    void life.kept.keep(
      "bad",
      () => 2,
      () => {
        throw new Error("cannot close");
      },
    );
    void life.kept.keep(
      "slow",
      () => 3,
      () => NEVER,
    );
    void life.keep("last", 4);
  });
  await within(
    life.kept.closeEverything(() => 1),
    "the end",
  );
  assert.deepEqual(life.closed, [4, 1]);
  assert.deepEqual(life.failed, ["/db slow: not done after 1 ms", "/db bad: cannot close"]);
});

test("a creation that fails is not kept, also when its factory throws at once", async () => {
  const life = new Life();
  let tries = 0;
  const create = (): number => {
    tries++;
    if (tries === 1) throw new Error("not yet");
    return tries;
  };
  const keep = () => life.kept.keep("key", create, undefined);
  const [a, b] = await Promise.allSettled([keep(), keep()]);
  assert.deepEqual([a.status, b.status, tries], ["rejected", "rejected", 1]);
  assert.deepEqual(await Promise.all([keep(), keep()]), [2, 2]);
});
