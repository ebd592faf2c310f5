/** Which purged versions are said to be stale, and when one looks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StaleCheckSchedule } from "../../workers/stale/stale-check-schedule.js";
import { StaleReferences, WATCHED_PER_SUBJECT } from "../../workers/stale/stale-references.js";

/** A heap that a test decides about: what is kept alive, and by hand what time it is. */
class World {
  now = 0;
  inUse: number | undefined;
  collections = 0;
  /** Called in the middle of a collection. */
  during: () => void = () => {};
  readonly kept = new Set<object>();
  readonly #collected = new WeakSet<object>();
  readonly #watched: object[] = [];
  readonly references = new StaleReferences({
    collect: async () => {
      this.collections++;
      this.during();
      await undefined;
      for (const target of this.#watched) if (!this.kept.has(target)) this.#collected.add(target);
    },
    now: () => this.now,
    oldestInUse: () => this.inUse,
    watch: (target) => {
      this.#watched.push(target);
      const deref = () => (this.#collected.has(target) ? undefined : target);
      return { marker: `mark ${this.#watched.length}`, target: { deref } };
    },
  });

  /** Purges the scope of a version of `file`, which somebody keeps or not. */
  purge(generation: number, kept: boolean, file = "/a.js"): object {
    const scope = {};
    if (kept) this.kept.add(scope);
    this.references.watch(generation, [{ file, scope, classes: [] }]);
    return scope;
  }

  async news(): Promise<string[]> {
    const { news } = await this.references.check();
    return news.map(({ file, class: name, generation, count, ageMs, inUse }) =>
      [file, name, generation, count, ageMs, inUse].join(" "),
    );
  }
}

test("what is collected is not told, and not watched any more", async () => {
  const world = new World();
  world.purge(2, false);
  assert.equal(world.references.size, 1);
  const check = await world.references.check();
  assert.deepEqual(check, { references: [], news: [], unsettled: false });
  assert.equal(world.references.size, 0);
});

test("a survivor is told when it has survived a second look, once, and again when there are twice as many", async () => {
  const world = new World();
  world.purge(2, true);
  world.now = 100;
  assert.equal((await world.references.check()).unsettled, true);
  assert.deepEqual(await world.news(), ["/a.js  2 1 100 false"]);
  assert.deepEqual(await world.news(), []);
  world.purge(3, true);
  assert.deepEqual(await world.news(), []);
  assert.deepEqual(await world.news(), ["/a.js  2 2 100 false"]);
  world.purge(4, true);
  await world.news();
  assert.deepEqual(await world.news(), [], "three are not twice two");
  const check = await world.references.check();
  assert.equal(check.references[0]?.count, 3);
  assert.equal(check.unsettled, false);
});

test("what has gone for good is told anew when it comes back", async () => {
  const world = new World();
  const scope = world.purge(2, true);
  await world.news();
  assert.equal((await world.news()).length, 1);
  world.kept.delete(scope);
  assert.deepEqual((await world.references.check()).references, []);
  world.purge(3, true);
  await world.news();
  assert.equal((await world.news()).length, 1);
});

test("a file's scope and each of its classes are told apart", async () => {
  const world = new World();
  const classes = [
    { name: "User", class: class User {} },
    { name: "Post", class: class Post {} },
  ];
  const scope = {};
  for (const target of [scope, classes[0]?.class]) if (target) world.kept.add(target);
  world.references.watch(5, [{ file: "/a.js", scope, classes }]);
  await world.news();
  assert.deepEqual(await world.news(), ["/a.js  5 1 0 false", "/a.js User 5 1 0 false"]);
});

test("what is purged while a look is under way waits for the next one", async () => {
  const world = new World();
  world.purge(2, true, "/before.js");
  await world.news();
  world.during = () => {
    world.during = () => {};
    world.purge(3, true, "/meanwhile.js");
  };
  await world.news();
  assert.deepEqual(await world.news(), []);
  assert.deepEqual(await world.news(), ["/meanwhile.js  3 1 0 false"]);
});

test("as long as a request from before the purge is open nothing is told, but after a minute it is, as in use", async () => {
  const world = new World();
  world.inUse = 50;
  world.now = 100;
  world.purge(2, true);
  for (let look = 0; look < 5; look++) assert.deepEqual(await world.news(), []);
  assert.equal((await world.references.check()).unsettled, true);
  world.now = 60_100;
  await world.news();
  assert.deepEqual(await world.news(), ["/a.js  2 1 60000 true"]);
});

test("a request that began after the purge is no reason to wait", async () => {
  const world = new World();
  world.purge(2, true);
  world.inUse = 10;
  await world.news();
  assert.equal((await world.news()).length, 1);
});

test("looks at the same time are one", async () => {
  const world = new World();
  world.purge(2, true);
  await Promise.all([world.references.check(), world.references.check(), world.references.check()]);
  assert.equal(world.collections, 1);
});

test("however long a leak goes on, the list stays short and keeps the oldest", async () => {
  const world = new World();
  for (let generation = 1; generation <= 1000; generation++) world.purge(generation, true);
  assert.equal(world.references.size, WATCHED_PER_SUBJECT);
  await world.references.check();
  const { references } = await world.references.check();
  assert.equal(references[0]?.generation, 1);
  assert.equal(references[0]?.count, WATCHED_PER_SUBJECT);
  assert.equal(world.references.marked()[0]?.markers.at(-1), "mark 1000");
});

/** A schedule on a clock that stands still until it is moved. */
function scheduled({ busy = false, again = false } = {}) {
  const state = {
    now: 0,
    busy,
    again,
    checks: [] as number[],
    due: undefined as { at: number; run: () => void } | undefined,
  };
  const schedule = new StaleCheckSchedule({
    now: () => state.now,
    busy: () => state.busy,
    check: async () => {
      state.checks.push(state.now);
      return state.again;
    },
    after: (ms, run) => {
      const due = { at: state.now + ms, run };
      state.due = due;
      return () => {
        if (state.due === due) state.due = undefined;
      };
    },
  });
  /** Lets time pass, with all that falls due. */
  const pass = async (until: number) => {
    while (state.due && state.due.at <= until) {
      const { at, run } = state.due;
      state.due = undefined;
      state.now = at;
      run();
      for (let turn = 0; turn < 5; turn++) await undefined;
    }
    state.now = until;
  };
  return { schedule, state, pass };
}

test("one looks two seconds after the last reload", async () => {
  const { schedule, state, pass } = scheduled();
  schedule.reloaded();
  await pass(1500);
  schedule.reloaded();
  await pass(3400);
  assert.deepEqual(state.checks, []);
  await pass(100_000);
  assert.deepEqual(state.checks, [3500]);
});

test("one looks again after ten seconds as long as something is open, and not more often", async () => {
  const { schedule, state, pass } = scheduled({ again: true });
  schedule.reloaded();
  await pass(3000);
  schedule.reloaded();
  await pass(23_000);
  assert.deepEqual(state.checks, [2000, 12_000, 22_000]);
  state.again = false;
  await pass(100_000);
  assert.deepEqual(state.checks, [2000, 12_000, 22_000, 32_000]);
});

test("one does not look while requests are under way, nor after the close", async () => {
  const { schedule, state, pass } = scheduled({ busy: true });
  schedule.reloaded();
  await pass(5500);
  assert.deepEqual(state.checks, []);
  state.busy = false;
  await pass(7000);
  assert.deepEqual(state.checks, [6000]);
  schedule.reloaded();
  schedule.close();
  await pass(100_000);
  assert.deepEqual(state.checks, [6000]);
});
