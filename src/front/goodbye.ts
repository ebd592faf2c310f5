/**
 * Closes a client's connection after what was written. What it still sends is read for a while: closing on unread bytes would
 * reset the connection, perhaps before the client has the answer.
 */
import type { Socket } from "node:net";
import { GOODBYE_MS } from "../common/deadlines.js";

export class Goodbye {
  readonly #client: Socket;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket) {
    this.#client = client;
    if (client.readableEnded) {
      client.destroySoon();
      return;
    }
    client.end();
    client.resume().once("end", () => client.destroySoon());
    this.#timer = setTimeout(() => this.#onTimeout(), GOODBYE_MS).unref();
  }

  /** The client has closed. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #onTimeout(): void {
    // A client that is slow to read has not got everything yet.
    if (this.#client.writableFinished) this.#client.destroy();
    else this.#client.once("finish", () => this.#client.destroy());
  }
}
