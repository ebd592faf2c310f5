/**
 * Keeps what the app writes to stdout and stderr on the board, at the moment when it writes: a stream of a worker thread
 * hands its text to main later, or never when the thread dies. Loggers that write to the descriptors themselves (pino)
 * count as well. What the app sees of the streams and of `node:fs` stays as it was.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Writable } from "node:stream";
import type { OutputDescriptor } from "../src/common/protocol/stream-words.js";

type Keep = (bytes: Uint8Array, descriptor: OutputDescriptor) => void;
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const STDOUT = 1;
const STDERR = 2;

/**
 * From now on, `keep` gets every byte that is written to this thread's stdout and stderr; until the returned call. Of the
 * streams that are given; others that the app gets hold of later go through `keepStream`.
 */
export function keepWritten(keep: Keep, streams: readonly OutputDescriptor[] = [STDOUT, STDERR]): () => void {
  const restores = streams.map((descriptor) =>
    keepStream(descriptor === STDOUT ? process.stdout : process.stderr, descriptor, keep),
  );
  for (const name of ["write", "writeSync"]) restores.push(wrap(fs, name, bytesOfWrite, keep, true));
  for (const name of ["writev", "writevSync"]) restores.push(wrap(fs, name, bytesOfWritev, keep, true));
  syncBuiltinESMExports();
  return () => {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  };
}

/** The same for what is written to one stream. */
export function keepStream(stream: Writable, descriptor: OutputDescriptor, keep: Keep): () => void {
  const bytesOf: BytesOf = ([chunk, encoding]) => ({ descriptor, parts: chunkBytes(chunk, encoding) });
  return wrap(stream, "write", bytesOf, keep, false);
}

interface Written {
  readonly descriptor: OutputDescriptor;
  readonly parts: readonly Uint8Array[];
}

/** What a call writes, by its arguments; undefined when that is none of ours, or wrong. */
type BytesOf = (args: readonly unknown[]) => Written | undefined;

function wrap(object: object, name: string, bytesOf: BytesOf, keep: Keep, enumerable: boolean): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const original = Reflect.get(object, name) as AnyFunction;
  const wrapped: AnyFunction = function (...args) {
    const written = bytesOf(args);
    if (written) for (const bytes of written.parts) keep(bytes, written.descriptor);
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
function bytesOfWrite([descriptor, chunk, offset, length]: readonly unknown[]): Written | undefined {
  if (descriptor !== STDOUT && descriptor !== STDERR) return undefined;
  if (typeof chunk === "string") return { descriptor, parts: chunkBytes(chunk, length) };
  if (!ArrayBuffer.isView(chunk)) return undefined;
  const [bytes] = chunkBytes(chunk, undefined);
  const part = typeof offset === "object" && offset !== null ? offset : { offset, length };
  const start = "offset" in part && typeof part.offset === "number" ? part.offset : 0;
  const size = "length" in part && typeof part.length === "number" ? part.length : undefined;
  if (!bytes) return undefined;
  return { descriptor, parts: [bytes.subarray(start, size === undefined ? undefined : start + size)] };
}

function bytesOfWritev([descriptor, chunks]: readonly unknown[]): Written | undefined {
  if ((descriptor !== STDOUT && descriptor !== STDERR) || !Array.isArray(chunks)) return undefined;
  return { descriptor, parts: chunks.flatMap((chunk) => chunkBytes(chunk, undefined)) };
}

/** None for what the stream will refuse. */
function chunkBytes(chunk: unknown, encoding: unknown): Uint8Array[] {
  if (typeof chunk === "string") {
    return [Buffer.from(chunk, typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8")];
  }
  return ArrayBuffer.isView(chunk) ? [new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)] : [];
}
