/**
 * The call that compiled code makes before each top-level await: so it is known, of a module that waits, where it does.
 * Pure.
 */
import { positionAt, type TextPosition } from "./code-frame.js";

/** Stands in the body before what is awaited. `id`: its place in the text, by which it is told from the others. */
export function awaitMark(id: number): string {
  return `(__ur.awaits(${id}),`;
}

/** Where the await with this mark stands in a body; undefined when it has none. */
export function placeOfAwait(body: string, id: number): TextPosition | undefined {
  const offset = body.indexOf(awaitMark(id));
  // Of the `await` itself: the mark stands behind it.
  return offset < 0 ? undefined : positionAt(body, Math.max(0, body.lastIndexOf("await", offset)));
}
