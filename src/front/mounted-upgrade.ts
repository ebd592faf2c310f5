/** Upgrades (WebSocket) that a host's server has parsed: the client's connection as a whole is handed to the relay. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { errorText } from "../common/errors.js";
import { type Entrance, Refusal } from "./entrance.js";
import { type OwnPage, OwnPages } from "./own-pages.js";
import { requestHead } from "./request-bytes.js";

export class MountedUpgrade {
  readonly #entrance: Entrance;

  constructor(entrance: Entrance) {
    this.#entrance = entrance;
  }

  /** `head`: what came after the request's head, as Node's `upgrade` event gives it. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const ignoreError = () => {};
    // The client may break off while its request waits.
    socket.on("error", ignoreError);
    try {
      const bytes = Buffer.from(requestHead(request, "none", true), "latin1");
      await this.#entrance.handOver(socket, Buffer.concat([bytes, head]));
      socket.off("error", ignoreError);
    } catch (error) {
      socket.end(OwnPages.raw(pageOf(error)));
    }
  }
}

function pageOf(error: unknown): OwnPage {
  if (error instanceof Refusal) return error.page;
  return { status: 500, text: `unreloader: ${errorText(error)}\n` };
}
