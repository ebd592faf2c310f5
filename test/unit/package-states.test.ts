/** What statements have left in a package, by comparison of its exports and of the variables behind them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DroppedStatement } from "../../src/common/protocol/orders.js";
import { PackageStates } from "../../workers/ledger/package-states.js";
import { replaceMethod } from "../../workers/ledger/replace.js";

interface Case {
  /** The body of the package's file. */
  readonly made: string;
  /** What a module does to `p`; the call comes first. */
  readonly done: string;
  /** What its new version does in its place. */
  readonly instead?: string;
  readonly left: boolean;
}

// Functions that come first are looked behind in any case: those that a statement calls are others.
const others = "exports.a = () => 1; exports.b = () => 2; exports.c = () => 3;";
const settings =
  "let chosen = { week: 0 }; const set = (given) => { chosen = { ...chosen, ...given }; }; const get = () => chosen;";

const cases: Readonly<Record<string, Case>> = {
  "a property": {
    made: "exports.options = { currency: { symbol: '$' } };",
    done: "p.options.currency.symbol = 'E'",
    left: true,
  },
  "a variable behind the function that is called": {
    made: `${others} exports.name = (() => { let name = 'en'; return (given) => { name = given; }; })();`,
    done: "p.name('fr')",
    left: true,
  },
  "a variable behind a getter that passes on": {
    made: `${others} const it = (() => { ${settings} return { set }; })(); Object.defineProperty(exports, 'set', { get: function () { return it.set; } });`,
    done: "p.set({ week: 5 })",
    left: true,
  },
  "a variable behind a function that the called one calls": {
    made: `${others} const it = (() => { ${settings} return { get, set }; })(); exports.choose = (() => { const inner = it; return (given) => inner.set(given); })();`,
    done: "p.choose({ week: 5 })",
    left: true,
  },
  "a switch": { made: "let on = false; exports.set = (given) => { on = given; };", done: "p.set(true)", left: true },
  "a method of a class": {
    made: "exports.Thing = class { a() {} }; exports.extend = (plugin) => plugin(exports.Thing);",
    done: "p.extend((Thing) => { Thing.prototype.more = 1; })",
    left: true,
  },
  "a part of an object that was made later": {
    made: "let renderer; exports.use = (given) => { renderer = { ...renderer }; renderer.parts ??= {}; Object.assign(renderer.parts, given); };",
    done: "p.use({ heading: 1 })",
    instead: "p.use({ paragraph: 2 })",
    left: true,
  },
  "what the statement in its place has set": {
    made: "let name = 'en'; exports.name = (given) => { name = given; };",
    done: "p.name('fr')",
    instead: "p.name('de')",
    left: false,
  },
  "nothing, where the package does something else": {
    made: "exports.send = (text) => text.length;",
    done: "p.send('text')",
    left: false,
  },
  "a number that is the same by accident": {
    made: "let count = 0; exports.set = () => { count = 1; };",
    done: "p.set(1)",
    instead: "p.set(2)",
    left: false,
  },
};

for (const [what, { made, done, instead, left }] of Object.entries(cases)) {
  test(`${left ? "left is" : "nothing is left:"} ${what}`, () => {
    const exports = {};
    new Function("exports", made)(exports);
    const run = (text: string): void => void new Function("p", text)(exports);
    const target = /^[\w.]+/.exec(done)?.[0] ?? "";
    const states = new PackageStates({
      touches: () => [{ of: "kept", target, text: done }],
      bodyOf: () => done,
      isCurrent: () => false,
    });
    states.handedOver(exports, "kept");
    states.entering("own.js");
    run(done);
    const plain = (text: string): string => text.replace(/\s+/g, "");
    const dropped: DroppedStatement = {
      file: "own.js",
      of: "kept",
      target,
      text: plain(done),
      isChanged: instead !== undefined,
      present: plain(instead ?? ""),
    };
    states.planned([dropped]);
    if (instead !== undefined) run(instead);
    assert.deepEqual(states.left(), left ? { file: "own.js", what: `${target} in the package kept` } : undefined);
    assert.equal(states.left(), undefined, "told once");
  });
}

test("of a method that an adapter watches, the variables behind the library's own are looked at", () => {
  for (const isLeft of [true, false]) {
    const seen: unknown[] = [];
    const exports: Record<string, (given: string) => void> = {};
    const kept = isLeft ? "name = given" : "given";
    new Function("exports", `${others} let name; exports.name = (given) => { ${kept}; };`)(exports);
    const watched = exports.name;
    const restore = replaceMethod(exports, "name", (original) => (given) => {
      seen.push(given);
      return original.call(exports, given);
    });
    assert.notEqual(exports.name, watched);
    const done = "p.name('fr')";
    const states = new PackageStates({
      touches: () => [{ of: "kept", target: "p.name", text: done }],
      bodyOf: () => done,
      isCurrent: () => false,
    });
    states.handedOver(exports, "kept");
    states.entering("own.js");
    exports.name?.("fr");
    states.planned([{ file: "own.js", of: "kept", target: "p.name", text: done, isChanged: false, present: "" }]);
    assert.equal(states.left() !== undefined, isLeft);
    assert.equal(seen.length, 1);
    restore();
  }
});

test("an entry is data of a statement when it is plain and has something of its text", () => {
  const exports: Record<string, unknown> = {};
  new Function(
    "exports",
    "const list = []; exports.add = (one) => list.push(one); exports.more = (one) => list.push(one);",
  )(exports);
  let statements = [{ of: "kept", target: "p.add", text: "" }];
  const states = new PackageStates({ touches: () => statements, bodyOf: () => "", isCurrent: () => false });
  states.handedOver(exports, "kept");
  states.entering("own.js");
  assert.equal(isDataOf(`p.add({ name: "rule" })`, { key: 0, value: { name: "rule" } }), true);
  assert.equal(isDataOf(`p.add({ name: "rule" })`, { key: 0, value: { name: "other" } }), false);
  assert.equal(
    isDataOf(`p.add({ name: "rule" })`, {
      key: 0,
      value: new (class Pool {
        name = "rule";
      })(),
    }),
    false,
  );

  function isDataOf(text: string, entry: object): boolean {
    statements = [{ of: "kept", target: "p.add", text }];
    return states.isDataOf("own.js", entry);
  }
});
