/**
 * The compiler as both threads use it: files to compiled modules, specifiers to files. Synchronous, because the worker
 * asks in the middle of a `require()`. Keeps what it has learnt until `forget`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { ResolveError } from "../errors.js";
import { codeFrame, positionAt } from "./code-frame.js";
import { checkByEngine, compileText, mapText, type TextToCompile } from "./compile-text.js";
import type { CompiledModule, ImportRecord, PreparedModule, Resolution, ResolveKind } from "./compiled-module.js";
import { descriptorReserve } from "./descriptor-reserve.js";
import { type FileKind, fileKind, formatName, kindKey, kindOfFormat } from "./file-kind.js";
import { hashSource } from "./hash.js";
import { esbuildVersion } from "./lower-syntax.js";
import { ModuleCache } from "./module-cache.js";
import { PackageScopes } from "./package-scope.js";
import { Resolver } from "./resolver.js";
import type { EncodedSourceMap } from "./source-map.js";
import { locateDynamicImports, locateSpecifiers } from "./syntax-tree.js";
import { type TextForNode, textForNode } from "./text-for-node.js";
import { Tsconfigs } from "./tsconfig.js";

export interface CompilerOptions {
  /** Absolute path of the project; each root has a cache of its own. */
  readonly root: string;
  /** Conditions of `exports` and `imports` besides Node's own. */
  readonly conditions?: readonly string[];
  /** Absent: nothing is kept between starts. */
  readonly cacheFolder?: string;
  /** Functions get cells; see cells.ts. */
  readonly cells?: boolean;
}

type Resolve = (
  specifier: string,
  importer: string,
  kind: ResolveKind,
  attributes?: ImportRecord["attributes"],
) => Resolution;

export interface CompileAs {
  /** What was compiled of the file already. */
  readonly compiled?: CompiledModule | undefined;
  readonly text?: { readonly source: string; readonly format: string | undefined } | undefined;
  readonly resolve: Resolve;
}

export class Compiler {
  readonly #packages = new PackageScopes();
  readonly #tsconfigs = new Tsconfigs(this.#packages);
  readonly #resolver: Resolver;
  readonly #cache: ModuleCache;
  readonly #cells: boolean;
  /** File to the kind of the text that hooks have given for it, where that is not the kind that its name says. */
  readonly #kinds = new Map<string, FileKind>();

  constructor(options: CompilerOptions) {
    const { root, cacheFolder, conditions = [], cells = false } = options;
    this.#cells = cells;
    this.#resolver = new Resolver(this.#packages, this.#tsconfigs, conditions);
    const pack = cacheFolder && path.join(cacheFolder, `modules-${hashSource(Buffer.from(root)).slice(0, 16)}.bin`);
    this.#cache = new ModuleCache(pack, `${compilerVersion(root)}${cells ? "; cells" : ""}`);
  }

  /** Reads `file` when `source` is absent. Throws CompileError; a file that cannot be read throws as `readFileSync` does. */
  compile(file: string, source?: string): CompiledModule {
    const bytes = source === undefined ? descriptorReserve.during(() => readFileSync(file)) : Buffer.from(source);
    const input = this.#input(file, source ?? bytes.toString("utf8"), hashSource(bytes));
    const key = `${input.hash} ${kindKey(input.kind)} ${this.#tsconfigs.of(file).settingsKey}`;
    const known = this.#cache.find(file, key, input.source);
    if (known) return known;
    const compiled = compileText(input);
    if (this.#cache.has(file)) checkByEngine(input, compiled);
    this.#cache.keep(key, compiled);
    return compiled;
  }

  /**
   * As `prepare`, for a file that hooks of Node's loader have a say in: `text` is what they give for it, `resolve` asks them
   * where specifiers lead. The module counts as made of what is on the disk. Where a `require()` leads is asked when it is
   * called.
   */
  prepareAs(file: string, { compiled, text, resolve }: CompileAs): PreparedModule {
    if (!text) return this.#linkImports(compiled ?? this.compile(file), resolve);
    const kind = kindOfFormat(text.format);
    if (kind) this.#kinds.set(file, kind);
    else this.#kinds.delete(file);
    const made = this.compile(file, text.source);
    const hash = hashSource(descriptorReserve.during(() => readFileSync(file)));
    return this.#linkImports({ ...made, hash }, resolve);
  }

  /** What Node calls the format of a file, by its name and package; undefined where its text decides. */
  formatOf(file: string): string | undefined {
    return formatName(file, this.#packages.typeOf(file));
  }

  /** The file as Node's own loader can evaluate it. Throws CompileError; nothing is kept. */
  textForNode(file: string): TextForNode {
    const bytes = descriptorReserve.during(() => readFileSync(file));
    return textForNode(this.#input(file, bytes.toString("utf8"), hashSource(bytes)));
  }

  /** Throws CompileError, or ResolveError with the place of the import. */
  prepare(file: string, source?: string): PreparedModule {
    return this.link(this.compile(file, source));
  }

  /** A static import that leads nowhere throws ResolveError; a literal `require()` is left out: it may be guarded. */
  link(compiled: CompiledModule): PreparedModule {
    const resolve: Resolve = (specifier, importer, kind) => this.#resolver.resolve(specifier, importer, kind);
    const prepared = this.#linkImports(compiled, resolve);
    const requires: Record<string, Resolution> = {};
    for (const specifier of compiled.requires) {
      const resolution = resolveIfPossible(specifier, compiled.file, resolve);
      if (resolution) requires[specifier] = resolution;
    }
    return { ...prepared, requires };
  }

  /** Throws ResolveError with Node's code (`nodeCode`) and message. */
  resolve(specifier: string, importer: string, kind: ResolveKind): Resolution {
    return this.#resolver.resolve(specifier, importer, kind);
  }

  /**
   * For a specifier that was worked out at run time, of which there may be any number. `isNew`: what was learnt about it
   * may be out of date. What is not found is looked for again each time. `conditions`: in place of Node's.
   */
  resolveLate(...sought: Parameters<Resolver["resolveLate"]>): Resolution {
    return this.#resolver.resolveLate(...sought);
  }

  /** Where a text of a package has `import()`: start offsets. */
  dynamicImports(text: string): number[] {
    return locateDynamicImports(text);
  }

  /** The file is gone: what was compiled of it is not kept. */
  drop(file: string): void {
    this.#cache.drop(file);
  }

  /**
   * From positions in `compiled.body` to positions in its source. Made again at each call, at about the price of
   * compiling. The runtime hides what it puts before the body by the script's `columnOffset`.
   */
  sourceMap(compiled: CompiledModule): EncodedSourceMap {
    return mapText(this.#input(compiled.file, compiled.source, compiled.hash));
  }

  /** Drops what was learnt from the disk besides the files themselves: files came or went, or a configuration changed. */
  forget(): void {
    this.#resolver.forget();
    this.#tsconfigs.forget();
    this.#packages.forget();
  }

  /** Writes the cache between starts, if there is one and it has changed. Never fails. */
  async saveCache(): Promise<void> {
    await this.#cache.save();
  }

  /** The tsconfig.json (with what they extend) and package.json files that have been read since `forget`. */
  configFiles(): string[] {
    return [...this.#tsconfigs.files(), ...this.#packages.files()].sort();
  }

  /**
   * For a relative or path-mapped specifier: the folders, existing or not, in which an added file could change where it
   * leads.
   */
  /** Files any of which, if it were there, would be where a specifier that leads nowhere leads. */
  missing(specifier: string, importer: string, kind: ResolveKind): string[] {
    return this.#resolver.missing(specifier, importer, kind);
  }

  candidates(specifier: string, importer: string, kind: ResolveKind): string[] {
    return this.#resolver.candidates(specifier, importer, kind);
  }

  #linkImports(compiled: CompiledModule, resolve: Resolve): PreparedModule {
    const kind: ResolveKind = compiled.interop === "none" ? "import" : "require";
    const imports = compiled.imports.map((imported) => locatedResolve(imported, compiled, kind, resolve));
    return { compiled, imports, requires: {} };
  }

  #input(file: string, source: string, hash: string): TextToCompile {
    const kind = this.#kinds.get(file) ?? fileKind(file, this.#packages.typeOf(file));
    return { file, source, hash, kind, settings: this.#tsconfigs.of(file).settings, cells: this.#cells };
  }
}

function locatedResolve(
  { specifier, attributes }: ImportRecord,
  compiled: CompiledModule,
  kind: ResolveKind,
  resolve: Resolve,
): Resolution {
  try {
    return resolve(specifier, compiled.file, kind, attributes);
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
    throw located(error, compiled);
  }
}

function resolveIfPossible(specifier: string, importer: string, resolve: Resolve): Resolution | undefined {
  try {
    return resolve(specifier, importer, "require");
  } catch (error) {
    if (error instanceof ResolveError) return undefined;
    throw error;
  }
}

/** The same error with the place of the specifier. */
function located(error: ResolveError, { file, source }: CompiledModule): ResolveError {
  const text = source.replace(/^\uFEFF/, "");
  const offset = locateSpecifiers(file, text).find((found) => found.specifier === error.specifier)?.offset;
  if (offset === undefined) return error;
  const position = positionAt(text, offset);
  return new ResolveError(
    error.message,
    error.specifier,
    error.importer,
    error.nodeCode,
    { file, ...position },
    codeFrame(text, position),
    error.url,
  );
}

/** Everything but a file's own text and settings that decides what it is compiled to. */
function compilerVersion(root: string): string {
  const require = createRequire(import.meta.url);
  const versionOf = (name: string): string => {
    const { version } = require(`${name}/package.json`) as { version: string };
    return `${name} ${version}`;
  };
  const transformers = [versionOf("oxc-parser"), versionOf("oxc-transform"), `esbuild ${esbuildVersion(root)}`];
  return [FORMAT, process.version, ...transformers].join("; ");
}

/** Raise when the same text is compiled to something else. */
const FORMAT = "8";
