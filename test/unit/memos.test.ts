import assert from "node:assert/strict";
import { test } from "node:test";
import { memosOf } from "../../src/common/compile/memos.js";
import { parse } from "../../src/common/compile/syntax-tree.js";

const memos = (text: string) => memosOf(parse(`import { a, b } from "./m.js";\n${text}`, "module").program);

test("variables that functions fill once, and what they are filled from", () => {
  const it = [{ name: "it", from: ["./m.js"] }];
  for (const text of [
    "let it; const get = () => (it ??= a());",
    "var it; function get() { return it || (it = new a()); }",
    "let it; function get() { if (it == null) { const made = a; it = wrap(made); } return it; }",
    "let it; async function get() { if (it) return it; it = await load(); return it; }\nconst load = () => b.c;",
    "export let it; class K { get() { it = it ?? { a }; return it; } }",
    "let it = null; const get = () => (typeof it === 'undefined' ? (it = a()) : it);",
  ])
    assert.deepEqual(memos(text), it, text);
  assert.deepEqual(memos("let it; const get = async () => (it ??= (await import('./late.js')).default);"), [
    { name: "it", from: ["./late.js"] },
  ]);
});

test("state is none", () => {
  for (const text of [
    // It counts on.
    "let it = 0; const next = () => (it += a);",
    // The last one is kept.
    "let it; const set = (one) => { it = a(one); };",
    // Made of nothing that is imported.
    "let it; const get = () => (it ??= new Map());",
    "let it; const get = () => (it ??= other.a);",
    // A parameter, and another object's property.
    "const get = (it) => (it ??= a()); let other;",
    "let it; const get = (o) => (o.it ??= a());",
    // At evaluation: an edge tells.
    "let it; it ??= a();",
  ])
    assert.deepEqual(memos(text), [], text);
});
