/**
 * Tells when the start of an app is over although its evaluation says nothing of it: `main()` may connect to a database
 * first, and a `listen()` with a host looks up the name. It is over when a server listens and no other name is being
 * looked up, or when nothing goes on that could still lead to one. A rough look at the whole thread, which costs a start
 * nothing; begun-work.ts knows better what goes on, by a hook that only those starts pay for that an open port waits for.
 */

export interface StartWatchOptions {
  /** Servers that listen. */
  readonly listening: () => number;
  /** Servers whose public port has been asked for. */
  readonly opening: () => number;
  /** Called once. */
  readonly settled: () => void;
}

/** What goes on in an event loop brings no event when it ends. */
const LOOK_MS = 20;
/** Work in the thread pool (scrypt, zlib) is in no list: an app counts as idle after so many looks that found nothing. */
const IDLE_LOOKS = 50;
/** In `process.getActiveResourcesInfo()`. */
const LOOKUP = "GetAddrInfoReqWrap";
/** A server that listens for real, on a file descriptor say. */
const REAL_SERVER = "TCPServerWrap";

export class StartWatch {
  readonly #options: StartWatchOptions;
  /** What goes on without the app. */
  readonly #own = resources();
  #idleLooks = 0;
  #timer: NodeJS.Timeout | undefined;

  /** To be made before the app is evaluated. */
  constructor(options: StartWatchOptions) {
    this.#options = options;
  }

  /** The app has been evaluated. */
  begin(): void {
    // A numeric host is "looked up" within the turn.
    this.#timer = setTimeout(() => this.#look(), 0).unref();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    if (this.#isOver()) this.#options.settled();
    else this.#timer = setTimeout(() => this.#look(), LOOK_MS).unref();
  }

  #isOver(): boolean {
    const now = resources();
    const { listening, opening } = this.#options;
    if (opening() > 0) return false;
    if (listening() > 0 || (now.get(REAL_SERVER) ?? 0) > 0) return !now.has(LOOKUP);
    const busy = [...now].some(([type, count]) => count > (this.#own.get(type) ?? 0));
    this.#idleLooks = busy ? 0 : this.#idleLooks + 1;
    return this.#idleLooks >= IDLE_LOOKS;
  }
}

function resources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
