/** What the ledger notes of each version, and what of it a purge undoes, in which order. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Agent } from "node:http";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { callersAbove } from "../../workers/ledger/caller.js";
import { Creators } from "../../workers/ledger/creators.js";
import { GlobalNames } from "../../workers/ledger/global-names.js";
import { Handles } from "../../workers/ledger/handles.js";
import { Ledger } from "../../workers/ledger/ledger.js";
import { type Descriptor, PropertyLayers } from "../../workers/ledger/property-layers.js";
import { Registrations } from "../../workers/ledger/registrations.js";
import { TimerChains } from "../../workers/ledger/timer-chains.js";
import { ModuleEdges } from "../../workers/runtime/module-edges.js";
import { Observer } from "../../workers/runtime/observer.js";
import { randomSource } from "../support/random.js";

/** A ledger, and what happened in order. */
class World {
  readonly happened: string[] = [];
  readonly observer = new Observer();
  readonly ledger: Ledger;

  constructor(deadlineMs?: number) {
    this.ledger = new Ledger({
      observer: this.observer,
      failed: (file, what, error) => this.happened.push(`${file}: ${what}: ${(error as Error).message}`),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
  }

  version(file = "/a.js"): ModuleEdges {
    return new ModuleEdges(file, () => {});
  }

  /** Notes resources of these names, as the version's body. */
  record(version: ModuleEdges, ...names: string[]): void {
    this.observer.evaluate(version, () => {
      for (const name of names) this.ledger.record(name, () => void this.happened.push(name));
    });
  }

  async purge(version: ModuleEdges): Promise<boolean> {
    version.purge();
    return this.ledger.undo(version);
  }
}

describe("the ledger", () => {
  test("notes what a module creates while it is evaluated, and nothing else", () => {
    const { ledger, observer, happened } = new World();
    const version = new ModuleEdges("/a.js", () => {});
    assert.equal(
      ledger.record("of a request", () => {}),
      undefined,
    );
    observer.evaluate(version, () => {
      ledger.record("one", () => {});
      ledger.outside(() =>
        assert.equal(
          ledger.record("of a package", () => {}),
          undefined,
        ),
      );
      ledger.record("two", () => {});
    });
    assert.deepEqual(ledger.list(version), ["one", "two"]);
    assert.deepEqual(happened, []);
  });

  test("undoes the newest first, each version for itself, and only once", async () => {
    const world = new World();
    const [one, other] = [world.version(), world.version("/b.js")];
    world.record(one, "1", "2", "3");
    world.record(other, "other");
    assert.equal(world.ledger.holds(one), true);
    assert.equal(await world.purge(one), true);
    assert.deepEqual(world.happened, ["3", "2", "1"]);
    assert.equal(world.ledger.holds(one), false);
    assert.equal(await world.purge(one), false);
    assert.deepEqual([world.happened.length, world.ledger.list(other)], [3, ["other"]]);
  });

  test("undoes wholes before their parts, whenever they were noted", async () => {
    const world = new World();
    const version = world.version();
    world.observer.evaluate(version, () => {
      world.ledger.recordWhole("whole 1", () => void world.happened.push("whole 1"));
      world.record(version, "part 1");
      world.ledger.recordWhole("whole 2", () => void world.happened.push("whole 2"));
      world.record(version, "part 2");
    });
    await world.purge(version);
    assert.deepEqual(world.happened, ["whole 2", "whole 1", "part 2", "part 1"]);
  });

  test("does not undo what has ended by itself, not even when a later undo has ended it", async () => {
    const world = new World();
    const version = world.version();
    world.observer.evaluate(version, () => {
      world.ledger.record("ended", () => assert.fail("ended before"))?.drop();
      const part = world.ledger.record("part", () => assert.fail("ended by its whole"));
      world.ledger.record("whole", () => part?.drop());
    });
    assert.deepEqual(world.ledger.list(version), ["part", "whole"]);
    assert.equal(await world.purge(version), true);
    assert.deepEqual(world.happened, []);
  });

  test("undoes at once what a purged version still creates", async () => {
    const world = new World();
    const version = world.version();
    world.record(version, "before");
    await world.purge(version);
    world.record(version, "late");
    assert.deepEqual(world.happened, ["before", "late"]);
    assert.equal(world.ledger.holds(version), false);
  });

  test("waits for an undo that takes time before it runs the next", async () => {
    const world = new World();
    const version = world.version();
    world.observer.evaluate(version, () => {
      world.ledger.record("second", () => void world.happened.push("second"));
      world.ledger.record("first", async () => {
        await new Promise((resolve) => setImmediate(resolve));
        world.happened.push("first");
      });
    });
    await world.purge(version);
    assert.deepEqual(world.happened, ["first", "second"]);
  });

  test("reports an undo that throws, rejects or does not end, and runs the others", async () => {
    const world = new World(20);
    const version = world.version();
    world.record(version, "last");
    world.observer.evaluate(version, () => {
      world.ledger.record("endless", () => new Promise<void>(() => {}));
      world.ledger.record("rejecting", async () => {
        throw new Error("rejected");
      });
      world.ledger.record("throwing", () => {
        throw new Error("thrown");
      });
    });
    world.record(version, "first");
    assert.equal(await world.purge(version), true);
    assert.deepEqual(world.happened, [
      "first",
      "/a.js: throwing: thrown",
      "/a.js: rejecting: rejected",
      "/a.js: endless: not done after 20 ms",
      "last",
    ]);
  });

  test("runs undos as nobody: what they create is not noted", async () => {
    const world = new World();
    const [version, other] = [world.version(), world.version("/b.js")];
    world.observer.evaluate(version, () => {
      world.ledger.record("creator", () => assert.equal(world.ledger.owner, undefined));
    });
    await world.observer.evaluate(other, () => world.purge(version));
    assert.deepEqual([world.ledger.list(other), world.happened], [[], []]);
  });

  test("undoes what certain versions have created", async () => {
    const world = new World();
    const versions = ["/a.js", "/b.js", "/c.js"].map((file) => world.version(file));
    for (const version of versions) world.record(version, version.file);
    await world.ledger.undoWhere(({ file }) => file !== "/b.js");
    assert.deepEqual(world.happened, ["/c.js", "/a.js"]);
  });

  test("keeps nothing of what it has undone or dropped, whoever keeps its entries", async () => {
    const world = new World();
    const version = world.version();
    const entries: unknown[] = [];
    const create = (end: (entry: ReturnType<Ledger["record"]>) => void): WeakRef<object> => {
      const resource = { isOpen: true };
      world.observer.evaluate(version, () => {
        const entry = world.ledger.record("resource", () => {
          resource.isOpen = false;
        });
        entries.push(entry);
        end(entry);
      });
      return new WeakRef(resource);
    };
    const created = [create(() => {}), create((entry) => entry?.drop())];
    await world.purge(version);
    created.push(create(() => {}));
    await collected();
    assert.deepEqual(
      created.map((resource) => resource.deref()),
      [undefined, undefined, undefined],
    );
    assert.equal(entries.length, 3);
  });
});

describe("properties that several modules have changed", () => {
  /** Lets the version assign the property, or delete it (undefined). */
  function assign(layers: PropertyLayers, owner: ModuleEdges, target: Record<string, unknown>, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, "x");
    if (value === undefined) delete target.x;
    else target.x = value;
    const after: Descriptor = Object.getOwnPropertyDescriptor(target, "x");
    layers.changed({ owner, target, key: "x", before, after, what: "x" });
  }

  test("are, after any purges in any order, what the modules that are left have made of them", async () => {
    const random = randomSource("property layers");
    for (let round = 0; round < 200; round++) {
      const world = new World();
      const layers = new PropertyLayers(world.ledger);
      const target: Record<string, unknown> = random.chance(0.5) ? { x: "first" } : {};
      const values: unknown[] = [target.x];
      let left: { version: ModuleEdges; value: unknown }[] = [];
      for (let step = 0; step < 12; step++) {
        if (left.length > 0 && random.chance(0.4)) {
          const gone = random.pick(left);
          await world.purge(gone.version);
          left = left.filter((one) => one !== gone);
        } else {
          const value = random.chance(0.2) ? undefined : `${round} ${step}`;
          // Deleting what is not there changes nothing.
          if (value === undefined && !("x" in target)) continue;
          const version = world.version(`/${step}.js`);
          assign(layers, version, target, value);
          left.push({ version, value });
        }
        const expected = left.length > 0 ? left.at(-1)?.value : values[0];
        assert.equal(target.x, expected, `seed ${random.seed}, round ${round}, step ${step}`);
        assert.equal("x" in target, expected !== undefined);
      }
    }
  });

  test("stay as they are when somebody else has changed them since, or they are to stay", async () => {
    const world = new World();
    const layers = new PropertyLayers(world.ledger);
    const target: Record<string, unknown> = {};
    const version = world.version();
    assign(layers, version, target, 1);
    target.x = "of a request";
    await world.purge(version);
    assert.equal(target.x, "of a request");

    const staying = world.version();
    target.y = 1;
    const after = Object.getOwnPropertyDescriptor(target, "y");
    layers.changed({ owner: staying, target, key: "y", before: undefined, after, what: "y", stays: () => true });
    await world.purge(staying);
    assert.equal(target.y, 1);
  });

  test("tell when they have been put back, accessors too", async () => {
    const world = new World();
    const layers = new PropertyLayers(world.ledger);
    const target = { x: 1 };
    const before = Object.getOwnPropertyDescriptor(target, "x");
    Object.defineProperty(target, "x", { get: () => 2, configurable: true });
    const after = Object.getOwnPropertyDescriptor(target, "x");
    const version = world.version();
    const restored = () => void world.happened.push("restored");
    layers.changed({ owner: version, target, key: "x", before, after, what: "x", restored });
    await world.purge(version);
    assert.deepEqual([Object.getOwnPropertyDescriptor(target, "x"), world.happened], [before, ["restored"]]);
  });
});

describe("the comparison of globals", () => {
  /** Not what the process itself may load meanwhile. */
  const mine = new Set<PropertyKey>();
  const changed = (names: GlobalNames) => names.look(true).flatMap(({ key }) => (mine.has(key) ? key : []));
  const scope = globalThis as Record<PropertyKey, unknown>;
  const symbol = Symbol("test");
  for (const key of ["added", "added-2", "escape", "CompressionStream", "crypto", symbol]) mine.add(key);

  test("sees what is added, changed and removed, once", () => {
    const names = new GlobalNames();
    const original = scope.escape;
    try {
      assert.deepEqual(changed(names), []);
      scope.added = 1;
      scope[symbol] = 1;
      scope["added-2"] = 1;
      scope.escape = () => "changed";
      assert.deepEqual(new Set(changed(names)), new Set(["added", symbol, "added-2", "escape"]));
      assert.deepEqual(changed(names), []);
      scope.added = 2;
      delete scope["added-2"];
      scope.escape = original;
      assert.deepEqual(new Set(changed(names)), new Set(["added", "added-2", "escape"]));
      delete scope.escape;
      assert.deepEqual(changed(names), ["escape"]);
      assert.deepEqual(changed(names), []);
      scope.escape = NaN;
      assert.deepEqual(changed(names), ["escape"]);
      assert.deepEqual(changed(names), []);
    } finally {
      for (const key of ["added", "added-2", symbol]) delete scope[key];
      Object.defineProperty(scope, "escape", {
        value: original,
        writable: true,
        configurable: true,
        enumerable: false,
      });
    }
  });

  test("calls no accessor that the app has defined, more than once", () => {
    const names = new GlobalNames();
    const original = Object.getOwnPropertyDescriptor(scope, "escape");
    let reads = 0;
    try {
      Object.defineProperty(scope, "escape", { get: () => ++reads, configurable: true });
      assert.deepEqual(changed(names), ["escape"]);
      const before = reads;
      assert.deepEqual(changed(names), []);
      assert.deepEqual([reads, before <= 1], [before, true]);
    } finally {
      if (original) Object.defineProperty(scope, "escape", original);
    }
    assert.deepEqual(changed(names), ["escape"]);
  });

  test("tells a global that Node has loaded when it was read from one that the app has replaced", () => {
    const [lazy, crypto] = ["CompressionStream", "crypto"].map((key) => Object.getOwnPropertyDescriptor(scope, key));
    assert.ok(lazy && crypto);
    const names = new GlobalNames();
    class Replacement {}
    try {
      scope.CompressionStream = Replacement;
      Object.defineProperty(scope, "crypto", { value: {}, configurable: true });
      assert.deepEqual(new Set(changed(names)), new Set(["CompressionStream", "crypto"]));
      assert.equal(scope.CompressionStream, Replacement);
    } finally {
      Object.defineProperty(scope, "CompressionStream", lazy);
      Object.defineProperty(scope, "crypto", crypto);
    }
    assert.deepEqual(new Set(changed(names)), new Set(["CompressionStream", "crypto"]));
    // Node puts it in the place of its accessor.
    assert.equal(typeof scope.CompressionStream, "function");
    assert.deepEqual(changed(names), []);
  });
});

describe("timers' callbacks", () => {
  /** Chains whose clock a test turns by hand. */
  function chainsWithClock() {
    const world = new World();
    const due: (() => void)[] = [];
    const later = (run: () => void) => {
      due.push(run);
      return { unref() {} };
    };
    const clock = { setTimeout: later, setImmediate: later } as unknown as ConstructorParameters<typeof TimerChains>[1];
    const chains = new TimerChains(world.observer, clock);
    world.ledger.watchRecords((owner) => chains.recorded(owner));
    const pass = () => {
      for (const run of due.splice(0)) run();
    };
    return { ...world, world, chains, pass, ledger: world.ledger, observer: world.observer };
  }

  test("are watched going on for three firings, when nothing comes of it", () => {
    const { world, chains, observer, pass } = chainsWithClock();
    const chain = chains.current(world.version());
    const watched: boolean[] = [];
    for (let firing = 0; firing < 5; firing++) {
      chains.fire(chain, () => {});
      watched.push(observer.active);
      pass();
      assert.equal(observer.active, false);
    }
    assert.deepEqual(watched, [true, true, true, false, false]);
  });

  test("are watched at every firing once they have created something after an await", async () => {
    const { world, chains, ledger, observer, pass } = chainsWithClock();
    const version = world.version();
    const chain = chains.current(version);
    for (let firing = 0; firing < 6; firing++) {
      await chains.fire(chain, async () => {
        await undefined;
        ledger.record(`resource ${firing}`, () => {});
      });
      pass();
      assert.equal(observer.active, false);
    }
    assert.equal(ledger.list(version).length, 6);
  });

  test("own what they create at once, watched or not, and the timers they set belong to the same chain", () => {
    const { world, chains, ledger, pass } = chainsWithClock();
    const [version, other] = [world.version(), world.version("/b.js")];
    const chain = chains.current(version);
    for (let firing = 0; firing < 5; firing++) {
      chains.fire(chain, () => {
        ledger.record("resource", () => {});
        assert.equal(chains.current(version), chain);
        assert.notEqual(chains.current(other), chain);
      });
      pass();
    }
    assert.notEqual(chains.current(version), chain);
    assert.equal(ledger.list(version).length, 5);
  });
});

describe("registered listeners", () => {
  const worldWithRegistrations = () => {
    const world = new World();
    return { world, registrations: new Registrations(world.ledger), target: new EventEmitter() };
  };

  /** Adds a listener as the version's. */
  function add(registrations: Registrations, owner: ModuleEdges, target: EventEmitter, listener: () => void): void {
    target.on("event", listener);
    const remove = (from: EventEmitter, what: () => void) => void from.off("event", what);
    registrations.add({ owner, target, listener, key: "event", what: "listener", remove });
  }

  test("are removed as often as they were added, those of other versions are not", async () => {
    const { world, registrations, target } = worldWithRegistrations();
    const [one, other] = [world.version(), world.version()];
    const shared = () => {};
    for (const owner of [one, one, other]) add(registrations, owner, target, shared);
    await world.purge(one);
    assert.equal(target.listenerCount("event"), 1);
    await world.purge(other);
    assert.equal(target.listenerCount("event"), 0);
  });

  test("are removed at once when a purged version adds them", async () => {
    const { world, registrations, target } = worldWithRegistrations();
    const version = world.version();
    const listener = () => {};
    add(registrations, version, target, listener);
    await world.purge(version);
    for (let late = 0; late < 3; late++) add(registrations, version, target, listener);
    assert.equal(target.listenerCount("event"), 0);
  });

  test("come back when the version is purged that had removed them, unless they are its own or purged themselves", async () => {
    const { world, registrations, target } = worldWithRegistrations();
    const [gone, remover] = [world.version("/gone.js"), world.version("/remover.js")];
    const [foreign, purged, own] = [() => {}, () => {}, () => {}];
    add(registrations, gone, target, purged);
    add(registrations, remover, target, own);
    target.on("event", foreign);
    const listeners = target.rawListeners("event") as (() => void)[];
    target.removeAllListeners("event");
    world.observer.evaluate(remover, () =>
      registrations.removed({ owner: remover, emitter: target, event: "event", listeners }),
    );
    await world.purge(gone);
    await world.purge(remover);
    assert.deepEqual(target.listeners("event"), [foreign]);
  });

  test("are not kept: a listener and an emitter that nobody has any more are collected, and their entry goes", async () => {
    const { world, registrations } = worldWithRegistrations();
    const version = world.version();
    const [listener, emitter] = (() => {
      const target = new EventEmitter();
      const heard = () => target;
      add(registrations, version, target, heard);
      return [new WeakRef(heard), new WeakRef(target)];
    })();
    assert.deepEqual(world.ledger.list(version), ["listener"]);
    await collected();
    assert.deepEqual([listener?.deref(), emitter?.deref()], [undefined, undefined]);
    await collected();
    assert.deepEqual(world.ledger.list(version), []);
  });
});

describe("things with a life of their own", () => {
  test("are not kept: one that nobody has any more is collected, and its entry goes", async () => {
    const world = new World();
    const version = world.version();
    const handles = new Handles(world.ledger);
    const creators = new Creators(world.observer, (creation) => handles.created(creation));
    const uninstall = creators.install();
    const agent = (() => new WeakRef(world.observer.evaluate(version, () => new Agent())))();
    uninstall();
    assert.deepEqual(world.ledger.list(version), ["agent"]);
    await collected();
    assert.equal(agent.deref(), undefined);
    await collected();
    assert.deepEqual(world.ledger.list(version), []);
  });
});

test("while the stack of an error is written, nobody is found who calls", () => {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = () => callersAbove(call);
  function call(): unknown {
    return new Error("is shown").stack;
  }
  try {
    assert.deepEqual(call(), []);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
});

/** WeakRefs that were read or made in a turn of the event loop hold until its end; finalizers run in a turn of their own. */
async function collected(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  await new Promise((resolve) => setImmediate(resolve));
}
