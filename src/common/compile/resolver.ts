/** Specifiers to files. The only file that knows the resolver library. */
import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type NapiResolveOptions, ResolverFactory } from "oxc-resolver";
import { ResolveError } from "../errors.js";
import { lookUpAsNode, lookUpByYarn } from "../node-lookup.js";
import { isBelowPackages } from "../paths.js";
import { filesOf, JAVASCRIPT_FIRST, type Lookup, TYPESCRIPT_FIRST } from "./candidates.js";
import type { Resolution, ResolveKind } from "./compiled-module.js";
import { descriptorReserve } from "./descriptor-reserve.js";
import { isCompiled, isImportable } from "./file-kind.js";
import { lookUpMapped, packageFolder } from "./package-maps.js";
import type { PackageScopes } from "./package-scope.js";
import {
  type FailedSpecifier,
  importNotDefined,
  packageNotFound,
  pathNotFound,
  resolutionFailure,
  unknownExtension,
} from "./resolve-failure.js";
import { readSpecifier, type Specifier, splitSearch } from "./specifier.js";
import type { ProjectConfig, Tsconfigs } from "./tsconfig.js";

const OPTIONS_OF_LOOKUP: Readonly<Record<Lookup, NapiResolveOptions>> = {
  exact: { ...JAVASCRIPT_FIRST, fullySpecified: true },
  node: JAVASCRIPT_FIRST,
  typescript: TYPESCRIPT_FIRST,
};

/** Lookups that are remembered, by us and by the library: spellings of one file are without number. */
const KNOWN = 10_000;

export class Resolver {
  readonly #packages: PackageScopes;
  readonly #tsconfigs: Tsconfigs;
  readonly #conditions: readonly string[];
  /** Kind, lookup and conditions to the factory for it; all share one cache of the file system. Created at first use. */
  readonly #factories = new Map<string, ResolverFactory>();
  #shared: ResolverFactory | undefined;
  /** Kind, lookup, folder and specifier to where it leads. Successes only; lives until `forget`, or until it is full. */
  readonly #known = new Map<string, Resolution>();
  /** Lookups since the library's cache was empty. */
  #asked = 0;

  constructor(packages: PackageScopes, tsconfigs: Tsconfigs, conditions: readonly string[]) {
    this.#packages = packages;
    this.#tsconfigs = tsconfigs;
    this.#conditions = conditions;
  }

  /** `conditions`: in place of Node's. Throws ResolveError. */
  resolve(specifier: string, importer: string, kind: ResolveKind, conditions?: readonly string[]): Resolution {
    const [plain, search] = splitSearch(specifier, kind);
    const found = this.#resolve(plain, specifier, importer, kind, conditions);
    return search === "" || found.type === "builtin" ? found : { ...found, search };
  }

  /** `specifier`: what stands in the importer, for errors. */
  #resolve(
    plain: string,
    specifier: string,
    importer: string,
    kind: ResolveKind,
    conditions?: readonly string[],
  ): Resolution {
    const key = keyOf(plain, importer, kind, conditions);
    const known = this.#known.get(key);
    if (known) return known;
    if (++this.#asked > KNOWN) this.#forgetDisk();
    // Of an import, a query and a fragment change nothing of the file.
    const resolution = this.#find(specifier, importer, kind, conditions);
    if (kind === "import" && resolution.type === "file" && !isImportable(resolution.file))
      throw unknownExtension(resolution.file, { specifier, importer });
    if (this.#known.size >= KNOWN) this.#known.clear();
    this.#known.set(key, resolution);
    return resolution;
  }

  /** As `resolve`. `isNew`: nothing known of it is used. Of what is not found nothing is kept. Throws ResolveError. */
  resolveLate(
    specifier: string,
    importer: string,
    kind: ResolveKind,
    isNew: boolean,
    conditions?: readonly string[],
  ): Resolution {
    if (isNew) {
      const [plain] = splitSearch(specifier, kind);
      this.#known.delete(keyOf(plain, importer, kind, conditions));
      this.#forgetDisk();
    }
    for (;;) {
      const isFirst = this.#asked === 0;
      try {
        return this.resolve(specifier, importer, kind, conditions);
      } catch (error) {
        // The library remembers that a file is not there, and each path that it was asked for (1.3 kB).
        this.#forgetDisk();
        if (isFirst || !(error instanceof ResolveError)) throw error;
      }
    }
  }

  /**
   * Folders in which an added file could change where the specifier leads (some may not exist yet): for relative and
   * path-mapped specifiers the folder of the target, and the target as a folder.
   */
  candidates(specifier: string, importer: string, kind: ResolveKind): string[] {
    const read = readSpecifier(specifier, kind);
    const folders = new Set<string>();
    const add = (target: string): void => {
      folders.add(path.dirname(target)).add(target);
    };
    if (read.type === "path") add(path.resolve(path.dirname(importer), read.request));
    if (read.type === "package") for (const target of this.#mapped(read, importer)) add(path.resolve(target));
    return [...folders];
  }

  /** Files any of which, if it were there, would be where a specifier that leads nowhere leads. None for packages. */
  missing(specifier: string, importer: string, kind: ResolveKind): string[] {
    const read = readSpecifier(specifier, kind);
    if (read.type === "path") {
      const lookup = this.#lookup(read, importer, kind);
      return filesOf(path.resolve(path.dirname(importer), read.request), lookup);
    }
    if (read.type !== "package") return [];
    return this.#mapped(read, importer).flatMap((target) => filesOf(path.resolve(target), "typescript"));
  }

  forget(): void {
    this.#known.clear();
    this.#forgetDisk();
  }

  /** 15 us, and each lookup begins with an empty cache. */
  #forgetDisk(): void {
    if (this.#asked > 0) this.#shared?.clearCache();
    this.#asked = 0;
  }

  #find(specifier: string, importer: string, kind: ResolveKind, conditions?: readonly string[]): Resolution {
    const read = readSpecifier(specifier, kind);
    if (read.type === "builtin") return { type: "builtin", name: read.name };
    if (read.type === "invalid") {
      throw resolutionFailure(read.message, { specifier, importer, code: read.code });
    }
    // The library takes `?` and `#` for a query and a fragment; to `require` they are letters of a name.
    if (kind === "require" && /[?#]/.test(read.request.slice(1)))
      return this.#fallback(read, { specifier, importer }, kind, "", conditions);
    const folder = path.dirname(importer);
    for (const target of this.#mapped(read, importer)) {
      const found = this.#factory(kind, "typescript", conditions).sync(folder, target).path;
      if (found !== undefined) return classify(found);
    }
    const lookup = this.#lookup(read, importer, kind);
    const factory = this.#factory(kind, lookup, conditions);
    const { path: found, error } = descriptorReserve.during(
      () => factory.sync(folder, read.request),
      (result) => /os error 2[34]\)/.test(result.error ?? ""),
    );
    // The library takes what the package.json of a folder calls its main file.
    const isFolder =
      lookup === "exact" && read.type === "path" && found !== undefined && leadsToFolder(folder, read.request, found);
    if (found !== undefined && !isFolder) return classify(found);
    return this.#fallback(read, { specifier, importer }, kind, error ?? "", conditions);
  }

  /** What `paths` and `baseUrl` give; nothing for JavaScript that is not part of a TypeScript project. */
  #mapped(read: Specifier, importer: string): readonly string[] {
    // TypeScript asks `paths` before package.json's `imports`, so `#lib/*` may be either.
    if (read.type !== "package") return [];
    const config = this.#tsconfigs.of(importer);
    return looksUpTypeScript(importer, config) ? config.mapped(read.request) : [];
  }

  #lookup(read: Specifier, importer: string, kind: ResolveKind): Lookup {
    // Packages ship JavaScript, with TypeScript beside it now and then; `#imports` are own files.
    if (read.type === "package" && !read.request.startsWith("#")) return kind === "import" ? "exact" : "node";
    if (looksUpTypeScript(importer, this.#tsconfigs.of(importer))) return "typescript";
    return kind === "import" ? "exact" : "node";
  }

  #factory(kind: ResolveKind, lookup: Lookup, conditions?: readonly string[]): ResolverFactory {
    const key = `${kind} ${lookup} ${conditions?.join() ?? ""}`;
    const known = this.#factories.get(key);
    if (known) return known;
    const options: NapiResolveOptions = {
      ...OPTIONS_OF_LOOKUP[lookup],
      conditionNames: [...(conditions ?? this.#conditionsOf(kind))],
      mainFields: ["main"],
      symlinks: true,
    };
    const factory = this.#shared ? this.#shared.cloneWithOptions(options) : new ResolverFactory(options);
    this.#shared ??= factory;
    this.#factories.set(key, factory);
    return factory;
  }

  #conditionsOf(kind: ResolveKind): readonly string[] {
    return [kind, "node", "node-addons", ...(requiresModules ? ["module-sync"] : []), ...this.#conditions];
  }

  #byYarn(
    request: string,
    failed: FailedSpecifier,
    conditions: readonly string[] = this.#conditionsOf("import"),
  ): string | undefined {
    try {
      return lookUpByYarn(request, failed.importer, conditions);
    } catch (error) {
      throw resolutionFailure((error as Error).message, { ...failed, code: "ERR_MODULE_NOT_FOUND" });
    }
  }

  /** Node's own lookup has the last word for `require` (NODE_PATH, odd names), and words the error. */
  #fallback(
    read: Specifier,
    failed: FailedSpecifier,
    kind: ResolveKind,
    reason: string,
    conditions: readonly string[] | undefined,
  ): Resolution {
    const { specifier, importer } = failed;
    if (kind === "require") {
      try {
        return classify(lookUpAsNode(specifier, importer, conditions));
      } catch (error) {
        const { message, code } = error as NodeJS.ErrnoException;
        throw resolutionFailure(message, { ...failed, code: code ?? "MODULE_NOT_FOUND" });
      }
    }
    if (read.type === "path") {
      const target = path.resolve(path.dirname(importer), read.request);
      const found = statSync(target, { throwIfNoEntry: false });
      // The library takes `?` and `#` in a name for a query and a fragment.
      if (found?.isFile() && /[?#]/.test(target)) return classify(realpathSync(target));
      throw pathNotFound(target, found?.isDirectory() ?? false, failed);
    }
    const byYarn = this.#byYarn(read.type === "package" ? read.request : specifier, failed, conditions);
    if (byYarn !== undefined) return classify(byYarn);
    const folder = read.type === "package" ? packageFolder(read.request, importer) : undefined;
    if (read.type === "package") {
      const found = lookUpMapped(read.request, folder, failed, conditions ?? this.#conditionsOf(kind));
      if (typeof found === "string") return classify(found);
      if (found) throw found;
    }
    const manifest = specifier.startsWith("#") ? this.#packages.withoutImports(importer) : undefined;
    if (manifest !== undefined) throw importNotDefined(manifest, failed);
    throw packageNotFound(reason, folder, failed);
  }
}

function leadsToFolder(folder: string, request: string, found: string): boolean {
  const target = path.resolve(folder, request);
  return found !== target && (statSync(target, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

function keyOf(specifier: string, importer: string, kind: ResolveKind, conditions: readonly string[] = []): string {
  return `${kind}\0${conditions.join()}\0${path.extname(importer)}\0${path.dirname(importer)}\0${specifier}`;
}

/** Node resolves `module-sync` where it can `require()` an ES module. */
const requiresModules: boolean = (process.features as { require_module?: boolean }).require_module === true;

/** The folders of what is built and of what is installed: what an app imports from there is never its own code, even when it is linked. */
const ownFolders = ["dist", "lib"].map(
  (name) => path.join(realpathSync(fileURLToPath(new URL("../../../../", import.meta.url))), name) + path.sep,
);

const nativeFile = /\.(?:node|wasm)$/;

function classify(file: string): Resolution {
  if (path.isAbsolute(file)) {
    const native =
      isBelowPackages(file) || nativeFile.test(file) || ownFolders.some((folder) => file.startsWith(folder));
    return native ? { type: "native", file } : { type: "file", file };
  }
  // Only `require.resolve` gives a name: a builtin.
  return { type: "builtin", name: file.startsWith("node:") ? file : `node:${file}` };
}

function looksUpTypeScript(file: string, config: ProjectConfig): boolean {
  return isCompiled(file) || config.settings.allowsJavaScript;
}
