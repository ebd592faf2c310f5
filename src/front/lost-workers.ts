/** The workers that will not answer what they have begun: blocked for now, given up, or dead. */
import { rmSync } from "node:fs";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "../pages/own-page.js";
import { deathText } from "../reports/failure.js";

/** What a client is told of a worker's death, it is told within seconds; no app dies so often meanwhile. */
const KEPT_DEATHS = 100;

export interface WorkerEnd {
  /** The supervisor ends with it. */
  readonly isLast?: boolean;
  /** What the app wrote last. */
  readonly lastLines?: readonly string[];
}

export class LostWorkers {
  /** Page for the requests of each dead worker, by epoch; born at its death, and gone with the `KEPT_DEATHS`th after it. */
  readonly #deathPages = new Map<number, OwnPage>();
  /** Workers that do not answer any more, until they end. */
  readonly #abandoned = new Set<number>();
  /** Workers that are blocked and may answer again; from `block` until `unblock`. */
  readonly #blocked = new Set<number>();

  isDead(epoch: number): boolean {
    return this.#deathPages.has(epoch);
  }

  /** It does not answer: it is not waited for. */
  isAbandoned(epoch: number): boolean {
    return this.#abandoned.has(epoch) || this.#blocked.has(epoch);
  }

  /** The page for what it had begun; undefined while its death is not known. */
  deathPage(epoch: number): OwnPage | undefined {
    return this.#deathPages.get(epoch);
  }

  abandon(epoch: number): void {
    this.#abandoned.add(epoch);
  }

  block(epoch: number): void {
    this.#blocked.add(epoch);
  }

  unblock(epoch: number): void {
    this.#blocked.delete(epoch);
  }

  die(epoch: number, error: SerializedError, more: WorkerEnd): OwnPage {
    const page = pageForDeath(error, more);
    this.#abandoned.delete(epoch);
    this.#deathPages.set(epoch, page);
    const [oldest] = this.#deathPages.keys();
    if (oldest !== undefined && this.#deathPages.size > KEPT_DEATHS) this.#deathPages.delete(oldest);
    return page;
  }
}

function pageForDeath(error: SerializedError, { isLast = false, lastLines = [] }: WorkerEnd): OwnPage {
  return { status: 502, text: deathText(error, lastLines, isLast), error, lastLines, ...(isLast && { isLast }) };
}

/** A worker that dies leaves the files of its unix sockets behind. */
export function removeSocketFile(file: string): void {
  // Windows has named pipes, and they go with the worker.
  if (process.platform !== "win32") rmSync(file, { force: true });
}
