/** What an old class, its instances and its subclasses are once a new version of the class has taken over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import type { AnyClass } from "../../workers/classes/base-chain.js";
import { hindrance, ownMembers, Reopening } from "../../workers/classes/reopen.js";
import { randomSource } from "../support/random.js";

// biome-ignore lint/suspicious/noExplicitAny: classes and instances of apps, which have any shape
type Any = any;

/** A class from its text; `names` are visible in it. */
function make(text: string, names: Readonly<Record<string, unknown>> = {}): Any {
  const code = `(function (${Object.keys(names).join(", ")}) { return ${text}; })`;
  return (runInThisContext(code) as (...values: unknown[]) => unknown)(...Object.values(names));
}

class Versions {
  readonly reopening = new Reopening();
  readonly kept: AnyClass[] = [];
  current: Any;
  #defined;

  constructor(first: Any) {
    this.current = first;
    this.#defined = ownMembers(first);
  }

  /** Lets the next version take over; gives it. */
  next(next: Any): Any {
    this.undo = this.reopening.reopen(this.current, next, { defined: this.#defined, subclasses: this.kept });
    this.current = next;
    this.#defined = ownMembers(next);
    return next;
  }

  undo: () => void = () => {};

  /** After `undo`. */
  goBack(to: Any): void {
    this.current = to;
    this.#defined = ownMembers(to);
  }
}

test("an old instance has the new version's methods, accessors and symbols, and no others", () => {
  const Old = make(`class User {
    name = "a";
    stays() { return "old " + this.name; }
    goes() {}
    get label() { return "old"; }
    get lost() { return 1; }
    [Symbol.iterator]() { return ["old"][Symbol.iterator](); }
    [Symbol.for("goes")]() {}
  }`);
  const user = new Old();
  const versions = new Versions(Old);
  const New = versions.next(
    make(`class User {
    stays() { return "new " + this.name; }
    comes() { return this.stays() + "!"; }
    get label() { return "new"; }
    set label(value) { this.name = value; }
    [Symbol.iterator]() { return ["new"][Symbol.iterator](); }
    toString() { return super.toString() + "?"; }
  }`),
  );
  assert.equal(user.comes(), "new a!");
  assert.equal(user.label, "new");
  user.label = "b";
  assert.equal(user.stays(), "new b");
  assert.deepEqual([...user], ["new"]);
  assert.equal(`${user}`, "[object Object]?");
  for (const gone of ["goes", "lost", Symbol.for("goes")]) assert.equal(gone in user, false);
  assert.equal(user.constructor, New);
  assert.deepEqual(Object.keys(user), ["name"]);
});

test("instanceof holds both ways, and a subclass that inherits the old class's test is not confused", () => {
  const Old = make("class User {}");
  const old = new Old();
  const versions = new Versions(Old);
  const New = versions.next(make("class User {}"));
  assert.ok(old instanceof New);
  assert.ok(old instanceof Old);
  assert.ok(new New() instanceof Old);
  assert.equal({} instanceof Old, false);
  const Late = class extends Old {};
  assert.equal(old instanceof Late, false);
  assert.equal(new New() instanceof Late, false);
  assert.ok(new Late() instanceof Late);
  assert.ok(new Late() instanceof New);
  const Newest = versions.next(
    make(`class User { static [Symbol.hasInstance](x) { return x === 1 || this !== User; } }`),
  );
  assert.ok((1 as Any) instanceof Old);
  assert.ok((1 as Any) instanceof New);
  assert.equal(old instanceof Old, false, "the newest class decides");
  assert.ok((2 as Any) instanceof Late, "and is asked about what inherits from it");
  assert.ok((1 as Any) instanceof Newest);
});

test("a kept subclass extends the new class: its constructor, its members, its statics, super", () => {
  const Old = make(
    `class Base { constructor() { this.made = "old"; } static who() { return "old"; } say() { return "old"; } }`,
  );
  const Sub = make(
    `class Sub extends Base { say() { return super.say() + " sub"; } static who() { return super.who() + " sub"; } }`,
    {
      Base: Old,
    },
  );
  const sub = new Sub();
  const versions = new Versions(Old);
  versions.kept.push(Sub, class Other {});
  const New = versions.next(
    make(
      `class Base { constructor() { this.made = "new"; } static who() { return "new"; } say() { return "new"; } more() { return 1; } }`,
    ),
  );
  assert.equal(Object.getPrototypeOf(Sub), New);
  assert.equal(Object.getPrototypeOf(Sub.prototype), New.prototype);
  assert.equal(new Sub().made, "new");
  assert.equal(sub.say(), "new sub");
  assert.equal(Sub.who(), "new sub");
  assert.equal(sub.more(), 1);
  assert.ok(sub instanceof New && sub instanceof Old && sub instanceof Sub);
});

test("statics are the new version's; what was added at run time is carried over, what was defined is not", () => {
  const Old = make(
    `class User { static count = 1; static gone = 1; static find() { return "old"; } static get all() { return ["old"]; } }`,
  );
  const versions = new Versions(Old);
  Old.cache = new Map([[1, 2]]);
  Old.count = 7;
  Object.defineProperty(Old, "hidden", { value: 3 });
  Old.both = "added";
  Old.prototype.patched = () => "patched";
  const New = versions.next(
    make(
      `class User { static count = 2; static both = "defined"; static find() { return "new"; } static get all() { return ["new"]; } }`,
    ),
  );
  for (const User of [Old, New]) {
    assert.equal(User.count, 2, "the definition is evaluated again");
    assert.equal(User.find(), "new");
    assert.deepEqual(User.all, ["new"]);
    assert.equal("gone" in User, false);
    assert.equal(User.cache.get(1), 2);
    assert.equal(User.hidden, 3);
    assert.equal(User.both, "defined");
    assert.equal(User.name, "User");
  }
  assert.equal(new New().patched(), "patched");
});

test("what was carried over stays, however often the class is reopened", () => {
  const versions = new Versions(make("class User {}"));
  versions.current.cache = 1;
  const defined = ownMembers(make("class User {}"));
  let current = versions.current;
  for (let n = 0; n < 5; n++) {
    const next = make("class User {}");
    versions.reopening.reopen(current, next, { defined, subclasses: [] });
    current = next;
  }
  assert.equal(current.cache, 1);
});

test("code that holds the old class still makes instances with it, once, and they have the new methods", () => {
  const log: string[] = [];
  const Base = make(`class { constructor(name) { log.push("base " + name); } }`, { log });
  const version = (n: number) =>
    make(
      `class User extends Base { field = ${n}; constructor(name) { super(name + ${n}); log.push("user ${n}"); } version() { return ${n}; } }`,
      {
        Base,
        log,
      },
    );
  const Old = version(1);
  const versions = new Versions(Old);
  const New = versions.next(version(2));
  const user = new Old("a");
  assert.deepEqual(log, ["base a1", "user 1"]);
  assert.deepEqual([user.field, user.version(), user.constructor], [1, 2, New]);
  versions.next(version(3));
  assert.equal(new Old("b").version(), 3);
  assert.equal(new New("c").version(), 3);
});

test("a class may change its base class, lose it, or get one", () => {
  const A = make("class A { a() { return 'a'; } }");
  const B = make("class B { b() { return 'b'; } }");
  const versions = new Versions(make("class X extends A {}", { A }));
  const Old = versions.current;
  const x = new Old();
  versions.next(make("class X extends B {}", { B }));
  assert.equal(x.b(), "b");
  assert.equal("a" in x, false);
  assert.equal(x instanceof A, false);
  assert.ok(x instanceof B);
  versions.next(make("class X {}"));
  assert.equal("b" in x, false);
  assert.ok(new Old() instanceof versions.current);
  versions.next(make("class X extends A {}", { A }));
  assert.equal(x.a(), "a");
});

test("classes that extend null are reopened", () => {
  const Old = make(
    "class Bare extends null { static make() { return Object.create(Bare.prototype); } say() { return 1; } }",
  );
  const bare = Old.make();
  const versions = new Versions(Old);
  const New = versions.next(
    make("class Bare extends null { static make() { return Object.create(Bare.prototype); } say() { return 2; } }"),
  );
  assert.equal(bare.say(), 2);
  assert.ok(bare instanceof New);
  assert.ok(New.make() instanceof Old);
  assert.equal("toString" in bare, false);
});

test("static methods called through the old class have it as this, as a subclass has", () => {
  const versions = new Versions(make("class User { static make() { return new this(); } }"));
  const Old = versions.current;
  versions.next(make("class User { static make() { return new this(); } new() { return 1; } }"));
  assert.equal(Old.make().new(), 1);
});

test("a frozen class, a member that cannot be deleted and a class that inherits from its old self are not reopened", () => {
  const fresh = make("class User { say() {} }");
  assert.equal(hindrance(make("class User { say() {} }"), fresh), undefined);
  assert.equal(hindrance(Object.freeze(make("class User {}")), fresh), "it is frozen");
  const sealed = make("class User {}");
  Object.seal(sealed.prototype);
  assert.equal(hindrance(sealed, fresh), "it is frozen");
  const fixed = make("class User {}");
  Object.defineProperty(fixed.prototype, "kind", { value: 1 });
  assert.match(hindrance(fixed, fresh) ?? "", /kind is not configurable/);
  const Old = make("class User {}");
  assert.match(hindrance(Old, make("class User extends Old {}", { Old })) ?? "", /inherits from it/);
  const Between = make("class Between extends Old {}", { Old });
  assert.match(hindrance(Old, make("class User extends Between {}", { Between })) ?? "", /inherits from it/);
});

test("a static that cannot be deleted is seen by holders of the old class only; a frozen new class takes nothing over", () => {
  const Old = make("class User {}");
  Object.defineProperty(Old, "kind", { value: "old" });
  const versions = new Versions(Old);
  Old.added = 1;
  const New = versions.next(Object.freeze(make("class User { static kind = 'new'; say() { return 2; } }")));
  assert.equal(Old.kind, "old");
  assert.equal(New.kind, "new");
  assert.equal(New.added, undefined);
  assert.equal(new Old().say(), 2);
});

test("undoing leaves everything as it was", () => {
  // The order of keys counts where people see it: what cannot be deleted (`prototype`) comes first afterwards.
  const shape = (value: object): unknown => [
    Object.getPrototypeOf(value),
    Object.keys(value),
    new Map(Reflect.ownKeys(value).map((key) => [key, Object.getOwnPropertyDescriptor(value, key)])),
  ];
  const Base = make("class Base {}");
  const versions = new Versions(
    make("class User extends Base { static a = 1; static get b() { return 2; } c() {} }", { Base }),
  );
  const Old = versions.current;
  const Sub = make("class Sub extends Old { c() {} }", { Old });
  versions.kept.push(Sub);
  const all = () => [Old, Old.prototype, Sub, Sub.prototype].map(shape);
  const before = all();
  versions.next(make("class User { c() { return 2; } }"));
  assert.notDeepEqual(all(), before);
  versions.undo();
  assert.deepEqual(all(), before);

  // And once more, with a generation before.
  versions.goBack(Old);
  const Second = versions.next(make("class User { d() { return 2; } }"));
  const later = [...all(), shape(Second), shape(Second.prototype)];
  versions.next(make("class User { d() { return 3; } }"));
  const user = new Old();
  assert.equal(user.d(), 3);
  versions.undo();
  assert.deepEqual([...all(), shape(Second), shape(Second.prototype)], later);
  assert.equal(user.d(), 2);
  assert.ok(user instanceof Second && new Second() instanceof Old);
  versions.goBack(Second);
  versions.next(make("class User { d() { return 4; } }"));
  assert.equal(user.d(), 4);
});

test("a hundred versions later the newest class is as near as after the first", () => {
  const versions = new Versions(make("class User {}"));
  const Old = versions.current;
  const users = [new Old()];
  for (let n = 1; n <= 100; n++) {
    const next = versions.next(make(`class User { version() { return ${n}; } }`));
    users.push(new next());
  }
  for (const user of users.slice(0, -1)) {
    assert.equal(user.version(), 100);
    let steps = 0;
    for (let object = user; object !== Object.prototype; object = Object.getPrototypeOf(object)) steps++;
    assert.ok(steps <= 4, `${steps} steps`);
    assert.ok(user instanceof Old && user instanceof versions.current);
  }
});

test("whatever the versions are, and whichever are undone, instances of all ages have what the newest class defines", () => {
  const random = randomSource("reopen");
  const keys = ["a", "b", "c", "d"];
  for (let round = 0; round < 100; round++) {
    const bases = [make("class One { a() { return 'One'; } }"), make("class Two { d() { return 'Two'; } }")];
    let n = 0;
    const version = (): Any => {
      const { Base } = random.pick([{ Base: undefined }, { Base: null }, ...bases.map((Base) => ({ Base }))]);
      const members = keys.flatMap((key) => {
        const kind = random.below(5);
        if (kind > 2) return [];
        const isStatic = kind === 2 ? "static " : "";
        return [kind === 0 ? `get ${key}() { return () => ${n}; }` : `${isStatic}${key}() { return ${n}; }`];
      });
      n++;
      return make(`class User ${Base === undefined ? "" : "extends Base"} { ${members.join(" ")} }`, { Base });
    };
    const versions = new Versions(version());
    const all: Any[] = [versions.current];
    const instances: Any[] = [Object.create(versions.current.prototype)];
    for (let step = 0; step < 8; step++) {
      const before = versions.current;
      const next = versions.next(version());
      if (random.chance(0.3)) {
        versions.undo();
        versions.goBack(before);
      } else {
        all.push(next);
        instances.push(Object.create(next.prototype));
      }
      const { current } = versions;
      const expected = Object.create(current.prototype);
      for (const instance of instances) {
        assert.ok(instance instanceof current);
        for (const Old of all) assert.ok(instance instanceof Old);
        assert.equal(instance.constructor, current);
        for (const key of keys) assert.equal(instance[key]?.(), expected[key]?.(), key);
        for (const Base of bases) assert.equal(instance instanceof Base, expected instanceof Base);
      }
      for (const Old of all) for (const key of keys) assert.equal(Old[key]?.(), current[key]?.(), `static ${key}`);
    }
  }
});
