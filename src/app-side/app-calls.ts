/**
 * The calls of `unreloader/app` that take paths: loaded with the first of them, as it loads a glob library. Under a
 * supervisor its thread does the work; without one, files are simply loaded, by Node itself.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { matchingSourceFiles } from "../common/globs.js";
import {
  checkRequireOptions,
  existingPatterns,
  givenNames,
  type Patterns,
  placedDependency,
  placedPath,
  placedPatterns,
  type RequireOptions,
} from "../common/patterns.js";
import {
  findAppHost,
  findPlainSettings,
  type MonitoredHost,
  type MonitorRequest,
} from "../common/protocol/app-host.js";
import { namedExport } from "../common/protocol/named-export.js";

type NameOf = (file: string) => string | readonly string[];

export async function requireFiles(
  caller: string | undefined,
  paths: Patterns,
  options: RequireOptions,
): Promise<void> {
  const request = monitorRequest("require", caller, paths, options);
  const host = hostOf();
  if (host) return host.require(request);
  for (const file of request.list()) await import(pathToFileURL(file).href);
}

export function requireFilesSync(caller: string | undefined, paths: Patterns, options: RequireOptions): void {
  const request = monitorRequest("requireSync", caller, paths, options);
  const host = hostOf();
  if (host) host.requireSync(request);
  else for (const file of request.list()) loadPlain(caller, file);
}

export function autoload(caller: string | undefined, paths: Patterns, nameOf: NameOf, target: object): void {
  const request = monitorRequest("autoload", caller, paths, {});
  const namesOf = (file: string) => givenNames("autoload", file, nameOf(file)) ?? [];
  const host = hostOf();
  if (host) {
    host.autoload({ ...request, namesOf, target });
    return;
  }
  const files = request.list();
  if (!findPlainSettings()?.autoloading) for (const file of files) loadPlain(caller, file);
  for (const file of files) {
    for (const name of namesOf(file)) {
      const get = (): unknown => namedExport(loadPlain(caller, file), name);
      Object.defineProperty(target, name, { configurable: true, enumerable: true, get });
    }
  }
}

export function recordDependency(caller: string | undefined, dependency: Patterns, files: readonly Patterns[]): void {
  const host = hostOf();
  const placed = unobserved(() => placedDependency("recordDependency", [dependency, ...files], folderOf(caller)));
  host?.recordDependency({ caller, ...placed });
}

export function recordSplitClass(caller: string | undefined, main: string | URL, parts: readonly Patterns[]): void {
  const call = "recordSplitClass";
  const folder = folderOf(caller);
  const split = unobserved(() => ({
    main: placedPath(call, main, folder),
    parts: placedPatterns(call, parts, folder),
  }));
  hostOf()?.recordSplitClass({ caller, ...split });
}

function monitorRequest(
  call: string,
  caller: string | undefined,
  paths: Patterns,
  options: RequireOptions,
): MonitorRequest {
  checkRequireOptions(call, options);
  const { onDelete, classes } = options;
  const globs = unobserved(() => existingPatterns(call, paths, folderOf(caller)));
  return {
    caller,
    globs,
    list: () => matchingSourceFiles(globs).filter((file) => file !== caller),
    onDelete,
    classNames: typeof classes === "function" ? (file) => givenNames(call, file, classes(file)) : undefined,
  };
}

function hostOf(): MonitoredHost | undefined {
  return findAppHost()?.monitored;
}

/** What is looked up for a call is not what the app reads. */
function unobserved<Result>(run: () => Result): Result {
  const host = hostOf();
  return host ? host.unobserved(run) : run();
}

function folderOf(caller: string | undefined): string {
  return caller === undefined ? process.cwd() : path.dirname(caller);
}

function loadPlain(caller: string | undefined, file: string): unknown {
  return createRequire(caller ?? path.join(process.cwd(), "app.js"))(file);
}
