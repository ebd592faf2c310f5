/** What paths say about files, and how people are shown them. */
import path from "node:path";

/** Of paths and of `file:` URLs. */
const BELOW_PACKAGES = /[\\/]node_modules[\\/]/;
const PACKAGE = /^(.*[\\/]node_modules[\\/])((?:@[^\\/]+[\\/])?[^\\/]+)(?:[\\/]|$)/;

/** Whether a path or `file:` URL leads to what was installed, so that it is no code of the app's own. */
export function isBelowPackages(file: string): boolean {
  return BELOW_PACKAGES.test(file);
}

/** The innermost package that a file, or a folder of one, belongs to; undefined for what is in none. */
export function packageOf(file: string): { readonly name: string; readonly folder: string } | undefined {
  const [, above, below] = PACKAGE.exec(file) ?? [];
  if (above === undefined || below === undefined) return undefined;
  return { name: below.replace("\\", "/"), folder: above + below };
}

/** Whether a folder of this name may hold own files: hidden ones and those of packages do not. */
export function mayHoldOwnFiles(name: string): boolean {
  return !name.startsWith(".") && name !== "node_modules";
}

/** Relative to `folder` where that is shorter to read: below it, or near it. What is no path of a file stays as it is. */
export function shownPath(file: string, folder: string): string {
  if (!path.isAbsolute(file)) return file;
  const relative = path.relative(folder, file);
  return relative === "" || relative.startsWith(path.join("..", "..", "..")) ? file : relative;
}

/** Where main answers what the worker passes on to it: see src/panel/session-door.ts. */
export function sessionDoorOf(folder: string): string {
  return localSocketPath(folder, "own");
}

/** Where a server within this process listens: a socket in `folder`, or a pipe that is named after it. Keep `name` short. */
export function localSocketPath(folder: string, name: string): string {
  // Paths of unix sockets are limited to about 100 bytes.
  return process.platform === "win32"
    ? `\\\\.\\pipe\\${path.basename(folder)}-${name}`
    : path.join(folder, `${name}.sock`);
}
