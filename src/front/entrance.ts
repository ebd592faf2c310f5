/**
 * The way into the app from within this process: for requests that a host's server has parsed and for those that never
 * were on a wire. They pass the gate first, and then go to the app's first HTTP server, on a connection that the front
 * relays as it does a client's.
 */
import type { Duplex } from "node:stream";
import { SERVER_WAIT_MS } from "../common/deadlines.js";
import { UnreloaderError } from "../common/errors.js";
import type { OwnPage } from "../pages/own-page.js";
import type { HeldClients } from "./held-clients.js";
import { type Addresses, NearEnd } from "./in-process-socket.js";
import type { PublicPort } from "./public-port.js";
import type { Gate, Turn, Verdict } from "./turn.js";

export interface EntranceOptions {
  readonly gate: Gate;
  readonly turn: Turn;
  readonly held: HeldClients;
  /** The app's first HTTP server that answers now. */
  servingPort(): PublicPort | undefined;
  /** Resolves when another server answers, or after `timeoutMs`. */
  nextServer(timeoutMs: number): Promise<void>;
}

/** A page of the supervisor's own takes the place of the answer. */
export class Refusal extends Error {
  readonly page: OwnPage;
  constructor(page: OwnPage) {
    super(page.text);
    this.page = page;
  }
}

export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /**
   * Waits until a request that begins now may go on, and resolves with where it goes. Rejects with a Refusal, also when it
   * has been held for too long, or with ERR_UNRELOADER_NO_APP when the app has no HTTP server.
   */
  admit(): Promise<PublicPort> {
    const { held } = this.#options;
    return new Promise((resolve, reject) => {
      const client = { refuseHeld: (page: OwnPage) => reject(new Refusal(page)) };
      held.add(client);
      this.#admit()
        .then(resolve, reject)
        .finally(() => held.remove(client));
    });
  }

  async #admit(): Promise<PublicPort> {
    const { gate, turn } = this.#options;
    const deadline = performance.now() + SERVER_WAIT_MS;
    await new Promise<void>((resolve) => turn.add({ afterTurn: resolve }));
    for (let isAgain = false; ; isAgain = true) {
      const answer: Verdict | Promise<Verdict> = gate.check(isAgain);
      const verdict = answer instanceof Promise ? await answer : answer;
      if (verdict.type === "page") throw new Refusal(verdict.page);
      const port = this.#options.servingPort();
      if (port !== undefined) return port;
      const left = deadline - performance.now();
      if (left <= 0) throw noServer();
      await this.#options.nextServer(left);
    }
  }

  /** A connection to `port`. `mute`: what is written to it is dropped, and only `send` sends. */
  connect(port: PublicPort, addresses: Addresses, mute: boolean): NearEnd {
    const near = new NearEnd(addresses, mute);
    port.accept(near.far, mute ? { sender: near } : {});
    return near;
  }

  /** Hands over a client's connection whose first request begins with `received`; nobody reads from it any more. */
  async handOver(client: Duplex, received: Buffer): Promise<void> {
    const port = await this.admit();
    if (client.destroyed) return;
    client.unshift(received);
    port.accept(client, { once: true });
  }
}

function noServer(): UnreloaderError {
  return new UnreloaderError(
    "ERR_UNRELOADER_NO_APP",
    "the app has no HTTP server that requests could go to: the entry has to call listen() on one, or export an app",
  );
}
