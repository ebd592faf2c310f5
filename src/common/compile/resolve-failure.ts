/** Errors for specifiers that lead nowhere, in Node's words and with Node's codes. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ResolveError } from "../errors.js";

export interface FailedSpecifier {
  readonly specifier: string;
  readonly importer: string;
}

export function resolutionFailure(
  message: string,
  failed: FailedSpecifier & { readonly code: string; readonly url?: string },
): ResolveError {
  const { specifier, importer, code, url } = failed;
  return new ResolveError(message, specifier, importer, code, undefined, undefined, url);
}

/** An import of a file or folder, by its absolute path. */
export function pathNotFound(target: string, isFolder: boolean, failed: FailedSpecifier): ResolveError {
  const { importer, specifier } = failed;
  const { href: url } = URL.canParse(specifier) ? new URL(specifier) : new URL(specifier, pathToFileURL(importer));
  return isFolder
    ? resolutionFailure(
        `Directory import '${url.endsWith("/") ? path.join(target, path.sep) : target}' is not supported resolving ES modules imported from ${importer}`,
        { ...failed, code: "ERR_UNSUPPORTED_DIR_IMPORT", url },
      )
    : resolutionFailure(`Cannot find module '${target}' imported from ${importer}`, {
        ...failed,
        code: "ERR_MODULE_NOT_FOUND",
        url,
      });
}

/** An import of a file whose name says nothing of what it is. */
export function unknownExtension(target: string, failed: FailedSpecifier): ResolveError {
  const message = `Unknown file extension "${path.extname(target)}" for ${target}`;
  return resolutionFailure(message, { ...failed, code: "ERR_UNKNOWN_FILE_EXTENSION" });
}

/** A `#name` in a package whose package.json maps none. */
export function importNotDefined(manifest: string, failed: FailedSpecifier): ResolveError {
  const message = `Package import specifier "${failed.specifier}" is not defined in package ${manifest}`;
  return resolutionFailure(`${message} imported from ${failed.importer}`, {
    ...failed,
    code: "ERR_PACKAGE_IMPORT_NOT_DEFINED",
  });
}

/** `@scope/name` or `name` at the start of a specifier. */
export function packageName(specifier: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}

/**
 * An import of a package, a subpath or `#name`. `reason` is what the resolver library says, `folder` where the package is
 * installed, if it is.
 */
export function packageNotFound(reason: string, folder: string | undefined, failed: FailedSpecifier): ResolveError {
  const { specifier, importer } = failed;
  const fail = (code: string, message: string): ResolveError =>
    resolutionFailure(`${message} imported from ${importer}`, { ...failed, code });
  const unexported = /^"(.+?)" is not exported .*\(see exports field in (.+)\)$/s.exec(reason);
  if (unexported) {
    const [, subpath = "", file = ""] = unexported;
    return fail(
      "ERR_PACKAGE_PATH_NOT_EXPORTED",
      subpath === "."
        ? `No "exports" main defined in ${file}`
        : `Package subpath '${subpath}' is not defined by "exports" in ${file}`,
    );
  }
  if (/^Package import specifier/.test(reason)) return fail("ERR_PACKAGE_IMPORT_NOT_DEFINED", reason);
  if (/^Invalid "(?:exports|imports)" target/.test(reason)) return fail("ERR_INVALID_PACKAGE_TARGET", reason);
  if (/^Invalid module/.test(reason)) return fail("ERR_INVALID_MODULE_SPECIFIER", reason);
  const name = packageName(specifier);
  if (!specifier.startsWith("#") && !/^(?:@[^/\\%]+\/)?[^@.\\%][^\\%]*$/.test(name))
    return fail("ERR_INVALID_MODULE_SPECIFIER", `Invalid module "${specifier}" is not a valid package name`);
  return fail(
    "ERR_MODULE_NOT_FOUND",
    folder === undefined || specifier === name
      ? `Cannot find package '${name}'`
      : `Cannot find module '${folder}${specifier.slice(name.length)}'`,
  );
}
