/**
 * What the compiler makes of one file, and the calling convention between compiled code and the runtime
 * (`workers/runtime/`). Plain data: it crosses the thread boundary and lies in the disk cache.
 *
 * The runtime puts the pieces of an `esm` module together like this, and compiles that with `vm.Script`:
 *
 *     (function (__ur) { 'use strict'; if (false) () => __ur; REBIND PROLOGUE __ur.dependencies(); BODY
 *     })
 *
 * or, when its evaluation may have to wait, as a generator that stops behind its prologue: an asynchronous one when the
 * module itself has top-level await, a plain one when only something that it imports is under way,
 *
 *     (async function* (__ur) { 'use strict'; if (false) () => __ur; REBIND PROLOGUE if (__ur.dependencies()) yield; BODY
 *     })
 *
 * The function that never runs keeps `__ur` alive in every scope of the module (see `workers/runtime/script.ts`). REBIND,
 * absent without imports, lets the runtime set the namespaces again: `__ur.onRebind((n) => { __ur0 = n[0]; ... });`, for
 * which PROLOGUE's `const __ur0 = ` becomes `let __ur0 = `.
 *
 * With `interop` other than "none" (TypeScript written with import syntax in a CommonJS package) one more function
 * around it gives the CommonJS names, which the body may shadow:
 *
 *     (function (exports, require, module, __filename, __dirname) { return ABOVE; })
 *
 * `this` is undefined in the body. PROLOGUE never contains a line break, so lines of BODY are lines of the file (unless
 * TypeScript or JSX was compiled: then `compile` with `sourceMap: true` gives the map, on demand).
 *
 * Names that compiled ESM code uses, all on the one parameter `__ur`:
 * - `__ur.namespaces`: array parallel to `imports`: the stable namespace object of each target. PROLOGUE binds them:
 *   `const __ur0 = __ur.namespaces[0], __ur1 = ...;` and every read of an imported binding becomes `__ur0.name`
 *   (a call becomes `(0, __ur0.name)(...)`).
 * - `__ur.exports(getters, stars, hidden?)`: called in PROLOGUE; `getters` is `{ name: () => binding }`, `stars` is a list
 *   of indices into `imports`. Hoisted functions are therefore exported before any dependency runs, as in Node. `hidden`
 *   gives the getters of top-level bindings that are not exported, `() => ({ name: () => binding })`; absent without any.
 * - `__ur.dependencies()`: evaluates the imports in source order; from inside the body, so that cycles behave as in Node.
 *   True when some of them have to be waited for: the body is then gone on with (`next()`) when they are there.
 * - `__ur.namespace(k)`: the namespace object of import k when it is used as a value (not as `ns.name`); records an
 *   observed edge, because its keys may be read.
 * - `__ur.meta`: `import.meta`. `__ur.import(specifier, options?)`: `import()`.
 * - `__ur.awaits(id)`: called before each top-level await, with a number that stands once in BODY.
 * - `__ur.class(target, reader?)`: first in the body of every class, as `static { __ur.class(this) }` (guarded by `typeof
 *   __ur`, for texts that are evaluated elsewhere), and around what class decorators give; gives `target` back.
 *   `reader`, present when the class has `#private` members, is `(object) => [...]`: the values of its private fields,
 *   `false` for each that `object` does not have.
 * PROLOGUE may end with declarations that the body uses: `babelHelpers` (decorators), `require` (`import x = require()` in
 * an ES module). A module with `interop` may assign `module.exports` in its body (`export =`): that is what it exports.
 *
 * A `commonjs` module is `(function (exports, require, module, __filename, __dirname) { BODY \n})`, inside of a function of
 * `__ur`, called with `this === module.exports`; PROLOGUE is empty and only `import()` is rewritten, to `__ur.import()`, and
 * classes as above.
 * A last line `;__ur.scope(hidden);` is added when there are top-level bindings. The code of packages gets neither.
 * A `json` module has its JSON text in `body`.
 */
import type { EvaluationEffects } from "./evaluation-effects.js";

export interface CompiledModule {
  /** Absolute path (real path, symlinks resolved). */
  readonly file: string;
  /** Hash of the source text (hex); equal hashes mean equal text. */
  readonly hash: string;
  readonly format: ModuleFormat;
  readonly interop: Interop;
  /** With interop: `import()` is a `require` (`module` of tsconfig.json is none of Node's). */
  readonly importsByRequire?: true;
  /** Source text as read from disk; the source of maps and code frames for this version. */
  readonly source: string;
  readonly prologue: string;
  readonly body: string;
  /**
   * True when lines and columns of `body` are not those of `source` (TypeScript, JSX). When false, lines are the same, and
   * columns too up to the first import that is read, or class that begins, on the line.
   */
  readonly mapped: boolean;
  /** Static imports and re-exports, in source order, one for each pair of specifier and attributes. */
  readonly imports: readonly ImportRecord[];
  /** Names exported by the file itself, `export *` not expanded; empty for CommonJS. */
  readonly exports: readonly string[];
  /** Indices into `imports` that are `export * from`. */
  readonly stars: readonly number[];
  /** Those of `exports` that only pass on an import (`export { a } from`, `import { a } ...; export { a }`); absent: none. */
  readonly passedOn?: readonly PassedOn[];
  /** Specifiers of `require("literal")` calls, in source order, without duplicates. */
  readonly requires: readonly string[];
  /** Specifiers of `import("literal")` calls, in source order, without duplicates. */
  readonly dynamicImports: readonly string[];
  readonly topLevelAwait: boolean;
  readonly effects: EvaluationEffects;
}

export interface PassedOn {
  readonly exported: string;
  /** Index into `imports`. */
  readonly from: number;
  /** Name there; absent: the whole namespace. */
  readonly name?: string;
}

export type ModuleFormat = "esm" | "commonjs" | "json";

/**
 * How imports of CommonJS are read. "none": as Node does (default is `module.exports`). The two others are for
 * TypeScript with import syntax in a CommonJS package, whose imports resolve with the `require` conditions:
 * "esModule": as tsc with esModuleInterop (default is `exports.default` when `__esModule` is set, else `module.exports`);
 * "callable": as tsc without it (`import * as x` is `module.exports` itself, default is `exports.default`).
 */
export type Interop = "none" | "esModule" | "callable";

export interface ImportRecord {
  readonly specifier: string;
  readonly attributes: Readonly<Record<string, string>> | null;
  /**
   * Names that are imported or re-exported by name ("default" included): each must exist when the target is linked. Those
   * that only decorator metadata reads are left out: an interface has gone by then.
   */
  readonly names: readonly string[];
  /** The namespace is imported as well (`import * as`, `export * as`); absent when it is not. */
  readonly whole?: true;
}

/**
 * Where a specifier leads. `file` is own code (below the runtime's registry); the others stay Node's. `search`: query and
 * fragment of an import, from `?` or `#` on; absent: none. Each makes another module of one file.
 */
export type Resolution =
  | { readonly type: "file"; readonly file: string; readonly search?: string }
  /** A file below node_modules, a native addon, WebAssembly: loaded by Node itself, never purged. */
  | { readonly type: "native"; readonly file: string; readonly search?: string }
  /** `node:fs` and the like, always with the prefix; also `data:` URLs. */
  | { readonly type: "builtin"; readonly name: string };

/** `import` uses the import conditions, `require` the require conditions, extension and folder lookup of each. */
export type ResolveKind = "import" | "require";

/** A compiled module with its specifiers resolved: what the worker evaluates. */
export interface PreparedModule {
  readonly compiled: CompiledModule;
  /** Parallel to `compiled.imports`. */
  readonly imports: readonly Resolution[];
  /** Literal `require()` specifiers that could be resolved; the others are resolved when they are called. */
  readonly requires: Readonly<Record<string, Resolution>>;
}
