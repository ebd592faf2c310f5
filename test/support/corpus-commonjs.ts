/** Small CommonJS programs, run by Node and by the runtime; corpus-esm.ts says how a program is written. */
export const commonJsCorpus: readonly (readonly [title: string, program: string])[] = [
  [
    "a cycle warns of names that are not there yet",
    `--- m.cjs\nconst told = []; const emit = process.emitWarning; process.emitWarning = (text) => told.push(text); try { exports.there = 1; require("./a.cjs"); module.exports.late = 2; report(told, module.exports, Object.getPrototypeOf(module.exports) === Object.prototype, module.exports.never); } finally { process.emitWarning = emit; }\n--- a.cjs\nconst m = require("./m.cjs"); const { there, late } = m; report(there, late, m.toString === {}.toString, m.__esModule, Object.hasOwn(m, "other"));`,
  ],
  [
    "an unknown extension may be an ES module",
    `--- m.cjs\nfor (const f of ["./a.es6", "./b.es6"]) { const x = require(f); report(x.v, typeof x.f, Object.keys(x)); }\n--- a.es6\nexport const v = 1; export function f() {}\n--- b.es6\nexports.v = 2;`,
  ],
  [
    "an extension that is registered and taken away again",
    `--- m.cjs\nconst has = () => { try { return require("./page"); } catch (e) { return e.code; } }; require.extensions[".tpl.x"] = (m) => { m.exports = "page"; }; report(has()); delete require.cache[require.resolve("./page")]; delete require.extensions[".tpl.x"]; require("module")._pathCache = Object.create(null); report(has()); const json = require.extensions[".json"]; report(require("./data")); delete require.cache[require.resolve("./data")]; delete require.extensions[".json"]; require("module")._pathCache = Object.create(null); try { report(require("./data")); } catch (e) { report(e.code); } require.extensions[".json"] = json;\n--- page.tpl.x\n1;\n--- data.json\n{ "a": 1 }`,
  ],
  ["require", `--- m.cjs\nreport(require("./a.cjs"));\n--- a.cjs\nexports.a = 1;`],
  [
    "require without extension, of a folder, of index",
    `--- m.cjs\nreport(require("./a"), require("./dir"), require("./pkg"));\n--- a.js\nmodule.exports = "a";\n--- dir/index.js\nmodule.exports = "index";\n--- pkg/package.json\n{ "main": "lib/x.js" }\n--- pkg/lib/x.js\nmodule.exports = "main";`,
  ],
  [
    "require of JSON",
    `--- m.cjs\nconst j = require("./d.json"); j.x = 1; report(require("./d.json"), require("./d"));\n--- d.json\n{ "a": 1 }`,
  ],
  [
    "this and exports",
    `--- m.cjs\nreport(this === module.exports, exports === module.exports, typeof arguments, arguments.length >= 5);`,
  ],
  [
    "module fields",
    `--- m.cjs\nrequire("./a.cjs");\n--- a.cjs\nconst path = require("path"); report(path.basename(module.id), path.basename(module.filename), path.basename(module.path) !== "", module.loaded, module.children, module.exports, module.paths[0].endsWith("node_modules"), typeof module.require, module.isPreloading, path.basename(module.parent.filename), path.basename(__filename), __dirname === module.path);`,
  ],
  [
    "module is a Module",
    `--- m.cjs\nconst Module = require("module"); report(module instanceof Module, module.constructor === Module, Object.prototype.toString.call(module));`,
  ],
  [
    "module.children",
    `--- m.cjs\nrequire("./a.cjs"); require("./a.cjs"); require("./b.cjs"); report(module.children.map((c) => require("path").basename(c.id)), module.children[0].loaded);\n--- a.cjs\n--- b.cjs\n`,
  ],
  [
    "module.loaded",
    `--- m.cjs\nconst a = require("./a.cjs"); report(a.during, a.after());\n--- a.cjs\nexports.during = module.loaded; exports.after = () => module.loaded;`,
  ],
  [
    "cycle gives partial exports",
    `--- m.cjs\nexports.one = 1; const b = require("./b.cjs"); exports.two = 2; report(b);\n--- b.cjs\nconst m = require("./m.cjs"); exports.seen = Object.keys(m);`,
  ],
  [
    "cycle with replaced exports",
    `--- m.cjs\nconst b = require("./b.cjs"); module.exports = { m: 1 }; report(b.late());\n--- b.cjs\nconst m = require("./m.cjs"); exports.late = () => [m.m, require("./m.cjs").m];`,
  ],
  [
    "a module is evaluated once",
    `--- m.cjs\nreport(require("./a.cjs") === require("./a.cjs"), require("./a.cjs").n);\n--- a.cjs\nexports.n = (globalThis.corpusCount = (globalThis.corpusCount || 0) + 1); delete globalThis.corpusCount;`,
  ],
  [
    "a throwing module is not kept",
    `--- m.cjs\nfor (let i = 0; i < 2; i++) try { require("./a.cjs"); } catch (e) { report(e.message); } report(Object.keys(require.cache).some((f) => f.endsWith("a.cjs")));\n--- a.cjs\nreport("tried"); throw new Error("bad");`,
  ],
  [
    "require.cache can be read and deleted",
    `--- m.cjs\nconst a = require("./a.cjs"), file = require.resolve("./a.cjs"); report(require.cache[file].exports === a, file in require.cache); delete require.cache[file]; report(require.cache[file]); const b = require("./a.cjs"); report(a === b);\n--- a.cjs\nreport("evaluated"); exports.a = {};`,
  ],
  [
    "require.cache can be replaced",
    `--- m.cjs\nconst file = require.resolve("./a.cjs"); require.cache[file] = { id: file, filename: file, loaded: true, exports: "mock", children: [] }; report(require("./a.cjs")); delete require.cache[file]; report(require("./a.cjs"));\n--- a.cjs\nmodule.exports = "real";`,
  ],
  [
    "require.cache holds the module",
    `--- m.cjs\nreport(require.cache[__filename] === module, require.cache[module.filename].exports === exports);`,
  ],
  [
    "require.resolve",
    `--- m.cjs\nconst path = require("path"); report(path.basename(require.resolve("./a")), require.resolve("fs"), require.resolve("node:fs"), require.resolve.paths("x")[0].endsWith("node_modules"), require.resolve.paths("fs")); try { require.resolve("./nope"); } catch (e) { report(e.code); }\n--- a.js\n`,
  ],
  [
    "require.resolve with paths",
    `--- m.cjs\nreport(require("path").relative(__dirname, require.resolve("./a.js", { paths: [__dirname + "/sub"] })));\n--- sub/a.js\n`,
  ],
  [
    "missing module",
    `--- m.cjs\ntry { require("./nope"); } catch (e) { report(e.name, e.code, e.message, e.requireStack.length > 0); }`,
  ],
  [
    "missing package",
    `--- m.cjs\ntry { require("not-there"); } catch (e) { report(e.code, e.message.split("\\n")[0]); }`,
  ],
  [
    "optional require in try",
    `--- m.cjs\nlet o = "fallback"; try { o = require("optional-thing"); } catch {} report(o);`,
  ],
  [
    "bad arguments",
    `--- m.cjs\nfor (const x of [undefined, 1, ""]) try { require(x); } catch (e) { report(e.name, e.code); }`,
  ],
  [
    "computed require",
    `--- m.cjs\nfor (const n of ["a", "b"]) report(require("./" + n + ".cjs"));\n--- a.cjs\nmodule.exports = "A";\n--- b.cjs\nmodule.exports = "B";`,
  ],
  [
    "require of a folder listing",
    `--- m.cjs\nconst fs = require("fs"), path = require("path"); for (const f of fs.readdirSync(path.join(__dirname, "routes")).sort()) report(f, require(path.join(__dirname, "routes", f)));\n--- routes/a.js\nmodule.exports = 1;\n--- routes/b.js\nmodule.exports = 2;`,
  ],
  ["builtins by both names", `--- m.cjs\nreport(require("fs") === require("node:fs"), typeof require("path").join);`],
  [
    "require of packages",
    `--- m.cjs\nreport(require("pkg"), require("pkg") === require("pkg"), require("pkg/package.json").name);\n--- node_modules/pkg/package.json\n{ "name": "pkg", "main": "i.js" }\n--- node_modules/pkg/i.js\nexports.p = 1;`,
  ],
  [
    "conditions of packages",
    `--- m.cjs\nreport(require("pkg"));\n--- node_modules/pkg/package.json\n{ "name": "pkg", "exports": { "import": "./i.mjs", "require": "./r.cjs" } }\n--- node_modules/pkg/i.mjs\nexport default "import";\n--- node_modules/pkg/r.cjs\nmodule.exports = "require";`,
  ],
  [
    "sloppy mode",
    `--- m.cjs\ncorpusSloppy = 1; report(globalThis.corpusSloppy, (function () { return this === globalThis; })()); delete globalThis.corpusSloppy; var o = { a: 1 }; with (o) report(a);`,
  ],
  ["use strict", `--- m.cjs\n"use strict"; try { undeclared = 1; } catch (e) { report(e.name); }`],
  ["return at top level", `--- m.cjs\nreport("before"); if (true) return; report("never");`],
  ["hashbang", `--- m.cjs\n#!/usr/bin/env node\nreport("ran");`],
  [
    "wrapper names can be redeclared by var and functions",
    `--- m.cjs\nvar exports = module.exports = { x: 1 }; var __dirname = "d"; report(exports, __dirname); function require2() {} report(typeof require2);`,
  ],
  [
    "module.exports of any kind",
    `--- m.cjs\nreport(require("./f.cjs")(), new (require("./c.cjs"))().v, require("./n.cjs"), require("./u.cjs"), require("./s.cjs"));\n--- f.cjs\nmodule.exports = function () { return 1; };\n--- c.cjs\nmodule.exports = class { v = 2; };\n--- n.cjs\nmodule.exports = null;\n--- u.cjs\nmodule.exports = undefined;\n--- s.cjs\nmodule.exports = Symbol.for("s");`,
  ],
  [
    "exports shortcut is lost when replaced",
    `--- m.cjs\nreport(require("./a.cjs"));\n--- a.cjs\nexports = { lost: 1 };`,
  ],
  [
    "import() in CommonJS",
    `--- m.cjs\nmodule.exports.done = (async () => { report((await import("./e.mjs")).default, (await import("./c.cjs")).default, (await import("node:path")).sep); })();\n--- e.mjs\nexport default 1;\n--- c.cjs\nmodule.exports = 2;`,
  ],
  [
    "require(esm) with named exports",
    `--- m.cjs\nconst e = require("./e.mjs"); report(e.a, Object.keys(e), e[Symbol.toStringTag]);\n--- e.mjs\nexport const a = 1, b = 2;`,
  ],
  [
    "require(esm) with a default",
    `--- m.cjs\nconst e = require("./e.mjs"); report(e.default, e.__esModule, Object.keys(e), e === require("./e.mjs"));\n--- e.mjs\nexport default 1; export const a = 2;`,
  ],
  [
    "require(esm) that exports __esModule",
    `--- m.cjs\nconst e = require("./e.mjs"); report(e.default, e.__esModule, Object.keys(e));\n--- e.mjs\nexport default 1; export const __esModule = "own";`,
  ],
  [
    "require(esm) with the export name module.exports",
    `--- m.cjs\nreport(require("./e.mjs"));\n--- e.mjs\nconst v = { whole: 1 }; export { v as "module.exports" }; export default 2;`,
  ],
  [
    "require(esm) sees live bindings",
    `--- m.cjs\nconst e = require("./e.mjs"), d = require("./d.mjs"); e.inc(); d.inc(); report(e.n, d.n);\n--- e.mjs\nexport let n = 0; export const inc = () => n++;\n--- d.mjs\nexport let n = 0; export const inc = () => n++; export default 1;`,
  ],
  [
    "require(esm) with top-level await is refused",
    `--- m.cjs\ntry { require("./e.mjs"); } catch (e) { report(e.name, e.code); }\n--- e.mjs\nexport const a = await 1;`,
  ],
  [
    "require(esm) whose dependency has top-level await is refused",
    `--- m.cjs\ntry { require("./e.mjs"); } catch (e) { report(e.code); }\n--- e.mjs\nimport "./a.mjs"; export const a = 1;\n--- a.mjs\nawait 0;`,
  ],
  [
    "require(esm) that throws",
    `--- m.cjs\nfor (let i = 0; i < 2; i++) try { require("./e.mjs"); } catch (e) { report(e.message); }\n--- e.mjs\nreport("tried"); throw new Error("bad");`,
  ],
  [
    "require(esm) and import() share the module",
    `--- m.cjs\nconst e = require("./e.mjs"); module.exports.done = import("./e.mjs").then((ns) => report(ns.o === e.o));\n--- e.mjs\nexport const o = {}; report("once");`,
  ],
  [
    "require and import share CommonJS",
    `--- m.cjs\nconst c = require("./c.cjs"); module.exports.done = import("./c.cjs").then((ns) => report(ns.default === c));\n--- c.cjs\nexports.o = {}; report("once");`,
  ],
  [
    "require(esm) of a package",
    `--- m.cjs\nreport(require("pkg").v);\n--- node_modules/pkg/package.json\n{ "name": "pkg", "type": "module", "exports": "./i.js" }\n--- node_modules/pkg/i.js\nexport const v = 1;`,
  ],
  [
    "ES module syntax in a .js file of a package without type",
    `--- m.cjs\nmodule.exports.done = import("./e.js").then((ns) => report(ns.a));\n--- e.js\nexport const a = 1; report(typeof require);`,
  ],
  [
    "require.extensions and require.main",
    `--- m.cjs\nreport(typeof require.extensions[".js"], Object.keys(require.extensions).includes(".json"), "main" in require);`,
  ],
  ["module.require", `--- m.cjs\nreport(module.require("./a.cjs").a);\n--- a.cjs\nexports.a = 1;`],
  [
    "require passed on and renamed",
    `--- m.cjs\nconst r = require; function load(f, n) { return f(n); } report(load(r, "./a.cjs").a, [require].map((f) => f("./a.cjs").a));\n--- a.cjs\nexports.a = 1;`,
  ],
  [
    "getters on exports",
    `--- m.cjs\nlet n = 0; Object.defineProperty(exports, "lazy", { enumerable: true, get: () => ++n }); report(require("./b.cjs"));\n--- b.cjs\nconst m = require("./m.cjs"); module.exports = [m.lazy, m.lazy];`,
  ],
  [
    "Object.assign and spread exports",
    `--- m.cjs\nreport(require("./a.cjs"));\n--- a.cjs\nmodule.exports = { ...require("./b.cjs"), own: 1 };\n--- b.cjs\nObject.assign(exports, { x: 1, y: 2 });`,
  ],
  [
    "late require in a function",
    `--- m.cjs\nconst load = () => require("./a.cjs"); report("before"); report(load().a);\n--- a.cjs\nreport("evaluated"); exports.a = 1;`,
  ],
  [
    "JSON that does not parse",
    `--- m.cjs\ntry { require("./d.json"); } catch (e) { report(e.name, e instanceof SyntaxError); }\n--- d.json\n{ "a": `,
  ],
  [
    "node_modules code that requires own files",
    `--- m.cjs\nreport(require("loader")(__dirname + "/own.cjs") === require("./own.cjs"));\n--- own.cjs\nreport("once"); exports.o = {};\n--- node_modules/loader/index.js\nmodule.exports = (file) => require(file);`,
  ],
  [
    "node_modules code that imports own files",
    `--- m.cjs\nmodule.exports.done = require("loader")(require("url").pathToFileURL(__dirname + "/own.cjs").href).then((ns) => report(ns.default === require("./own.cjs")));\n--- own.cjs\nexports.o = {};\n--- node_modules/loader/index.js\nmodule.exports = (url) => import(url);`,
  ],
  [
    "template literals, async, generators, classes",
    `--- m.cjs\nclass A { static #p = 1; static get p() { return A.#p; } async *g() { yield* [1, 2]; } } exports.done = (async () => { for await (const x of new A().g()) report(x, A.p, \`\${x}\`); })();`,
  ],
  [
    "classes look as they were written",
    `--- m.cjs\nconst look = (C) => [C, Reflect.ownKeys(C), C.name, C.length, Object.getOwnPropertyDescriptor(C, "name")]; report(look(class{}), look(class A { static x = 1; constructor(a, b) {} }), look(class extends Array{})); const B = class { static n = this.name; }, o = { C: class { static n = this.name }, ["D" + 1]: class {} }; let E; E = class {}; const [F = class {}] = [], { G = class { static name = 2 } } = {}; (H = class {}) => report(H.name); report(look(B), B.n, o, o.C.n, E.name, F.name, look(G)); class I { static A = class {}; static #b = class {}; static b = this.#b.name; J = class {}; } report(I.A.name, I.b, new I().J.name); report(look(class{ static name() {} }), (() => class {})().name);`,
  ],
  [
    "what a class runs while it is made, in order",
    `--- m.cjs\nconst seen = []; const note = (x) => (seen.push(x), x); class A extends (note("base"), Object) { static { note("first"); } static [note("key")] = note("value"); static { note(this.key); note(typeof this.late); } static late = 1; static #p = note("private"); static { note(this.#p); } [note("instance")] = note("made"); } new A(); report(seen); class\nB\n{\nx = 1\nstatic\ny = 2\nstatic\n{ report(this.y) }\nget;\nz\nstatic async\n} report(new B(), B.y, Reflect.ownKeys(new B())); class C{static{report(this === C)}} class D { static a = 1 } class E{'use strict' = 1;;; constructor(){ report(new.target === E, typeof super.toString) }} new E(); class F { static #x = 1; #y = 2; static has(o) { return #y in o && !(#x in o); } } report(F.has(new F()), F.has({})); class G extends null { static m() { return super.x } } report(G.m === undefined); report(typeof (class {}), [class {}].length, (0, class Z {}).name); label: { class L {} break label } if (1) { class M {} report(M.name) } switch (1) { case 1: class N {} report(N.name) }`,
  ],
  [
    "classes in sloppy mode",
    `--- m.cjs\nfunction f() { return typeof this; } report(f()); class A { static t = f(); static u = (function () { return this === undefined; })(); } report(A.t, A.u); with ({ B: 1 }) { class C { static v = 1 } report(C.v); } var undeclaredInSloppy; x = 1; report(x, delete globalThis.x); report(((a, b = class {}) => b.name)(1)); var yield = 2, let_ = 3; report(yield); if (1) { class K{} report(new K()) }\nmodule.exports = class{} // the end`,
  ],
  [
    "the text of a class and of a function around one, evaluated anew",
    `--- m.cjs\nclass A { #a = 1; static b = 2; get a() { return this.#a; } } const B = new Function("return " + A)(); report(new B().a, B.b, B.name); const make = () => { class C { m() { return 3; } } return new C().m(); }; report(require("node:vm").runInNewContext("(" + make + ")()"));`,
  ],
  [
    "a file that returns early",
    `--- m.cjs\nreport(require("./a.cjs"), require("./b.cjs"));\n--- a.cjs\nexports.a = 1; var hidden = 1; if (hidden) return; exports.b = 2;\n--- b.cjs\nexports.a = () => hidden; const hidden = 1 /* last */`,
  ],
  ["uncaught throw", `--- m.cjs\nthrow Object.assign(new TypeError("top"), { code: "E_X" });`],
  ["error thrown by a dependency", `--- m.cjs\nrequire("./a.cjs");\n--- a.cjs\nnull.x;`],
  [
    "importing a CommonJS entry's require cycle with ESM",
    `--- m.cjs\nexports.done = import("./e.mjs"); exports.v = 1;\n--- e.mjs\nimport m from "./m.cjs"; report(m.v);`,
  ],
];
