/** Upgrades (WebSocket) that a host's server has parsed: the client's connection as a whole is handed to the relay. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { errorText } from "../common/errors.js";
import type { OwnPage } from "../pages/own-page.js";
import { type Entrance, Refusal } from "./entrance.js";
import type { OwnPages } from "./own-pages.js";
import { requestHead } from "./request-bytes.js";

export class MountedUpgrade {
  readonly #entrance: Entrance;
  readonly #pages: OwnPages;

  constructor(entrance: Entrance, pages: OwnPages) {
    this.#entrance = entrance;
    this.#pages = pages;
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
      socket.end(this.#pages.raw(pageOf(error), socket as Socket));
    }
  }
}

function pageOf(error: unknown): OwnPage {
  if (error instanceof Refusal) return error.page;
  return { status: 500, text: `unreloader: ${errorText(error)}\n` };
}
