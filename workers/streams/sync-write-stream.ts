/**
 * What Node has as `process.stdout` when that is a file: a stream whose writes are done when they return. Node keeps the
 * class to itself.
 */
import fs from "node:fs";
import { Writable } from "node:stream";

// Those of Node, as they were before anybody has replaced them.
const { writeSync, closeSync } = fs;

export class SyncWriteStream extends Writable {
  fd: number | null;
  readable = false;
  autoClose: boolean;

  constructor(fd: number, { autoClose = true }: { autoClose?: boolean } = {}) {
    super({ autoDestroy: true });
    this.fd = fd;
    this.autoClose = autoClose;
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      writeSync(this.fd as number, chunk, 0, chunk.length);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.fd !== null && this.autoClose) closeSync(this.fd);
    this.fd = null;
    done(error);
  }

  destroySoon(): void {
    this.destroy();
  }
}
