/** A stack as data: where each call stands, and what of it is the app's own. Pure. */
import { isBuiltin } from "node:module";
import path from "node:path";
import { pathOf } from "../common/file-url.js";
import { packageOf } from "../common/paths.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";

export interface StackFrame {
  /** The function, as the stack names it; empty when it has no name. */
  readonly call: string;
  /** Undefined: not in a file. */
  readonly location: SourceLocation | undefined;
  /** The place in words, when it is not in a file. */
  readonly place: string;
  /** Whose it is: the app's, a package's by its name, or Node's. */
  readonly of:
    | { readonly type: "own" }
    | { readonly type: "package"; readonly name: string }
    | { readonly type: "node" };
}

export function stackFrames(stack: string | undefined): StackFrame[] {
  return (stack ?? "").split("\n").flatMap((line) => {
    const [, text] = /^\s+at (.+)$/.exec(line) ?? [];
    return text === undefined ? [] : [frameOf(text)];
  });
}

/** Frames that stand together and are nobody's own are one group. */
export function groupFrames(frames: readonly StackFrame[]): StackFrame[][] {
  const groups: StackFrame[][] = [];
  for (const frame of frames) {
    const last = groups.at(-1);
    const isOwn = frame.of.type === "own";
    if (last === undefined || isOwn !== (last[0]?.of.type === "own")) groups.push([frame]);
    else last.push(frame);
  }
  return groups;
}

function frameOf(text: string): StackFrame {
  const [, call = "", inside] = /^(.*?) ?\((.*)\)$/.exec(text) ?? [];
  const place = inside ?? text.replace(/^async /, "");
  const location = locationOf(place);
  return { call: inside === undefined ? "" : call, location, place, of: ownerOf(place, location) };
}

function locationOf(place: string): SourceLocation | undefined {
  const [, where = "", line, column] = /^(.+?):(\d+):(\d+)$/.exec(place) ?? [];
  const file = pathOf(where);
  if (line === undefined || !path.isAbsolute(file)) return undefined;
  return { file, line: Number(line), column: Number(column) };
}

function ownerOf(place: string, location: SourceLocation | undefined): StackFrame["of"] {
  if (location === undefined) {
    const isNodes =
      place.startsWith("node:") ||
      isBuiltin(place.split(":", 1)[0] ?? "") ||
      place === "<anonymous>" ||
      place === "native";
    return isNodes ? { type: "node" } : { type: "own" };
  }
  const name = packageOf(location.file)?.name;
  return name === undefined ? { type: "own" } : { type: "package", name };
}
