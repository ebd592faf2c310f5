/** What a stream has read and nobody has taken from it, as bytes. */
import type { Readable } from "node:stream";

/** Node's decoder, in the middle of a character: its own fields, documented nowhere. */
interface Decoder {
  readonly lastChar: Uint8Array;
  readonly lastNeed: number;
  readonly lastTotal: number;
}

/** Takes it out of the stream; who listens to the stream hears nothing of it. */
export function takeUnread(stream: Readable): Uint8Array {
  const silent = { configurable: true, writable: true };
  Object.defineProperty(stream, "emit", { ...silent, value: () => false });
  Object.defineProperty(stream, "_read", { ...silent, value: () => undefined });
  const chunks: Uint8Array[] = [];
  try {
    for (;;) {
      const chunk: unknown = stream.readableLength === 0 ? null : stream.read();
      if (chunk === null) break;
      chunks.push(
        typeof chunk === "string" ? Buffer.from(chunk, stream.readableEncoding ?? "utf8") : (chunk as Buffer),
      );
    }
  } finally {
    Reflect.deleteProperty(stream, "emit");
    Reflect.deleteProperty(stream, "_read");
  }
  const { decoder } = (stream as unknown as { _readableState: { decoder?: Decoder | null } })._readableState;
  if (decoder) chunks.push(decoder.lastChar.subarray(0, decoder.lastTotal - decoder.lastNeed));
  return Buffer.concat(chunks);
}
