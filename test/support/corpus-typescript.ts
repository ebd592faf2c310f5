/**
 * TypeScript programs beside the JavaScript that they mean: the runtime runs the first, Node the second.
 * corpus-esm.ts says how a program is written.
 */
const MODULE = `--- package.json\n{ "type": "module" }\n--- tsconfig.json\n{ "compilerOptions": { "module": "nodenext", "target": "es2022", "experimentalDecorators": true } }`;

export const typeScriptCorpus: readonly (readonly [title: string, typeScript: string, javaScript: string])[] = [
  [
    "types go",
    `--- m.ts\ninterface I { x: number } type T = I | null; const v: T = { x: 1 }; report(v as I, v!.x, <number>v.x, v satisfies T);\n${MODULE}`,
    `--- m.mjs\nconst v = { x: 1 }; report(v, v.x, v.x, v);`,
  ],
  [
    "imports of types go",
    `--- m.ts\nimport type { T } from "./nope.js"; import { type U, a } from "./a.js"; const x: T | U = a as never; report(x);\n--- a.ts\nexport type U = 1; export const a = 2;\n${MODULE}`,
    `--- m.mjs\nreport(2);`,
  ],
  [
    "unused imports go",
    `--- m.ts\nimport { T } from "./a.js"; const x: T = 1; report(x);\n--- a.ts\nexport type T = number; report("evaluated");\n${MODULE}`,
    `--- m.mjs\nreport(1);`,
  ],
  [
    "enums",
    `--- m.ts\nenum E { A, B = 5, C, S = "s" } report(E, E.A, E[5], E.S);\n${MODULE}`,
    `--- m.mjs\nconst E = { 0: "A", 5: "B", 6: "C", A: 0, B: 5, C: 6, S: "s" }; report(E, 0, "B", "s");`,
  ],
  [
    "const enums and exported enums",
    `--- m.ts\nimport { E } from "./a.js"; const enum C { X = 3 } report(C.X, E.B);\n--- a.ts\nexport enum E { A = 1 << 2, B = A | 1 }\n${MODULE}`,
    `--- m.mjs\nreport(3, 5);`,
  ],
  [
    "namespaces",
    `--- m.ts\nnamespace N { export const x = 1; export namespace M { export const y = x + 1; } } report(N.x, N.M.y);\n${MODULE}`,
    `--- m.mjs\nreport(1, 2);`,
  ],
  [
    "parameter properties",
    `--- m.ts\nclass P { constructor(private readonly a: number, public b = 2) {} sum() { return this.a + this.b; } } report(new P(1), new P(1).sum());\n${MODULE}`,
    `--- m.mjs\nclass P { a; b; constructor(a, b = 2) { this.a = a; this.b = b; } sum() { return this.a + this.b; } } report(new P(1), new P(1).sum());`,
  ],
  [
    "abstract classes, overloads, modifiers",
    `--- m.ts\nabstract class A { abstract f(): number; protected readonly x = 1; g(a: string): string; g(a: number): string; g(a: unknown) { return String(a); } } class B extends A { override f() { return this.x; } } report(new B().f(), new B().g(2));\n${MODULE}`,
    `--- m.mjs\nreport(1, "2");`,
  ],
  [
    "generics and arrow functions",
    `--- m.ts\nconst id = <T,>(x: T): T => x; function pair<A, B = A>(a: A, b: B): [A, B] { return [a, b]; } report(id<number>(1), pair<number, string>(1, "x"), new Map<string, number>([["a", 1]]));\n${MODULE}`,
    `--- m.mjs\nreport(1, [1, "x"], new Map([["a", 1]]));`,
  ],
  [
    "legacy decorators",
    `--- m.ts\nconst seen: string[] = []; const d = (n: string) => (...args: any[]) => { seen.push(n + ":" + String(args[1] ?? "class")); }; @d("c") class C { @d("p") x = 1; @d("m") m(@d("a") a: number) { return a; } } report(seen, new C().m(3));\n${MODULE}`,
    `--- m.mjs\nreport(["p:x", "m:m", "a:m", "c:class"].sort() && ["p:x", "a:m", "m:m", "c:class"], 3);`,
  ],
  [
    "optional chaining, nullish and non-null",
    `--- m.ts\nconst o: { a?: { b: number } } = {}; report(o.a?.b ?? 1, o!.a);\n${MODULE}`,
    `--- m.mjs\nreport(1, undefined);`,
  ],
  [
    "import .js means .ts",
    `--- m.ts\nimport { a } from "./a.js"; import { b } from "./b.mjs"; report(a, b);\n--- a.ts\nexport const a: number = 1;\n--- b.mts\nexport const b: number = 2;\n${MODULE}`,
    `--- m.mjs\nreport(1, 2);`,
  ],
  [
    "live bindings in TypeScript",
    `--- m.ts\nimport { n, inc } from "./a.js"; inc(); report(n);\n--- a.ts\nexport let n: number = 0; export function inc(): void { n++; }\n${MODULE}`,
    `--- m.mjs\nreport(1);`,
  ],
  [
    "cycles in TypeScript",
    `--- m.ts\nimport { b } from "./b.js"; export function a(): string { return "a"; } report(b);\n--- b.ts\nimport { a } from "./m.js"; export const b: string = a() + "b";\n${MODULE}`,
    `--- m.mjs\nreport("ab");`,
  ],
  [
    "top-level await in TypeScript",
    `--- m.ts\nconst x: number = await Promise.resolve(1); report(x); export {};\n${MODULE}`,
    `--- m.mjs\nreport(1);`,
  ],
  [
    "re-exported types",
    `--- m.ts\nimport { v } from "./b.js"; report(v);\n--- b.ts\nexport type { T } from "./a.js"; export { v } from "./a.js"; export * from "./a.js";\n--- a.ts\nexport interface T {} export const v = 1;\n${MODULE}`,
    `--- m.mjs\nreport(1);`,
  ],
  [
    ".cts in a module package",
    `--- m.ts\nimport c from "./c.cjs"; report(c);\n--- c.cts\nconst v: number = 1; module.exports = { v };\n${MODULE}`,
    `--- m.mjs\nreport({ v: 1 });`,
  ],
  [
    "class fields, define semantics",
    `--- m.ts\nclass A { x: number = 1; declare y: string; static s?: number; z?: number; } report(Object.keys(new A()), "s" in A);\n${MODULE}`,
    `--- m.mjs\nreport(["x", "z"], true);`,
  ],
  [
    "import syntax in a package without type",
    `--- m.ts\nimport { a } from "./a"; import path from "path"; import * as fs from "fs"; report(a, path.sep, typeof fs.readFileSync, typeof require, typeof module, typeof __filename);\n--- a.ts\nexport const a: number = 1;\n--- package.json\n{}`,
    `--- m.mjs\nreport(1, "/", "function", "function", "object", "string");`,
  ],
  [
    "default of a marked package",
    `--- m.ts\nimport d, { x } from "pkg"; report(d, x);\n--- package.json\n{}\n--- tsconfig.json\n{ "compilerOptions": { "esModuleInterop": true, "module": "commonjs" } }\n--- node_modules/pkg/package.json\n{ "name": "pkg" }\n--- node_modules/pkg/index.js\nexports.__esModule = true; exports.default = "inner"; exports.x = 1;`,
    `--- m.mjs\nreport("inner", 1);`,
  ],
  [
    "default of an unmarked package",
    `--- m.ts\nimport d, { x } from "pkg"; import * as ns from "pkg"; report(d(), x, ns.default === d, typeof ns);\n--- package.json\n{}\n--- tsconfig.json\n{ "compilerOptions": { "esModuleInterop": true, "module": "commonjs" } }\n--- node_modules/pkg/package.json\n{ "name": "pkg" }\n--- node_modules/pkg/index.js\nmodule.exports = () => "called"; module.exports.x = 1;`,
    `--- m.mjs\nreport("called", 1, true, "object");`,
  ],
  [
    "import * of a callable without esModuleInterop",
    `--- m.ts\nimport * as f from "pkg"; report((f as any)(), f.x);\n--- package.json\n{}\n--- tsconfig.json\n{ "compilerOptions": { "esModuleInterop": false, "module": "commonjs" } }\n--- node_modules/pkg/package.json\n{ "name": "pkg" }\n--- node_modules/pkg/index.js\nmodule.exports = () => "called"; module.exports.x = 1;`,
    `--- m.mjs\nreport("called", 1);`,
  ],
  [
    "import x = require and export =",
    `--- m.ts\nimport a = require("./a"); import fs = require("fs"); report(a.v, typeof fs.readFileSync);\n--- a.ts\nconst o = { v: 1 }; export = o;\n--- package.json\n{}\n--- tsconfig.json\n{ "compilerOptions": { "esModuleInterop": true, "module": "commonjs" } }`,
    `--- m.mjs\nreport(1, "function");`,
  ],
  [
    "import of a module that uses export =",
    `--- m.ts\nimport C from "./a"; report(new C().v);\n--- a.ts\nclass C { v = 1; } export = C;\n--- package.json\n{}\n--- tsconfig.json\n{ "compilerOptions": { "esModuleInterop": true, "module": "commonjs" } }`,
    `--- m.mjs\nreport(1);`,
  ],
  [
    "JavaScript requires TypeScript with import syntax",
    `--- m.cjs\nconst a = require("./a"); report(a.default, a.x, a.__esModule, Object.keys(a));\n--- a.ts\nexport default 1; export const x: number = 2;\n--- package.json\n{}`,
    `--- m.mjs\nreport(1, 2, true, ["default", "x"]);`,
  ],
  [
    "TypeScript imports own CommonJS",
    `--- m.ts\nimport d, { x } from "./c"; import * as ns from "./c"; report(d.x, x, ns.x, ns.default === d);\n--- c.js\nexports.x = 1;\n--- package.json\n{}\n--- tsconfig.json\n{ "compilerOptions": { "esModuleInterop": true, "module": "commonjs", "allowJs": true } }`,
    `--- m.mjs\nreport(1, 1, 1, true);`,
  ],
  [
    "JSX",
    `--- m.tsx\nconst jsx = 1; function h(t: string, p: object | null, ...c: unknown[]) { return [t, p, c]; } report(<a b={jsx}>text {1 + 1}</a>);\n--- package.json\n{ "type": "module" }\n--- tsconfig.json\n{ "compilerOptions": { "jsx": "react", "jsxFactory": "h", "module": "nodenext" } }`,
    `--- m.mjs\nreport(["a", { b: 1 }, ["text ", 2]]);`,
  ],
  [
    "paths of tsconfig",
    `--- src/m.ts\nimport { a } from "@/a"; import { b } from "@lib/b"; report(a, b);\n--- src/a.ts\nexport const a = 1;\n--- lib/b.ts\nexport const b = 2;\n--- package.json\n{ "type": "module" }\n--- tsconfig.json\n{ "compilerOptions": { "module": "esnext", "moduleResolution": "bundler", "baseUrl": ".", "paths": { "@/*": ["src/*"], "@lib/*": ["lib/*"] } } }`,
    `--- m.mjs\nreport(1, 2);`,
  ],
  [
    "shadowed imports in TypeScript",
    `--- m.ts\nimport { a } from "./a.js"; const f = (a: number): number => a; report(f(2), a, ((a?: string) => a)());\n--- a.ts\nexport const a = 1;\n${MODULE}`,
    `--- m.mjs\nreport(2, 1, undefined);`,
  ],
  [
    "CommonJS TypeScript without import syntax",
    `--- m.ts\nconst a = require("./a"); const x: number = a.v; report(x, typeof module);\n--- a.ts\nmodule.exports = { v: 1 as number };\n--- package.json\n{}`,
    `--- m.mjs\nreport(1, "object");`,
  ],
];
