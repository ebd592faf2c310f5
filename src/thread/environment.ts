/** What the app's thread gets from outside: folders. */
import path from "node:path";

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
