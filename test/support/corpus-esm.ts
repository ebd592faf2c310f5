/**
 * Small ES module programs, run by Node and by the runtime: same reports, same error. A program is a list of files, each
 * after a line `--- name`; the first is the entry. `report(...)` is global; `done`, if exported, is awaited.
 */
export const esmCorpus: readonly (readonly [title: string, program: string])[] = [
  [
    "module.parent of what createRequire() loads",
    `--- m.mjs\nimport { createRequire } from "node:module"; report(createRequire(import.meta.url)("./a.cjs"));\n--- a.cjs\nmodule.exports = require("node:path").basename(module.parent.filename);`,
  ],
  [
    "names that CommonJS has for an ES module are those in its text",
    `--- m.mjs\nimport * as ns from "./c.cjs"; import { later as renamed, z } from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports"), renamed, z, ns.made, ns.default.made); report(Object.keys(await import("./d.cjs")).filter((k) => k !== "module.exports")); try { await import("./e.mjs"); } catch (e) { report(e.message); }\n--- c.cjs\nfor (const name of ["made", "more"]) exports[name] = 1; exports.later = undefined; Object.defineProperty(exports, "z", { value: "hidden" }); exports["a b"] = 2; if (globalThis.never) module.exports = require("./other.cjs");\n--- other.cjs\nexports.passedOn = 1;\n--- d.cjs\nmodule.exports = Object.assign({}, { a: 1, b: 2 });\n--- e.mjs\nimport { nothing as something, later } from "./c.cjs";`,
  ],
  [
    "what an import that leads nowhere says",
    `--- m.mjs\nconst from = new URL(".", import.meta.url).href; for (const s of ["./none.mjs?q", "./folder", "./folder/", "pkg/gone", "pkg/odd", "pkg/none", "pkg", "http://x/y", "foo:bar", "absent", "data:text/plain,x"]) { try { await import(s); report(s, "there"); } catch (e) { report(s, e.name, e.code, e.message, e.url?.replace(from, "")); } }\n--- folder/index.js\n--- node_modules/pkg/package.json\n{ "exports": { ".": "./dist/main.js", "./gone": "./lib/gone.js", "./odd": "../odd.js", "./sp": "./sp%20ace.js" } }`,
  ],
  [
    "what a package exports by a URL",
    `--- m.mjs\nimport x from "pkg/sp"; report(x);\n--- node_modules/pkg/package.json\n{ "exports": { "./sp": "./sp%20ace.js" } }\n--- node_modules/pkg/sp ace.js\nmodule.exports = "space";`,
  ],
  // Bindings
  ["named import", `--- m.mjs\nimport { a } from "./a.mjs"; report(a);\n--- a.mjs\nexport const a = 1;`],
  ["default import", `--- m.mjs\nimport a from "./a.mjs"; report(a);\n--- a.mjs\nexport default 1;`],
  [
    "namespace import",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(Object.keys(ns), ns.a, ns.default);\n--- a.mjs\nexport const b = 2, a = 1; export default 3;`,
  ],
  [
    "default and named together",
    `--- m.mjs\nimport d, { a as x } from "./a.mjs"; report(d, x);\n--- a.mjs\nexport const a = 1; export default 2;`,
  ],
  [
    "default and namespace together",
    `--- m.mjs\nimport d, * as ns from "./a.mjs"; report(d, ns.default === d);\n--- a.mjs\nexport default { x: 1 };`,
  ],
  ["side-effect import", `--- m.mjs\nimport "./a.mjs"; report("m");\n--- a.mjs\nreport("a");`],
  [
    "string export names",
    `--- m.mjs\nimport { "a b" as x } from "./a.mjs"; report(x);\n--- a.mjs\nconst v = 4; export { v as "a b" };`,
  ],
  [
    "live binding seen by importer",
    `--- m.mjs\nimport { n, inc } from "./a.mjs"; report(n); inc(); report(n);\n--- a.mjs\nexport let n = 0; export function inc() { n++; }`,
  ],
  [
    "live binding through a namespace",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(ns.n); ns.inc(); report(ns.n);\n--- a.mjs\nexport let n = 0; export const inc = () => ++n;`,
  ],
  [
    "live binding through a re-export",
    `--- m.mjs\nimport { n, inc } from "./b.mjs"; inc(); inc(); report(n);\n--- b.mjs\nexport { n, inc } from "./a.mjs";\n--- a.mjs\nexport let n = 0; export const inc = () => { n += 2; };`,
  ],
  [
    "default export of a variable is a value, not a binding",
    `--- m.mjs\nimport d, { set } from "./a.mjs"; set(); report(d);\n--- a.mjs\nlet v = 1; export default v; export const set = () => { v = 2; };`,
  ],
  [
    "export { v as default } is a binding",
    `--- m.mjs\nimport d, { set } from "./a.mjs"; set(); report(d);\n--- a.mjs\nlet v = 1; export { v as default }; export const set = () => { v = 2; };`,
  ],
  [
    "assignment to an import throws",
    `--- m.mjs\nimport { a } from "./a.mjs"; try { eval("0"); a = 2; } catch (e) { report(e.name); }\n--- a.mjs\nexport let a = 1;`,
  ],
  [
    "destructuring exports",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report({ ...ns });\n--- a.mjs\nexport const { a, b: { c = 5 }, ...rest } = { a: 1, b: {}, d: 4 }; export const [x, , y = 9, ...z] = [1, 2, undefined, 4];`,
  ],
  [
    "var exports assigned later",
    `--- m.mjs\nimport { v, late } from "./a.mjs"; report(v); late(); report(v);\n--- a.mjs\nexport var v; export function late() { v = 7; }`,
  ],
  [
    "exported function reassigned",
    `--- m.mjs\nimport { f, swap } from "./a.mjs"; report(f()); swap(); report(f());\n--- a.mjs\nexport function f() { return 1; } export function swap() { f = () => 2; }`,
  ],
  [
    "several names for one binding",
    `--- m.mjs\nimport { a, b, c } from "./a.mjs"; report(a, b, c);\n--- a.mjs\nconst v = 1; export { v as a, v as b }; export { v as c };`,
  ],
  // Default exports
  [
    "name of an anonymous default function",
    `--- m.mjs\nimport f from "./a.mjs"; report(f.name, f());\n--- a.mjs\nexport default function () { return 1; }`,
  ],
  [
    "name of an anonymous default class",
    `--- m.mjs\nimport C from "./a.mjs"; report(C.name);\n--- a.mjs\nexport default class { static x = 1; }`,
  ],
  [
    "name of a default arrow",
    `--- m.mjs\nimport f from "./a.mjs"; report(f.name);\n--- a.mjs\nexport default () => 1;`,
  ],
  [
    "parenthesised default function",
    `--- m.mjs\nimport f from "./a.mjs"; report(f.name);\n--- a.mjs\nexport default (function () {});`,
  ],
  [
    "default async function and generator",
    `--- m.mjs\nimport f from "./a.mjs"; import g from "./b.mjs"; report(f.name, g.name, [...g()]); report(await f());\n--- a.mjs\nexport default async function () { return 2; }\n--- b.mjs\nexport default function* () { yield 1; }`,
  ],
  [
    "named default function is hoisted",
    `--- m.mjs\nimport f from "./a.mjs"; report(f(), f.name);\n--- a.mjs\nreport(typeof named); export default function named() { return 3; }`,
  ],
  [
    "default class with static name",
    `--- m.mjs\nimport C from "./a.mjs"; report(C.name);\n--- a.mjs\nexport default class { static name = "own"; }`,
  ],
  [
    "default expression without semicolon",
    `--- m.mjs\nimport d from "./a.mjs"; report(d);\n--- a.mjs\nexport default [1, 2]\n  .map((x) => x * 2)\nreport("after")`,
  ],
  [
    "default object literal and sequence",
    `--- m.mjs\nimport d from "./a.mjs"; report(d);\n--- a.mjs\nexport default ({ a: 1 }, { b: 2 })`,
  ],
  // Re-exports
  [
    "export star",
    `--- m.mjs\nimport * as ns from "./b.mjs"; report(Object.keys(ns));\n--- b.mjs\nexport * from "./a.mjs"; export const own = 1;\n--- a.mjs\nexport const a = 1; export default 2;`,
  ],
  [
    "export star as namespace",
    `--- m.mjs\nimport { ns } from "./b.mjs"; report(ns.a, Object.keys(ns));\n--- b.mjs\nexport * as ns from "./a.mjs";\n--- a.mjs\nexport const a = 1; export default 2;`,
  ],
  [
    "own name hides a star name",
    `--- m.mjs\nimport { a } from "./b.mjs"; report(a);\n--- b.mjs\nexport * from "./a.mjs"; export const a = "own";\n--- a.mjs\nexport const a = "star";`,
  ],
  [
    "ambiguous star names are left out",
    `--- m.mjs\nimport * as ns from "./c.mjs"; report(Object.keys(ns), ns.x);\n--- c.mjs\nexport * from "./a.mjs"; export * from "./b.mjs";\n--- a.mjs\nexport const x = 1, a = 1;\n--- b.mjs\nexport const x = 2, b = 2;`,
  ],
  [
    "importing an ambiguous name fails",
    `--- m.mjs\nimport { x } from "./c.mjs"; report(x);\n--- c.mjs\nexport * from "./a.mjs"; export * from "./b.mjs";\n--- a.mjs\nexport const x = 1;\n--- b.mjs\nexport const x = 2;`,
  ],
  [
    "one binding reached twice is not ambiguous",
    `--- m.mjs\nimport * as ns from "./c.mjs"; report(Object.keys(ns), ns.x);\n--- c.mjs\nexport * from "./a.mjs"; export * from "./b.mjs";\n--- a.mjs\nexport { x } from "./x.mjs";\n--- b.mjs\nimport { x } from "./x.mjs"; export { x };\n--- x.mjs\nexport const x = 1;`,
  ],
  [
    "one binding reached by two stars",
    `--- m.mjs\nimport { x } from "./c.mjs"; report(x);\n--- c.mjs\nexport * from "./a.mjs"; export * from "./b.mjs";\n--- a.mjs\nexport * from "./x.mjs";\n--- b.mjs\nexport * from "./x.mjs";\n--- x.mjs\nexport const x = 1;`,
  ],
  [
    "renamed re-exports are different bindings",
    `--- m.mjs\nimport * as ns from "./c.mjs"; report(Object.keys(ns));\n--- c.mjs\nexport * from "./a.mjs"; export * from "./b.mjs";\n--- a.mjs\nexport { y as x } from "./x.mjs";\n--- b.mjs\nexport { x } from "./x.mjs";\n--- x.mjs\nexport const x = 1, y = 2;`,
  ],
  [
    "star cycle",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(Object.keys(ns), ns.a, ns.b);\n--- a.mjs\nexport * from "./b.mjs"; export const a = 1;\n--- b.mjs\nexport * from "./a.mjs"; export const b = 2;`,
  ],
  [
    "star of itself",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(Object.keys(ns));\n--- a.mjs\nexport * from "./a.mjs"; export const a = 1;`,
  ],
  [
    "default is not re-exported by a star",
    `--- m.mjs\nimport d from "./b.mjs"; report(d);\n--- b.mjs\nexport * from "./a.mjs";\n--- a.mjs\nexport default 1;`,
  ],
  [
    "default re-exported by name",
    `--- m.mjs\nimport d, { x } from "./b.mjs"; report(d, x);\n--- b.mjs\nexport { default, default as x } from "./a.mjs";\n--- a.mjs\nexport default 1;`,
  ],
  [
    "star of a builtin",
    `--- m.mjs\nimport { join } from "./b.mjs"; report(join("a", "b"));\n--- b.mjs\nexport * from "node:path";`,
  ],
  [
    "star through two barrels",
    `--- m.mjs\nimport { deep } from "./b.mjs"; report(deep);\n--- b.mjs\nexport * from "./c.mjs";\n--- c.mjs\nexport * from "./d.mjs";\n--- d.mjs\nexport const deep = 1;`,
  ],
  [
    "import and export of a namespace",
    `--- m.mjs\nimport { ns } from "./b.mjs"; report(ns.a);\n--- b.mjs\nimport * as ns from "./a.mjs"; export { ns };\n--- a.mjs\nexport const a = 1;`,
  ],
  // Namespaces
  [
    "namespace is tagged and has no prototype",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(Object.getPrototypeOf(ns), ns[Symbol.toStringTag], String(Object.prototype.toString.call(ns)));\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "namespace keys are sorted",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(Object.keys(ns));\n--- a.mjs\nexport const z = 1, a = 1, B = 1, _ = 1, $ = 1, é = 1;`,
  ],
  [
    "namespace writes throw",
    `--- m.mjs\nimport * as ns from "./a.mjs"; try { ns.a = 2; } catch (e) { report(e.name); }\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "namespace is printed with values",
    `--- m.mjs\nimport { inspect } from "node:util"; import * as ns from "./a.mjs"; report(inspect(ns));\n--- a.mjs\nexport const a = 1, f = { x: 1 }; export default class K {}`,
  ],
  [
    "in, for-in, spread and destructuring of a namespace",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report("a" in ns, "zz" in ns); for (const k in ns) report(k); const { a, ...rest } = ns; report(a, rest, Object.entries(ns));\n--- a.mjs\nexport const a = 1, b = 2;`,
  ],
  [
    "missing member of a namespace is undefined",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(ns.nope, ns?.nope?.x);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "a module importing itself",
    `--- m.mjs\nimport * as self from "./m.mjs"; export const a = 1; report(self.a, Object.keys(self));`,
  ],
  [
    "namespace identity",
    `--- m.mjs\nimport * as a from "./a.mjs"; import * as b from "./a.mjs"; const c = await import("./a.mjs"); report(a === b, a === c);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "call of a namespace member has no this from an import",
    `--- m.mjs\nimport * as ns from "./a.mjs"; import { f } from "./a.mjs"; report(ns.f() === ns, f() === undefined);\n--- a.mjs\nexport function f() { return this; }`,
  ],
  [
    "JSON.stringify of a namespace",
    `--- m.mjs\nimport * as ns from "./a.mjs"; report(JSON.stringify(ns));\n--- a.mjs\nexport const b = [1], a = "x";`,
  ],
  // Calls and references
  [
    "this of a called import is undefined",
    `--- m.mjs\nimport { f } from "./a.mjs"; report(f(), f\`x\`, f?.());\n--- a.mjs\nexport function f() { return typeof this; }`,
  ],
  [
    "new of an import",
    `--- m.mjs\nimport { C } from "./a.mjs"; report(new C(2).x, new C);\n--- a.mjs\nexport class C { constructor(x = 1) { this.x = x; } }`,
  ],
  [
    "typeof and delete-free uses",
    `--- m.mjs\nimport { a, f } from "./a.mjs"; report(typeof a, typeof f, -a, !a, [a], { a }, { a: a }, \`\${a}\`);\n--- a.mjs\nexport const a = 1; export function f() {}`,
  ],
  [
    "extends an import",
    `--- m.mjs\nimport { Base } from "./a.mjs"; class D extends Base { m() { return super.m() + 1; } } report(new D().m());\n--- a.mjs\nexport class Base { m() { return 1; } }`,
  ],
  [
    "shadowing by parameters, lets and catches",
    `--- m.mjs\nimport { a } from "./a.mjs"; const f = (a) => a; { let a = 3; report(a); } try { throw 4; } catch (a) { report(a); } for (const a of [5]) report(a); report(f(2), a); function g({ a = 6 } = {}) { return a; } report(g()); report((() => { var a = 7; return a; })());\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "shadowing by function and class names",
    `--- m.mjs\nimport { a } from "./a.mjs"; report((function a() { return typeof a; })(), (class a { static n = typeof a; }).n, a); { function a() { return 9; } report(a()); } report(a);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "labels and property names are no references",
    `--- m.mjs\nimport { a } from "./a.mjs"; a: for (;;) { break a; } const o = { a: 2, b: { a: 3 } }; report(o.a, o.b.a, o?.a, a, class { a = 4; });\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "computed keys and default parameters",
    `--- m.mjs\nimport { a } from "./a.mjs"; const o = { [a]: a, [\`\${a}x\`]() { return a; } }; report(o, o["1x"](), ((x = a) => x)());\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "object shorthand and destructuring targets",
    `--- m.mjs\nimport { a } from "./a.mjs"; let b; ({ b = a } = {}); [b = a] = [b]; report({ a }, b);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "import used before the statement",
    `--- m.mjs\nreport(a); import { a } from "./a.mjs";\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "semicolon-free code",
    `--- m.mjs\nimport { a } from "./a.mjs"\nimport { f } from "./a.mjs"\nconst x = a\n;[1].forEach((n) => report(n))\nf()\nf\n("called")\n--- a.mjs\nexport const a = 1\nexport function f(x) { report("f", x) }`,
  ],
  [
    "optional call of an undefined import",
    `--- m.mjs\nimport { u } from "./a.mjs"; report(u?.(), u?.x);\n--- a.mjs\nexport let u;`,
  ],
  [
    "closures keep reading the binding",
    `--- m.mjs\nimport { n, inc } from "./a.mjs"; const read = () => n; inc(); report(read()); inc(); report(read());\n--- a.mjs\nexport let n = 0; export const inc = () => n++;`,
  ],
  [
    "exponent, comma and in operators around imports",
    `--- m.mjs\nimport { a, o } from "./a.mjs"; report(a ** 2, (0, a), "x" in o, o instanceof Object, void a, a ? 1 : 2, a ?? 3, a && 4, a || 5);\n--- a.mjs\nexport const a = 3, o = { x: 1 };`,
  ],
  [
    "spread of imports",
    `--- m.mjs\nimport { l, o } from "./a.mjs"; report([...l], { ...o }, Math.max(...l));\n--- a.mjs\nexport const l = [1, 2], o = { x: 1 };`,
  ],
  [
    "class members that read imports",
    `--- m.mjs\nimport { a } from "./a.mjs"; class C { static s = a; #p = a; f = a; get p() { return this.#p; } static { report(a); } [a] = a; } report(C.s, new C().p, new C());\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "classes look as they were written",
    `--- m.mjs\nconst look = (C) => [C, Reflect.ownKeys(C), C.name, C.length, Object.getOwnPropertyDescriptor(C, "name")]; report(look(class{}), look(class A { static x = 1; constructor(a, b) {} }), look(class extends Array{})); const B = class { static n = this.name; }, o = { C: class { static n = this.name }, ["D" + 1]: class {} }; let E; E = class {}; const [F = class {}] = [], { G = class { static name = 2 } } = {}; (H = class {}) => report(H.name); report(look(B), B.n, o, o.C.n, E.name, F.name, look(G)); class I { static A = class {}; static #b = class {}; static b = this.#b.name; J = class {}; } report(I.A.name, I.b, new I().J.name); report(look(class{ static name() {} }), (() => class {})().name);`,
  ],
  [
    "what a class runs while it is made, in order",
    `--- m.mjs\nconst seen = []; const note = (x) => (seen.push(x), x); class A extends (note("base"), Object) { static { note("first"); } static [note("key")] = note("value"); static { note(this.key); note(typeof this.late); } static late = 1; static #p = note("private"); static { note(this.#p); } [note("instance")] = note("made"); } new A(); report(seen); class\nB\n{\nx = 1\nstatic\ny = 2\nstatic\n{ report(this.y) }\nget;\nz\nstatic async\n} report(new B(), B.y, Reflect.ownKeys(new B())); class C{static{report(this === C)}} class D { static a = 1 } class E{'use strict' = 1;;; constructor(){ report(new.target === E, typeof super.toString) }} new E(); class F { static #x = 1; #y = 2; static has(o) { return #y in o && !(#x in o); } } report(F.has(new F()), F.has({})); class G extends null { static m() { return super.x } } report(G.m === undefined); report(typeof (class {}), [class {}].length, (0, class Z {}).name); label: { class L {} break label } if (1) { class M {} report(M.name) } switch (1) { case 1: class N {} report(N.name) }`,
  ],
  [
    "tagged template keeps strings",
    `--- m.mjs\nimport { t } from "./a.mjs"; report(t\`a\${1}b\`);\n--- a.mjs\nexport const t = (s, ...v) => [s.raw, v];`,
  ],
  [
    "async and generator functions reading imports",
    `--- m.mjs\nimport { a } from "./a.mjs"; async function f() { await 0; return a; } function* g() { yield a; } report(await f(), [...g()]);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "switch scope",
    `--- m.mjs\nimport { a } from "./a.mjs"; switch (1) { case 1: { let a = 2; report(a); } default: report(a); }\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "for loops over imports",
    `--- m.mjs\nimport { l } from "./a.mjs"; for (const x of l) report(x); for (const k in l) report(k); for (let i = l.length; i--; ) report(l[i]);\n--- a.mjs\nexport const l = [4, 5];`,
  ],
  [
    "regular expressions and comments look like code",
    `--- m.mjs\nimport { a } from "./a.mjs"; /* a */ // a\nreport(/a/.test("a"), "a", a);\n--- a.mjs\nexport const a = 1;`,
  ],
  // Strictness, this, globals
  ["this is undefined", `--- m.mjs\nreport(this, (() => this)(), typeof this);`],
  [
    "modules are strict",
    `--- m.mjs\ntry { undeclared = 1; } catch (e) { report(e.name); } report((function () { return this; })());`,
  ],
  [
    "CommonJS names are not there",
    `--- m.mjs\nreport(typeof require, typeof module, typeof exports, typeof __filename, typeof __dirname);`,
  ],
  [
    "variables are not global",
    `--- m.mjs\nvar corpusGlobal = 1; function corpusFunction() {} report(globalThis.corpusGlobal, globalThis.corpusFunction);`,
  ],
  ["hashbang", `--- m.mjs\n#!/usr/bin/env node\nreport("ran");`],
  [
    "directives and empty modules",
    `--- m.mjs\n"use strict"; "use other"; import "./a.mjs"; report("ok");\n--- a.mjs\n`,
  ],
  [
    "unicode and escapes",
    `--- m.mjs\nimport { größe } from "./ä ö.mjs"; report(größe);\n--- ä ö.mjs\nexport const größe = "\\u00e9 \\u{1F600}";`,
  ],
  [
    "CRLF",
    `--- m.mjs\r\nimport { a } from "./a.mjs"\r\nreport(a)\r\nreport("x\\\r\ny")\n--- a.mjs\nexport const a = 1\r\n`,
  ],
  [
    "evaluation happens once",
    `--- m.mjs\nimport "./a.mjs"; import "./b.mjs"; await import("./a.mjs"); report("m");\n--- a.mjs\nreport("a");\n--- b.mjs\nimport "./a.mjs"; report("b");`,
  ],
  ["function declarations in blocks", `--- m.mjs\n{ function f() { return 1; } report(f()); } report(typeof f);`],
  [
    "getters, setters, symbols",
    `--- m.mjs\nimport { o, s } from "./a.mjs"; o.v = 3; report(o.v, o[s]);\n--- a.mjs\nexport const s = Symbol("s"); export const o = { set v(x) { this.w = x; }, get v() { return this.w * 2; }, [s]: 1 };`,
  ],
  [
    "eval sees imports and locals of the module",
    `--- m.mjs\nconst local = 2; report(eval("local + 1"), (0, eval)("typeof local"));`,
  ],
  [
    "new Function and import()",
    `--- m.mjs\nreport(new Function("return 3")()); report((await new Function("return import('node:path')")()).sep);`,
  ],
  // Order
  [
    "order of evaluation",
    `--- m.mjs\nimport "./a.mjs"; import "./b.mjs"; report("m");\n--- a.mjs\nimport "./c.mjs"; report("a");\n--- b.mjs\nimport "./c.mjs"; report("b");\n--- c.mjs\nreport("c");`,
  ],
  [
    "re-exports count in order",
    `--- m.mjs\nexport * from "./a.mjs"; import "./b.mjs"; export { x } from "./c.mjs"; report("m");\n--- a.mjs\nreport("a");\n--- b.mjs\nreport("b");\n--- c.mjs\nreport("c"); export const x = 1;`,
  ],
  [
    "packages are evaluated at their place",
    `--- m.mjs\nimport "./first.mjs"; import { seen } from "noted"; report(seen, globalThis.corpusOrder); delete globalThis.corpusOrder;\n--- first.mjs\nglobalThis.corpusOrder = "set by own code";\n--- node_modules/noted/package.json\n{ "name": "noted", "type": "module", "exports": "./index.js" }\n--- node_modules/noted/index.js\nexport const seen = globalThis.corpusOrder;`,
  ],
  [
    "CommonJS packages are evaluated at their place",
    `--- m.mjs\nimport "./first.mjs"; import noted from "noted"; report(noted.seen); delete globalThis.corpusOrder;\n--- first.mjs\nglobalThis.corpusOrder = "set by own code";\n--- node_modules/noted/package.json\n{ "name": "noted" }\n--- node_modules/noted/index.js\nexports.seen = globalThis.corpusOrder;`,
  ],
  // Cycles
  [
    "hoisted function in a cycle",
    `--- m.mjs\nimport { b } from "./b.mjs"; export function a() { return "a"; } report(b);\n--- b.mjs\nimport { a } from "./m.mjs"; export const b = a() + "b";`,
  ],
  [
    "let in a cycle is not initialised",
    `--- m.mjs\nimport { b } from "./b.mjs"; export let a = 1; report(b());\n--- b.mjs\nimport { a } from "./m.mjs"; try { report(a); } catch (e) { report(e.name, e.message); } export const b = () => a;`,
  ],
  [
    "var in a cycle is undefined",
    `--- m.mjs\nimport "./b.mjs"; export var a = 1;\n--- b.mjs\nimport { a } from "./m.mjs"; report(a);`,
  ],
  [
    "class in a cycle",
    `--- m.mjs\nimport { B } from "./b.mjs"; export class A {} report(new B() instanceof A);\n--- b.mjs\nimport { A } from "./m.mjs"; export class B { constructor() { return new A(); } }`,
  ],
  [
    "class extends across a cycle fails",
    `--- m.mjs\nimport { B } from "./b.mjs"; export class A {} report(B);\n--- b.mjs\nimport { A } from "./m.mjs"; export class B extends A {}`,
  ],
  [
    "default in a cycle",
    `--- m.mjs\nimport "./b.mjs"; export default function d() { return 1; }\n--- b.mjs\nimport d from "./m.mjs"; report(d());`,
  ],
  [
    "default expression in a cycle",
    `--- m.mjs\nimport "./b.mjs"; export default 1;\n--- b.mjs\nimport d from "./m.mjs"; try { report(d); } catch (e) { report(e.name); }`,
  ],
  [
    "cycle of three",
    `--- m.mjs\nimport { b } from "./b.mjs"; report("m"); export const a = () => "a" + b();\nreport(a());\n--- b.mjs\nimport { c } from "./c.mjs"; report("b"); export const b = () => "b" + c();\n--- c.mjs\nimport { a } from "./m.mjs"; report("c"); export const c = () => typeof a;`,
  ],
  [
    "namespace keys in a cycle are complete",
    `--- m.mjs\nimport "./b.mjs"; export const z = 1, a = 2; export * from "./c.mjs";\n--- b.mjs\nimport * as m from "./m.mjs"; report(Object.getOwnPropertyNames(m)); try { m.a; } catch (e) { report(e.name); }\n--- c.mjs\nexport const star = 3;`,
  ],
  [
    "hoisted function in a cycle reads a package loaded before",
    `--- m.mjs\nimport path from "node:path"; import "./b.mjs"; export function sep() { return path.sep; }\n--- b.mjs\nimport { sep } from "./m.mjs"; report(sep());`,
  ],
  [
    "star cycle read during evaluation",
    `--- m.mjs\nimport { b } from "./b.mjs"; export * from "./b.mjs"; export function f() { return "f"; } report(b);\n--- b.mjs\nimport * as m from "./m.mjs"; export const b = m.f(); report(Object.keys(m).length);`,
  ],
  // Top-level await
  [
    "top-level await",
    `--- m.mjs\nimport { a } from "./a.mjs"; report(a);\n--- a.mjs\nexport const a = await Promise.resolve(1);`,
  ],
  [
    "siblings with top-level await run beside each other",
    `--- m.mjs\nimport "./a.mjs"; import "./b.mjs"; report("m");\n--- a.mjs\nreport("a1"); await 0; report("a2"); await 0; report("a3");\n--- b.mjs\nreport("b1"); await 0; report("b2");`,
  ],
  [
    "a synchronous sibling does not wait",
    `--- m.mjs\nimport "./a.mjs"; import "./b.mjs"; report("m");\n--- a.mjs\nreport("a1"); await 0; report("a2");\n--- b.mjs\nreport("b");`,
  ],
  [
    "importers of an async module wait for it",
    `--- m.mjs\nimport "./b.mjs"; import "./c.mjs"; report("m");\n--- a.mjs\nreport("a1"); await 0; await 0; report("a2");\n--- b.mjs\nimport "./a.mjs"; report("b");\n--- c.mjs\nimport "./a.mjs"; report("c");`,
  ],
  [
    "diamond with top-level await",
    `--- m.mjs\nimport "./b.mjs"; import "./c.mjs"; report("m");\n--- a.mjs\nawait 0; report("a");\n--- b.mjs\nimport "./a.mjs"; report("b1"); await 0; report("b2");\n--- c.mjs\nimport "./a.mjs"; report("c1"); await 0; report("c2");`,
  ],
  [
    "parents run in order of the walk",
    `--- m.mjs\nimport "./p1.mjs"; import "./q.mjs"; report("m");\n--- p1.mjs\nimport "./p2.mjs"; report("p1");\n--- p2.mjs\nimport "./a.mjs"; report("p2");\n--- q.mjs\nimport "./a.mjs"; report("q1"); await 0; report("q2");\n--- a.mjs\nreport("a"); await 0;`,
  ],
  [
    "rejection of an async dependency",
    `--- m.mjs\nimport "./a.mjs"; report("never");\n--- a.mjs\nawait 0; throw new Error("late");`,
  ],
  [
    "a module that throws after it has waited fails all that import it",
    `--- m.mjs\nimport "./b.mjs"; report("never");\n--- b.mjs\nimport "./c.mjs"; report("never b");\n--- c.mjs\nimport "./a.mjs"; report("c"); throw new Error("c");\n--- a.mjs\nawait 0; report("a");`,
  ],
  [
    "cycle with top-level await",
    `--- m.mjs\nimport { b } from "./b.mjs"; export const a = await Promise.resolve("a"); report(a, b);\n--- b.mjs\nimport "./m.mjs"; report("b"); await 0; export const b = "b";`,
  ],
  [
    "for await at top level",
    `--- m.mjs\nasync function* g() { yield 1; yield 2; } for await (const x of g()) report(x);`,
  ],
  [
    "await in every position",
    `--- m.mjs\nexport const a = await 1, { b = await 2 } = {}; class C extends (await Object) { [await "k"] = 1; static x = 1; } report(a, b, new C(), \`\${await 3}\`, [await 4], { x: await 5 }, (await 6) + 1); if (await true) report("if"); export default await 7;`,
  ],
  [
    "dynamic import of a module being evaluated asynchronously",
    `--- m.mjs\nimport "./b.mjs"; const ns = await import("./a.mjs"); report(ns.a);\n--- a.mjs\nawait 0; export const a = 1; report("a");\n--- b.mjs\nimport("./a.mjs").then((ns) => report("then", ns.a)); report("b");`,
  ],
  [
    "package with top-level await",
    `--- m.mjs\nimport "./first.mjs"; import { v } from "slow"; import "./last.mjs"; report(v);\n--- first.mjs\nreport("first");\n--- last.mjs\nreport("last");\n--- node_modules/slow/package.json\n{ "name": "slow", "type": "module", "exports": "./index.js" }\n--- node_modules/slow/index.js\nexport const v = await Promise.resolve(5); report("slow");`,
  ],
  [
    "await using names that look like keywords",
    `--- m.mjs\nconst of = 1, async = 2, get = 3, from = 4, as = 5, type = 6; report(of, async, get, from, as, type, await async);`,
  ],
  [
    "error in one async sibling",
    `--- m.mjs\nimport "./a.mjs"; import "./b.mjs"; report("never");\n--- a.mjs\nreport("a1"); await 0; throw new TypeError("a");\n--- b.mjs\nreport("b1"); await 0; report("b2");`,
  ],
  // Dynamic import
  [
    "dynamic import",
    `--- m.mjs\nconst ns = await import("./a.mjs"); report(ns.default, ns.a, Object.keys(ns));\n--- a.mjs\nexport const a = 1; export default 2;`,
  ],
  [
    "computed dynamic import",
    `--- m.mjs\nfor (const n of ["a", "b"]) report((await import(\`./\${n}.mjs\`)).default);\n--- a.mjs\nexport default "A";\n--- b.mjs\nexport default "B";`,
  ],
  [
    "dynamic import runs after the current code",
    `--- m.mjs\nconst p = import("./a.mjs"); report("m"); await p;\n--- a.mjs\nreport("a");`,
  ],
  [
    "dynamic import of a builtin and of a package",
    `--- m.mjs\nreport((await import("node:path")).default.sep, (await import("pkg")).v);\n--- node_modules/pkg/package.json\n{ "name": "pkg", "type": "module", "exports": "./i.js" }\n--- node_modules/pkg/i.js\nexport const v = 1;`,
  ],
  [
    "dynamic import of a data: URL",
    `--- m.mjs\nreport((await import("data:text/javascript,export default 6")).default);`,
  ],
  ["static import of a data: URL", `--- m.mjs\nimport six from "data:text/javascript,export default 6"; report(six);`],
  ["dynamic import of a missing file", `--- m.mjs\nawait import("./nope.mjs").catch((e) => report(e.name, e.code));`],
  ["dynamic import of a missing package", `--- m.mjs\nawait import("not-there").catch((e) => report(e.name, e.code));`],
  [
    "dynamic import that throws, twice",
    `--- m.mjs\nfor (let i = 0; i < 2; i++) await import("./a.mjs").catch((e) => report(e.message));\n--- a.mjs\nreport("tried"); throw new Error("bad");`,
  ],
  [
    "dynamic import of a module that exports then",
    `--- m.mjs\nreport(await import("./a.mjs"));\n--- a.mjs\nexport function then(resolve) { resolve("thenable"); }`,
  ],
  [
    "dynamic import by file URL",
    `--- m.mjs\nreport((await import(new URL("./a.mjs", import.meta.url).href)).a);\nreport((await import(new URL("./a.mjs", import.meta.url))).a);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "dynamic import in a function and a class",
    `--- m.mjs\nclass L { static load = () => import("./a.mjs"); async go() { return (await import("./a.mjs")).a; } } report((await L.load()).a, await new L().go());\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "import() of an object that throws when converted",
    `--- m.mjs\nawait import({ toString() { throw new RangeError("no"); } }).catch((e) => report(e.name));`,
  ],
  [
    "dynamic import inside a cycle",
    `--- m.mjs\nimport { load } from "./b.mjs"; export const a = 1; report(await load());\n--- b.mjs\nexport const load = async () => (await import("./c.mjs")).c;\n--- c.mjs\nimport { load } from "./b.mjs"; export const c = typeof load;`,
  ],
  // import.meta
  [
    "import.meta",
    `--- m.mjs\nimport { fileURLToPath } from "node:url"; import path from "node:path"; report(path.basename(import.meta.url), path.basename(import.meta.filename), import.meta.dirname === path.dirname(fileURLToPath(import.meta.url)), typeof import.meta.resolve, Object.getPrototypeOf(import.meta));`,
  ],
  [
    "import.meta is one writable object",
    `--- m.mjs\nimport.meta.x = 1; const m = import.meta; report(m.x, m === import.meta, (() => import.meta.x)());`,
  ],
  [
    "import.meta.resolve",
    `--- m.mjs\nreport(import.meta.resolve("./a.mjs") === new URL("./a.mjs", import.meta.url).href, import.meta.resolve("fs"), import.meta.resolve("./nope.mjs").endsWith("/nope.mjs")); try { import.meta.resolve("not-there"); } catch (e) { report(e.code); }\n--- a.mjs\n`,
  ],
  [
    "createRequire",
    `--- m.mjs\nimport { createRequire } from "node:module"; const require = createRequire(import.meta.url); report(require("./c.cjs").v, require("./d.json"));\n--- c.cjs\nexports.v = 1;\n--- d.json\n{ "j": 1 }`,
  ],
  // Errors
  [
    "missing export",
    `--- m.mjs\nimport { nope } from "./a.mjs"; report(nope);\n--- a.mjs\nexport const a = 1; report("not evaluated");`,
  ],
  ["missing default", `--- m.mjs\nimport d from "./a.mjs"; report(d);\n--- a.mjs\nexport const a = 1;`],
  [
    "missing re-export",
    `--- m.mjs\nimport { x } from "./b.mjs"; report(x);\n--- b.mjs\nexport { x } from "./a.mjs";\n--- a.mjs\nexport const a = 1;`,
  ],
  ["missing export of a builtin", `--- m.mjs\nimport { nope } from "node:path"; report(nope);`],
  ["throwing module", `--- m.mjs\nimport "./a.mjs"; report("never");\n--- a.mjs\nthrow new RangeError("out");`],
  ["throwing a value that is no error", `--- m.mjs\nimport "./a.mjs";\n--- a.mjs\nthrow "text";`],
  [
    "modules after a throwing one are not evaluated",
    `--- m.mjs\nimport "./a.mjs"; import "./b.mjs";\n--- a.mjs\nreport("a"); throw new Error("stop");\n--- b.mjs\nreport("b");`,
  ],
  [
    "an error is the same object for each importer",
    `--- m.mjs\nconst e1 = await import("./a.mjs").catch((e) => e), e2 = await import("./b.mjs").catch((e) => e); report(e1 === e2, e1.message);\n--- a.mjs\nthrow new Error("once");\n--- b.mjs\nimport "./a.mjs";`,
  ],
  ["constants cannot be assigned", `--- m.mjs\nconst c = 1; try { c = 2; } catch (e) { report(e.name, e.message); }`],
  ["use before initialisation", `--- m.mjs\ntry { x; } catch (e) { report(e.name, e.message); } let x = 1;`],
  ["error with a cause", `--- m.mjs\nthrow new Error("outer", { cause: new Error("inner") });`],
  // Interop with CommonJS
  [
    "default import of own CommonJS",
    `--- m.mjs\nimport c from "./c.cjs"; report(c);\n--- c.cjs\nmodule.exports = { a: 1 };`,
  ],
  [
    "named imports of own CommonJS",
    `--- m.mjs\nimport { a, b } from "./c.cjs"; report(a, b);\n--- c.cjs\nexports.a = 1; exports.b = 2;`,
  ],
  [
    "namespace of own CommonJS",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns), ns.default === ns.default);\n--- c.cjs\nexports.b = 1; exports.a = 2;`,
  ],
  [
    "own CommonJS with __esModule",
    `--- m.mjs\nimport d, * as ns from "./c.cjs"; report(d, ns.default === d, ns.__esModule);\n--- c.cjs\nObject.defineProperty(exports, "__esModule", { value: true }); exports.default = 1; exports.x = 2;`,
  ],
  [
    "own CommonJS function with properties",
    `--- m.mjs\nimport f from "./c.cjs"; report(f(), f.extra);\n--- c.cjs\nmodule.exports = () => 1; module.exports.extra = 2;`,
  ],
  [
    "own CommonJS with a primitive",
    `--- m.mjs\nimport s, * as ns from "./c.cjs"; report(s, Object.keys(ns).includes("default"));\n--- c.cjs\nmodule.exports = "text";`,
  ],
  ["own CommonJS with null", `--- m.mjs\nimport s from "./c.cjs"; report(s);\n--- c.cjs\nmodule.exports = null;`],
  [
    "missing name of own CommonJS",
    `--- m.mjs\nimport { nope } from "./c.cjs"; report(nope);\n--- c.cjs\nexports.a = 1;`,
  ],
  [
    "a name that CommonJS did not set",
    `--- m.mjs\nimport { maybe } from "./c.cjs"; report(maybe);\n--- c.cjs\nif (false) exports.maybe = 1; exports.a = 1;`,
  ],
  [
    "exports of CommonJS are values of the moment",
    `--- m.mjs\nimport c, { n } from "./c.cjs"; c.inc(); report(n, c.n);\n--- c.cjs\nexports.n = 0; exports.inc = () => exports.n++;`,
  ],
  [
    "CommonJS packages",
    `--- m.mjs\nimport d, { a, b } from "pkg"; import * as ns from "pkg"; report(d, a, b, Object.keys(ns).filter((n) => n !== "module.exports"));\n--- node_modules/pkg/package.json\n{ "name": "pkg", "main": "i.js" }\n--- node_modules/pkg/i.js\nexports.a = 1; if (false) exports.b = 2; exports.__esModule = true; exports.default = 3;`,
  ],
  [
    "missing name of a CommonJS package",
    `--- m.mjs\nimport { nope } from "pkg"; report(nope);\n--- node_modules/pkg/package.json\n{ "name": "pkg" }\n--- node_modules/pkg/index.js\nexports.a = 1;`,
  ],
  [
    "conditions of packages",
    `--- m.mjs\nimport v from "pkg"; report(v);\n--- node_modules/pkg/package.json\n{ "name": "pkg", "exports": { "import": "./i.mjs", "require": "./r.cjs" } }\n--- node_modules/pkg/i.mjs\nexport default "import";\n--- node_modules/pkg/r.cjs\nmodule.exports = "require";`,
  ],
  [
    "#imports and self reference",
    `--- m.mjs\nimport a from "#a"; import b from "self/a"; report(a === b);\n--- package.json\n{ "name": "self", "type": "module", "imports": { "#a": "./a.mjs" }, "exports": { "./a": "./a.mjs" } }\n--- a.mjs\nexport default {};`,
  ],
  [
    "dynamic import of own CommonJS",
    `--- m.mjs\nconst ns = await import("./c.cjs"); report(ns.default, ns.a);\n--- c.cjs\nexports.a = 1;`,
  ],
  [
    "JSON with an attribute",
    `--- m.mjs\nimport j from "./d.json" with { type: "json" }; report(j); report((await import("./d.json", { with: { type: "json" } })).default === j);\n--- d.json\n{ "a": [1, null] }`,
  ],
  [
    "JSON of a package",
    `--- m.mjs\nimport j from "pkg/d.json" with { type: "json" }; report(j);\n--- node_modules/pkg/package.json\n{ "name": "pkg" }\n--- node_modules/pkg/d.json\n{ "p": 1 }`,
  ],
  [
    "ESM imports CommonJS that requires ESM",
    `--- m.mjs\nimport c from "./c.cjs"; report(c);\n--- c.cjs\nmodule.exports = require("./e.mjs").e;\n--- e.mjs\nexport const e = 1; report("e");`,
  ],
  [
    "a cycle through require(esm) is refused",
    `--- m.mjs\nimport "./c.cjs"; export const a = 1;\n--- c.cjs\ntry { require("./m.mjs"); } catch (e) { report(e.code); }`,
  ],
  [
    "builtins by both names",
    `--- m.mjs\nimport fs from "fs"; import nfs, { readFileSync } from "node:fs"; report(fs === nfs, typeof readFileSync, fs.readFileSync === readFileSync);`,
  ],
  [
    "package type module and .js",
    `--- m.js\nimport { a } from "./a.js"; report(a, typeof require);\n--- package.json\n{ "type": "module" }\n--- a.js\nexport const a = 1;`,
  ],
];
