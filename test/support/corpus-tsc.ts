/**
 * TypeScript programs that tsc compiles and Node runs, and that the runtime runs: same reports, same error. corpus-esm.ts says
 * how a program is written. Each is run as an ES module and as CommonJS, unless it says otherwise.
 */
export interface TypeScriptProgram {
  readonly title: string;
  readonly text: string;
  /** Of tsconfig.json. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly formats?: readonly ("esm" | "commonjs")[];
}

const legacy = { experimentalDecorators: true, emitDecoratorMetadata: true, target: "es2022" };
const assigned = { useDefineForClassFields: false };

/** What the programs with metadata read; tsc has them from reflect-metadata. */
const metadataText = `const kept: unknown[] = []; (Reflect as any).metadata = (key: string, value: any) => (target: any, name?: string) => { kept.push([key, String(name), Array.isArray(value) ? value.map((v) => v?.name ?? String(v)) : value?.name ?? String(value)]); };`;

export const tscCorpus: readonly TypeScriptProgram[] = [
  // Enums
  {
    title: "enums: computed, strings, reverse names, members of earlier members",
    text: `--- m.ts\nconst f = () => 4; enum E { A, B = A + 1, C = "x".length, D = f(), F = D | 1, G = -1, H, I = ~2, J = 1 << 3, "k k" = 7, L = E["k k"] + 1 } report(E, E.H, E[3], E.L); enum S { A = "a", B = \`b\`, C = A + "c", D = \`\${A}-\${B}\` } report(S, S.C, S.D);`,
  },
  {
    title: "enums: merged declarations read each other's members",
    text: `--- m.ts\nlet y = 2, z = 4; enum x { y = 1 } enum x { z = y * 3, w = z + 1 } report(x, y, z);`,
  },
  {
    title: "enums: const, across files",
    text: `--- m.ts\nimport { C, N } from "./c.js"; const enum L { P = 1, Q = P << 2, R = "r" } report(C.A, C.B, C["c d"], L.Q, L.R, N.D.X);\n--- c.ts\nexport const enum C { A = 1, B = A * 10, "c d" = "e" } export namespace N { export enum D { X = 5 } }`,
  },
  {
    title: "enums: in functions, exported, default, aliased, declared",
    text: `--- m.ts\nimport D, { E as F } from "./e.js"; function g() { enum Local { A = 3 } return Local; } declare enum Ambient { A = 1 } report(g(), D, F, F.A, typeof Ambient);\n--- e.ts\nexport enum E { A, B } enum Z { Q = 9 } export default Z;`,
  },
  {
    title: "enums: NaN, infinities, negative names, shadowed names",
    text: `--- m.ts\nconst A = 100; enum E { A, B = A, C = 1 / 0, D = 0 / 0, F = -1.5 } report(E, E.B, E[-1.5], E.C); enum G { H = A } report(G.H); enum K { toString = 1, constructor = 2 } report(K.toString, K.constructor);`,
  },
  {
    title: "enums: merged with a namespace",
    text: `--- m.ts\nenum Color { Red, Blue } namespace Color { export function parse(s: string) { return s === "red" ? Color.Red : Blue; } export const count = 2; } report(Color.parse("x"), Color.count, Object.keys(Color));`,
  },
  // Namespaces
  {
    title: "namespaces: nested, dotted, merged, with variables that change",
    text: `--- m.ts\nnamespace A.B.C { export let n = 1; export const up = () => ++n; } namespace A { export namespace B { export const other = C.n + 10; } export import D = B.C; } A.B.C.up(); report(A.B.C.n, A.B.other, A.D.n); A.B.C.n = 7; report(A.B.C.up());`,
  },
  {
    title: "namespaces: a block reads the exports of another",
    text: `--- m.ts\nlet y = 2; let seen: unknown[] = []; namespace x { export const y = 1; export function f() { return 5; } export class K {} } namespace x { seen.push(y, f(), typeof K); export const z = y * 3; } namespace x { seen.push(z, { y }, () => y); const { q = y } = {} as any; seen.push(q); } report(seen.slice(0, 5), (seen[5] as any)(), seen[6], y);`,
  },
  {
    title: "namespaces: merged with a class and with a function",
    text: `--- m.ts\nclass C { static a = 1; m() { return C.helper(this); } } namespace C { export const b = 2; export function helper(c: C) { return b + C.a; } export interface I {} } function f() { return f.count++; } namespace f { export let count = 5; } report(new C().m(), C.b, f(), f(), f.count);`,
  },
  {
    title: "namespaces: exported, imported, aliased",
    text: `--- m.ts\nimport { N, M as P } from "./n.js"; import x = N.inner; import deep = N.inner.value; report(x.value, deep, P.a, Object.keys(N)); export import q = N.inner; report(typeof q);\n--- n.ts\nexport namespace N { export namespace inner { export const value = 3; } export type T = string; } export namespace M { export const [a, { b = 4 }] = [1, {} as { b?: number }]; report(a, b); }`,
  },
  {
    title: "namespaces: destructuring, shorthand and assignments to what is exported",
    text: `--- m.ts\nnamespace N { export let a = 1, b = 2; export var { c, ...d } = { c: 3, e: 4, f: 5 }; const o = { a, b, c }; [a, b] = [b, a]; a++; ({ c } = { c: 9 }); for (b of [7, 8]); report(o, a, b, c, d); export function set(v: number) { a = v; } } N.set(30); report(N.a, N.b, N.c, N.d);`,
  },
  {
    title: "namespaces: only types leave nothing, and are not there",
    text: `--- m.ts\nnamespace T { export interface I { x: number } export type U = I; } namespace T { export namespace Inner { type Q = 1; } } declare namespace G { const x: number; } const v: T.I = { x: 1 }; report(v); try { report(eval("typeof T")); } catch (e) { report((e as Error).name); }`,
  },
  {
    title: "namespaces: classes, enums and functions in one, this and super",
    text: `--- m.ts\nnamespace Z { export abstract class Base { constructor(protected n: number) {} abstract f(): number; } export class D extends Base { f() { return this.n + K.A; } } export enum K { A = 40 } export async function g() { return new D(2).f(); } export function* h() { yield* [1, 2]; } } report(new Z.D(1).f(), [...Z.h()]); export const done = Z.g().then((v: number) => report(v));`,
  },
  {
    title: "global augmentation and ambient modules",
    text: `--- m.ts\nexport {}; declare global { interface Array<T> { last(): T; } var flag: number; } declare module "x" { export const y: number; } report(typeof (globalThis as any).flag, "last" in []);`,
  },
  // Import and export of CommonJS kinds
  {
    title: "export = a class merged with a namespace, import = require",
    formats: ["commonjs"],
    text: `--- m.ts\nimport C = require("./c"); import type T = require("./c"); const c: T = new C(2); report(c.n, C.extra, typeof C); import fs = require("node:fs"); report(typeof fs.readFileSync);\n--- c.ts\nclass C { constructor(readonly n: number) {} } namespace C { export const extra = 1; } export = C;`,
  },
  {
    title: "export import = require, and a chain of it",
    formats: ["commonjs"],
    text: `--- m.ts\nimport { p } from "./b"; report(p.a, p.f());\n--- b.ts\nexport import p = require("./a");\n--- a.ts\nexport let a = 1; export function f() { return ++a; }`,
  },
  {
    title: "exports are live and enumerable, as those of tsc",
    formats: ["commonjs"],
    text: `--- m.ts\nimport * as ns from "./a"; import def, { n, inc } from "./a"; report(n, def, Object.keys(ns).sort()); inc(); report(n, ns.n); const r = require("./a"); report(r.n, r.__esModule, Object.keys(r), r === require("./a"));\n--- a.ts\nexport let n = 0; export const inc = () => { n++; }; export default class Named {} export type T = 1;`,
  },
  {
    title: "require() of itself and of an importer in a cycle",
    formats: ["commonjs"],
    text: `--- m.ts\nimport { a } from "./re"; report(a, typeof require("./m"), Object.keys(require("./m"))); export const own = 1; require("./re"); require("./a"); report(require("./m").own);\n--- re.ts\nexport * from "./a";\n--- a.ts\nexport let a = "a"; report(Object.keys(require("./m")));`,
  },
  {
    title: "export * from CommonJS that sets exports by hand",
    formats: ["commonjs"],
    text: `--- m.ts\nimport { a, b, c, d } from "./re"; report(a, b, c, d);\n--- re.ts\nexport * from "./a"; export * from "./b"; export * from "./d";\n--- a.ts\nexport let a = "a";\n--- b.ts\ndeclare const exports: any; exports.b = "b";\n--- c.ts\ndeclare const exports: any; exports.c = "c";\n--- d.ts\nexport * from "./c"; export let d = "d";`,
  },
  {
    title: "cycle of modules that export *",
    formats: ["commonjs", "esm"],
    text: `--- m.ts\nimport { a } from "./re.js"; const fn = a() as () => unknown; report(fn !== a, fn() === a);\n--- re.ts\nexport * from "./a.js";\n--- a.ts\nimport { b } from "./b.js"; export let a = (): unknown => b;\n--- b.ts\nimport { a } from "./re.js"; export let b = () => a;`,
  },
  {
    title: "import() of a sibling and of a computed one",
    text: `--- m.ts\nexport const done = (async () => { const ns = await import("./a.js"); report(ns.a, typeof ns.default); for (const n of ["a", "b"]) report((await import("./" + n + ".js")).a); })();\n--- a.ts\nexport const a = 1; export default 5;\n--- b.ts\nexport const a = 2;`,
  },
  {
    title: "default import and namespace of own CommonJS by hand",
    text: `--- m.cts\nimport x = require("./x.cjs"); report(x.v, x());\n--- x.cjs\nmodule.exports = () => 3; module.exports.v = 4;`,
  },
  {
    title: ".mts imports .cts, .cts imports .cts",
    text: `--- m.mts\nimport def, { a } from "./c.cjs"; import * as ns from "./c.cjs"; report(a, (def as any).a, (def as any).default, Object.keys(ns).filter((k) => k !== "module.exports"));\n--- c.cts\nimport { b } from "./d.cjs"; export const a = b + 1; export default "deflt";\n--- d.cts\nexport const b = 1;`,
  },
  {
    title: ".mts imports a .cts with export =",
    text: `--- m.mts\nimport f from "./c.cjs"; report(f(1), f.name);\n--- c.cts\nfunction f(n: number) { return n + 1; } export = f;`,
  },
  // Imports that go
  {
    title: "type-only imports and exports in all forms",
    text: `--- m.ts\nimport type D from "./t.js"; import type { A } from "./t.js"; import type * as N from "./t.js"; import { type B, c } from "./t.js"; export type { A } from "./t.js"; export { type B } from "./t.js"; export type * from "./t.js"; export type * as Q from "./t.js"; let x: D | A | B | N.A; report(c);\n--- t.ts\nexport type A = 1; export interface B {} export const c = 2; type D = 3; export default D; report("t");`,
  },
  {
    title: "unused value imports go, side-effect imports stay",
    text: `--- m.ts\nimport { a } from "./a.js"; import "./b.js"; import { c } from "./c.js"; const used: typeof a = 1; report(typeof used, c);\n--- a.ts\nreport("a"); export const a = 1;\n--- b.ts\nreport("b");\n--- c.ts\nreport("c"); export const c = 3;`,
  },
  {
    title: "verbatimModuleSyntax keeps what is not written type",
    formats: ["esm"],
    options: { verbatimModuleSyntax: true },
    text: `--- m.ts\nimport { a } from "./a.js"; import { type T } from "./b.js"; import type { U } from "./c.js"; let x: typeof a | T | U; report("m");\n--- a.ts\nreport("a"); export const a = 1;\n--- b.ts\nreport("b"); export type T = 1;\n--- c.ts\nreport("c"); export type U = 1;`,
  },
  {
    title: "a name that is a type and a value",
    text: `--- m.ts\nimport { X } from "./x.js"; type Y = X; const v: Y = { k: X.k }; export { X, type Y }; report(v, X);\n--- x.ts\nexport interface X { k: number } export const X = { k: 8 };`,
  },
  {
    title: "an import that is shadowed, and one that is used in typeof and in JSX only",
    text: `--- m.ts\nimport { a, b } from "./a.js"; function f(a: number) { return a; } type T = typeof b; report(f(2)); { const a = 1; report(a); }\n--- a.ts\nreport("evaluated"); export const a = 1, b = 2;`,
  },
  // Classes
  {
    title: "parameter properties, with fields, defaults, super and overloads",
    text: `--- m.ts\nclass A { x = this.describe(); constructor(public a: number, protected readonly b = a + 1, private c?: string) { report(this.x, this.a, this.b); } describe() { return "a" in this ? "has a" : "no a"; } } class B extends A { y = this.a; constructor(public override a: number, readonly d: number); constructor(public override a: number, readonly d: number, e = 3) { report("before"); super(a, d); report(this.y, this.d, e); } } report(Object.keys(new B(1, 2)), new B(1, 2));`,
  },
  {
    title: "parameter properties when fields are assigned",
    options: assigned,
    text: `--- m.ts\nclass A { x = this.a; y: number; declare z: number; constructor(public a: number) { report(this.x, "y" in this); } } class B extends A { override a = 5; w; } report(Object.keys(new B(1)), new A(2)); class S { set v(n: number) { report("setter", n); } } class T extends S { v = 3; } report(Object.keys(new T()));`,
  },
  {
    title: "fields: defined over a setter, declare, definite, readonly, computed keys in order",
    text: `--- m.ts\nconst log: string[] = []; const k = (s: string) => (log.push(s), s); class S { set v(n: number) { log.push("set"); } } class T extends S { override v = 3; declare d: number; e!: string; readonly f = 1; [k("one")] = log.push("i1"); static [k("two")] = log.push("i2"); [k("three")]() {} static { log.push("block"); } } report(log, Object.keys(new T()), log);`,
  },
  {
    title: "fields: computed keys of fields without a value are evaluated, when fields are assigned",
    options: assigned,
    text: `--- m.ts\nlet b = 0; class Foo { a: any; [(() => ++b)()]: any; declare c: any; static [(() => (b += 10))()]: any; } const foo = new Foo(); report(b, Object.keys(foo), Object.keys(Foo));`,
  },
  {
    title: "static fields and blocks when fields are assigned",
    options: assigned,
    text: `--- m.ts\nclass A { static set q(v: number) { report("setter", v); } } class B extends A { static q = 1; static r = B.name + this.name; static { report(this.r); } #p = 1; static #s = 2; static has(o: any) { return #p in o && B.#s; } } report(B.has(new B()), B.has({}), Object.keys(B));`,
  },
  {
    title: "abstract members, index signatures, overloads, optional methods, this types, accessors",
    text: `--- m.ts\nabstract class A { abstract x: number; abstract get y(): number; [key: string]: unknown; m?(): void; f(this: A): this; f(): this { return this; } static isA(v: unknown): v is A { return v instanceof A; } private constructor(); protected constructor(a?: number); constructor() {} } class B extends A { x = 1; get y() { return 2; } constructor() { super(); } } const b = new B(); report(b.f() === b, A.isA(b), Object.keys(b), b.y);`,
  },
  {
    title: "names of classes and functions",
    text: `--- m.ts\nexport default class {} const A = class {}; const B = class N {}; const o = { C: class {}, d() {}, ["e" + 1]: () => {}, f: function () {} }; let g = () => {}; class S { static x = class {}; static y = () => {}; z = () => {}; #p = () => {}; p() { return this.#p.name; } } const [h = () => {}] = []; const { i = class {} } = {} as any; report(A.name, B.name, o.C.name, o.d.name, o.e1?.name, (o as any).f.name, g.name, S.x.name, S.y.name, new S().z.name, new S().p(), h.name, i.name); import("./m.js").then;\n`,
  },
  {
    title: "text of functions and classes",
    text: `--- m.js\nclass C { m(a) { return a; } }\nfunction f(a, b = 1) { /* c */ return a + b; }\nreport(f.toString(), new C().m.toString(), (() => 1).toString());`,
  },
  // accessor
  {
    title: "accessor: plain, static, private, computed, initial values in order",
    text: `--- m.ts\nconst order: number[] = []; const o = (n: number) => (order.push(n), n); class Foo { a = o(8); #a = o(9); accessor b = o(10); accessor #b = o(11); accessor [o(1)] = o(12); static c = o(3); static #c = o(4); static accessor d = o(5); static accessor #d = o(6); static accessor [o(2)] = o(7); accessor none: number | undefined; get bs() { return [this.#a, this.#b, Foo.#c, Foo.#d]; } } const foo = new Foo(); foo.b = 77; report(order, foo.b, (foo as any)[1], Foo.d, (Foo as any)[2], foo.bs, foo.none, Object.keys(foo), Object.getOwnPropertyDescriptor(Foo.prototype, "b")?.enumerable);`,
  },
  {
    title: "accessor: as a name",
    text: `--- m.ts\nclass A { accessor = 1; static accessor() { return 2; } } class B { get accessor() { return 3; } } const accessor = 4; report(new A().accessor, A.accessor(), new B().accessor, { accessor });`,
  },
  {
    title: "accessor: override, abstract, declare, in subclasses",
    text: `--- m.ts\nabstract class A { abstract accessor x: number; accessor y = 1; } class B extends A { override accessor x = 2; override accessor y = 3; both() { return [this.x, this.y, super.y]; } } report(new B().both());`,
  },
  {
    title: "accessor: when fields are assigned",
    options: assigned,
    text: `--- m.ts\nclass A { accessor x = 1; y = this.x + 1; static accessor z = 5; } const a = new A(); a.x++; report(a.x, a.y, A.z);`,
  },
  // Standard decorators
  {
    title:
      "standard decorators: class, method, getter, setter, field, accessor, static and private, with their contexts",
    text: `--- m.ts\n(Symbol as any).metadata ??= Symbol("Symbol.metadata"); const log: unknown[] = []; const d = (tag: string): any => (value: any, c: any) => { log.push([tag, c.kind, String(c.name), c.static, c.private, typeof value, Object.keys(c.access ?? {})]); c.addInitializer?.(function (this: any) { log.push([tag, "init", typeof this]); }); if (c.kind === "field") return (v: unknown) => [tag, v]; }; @d("c") class C { @d("m") m() {} @d("g") get g() { return 1; } @d("s") set g(v) {} @d("f") f = 1; @d("sf") static sf = 2; @d("sm") static sm() {} @d("p") #p = 3; @d("pm") #pm() {} @d("a") accessor a = 4; @d("sa") static accessor sa = 5; read() { return [this.#p, this.a, C.sa]; } } report(log); const c = new C(); report(log.length, c.f, C.sf, c.read());`,
  },
  {
    title: "standard decorators: replace a class, methods, accessors and initial values",
    text: `--- m.ts\nconst twice = (f: any, c: any) => function (this: any, ...a: any[]) { return [f.apply(this, a), String(c.name)]; }; const sub = (K: any, c: any): any => class extends K { extra = c.name; }; const acc = (v: any, c: any): any => ({ get(this: any) { return "got " + v.get.call(this); }, set(this: any, x: any) { v.set.call(this, x + 1); }, init: (x: any) => x * 2 }); @sub class A { @twice m(n: number) { return n; } @acc accessor x = 10; static make() { return new A(); } } const a = A.make() as any; a.x = 5; report(A.name, a.extra, a.m(3), a.x, a instanceof A);`,
  },
  {
    title: "standard decorators: metadata is shared and inherited",
    text: `--- m.ts\n(Symbol as any).metadata ??= Symbol("Symbol.metadata"); const meta = (k: string): any => (_: any, c: any) => { c.metadata[k] = (c.metadata[k] ?? 0) + 1; }; class A { @meta("a") x = 1; @meta("a") m() {} } class B extends A { @meta("a") @meta("b") y = 2; } const of = (C: any) => C[(Symbol as any).metadata]; report({ ...of(A) }, { ...of(B) }, Object.getPrototypeOf(of(B)) === of(A));`,
  },
  {
    title: "standard decorators: fields when fields are assigned",
    options: assigned,
    text: `--- m.ts\nconst d = (_: unknown, c: any) => (c.kind === "field" ? () => "dec " + String(c.name) : undefined); class C { @d a: string = "init"; @d b: any; c = 1; @d static s = 1; } const c = new C(); report(c.a, c.b, c.c, C.s, Object.keys(c));`,
  },
  {
    title: "standard decorators: order of evaluation",
    text: `--- m.ts\nconst log: string[] = []; const k = (s: string) => (log.push("key " + s), s); const d = (s: string): any => (log.push("eval " + s), () => { log.push("call " + s); }); @d("c1") @d("c2") class C { @d("m1") @d("m2") [k("m")]() {} @d("f") static [k("f")] = log.push("init f"); @d("g") [k("g")] = 1; static { log.push("block"); } } report(log);`,
  },
  {
    title: "standard decorators: addInitializer binds methods",
    text: `--- m.ts\nfunction bound(m: any, c: any) { c.addInitializer(function (this: any) { this[c.name] = this[c.name].bind(this); }); } class P { n = 5; @bound get() { return this.n; } } const { get } = new P(); report(get());`,
  },
  {
    title: "standard decorators: on exported and default classes",
    text: `--- m.ts\nimport D, { E, F } from "./d.js"; report(D.name, E.name, F.name, (D as any).mark, (E as any).mark, (F as any).mark);\n--- d.ts\nconst mark = (C: any) => { C.mark = C.name; }; @mark export default class D {} @mark export class E {} export @mark class F {}`,
  },
  // Legacy decorators
  {
    title: "legacy decorators: order, factories, parameters, statics, accessors",
    options: legacy,
    text: `--- m.ts\n${metadataText} const log: string[] = []; const d = (s: string) => { log.push("eval " + s); return (...a: any[]): any => { log.push("call " + s + " " + typeof a[0] + " " + String(a[1]) + " " + typeof a[2]); }; }; @d("c1") @d("c2") class C { @d("m") m(@d("p0") a: number, @d("p1") b?: string) {} @d("f") f = 1; @d("g") get g() { return 1; } constructor(@d("cp") public n: number) {} } report(log);`,
  },
  {
    title: "legacy decorators: metadata of all kinds of types",
    options: { ...legacy, strictNullChecks: true },
    text: `--- m.ts\n${metadataText} import { Dep, type Iface, Kind, Word } from "./dep.js"; const d = (...a: any[]): any => {}; interface Local {} class Later {} enum E { A } enum SE { A = "a" } const sym = Symbol(); class C { @d a!: string; @d b!: number; @d c!: boolean; @d d!: Date; @d e!: string[]; @d f!: () => void; @d g!: Dep; @d h!: Iface; @d i!: Local; @d j!: string | number; @d k!: string | null; @d l!: string | undefined; @d m!: unknown; @d n!: any; @d p!: E; @d q!: SE; @d r!: Kind; @d s!: Word; @d u!: Promise<string>; @d v!: bigint; @d w!: symbol; @d x!: "a" | "b"; @d y!: 1 | 2; @d z!: true; @d aa!: null; @d ab!: undefined; @d ac!: void; @d ad!: never; @d ae!: object; @d af!: {}; @d ag!: [string, number]; @d ah!: Map<string, number>; @d ai!: readonly string[]; @d aj!: Later; @d ak!: Record<string, string>; @d al!: Partial<Dep>; @d am!: Dep | null; @d an!: typeof sym; @d ao!: keyof Dep; @d ap!: \`a\${string}\`; @d aq?: Dep; @d ar!: Buffer; @d meth(a: Dep, b: string): Promise<void> { return Promise.resolve(); } @d async asy() {} @d get acc(): Dep { return null as any; } @d noTypes(a, b = 1) {} } report(kept);\n--- dep.ts\nexport class Dep {} export interface Iface {} export enum Kind { A, B } export enum Word { A = "a" }`,
  },
  {
    title: "legacy decorators: metadata of types that are declared in the file",
    options: { ...legacy, lib: ["es2022"] },
    text: `--- m.ts\n${metadataText} const d = (...a: any[]): any => {}; type S = string; type L = "a" | \`b\${string}\`; type N = 1 | -2; type B = true | boolean; type BI = 1n; type SN = S | null; type SU = S | undefined; type Alias = L; type Brand = string & { __brand: "x" }; type F = () => void; type Call = { (): void }; type Ctor = new () => object; type A = string[]; type T = [number, S]; type RA = readonly S[]; type O = { a: S; b?: number; c: number }; type M = { [K in L]: 1 }; interface I { a: S; b: string } interface IC { (): void } class K {} type TK = K; enum EN { A, B = 2 } enum ES { A = "a", B = A + "b" } enum EM { A, B = "b" } type TEN = EN; type TES = ES; type TEM = EM; type ME = EN.A; const words = ["x", "y"] as const; type W = (typeof words)[number]; const plain = ["x", 1]; type PW = (typeof plain)[number]; const roles = { A: "a", B: "b" } as const; type Role = (typeof roles)[keyof typeof roles]; type RoleName = keyof typeof roles; type KI = keyof I; type OA = O["a"]; type OB = O["b"]; type Any = any; type Un = unknown; type V = void; type Nul = null; type Ne = never; type G<X> = X | null; type GS = G<string>; type Def<X = number> = X; type Rec = Rec[] | string; type Up = Uppercase<L>; type Ex = Exclude<L, "a">; type NN = NonNullable<SN>; type P = Promise<S>; type Fn = Function; type D = Date; type Cond = L extends string ? string : number; type Q = typeof roles; type QS = typeof one; const one = "1"; type US = typeof us; const us: unique symbol = Symbol(); type Mix = S | 1; type Ob = object; type Tpl = \`\${number}px\`; class C<G1 extends string, G2, G3 extends I> { @d a!: S; @d b!: L; @d c!: N; @d e!: B; @d f!: BI; @d g!: SN; @d h!: SU; @d i!: Alias; @d j!: Brand; @d k!: F; @d l!: Call; @d m!: Ctor; @d n!: A; @d o!: T; @d p!: RA; @d q!: O; @d r!: M; @d s!: I; @d t!: IC; @d u!: TK; @d v!: TEN; @d w!: TES; @d x!: TEM; @d y!: ME; @d z!: W; @d a1!: PW; @d a2!: Role; @d a3!: RoleName; @d a4!: KI; @d a5!: OA; @d a6!: OB; @d a7!: Any; @d a8!: Un; @d a9!: V; @d b1!: Nul; @d b2!: Ne; @d b3!: GS; @d b4!: Def; @d b5!: Rec; @d b6!: Up; @d b7!: Ex; @d b8!: NN; @d b9!: P; @d c1!: Fn; @d c4!: D; @d c5!: Q; @d c6!: QS; @d c7!: US; @d c8!: Mix; @d c9!: Ob; @d d1!: Tpl; @d d2!: G1; @d d3!: G2; @d d4!: G3; @d d5!: S | L; @d d6!: readonly L[]; @d d7!: (L); @d d8!: L | N; @d d9!: Def<S>; @d e1?: L; @d e2!: O["a"]; @d e3!: EN | TEN; @d e5!: S & { q: 1 }; @d m1(a: L, b?: N, @d c: TK = new K()): Role { return "a"; } @d m2<X extends L>(x: X): X { type Inner = number; class Nested { @d v!: Inner; @d w!: L; } new Nested(); return x; } @d async m3(): Promise<S> { return ""; } constructor(private z1: L, @d readonly z2: W, z3: G1) {} } @d class U { constructor(a: S, b: Role, c: N = 1) {} } report(kept);`,
  },
  {
    title: "legacy decorators: metadata without strictNullChecks",
    options: { ...legacy, strict: false, lib: ["es2022"] },
    text: `--- m.ts\n${metadataText} const d = (...a: any[]): any => {}; type S = string; type L = "a" | "b" | null; type A = string[] | undefined; type Nul = null | undefined; interface O { b?: number } type OB = O["b"]; class C { @d a!: S | null; @d b!: L; @d c!: A; @d e!: Nul; @d f!: OB; @d g!: L | undefined; } report(kept);`,
  },
  {
    title: "legacy decorators: metadata of rest parameters, setters and pairs",
    options: { ...legacy, lib: ["es2022"] },
    text: `--- m.ts\n${metadataText} const d = (...a: any[]): any => {}; type S = string; type SS = S[]; class C { @d a(...r: string[]) {} @d b(@d x: S, ...r: Array<number>) {} @d c(...r) {} @d e(...r: any) {} @d f(...r: SS) {} @d g(...r: [string, number]) {} @d h(...r: S[]) {} @d i(...r: readonly Date[]) {} @d set s(v: S) {} @d get p(): S { return ""; } @d get q() { return 1; } set q(v: number) {} set r(v: S) {} @d get r(): any { return 1; } @d get t(): S { return ""; } set t(v) {} constructor(...z: Date[]) {} } @d class K { constructor(a: S, ...r: S[]) {} } report(kept.filter((k: any) => k[0] !== "design:paramtypes" || !"qrt".includes(k[1])));`,
  },
  {
    title: "legacy decorators: constructor metadata with parameter properties, imported types and inheritance",
    options: legacy,
    text: `--- m.ts\n${metadataText} import { A, type I } from "./a.js"; import * as ns from "./a.js"; const inj = (...a: any[]): any => {}; @inj class S { constructor(private a: A, readonly i: I, public n: ns.A, @inj x: string = "y") {} } @inj class T extends S {} @inj class U { } report(kept);\n--- a.ts\nexport class A {} export interface I {} export class B {}`,
  },
  {
    title: "legacy decorators: replace a class, a descriptor, and a reference to itself inside",
    options: legacy,
    text: `--- m.ts\nconst sub = (K: any): any => class extends K { extra = K.name; }; const twice = (_: any, k: string, d: PropertyDescriptor) => ({ ...d, value(...a: any[]) { return [k, d.value.apply(this, a)]; } }); @sub class A { static made = 0; @twice m(n: number) { return n; } static make() { A.made++; return new A(); } } const a = A.make() as any; report(a.extra, a.m(2), A.made, a instanceof A, A.name.length >= 0);`,
  },
  {
    title: "legacy decorators: with fields that are assigned",
    options: { ...legacy, ...assigned },
    text: `--- m.ts\nconst track = (t: any, k: string) => { Object.defineProperty(t, k, { set(v) { this["_" + k] = v; }, get() { return "tracked " + this["_" + k]; }, configurable: true }); }; class A { @track x = 1; @track y: any; } const a = new A(); a.y = 2; report(a.x, a.y, Object.keys(a));`,
  },
  {
    title: "legacy decorators: on private statics and awaits",
    options: { experimentalDecorators: true },
    formats: ["esm"],
    text: `--- m.ts\nlet answer = 0; const dec = (arg: number): any => () => { answer += arg; }; class Foo { static #foo = 123; static bar = 234; method(@dec(Foo.#foo + Foo.bar) arg: any) {} @dec(Foo.#foo) other() {} } report(answer);`,
  },
  {
    title: "legacy decorators: on exported, default and nested classes, and expressions of all kinds",
    options: legacy,
    text: `--- m.ts\nimport D, { E } from "./d.js"; report((D as any).mark, (E as any).mark); function f() { const mark = (C: any) => { C.mark = 1; }; @mark class Inner {} return Inner; } report((f() as any).mark);\n--- d.ts\nconst ns = { mark: (n: number) => (C: any) => { C.mark = n; } }; @ns.mark(1) export default class D {} @(ns["mark"])(2) export class E {}`,
  },
  // using
  {
    title: "using and await using",
    formats: ["esm"],
    text: `--- m.ts\n(Symbol as any).dispose ??= Symbol("dispose"); (Symbol as any).asyncDispose ??= Symbol("asyncDispose"); const log: string[] = []; const r = (n: string) => ({ [Symbol.dispose]() { log.push("d " + n); } }); const ar = (n: string) => ({ async [Symbol.asyncDispose]() { await 0; log.push("ad " + n); } }); { using a = r("a"), b = r("b"); using n = null; log.push("in"); } for (using x of [r("x1"), r("x2")]) log.push("loop"); async function f() { await using a = ar("a"); using b = r("b"); await using c = r("c"); return log.push("ret"); } await f(); { await using top = ar("top"); } try { using e = { [Symbol.dispose]() { throw new Error("dispose"); } }; throw new Error("body"); } catch (e: any) { report(e.name); } try { using bad = {} as any; } catch (e: any) { report(e.name); } report(log); const using = 1; report(using); for (const using of [2]) report(using);`,
  },
  {
    title: "using at the top level",
    formats: ["esm"],
    text: `--- m.ts\nimport "./a.js"; report("m");\n--- a.ts\n(Symbol as any).dispose ??= Symbol("dispose"); using a = { [Symbol.dispose]() { report("disposed"); } }; report("a"); export const x = 1; export function f() { return x; }`,
  },
  // Types and assertions
  {
    title: "type syntax that goes, in all places",
    text: `--- m.ts\ntype M<T> = { readonly [K in keyof T as \`get\${string & K}\`]?: T[K] extends infer U extends string ? U : never }; interface Callable<in out T = unknown> { (x: T): x is T; new (x: T): this; readonly [i: number]: T; m?(): asserts x is T } declare const x: any; function f<const T extends readonly unknown[]>(this: void, ...a: T): T { return a; } const g = <T,>(x: T) => x!; const h = async <T,>(x?: T): Promise<T | undefined> => x; let a = <any>f(1), b = f<[1]>(1) as const, c = (a as unknown as string)!, d = { k: 1 } satisfies { k: number }, e!: string; const i = f<[2]>; label: for (const [k, v] of Object.entries({ a: 1 }) as [string, number][]) { if (k satisfies string) break label; } a! += 1; (c as any) = 5; (<any>d).k = 2; abstract class Q<T> { declare private y: T; z?: T; w!: T; abstract m<U>(u: U): asserts u is U; } unique: { type unique = 1; } let as = 1, satisfies = 2, type3 = 3, is = 4, keyof = 5, infer = 6, declare = 7, namespace = 8, module_ = 9, abstract = 10, readonly = 11, out = 12, asserts = 13, global = 14, unique_ = 15; report(a, b, c, d, i(2), as, declare, namespace, abstract, global); export const done = h(3).then((v) => report(v)); import type from "./type.js"; report(type2()); function type2() { return 1; }\n--- type.ts\nexport default 1;`,
  },
  {
    title: "arrow functions and generics that look like comparisons",
    text: `--- m.ts\nconst a = 1, b = 2, c = 3; const f = (x: any, y?: any) => [x, y]; report(f(a < b, c > (1)), f<number>(1), a < b || c > a, new Map<string, Array<Map<string, number>>>().size, (a) < (b), [a as number < b]);`,
  },
  {
    title: "optional chaining with non-null and calls",
    text: `--- m.ts\nconst o: any = { a: { b() { return this.c; }, c: 3 } }; const n: any = null; report(o?.a!.b(), n?.a!.b.c, (n?.a)!, o.a?.b!(), n?.[o.a!.c]!.x, delete o?.a!.c, o);`,
  },
  {
    title: "definite assignments, declare fields, and this parameters leave nothing",
    text: `--- m.ts\nlet a!: number; declare let b: number; class A { declare c: number; d!: number; f(this: A, x: number) { return x; } } report(Object.keys(new A()), new A().f.length, typeof b); a = 1;`,
  },
  {
    title: "overloads, declare function, export declare, export as namespace",
    text: `--- m.ts\nimport { f, g } from "./a.js"; report(f(1), g());\n--- a.ts\nexport function f(a: string): string; export function f(a: number): number; export function f(a: any) { return a; } export declare function h(): void; export declare const k: number; export declare class L {} export declare enum P { A } export default function (): void; export default function () {} export function g() { return typeof h; } export as namespace Nope;`,
  },
  {
    title: "JSON, strings and template types do not confuse the parser",
    text: `--- m.ts\nconst s = "type X = 1; enum"; const t = \`\${((x: number): number => x)(1)} as any\`; const r = /as any <T>/u; report(s, t, r.test("as any <T>"), "</script>", '\\u2028' as string);`,
  },
  // JSX
  {
    title: "JSX: classic, with a factory and fragments",
    options: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Frag" },
    text: `--- m.tsx\nconst h = (...a: unknown[]) => a; const Frag = "frag"; const p = { a: 1, key: "k" }; const C = { D: () => null }; report(<div {...p} b="x &amp; y" c={2} data-x>text {1}{...[2]} <C.D/>{/* c */}</div>, <><a-b x:y="1"/></>); const g = <T,>(x: T) => x; report(g(1));`,
  },
  {
    title: "JSX: React.createElement",
    options: { jsx: "react" },
    text: `--- m.tsx\nconst React = { createElement: (...a: unknown[]) => a, Fragment: "F" }; report(<p>  a\n  b  </p>, <>{1}</>, <p title='"'>&nbsp;&copy;</p>);`,
  },
  {
    title: "JSX: automatic, with an import source",
    options: { jsx: "react-jsx", jsxImportSource: "mini" },
    text: `--- m.tsx\nconst p = { k: 1 }; report(<div {...p} key="x" id="1">a{1}</div>, <><b/></>, <div key="y" {...p}/>);\n--- node_modules/mini/package.json\n{ "name": "mini", "exports": { "./jsx-runtime": "./r.js", "./jsx-dev-runtime": "./r.js", ".": "./r.js" } }\n--- node_modules/mini/r.js\nexports.jsx = exports.jsxs = (...a) => a; exports.Fragment = "F"; exports.createElement = (...a) => ["created", ...a];`,
  },
  {
    title: "JSX: pragmas of the file",
    options: { jsx: "react" },
    text: `--- m.tsx\n/** @jsx make */\n/** @jsxFrag "frag" */\nconst make = (...a: unknown[]) => a; report(<a b={<c/>}/>);`,
  },
  {
    title: "JSX: jsxImportSource pragma",
    options: { jsx: "react-jsx" },
    text: `--- m.tsx\n/** @jsxImportSource mini */\nreport(<i/>);\n--- node_modules/mini/package.json\n{ "name": "mini", "exports": { "./jsx-runtime": "./r.js", "./jsx-dev-runtime": "./r.js" } }\n--- node_modules/mini/r.js\nexports.jsx = exports.jsxs = (...a) => a; exports.Fragment = "F";`,
  },
  // Modules
  {
    title: "default exports of all kinds",
    formats: ["esm"],
    text: `--- m.ts\nimport a from "./a.js"; import b from "./b.js"; import c from "./c.js"; import d from "./d.js"; import e from "./e.js"; report(a.name, a(), b.name, c.name, d, e);\n--- a.ts\nexport default function () { return 1; }\n--- b.ts\nexport default abstract class { abstract x: number; }\n--- c.ts\nexport default async () => {};\n--- d.ts\nexport default <any>{ x: 1 } as const;\n--- e.ts\ninterface E { x: 1 } const E = 4; export default E; export interface I {}`,
  },
  {
    title: "string names of exports",
    formats: ["esm"],
    text: `--- m.ts\nimport { "a-b" as x, "default" as y } from "./a.js"; export * as "n s" from "./a.js"; report(x, y);\n--- a.ts\nconst v = 1; export { v as "a-b", v as default };`,
  },
  {
    title: "top-level await and import.meta",
    formats: ["esm"],
    text: `--- m.ts\nconst x: number = await Promise.resolve(1); for await (const y of [2, 3] as number[]) report(y); report(x, import.meta.url.endsWith(".js") || import.meta.url.endsWith(".ts"), typeof import.meta.resolve, typeof import.meta.dirname); export {};`,
  },
  {
    title: "JSON with an attribute",
    formats: ["esm"],
    text: `--- m.ts\nimport data from "./d.json" with { type: "json" }; report(data.x);\n--- d.json\n{ "x": 1 }`,
  },
  {
    title: "JSON by require and import",
    formats: ["commonjs"],
    options: { resolveJsonModule: true },
    text: `--- m.ts\nimport data from "./d.json"; import * as all from "./d.json"; import { x } from "./d.json"; import r = require("./d.json"); report(data, all.x, x, r);\n--- d.json\n{ "x": 1 }`,
  },
  {
    title: "export before the import it passes on, and circular defaults",
    text: `--- m.ts\nexport { a as b }; import { a } from "./a.js"; export default a; import self, { b } from "./m.js"; export const done = Promise.resolve().then(() => report(self, b));\n--- a.ts\nexport const a = 1;`,
  },
  {
    title: "this at the top level",
    text: `--- m.ts\nreport(typeof this, (() => typeof this)()); function f(this: any) { return this; } report(f());`,
  },
  {
    title: "strictness of functions and of files without imports",
    text: `--- m.ts\nfunction f() { return (function (this: any) { return this === undefined; })(); } report(f()); try { (globalThis as any).eval("0"); undeclared = 1; report("sloppy"); delete (globalThis as any).undeclared; } catch (e: any) { report(e.name); } declare let undeclared: number;`,
  },
  {
    title: "function hoisting in blocks, and merged var declarations",
    text: `--- m.ts\nvar v = 1; var v = 2; { function inBlock() { return 1; } report(inBlock()); } report(typeof (globalThis as any).inBlock, v); if (true) { var w = 3; } report(w); switch (1) { case 1: let q = 4; function s() { return q; } report(s()); }`,
  },
  {
    title: "BOM, hashbang and line ends",
    text: `--- m.ts\n\uFEFF#!/usr/bin/env node\r\nconst a: number = 1;\r\nreport(a);\r\n`,
    formats: ["esm"],
  },
  {
    title: "names in other letters and escapes",
    text: `--- m.ts\nconst \\u0061b = 1, ünï = 2, 変数: number = 4; report(ab, ünï, 変数); class K { \\u0063onstructor() {} "\\u0062"() { return 5; } } report(new K().b());`,
  },
  {
    title: "async generators, iteration and awaits keep their order",
    formats: ["esm"],
    text: `--- m.ts\nconst log: string[] = []; async function* g(): AsyncGenerator<number, void, unknown> { for (let i = 0; i < 2; i++) { log.push("y" + i); yield i; } } const t = Promise.resolve().then(() => log.push("micro")); for await (const v of g()) log.push("v" + v); await t; report(log);`,
  },
  {
    title: "regular expressions with flags",
    text: `--- m.ts\nreport(/[\\p{L}--[a-z]]/v.test("a"), /(?<y>\\d{4})/d.exec("in 2020")?.indices?.groups?.y, "aXbx".replaceAll(/x/gi, "-"));`,
  },
  {
    title: "exceptions: catch without a name, typed, destructured",
    text: `--- m.ts\ntry { throw new TypeError("a", { cause: 1 }); } catch (e: unknown) { report((e as Error).cause); } try { throw { x: 1 }; } catch ({ x }: any) { report(x); } try { throw 1; } catch { report("caught"); }`,
  },
  {
    title: "numeric separators, bigints, logical assignments, classes with private methods",
    text: `--- m.ts\nlet a: number | null = null; a ??= 1_000; a &&= a + 1; class P { #n = 1n; #inc() { return ++this.#n; } get v() { return [this.#inc()]; } } report(a, new P().v, 0b11, 0o17, 1e3);`,
  },
];
