/** What the app's thread gets from outside: variables, folders. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";

/** What the files of `--env-file` set; a later file wins. */
export function fileVariables(envFiles: readonly string[]): Record<string, string> {
  return Object.assign({}, ...envFiles.map((file) => parseEnv(readFileSync(file, "utf8"))));
}

/** Where compiled code is kept between runs. */
export function cacheFolder(root: string): string {
  return path.join(root, "node_modules", ".cache", "unreloader");
}

/** Files below the root whose change means that packages or the compiler's settings may have changed. */
export function installedPackageFiles(root: string): string[] {
  return [
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "tsconfig.json",
    "node_modules/.package-lock.json",
    "node_modules/.modules.yaml",
    "node_modules/.yarn-state.yml",
  ].map((file) => path.join(root, file));
}
