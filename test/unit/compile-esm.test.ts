// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders belong to the snippets
/** JavaScript modules rewritten by the compiler behave as Node's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Compiler } from "../../src/common/compile/compiler.js";
import { evaluate } from "../support/evaluate.js";
import { TempApp } from "../support/temp-app.js";

const dependency = `
export let count = 0;
export function bump() { return ++count; }
export function that() { return this; }
export const tag = function (strings) { return [this === undefined, strings.raw.join("|")]; };
export class Base { static made = 0; constructor(x) { this.x = x; Base.made++; } hi() { return "hi " + this.x; } }
export const nested = { deep: { fn() { return this === nested.deep; } }, list: [1, 2, 3] };
export { count as "string name", bump as \u0062ump2 };
export default function named() { return "default of dep"; }
export const maybe = undefined;
export const __proto__ = "a name";
`;

/** Name to the text of main.mjs; what it exports, or throws, is compared. */
const snippets: Readonly<Record<string, string>> = {
  "named import": `import { count } from "./dep.mjs"; export const a = count;`,
  "default import": `import d from "./dep.mjs"; export const a = d(), b = d.name;`,
  "default and named": `import d, { count as c } from "./dep.mjs"; export const a = [d(), c];`,
  "default and namespace": `import d, * as ns from "./dep.mjs"; export const a = [d === ns.default, ns.count];`,
  "import by string name": `import { "string name" as s } from "./dep.mjs"; export const a = s;`,
  "import of __proto__": `import { __proto__ as p } from "./dep.mjs"; export const a = p;`,
  "live binding": `import { count, bump } from "./dep.mjs"; const before = count; bump(); export const a = [before, count];`,
  "call has no this": `import { that } from "./dep.mjs"; export const a = that() === undefined;`,
  "optional call has no this": `import { that, maybe } from "./dep.mjs"; export const a = [that?.() === undefined, maybe?.(), maybe?.x.y];`,
  "tagged template has no this": "import { tag } from './dep.mjs'; export const a = tag`x${1}y`;",
  "method call keeps this": `import { nested } from "./dep.mjs"; export const a = [nested.deep.fn(), nested.deep["fn"](), nested?.deep.fn()];`,
  "namespace call has the namespace": `import * as ns from "./dep.mjs"; export const a = ns.that() === ns;`,
  "namespace as a value": `import * as ns from "./dep.mjs"; export const a = Object.keys(ns).sort(), b = "count" in ns, c = { ...ns }.count;`,
  "namespace computed": `import * as ns from "./dep.mjs"; const k = "count"; export const a = [ns[k], ns["count"], ns?.[k]];`,
  "namespace shorthand": `import * as ns from "./dep.mjs"; export const a = Object.keys({ ns });`,
  "new of an import": `import { Base } from "./dep.mjs"; export const a = new Base(1).hi(), b = new Base().hi(), c = Base.made;`,
  "new without arguments": `import { Base } from "./dep.mjs"; export const a = (new Base).hi();`,
  "new of a namespace member": `import * as ns from "./dep.mjs"; const k = "Base"; export const a = new ns.Base(1).hi(), b = new ns["Base"](2).hi(), c = new ns[k](3).hi();`,
  "extends an import": `import { Base } from "./dep.mjs"; export class C extends Base { hi() { return super.hi() + "!"; } } export const a = new C(1).hi();`,
  "extends a namespace member": `import * as ns from "./dep.mjs"; export const a = new (class extends ns.Base {})(4).hi();`,
  "instanceof and in": `import { Base, nested } from "./dep.mjs"; export const a = [new Base(1) instanceof Base, "deep" in nested];`,
  "typeof an import": `import { count, maybe, Base } from "./dep.mjs"; export const a = [typeof count, typeof maybe, typeof Base];`,
  "shorthand property": `import { count, maybe } from "./dep.mjs"; export const a = { count, maybe, x: count };`,
  "computed keys": `import { count } from "./dep.mjs"; export const a = { [count]: 1, ["k" + count]: 2, count: 3, count() {}, get x() { return count; } };`,
  "keys and members are not references": `import { count } from "./dep.mjs"; const o = { count: 5, m: { count: 6 } }; export const a = [o.count, o.m.count, o?.count, count];`,
  "object pattern defaults": `import { count } from "./dep.mjs"; const { a = count, b: { c = count } = {}, [String(count)]: d = 9, ...rest } = { z: 1 }; export { a, c, d, rest };`,
  "parameters shadow": `import { count } from "./dep.mjs"; export const a = ((count) => count)(7), b = (function ({ count }, [c = count]) { return [count, c]; })({ count: 8 }, []);`,
  "parameter defaults read": `import { count } from "./dep.mjs"; export const a = ((x = count, { y = count } = {}, [z = count] = []) => [x, y, z])();`,
  "body var does not shadow the defaults": `import { count } from "./dep.mjs"; export const a = (function (x = count) { var count = 5; return [x, count]; })();`,
  "rest parameter shadows": `import { count } from "./dep.mjs"; export const a = ((...count) => count)(1, 2);`,
  "let in a block shadows": `import { count } from "./dep.mjs"; const out = [count]; { let count = 1; out.push(count); { const count = 2; out.push(count); } } out.push(count); export { out };`,
  "var in a nested block shadows the function": `import { count } from "./dep.mjs"; export const a = (() => { const first = typeof count; { for (;;) { if (true) { var count = 3; } break; } } return [first, count]; })();`,
  "function in a block shadows": `import { count } from "./dep.mjs"; const out = []; { out.push(count()); function count() { return "inner"; } } out.push(count); export { out };`,
  "class in a block shadows": `import { count } from "./dep.mjs"; let a; { class count { static x = 1; } a = count.x; } export { a };`,
  "function expression name shadows": `import { count } from "./dep.mjs"; export const a = (function count() { return typeof count; })();`,
  "class expression name shadows": `import { count } from "./dep.mjs"; export const a = new (class count { m() { return typeof count; } })().m();`,
  "catch parameter shadows": `import { count } from "./dep.mjs"; let a; try { throw { count: 5 }; } catch ({ count, d = count }) { a = [count, d]; } export { a };`,
  "catch without a parameter": `import { count } from "./dep.mjs"; let a; try { throw 1; } catch { a = count; } export { a };`,
  "for let shadows": `import { count } from "./dep.mjs"; const out = []; for (let count = 1; count < 3; count++) out.push(count); for (const count of [5]) out.push(count); for (const count in { k: 1 }) out.push(count); out.push(count); export { out };`,
  "for var at the top of a function": `import { count } from "./dep.mjs"; export const a = (() => { for (var count of [1, 2]); return count; })();`,
  "loops over imports": `import { nested } from "./dep.mjs"; const out = []; for (const x of nested.list) out.push(x); for (const k in nested) out.push(k); export { out };`,
  "switch scope": `import { count } from "./dep.mjs"; let a; switch (count) { case 0: let count = 4; a = count; } export { a };`,
  "switch discriminant and tests": `import { count, maybe } from "./dep.mjs"; let a; switch (0) { case maybe: a = 1; break; case count: a = 2; } export { a };`,
  "labels are not references": `import { count } from "./dep.mjs"; let a = 0; count: for (;;) { for (;;) { a++; if (a > 2) break count; continue count; } } export { a };`,
  "static block": `import { count } from "./dep.mjs"; export class C { static x; static { var count = 3; this.x = count; } static y = count; }; export const a = [C.x, C.y];`,
  "class fields": `import { count, bump } from "./dep.mjs"; class C { a = count; [\`k\${count}\`] = 1; static s = bump(); #p = count; p() { return this.#p; } count = 4; } export const o = new C(), p = o.p(), s = C.s;`,
  "getters and setters": `import { count } from "./dep.mjs"; const o = { get count() { return count; }, set v(x) { this.w = [x, count]; } }; o.v = 1; export const a = [o.count, o.w];`,
  generators: `import { nested } from "./dep.mjs"; function* g() { yield* nested.list; yield nested.list.length; } export const a = [...g()];`,
  "async functions": `import { bump } from "./dep.mjs"; export const a = await (async () => { await null; return bump(); })();`,
  "arrow chains": `import { count } from "./dep.mjs"; export const a = ((x) => (y) => (count) => [x, y, count])(1)(2)(3), b = (() => count)();`,
  "comma and grouping": `import { bump, that } from "./dep.mjs"; export const a = (0, bump)(), b = (bump)(), c = (that)() === undefined;`,
  "template literal": "import { count, bump } from './dep.mjs'; export const a = `${count}${bump()}${`${count}`}`;",
  "spread and rest": `import { nested } from "./dep.mjs"; export const a = [...nested.list, ...[nested.list[0]]], b = Math.max(...nested.list);`,
  "sequence with assignment": `import { count } from "./dep.mjs"; let x; export const a = (x = count, x + 1);`,
  "conditional and logical": `import { count, maybe } from "./dep.mjs"; export const a = [count ? 1 : 2, maybe ?? count, count || maybe, !count && !maybe];`,
  "assignment to an import throws": `import { count } from "./dep.mjs"; export let a; try { count = 1; } catch (error) { a = error.name; }`,
  "increment of an import throws": `import { count } from "./dep.mjs"; export let a; try { count++; } catch (error) { a = error.name; }`,
  "pattern assignment to an import throws": `import { count } from "./dep.mjs"; export let a = []; for (const f of [() => { ({ count } = { count: 1 }); }, () => { ({ count = 2 } = {}); }, () => { [count] = [1]; }, () => { ({ x: count } = { x: 1 }); }, () => { for (count of [1]); }]) try { f(); a.push("no"); } catch (error) { a.push(error.name); }`,
  "assignment of a namespace": `import * as ns from "./dep.mjs"; let x = 1, y; x = ns; y ??= ns; export const a = [x === ns, y === ns, x.count];`,
  "assignment to a namespace throws": `import * as ns from "./dep.mjs"; export let a = []; for (const f of [() => { ns = 1; }, () => { ns += 1; }, () => { ns++; }, () => { ({ ns } = {}); }, () => { [ns = 1] = []; }, () => { for (ns in { a: 1 }); }, () => { ({ ...ns } = {}); }]) try { f(); a.push("no"); } catch (error) { a.push(error.name); }`,
  "assignment evaluates its value first": `import { count, bump } from "./dep.mjs"; export let a; try { count = bump(); } catch (error) { a = [error.message, count]; }`,
  "logical assignment to an import": `import { nested, maybe } from "./dep.mjs"; export let a = []; for (const f of [() => { nested ??= 1; }, () => { nested ||= 1; }, () => { nested &&= 1; }, () => { maybe ??= 1; }]) try { f(); a.push("no"); } catch (error) { a.push(error.name); }`,
  "targets of patterns are expressions": `import { nested, bump } from "./dep.mjs"; const o = {}; [o[bump()], o.x = bump(), ...o.rest] = [1, undefined, 3]; ({ k: o.k = nested, [String(bump())]: o.z, ...o.others } = { q: 1 }); for (o.i of [7]); export const a = [o.x, o.k === nested, o[1], o.rest, o.others, o.i];`,
  "assignment to a namespace member throws": `import * as ns from "./dep.mjs"; export let a; try { ns.count = 1; } catch (error) { a = error.name; }`,
  "statement after a line without semicolon": `import { bump } from "./dep.mjs"\nconst list = [1]\nbump()\nconst x = list\nbump()\nexport const a = [x, bump()]`,
  "call as a loop body": `import { bump } from "./dep.mjs"; let i = 0; while (i++ < 2) bump(); if (i) bump(); else bump(); do bump(); while (i++ < 4); for (;i < 7; i++) bump(); export { count as a } from "./dep.mjs";`,
  "call after a label": `import { bump } from "./dep.mjs"; here: bump(); export const a = bump();`,
  "call after a directive": `"use strict"\nimport { bump } from "./dep.mjs"\nfunction f() { "use strict"\nbump() }\nf()\nexport const a = bump()`,
  "call first in an arrow body": `import { bump } from "./dep.mjs"; export const a = [1].map(() => bump()), b = [1].map(() => { bump() });`,
  "call first in a case": `import { bump, count } from "./dep.mjs"; switch (1) { case 1:\n bump()\n bump() } export const a = count;`,
  "import between statements without semicolons": `const a = 1\nimport { bump } from "./dep.mjs"\n(() => {})()\nexport { a }`,
  "imports after use": `export const a = bump(); import { bump } from "./dep.mjs";`,
  "side effect import": `import "./effect.mjs"; export const a = globalThis.__effect;`,
  "empty import": `import {} from "./effect.mjs"; export const a = globalThis.__effect;`,
  "keywords next to names": `import { count, nested, Base } from "./dep.mjs"; function f() { return nested } export const a = [void count, typeof nested, "x"in nested, f()===nested, [...nested.list], new Base instanceof Base];`,
  "names that look alike": `import { count } from "./dep.mjs"; const count2 = 1, $count = 2, _count = 3, été = 4, cou = 5; export const a = [count, count2, $count, _count, été, cou];`,
  "escaped identifiers": `import { count as \\u0063nt } from "./dep.mjs"; export const a = cnt, b = { cnt }, c = ((\\u0063nt) => cnt)(5);`,
  "names in strings and comments": `import { count } from "./dep.mjs"; /* count */ export const a = ["count", 'count', \`count\`, /count/.source]; // count`,
  "arguments of a function": `import { count } from "./dep.mjs"; export const a = (function () { return [...arguments, count]; })(1, 2);`,
  "top-level this": `export const a = this, b = (() => this)(), c = typeof this;`,
  "use strict": `export let a; try { undeclaredName = 1; } catch (error) { a = error.name; }`,
  "export const, let, var": `export const a = 1, b = 2; export let c; export var d = 4; c = 3;`,
  "export destructured": `export const { a, b: { c, ...d }, e = 5, ["f"]: f } = { a: 1, b: { c: 2, x: 3 }, f: 6 }, [g, , h = 7, ...i] = [1, 2, undefined, 4, 5];`,
  "export function and class": `export function f() { return C.x; } export class C { static x = f.name; } export async function g() {} export function* h() {} export async function* i() {} export const names = [f, C, g, h, i].map((x) => x.name);`,
  "export list": `const a = 1; let b = 2; function c() {} export { a, b as renamed, c as default, a as "any name at all" };`,
  "export before the declaration": `export { a, f }; const a = 1; function f() { return a; }`,
  "export default expression": `export default 1 + 2;`,
  "export default without semicolon": `const x = 2\nexport default x\nconst y = 1`,
  "export default anonymous function": `export default function () { return 1; } import d from "./main.mjs"; export const a = d.name;`,
  "export default anonymous generator": `export default function* () { yield 1; }; import d from "./main.mjs"; export const a = d.name;`,
  "export default anonymous async": `export default async /* a */ function /* b */ ( ) { }; import d from "./main.mjs"; export const a = d.name;`,
  "export default async generator with comments": `export /* 1 */ default /* 2 */ async /* 3 */ function /* ( */ * /* 5 */ () { }; import d from "./main.mjs"; export const a = d.name;`,
  "export default is hoisted": `import d from "./main.mjs"; export const a = d(); export default function () { return "hoisted"; }`,
  "export default named is hoisted": `import d from "./main.mjs"; export const a = d(), b = d.name; export default function named() { return "hoisted"; }`,
  "export default anonymous class": `export default class { static x = 1; }; import d from "./main.mjs"; export const a = d.name;`,
  "export default class with a static name": `export default class { static name() { return "own"; } }; import d from "./main.mjs"; export const a = d.name();`,
  "export default class extends an import": `import { Base } from "./dep.mjs"; export default class extends Base { }; import d from "./main.mjs"; export const a = [d.name, new d(1).hi()];`,
  "export default named class": `export default class Named { static x = Named.name; }; export const a = Named.x;`,
  "export default arrow": `export default () => 1; import d from "./main.mjs"; export const a = d.name;`,
  "export default in parentheses": `export default (function () { return 1; }); import d from "./main.mjs"; export const a = d.name;`,
  "export default named function expression": `export default (function own() {}); import d from "./main.mjs"; export const a = d.name;`,
  "export default class in parentheses": `export default (class { }); import d from "./main.mjs"; export const a = d.name;`,
  "export default object": `import { count } from "./dep.mjs"; export default { count, x: [count] };`,
  "export default comma": `export default (1, 2);`,
  "export default template and call":
    "import { tag, bump } from './dep.mjs'; export default tag`x`;\nexport const a = bump();",
  "export default across lines": `export\n// a comment ( with default\ndefault\n/* more */\n[\n1,\n2\n]\n;`,
  "export default assignment": `let x; export default x = 5; export { x };`,
  "export default then reassigned": `export default function f() { return 1; } f = () => 2; import d from "./main.mjs"; export const a = d();`,
  "export default name is not live": `let x = 1; export default x; x = 2;`,
  "export as default is live": `let x = 1; export { x as default }; x = 2;`,
  "export let reassigned": `export let a = 1; a = 2; a += 3; [a] = [a + 1]; ({ a } = { a: a * 2 }); a++; export const b = a; import { a as own } from "./main.mjs"; export const c = own;`,
  "re-export named": `export { count, bump as b } from "./dep.mjs";`,
  "re-export default": `export { default } from "./dep.mjs"; export { default as d } from "./dep.mjs";`,
  "re-export string names": `export { "string name" as "other name" } from "./dep.mjs";`,
  "re-export star": `export * from "./dep.mjs"; export const count = "own";`,
  "re-export star twice": `export * from "./dep.mjs"; export * from "./effect.mjs";`,
  "re-export namespace": `export * as ns from "./effect.mjs"; export * as "a b" from "./effect.mjs"; export * as default from "./effect.mjs";`,
  "re-export of an import": `import { count, bump } from "./dep.mjs"; bump(); export { count as c, count };`,
  "re-export of a namespace import": `import * as ns from "./effect.mjs"; export { ns }; export default ns;`,
  "imports and re-exports of one specifier": `import { count } from "./dep.mjs"; export { bump } from "./dep.mjs"; import * as ns from "./dep.mjs"; export const a = [count, ns.count];`,
  "self import": `import * as self from "./main.mjs"; export const a = 1; export const b = self.a; export const f = () => Object.keys(self).length;`,
  "TDZ of an own export": `import { late as early } from "./main.mjs"; export let a; try { early; } catch (error) { a = error.name; } export const late = 1;`,
  "cycle with hoisted functions": `import { fromB } from "./cycle-b.mjs"; export function early() { return "early"; } export const a = fromB;`,
  "cycle with TDZ": `import { fromC } from "./cycle-c.mjs"; export const late = 1; export const a = fromC;`,
  "import.meta": `import path from "node:path"; export const a = path.basename(import.meta.filename), b = import.meta.url.endsWith("main.mjs"), c = typeof import.meta, d = import.meta === import.meta; import.meta.x = 1; export const e = import.meta.x;`,
  "dynamic import": `export const a = (await import("./dep.mjs")).count, b = (await import("node:path")).default.sep, c = (await import(\`./effect.mjs\`)).own;`,
  "dynamic import in functions": `const load = async (name) => (await import("./" + name)).count; export const a = await load("dep.mjs");`,
  "dynamic import with options": `export const a = (await import("./values.json", { with: { type: "json" } })).default;`,
  "json import": `import values from "./values.json" with { type: "json" }; export const a = values; export { default as b } from "./values.json" with { type: "json" };`,
  "builtin imports": `import path, { join } from "node:path"; import * as os from "os"; export const a = [join("a", "b"), path.posix.sep, typeof os.cpus];`,
  "import of CommonJS": `import cjs from "./old.cjs"; import { named } from "./old.cjs"; export const a = [cjs.named, named];`,
  "top-level await": `export const a = await 1; const { b = await 2 } = {}; export { b }; export const c = [await Promise.resolve(3)];`,
  "top-level await in a block": `export let a; { if (true) a = await 4; } try { await Promise.reject(new Error("x")); } catch (error) { a += error.message; }`,
  "top-level for await": `export const a = []; for await (const x of [1, Promise.resolve(2)]) a.push(x);`,
  "top-level await in a class key": `export const a = Object.getOwnPropertyNames(class { static [await "key"] = 1; static [\`k\${await 1}\`]() {} });`,
  "top-level await in a template and a call":
    "export const a = `${await 1}${[await 2]}`; export default await (async () => 5)();",
  "awaits in functions only": `export async function f() { await 1; for await (const x of []) ; } export const g = async () => await 1, o = { async m() { await 1; } }; class C { async m() { await 1; } static async s() { await 1; } }`,
  "import of an async module": `import { slow } from "./slow.mjs"; export const a = slow;`,
  hashbang: `#!/usr/bin/env node\nexport const a = new Error().stack.split("\\n")[1].replace(/.*main.mjs:(\\d+).*/, "$1");`,
  "hashbang and CRLF": `#!/usr/bin/env node --flag\r\nimport { count } from "./dep.mjs"\r\nexport const a = count\r\nexport const line = new Error().stack.split("\\n")[1].replace(/.*main.mjs:(\\d+).*/, "$1")\r\n`,
  "byte order mark": `\uFEFFimport { count } from "./dep.mjs"; export const a = count;`,
  "byte order mark and hashbang": `\uFEFF#!/usr/bin/env node\nexport const a = 1;`,
  directives: `'use strict'; "other"; export const a = 1;`,
  "last line is a comment": `export const a = 1; // the end`,
  "empty module": ``,
  "only a comment": `// nothing`,
  "lines do not move": `import {\n  count,\n  bump\n} from "./dep.mjs"; export const first = new Error().stack.split("\\n")[1].replace(/.*main.mjs:(\\d+).*/, "$1");\nexport {\n  count\n};\nbump(); export const line = new Error().stack.split("\\n")[1].replace(/.*main.mjs:(\\d+).*/, "$1");`,
  "deep nesting": `import { count } from "./dep.mjs"; export const a = (() => { const f = (x) => { if (x) { try { switch (x) { default: return [x, ...[count].map((y) => { { const count = y + 1; return { count, z: (() => count)() }; } })]; } } finally { } } }; return f(1); })();`,
  "class members named like imports": `import { count, bump } from "./dep.mjs"; class C { static count = 1; count = 2; bump() { return [this.count, C.count, count, bump()]; } get that() { return count; } static async *tag() {} } export const a = new C().bump(), b = new C().that;`,
  "private names like imports": `import { count } from "./dep.mjs"; class C { #count = 5; has(o) { return #count in o; } get() { return [this.#count, count]; } } export const a = [new C().get(), new C().has(new C())];`,
  "import used as decorator-like text": `import { count } from "./dep.mjs"; export const a = "@count", b = count;`,
  "exports named like globals": `export const Object = 1, undefined_ = 2; export { Object as "globalThis" }; export default function () {}`,
  "variables named like wrapper names": `const require = 1, module = 2, exports = 3, __filename = 4, __dirname = 5; export const a = [require, module, exports, __filename, __dirname];`,
  "no CommonJS names": `export const a = [typeof require, typeof module, typeof exports, typeof __filename, typeof __dirname];`,
  "new.target and super": `export const a = []; function F() { a.push(new.target === F); } new F(); F();`,
  "error thrown": `import { count } from "./dep.mjs"; if (count === 0) throw new RangeError("thrown " + count);`,
  "missing export": `import { nothing } from "./dep.mjs"; export const a = nothing;`,
  "missing re-export": `export { nothing } from "./dep.mjs";`,
  "line separators in the text": `import { count } from "./dep.mjs"; export const a = "\u2028", b = count;`,
  "astral names": `import { count as 𝒜 } from "./dep.mjs"; export const a = 𝒜, 𝒷 = 2, c = { 𝒜 };`,
  "regular expressions and division": `import { count } from "./dep.mjs"; const g = 2; export const a = [count / g / 1, /count/g.test("count"), count /g/ 2];`,
  "html comment look-alike": `import { count } from "./dep.mjs"; let x = 3; export const a = count < ! --x;`,
};

const surroundings: Readonly<Record<string, string>> = {
  "dep.mjs": dependency,
  "effect.mjs": `globalThis.__effect = (globalThis.__effect ?? 0) + 1; export const own = "effect";`,
  "cycle-b.mjs": `import { early } from "./main.mjs"; export const fromB = "b saw " + early();`,
  "cycle-c.mjs": `import { late } from "./main.mjs"; export let fromC; try { fromC = late; } catch (error) { fromC = error.name; }`,
  "slow.mjs": `await new Promise((resolve) => setImmediate(resolve)); export const slow = "slow";`,
  "values.json": `{ "one": 1, "list": [1, 2] }`,
  "old.cjs": `exports.named = "from CommonJS"; exports.other = 1;`,
};

for (const [name, text] of Object.entries(snippets)) {
  test(`as in Node: ${name}`, async () => {
    await using app = new TempApp({ ...surroundings, "main.mjs": text });
    const file = app.path("main.mjs");
    const effect = globalThis as { __effect?: number };
    delete effect.__effect;
    const expected = await outcome(() => import(pathToFileURL(file).href));
    delete effect.__effect;
    const actual = await outcome(() => evaluate(new Compiler({ root: app.folder }), file));
    delete effect.__effect;
    assert.equal(actual, expected);
  });
}

/** What a module exports, or the name and message of what it throws, as text. */
async function outcome(run: () => Promise<object>): Promise<string> {
  let namespace: Record<string, unknown>;
  try {
    namespace = { ...(await run()) };
  } catch (error) {
    return error instanceof Error ? `throws ${error.name}: ${error.message}` : `throws ${inspect(error)}`;
  }
  const names = Object.keys(namespace).sort();
  return inspect(
    names.map((name) => [name, describe(namespace[name])]),
    { depth: 6 },
  );
}

/** A function's text may differ, and so may the kind of a namespace object. */
function describe(value: unknown): unknown {
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(describe);
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, describe((value as Record<string, unknown>)[key])]));
}
