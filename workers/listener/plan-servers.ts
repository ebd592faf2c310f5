/** The servers while a plan is applied: none loses what it listens with before the plan has succeeded. */
import type { Server } from "node:net";
import type { PlanParticipant } from "../plan-participant.js";
import { restoreClose, silence, stubClose } from "./released-servers.js";
import type { VirtualServer } from "./virtual-server.js";

export interface PlanServersOptions {
  /** Servers that listen, and released ones that nobody has adopted yet. */
  readonly servers: ReadonlySet<VirtualServer>;
  /** Whether it stands for an app that is only exported. */
  isExported(server: Server): boolean;
  release(server: VirtualServer): void;
  /** Lets a server that was released listen again. */
  reopen(server: VirtualServer): void;
}

export class PlanServers {
  readonly #options: PlanServersOptions;
  /** What listened when the plan under way began. */
  #before: readonly VirtualServer[] = [];
  /** What listens again since the last plan has failed. */
  #reopened: readonly VirtualServer[] = [];
  #servedItself = false;
  /** Servers that others have replaced in the plan under way -> by which; undefined when no plan is. */
  #replaced: Map<Server, Server> | undefined;

  constructor(options: PlanServersOptions) {
    this.#options = options;
  }

  /** When the plan under way, or the last one, began, servers listened, and all of them were opened by the app itself. */
  get servedItself(): boolean {
    return this.#servedItself;
  }

  /** `successor` has the public port of `server`. */
  replaced(server: Server, successor: Server): void {
    if (this.#replaced) this.#replaced.set(server, successor);
    else silence(server, successor);
  }

  /**
   * Belongs behind all others: at a failure, what has been opened is closed before anything else is undone. An adapter may
   * close such a server itself, which must not close its public port.
   */
  readonly opened: PlanParticipant<unknown> = {
    begin: () => {
      this.#before = [...this.#options.servers].filter((server) => !server.released);
      this.#servedItself =
        this.#before.length > 0 && !this.#before.some(({ server }) => this.#options.isExported(server));
      this.#replaced = new Map();
    },
    commit: () => {
      for (const [server, successor] of this.#replaced ?? []) silence(server, successor);
      this.#replaced = undefined;
    },
    rollback: () => this.#releaseOpened(),
  };

  /** At a failure, what the plan has released listens again: when all else that it did is undone. */
  readonly released: PlanParticipant<unknown> = {
    commit: () => {
      this.#before = [];
    },
    rollback: () => {
      this.#replaced = undefined;
      this.#releaseOpened();
      this.#reopened = this.#before.filter((server) => server.released);
      for (const server of this.#reopened) this.#options.reopen(server);
      this.#before = [];
    },
  };

  /**
   * The plan was given up while hooks and adapters closed what the app has opened, which goes on until `closed`: it must not
   * close the public port of a server that listens again.
   */
  keepOpen(closed: Promise<unknown>): void {
    const servers = this.#reopened.map(({ server }) => server);
    for (const server of servers) stubClose(server);
    void closed.then(() => {
      const { servers: all } = this.#options;
      const isReleased = (server: Server) => [...all].some((each) => each.server === server && each.released);
      for (const server of servers) if (!isReleased(server)) restoreClose(server);
    });
  }

  #releaseOpened(): void {
    for (const server of this.#options.servers) if (!this.#before.includes(server)) this.#options.release(server);
  }
}
