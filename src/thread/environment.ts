/** What the app's thread gets from outside: variables, import conditions, folders. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";

/** What the files of `--env-file` set; a later file wins. */
export function fileVariables(envFiles: readonly string[]): Record<string, string> {
  return Object.assign({}, ...envFiles.map((file) => parseEnv(readFileSync(file, "utf8"))));
}

/**
 * Conditions that this process was started with: `--conditions` and `-C` on its command line and in NODE_OPTIONS. The app
 * expects them to count for its own files too.
 */
export function importConditions(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions = process.env.NODE_OPTIONS,
): string[] {
  const flags = [...wordsOfNodeOptions(nodeOptions), ...execArgv];
  return flags.flatMap((flag, index) => {
    const [, inline] = /^(?:--conditions|-C)=(.*)$/s.exec(flag) ?? [];
    const condition = flag === "--conditions" || flag === "-C" ? flags[index + 1] : inline;
    return condition ? [condition] : [];
  });
}

/** As Node reads NODE_OPTIONS: words between spaces; in double quotes a backslash escapes. */
export function wordsOfNodeOptions(text = ""): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/gs) ?? [];
  return words.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"/gs, (_, quoted: string) => quoted.replace(/\\(.)/gs, "$1")),
  );
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
