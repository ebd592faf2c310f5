/** Where the app is public, if at all: as its options say, until `listen()` says otherwise. */

import { UnreloaderError } from "../common/errors.js";
import type { Front } from "../front/front.js";
import { DEFAULT_HOST } from "../options/defaults.js";
import type { ResolvedOptions } from "../options/options.js";
import type { ListenReports } from "../reports/listen-reports.js";
import { likelyPort } from "./likely-port.js";

export class PublicAddressChoice {
  /** Of the app's first server; undefined: as the app says. */
  port: number | undefined;
  host: string | undefined;
  /** An app that is only exported gets a public port, and a failed start one to be seen at. */
  exposes: boolean;
  readonly #options: ResolvedOptions;
  readonly #front: Front;
  readonly #listening: ListenReports;

  constructor(options: ResolvedOptions, front: Front, listening: ListenReports) {
    this.#options = options;
    this.#front = front;
    this.#listening = listening;
    this.port = options.port;
    this.host = options.host;
    this.exposes = options.port !== undefined;
  }

  /** For an exported app. */
  get fallback(): { readonly port: number; readonly host: string } {
    const { port, host } = this.#options.fallback;
    return { port: this.port ?? port, host: this.host ?? host };
  }

  /** For a failed start: not at a port that the app would hardly have taken. `texts`: of the app. */
  forFailure(texts: () => Iterable<string>): { readonly port: number; readonly host: string } {
    const { host } = this.fallback;
    if (this.port !== undefined || !this.#options.portIsGuess) return this.fallback;
    return { port: likelyPort(texts()) ?? this.fallback.port, host };
  }

  /**
   * Takes what `listen()` was given, and opens the port where it can be opened before the app is loaded. Rejects with
   * Node's own error, or with ERR_UNRELOADER_LISTENING.
   */
  async choose(port: number | undefined, host: string | undefined, loaded: boolean): Promise<void> {
    this.#assertNotListening();
    this.exposes = true;
    if (port !== undefined) {
      this.port = port;
      this.host = host ?? this.#options.host ?? DEFAULT_HOST;
    }
    if (!loaded) {
      if (port === undefined) return;
      const address = await this.#front.openUnserved(this.fallback);
      this.#listening.opened({ kind: "http", address });
      return;
    }
    const address = await this.#front.show(this.fallback);
    if (address === undefined) throw new UnreloaderError("ERR_UNRELOADER_NO_APP", NOTHING_TO_LISTEN);
    this.#listening.opened({ kind: "http", address });
  }

  #assertNotListening(): void {
    const [address] = this.#front.addresses();
    if (address === undefined) return;
    const shown = typeof address === "string" ? address : `${address.address}:${address.port}`;
    throw new UnreloaderError(
      "ERR_UNRELOADER_LISTENING",
      `listen(): the app is open at ${shown} already; call listen() once, before anything else starts the app`,
    );
  }
}

const NOTHING_TO_LISTEN =
  "listen(): the entry neither listens nor exports an app, so there is nothing to open a port for";
