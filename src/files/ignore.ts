/** `--ignore`: files that are never monitored. */
import path from "node:path";
import picomatch from "picomatch";

/** Globs are relative to `root`, or absolute; a folder's name alone means everything below it as well. */
export function ignoreFilter(root: string, globs: readonly string[]): (file: string) => boolean {
  if (globs.length === 0) return () => false;
  const absolute = globs.map((glob) => (path.isAbsolute(glob) ? glob : path.posix.join(picomatchPath(root), glob)));
  const matches = picomatch(
    absolute.flatMap((glob) => [glob, `${glob.replace(/\/$/, "")}/**`]),
    { dot: true },
  );
  return (file) => matches(picomatchPath(file));
}

function picomatchPath(file: string): string {
  return path.sep === "\\" ? file.replaceAll("\\", "/") : file;
}
