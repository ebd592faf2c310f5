/**
 * `exports` and `imports` of package.json as Node's own loader reads them, where the resolver library finds nothing: they have URLs
 * (`%20`), which the library takes for paths, and Node knows best what is wrong with them.
 */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { ResolveError } from "../errors.js";
import { lookUpAsNode } from "../node-lookup.js";
import { type FailedSpecifier, packageName, resolutionFailure } from "./resolve-failure.js";

/** Where the package that `request` names is installed for `importer`; undefined if it is not. */
export function packageFolder(request: string, importer: string): string | undefined {
  const name = packageName(request);
  for (let folder = path.dirname(importer); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, "node_modules", name);
    if (statSync(candidate, { throwIfNoEntry: false })?.isDirectory()) return candidate;
    if (path.dirname(folder) === folder) return undefined;
  }
}

/** The file, or why there is none; undefined: no package.json maps it. `folder`: of the package that is named. */
export function lookUpMapped(
  request: string,
  folder: string | undefined,
  failed: FailedSpecifier,
  conditions: readonly string[],
): string | ResolveError | undefined {
  if (!request.startsWith("#") && (folder === undefined || !hasExports(folder))) return undefined;
  try {
    return lookUpAsNode(request, failed.importer, conditions);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return asImport(error, failed);
  }
}

function hasExports(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    return typeof manifest === "object" && manifest !== null && "exports" in manifest;
  } catch (error) {
    // Missing, or not JSON: told by who reads it.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** In the words that Node has for an import. */
function asImport(error: NodeJS.ErrnoException, failed: FailedSpecifier): ResolveError | undefined {
  const { code = "" } = error;
  const [message = ""] = error.message.split("\n", 1);
  const [, file] = /^Cannot find module '(.*)'$/.exec(message) ?? [];
  const from = error.message.includes(" imported from ") ? "" : ` imported from ${failed.importer}`;
  if (code === "MODULE_NOT_FOUND" && file !== undefined && path.isAbsolute(file)) {
    const { href: url } = pathToFileURL(file);
    return resolutionFailure(`${message}${from}`, { ...failed, code: "ERR_MODULE_NOT_FOUND", url });
  }
  if (code === "ERR_INVALID_PACKAGE_CONFIG") {
    const importing = ` while importing ${pathToFileURL(failed.importer).href}`;
    return resolutionFailure(message.replace(/(?=\. )/, importing), { ...failed, code });
  }
  if (!/^ERR_(?:PACKAGE_|INVALID_)/.test(code)) return undefined;
  return resolutionFailure(message.replace(/(?=; targets must)|$/, from), { ...failed, code });
}
