/**
 * What the app has asked of Node's pool of threads (an `fs.write()`, say) is carried out when a process exits, also what no
 * thread of the pool has come to yet. Of a thread that ends, only what has begun is: so the end waits until all has begun.
 */
import fs from "node:fs";
import { POOL_BEGINS_MS } from "../src/common/deadlines.js";

const LOOK_MS = 1;
/** Node's own: what the app reads is watched. */
const { closeSync, openSync, read } = fs;
/** Requests that have not been answered; taken before the app may replace it. */
const activeRequests = (process as unknown as { _getActiveRequests(): unknown[] })._getActiveRequests.bind(process);

/** To be called behind the last listener for `exit`. The pool begins its work in the order in which it has come. */
export function awaitBegunPoolWork(): void {
  if (activeRequests().length === 0) return;
  const file = openAny();
  if (file === undefined) return;
  const last = new Uint8Array(1);
  // The callback never comes: a thread of the pool writes into the memory, which nobody else does.
  read(file, last, 0, 1, 0, () => undefined);
  const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const end = performance.now() + POOL_BEGINS_MS;
  while (last[0] === 0 && performance.now() < end) Atomics.wait(clock, 0, 0, LOOK_MS);
  if (last[0] !== 0) closeSync(file);
}

/** A file that does not begin with 0. Undefined: no descriptor is left, or reading is not permitted. */
function openAny(): number | undefined {
  try {
    return openSync(process.execPath, "r");
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
