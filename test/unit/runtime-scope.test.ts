/** Every function of a module keeps one object of that module alive, whatever it uses: how old code is found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledModule, PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { BodyForm } from "../../workers/runtime/module-record.js";
import { Scripts } from "../../workers/runtime/script.js";
import { garbageCollector } from "../../workers/stale/collect-garbage.js";

/** What a body hands out -> whether it is code of the module. */
const bodies: Readonly<Record<string, boolean>> = {
  "out(() => 1);": true,
  "const other = {}; out(() => other);": true,
  "{ const inner = {}; out(() => inner); }": true,
  "out(class A { method() {} });": true,
  "out(new (class A {})());": true,
  "out({ method() {} });": true,
  "function make() { return () => 3; } out(make());": true,
  "out((() => 5).bind(null));": true,
  "out(async () => {});": true,
  "out((function* () {})());": true,
  "out({ plain: [1] });": false,
  "out(1);": false,
};

const collect = garbageCollector();
const scripts = new Scripts();

function prepared(body: string, part: Partial<CompiledModule>): PreparedModule {
  const compiled: CompiledModule = {
    file: "/app/a.js",
    hash: "",
    format: "esm",
    interop: "none",
    source: body,
    prologue: "",
    body,
    mapped: false,
    imports: [],
    exports: [],
    stars: [],
    requires: [],
    dynamicImports: [],
    topLevelAwait: false,
    effects: { passive: true, stateless: true, functions: [] },
    ...part,
  };
  return { compiled, imports: [], requires: {} };
}

/** Runs the body; gives what it handed out, and a weak reference to its `__ur`. */
type Evaluate = (body: string, ur: object) => unknown;

function esm(form: BodyForm, part: Partial<CompiledModule> = {}): Evaluate {
  return (body, ur) => {
    const compiled = scripts.compileEsm(prepared(body, part), "file:///app/a.js", form);
    const run = (part.interop ? (compiled as () => unknown)() : compiled) as (ur: object) => unknown;
    const result = run(ur);
    return form === "plain" ? undefined : (result as AsyncGenerator | Generator).next();
  };
}

const forms: Readonly<Record<string, Evaluate>> = {
  "an ES module": esm("plain"),
  "an ES module that waits for others": esm("resumable"),
  "an ES module with top-level await": esm("async"),
  "TypeScript with import syntax in a CommonJS package": esm("plain", { interop: "esModule" }),
  "a CommonJS module": (body, ur) =>
    (
      scripts.compileCommonJs(prepared(body, { format: "commonjs" })) as (
        ur: object,
      ) => (...names: unknown[]) => unknown
    )(ur).call({}, {}, undefined, {}, "/app/a.js", "/app"),
  "a CommonJS module that returns early": (body, ur) =>
    forms["a CommonJS module"]?.(`"use strict"; ${body} return;`, ur),
};

for (const [name, evaluate] of Object.entries(forms)) {
  test(`what is left of ${name} keeps its scope alive, and nothing else does`, async () => {
    const kept: unknown[] = [];
    const scopes: WeakRef<object>[] = [];
    Reflect.set(globalThis, "out", (value: unknown) => kept.push(value));
    try {
      for (const body of Object.keys(bodies)) scopes.push(await scopeOf(evaluate, body));
    } finally {
      Reflect.deleteProperty(globalThis, "out");
    }
    await collect();
    await collect();
    const alive = Object.fromEntries(Object.keys(bodies).map((body, at) => [body, scopes[at]?.deref() !== undefined]));
    assert.deepEqual(alive, bodies);
    assert.equal(kept.length, Object.keys(bodies).length);
  });
}

/** In a function of its own, whose variables are gone when it has returned. */
async function scopeOf(evaluate: Evaluate, body: string): Promise<WeakRef<object>> {
  const ur = { dependencies: () => false };
  await evaluate(body, ur);
  return new WeakRef(ur);
}
