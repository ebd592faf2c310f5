/** Acts on the end of a connection to the app: what the client is told, and which server is not asked again for a moment. */
import type { Socket } from "node:net";
import { CLOSE_CHECK_MS, DEATH_REASON_MS } from "../common/deadlines.js";
import { ENDED, STILL_OPEN } from "../common/protocol/connection-table.js";
import type { OwnPage } from "../pages/own-page.js";
import type { LinkOwner, Relay } from "./relay.js";
import { resetAtOnce } from "./reset.js";
import type { AppServer, Upstream } from "./upstream.js";
import type { Fate } from "./upstream-fate.js";

/** A request that was sent this often to workers that died before they began it is answered with a page. */
const MAX_REPLAYS = 3;

const UNKNOWN_DEATH: OwnPage = {
  status: 502,
  text: "The app's worker ended before it answered this request. A fresh worker follows; send the request again.\n",
};

export interface UpstreamEndOptions {
  readonly client: Socket;
  readonly relay: Relay;
  readonly owner: LinkOwner;
  /** Whether it still is the one behind the client's port. */
  serves(server: AppServer): boolean;
  /** The client stays; its next request finds the present server. */
  detach(): void;
  /** The client stays, and what it has begun, be it nothing, passes the gate again. */
  requeue(): void;
}

export class UpstreamEnd {
  readonly #options: UpstreamEndOptions;
  /** A server that refused or lost a connection: it is dying, another one will come. */
  #dying: AppServer | undefined;
  #replays = 0;
  /** Until it is known why the connection has ended. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UpstreamEndOptions) {
    this.#options = options;
  }

  /** Whether another server than this one has to be waited for. */
  avoids(server: AppServer): boolean {
    return server === this.#dying;
  }

  /**
   * Waits for another server than this one, unless it turns out to live on. `untaken`: it had not taken the connection, as
   * when the worker has no descriptor for it; then Node accepts and closes all that wait, without a word.
   */
  avoid(server: AppServer | undefined, untaken = false): void {
    const { relay, serves } = this.#options;
    this.#dying = server;
    setTimeout(() => {
      if (this.#dying !== server) return;
      if (untaken && server !== undefined && serves(server)) relay.lack.met("EMFILE");
      this.#isBack();
    }, DEATH_REASON_MS).unref();
  }

  /** A server that had refused a connection listens again. */
  serverIsBack(server: AppServer): void {
    if (this.#dying === server) this.#isBack();
  }

  #isBack(): void {
    this.#dying = undefined;
    this.#options.owner.wake();
  }

  /** The app answers: its worker does not die of these requests. */
  answered(): void {
    this.#replays = 0;
  }

  /** Nobody wants to know any more why the connection has ended. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  act(fate: Fate, upstream: Upstream): void {
    const { client, owner, detach, requeue } = this.#options;
    switch (fate) {
      case "detach":
        detach();
        break;
      case "requeue":
        requeue();
        break;
      case "sendAgain":
        this.#replays++;
        if (this.#replays > MAX_REPLAYS) this.#reportDeath(upstream);
        else requeue();
        break;
      case "end":
        client.end();
        this.#startTimer(CLOSE_CHECK_MS, () => {
          if (upstream.closedOnPurpose !== ENDED) owner.sayGoodbye();
        });
        break;
      case "close":
        owner.sayGoodbye();
        break;
      case "reset":
        if (upstream.closedOnPurpose === STILL_OPEN) resetAtOnce(client);
        else client.resetAndDestroy();
        break;
      case "deathPage":
        this.#reportDeath(upstream);
        break;
      default:
        fate satisfies never;
    }
  }

  /** Answers with the reason of the worker's death, which may be known only a little later. */
  #reportDeath(upstream: Upstream): void {
    const page = this.#options.relay.deathPage(upstream.server.epoch);
    if (page !== undefined) this.#options.owner.answerWith(page);
    else this.#startTimer(DEATH_REASON_MS, () => this.#options.owner.answerWith(UNKNOWN_DEATH));
  }

  #startTimer(ms: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, ms).unref();
  }
}
