/** Which files servers belong to: where each was made, and which of them stand for apps that are only exported. */
import type { Server } from "node:net";
import { watchServerCreation } from "../../src/common/server-creation.js";
import { UnlistenedServers } from "../start/unlistened-servers.js";

export interface ServerOriginsOptions {
  /** The module that is being evaluated, or that the running code belongs to. */
  currentModule(): string | undefined;
  /** The version whose doing what runs now is. */
  maker(): { readonly purged: boolean } | undefined;
  /** A server of the supervisor's own. */
  isInner(server: Server): boolean;
  /** Told of each server at once. */
  made?(server: Server): void;
}

export class ServerOrigins {
  readonly #options: ServerOriginsOptions;
  /** Where each server was created, if that was in a module; for as long as the server lives. */
  readonly #creators = new WeakMap<Server, string>();
  /** The version that made each server, likewise. */
  readonly #makers = new WeakMap<Server, { readonly purged: boolean }>();
  /** Servers of exported apps, the file that exports them, and what is called when main has been asked for their port. */
  readonly #exported = new WeakMap<Server, { readonly file: string; asked(): void }>();
  readonly unlistened = new UnlistenedServers();

  /** Watches as long as the thread lives. */
  constructor(options: ServerOriginsOptions) {
    this.#options = options;
    watchServerCreation((server) => this.#created(server));
  }

  /** The server stands for an app that `file` exports. `asked`: main has been asked for its port. */
  exports(server: Server, file: string, asked: () => void): void {
    this.#exported.set(server, { file, asked });
  }

  /** The app lets it listen itself. */
  exportsNoLonger(server: Server): void {
    this.#exported.delete(server);
  }

  /** Main has been asked for the port of this server. */
  asked(server: Server): void {
    this.#exported.get(server)?.asked();
  }

  isExported(server: Server): boolean {
    return this.#exported.has(server);
  }

  /** Files that a listen of the server which happens now belongs to. */
  filesOf(server: Server): ReadonlySet<string> {
    const owners = [this.#exported.get(server)?.file, this.#options.currentModule(), this.#creators.get(server)];
    return new Set(owners.filter((file) => file !== undefined));
  }

  /**
   * What a version that is gone had begun goes on until it wants to listen. A server that it has only made may be a kept one
   * by now: that counts if its port belongs to another one.
   */
  isLeftover(server: Server, isTaken: () => boolean): boolean {
    if (this.#exported.has(server)) return false;
    const present = this.#options.maker();
    if (present !== undefined) return present.purged;
    return this.#makers.get(server)?.purged === true && isTaken();
  }

  #created(server: Server): void {
    const { currentModule, maker, isInner, made } = this.#options;
    made?.(server);
    const file = currentModule();
    if (file === undefined || isInner(server)) return;
    this.#creators.set(server, file);
    const version = maker();
    if (version !== undefined) this.#makers.set(server, version);
    this.unlistened.made(server, file);
  }
}
