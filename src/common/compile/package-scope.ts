/** package.json files: the nearest one above a file decides what its `.js` and `.ts` files are. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { isBelowPackages } from "../paths.js";
import { descriptorReserve } from "./descriptor-reserve.js";

/** `none`: the package.json has no `type`, or there is no package.json. */
export type PackageType = "module" | "commonjs" | "none";

interface PackageJson {
  readonly type?: unknown;
  readonly version?: unknown;
  readonly imports?: unknown;
}

export class PackageScopes {
  /** Folder to the type that holds in it. Lives until `forget`. */
  readonly #types = new Map<string, PackageType>();
  /** package.json path to its content, null when there is none. Lives until `forget`. */
  readonly #contents = new Map<string, PackageJson | null>();

  typeOf(file: string): PackageType {
    return this.#typeIn(path.dirname(file));
  }

  /** The package.json that governs `file`, if it maps no `#names` at all. */
  withoutImports(file: string): string | undefined {
    for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
      const manifest = path.join(folder, "package.json");
      const content = this.#read(manifest);
      if (content) return content.imports === undefined ? manifest : undefined;
      if (path.dirname(folder) === folder) return undefined;
    }
  }

  /** Major version of the package that a file in `folder` would get, undefined if it is not installed. */
  majorVersion(name: string, folder: string): number | undefined {
    for (let current = folder; ; current = path.dirname(current)) {
      const content = this.#read(path.join(current, "node_modules", name, "package.json"));
      if (content) return typeof content.version === "string" ? Number.parseInt(content.version, 10) : undefined;
      if (path.dirname(current) === current) return undefined;
    }
  }

  forget(): void {
    this.#types.clear();
    this.#contents.clear();
  }

  /** The package.json files that were read, those below node_modules left out. */
  files(): string[] {
    return [...this.#contents].filter(([file, content]) => content && !isBelowPackages(file)).map(([file]) => file);
  }

  #typeIn(folder: string): PackageType {
    const known = this.#types.get(folder);
    if (known) return known;
    const content = this.#read(path.join(folder, "package.json"));
    const above = path.dirname(folder);
    let type: PackageType;
    if (content) type = content.type === "module" || content.type === "commonjs" ? content.type : "none";
    else type = above === folder || path.basename(folder) === "node_modules" ? "none" : this.#typeIn(above);
    this.#types.set(folder, type);
    return type;
  }

  #read(file: string): PackageJson | null {
    const known = this.#contents.get(file);
    if (known !== undefined) return known;
    let content: PackageJson | null = null;
    try {
      const parsed: unknown = JSON.parse(descriptorReserve.during(() => readFileSync(file, "utf8")));
      content = typeof parsed === "object" && parsed !== null ? parsed : {};
    } catch (error) {
      // A package.json that does not parse still ends the search, as in Node; one that is not there does not.
      if (error instanceof SyntaxError) content = {};
    }
    this.#contents.set(file, content);
    return content;
  }
}
