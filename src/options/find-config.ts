/** Where a project keeps its options: a file of its own, or a key of package.json. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { errorText, OptionError } from "../common/errors.js";
import { nearestPackageFolder } from "./project-root.js";

export type ConfigPlace =
  /** `unreloader.config.*` */
  | { readonly type: "file"; readonly file: string }
  /** package.json has the key; these are the options below it. */
  | { readonly type: "key"; readonly file: string; readonly options: unknown };

const FILE_NAMES = ["ts", "js", "mjs", "json"].map((extension) => `unreloader.config.${extension}`);
const KEY = "unreloader";

/**
 * The configuration in the first of these folders that has one; folders are not added up.
 * @throws OptionError when a folder has more than one: which of them wins would be a guess.
 */
export function findConfig(folders: Iterable<string>): ConfigPlace | undefined {
  for (const folder of folders) {
    const places = placesIn(folder);
    const [first, second] = places;
    if (second) {
      const names = places.map(nameOf).join(" and ");
      throw new OptionError(`${names}, in ${folder}, both configure unreloader: keep one of them`);
    }
    if (first) return first;
  }
  return undefined;
}

/** Where a configuration may lie, best place first: the project of the entry, then the working folder. */
export function configFolders(input: Readonly<Record<string, unknown>>, cwd: string): string[] {
  const folders = [path.resolve(cwd)];
  if (typeof input.root === "string") folders.unshift(path.resolve(cwd, input.root));
  else if (typeof input.entry === "string") folders.unshift(nearestPackageFolder(path.resolve(cwd, input.entry)));
  return [...new Set(folders)];
}

function placesIn(folder: string): ConfigPlace[] {
  const places: ConfigPlace[] = [];
  for (const name of FILE_NAMES) {
    const file = path.join(folder, name);
    if (existsSync(file)) places.push({ type: "file", file });
  }
  const options = keyOf(path.join(folder, "package.json"));
  if (options !== undefined) places.push({ type: "key", file: path.join(folder, "package.json"), options });
  return places;
}

/** What stands below the key in a package.json; undefined when there is no such file or no such key. */
export function keyOf(file: string): unknown {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  // Whether the rest of it is valid JSON does not matter here: the resolver says so when it needs it.
  if (!text.includes(`"${KEY}"`)) return undefined;
  const manifest: unknown = parseJson(text, file);
  return typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, KEY) : undefined;
}

/** @throws OptionError naming the file. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new OptionError(`${path.basename(file)} is not valid JSON: ${errorText(error)}`);
  }
}

function nameOf({ type, file }: ConfigPlace): string {
  return type === "file" ? path.basename(file) : `the key "${KEY}" of package.json`;
}
