/** What the text of a specifier says by itself, before the disk is asked. Pure. */
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { NODE_MAJOR } from "../node-version.js";
import type { ResolveKind } from "./compiled-module.js";

export type Specifier =
  | { readonly type: "builtin"; readonly name: string }
  /** Relative or absolute; `request` as the file system names it. */
  | { readonly type: "path"; readonly request: string }
  /** A package, its subpath, or `#imports`. */
  | { readonly type: "package"; readonly request: string }
  /** Can never lead anywhere. */
  | { readonly type: "invalid"; readonly code: string; readonly message: string };

const pathLike = /^(?:\.{1,2}(?:[/\\]|$)|\/)/;
const scheme = /^([a-z][a-z\d+.-]+):/i;

export function readSpecifier(specifier: string, kind: ResolveKind): Specifier {
  if (isBuiltin(specifier)) {
    return { type: "builtin", name: specifier.startsWith("node:") ? specifier : `node:${specifier}` };
  }
  if (specifier.startsWith("node:")) {
    return {
      type: "invalid",
      code: "ERR_UNKNOWN_BUILTIN_MODULE",
      message: `No such built-in module: ${specifier}`,
    };
  }
  if (kind === "require") {
    if (!pathLike.test(specifier)) return { type: "package", request: specifier };
    // A folder, and not what has its name and an extension.
    const isFolder = /(?:^|[/\\])\.{1,2}$/.test(specifier);
    return { type: "path", request: isFolder ? `${specifier}/` : specifier };
  }
  if (specifier.startsWith("data:")) return { type: "builtin", name: specifier };
  if (specifier.startsWith("file:")) return filePath(specifier);
  const [, protocol] = scheme.exec(specifier) ?? [];
  if (protocol !== undefined) {
    const isRemote = /^https?$/i.test(protocol);
    return {
      type: "invalid",
      code: "ERR_UNSUPPORTED_ESM_URL_SCHEME",
      message:
        `Only URLs with a scheme in: ${isRemote && NODE_MAJOR >= 22 ? "file and data" : "file, data, and node"} are supported by the default ESM loader. ` +
        `Received protocol '${protocol}:'`,
    };
  }
  if (!pathLike.test(specifier)) return { type: "package", request: specifier };
  // A relative specifier of an import is a URL: query and fragment are not part of the path, and `%20` is a space.
  const [pathname = ""] = specifier.split(/[?#]/, 1);
  if (/%2f|%5c/i.test(pathname)) {
    return {
      type: "invalid",
      code: "ERR_INVALID_MODULE_SPECIFIER",
      message: `Invalid module "${specifier}" must not include encoded "/" or "\\" characters`,
    };
  }
  return { type: "path", request: decoded(pathname) };
}

function filePath(url: string): Specifier {
  try {
    return { type: "path", request: fileURLToPath(new URL(url)) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return {
      type: "invalid",
      code: "ERR_INVALID_MODULE_SPECIFIER",
      message: `Invalid module "${url}": ${error.message}`,
    };
  }
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch (error) {
    if (error instanceof URIError) return pathname;
    throw error;
  }
}

/** An import without its query and fragment, and these, as they stand in the URL: empty without any. */
export function splitSearch(specifier: string, kind: ResolveKind): [plain: string, search: string] {
  if (kind === "require" || /^(?:data|node):/.test(specifier)) return [specifier, ""];
  const at = specifier.slice(1).search(/[?#]/) + 1;
  if (at === 0) return [specifier, ""];
  const { search, hash } = new URL(`file:///a${specifier.slice(at)}`);
  return [specifier.slice(0, at), search + hash];
}
