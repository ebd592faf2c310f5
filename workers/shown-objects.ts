/**
 * The inspector shows `this` of each frame of a thread that is looked at, and reads `splice` of what it shows (V8's
 * `isArrayLike`). Node warns of that when `this` are the exports of a module that is being loaded, in a circle: the app has not
 * read it.
 */
import type { ThreadBoard } from "../src/common/protocol/thread-board.js";
import { replaceMethod } from "./ledger/replace.js";

const WARNING = "Accessing non-existent property 'splice' of module exports inside circular dependency";

/** To be called before the app runs. */
export function hideReadsOfShownObjects(board: Pick<ThreadBoard, "isLookedAt">): void {
  replaceMethod(process, "emitWarning", (original) => (...args: unknown[]) => {
    if (args[0] === WARNING && board.isLookedAt) return;
    Reflect.apply(original, process, args);
  });
}
