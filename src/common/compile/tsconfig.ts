/** The tsconfig.json that governs a file: found upwards, `extends` followed. The only file that knows its format. */
import path from "node:path";
import { createPathsMatcher, getTsconfig, type TsConfigResult } from "get-tsconfig";
import { CompileError, errorText } from "../errors.js";
import type { PackageScopes } from "./package-scope.js";
import { type TypeScriptOptions, type TypeScriptSettings, typeScriptSettings } from "./tsconfig-settings.js";

export interface ProjectConfig {
  /** Absent when no tsconfig.json governs the file. */
  readonly file: string | undefined;
  readonly settings: TypeScriptSettings;
  /** Equal for equal settings: part of what a compiled module is cached by. */
  readonly settingsKey: string;
  /** Absolute paths (extension perhaps missing) that `paths` and `baseUrl` give for a specifier, best first. */
  readonly mapped: (specifier: string) => readonly string[];
}

export class Tsconfigs {
  readonly #packages: PackageScopes;
  /** Folder to what governs the files in it. Lives until `forget`. */
  readonly #byFolder = new Map<string, ProjectConfig>();
  /** Path of a tsconfig.json to what it says. Lives until `forget`. */
  readonly #byFile = new Map<string, ProjectConfig>();
  /** get-tsconfig's own cache of what it read. Lives until `forget`. */
  #reads = new Map<string, unknown>();

  constructor(packages: PackageScopes) {
    this.#packages = packages;
  }

  /** Throws CompileError when the governing tsconfig.json cannot be read. */
  of(file: string): ProjectConfig {
    const folder = path.dirname(file);
    let config = this.#byFolder.get(folder);
    if (!config) {
      config = this.#read(folder);
      this.#byFolder.set(folder, config);
    }
    return config;
  }

  forget(): void {
    this.#byFolder.clear();
    this.#byFile.clear();
    this.#reads = new Map();
  }

  /** Every configuration file that was read, the extended ones included. */
  files(): string[] {
    const files: string[] = [];
    for (const [key] of this.#reads) {
      const file = /^readFileSync:(.+\.json):utf8$/.exec(key)?.[1];
      if (file !== undefined) files.push(path.resolve(file));
    }
    return files;
  }

  #read(folder: string): ProjectConfig {
    let found: TsConfigResult | null;
    try {
      found = getTsconfig(folder, "tsconfig.json", this.#reads);
    } catch (error) {
      const reason = errorText(error);
      throw new CompileError(`the tsconfig.json for ${folder} cannot be read: ${reason}`, undefined, undefined, {
        cause: error,
      });
    }
    const known = this.#byFile.get(found?.path ?? "");
    if (known) return known;
    const settings = typeScriptSettings(
      (found?.config.compilerOptions ?? {}) as TypeScriptOptions,
      this.#packages.majorVersion("typescript", found ? path.dirname(found.path) : folder),
    );
    const matcher = found ? createPathsMatcher(found) : null;
    const config: ProjectConfig = {
      file: found?.path,
      settings,
      settingsKey: JSON.stringify(settings),
      mapped: (specifier) => matcher?.(specifier) ?? [],
    };
    if (found) this.#byFile.set(found.path, config);
    return config;
  }
}
