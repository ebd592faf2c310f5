/** What the app itself writes into files of its modules. */
import { readFileSync } from "node:fs";
import { descriptorReserve } from "../common/compile/descriptor-reserve.js";
import { hashSource } from "../common/compile/hash.js";
import { lookAt } from "../files/stamps.js";
import type { PendingChanges } from "./pending.js";

export interface OwnWrite {
  readonly file: string;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** Of what is written; absent when that is not known. */
  readonly hash?: string | undefined;
  /** The thread has evaluated the module before: what is written is state, and changes nothing that runs. */
  readonly isState: boolean;
}

/** A later report of the same file may come before an earlier content is looked at. */
const KEPT = 8;
/** Of a write whose content is not known, until when the file may have been written for it. */
const WRITING_MS = 250;

export class OwnWrites {
  #epoch = 0;
  /** File to what the newest thread has written, newest last; as many as there are modules that the app writes. */
  readonly #writes = new Map<string, readonly OwnWrite[]>();
  /** Files of modules that run with another text: they are compiled again when they are evaluated again for another reason. */
  readonly #outdated = new Set<string>();

  written(epoch: number, write: OwnWrite): void {
    if (epoch > this.#epoch) {
      this.#writes.clear();
      this.#outdated.clear();
    }
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#writes.set(write.file, [...(this.#writes.get(write.file) ?? []), write].slice(-KEPT));
  }

  /** Whether what is in the file now is the app's own writing; else somebody has saved it. */
  has(file: string): boolean {
    return isIn(file, this.#writes.get(file) ?? []);
  }

  /** Takes out what is state. */
  dropState(pending: PendingChanges): void {
    if (this.#writes.size === 0) return;
    for (const file of pending.changed) {
      const writes = this.#writes.get(file)?.filter(({ isState }) => isState) ?? [];
      if (!isIn(file, writes)) continue;
      pending.changed.delete(file);
      this.#outdated.add(file);
    }
  }

  /** Those of `files` whose text is another one than what runs, told once. */
  takeOutdated(files: Iterable<string>): string[] {
    if (this.#outdated.size === 0) return [];
    return [...files].filter((file) => this.#outdated.delete(file));
  }
}

function isIn(file: string, writes: readonly OwnWrite[]): boolean {
  if (writes.length === 0) return false;
  const look = lookAt(file);
  if (look.type !== "file") return false;
  const { mtimeMs } = look.stamp;
  if (writes.some(({ hash, at }) => hash === undefined && mtimeMs <= at + WRITING_MS)) return true;
  try {
    const now = hashSource(descriptorReserve.during(() => readFileSync(file)));
    return writes.some(({ hash }) => hash === now);
  } catch (error) {
    // Gone again, or not to be read: the next look finds that.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
