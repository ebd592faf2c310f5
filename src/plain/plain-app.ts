/** Evaluates the app in this thread, by Node's own loader. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { isCompiled, isImportable } from "../common/compile/file-kind.js";
import { NODE_MAJOR } from "../common/node-version.js";
import { PLAIN_SETTINGS, type PlainSettings } from "../common/protocol/app-host.js";
import { compileAhead } from "../node-loader/compile-ahead.js";
import { type InstalledLoader, installLoader, runAsMain, runCommonJs } from "../node-loader/loader.js";
import { passLoaderOn } from "../node-loader/pass-on.js";
import type { ResolvedOptions } from "../options/options.js";
import { importConditions } from "../thread/node-flags.js";

/** `process`: the app is the process, as under `node`. `host`: it runs in the process of its host. */
export type Role = "process" | "host";

type PlainAppOptions = Pick<ResolvedOptions, "entry" | "script" | "root" | "args" | "autoload">;

export type AppExports = Readonly<Record<string, unknown>>;

/** From here on an ES module that Node runs as its main file knows so by `import.meta.main`. */
const KNOWS_MAIN = NODE_MAJOR >= 22;

export class PlainApp {
  readonly #options: PlainAppOptions;
  readonly #preload: string[];
  #loaded = false;
  readonly #role: Role;
  #loader: InstalledLoader | undefined;
  #stopPassingOn: (() => void) | undefined;

  constructor(options: PlainAppOptions, preload: readonly string[], role: Role) {
    this.#options = options;
    this.#preload = preload.filter((file) => file !== options.entry);
    this.#role = role;
  }

  /** Before the start the files are loaded with it, before the entry. */
  async require(files: readonly string[]): Promise<void> {
    if (this.#loaded) for (const file of files) await importFile(file);
    else this.#preload.push(...files.filter((file) => file !== this.#options.entry));
  }

  /** Resolves with what the entry exports; rejects with what it throws. */
  async load(): Promise<AppExports> {
    const { entry, script, root, args, autoload } = this.#options;
    const settings: PlainSettings = { autoloading: autoload };
    Object.defineProperty(globalThis, PLAIN_SETTINGS, { configurable: true, value: settings });
    this.#loaded = true;
    // An app that is all JavaScript gets nothing: not a hook, not a compiler.
    if (isCompiled(entry) || existsSync(path.join(root, "tsconfig.json")))
      this.#loader = this.#installLoader(root, entry);
    if (this.#role === "process") {
      process.argv = [process.execPath, script, ...args];
      // Stacks in lines of the source. Plain JavaScript has no need of it, and would pay with each stack that is read.
      if (this.#loader) process.setSourceMapsEnabled(true);
    }
    for (const file of this.#preload) await importFile(file);
    if (this.#role === "process") this.#runMain(entry);
    const exported = isImportable(entry) ? await importFile(entry) : requireFile(entry);
    this.#loader?.appLoaded();
    return exported;
  }

  #installLoader(root: string, entry: string): InstalledLoader {
    const conditions = importConditions();
    const loader = installLoader({
      root,
      conditions,
      ahead: compileAhead({ root, conditions, files: [...this.#preload, entry] }),
    });
    this.#stopPassingOn = passLoaderOn(root);
    return loader;
  }

  unload(): void {
    this.#stopPassingOn?.();
    this.#loader?.uninstall();
  }

  /** `require.main` and the like are as under `node entry`. What was evaluated here is not evaluated again by `import()`. */
  #runMain(entry: string): void {
    if (!isCompiled(entry)) {
      runAsMain(entry);
      return;
    }
    if (this.#loader?.formatOf(entry) === "commonjs") runCommonJs(entry);
    else if (KNOWS_MAIN) runAsMain(entry);
  }
}

function importFile(file: string): Promise<AppExports> {
  return import(pathToFileURL(file).href) as Promise<AppExports>;
}

/** As `importFile`, for CommonJS that `import` refuses by its name. */
function requireFile(file: string): AppExports {
  const exports: unknown = createRequire(file)(file);
  return { ...(typeof exports === "object" ? exports : undefined), default: exports };
}
