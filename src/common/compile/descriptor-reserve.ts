/**
 * Descriptors that are kept for the moment in which the process has no others: clients may have taken all there are
 * (EMFILE), and a save must be read nevertheless, or its failure would outlast the lack. They are given back to the system
 * just before a file is read again, and since everything in between is synchronous, no accept of this thread takes them.
 */
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";

/** What reading one file and looking up one import needs at most at the same time. */
const RESERVED = 3;

class DescriptorReserve {
  readonly #kept: number[] = [];
  #owners = 0;

  /** From now until `close` descriptors are kept. */
  open(): void {
    this.#owners++;
    this.#fill();
  }

  close(): void {
    this.#owners--;
    if (this.#owners === 0) this.#release();
  }

  /** Runs `read`; once more with the kept descriptors free, when it fails for want of one. `read` must not wait. */
  during<Result>(read: () => Result, lacked: (result: Result) => boolean = () => false): Result {
    if (this.#kept.length === 0) this.#fill();
    try {
      const result = read();
      if (!lacked(result)) return result;
    } catch (error) {
      if (!isLackOfDescriptors(error)) throw error;
    }
    this.#release();
    try {
      return read();
    } finally {
      this.#fill();
    }
  }

  #fill(): void {
    while (this.#owners > 0 && this.#kept.length < RESERVED) {
      try {
        this.#kept.push(openSync(devNull, "r"));
      } catch (error) {
        // Others were quicker; the next time there may be some again.
        if (isLackOfDescriptors(error)) return;
        throw error;
      }
    }
  }

  #release(): void {
    for (const descriptor of this.#kept.splice(0)) closeSync(descriptor);
  }
}

/** One for the thread, as the limit is one for the process. Only main opens it. */
export const descriptorReserve = new DescriptorReserve();

/** The same of an error that came from a thread, or that says why one could not be made (Node: by its message only). */
export function lacksDescriptors({
  code,
  message,
}: {
  readonly code?: string | undefined;
  readonly message: string;
}): boolean {
  return isLackOfDescriptors({ code }) || (code === "ERR_WORKER_INIT_FAILED" && /\bE[MN]FILE\b/.test(message));
}

/** The process, or the system, has no descriptor left: it may have one in a moment. */
export function isLackOfDescriptors(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === "EMFILE" || code === "ENFILE";
}
