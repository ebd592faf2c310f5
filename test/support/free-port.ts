/** Ports for apps that are told theirs: nothing else is given them meanwhile. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that systems give to whoever asks for any (Linux: from 32768, macOS: from 49152). */
const RANGE = [10_000, 32_000] as const;

/** A TCP port that is free now, on all addresses. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...RANGE);
    const server = createServer().listen(port);
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
