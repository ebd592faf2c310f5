/** Programs as tsc compiles them, file by file, in memory: no types are looked at. */
import { createRequire } from "node:module";
import path from "node:path";
import type { Program } from "./module-program.js";
import { packageFolders } from "./packages.js";

/** The part of TypeScript's own interface that is used here. */
interface TypeScript {
  parseJsonConfigFileContent(json: unknown, host: unknown, folder: string): { options: object };
  readonly sys: unknown;
  createSourceFile(file: string, text: string, how: unknown): object;
  createProgram(files: readonly string[], options: object, host: object): { emit(): unknown };
}

const FOLDER = "/program";

export class Tsc {
  readonly #typescript: TypeScript;

  constructor() {
    const [folder = ""] = packageFolders(["typescript5"]);
    this.#typescript = createRequire(import.meta.url)(folder) as TypeScript;
  }

  /** The program with JavaScript in place of its TypeScript; `tsconfig.json` is one of its files. */
  compile({ entry, files }: Program): Program {
    const ts = this.#typescript;
    const placed = new Map(
      Object.entries(files).map(([file, text]) => [path.posix.join(FOLDER, file), text.replace(/^\uFEFF/, "")]),
    );
    const roots = [...placed.keys()].filter((file) => isCompiled(file) && !file.includes("/node_modules/"));
    const config = JSON.parse(files["tsconfig.json"] ?? "{}") as object;
    const { options: given } = ts.parseJsonConfigFileContent({ ...config, files: roots }, ts.sys, FOLDER);
    const options = { jsx: 4, ...given, noLib: true, noCheck: true, types: [] };
    const compiled: Record<string, string> = Object.fromEntries(
      Object.entries(files).filter(([file]) => !isCompiled(file) || file.startsWith("node_modules/")),
    );
    const host = {
      getSourceFile: (file: string, how: unknown) => {
        const text = placed.get(file);
        return text === undefined ? undefined : ts.createSourceFile(file, text, how);
      },
      getDefaultLibFileName: () => "lib.d.ts",
      getCurrentDirectory: () => FOLDER,
      getCanonicalFileName: (file: string) => file,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => "\n",
      fileExists: (file: string) => placed.has(file),
      readFile: (file: string) => placed.get(file),
      writeFile: (file: string, text: string) => {
        compiled[path.posix.relative(FOLDER, file)] = text;
      },
    };
    ts.createProgram(roots, options, host).emit();
    return { entry: asJavaScript(entry), files: compiled };
  }
}

function isCompiled(file: string): boolean {
  return /\.(?:[cm]?ts|tsx)$/.test(file);
}

function asJavaScript(file: string): string {
  return file.replace(/\.([cm]?)tsx?$/, ".$1js");
}
