/** Where in the user's source a thread is that does not answer, from the stack that the inspector has shown. */
import path from "node:path";
import { codeFrame, type TextPosition } from "../common/compile/code-frame.js";
import type { CompiledModule } from "../common/compile/compiled-module.js";
import { originalPlace } from "../common/compile/original-place.js";
import type { TraceMap } from "../common/compile/trace-map.js";
import { pathOf } from "../common/file-url.js";
import { isBelowPackages, shownPath } from "../common/paths.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";
import type { SourceFrame, StackFrame } from "./thread-inspection.js";

export interface StuckPlace {
  /** In the nearest module of the app's own; undefined: none is on the stack. */
  readonly location: SourceLocation | undefined;
  /** The lines around it. */
  readonly frame: string | undefined;
  /** What the app has called there, when that is a package's or Node's: `parse (node_modules/marked/lib/marked.js:12:5)`. */
  readonly inside: string | undefined;
}

export interface PlaceContext {
  readonly root: string;
  /** Where the supervisor's own code lies, which runs between the app's: absolute paths that end with a separator. */
  readonly ownFolders: readonly string[];
  /** The versions of a file that the thread may be running, likeliest first; none when the file is not the app's own. */
  versions(file: string): readonly CompiledModule[];
  mapOf(compiled: CompiledModule): TraceMap;
}

/** The innermost frame in one of the app's own modules. */
export function nearestOwnFrame(
  frames: readonly StackFrame[],
  context: Pick<PlaceContext, "versions">,
): StackFrame | undefined {
  return frames.find(({ url }) => context.versions(pathOf(url)).length > 0);
}

/** Whether the frame may be in an own module: a file that is gone has no version any more. */
export function mayBeOwn({ url }: StackFrame, context: Pick<PlaceContext, "ownFolders">): boolean {
  const file = pathOf(url);
  return path.isAbsolute(file) && !isBelowPackages(file) && !isSupervisor(file, context);
}

/** Where in the source a frame of an own module is, which may be of a version that nobody has any more: then as V8 has it. */
export function ownLocation({ frame, source }: SourceFrame, context: PlaceContext): SourceLocation {
  const { line, column, url } = frame;
  const file = pathOf(url);
  const compiled = versionOf(context.versions(file), source);
  const place = compiled && originalPlace(compiled, frame, () => context.mapOf(compiled));
  return { file, ...(place ?? { line, column }) };
}

/** `source`: text of the script of `nearestOwnFrame`. */
export function stuckPlace(
  frames: readonly StackFrame[],
  source: string | undefined,
  context: PlaceContext,
): StuckPlace {
  const own = nearestOwnFrame(frames, context);
  const top = frames.find(({ url }) => url !== "" && !isSupervisor(pathOf(url), context));
  const inside = top === undefined || top === own ? undefined : shownFrame(top, context.root);
  if (own === undefined) return { location: undefined, frame: undefined, inside };
  const file = pathOf(own.url);
  const compiled = versionOf(context.versions(file), source);
  if (compiled === undefined)
    return { location: { file, line: own.line, column: own.column }, frame: undefined, inside };
  const place = originalPlace(compiled, own, () => context.mapOf(compiled));
  return { location: { file, ...place }, frame: frameOf(compiled, place), inside };
}

/** `src/app.ts:12:7`, relative to `cwd`, with `in parse (node_modules/...)` after it; undefined when nothing is known. */
export function shownPlace({ location, inside }: StuckPlace, cwd: string): string | undefined {
  const within = inside === undefined ? "" : ` in ${inside}`;
  if (location === undefined) return inside;
  return `${shownPath(location.file, cwd)}:${location.line}:${location.column}${within}`;
}

/** The thread may be in an old version or in the new one, or in one that nobody has any more. */
function versionOf(versions: readonly CompiledModule[], source: string | undefined): CompiledModule | undefined {
  if (source === undefined) return versions[0];
  return versions.find(({ body }) => source.includes(body));
}

function frameOf({ source }: CompiledModule, place: TextPosition): string {
  return codeFrame(source.replace(/^\uFEFF/, ""), place);
}

function shownFrame({ functionName, url, line, column }: StackFrame, root: string): string {
  const place = url.startsWith("node:") ? url : `${shownPath(pathOf(url), root)}:${line}:${column}`;
  return functionName === "" ? place : `${functionName} (${place})`;
}

function isSupervisor(file: string, { ownFolders }: Pick<PlaceContext, "ownFolders">): boolean {
  return ownFolders.some((folder) => file.startsWith(folder));
}
