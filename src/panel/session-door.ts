/**
 * Where the worker passes on what is asked for the supervisor itself within TLS and HTTP/2 sessions, which only the worker can
 * read: a socket in the folder of the sockets, which is this user's alone. Who has asked is on this machine, as the worker knows.
 */
import { existsSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { debuglog } from "node:util";
import { sessionDoorOf } from "../common/paths.js";

const debug = debuglog("unreloader");

export class SessionDoor {
  readonly #folder: string;
  readonly #answer: RequestListener;
  /** From the first server with TLS until the end. */
  #server: Server | undefined;

  constructor(folder: string, answer: RequestListener) {
    this.#folder = folder;
    this.#answer = answer;
  }

  /** Idempotent. */
  open(): void {
    if (this.#server !== undefined) return;
    this.#server = createServer(this.#answer);
    this.#server.on("error", (error) => debug("nothing can be asked within sessions: %s", error));
    // Being asked is no reason to go on living.
    this.#server.listen(sessionDoorOf(this.#folder)).unref();
  }

  /** Opens it again when its file was removed, as cleaners of temporary files do. */
  ensure(): void {
    if (this.#server === undefined || process.platform === "win32" || existsSync(sessionDoorOf(this.#folder))) return;
    this.#server.close();
    this.#server = undefined;
    this.open();
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}
