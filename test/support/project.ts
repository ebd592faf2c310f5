/** Where the project lies, seen from compiled tests in any output folder. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder with the project's own package.json. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The command line as it is installed, from `npm run build`. */
export const cliFile = join(projectRoot, "lib/src/terminal/cli.js");

function findRoot(folder: string): string {
  const manifest = join(folder, "package.json");
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "unreloader") return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("the tests must lie below the project's folder");
  return findRoot(above);
}
