/** The file that starts the app of a project, as far as can be guessed. Pure. */
import { isImportable } from "../../common/compile/file-kind.js";

const FOLDERS = ["src", ".", "server", "app"];
const NAMES = ["main", "server", "index", "app"];
const EXTENSIONS = ["ts", "mts", "js", "mjs", "cts", "cjs", "tsx"];

export interface ProjectFiles {
  readonly manifest: { readonly main?: unknown; readonly scripts?: Readonly<Record<string, string>> };
  /** Whether the project has this file. */
  has(file: string): boolean;
}

/** Relative to the project; undefined: none was found. */
export function findEntry({ manifest, has }: ProjectFiles): string | undefined {
  const { scripts = {}, main } = manifest;
  const named = [scripts.dev, scripts.start, ...Object.values(scripts)].flatMap((script) => script?.split(/\s+/) ?? []);
  const fromScripts = named
    .map((word) => word.replace(/^["']|["']$/g, "").replace(/^\.\//, ""))
    .filter((word) => !word.startsWith("-") && isImportable(word) && word.includes("."));
  const guessed = FOLDERS.flatMap((folder) =>
    NAMES.flatMap((name) => EXTENSIONS.map((extension) => `${folder === "." ? "" : `${folder}/`}${name}.${extension}`)),
  );
  const sources = [...fromScripts, ...guessed].filter((file) => !BUILT.test(file));
  const given = typeof main === "string" ? [main.replace(/^\.\//, "")] : [];
  return [...sources, ...given, ...fromScripts].find(has);
}

/** What another tool has made of the source. */
const BUILT = /^(?:dist|build|lib|out)\//;
