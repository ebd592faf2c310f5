/**
 * The app's hooks of `module.registerHooks`, asked for own files: each once for each specifier and each text. What they lead
 * to and is no own file is loaded by Node, which is told what they have said.
 */
import { existsSync, readFileSync } from "node:fs";
import Module, { isBuiltin } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import type { Resolution, ResolveKind } from "../../src/common/compile/compiled-module.js";
import { ResolveError } from "../../src/common/errors.js";
import { Nesting } from "../../src/common/nesting.js";
import { lookUpAsNode } from "../../src/common/node-lookup.js";
import { isBelowPackages } from "../../src/common/paths.js";
import { checkLoaded, checkResolved, runHooks } from "./hook-chain.js";
import { nodeError, resolveFailure } from "./module-errors.js";
import { type Attributes, isRefusedByLinking, urlOf } from "./native-modules.js";
import type { Hooks, LoadContext, LoadedText, Loader, ResolveContext, Resolved } from "./node-loader-types.js";
import { isSupervisorCode } from "./supervisor-code.js";

export interface LoaderHooksOptions {
  /** What an own file is to Node by its name and package; undefined where its text decides. */
  formatOf(file: string): string | undefined;
  /** As Node would evaluate its text when it is imported. */
  detectedFormat(file: string): string | undefined;
  /** Those of `--conditions`. */
  readonly conditions: readonly string[];
}

/** Where a specifier leads when the hooks go on; `conditions`: others than Node's own. Throws a ResolveError. */
export type LastStep = (
  specifier: string,
  importer: string,
  kind: ResolveKind,
  conditions?: readonly string[],
) => Resolution;

/** A module of an own file: its URL has the query. */
export interface Loaded {
  readonly file: string;
  readonly url: string;
}

/** What hooks have said of a URL when they led to it. */
interface Outcome {
  readonly kind: ResolveKind;
  readonly format: string | null | undefined;
  readonly importAttributes: Readonly<Record<string, string>> | undefined;
}

/** As many URLs as this are asked for again before they are forgotten. */
const MOST_OUTCOMES = 10_000;

/** Formats that Node can evaluate. */
const FORMATS: ReadonlySet<string> = new Set(
  "addon builtin commonjs commonjs-typescript json module module-typescript wasm".split(" "),
);

/** Node's own function, from before it was replaced. */
const { registerHooks } = Module as unknown as Loader;

export class LoaderHooks {
  readonly #options: LoaderHooksOptions;
  /** In order; the last one is asked first. */
  readonly #hooks: Hooks[] = [];
  /** URL to what was said of it last, the newest last. There may be any number of queries: the oldest goes when one is too many. */
  readonly #outcomes = new Map<string, Outcome>();
  readonly #conditions: Readonly<Record<ResolveKind, readonly string[]>>;
  readonly #ownWork = new Nesting();

  constructor(options: LoaderHooksOptions) {
    this.#options = options;
    this.#conditions = {
      import: ["node", "import", "module-sync", "node-addons", ...options.conditions],
      require: ["require", "node", "node-addons", ...options.conditions, "module-sync"],
    };
  }

  /** The returned function takes them out. */
  add(hooks: Hooks): () => void {
    const entry = { ...hooks };
    this.#hooks.push(entry);
    return () => {
      const at = this.#hooks.indexOf(entry);
      if (at >= 0) this.#hooks.splice(at, 1);
    };
  }

  /** For Node: these hooks, which what the supervisor loads for itself passes by. */
  forNode(hooks: Hooks): Hooks {
    const { resolve, load } = hooks;
    return {
      ...hooks,
      ...(typeof resolve === "function" && {
        resolve: (specifier, context, next) => {
          const isOurs =
            this.#ownWork.isUnderWay || (context.parentURL !== undefined && isSupervisorCode(context.parentURL));
          return isOurs ? next(specifier, context) : resolve(specifier, context, next);
        },
      }),
      ...(typeof load === "function" && {
        load: (url, context, next) =>
          this.#ownWork.isUnderWay || isSupervisorCode(url) ? next(url, context) : load(url, context, next),
      }),
    };
  }

  /** Runs work of the supervisor's own: what is loaded for it is none of the hooks' business. */
  without<Result>(run: () => Result): Result {
    return this.#ownWork.run(run);
  }

  get hasAny(): boolean {
    return this.#hooks.length > 0;
  }

  get hasLoad(): boolean {
    return this.#hooks.some((hooks) => hooks.load);
  }

  /** Where a specifier leads. Throws what hooks throw, or a ResolveError. */
  resolved(specifier: string, importer: string, kind: ResolveKind, attributes: Attributes, last: LastStep): Resolution {
    let ours: Resolution | undefined;
    const failures = new Map<unknown, ResolveError>();
    const lookUp = (wanted: string, { parentURL, conditions }: ResolveContext): Resolved => {
      const from = parentURL?.startsWith("file:") ? fileURLToPath(parentURL) : importer;
      // Node's own error.
      if (typeof wanted !== "string") lookUpAsNode(wanted, from);
      try {
        ours = last(wanted, from, kind, this.#ownConditions(kind, conditions));
      } catch (error) {
        const failure = resolveFailure(error);
        if (error instanceof ResolveError) failures.set(failure, error);
        throw failure;
      }
      return { url: urlOf(ours), format: this.#formatOf(ours, wanted, kind) };
    };
    const context: ResolveContext = {
      parentURL: pathToFileURL(importer).href,
      importAttributes: kind === "import" ? { ...attributes } : undefined,
      conditions: this.#conditions[kind],
    };
    const hooks = this.#hooks.flatMap((one) => one.resolve ?? []);
    try {
      const found = runHooks({ name: "resolve", hooks, last: lookUp, check: checkResolved }, specifier, context);
      const importAttributes = found.importAttributes ?? context.importAttributes;
      this.#keep(found.url, { kind, format: found.format, importAttributes });
      return ours && found.url === urlOf(ours) ? ours : resolutionOf(found.url);
    } catch (error) {
      throw failures.get(error) ?? error;
    }
  }

  /** The text of an own file as the hooks give it; undefined: they leave it as it is. Throws what they throw. */
  loaded({ file, url }: Loaded): { readonly source: string; readonly format: string | undefined } | undefined {
    const known = this.#outcomes.get(url);
    const { kind, importAttributes } = known ?? { kind: "import" };
    let text: string | undefined;
    const last = (wanted: string, { format }: LoadContext): LoadedText => {
      const target = wanted === url ? file : fileURLToPath(wanted);
      const bytes = readFileSync(target);
      const read = bytes.toString("utf8");
      if (target === file) text = read;
      if (kind === "require") return { source: read, format };
      return { format: format ?? this.#options.detectedFormat(target), responseURL: wanted, source: bytes };
    };
    const context: LoadContext = {
      format: known?.format ?? this.#options.formatOf(file),
      importAttributes: kind === "import" ? (importAttributes ?? {}) : undefined,
      conditions: this.#conditions[kind],
    };
    const check = (result: LoadedText): LoadedText => checkLoaded(result, kind === "import" && mayBeAbsent(result));
    const hooks = this.#hooks.flatMap((one) => one.load ?? []);
    const loaded = runHooks({ name: "load", hooks, last, check }, url, context);
    if (kind === "import" && !FORMATS.has(loaded.format ?? "")) {
      const message = `Unknown module format: ${loaded.format ?? null} for URL ${url}`;
      throw nodeError("ERR_UNKNOWN_MODULE_FORMAT", message, RangeError);
    }
    return altered(loaded, text, this.#options.formatOf(file));
  }

  /**
   * Has Node load `specifier`, which hooks have led to `url` already. Node asks no `resolve` hook for it again. `run` is told
   * what stands for the specifier. `hasAnswer`: false when hooks of Node's other thread decide where it leads.
   */
  answering<Result>(
    specifier: string,
    url: string,
    run: (specifier: string) => Result,
    hasAnswer: boolean = this.hasAny,
  ): Result {
    const name = nameFor(specifier);
    if (!registerHooks || (!hasAnswer && name === specifier)) return run(specifier);
    const file = url.startsWith("file:") ? fileURLToPath(url) : undefined;
    // Node may look CommonJS up once more, by its path.
    const asked = new Set([specifier, name]);
    const { format, importAttributes } = this.#outcomes.get(url) ?? {};
    const answer = registerHooks.call(Module, {
      resolve: (wanted, context, next) => {
        const isKnown = asked.delete(wanted) || (wanted === file && context.parentURL === undefined);
        if (!isKnown) return next(wanted, context);
        // Hooks of Node's other thread have not been asked.
        if (!hasAnswer) return next(specifier, context);
        return { url, format, ...(importAttributes && { importAttributes }), shortCircuit: true };
      },
    });
    const over = (): void => answer.deregister();
    let result: Result | undefined;
    try {
      result = run(name);
      return result;
    } finally {
      if (result instanceof Promise) void result.then(over, over);
      else over();
    }
  }

  #keep(url: string, outcome: Outcome): void {
    this.#outcomes.delete(url);
    this.#outcomes.set(url, outcome);
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > MOST_OUTCOMES && oldest !== undefined) this.#outcomes.delete(oldest);
  }

  /** Undefined: Node's own. */
  #ownConditions(kind: ResolveKind, conditions: unknown): readonly string[] | undefined {
    if (conditions === undefined || conditions === this.#conditions[kind]) return undefined;
    if (Array.isArray(conditions)) return conditions as string[];
    const what = kind === "import" ? "argument 'conditions'" : "property 'context.conditions'";
    const message = `The ${what} expected an array. Received ${inspect(conditions)}`;
    throw nodeError("ERR_INVALID_ARG_VALUE", message, TypeError);
  }

  /** What Node says of it before its text is read. */
  #formatOf(found: Resolution, specifier: string, kind: ResolveKind): string | undefined {
    if (kind === "require") return found.type === "builtin" && specifier.startsWith("node:") ? "builtin" : undefined;
    return found.type === "builtin" ? undefined : this.#options.formatOf(found.file);
  }
}

/** What a URL of a hook's is. One with a query is a module of its own, which is left to Node. */
export function resolutionOf(url: string): Resolution {
  if (isBuiltin(url)) return { type: "builtin", name: url.startsWith("node:") ? url : `node:${url}` };
  if (!url.startsWith("file:") || /[?#]/.test(url)) return { type: "builtin", name: url };
  const file = fileURLToPath(url);
  if (isBelowPackages(file) || /\.(?:node|wasm)$/.test(file)) return { type: "native", file };
  // The hooks alone have a text for what is no file.
  return existsSync(file) ? { type: "file", file } : { type: "builtin", name: url };
}

/** Undefined: it is what is in the file. */
export function altered({ source, format }: LoadedText, text: string | undefined, expected: string | undefined) {
  if (source === null || source === undefined) return undefined;
  const given = textOf(source);
  const isExpected = format === undefined || format === null || expected === undefined || format === expected;
  if (given === text && isExpected) return undefined;
  return { source: given, format: format ?? undefined };
}

/** Node reads the text of these itself when a hook gives none. */
function mayBeAbsent({ format }: LoadedText): boolean {
  return format === undefined || format === null || format === "builtin" || format.startsWith("commonjs");
}

function textOf(source: NonNullable<LoadedText["source"]>): string {
  if (typeof source === "string") return source;
  const bytes = ArrayBuffer.isView(source)
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    : Buffer.from(source);
  return bytes.toString("utf8");
}

function nameFor(specifier: string): string {
  return isRefusedByLinking(specifier) ? `unreloader-stands-for/${encodeURIComponent(specifier)}` : specifier;
}
