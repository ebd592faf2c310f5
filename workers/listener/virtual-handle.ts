/** What stands in `server._handle` while the app's server listens: Node asks it for the address, and closes it. */

import { chmodSync, statSync } from "node:fs";
import type { Server } from "node:net";
import type { PublicAddress } from "../../src/protocol/messages.js";
import type { AddressOut } from "./node-internals.js";

/** libuv's flags for `readableAll` and `writableAll`, and the permissions they stand for. */
const READABLE = { flag: 1, mode: 0o444 };
const WRITABLE = { flag: 2, mode: 0o222 };

export class VirtualHandle {
  readonly #inner: Server;
  readonly #onClose: () => void;
  #address: PublicAddress;
  /** Absent on a path: then `server.address()` gives the path itself. */
  getsockname?: (out: AddressOut) => number;

  /** `address` is shown until `settle` gives the real one. */
  constructor(inner: Server, address: PublicAddress, onClose: () => void) {
    this.#inner = inner;
    this.#address = address;
    this.#onClose = onClose;
    if (typeof address !== "string") this.getsockname = (out) => this.#fill(out);
  }

  settle(address: PublicAddress): void {
    this.#address = address;
  }

  close(callback?: () => void): void {
    this.#inner.close(callback);
    this.#onClose();
  }

  ref(): void {
    this.#inner.ref();
  }

  unref(): void {
    this.#inner.unref();
  }

  /** `listen({ path, readableAll, writableAll })`; 0, or an error number as libuv gives it. */
  fchmod(flags: number): number {
    if (typeof this.#address !== "string") return 0;
    let mode = statSync(this.#address).mode & 0o777;
    if (flags & READABLE.flag) mode |= READABLE.mode;
    if (flags & WRITABLE.flag) mode |= WRITABLE.mode;
    chmodSync(this.#address, mode);
    return 0;
  }

  #fill(out: AddressOut): number {
    if (typeof this.#address !== "string") Object.assign(out, this.#address);
    return 0;
  }
}
