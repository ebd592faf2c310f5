/**
 * Looks at pipes and sockets. `fs.realpathSync` of Node 20 and 22 stops at the first folder that it knows when the last
 * `fs.Stats` of the thread was a pipe's or a socket's, whoever asked for it, and Node's loader then leaves links as they are.
 * Stats of bigints are kept apart.
 */
import fs from "node:fs";

export function fileStats(file: string): fs.BigIntStats | undefined {
  return fs.statSync(file, { throwIfNoEntry: false, bigint: true });
}

export function descriptorStats(descriptor: number): fs.BigIntStats {
  return fs.fstatSync(descriptor, { bigint: true });
}
