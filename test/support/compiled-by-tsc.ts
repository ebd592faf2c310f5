/** Programs as tsc compiles them, file by file, in memory: no types are looked at. */
import { createRequire } from "node:module";
import path from "node:path";
import type { Program } from "./module-program.js";
import { packageFolders } from "./packages.js";

/** The part of TypeScript's own interface that is used here. */
interface TypeScript {
  parseJsonConfigFileContent(json: unknown, host: unknown, folder: string): { options: object };
  readonly sys: { readFile(file: string): string | undefined };
  getDefaultLibFilePath(options: object): string;
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

  /**
   * The program with JavaScript in place of its TypeScript; `tsconfig.json` is one of its files. Types of the language's own are
   * known where it names them (`lib`).
   */
  compile({ entry, files }: Program): Program {
    const ts = this.#typescript;
    const placed = new Map(
      Object.entries(files).map(([file, text]) => [path.posix.join(FOLDER, file), text.replace(/^\uFEFF/, "")]),
    );
    const roots = [...placed.keys()].filter((file) => isCompiled(file) && !file.includes("/node_modules/"));
    const config = JSON.parse(files["tsconfig.json"] ?? "{}") as { compilerOptions?: { lib?: unknown } };
    const hasLib = config.compilerOptions?.lib !== undefined;
    const libFolder = path.dirname(ts.getDefaultLibFilePath({}));
    const { options: given } = ts.parseJsonConfigFileContent({ ...config, files: roots }, ts.sys, FOLDER);
    const options = { jsx: 4, ...given, noLib: !hasLib, noCheck: true, types: [] };
    const compiled: Record<string, string> = Object.fromEntries(
      Object.entries(files).filter(([file]) => !isCompiled(file) || file.startsWith("node_modules/")),
    );
    const host = {
      getSourceFile: (file: string, how: unknown) => {
        const text = placed.get(file) ?? (file.startsWith(libFolder) ? ts.sys.readFile(file) : undefined);
        return text === undefined ? undefined : ts.createSourceFile(file, text, how);
      },
      getDefaultLibFileName: () => "lib.d.ts",
      getDefaultLibLocation: () => libFolder,
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
