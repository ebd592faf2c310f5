/**
 * Keeps what the app writes to stdout and stderr on the board, at the moment when it writes: a stream of a worker thread
 * hands its text to main later, or never when the thread dies. Loggers that write to the descriptors themselves (pino)
 * count as well. What the app sees of the streams and of `node:fs` stays as it was.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Writable } from "node:stream";

type Keep = (bytes: Uint8Array) => void;
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const STDOUT = 1;
const STDERR = 2;

/** From now on, `keep` gets every byte that is written to this thread's stdout and stderr; until the returned call. */
export function keepWritten(keep: Keep): () => void {
  const fromStream: BytesOf = ([chunk, encoding]) => chunkBytes(chunk, encoding);
  const restores = [process.stdout, process.stderr].map((stream: Writable) =>
    wrap(stream, "write", fromStream, keep, false),
  );
  for (const name of ["write", "writeSync"]) restores.push(wrap(fs, name, bytesOfWrite, keep, true));
  for (const name of ["writev", "writevSync"]) restores.push(wrap(fs, name, bytesOfWritev, keep, true));
  syncBuiltinESMExports();
  return () => {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  };
}

/** The bytes that a call writes, by its arguments; undefined when they are none of ours, or wrong. */
type BytesOf = (args: readonly unknown[]) => readonly Uint8Array[];

function wrap(object: object, name: string, bytesOf: BytesOf, keep: Keep, enumerable: boolean): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const original = Reflect.get(object, name) as AnyFunction;
  const wrapped: AnyFunction = function (...args) {
    for (const bytes of bytesOf(args)) keep(bytes);
    return Reflect.apply(original, this, args);
  };
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
  Object.defineProperty(object, name, { value: wrapped, writable: true, configurable: true, enumerable });
  return () => {
    if (Reflect.get(object, name) !== wrapped) return;
    if (before) Object.defineProperty(object, name, before);
    else Reflect.deleteProperty(object, name);
  };
}

/** Of `fs.write(fd, buffer, offset?, length?, ...)`, `fs.write(fd, buffer, { offset, length }, ...)`, `fs.write(fd, string, position?, encoding?, ...)`. */
function bytesOfWrite([fd, chunk, offset, length]: readonly unknown[]): readonly Uint8Array[] {
  if (fd !== STDOUT && fd !== STDERR) return [];
  if (typeof chunk === "string") return chunkBytes(chunk, length);
  if (!ArrayBuffer.isView(chunk)) return [];
  const [bytes] = chunkBytes(chunk, undefined);
  const part = typeof offset === "object" && offset !== null ? offset : { offset, length };
  const start = "offset" in part && typeof part.offset === "number" ? part.offset : 0;
  const size = "length" in part && typeof part.length === "number" ? part.length : undefined;
  return bytes ? [bytes.subarray(start, size === undefined ? undefined : start + size)] : [];
}

function bytesOfWritev([fd, chunks]: readonly unknown[]): readonly Uint8Array[] {
  if ((fd !== STDOUT && fd !== STDERR) || !Array.isArray(chunks)) return [];
  return chunks.flatMap((chunk) => chunkBytes(chunk, undefined));
}

/** None for what the stream will refuse. */
function chunkBytes(chunk: unknown, encoding: unknown): Uint8Array[] {
  if (typeof chunk === "string") {
    return [Buffer.from(chunk, typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8")];
  }
  return ArrayBuffer.isView(chunk) ? [new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)] : [];
}
