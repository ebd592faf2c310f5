/**
 * Servers that modules opened. A purged module's servers are really closed, so that nothing of them stays behind; their
 * public ports stay open in the main thread and wait for the server that the new version opens.
 */
import type { VirtualListen } from "../listener/virtual-listen.js";

export class ServerLedger {
  readonly #listen: VirtualListen;

  constructor(listen: VirtualListen) {
    this.#listen = listen;
  }

  /** Closes the servers that were created or made to listen by `files`. Requests in flight end on the old code. */
  release(files: ReadonlySet<string>): void {
    this.#listen.release(files);
  }
}
