/** Public ports that main has been asked for, until it answers. */
import type { PublicAddress } from "../../src/common/protocol/messages.js";
import type { SupervisorOrder } from "../../src/common/protocol/orders.js";
import { reviveError } from "../../src/common/protocol/serialized-error.js";
import type { ListenRequest } from "./listen-context.js";

export class ListenRequests {
  readonly #send: (request: ListenRequest) => void;
  /** Listen id -> who asked; from the request to its answer. */
  readonly #asked = new Map<number, { resolve(address: PublicAddress): void; reject(error: Error): void }>();

  constructor(send: (request: ListenRequest) => void) {
    this.#send = send;
  }

  /** How many are not answered. */
  get size(): number {
    return this.#asked.size;
  }

  /** Has sent before it returns. */
  ask(request: ListenRequest): Promise<PublicAddress> {
    return new Promise((resolve, reject) => {
      this.#asked.set(request.listenId, { resolve, reject });
      this.#send(request);
    });
  }

  answer({ listenId, address, error }: Extract<SupervisorOrder, { type: "answerListen" }>): void {
    const asked = this.#asked.get(listenId);
    this.#asked.delete(listenId);
    if (address !== undefined) asked?.resolve(address);
    else asked?.reject(reviveError(error ?? { name: "Error", message: "the port could not be opened" }));
  }
}
