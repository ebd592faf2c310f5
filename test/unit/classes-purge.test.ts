/** What becomes of a file's classes at its purge and at its next evaluation, step by step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyClass } from "../../workers/classes/base-chain.js";
import { ClassPurge, type ClassPurgeOptions } from "../../workers/classes/class-purge.js";
import { namedClasses } from "../../workers/classes/named-classes.js";
import type { KnownClass } from "../../workers/classes/purge-class.js";
import { ModuleEdges } from "../../workers/runtime/module-edges.js";

const PURGE = Symbol.for("unreloader.purge");

/** Files with classes, without a runtime. */
class Files {
  readonly log: string[] = [];
  readonly purge: ClassPurge;
  readonly #classes = new Map<ModuleEdges, KnownClass[]>();

  constructor(options: Partial<ClassPurgeOptions> = {}) {
    this.purge = new ClassPurge({
      classesOf: (version) => this.#classes.get(version) ?? [],
      allClasses: () => [...this.#classes.values()].flat(),
      outside: (run) => run(),
      changed: () => undefined,
      failed: (file, what, error) => this.log.push(`${file}: ${what}: ${error}`),
      refused: (file, name, because) => this.log.push(`${file}: ${name}: ${because}`),
      selects: () => false,
      ...options,
    });
  }

  evaluate(file: string, ...targets: AnyClass[]): ModuleEdges {
    const version = new ModuleEdges(file, () => undefined);
    this.#classes.set(
      version,
      targets.map((target) => ({ target, name: target.name, reader: undefined })),
    );
    this.purge.evaluated(version);
    return version;
  }

  async load(file: string, ...targets: AnyClass[]): Promise<ModuleEdges> {
    this.purge.begin();
    const version = this.evaluate(file, ...targets);
    await this.purge.commit();
    return version;
  }

  /** Purges a version and evaluates its file with other classes. */
  async replace(version: ModuleEdges, ...targets: AnyClass[]) {
    this.purge.begin();
    await this.purge.purge(version);
    this.#classes.delete(version);
    const next = this.evaluate(version.file, ...targets);
    await this.purge.commit();
    return { next, purged: this.purge.purged };
  }
}

/** A class `User` whose instances give `n`. */
function user(n: number) {
  return {
    User: class User {
      n(): number {
        return n;
      }
    },
  }.User;
}

test("a file that is loaded late reopens its classes then, and gone ones are purged then", async () => {
  const files = new Files();
  const [First, Second] = [user(1), user(2)];
  const hooked: string[] = [];
  const Gone = Object.defineProperty(class Gone {}, PURGE, { value: () => hooked.push("Gone") });
  const version = await files.load("a", First, Gone);
  files.purge.begin();
  await files.purge.purge(version);
  await files.purge.commit();
  const { purged } = files.purge;
  assert.deepEqual([[...purged], hooked], [[], []]);
  files.evaluate("a", Second);
  assert.equal(new First().n(), 2);
  assert.deepEqual(hooked, ["Gone"]);
});

test("a file that will not come back has its classes purged at once", async () => {
  const files = new Files();
  const version = await files.load("a", user(1));
  files.purge.begin({ forget: ["a"] });
  await files.purge.purge(version);
  await files.purge.commit();
  assert.deepEqual([...files.purge.purged], [["a", ["User"]]]);
});

test("a failed plan leaves no trace, neither of what it reopened nor of what waited", async () => {
  const files = new Files();
  const First = user(1);
  const version = await files.load("a", First);
  files.purge.begin();
  await files.purge.purge(version);
  files.evaluate("a", user(2));
  assert.equal(new First().n(), 2);
  files.purge.rollback();
  assert.equal(new First().n(), 1);
  const { purged } = await files.replace(version, user(3));
  assert.equal(new First().n(), 3);
  assert.equal(purged.size, 0);
});

test("classes that wait for a late evaluation still wait after a plan that evaluated them and failed", async () => {
  const files = new Files();
  const First = user(1);
  const version = await files.load("a", First);
  files.purge.begin();
  await files.purge.purge(version);
  await files.purge.commit();
  files.purge.begin();
  files.evaluate("a", user(2));
  files.purge.rollback();
  assert.equal(new First().n(), 1);
  files.evaluate("a", user(3));
  assert.equal(new First().n(), 3);
});

test("classes of one name are reopened in order; when their number changes they are purged, and people told once", async () => {
  const files = new Files();
  const [A, B] = [user(1), user(2)];
  let version = await files.load("a", A, B);
  version = (await files.replace(version, user(3), user(4))).next;
  assert.deepEqual([new A().n(), new B().n()], [3, 4]);
  const { next, purged } = await files.replace(version, user(5));
  assert.deepEqual([new A().n(), new B().n()], [3, 4]);
  assert.deepEqual(purged.get("a"), ["User", "User"]);
  await files.replace(next, user(6), user(7));
  assert.deepEqual(files.log, ["a: User: the file defines several classes of this name, and not as many as before"]);
});

test("the hooks of a file's classes run one after the other, the last class first, and inherit", async () => {
  const order: string[] = [];
  class Base {}
  Object.defineProperty(Base, PURGE, {
    async value(this: AnyClass) {
      order.push(`${this.name} begins`);
      await undefined;
      order.push(`${this.name} ends`);
    },
  });
  class Sub extends Base {}
  const files = new Files({ selects: undefined });
  const version = await files.load("a", Base, Sub);
  files.purge.begin();
  assert.equal(await files.purge.purge(version), true);
  assert.deepEqual(order, ["Sub begins", "Sub ends", "Base begins", "Base ends"]);
  await files.purge.commit();
  assert.deepEqual(files.purge.purged.get("a"), ["Base", "Sub"]);
  const plain = await files.load("b", class Plain {});
  assert.equal(await files.purge.purge(plain), false, "nothing to lose");
});

test("the global name of a purged class goes, unless something else stands there or a getter would have to tell", async () => {
  const global = globalThis as Record<string, unknown>;
  const files = new Files({ selects: undefined });
  const [Mine, Taken, Lazy] = [class UrMine {}, class UrTaken {}, class UrLazy {}];
  Object.assign(global, { UrMine: Mine, UrTaken: 1 });
  Object.defineProperty(global, "UrLazy", { configurable: true, get: () => assert.fail("the getter was called") });
  try {
    await files.purge.purge(await files.load("a", Mine, Taken, Lazy));
    assert.deepEqual(["UrMine" in global, global.UrTaken, "UrLazy" in global], [false, 1, true]);
  } finally {
    delete global.UrTaken;
    delete global.UrLazy;
  }
});

test("names that are given replace what was found", () => {
  const global = globalThis as Record<string, unknown>;
  const known = (name: string): KnownClass => ({ name, target: class {}, reader: undefined });
  const [a, b] = [known("A"), known("B")];
  global.UrGlobal = function UrGlobal() {};
  global.UrObject = {};
  try {
    assert.deepEqual(namedClasses([a, b], undefined), [a, b]);
    assert.deepEqual(namedClasses([a, b], []), []);
    assert.deepEqual(namedClasses([a, b], ["B", "Missing", "UrObject"]), [b]);
    assert.deepEqual(
      namedClasses([a, b], ["UrGlobal", "A"]).map(({ name }) => name),
      ["A", "UrGlobal"],
    );
  } finally {
    delete global.UrGlobal;
    delete global.UrObject;
  }
});

test("what a decorator has put in place of a class may be anything that can be called", async () => {
  const files = new Files();
  const arrow = () => 1;
  const First = user(1);
  const version = await files.load("a", First, arrow);
  const { purged } = await files.replace(
    version,
    Object.defineProperty(() => 2, "name", { value: "User" }),
  );
  assert.deepEqual(purged.get("a"), ["User", "arrow"]);
  assert.match(files.log.join(), /a: User: its new version is a function that makes no instances/);
});
