/**
 * `require.resolve()` and `import.meta.resolve()`: where they lead depends on which files are there, so that those count as
 * looked for.
 */
import Module from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf } from "../../src/common/compile/candidates.js";
import type { ResolveKind } from "../../src/common/compile/compiled-module.js";
import { isCompiled } from "../../src/common/compile/file-kind.js";
import { readSpecifier } from "../../src/common/compile/specifier.js";
import { isBelowPackages } from "../../src/common/paths.js";
import { inherits, isArray, isObject, ownValue } from "../../src/common/untouched.js";
import { replaceMethod } from "../ledger/replace.js";
import type { FileReads } from "./file-reads.js";
import { moduleInternals } from "./module-internals.js";
import { isSupervisorCode } from "./supervisor-code.js";

export interface ResolveLookupsOptions {
  readonly reads: FileReads;
  /** A package was looked for. */
  packageLookedUp(specifier: string, importer: string, kind: ResolveKind): void;
}

export class ResolveLookups {
  readonly #options: ResolveLookupsOptions;

  constructor(options: ResolveLookupsOptions) {
    this.#options = options;
  }

  /** Notices what is asked of functions that Node has made for own files. Returns the way back. */
  install(): () => void {
    return replaceMethod(Module, "createRequire", (original) => {
      const lookups = this;
      return function createRequire(this: unknown, ...args: unknown[]): unknown {
        const require = Reflect.apply(original, this, args) as NodeJS.Require;
        const importer = fileOf(args[0]);
        if (importer === undefined || isBelowPackages(importer) || isSupervisorCode(importer)) return require;
        replaceMethod(require, "resolve", (resolve) => {
          return function (this: unknown, ...given: unknown[]): unknown {
            // Node keeps where it has led before.
            delete moduleInternals._pathCache[
              `${typeof given[0] === "string" ? given[0] : ""}\0${path.dirname(importer)}`
            ];
            return lookups.during(given[0], importer, given[1], () => Reflect.apply(resolve, this, given) as string);
          };
        });
        return require;
      };
    });
  }

  /** Runs what looks up `specifier` for `require.resolve()` in `importer`. */
  during<Found extends string>(specifier: unknown, importer: string, options: unknown, run: () => Found): Found {
    const { reads } = this.#options;
    if (!reads.isReading || typeof specifier !== "string") return run();
    const paths = isObject(options) ? ownValue(options, "paths") : undefined;
    const folders = isArray(paths) ? paths.filter((folder) => typeof folder === "string") : [path.dirname(importer)];
    let found: string | undefined;
    try {
      found = run();
      return found as Found;
    } finally {
      for (const folder of folders)
        this.#looked(specifier, path.join(folder, path.basename(importer)), "require", found);
    }
  }

  /** The same for `import.meta.resolve()`, which takes the whole name of a file, but of what is compiled. */
  imported(specifier: string, importer: string, found: string | undefined): void {
    if (this.#options.reads.isReading) this.#looked(specifier, importer, "import", found);
  }

  #looked(specifier: string, importer: string, kind: ResolveKind, found: string | undefined): void {
    const read = readSpecifier(specifier, kind);
    if (read.type === "package") this.#options.packageLookedUp(specifier, importer, kind);
    if (found === undefined) this.#options.reads.soughtPackage(specifier, importer);
    else if (isBelowPackages(found)) this.#options.reads.foundOfPackage(found);
    if (read.type !== "path" || (kind === "import" && !isCompiled(importer))) return;
    const target = path.resolve(path.dirname(importer), read.request);
    this.#options.reads.lookedFor(() => filesOf(target, isCompiled(importer) ? "typescript" : "node"), found);
  }
}

function fileOf(given: unknown): string | undefined {
  if (typeof given === "string" && path.isAbsolute(given)) return given;
  const isUrl =
    typeof given === "string" ? given.startsWith("file:") : isObject(given) && inherits(given, URL.prototype);
  return isUrl ? fileURLToPath(given as string | URL) : undefined;
}
