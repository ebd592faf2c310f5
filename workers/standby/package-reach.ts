/** Which packages a package may load or touch while it is loaded: those that it declares, and theirs. */
import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { packageOf } from "../../src/common/paths.js";

const DECLARATIONS = ["dependencies", "optionalDependencies", "peerDependencies"] as const;

type Manifest = { readonly [Name in (typeof DECLARATIONS)[number]]?: Readonly<Record<string, string>> };

export class PackageReach {
  /** Folder of a package -> folders of those that it declares. As many as are looked at. */
  readonly #declared = new Map<string, readonly string[]>();

  /** File, and more folders -> what was found. As many as are asked for. */
  readonly #found = new Map<string, ReadonlySet<string>>();

  /** Folders of the package of `file` and of all that can be reached from it, and from the packages `more`. */
  of(file: string, more: readonly string[] = []): ReadonlySet<string> {
    const key = [file, ...more].join("\n");
    const known = this.#found.get(key);
    if (known) return known;
    const folder = packageFolder(file);
    // Set iteration takes in what is added on the way.
    const reached = new Set([...(folder === undefined ? [file] : [folder]), ...more]);
    for (const found of reached) for (const declared of this.#declaredBy(found)) reached.add(declared);
    this.#found.set(key, reached);
    return reached;
  }

  #declaredBy(folder: string): readonly string[] {
    let found = this.#declared.get(folder);
    if (!found) {
      const manifest = readManifest(folder);
      const names = DECLARATIONS.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
      found = names.flatMap((name) => installed(folder, name) ?? []);
      this.#declared.set(folder, found);
    }
    return found;
  }
}

/** The innermost package that a file belongs to; undefined for a file that is in none. */
export function packageFolder(file: string): string | undefined {
  return packageOf(file)?.folder;
}

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
  } catch (error) {
    // Without one, or with one that Node could not read either: it declares nothing.
    if (error instanceof Error) return {};
    throw error;
  }
}

/** Where Node finds the package `name` from `folder`. */
function installed(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    if (path.basename(at) !== "node_modules") {
      const found = realPath(path.join(at, "node_modules", name));
      if (found !== undefined) return found;
    }
    if (path.dirname(at) === at) return undefined;
  }
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch (error) {
    // Most folders on the way up have no such package.
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
