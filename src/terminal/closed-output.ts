/**
 * The reader of our output may end (`unreloader app.js | head -1`, a terminal that is closed). The app is served all the
 * same, and what it and we print from then on is thrown away. Otherwise the next line would end the process, and what the
 * app prints would pile up in its thread.
 */
import type { Writable } from "node:stream";

/** Until the end of the process. */
export function surviveClosedOutput(streams: readonly Writable[] = [process.stdout, process.stderr]): void {
  for (const stream of streams) {
    // Each further line fails as well, and there is no other place to say so.
    stream.on("error", () => undefined);
    // The thread's own output is piped here by Node, which stops that at the first error.
    stream.on("unpipe", (source) => source.resume());
  }
}
