/** What a process or a thread of the app's evaluates: its file, and what that leads to, as far as the texts tell. */
import { statSync } from "node:fs";
import path from "node:path";
import type { PreparedModule, Resolution, ResolveKind } from "../compile/compiled-module.js";
import { isCompiled } from "../compile/file-kind.js";
import { MISSING } from "../compile/hash.js";
import { ResolveError } from "../errors.js";
import { isBelowPackages } from "../paths.js";

export interface ClosureCompiler {
  prepare(file: string): PreparedModule;
  resolve(specifier: string, importer: string, kind: ResolveKind): Resolution;
}

export interface ClosureFile {
  readonly file: string;
  /** Of what the process or thread has read; undefined: it is not known. */
  readonly hash: string | undefined;
  /** What it was made of; undefined for what does not compile, and for what is not there. */
  readonly module?: PreparedModule;
}

/** It was changed after the process had begun, so that what that has read is not known: equal to no hash. */
const CHANGED_SINCE = "changed since";

/**
 * Own files from `entry` on: static imports, literal `require()` and `import()`. A file that imports name and that is not
 * there is among them, since the next start would find it. `since`: milliseconds since 1970 at which the process was started.
 */
export function closureOf(compiler: ClosureCompiler, entry: string, since = Number.POSITIVE_INFINITY): ClosureFile[] {
  const found: ClosureFile[] = [];
  // A Set is walked in insertion order, entries added on the way included.
  const reached = new Set([entry]);
  for (const file of reached) {
    const modified = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (modified === undefined) {
      found.push({ file, hash: MISSING });
      continue;
    }
    const module = preparedOrNone(compiler, file, (missing) => reached.add(missing));
    found.push({
      file,
      hash: modified > since ? CHANGED_SINCE : module?.compiled.hash,
      ...(module && { module }),
    });
    if (!module) continue;
    for (const next of targets(compiler, module)) if (!isBelowPackages(next)) reached.add(next);
  }
  return found;
}

/** Whether Node alone cannot evaluate what `entry` leads to. */
export function leadsToCompiled(compiler: ClosureCompiler, entry: string): boolean {
  return closureOf(compiler, entry).some(({ file, hash }) => hash !== MISSING && isCompiled(file));
}

/** Nothing for what does not compile: the process that evaluates the file says why. */
function preparedOrNone(
  compiler: ClosureCompiler,
  file: string,
  missing: (file: string) => void,
): PreparedModule | undefined {
  try {
    return compiler.prepare(file);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof ResolveError && isRelative(error.specifier))
      missing(path.resolve(path.dirname(error.importer), error.specifier));
    return undefined;
  }
}

function isRelative(specifier: string): boolean {
  return /^\.\.?\//.test(specifier);
}

function targets(compiler: ClosureCompiler, { compiled, imports, requires }: PreparedModule): string[] {
  const files = [...imports, ...Object.values(requires)].flatMap((to) => (to.type === "file" ? [to.file] : []));
  const late = compiled.dynamicImports.map((specifier) => [specifier, "import"] as const);
  const missing = compiled.requires
    .filter((specifier) => !Object.hasOwn(requires, specifier))
    .map((specifier) => [specifier, "require"] as const);
  for (const [specifier, kind] of [...late, ...missing]) {
    try {
      const to = compiler.resolve(specifier, compiled.file, kind);
      if (to.type === "file") files.push(to.file);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (isRelative(specifier)) files.push(path.resolve(path.dirname(compiled.file), specifier));
    }
  }
  return files;
}
