/**
 * The smallest runtime that follows the calling convention of compiled-module.ts: no reloads, no observed edges. Tests of
 * the compiler evaluate its output with it, beside Node itself.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import type { CompiledModule, PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";
import type { Compiler } from "../../src/common/compile/compiler.js";

type Namespace = Record<string, unknown>;
type Getters = Record<string, () => unknown>;

interface Loaded {
  readonly prepared: PreparedModule;
  readonly namespace: Namespace;
  /** Parallel to the imports; null for what is not own code. */
  readonly targets: readonly (Loaded | null)[];
  readonly namespaces: Namespace[];
  module: { exports: unknown };
  done: Promise<void> | boolean | undefined;
}

/** Evaluates `entry` and all that it imports; gives its namespace. */
export async function evaluate(compiler: Compiler, entry: string): Promise<Namespace> {
  const evaluation = new Evaluation(compiler);
  const loaded = await evaluation.load(entry);
  await evaluation.run(loaded);
  return loaded.namespace;
}

/** The module's function, put together as the convention says. */
export function assemble(compiled: CompiledModule, isAsync: boolean): { code: string; head: string } {
  const names = "exports, require, module, __filename, __dirname";
  if (compiled.format === "commonjs") {
    const head = `(function (${names}, __ur) { `;
    return { code: `${head}${compiled.body}\n})`, head };
  }
  const inner = isAsync
    ? `(async function (__ur) { 'use strict'; ${compiled.prologue} await __ur.dependencies(); `
    : `(function (__ur) { 'use strict'; ${compiled.prologue} __ur.dependencies(); `;
  const head = compiled.interop === "none" ? inner : `(function (${names}) { return ${inner}`;
  return { code: `${head}${compiled.body}\n${compiled.interop === "none" ? "})" : "}); })"}`, head };
}

class Evaluation {
  readonly #compiler: Compiler;
  readonly #modules = new Map<string, Promise<Loaded>>();
  readonly #byFile = new Map<string, Loaded>();

  constructor(compiler: Compiler) {
    this.#compiler = compiler;
  }

  load(file: string): Promise<Loaded> {
    let promise = this.#modules.get(file);
    if (!promise) {
      promise = this.#load(file);
      this.#modules.set(file, promise);
    }
    return promise;
  }

  async #load(file: string): Promise<Loaded> {
    const prepared = this.#compiler.prepare(file);
    const targets: (Loaded | null)[] = [];
    const namespaces: Namespace[] = [];
    const loaded: Loaded = {
      prepared,
      namespace: Object.create(null) as Namespace,
      targets,
      namespaces,
      module: { exports: {} },
      done: undefined,
    };
    this.#byFile.set(file, loaded);
    for (const resolution of prepared.imports) {
      if (resolution.type === "file") {
        const known = this.#byFile.get(resolution.file);
        const target = known ?? (await this.load(resolution.file));
        targets.push(target);
        namespaces.push(target.namespace);
      } else {
        targets.push(null);
        namespaces.push(await native(resolution));
      }
    }
    return loaded;
  }

  run(loaded: Loaded): Promise<void> | undefined {
    if (loaded.done !== undefined) return loaded.done instanceof Promise ? loaded.done : undefined;
    loaded.done = true;
    const result = this.#evaluate(loaded);
    if (result) loaded.done = result;
    return result;
  }

  #evaluate(loaded: Loaded): Promise<void> | undefined {
    const { compiled } = loaded.prepared;
    if (compiled.format === "json") {
      const value: unknown = JSON.parse(compiled.body);
      loaded.module.exports = value;
      define(loaded.namespace, { default: () => value });
      return undefined;
    }
    const isAsync = this.#isAsync(loaded, new Set());
    const { code, head } = assemble(compiled, isAsync);
    const filename = pathToFileURL(compiled.file).href;
    const script = new vm.Script(code, { filename, columnOffset: -head.length });
    const run = script.runInThisContext() as (...args: unknown[]) => unknown;
    const commonJs = [
      loaded.module.exports,
      (specifier: string) => this.#require(loaded, specifier),
      loaded.module,
      compiled.file,
      path.dirname(compiled.file),
    ];
    const ur = this.#protocol(loaded, isAsync);
    if (compiled.format === "commonjs") {
      Reflect.apply(run, loaded.module.exports, [...commonJs, ur]);
      const { exports } = loaded.module;
      const names = typeof exports === "object" && exports !== null ? Object.keys(exports) : [];
      const getters = names.map((name) => [name, () => (exports as Namespace)[name]] as const);
      define(loaded.namespace, { ...Object.fromEntries(getters), default: () => exports });
      return undefined;
    }
    const body = compiled.interop === "none" ? run : (run(...commonJs) as (ur: unknown) => unknown);
    return body(ur) as Promise<void> | undefined;
  }

  #protocol(loaded: Loaded, isAsync: boolean) {
    const { compiled } = loaded.prepared;
    return {
      namespaces: loaded.namespaces,
      exports: (getters: Getters, stars: number[]) => {
        define(loaded.namespace, getters);
        loaded.module.exports = loaded.namespace;
        for (const index of stars) this.#star(loaded, index);
      },
      awaits: () => undefined,
      dependencies: () => {
        const finish = () => {
          for (const index of compiled.stars) this.#star(loaded, index);
          checkNames(loaded);
        };
        if (!isAsync) {
          for (const target of loaded.targets) if (target) this.run(target);
          finish();
          return undefined;
        }
        return (async () => {
          for (const target of loaded.targets) if (target) await this.run(target);
          finish();
        })();
      },
      namespace: (index: number) => loaded.namespaces[index],
      class: (target: unknown) => target,
      scope: () => undefined,
      meta: {
        __proto__: null,
        url: pathToFileURL(compiled.file).href,
        filename: compiled.file,
        dirname: path.dirname(compiled.file),
      },
      import: async (specifier: unknown, options?: ImportCallOptions) => {
        const resolution = this.#compiler.resolve(String(specifier), compiled.file, "import");
        if (resolution.type !== "file") return native(resolution, options);
        const target = await this.load(resolution.file);
        await this.run(target);
        return target.namespace;
      },
    };
  }

  #star(loaded: Loaded, index: number): void {
    const from = loaded.namespaces[index] ?? {};
    for (const name of Object.keys(from)) {
      if (name !== "default" && !Object.hasOwn(loaded.namespace, name))
        define(loaded.namespace, { [name]: () => from[name] });
    }
  }

  #require(loaded: Loaded, specifier: string): unknown {
    const { file } = loaded.prepared.compiled;
    const resolution = loaded.prepared.requires[specifier] ?? this.#compiler.resolve(specifier, file, "require");
    if (resolution.type !== "file") return createRequire(file)(specifier);
    const known = this.#byFile.get(resolution.file);
    const target: Loaded = known ?? {
      prepared: this.#compiler.prepare(resolution.file),
      namespace: Object.create(null) as Namespace,
      targets: [],
      namespaces: [],
      module: { exports: {} },
      done: undefined,
    };
    this.#byFile.set(resolution.file, target);
    this.run(target);
    return target.module.exports;
  }

  #isAsync(loaded: Loaded, seen: Set<Loaded>): boolean {
    if (seen.has(loaded)) return false;
    seen.add(loaded);
    if (loaded.prepared.compiled.topLevelAwait) return true;
    return loaded.targets.some((target) => target !== null && this.#isAsync(target, seen));
  }
}

function define(namespace: Namespace, getters: Getters): void {
  for (const name of Object.keys(getters)) {
    const get = getters[name];
    if (get) Object.defineProperty(namespace, name, { enumerable: true, configurable: true, get });
  }
}

/** Names must exist as in Node; in a cycle the target may not have got as far as its own `export *`. */
function checkNames({ prepared: { compiled }, namespaces, targets }: Loaded): void {
  compiled.imports.forEach((record, index) => {
    for (const name of record.names) {
      const waiting = targets[index]?.prepared.compiled.stars.length;
      if (compiled.interop === "none" && !waiting && !(name in (namespaces[index] ?? {}))) {
        throw new SyntaxError(`The requested module '${record.specifier}' does not provide an export named '${name}'`);
      }
    }
  });
}

async function native(resolution: Resolution, options?: ImportCallOptions): Promise<Namespace> {
  if (resolution.type === "builtin") return (await import(resolution.name, options)) as Namespace;
  return (await import(pathToFileURL(resolution.file).href, options)) as Namespace;
}
