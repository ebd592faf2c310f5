/**
 * Programs in which the language does what few think of: names that a lexer finds, sloppy mode, tokens, stacks, errors of
 * imports. corpus-esm.ts says how a program is written. (Above 350 lines: one program after the other.)
 */
export const languageCorpus: readonly (readonly [title: string, program: string])[] = [
  [
    "names found in CommonJS: exports.x",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nexports.a = 1; exports.b = 2;\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: brackets",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nexports["a"] = 1; exports['b'] = 2; exports["c-d"] = 3;\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: object spread",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nconst a = 1; module.exports = { ...require("./d.cjs"), a };\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: define getter",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nObject.defineProperty(exports, "a", { enumerable: true, get: function () { return q.p; } }); const q = { p: 4 };\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: reexport",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nmodule.exports = require("./d.cjs");\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: export star ts",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nvar __exportStar = function (m, e) { for (var p in m) e[p] = m[p]; }; __exportStar(require("./d.cjs"), exports); exports.a = 1;\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: tslib",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\n"use strict"; const tslib_1 = { __exportStar(m, e) { Object.assign(e, m); } }; tslib_1.__exportStar(require("./d.cjs"), exports);\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: babel reexport",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nvar _d = require("./d.cjs"); Object.keys(_d).forEach(function (k) { if (k === "default" || k === "__esModule") return; exports[k] = _d[k]; });\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: iife",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\n(function (exports) { exports.a = 1; })(exports);\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: in comment and string",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\n// exports.a = 1\nconst s = "exports.b = 2"; exports.c = s;\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: null",
    `--- m.mjs\nimport * as ns from "./c.cjs"; report(Object.keys(ns).filter((k) => k !== "module.exports").sort()); report(ns.default);\n--- c.cjs\nmodule.exports = null;\n--- d.cjs\nexports.d = 1; exports.e = 2;`,
  ],
  [
    "names found in CommonJS: import of a name that is computed",
    `--- m.mjs\nimport { a } from "./c.cjs"; report(a);\n--- c.cjs\nfor (const k of ["a"]) exports[k] = 1;`,
  ],
  [
    "names found in CommonJS: import of a name after a call in an object",
    `--- m.mjs\nimport { b } from "./c.cjs"; report(b);\n--- c.cjs\nreport("runs"); const f = () => 1; module.exports = { a: f(), b: 2 };`,
  ],
  [
    "names found in CommonJS: name in spread",
    `--- m.mjs\nimport { d } from "./c.cjs"; report(d);\n--- c.cjs\nmodule.exports = { ...require("./d.cjs") };\n--- d.cjs\nexports.d = 4;`,
  ],
  [
    "sloppy things",
    `--- m.cjs\nvar let = 1; let; yield = 2; report(let, 010, 08.5, "\\07".length); with ({ w: 3 }) report(w); lab: function lf() {} report(typeof lf); { function blk() { return 1; } } report(blk()); if (1) function iff() { return 2; } report(iff()); try { undefinedThing } catch { report("c"); } var yield; delete globalThis.yield; report(typeof arguments, arguments.length, arguments.callee === undefined); report(this === module.exports); f.caller; function f(a, a) { return arguments[0] + a; } report(f(1, 2)); for (var i = 0 in {}) ; report(i); <!-- html comment\nreport("after");\n--> closing\nreport(RegExp.$1, "x".anchor("y"), escape("ü"), typeof (function () { return this; })());`,
  ],
  ["html close comment first", `--- m.cjs\n--> comment\nreport(1);`],
  ["html close comment first with block", `--- m.cjs\n/* a */ --> comment\nreport(1);`],
  ["html comment in module", `--- m.mjs\nvar a = 1, b = 0; report(a<!--b);`],
  ["new.target in cjs", `--- m.cjs\nreport(new.target);`],
  ["return in cjs", `--- m.cjs\nreport(1); return; report(2);`],
  ["await as name in cjs", `--- m.cjs\nvar await = 1; report(await);`],
  ["super errors", `--- m.cjs\ntry { eval("super.x"); } catch (e) { report(e.name, e.message); }`],
  [
    "strict cjs",
    `--- m.cjs\n"use strict"; report((function () { return this; })()); try { undeclared = 1; } catch (e) { report(e.message); }`,
  ],
  ["hashbang cjs", `--- m.cjs\n#!/usr/bin/env node\n"use strict"; report((function () { return this; })());`],
  ["BOM mjs", `--- m.mjs\n\uFEFFreport(1);`],
  [
    "function names and text",
    `--- m.mjs\nexport default class {\n  m() { return 1; }\n}\nexport function f(a /* c */, b = 2) { return a; }\nexport const g = async (x) => { await x; };\nimport D from "./m.mjs"; report(f.toString(), g.toString(), f.name, g.name, f.length, D.name, new D().m.toString(), Object.getOwnPropertyNames(D));`,
  ],
  [
    "class text",
    `--- m.mjs\nimport { a } from "./a.mjs"; class C extends Object { static #p = a; x = a; static { this.y = a; } m() { return a; } } report(C.toString().length > 0, Object.getOwnPropertyNames(C), C.y, C.length, C.name);\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "default export names",
    `--- m.mjs\nimport a from "./a.mjs"; import b from "./b.mjs"; import c from "./c.mjs"; import d from "./d.mjs"; import e from "./e.mjs"; import f from "./f.mjs"; report([a, b, c, d, e, f].map((x) => x.name)); report(Object.getOwnPropertyDescriptor(a, "name"), Object.getOwnPropertyNames(a), Object.getOwnPropertyNames(b));\n--- a.mjs\nexport default function () {}\n--- b.mjs\nexport default class {}\n--- c.mjs\nexport default (class {})\n--- d.mjs\nexport default async function* () {}\n--- e.mjs\nconst q = () => {}; export default q;\n--- f.mjs\nexport default (0, function () {})`,
  ],
  [
    "stack of a thrown error",
    `--- m.mjs\nimport { f } from "./a.mjs";\n\nfunction outer() {\n  f();\n}\ntry { outer(); } catch (e) { report(e.stack.split("\\n").slice(0, 4).join("|")); }\n--- a.mjs\nexport function f() { throw new TypeError("x"); }`,
  ],
  [
    "stack in cjs",
    `--- m.cjs\nconst { f } = require("./a.cjs");\nclass K { static s() { f(); } get g() { K.s(); } }\ntry { new K().g; } catch (e) { report(e.stack.split("\\n").slice(0, 5).join("|")); }\n--- a.cjs\nexports.f = function named() { throw new Error("y"); };`,
  ],
  [
    "stack first line of module",
    `--- m.mjs\nreport(new Error("q").stack.split("\\n")[1]); const x = () => new Error("z").stack.split("\\n")[1]; report(x());`,
  ],
  [
    "stack first line of cjs",
    `--- m.cjs\nreport(new Error("q").stack.split("\\n")[1]); (() => report(new Error("z").stack.split("\\n")[1]))();`,
  ],
  [
    "stack async",
    `--- m.mjs\nasync function a() { await null; throw new Error("as"); }\nasync function b() { await a(); }\ntry { await b(); } catch (e) { report(e.stack.split("\\n").slice(0, 4).join("|")); }`,
  ],
  [
    "prepareStackTrace",
    `--- m.mjs\nconst before = Error.prepareStackTrace; Error.prepareStackTrace = (e, frames) => frames.slice(0, 1).map((f) => [f.getFileName(), f.getLineNumber(), f.getColumnNumber(), f.getFunctionName(), f.isToplevel(), f.getTypeName(), f.isConstructor(), f.isAsync(), f.isEval(), f.getScriptNameOrSourceURL()]); function g() { return new Error("x").stack; }\nreport(g()); report(new Error("1").stack); Error.prepareStackTrace = before;`,
  ],
  [
    "prepareStackTrace cjs",
    `--- m.cjs\nconst before = Error.prepareStackTrace; Error.prepareStackTrace = (e, frames) => frames; const [f] = new Error("x").stack; Error.prepareStackTrace = before; report(f.getFileName(), f.getLineNumber(), f.getColumnNumber(), f.getFunctionName(), String(f));`,
  ],
  [
    "captureStackTrace and limit",
    `--- m.mjs\nfunction a() { b(); } function b() { const o = {}; Error.captureStackTrace(o, b); report(o.stack.split("\\n").slice(0, 2)); } a(); Error.stackTraceLimit = 1; report(new Error("l").stack.split("\\n").length); Error.stackTraceLimit = 10;`,
  ],
  [
    "SyntaxError of eval and of a file",
    `--- m.cjs\ntry { eval("a b"); } catch (e) { report(e.name, e.message); } try { require("./bad.cjs"); } catch (e) { report(e.name); }\n--- bad.cjs\nlet a = ;`,
  ],
  [
    "escapes in names",
    `--- m.mjs\nimport { \\u{61}bc as d\\u0065f, ünï } from "./a.mjs"; report(def, ünï, \\u0064ef);\n--- a.mjs\nexport const \\u0061bc = 1; export const ünï = 2;`,
  ],
  [
    "getters named oddly",
    `--- m.mjs\nconst o = { get get() { return 1; }, set set(v) {}, async async() {}, get() { return 2; }, static: 3, get await() { return 4; }, async *gen() {}, get [1]() { return 5; }, "a b"() {}, 1n: 6, get import() { return 7; }, async get() {} }; report(Object.keys(o), o.await, o[1], o.import); class C { static async = 1; static get = 2; static static() {} get; set; async; static static2; "constructor"() {} static await = 3; }; report(Object.keys(new C()), Object.keys(C));`,
  ],
  [
    "contextual keywords as names",
    `--- m.mjs\nlet async = 1, of = 2, get = 3, from = 4, as = 5, using = 6, defer = 7, source = 8, type = 9, accessor = 10, meta = 11, target = 12, global = 13; for (async of => {}; false;); for (const of of [1]) report(of); report(async + of + get + from + as + using + defer + source + type + accessor + meta); label: for (;;) { break label; } export { from as as, as as from }; import * as self from "./m.mjs"; report(self.as, self.from); async: { break async; } using\nreport(using);`,
  ],
  [
    "import named like keywords",
    `--- m.mjs\nimport { default as d, of, async, get, let_ as as } from "./a.mjs"; import from from "./a.mjs"; report(d, of, async, get, as, from); async; of\n[0]; report({ of, async, get });\n--- a.mjs\nexport const of = [1], async = 2, get = 3, let_ = 4; export default 5;`,
  ],
  [
    "line terminators",
    `--- m.mjs\nconst a = 1\u2028const b = 2\u2029report(a, b); report("\u2028".length); /* \u2028 */ report(new Error().stack.split("\\n")[1]);`,
  ],
  [
    "asi",
    `--- m.mjs\nimport { f, x } from "./a.mjs"\nlet a = x\nf\n(1)\nlet b = a\n++a\nreport(a, b)\nconst c = f\n\`t\`\nreport(c)\nvar d = x\n/1/g\nreport(d)\n--- a.mjs\nexport const f = (v) => (report("f", Array.isArray(v) ? v[0] : v), 5); export const x = 8; globalThis.g = 2;`,
  ],
  ["regexp v flag", `--- m.mjs\nreport(/[\\p{L}&&[a-c]]/v.exec("zb")?.index, /(?<a>x)|(?<b>y)/.exec("y").groups.b);`],
  [
    "private in and static blocks",
    `--- m.mjs\nclass A { #x; static { report(#x in new A(), #x in {}); } static #s() { return this; } static t = A.#s() === A; accessor = 1; } report(A.t);`,
  ],
  [
    "generators and async iteration",
    `--- m.mjs\nfunction* g() { const r = yield 1; report(r); try { yield 2; } finally { report("fin"); } } const it = g(); report(it.next(), it.next("r"), it.return(5)); async function* ag() { yield* [1, Promise.resolve(2)]; } for await (const v of ag()) report(v); report(await Array.fromAsync?.(ag()) ?? [1, 2]);`,
  ],
  [
    "destructuring oddities",
    `--- m.mjs\nimport { o } from "./a.mjs"; let a, b, c; ({ a, ["b"]: b = o.z, ...c } = { a: 1, d: 2 }); [a = o, [b]] = [undefined, [o]]; report(a === o, b === o, c); for ({ a } of [{ a: 1 }]) report(a); for ([a, b] of [[1, 2]]) report(a, b); const { length } = "abc"; report(length); (function ({ x = o } = {}, [y] = [o], ...z) { report(x === o, y === o, z); })();\n--- a.mjs\nexport const o = { z: 3 };`,
  ],
  [
    "tagged templates",
    `--- m.mjs\nimport { t } from "./a.mjs"; import * as ns from "./a.mjs"; const f = () => t\`a\${1}b\`; report(f() === f(), t\`\\u{1F600}\\x\`.raw, ns.t\`z\`.length, this);\n--- a.mjs\nexport const t = (s) => s;`,
  ],
  [
    "TDZ message of own names",
    `--- m.mjs\ntry { x; } catch (e) { report(e.message); } let x = 1; try { typeof y; } catch (e) { report(e.message); } const y = 1;`,
  ],
  [
    "import.meta",
    `--- m.mjs\nreport(Object.keys(import.meta).filter((k) => k !== "main" && k !== "hot").sort(), import.meta.url, import.meta.filename, import.meta.dirname, import.meta.resolve("./x.mjs"), import.meta.resolve("node:fs"), import.meta.resolve("fs"), Object.getPrototypeOf(import.meta)); import.meta.z = 1; report(import.meta.z); try { import.meta.resolve(); } catch (e) { report(e.name, e.code); } try { report(import.meta.resolve("nope-x")); } catch (e) { report(e.code); } report(import.meta.resolve("https://x.y/z"), import.meta.resolve("data:text/plain,x"), import.meta.resolve("./a b?x#y"));`,
  ],
  [
    "static import errors",
    `--- m.mjs\nconst f = async (s) => { try { await import(s); } catch (e) { report(e.name, e.code, e.message.split("\\n")[0]); } }; for (const k of ["1", "2", "3", "4", "5", "6"]) await f("./" + k + ".mjs");\n--- 1.mjs\nimport "./nope.mjs";\n--- 2.mjs\nimport "nope-pkg";\n--- 3.mjs\nimport { nope } from "./a.mjs";\n--- 4.mjs\nimport "./a";\n--- 5.mjs\nimport x from "./a.mjs";\n--- 6.mjs\nimport { default as y } from "node:fs"; import { nope } from "node:fs";\n--- a.mjs\nexport const a = 1;`,
  ],
  [
    "require errors",
    `--- m.cjs\nfor (const s of ["./nope", "nope-pkg", "./a.txt", "node:nope", "./dir", "#x"]) try { require(s); report("ok"); } catch (e) { report(s, e.name, e.code, e.message.split("\\n")[0], e.requireStack?.length); }\n--- a.txt\nx y\n--- dir/x.js\n`,
  ],
  [
    "var on top does not reach global",
    `--- m.cjs\nvar v = 1; function ff() {} report(typeof globalThis.v, typeof globalThis.ff, typeof global.ff);`,
  ],
  [
    "json modules",
    `--- m.mjs\nimport a from "./a.json" with { type: "json" }; import * as ns from "./a.json" with { type: "json" }; report(a, Object.keys(ns).filter((k) => k !== "module.exports"), ns); import { createRequire } from "node:module"; report(createRequire(import.meta.url)("./a.json") === a);\n--- a.json\n{ "x": 1, "__proto__": 2 }`,
  ],
  ["json without attribute", `--- m.mjs\nimport a from "./a.json"; report(a);\n--- a.json\n{}`],
  [
    "circular export",
    `--- m.mjs\nimport { x } from "./a.mjs"; report(x);\n--- a.mjs\nexport { x } from "./b.mjs";\n--- b.mjs\nexport { x } from "./a.mjs";`,
  ],
  [
    "circular export of a module with a query",
    `--- m.mjs\nimport { x } from "./a.mjs?q"; report(x);\n--- a.mjs\nexport { x } from "./b.mjs";\n--- b.mjs\nexport { x } from "./a.mjs?q";`,
  ],
  [
    "circular star with a name",
    `--- m.mjs\nimport { foo } from "./a.mjs"; report(foo);\n--- a.mjs\nexport * from "./b.mjs"; export * from "./c.mjs";\n--- b.mjs\nexport { foo } from "./a.mjs";\n--- c.mjs\nexport let foo = 42;`,
  ],
  [
    "duplicate exports",
    `--- m.mjs\ntry { await import("./a.mjs"); } catch (e) { report(e.name); }\n--- a.mjs\nexport const a = 1; export { a };`,
  ],
  ["require not defined", `--- m.mjs\nreport(1); require("x");`],
  ["exports not defined in js", `--- m.js\nexports.x = 1;\n--- package.json\n{ "type": "module" }`],
  ["__dirname with tla", `--- m.mjs\nawait 0; __dirname;`],
  [
    "syntax detection",
    `--- m.js\nimport { a } from "./a.js"; report(a, typeof require, typeof module);\n--- a.js\nexport const a = 1;\n--- package.json\n{}`,
  ],
  [
    "syntax detection by tla",
    `--- m.js\nconst fs = await import("node:fs"); report(typeof fs.readFileSync, typeof require);\n--- package.json\n{}`,
  ],
  [
    "syntax detection by redeclared names",
    `--- m.js\nimport.meta.url; const require = 1, __filename = 2; report(require);\n--- package.json\n{}`,
  ],
  [
    "no syntax detection with import()",
    `--- m.js\nimport("node:fs").then(() => report("imported")); report(typeof require, typeof module); exports.done = new Promise((r) => setTimeout(r, 20));\n--- package.json\n{}`,
  ],
  [
    "empty and comment-only files",
    `--- m.mjs\nimport * as a from "./a.mjs"; import * as b from "./b.cjs"; report(Object.keys(a), b.default);\n--- a.mjs\n--- b.cjs\n// x`,
  ],
  [
    "very long and odd names",
    `--- m.mjs\nimport { $, _, __proto__ as p, constructor, toString, then_ } from "./a.mjs"; import * as ns from "./a.mjs"; report($, _, p, constructor, toString, then_, Object.keys(ns), ns.hasOwnProperty, ns.__proto__);\n--- a.mjs\nexport const $ = 1, _ = 2, constructor = 3, toString = 4, then_ = 5; const q = 6; export { q as __proto__ };`,
  ],
  [
    "export names that are strings with anything",
    `--- m.mjs\nimport * as ns from "./a.mjs"; import { "☿" as m, "a-b" as ab, "" as empty, "default" as d } from "./a.mjs"; report(Object.keys(ns), m, ab, empty, d); export { m as "x y" }; export * as "star " from "./a.mjs"; import * as self from "./m.mjs"; report(Object.keys(self));\n--- a.mjs\nconst v = 1; export { v as "☿", v as "a-b", v as "", v as default, v as "1" };`,
  ],
  [
    "async module errors in order",
    `--- m.mjs\nconst r = await Promise.allSettled([import("./a.mjs"), import("./a.mjs"), import("./b.mjs")]); report(r.map((x) => x.reason?.message), r[0].reason === r[1].reason);\n--- a.mjs\nawait 0; throw new Error("a");\n--- b.mjs\nimport "./a.mjs"; report("never");`,
  ],
  [
    "debugger and labels and switch",
    `--- m.mjs\ndebugger; a: b: for (const x of [1, 2]) { switch (x) { case 1: continue a; default: let y = x; report(y); break b; } }`,
  ],
  [
    "optional catch, nullish assign, numeric separators, bigint",
    `--- m.mjs\nimport { o } from "./a.mjs"; o.a ??= 1_0; o.b ||= 2n ** 3n; o.a &&= o.a + 1; report(o, o?.["a"], o.f?.(), o.x?.y.z.w, delete o?.a); try { null.x } catch { report("c"); }\n--- a.mjs\nexport const o = { f() { return this === o; } };`,
  ],
  [
    "type syntax is refused in js",
    `--- m.mjs\ntry { await import("./a.mjs"); } catch (e) { report(e.name); }\n--- a.mjs\nconst x: number = 1;`,
  ],
  [
    "jsx is refused in js",
    `--- m.mjs\ntry { await import("./a.mjs"); } catch (e) { report(e.name); }\n--- a.mjs\nconst x = <div/>;`,
  ],
];
