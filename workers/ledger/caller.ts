/**
 * Who called a wrapped function, by the file: the app, a package, Node itself or this supervisor. Looked up only while
 * something would be noted in the ledger (5 us a look-up), never for what requests do.
 */
import { fileURLToPath } from "node:url";
import { TEXT_MARK } from "../../src/common/compile/cells.js";
import { isBelowPackages } from "../../src/common/paths.js";
import { isSupervisorCode } from "../runtime/supervisor-code.js";

export interface Caller {
  /** Of the first frame that is not Node's; `node` when there is none. */
  readonly kind: "own" | "package" | "supervisor" | "node";
  /** The file of that frame, a path or a URL; empty for `node`. */
  readonly file: string;
  /** Node's own files between that frame and the wrapped function, innermost first: `node:net`. */
  readonly through: readonly string[];
}

/** Node's streams and sockets are some frames deep. */
const FRAMES = 24;

/**
 * They stand between the app and what they wrap, and call nothing of their own there. Installed they are files of their own, too;
 * what several files share is not, so that each of these adapters wraps in its own.
 */
const PASSES_ON =
  /[\\/](?:workers[\\/](?:runtime[\\/]file-reads|adapters[\\/](?:ws|socket\.io))|src[\\/]common[\\/]started[\\/]wrap-starts)\.js$/;

/** The caller of `wrapper`, which is on the stack. `passed`: files that stand between them, too. */
export function callerOf(wrapper: (...args: never[]) => unknown, passed?: RegExp): Caller {
  const through: string[] = [];
  for (const file of filesAbove(wrapper)) {
    if (file.startsWith("node:")) through.push(file);
    else if (!PASSES_ON.test(file) && !passed?.test(file)) return { kind: kindOf(file), file, through };
  }
  return { kind: "node", file: "", through };
}

/** The innermost own file above `wrapper`, which is on the stack: for what happens outside of evaluations. */
export function ownFileAbove(wrapper: (...args: never[]) => unknown): string | undefined {
  const own = filesAbove(wrapper).find((file) => !file.startsWith("node:") && kindOf(file) === "own");
  return own?.startsWith("file:") ? fileURLToPath(own) : own;
}

/** Files of the app and of packages above `wrapper`, which is on the stack, innermost first. */
export function callersAbove(wrapper: (...args: never[]) => unknown): string[] {
  const files = filesAbove(wrapper).filter((file) => !file.startsWith("node:") && kindOf(file) !== "supervisor");
  return [...new Set(files.map((file) => (file.startsWith("file:") ? fileURLToPath(file) : file)))];
}

function kindOf(file: string): Caller["kind"] {
  if (isSupervisorCode(file)) return "supervisor";
  return isBelowPackages(file) ? "package" : "own";
}

/** A body that was swapped is evaluated under its file's name. */
function fileOf(site: NodeJS.CallSite): string | undefined {
  const named = site.getFileName();
  if (named) return named;
  const source = site.getScriptNameOrSourceURL() as string | null;
  return source?.includes(TEXT_MARK) ? source.slice(0, source.indexOf(TEXT_MARK)) : undefined;
}

/** Files of the frames, innermost first; frames of builtins that have no file (`Array.map`) are left out. */
function filesAbove(wrapper: (...args: never[]) => unknown): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = FRAMES;
  Error.prepareStackTrace = (_, sites) =>
    sites.flatMap((site) => ((site as { isAsync?(): boolean }).isAsync?.() ? [] : (fileOf(site) ?? [])));
  try {
    Error.captureStackTrace(holder, wrapper);
    // While Node writes the stack of an error, for which source maps are read, it gives no frames of another.
    return Array.isArray(holder.stack) ? (holder.stack as string[]) : [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace) Error.prepareStackTrace = prepareStackTrace;
    else Reflect.deleteProperty(Error, "prepareStackTrace");
  }
}
