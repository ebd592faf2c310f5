/**
 * Nothing more is read of any connection of this thread, which is about to end. After an exception Node goes on with what the
 * event loop has found readable; a request that begins then, while V8 ends the thread, aborts the whole process (Node 20.20:
 * `on_message_begin`, "ToLocalChecked Empty MaybeLocal"; once in 20,000 steps of the command line's fuzzer).
 */
import { Socket } from "node:net";
import { socketInternals } from "./listener/node-internals.js";
import { activeHandles } from "./loop-hold.js";

export function stopReading(): void {
  for (const handle of activeHandles()) {
    if (handle instanceof Socket) socketInternals(handle)._handle?.readStop?.();
  }
}
