/** Options name files and folders by relative paths: they are looked for here, once, and become absolute. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { isCompiled } from "../common/compile/file-kind.js";
import { EntryError, OptionError } from "../common/errors.js";
import { absoluteGlob, isGlob, placedPattern } from "../common/globs.js";
import { checkOptions, nameOf, type OptionOrigin, shown } from "./check-options.js";
import { importedPackage } from "./imported-package.js";
import { type GivenOptions, type OptionName, optionTable } from "./option-table.js";
import { nearestPackageFolder } from "./project-root.js";

const SOURCE_EXTENSIONS = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"] as const;

/** `script`: the entry as `process.argv[1]` has it. */
export type PlacedOptions = GivenOptions & { readonly script?: string };

/**
 * The options of one place, checked; relative paths start from `folder`.
 * @throws OptionError
 * @throws EntryError when the entry cannot be found.
 */
export function placedOptions(input: unknown, folder: string, origin: OptionOrigin): PlacedOptions {
  const given = checkOptions(input, origin);
  const cwd = realpathSync(folder);
  const { entry, root, require, depend, envFile, adapters, ignore, quiet } = given;
  const main = entry === undefined ? undefined : findEntry(entry, cwd, origin);
  const givenRoot = root === undefined ? undefined : existingFolder(root, cwd, origin);
  const project = givenRoot ?? (main === undefined ? cwd : nearestPackageFolder(main));
  return {
    ...(quiet && { logLevel: "warn" }),
    ...given,
    ...(main !== undefined && { entry: main, script: scriptOf(entry ?? main, main, cwd) }),
    ...(givenRoot !== undefined && { root: givenRoot }),
    ...(require && { require: require.map((pattern) => existingPattern(pattern, project, origin)) }),
    ...(depend && { depend: placedDependencies(depend, project) }),
    ...(envFile && { envFile: envFile.map((file) => existingFile("envFile", file, cwd, origin)) }),
    ...(adapters && { adapters: adapters.map((name) => existingModule("adapters", name, cwd, origin)) }),
    ...(ignore && { ignore: ignore.map((pattern) => absoluteGlob(pattern, cwd)) }),
  };
}

/**
 * The main file as `node <entry>` would find it: the file, the file with an extension, the `main` of the folder's
 * package.json, or the folder's index file.
 */
function findEntry(given: string, cwd: string, origin: OptionOrigin): string {
  const found = mainFile(path.resolve(cwd, given));
  if (found === undefined) throw new EntryError(`cannot find the entry ${given}: no such file in ${cwd}`);
  const entry = realpathSync(found);
  // Everything else is JavaScript to `node`, whatever its name: `bin/www` has no extension.
  if (/\.(?:json|node|wasm)$/.test(entry))
    throw new OptionError(
      `${nameOf("entry", origin)} ${shown(given)}: expected a file that ends in ${SOURCE_EXTENSIONS.join(", ")}, or has no extension`,
    );
  return entry;
}

/**
 * Node does not look for what it has been given: a folder, a link and a name without extension stay. What it cannot find by such
 * a name (TypeScript) is named in full, so that the app can start it again.
 */
function scriptOf(given: string, entry: string, cwd: string): string {
  const named = path.resolve(cwd, given);
  return isCompiled(entry) && !isFile(named) ? entry : named;
}

function mainFile(wanted: string): string | undefined {
  const file = [wanted, ...withExtensions(wanted)].find(isFile);
  if (file !== undefined || !statSync(wanted, { throwIfNoEntry: false })?.isDirectory()) return file;
  const main = mainOf(wanted);
  const named = main === undefined ? [] : [main, ...withExtensions(main), ...withExtensions(path.join(main, "index"))];
  return [...named, ...withExtensions(path.join(wanted, "index"))].find(isFile);
}

/** The `main` of a folder's package.json. */
function mainOf(folder: string): string | undefined {
  const manifest = path.join(folder, "package.json");
  if (!isFile(manifest)) return undefined;
  try {
    const { main } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly main?: unknown };
    return typeof main === "string" && main !== "" ? path.resolve(folder, main) : undefined;
  } catch (error) {
    // The index file is what is left.
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function withExtensions(file: string): string[] {
  return SOURCE_EXTENSIONS.map((extension) => file + extension);
}

function existingFolder(given: string, cwd: string, origin: OptionOrigin): string {
  const folder = path.resolve(cwd, given);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new OptionError(
      `${nameOf("root", origin)} ${shown(given)}: expected ${optionTable.root.fits}, and there is none at ${folder}`,
    );
  return realpathSync(folder);
}

function existingFile(option: OptionName, given: string, cwd: string, origin: OptionOrigin): string {
  const file = path.resolve(cwd, given);
  if (!isFile(file)) throw new OptionError(`${nameOf(option, origin)} ${shown(given)}: there is no such file`);
  return file;
}

/** A file, or a package that the project has installed. */
function existingModule(option: OptionName, given: string, cwd: string, origin: OptionOrigin): string {
  const file = path.resolve(cwd, given);
  if (isFile(file)) return realpathSync(file);
  try {
    return createRequire(path.join(cwd, "package.json")).resolve(given);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const imported = importedPackage(given, cwd);
    if (imported !== undefined) return imported;
    throw new OptionError(`${nameOf(option, origin)} ${shown(given)}: there is no such file or package`);
  }
}

/** A glob may match nothing today and a file tomorrow; a plain path must exist. */
function existingPattern(given: string, folder: string, origin: OptionOrigin): string {
  if (!isGlob(given) && !existsSync(path.resolve(folder, given)))
    throw new OptionError(`${nameOf("require", origin)} ${shown(given)}: there is no such file or folder`);
  return placedPattern(given, folder);
}

/** Either side may come later. */
function placedDependencies(depend: Readonly<Record<string, readonly string[]>>, folder: string) {
  const entries = Object.entries(depend).map(
    ([dependency, files]) =>
      [placedPattern(dependency, folder), files.map((file) => placedPattern(file, folder))] as const,
  );
  return Object.fromEntries(entries);
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}
