/** Which classes `--subclasses` selects, and which of its names mean nothing. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { inherits } from "node:util";
import { parseSubclassName, type SubclassName, subclassText } from "../../src/common/protocol/subclass-name.js";
import { matchVersions } from "../../workers/classes/match-versions.js";
import type { KnownClass } from "../../workers/classes/purge-class.js";
import { type SeenNames, SubclassFilter } from "../../workers/classes/subclass-filter.js";
import { randomSource } from "../support/random.js";

function filter(...texts: string[]): SubclassFilter {
  return new SubclassFilter(texts.map((text) => parseSubclassName(text) ?? assert.fail(text)));
}

function world(packages: Readonly<Record<string, readonly unknown[]>> = {}, more: Partial<SeenNames> = {}): SeenNames {
  return {
    nameOf: (target) => target.name,
    exportsOf: (name) => packages[name] ?? [],
    allExports: () => Object.values(packages).flat(),
    classes: () => [],
    hasGlobal: () => false,
    ...more,
  };
}

test("a name is an identifier, or an identifier behind a package and #", () => {
  const parsed: Readonly<Record<string, SubclassName>> = {
    Model: { type: "plain", name: "Model" },
    $: { type: "plain", name: "$" },
    Größe: { type: "plain", name: "Größe" },
    "mongoose#Model": { type: "export", package: "mongoose", name: "Model" },
    "@scope/pkg#Name": { type: "export", package: "@scope/pkg", name: "Name" },
    "pkg/sub.js#default": { type: "export", package: "pkg/sub.js", name: "default" },
    "node:events#EventEmitter": { type: "export", package: "node:events", name: "EventEmitter" },
  };
  for (const [text, name] of Object.entries(parsed)) {
    assert.deepEqual(parseSubclassName(text), name, text);
    assert.equal(subclassText(name), text);
  }
  for (const text of [
    "",
    "#x",
    "a#",
    "a#b#c",
    "a b",
    "1a",
    "a.b",
    "a-b",
    "#",
    "@scope#x",
    "./a#b",
    "/a#b",
    "a #b",
    "../a#b",
  ])
    assert.equal(parseSubclassName(text), undefined, text);
});

test("a plain name selects every class of that name and its descendants", () => {
  class Model {}
  class User extends Model {}
  class Admin extends User {}
  class Other {}
  const models = filter("Model");
  for (const selected of [Model, User, Admin]) assert.ok(models.selects(selected, world()), selected.name);
  for (const left of [Other, Object, class extends Other {}]) assert.equal(models.selects(left, world()), false);
  assert.ok(filter("Nothing", "User").selects(Admin, world()));
  assert.equal(filter("User").selects(Model, world()), false);
  assert.equal(filter("Object").selects(Other, world()), false, "everything descends from Object");
  assert.equal(filter().selects(Other, world()), false, "an empty filter selects nothing");
});

test("old-style inheritance counts", () => {
  function Legacy(this: unknown): void {}
  inherits(Legacy, EventEmitter);
  class Newer extends (Legacy as unknown as new () => object) {}
  for (const value of [Legacy, Newer]) {
    assert.ok(filter("EventEmitter").selects(value, world()));
    assert.ok(filter("Legacy").selects(value, world()));
  }
});

test("package#Name selects the class that the package exports, and no other of that name", () => {
  class Model {}
  const mongoose = { Model };
  const Impostor = { Model: class Model {} }.Model;
  class User extends Model {}
  class Fake extends Impostor {}
  for (const exports of [mongoose, { default: mongoose }, { __proto__: null, default: mongoose, Model }]) {
    const loaded = world({ mongoose: [exports] });
    assert.ok(filter("mongoose#Model").selects(User, loaded));
    assert.ok(filter("mongoose#Model").selects(Model, loaded));
    assert.equal(filter("mongoose#Model").selects(Fake, loaded), false);
    assert.equal(filter("sequelize#Model").selects(User, loaded), false);
    assert.equal(filter("mongoose#Schema").selects(User, loaded), false);
  }
  const both = world({ dual: [{ Model }, { Model: Impostor }] });
  for (const value of [User, Fake]) assert.ok(filter("dual#Model").selects(value, both), "each way of loading it");
  const callable = Object.assign(class Base {}, { Model });
  assert.ok(filter("pkg#Model").selects(User, world({ pkg: [callable] })));
  assert.ok(filter("pkg#default").selects(class extends callable {}, world({ pkg: [callable] })));
});

test("a class whose name is hidden by a static member counts by the name it was defined with", () => {
  class Model {}
  Object.defineProperty(Model, "name", { value: "mine" });
  const defined = world({}, { nameOf: (value) => (value === Model ? "Model" : "") });
  assert.ok(filter("Model").selects(class extends Model {}, defined));
  assert.equal(filter("mine").selects(Model, defined), false);
});

test("a plain object or function on globalThis goes when its exact name is given", () => {
  const loaded = world();
  assert.ok(filter("Tools").selectsGlobal("Tools", {}, loaded));
  assert.ok(filter("tool").selectsGlobal("tool", () => {}, loaded));
  assert.equal(filter("Tools").selectsGlobal("Others", {}, loaded), false);
  assert.equal(
    filter("Tools").selectsGlobal("tool", () => {}, loaded),
    false,
  );
  assert.equal(filter("Tools").selectsGlobal("tools", {}, loaded), false);
  class Model {}
  assert.ok(filter("Model").selectsGlobal("User", class User extends Model {}, loaded));
  assert.equal(filter("mongoose#Tools").selectsGlobal("Tools", {}, loaded), false);
});

test("names for which nothing was seen are unknown", () => {
  class Model {}
  class User extends Model {}
  const explodes = Object.defineProperty({}, "Lazy", { get: () => assert.fail("no getter is called") });
  const seen = world(
    { pkg: [{ Exported: class {}, value: 1 }, { default: { Nested: class {} } }, explodes] },
    { classes: () => [User], hasGlobal: (name) => name === "Global" },
  );
  const names = ["Model", "User", "Exported", "Nested", "Lazy", "Global", "pkg#Exported", "pkg#Nested"];
  assert.deepEqual(filter(...names).unknown(seen), []);
  const unknown = ["Modle", "pkg#value", "pkg#User", "other#Exported"];
  assert.deepEqual(
    filter(...names, ...unknown)
      .unknown(seen)
      .map(subclassText),
    unknown,
  );
});

test("versions are matched by name, and classes of one name in order when they are as many as before", () => {
  const known = (name: string): KnownClass => ({ name, target: class {}, reader: undefined });
  const matched = (before: string[], after: string[]) =>
    matchVersions(before.map(known), after.map(known)).pairs.length;
  assert.equal(matched([""], [""]), 1, "the only anonymous class");
  assert.equal(matched(["", ""], ["", ""]), 0, "which is which?");
  assert.equal(matched([""], ["", ""]), 0);
  const olds = ["A", "B", "A", "", "C", "C", "D", ""].map(known);
  const nexts = ["B", "A", "", "A", "C", "E"].map(known);
  const { pairs, unmatched, ambiguous } = matchVersions(olds, nexts);
  assert.deepEqual(
    pairs.map(({ old, next }) => [olds.indexOf(old), nexts.indexOf(next)]),
    [
      [0, 1],
      [2, 3],
      [1, 0],
    ],
  );
  assert.deepEqual(
    unmatched.map((old) => olds.indexOf(old)),
    [3, 7, 6],
  );
  assert.deepEqual(
    ambiguous.map((old) => olds.indexOf(old)),
    [4, 5],
  );
});

test("every old class is in exactly one place, and only classes of one name are matched", () => {
  const random = randomSource("match versions");
  for (let round = 0; round < 300; round++) {
    const some = (): KnownClass[] =>
      Array.from({ length: random.below(8) }, () => ({
        name: random.pick(["", "A", "B", "C"]),
        target: class {},
        reader: undefined,
      }));
    const [olds, nexts] = [some(), some()];
    const { pairs, unmatched, ambiguous } = matchVersions(olds, nexts);
    const placed = [...pairs.map(({ old }) => old), ...unmatched, ...ambiguous];
    assert.equal(new Set(placed).size, olds.length);
    assert.equal(placed.length, olds.length);
    assert.equal(new Set(pairs.map(({ next }) => next)).size, pairs.length);
    for (const { old, next } of pairs) assert.equal(old.name, next.name);
    for (const { name } of unmatched) assert.ok(name === "" || nexts.every((next) => next.name !== name));
  }
});
