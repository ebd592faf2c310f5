/** The one content hash of the project: the compiler's cache, the graph and the file registry compare these. */
/** Stands where a hash would, for a file that is not there. */
export const MISSING = "missing";

/**
 * Hash of a file's bytes, as hex. SHA-256 because it is allowed in FIPS mode and, with the CPU's own instructions, as
 * fast as any: 2 µs for 3 KB, against 1.9 (SHA-1) and 5 (MD5).
 */
export function hashSource(bytes: Buffer): string {
  // Not by an import: loading it takes 3 ms, and most app threads never hash.
  return process.getBuiltinModule("node:crypto").hash("sha256", bytes, "hex");
}
