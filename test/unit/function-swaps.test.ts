/** Bodies of functions that are swapped: which edits these are, and what the functions do then. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import { Compiler } from "../../src/common/compile/compiler.js";
import { compareFunctions, type LiveFunction, liveFunctions } from "../../src/common/compile/live-functions.js";
import { Scripts } from "../../workers/runtime/script.js";
import { CallWatch, hideCells, VersionSwaps } from "../../workers/runtime/swaps.js";
import { Random, randomSource } from "../support/random.js";
import { SwapModel } from "../support/swap-model.js";

const PROGRAMS = Number(process.env.UNRELOADER_RANDOM_PROGRAMS ?? 60);
const EDITS = 6;
const compiler = new Compiler({ root: "/app", cells: true });

type Exported = Record<string, (a: number) => unknown>;

/** A module whose bodies are swapped at each edit. */
class Swapped {
  readonly #file: string;
  readonly #watch = new CallWatch();
  readonly #swaps = new VersionSwaps(this.#watch);
  #compiled;
  #live: LiveFunction;
  #texts = 0;
  readonly exported: Exported = {};

  constructor(file: string, source: string) {
    this.#file = file;
    this.#compiled = compiler.compile(file, source);
    const live = liveFunctions(this.#compiled);
    assert.ok(live);
    this.#live = live;
    const module = { compiled: this.#compiled, imports: [], requires: {} };
    const scope = {
      swaps: this.#swaps.table,
      exports() {},
      dependencies: () => false,
      class: (made: unknown) => made,
      scope() {},
    };
    if (file.endsWith(".cjs")) {
      const create = new Scripts().compileCommonJs(module) as (ur: object) => (...names: unknown[]) => void;
      create(scope).call(this.exported, this.exported, undefined, { exports: this.exported }, file, "/app");
    } else {
      const given = globalThis as { __swapped?: Exported };
      given.__swapped = this.exported;
      (new Scripts().compileEsm(module, `file://${file}`, "plain") as (ur: object) => void)(scope);
      delete given.__swapped;
    }
    this.#watch.isOn = false;
  }

  /** Gives the names of what was swapped, or why nothing was. */
  edit(source: string): string[] | string {
    const next = compiler.compile(this.#file, source);
    const text = ++this.#texts;
    const compared = compareFunctions(this.#live, this.#compiled, next, {
      text,
      place: `file://${this.#file}?${text}`,
    });
    if (compared.type === "other") return compared.because;
    const { bodies, live } = compared;
    const swap = { module: { compiled: next, imports: [], requires: {} }, text, bodies };
    const called = this.#swaps.calledOf(swap);
    if (called !== undefined) return `${called} was called`;
    this.#swaps.swap(swap);
    this.#live = live;
    this.#compiled = next;
    return bodies.map(({ name }) => name);
  }
}

const toGlobal = (names: readonly string[]) => `Object.assign(globalThis.__swapped, { ${names.join(", ")} });`;
const toExports = (names: readonly string[]) => `Object.assign(exports, { ${names.join(", ")} });`;

test("after random edits of bodies, functions of all kinds run their newest body with the state that they had", async () => {
  const seeds = randomSource("bodies of functions");
  for (let program = 0; program < PROGRAMS; program++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const model = new SwapModel(random, 14);
    const isCommonJs = random.chance(0.4);
    const file = `/app/m${program}.${isCommonJs ? "cjs" : "mjs"}`;
    const source = () => model.source(isCommonJs ? toExports : toGlobal);
    const swapped = new Swapped(file, source());
    for (let edit = 0; edit < EDITS; edit++) {
      for (let k = 0; k < 10; k++) {
        const { name, argument, expected } = model.call();
        const given = await swapped.exported[name]?.(argument);
        assert.equal(given, expected, `program ${seed}, edit ${edit}\n${source()}`);
      }
      const edited = model.edit();
      const names = swapped.edit(source());
      assert.ok(
        Array.isArray(names) && names.length === edited.length,
        `program ${seed}: ${names}; ${edited}\n${source()}`,
      );
    }
  }
});

describe("what is no edit of bodies alone", () => {
  const text = (body: string) => `
import { x } from "./x.js";
const top = 1;
function f(a, b = 2) { ${body} }
class K { #p = 1; constructor() { this.c = 1; } m() { return 1; } n() { return this.m(); } static s = () => 1; }
class L extends K { m() { return 2; } }
const h = function named(a) { return 1; };
const make = (a) => (b) => a + b;
export { f, h, make, x, top };
Object.assign(globalThis.__swapped, { f });
`;
  const cases: readonly (readonly [string, string, (source: string) => string, RegExp | readonly string[]])[] = [
    ["the body of a function", "return 1;", (s) => s.replace("return 1;", "return top;"), ["f"]],
    ["a comment and a line", "return 1;", (s) => s.replace("const top", "\n/* a */ const  top"), []],
    ["a constant", "return 1;", (s) => s.replace("top = 1", "top = 2"), /something else/],
    ["a parameter's name", "return 1;", (s) => s.replace("f(a, b", "f(c, b"), /something else/],
    ["a default value", "return 1;", (s) => s.replace("b = 2", "b = 3"), /something else/],
    ["async", "return 1;", (s) => s.replace("function f", "async function f"), /something else/],
    ["a generator", "return 1;", (s) => s.replace("function f", "function* f"), /something else/],
    ["a directive of the module", "return 1;", (s) => `"use x";${s}`, /something else/],
    ["a new function", "return 1;", (s) => `${s}function g() {}`, /something else/],
    ["a new import", "return 1;", (s) => `import "./y.js";${s}`, /something else/],
    ["a constructor", "return 1;", (s) => s.replace("this.c = 1", "this.c = 2"), /something else/],
    ["a field", "return 1;", (s) => s.replace("#p = 1", "#p = 2"), /something else/],
    ["a function in a static field", "return 1;", (s) => s.replace("s = () => 1", "s = () => 2"), /something else/],
    ["a method", "return 1;", (s) => s.replace("return this.m()", "return this.m() + 1"), ["n"]],
    ["a private name", "return 1;", (s) => s.replace("return this.m()", "return this.#p"), /private name/],
    ["super", "return 1;", (s) => s.replace("return 2", "return super.m()"), /super/],
    ["arguments", "return 1;", (s) => s.replace("return 1;", "return arguments.length;"), /arguments/],
    ["new.target", "return 1;", (s) => s.replace("return 1;", "return () => new.target;"), /new\.target/],
    ["a function's own name", "return 1;", (s) => s.replace("(a) { return 1", "(a) { return named"), /mentions named/],
    [
      "what an arrow function without a block gives",
      "return 1;",
      (s) => s.replace("a + b", "a - b"),
      /within, which somebody may have/,
    ],
    ["a function within", "return () => 1;", (s) => s.replace("() => 1;", "() => 2;"), ["line 4"]],
    [
      "a body, and a function within",
      "return () => 1;",
      (s) => s.replace("() => 1;", "[() => 2];"),
      /within, which somebody may have/,
    ],
  ];
  for (const [what, body, edit, expected] of cases) {
    test(what, () => {
      const swapped = new Swapped("/app/cases.mjs", text(body).replace('import { x } from "./x.js";', "const x = 0;"));
      const given = swapped.edit(edit(text(body)).replace('import { x } from "./x.js";', "const x = 0;"));
      if (expected instanceof RegExp) assert.match(String(given), expected);
      else assert.deepEqual(given, expected);
    });
  }

  test("a function that was called while the module was evaluated", () => {
    const source = (value: number) =>
      `function f() { return ${value}; }\nconst g = () => { return ${value}; };\nglobalThis.__swapped.f = f() === 1 ? g : f;`;
    const swapped = new Swapped("/app/called.mjs", source(1));
    assert.equal(swapped.edit(source(2)), "f was called");
    assert.deepEqual(swapped.edit(source(1).replace("{ return 1; };", "{ return 3; };")), ["g"]);
    assert.equal(swapped.exported.f?.(0), 3);
  });

  test("a function's text is as it was written", () => {
    const show = hideCells();
    try {
      const source =
        "const f = function (a) { 'use strict'; const b = () => { return a; }; return b; };\nObject.assign(globalThis.__swapped, { f });";
      const { exported } = new Swapped("/app/text.mjs", source);
      assert.equal(String(exported.f), "function (a) { 'use strict'; const b = () => { return a; }; return b; }");
      assert.equal(String(Function.prototype.toString), "function toString() { [native code] }");
    } finally {
      show();
    }
  });
});

test("of texts that nothing runs any more only the last few are kept, and a swap that is taken back leaves all as it was", () => {
  const swaps = new VersionSwaps(new CallWatch());
  const module = (n: number) => ({ compiled: { body: `text ${n}` } }) as unknown as PreparedModule;
  const bodyOf = (id: number) => ({ text: 0, id, name: "f", source: "" });
  // Another function, whose body stays that of the first text.
  swaps.swap({ module: module(1), text: 1, bodies: [bodyOf(7)] });
  for (let n = 2; n <= 100; n++) swaps.swap({ module: module(n), text: n, bodies: [bodyOf(3)] });
  assert.ok(swaps.size <= 12, `${swaps.size} texts`);
  assert.equal(swaps.text(1)?.body, "text 1");
  assert.equal(swaps.newest?.body, "text 100");
  const bodies = swaps.table.bodies;
  const back = swaps.swap({ module: module(101), text: 101, bodies: [bodyOf(3), bodyOf(7)] });
  assert.equal(swaps.newest?.body, "text 101");
  back();
  assert.equal(swaps.newest?.body, "text 100");
  assert.equal(swaps.table.bodies, bodies);
});
