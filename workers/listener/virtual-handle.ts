/** What stands in `server._handle` while the app's server listens: Node asks it for the address, and closes it. */

import { chmodSync } from "node:fs";
import type { Server } from "node:net";
import { constants } from "node:os";
import type { PublicAddress } from "../../src/common/protocol/messages.js";
import type { TakeConnection } from "../cluster/cluster-primary.js";
import { fileStats } from "../pipe-stats.js";
import { type AddressOut, serverInternals } from "./node-internals.js";

const NO_FILE = -constants.errno.ENOENT;

export class VirtualHandle {
  #inner: Server;
  readonly #onClose: () => void;
  /** Set by a primary of node:cluster that takes the handle out of its server: whom connections go to. */
  onconnection: TakeConnection | undefined;
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

  /** As handles of Node's have it. `listen(otherServer)` finds its way by it. */
  get fd(): number {
    return (serverInternals(this.#inner)._handle as { fd?: number } | null)?.fd ?? -1;
  }

  opened(address: PublicAddress): void {
    this.#address = address;
  }

  moveTo(inner: Server): void {
    this.#inner = inner;
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

  /**
   * `listen({ path, readableAll, writableAll })`; 0, or an error number as libuv gives it. What the flags mean differs
   * between versions of libuv, so it is done to the inner socket and copied.
   */
  fchmod(flags: number): number {
    const inner = this.#inner.address();
    const handle = serverInternals(this.#inner)._handle as { fchmod?(flags: number): number } | null;
    if (typeof this.#address !== "string" || typeof inner !== "string" || handle?.fchmod === undefined) return 0;
    const before = permissions(inner);
    const failure = before === undefined ? NO_FILE : handle.fchmod(flags);
    if (failure !== 0) return failure;
    const after = permissions(inner);
    // Somebody has removed it, or the app's own.
    if (before === undefined || after === undefined || permissions(this.#address) === undefined) return NO_FILE;
    chmodSync(this.#address, after);
    chmodSync(inner, before);
    return 0;
  }

  #fill(out: AddressOut): number {
    if (typeof this.#address !== "string") Object.assign(out, this.#address);
    return 0;
  }
}

function permissions(file: string): number | undefined {
  const stats = fileStats(file);
  return stats && Number(stats.mode) & 0o777;
}
