/** An app that runs and serves nothing may be meant to (it works off a queue), or lack something: it is told, once a start. */
import { NO_SERVER_MS } from "../common/deadlines.js";

export interface MissingServerOptions {
  /** Whether the app runs, and nothing of it listens. */
  isMissing(): boolean;
  tell(): void;
}

export class MissingServer {
  readonly #options: MissingServerOptions;
  #timer: NodeJS.Timeout | undefined;
  #isTold = false;

  constructor(options: MissingServerOptions) {
    this.#options = options;
  }

  /** The app has been evaluated. What may still lead to a server is waited for only so long. */
  started(): void {
    this.stop();
    this.#isTold = false;
    this.#timer = setTimeout(() => this.look(), NO_SERVER_MS).unref();
  }

  /** Nothing goes on that could still lead to a server, or it takes long. */
  look(): void {
    if (this.#isTold || !this.#options.isMissing()) return;
    this.#isTold = true;
    this.#options.tell();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
