/** What a descriptor leads to, as Node tells streams apart (`guessHandleType`, which it keeps to itself). */
import { isatty } from "node:tty";
import { descriptorStats } from "../pipe-stats.js";

export type DescriptorKind = "terminal" | "file" | "pipe" | "nothing";

/** Devices count as files, sockets as pipes: Node reads and writes them so. */
export function kindOfDescriptor(descriptor: number): DescriptorKind {
  if (isatty(descriptor)) return "terminal";
  try {
    const found = descriptorStats(descriptor);
    if (found.isFile() || found.isCharacterDevice()) return "file";
    return found.isFIFO() || found.isSocket() ? "pipe" : "nothing";
  } catch (error) {
    // It was closed before the process began.
    if ((error as NodeJS.ErrnoException).code === "EBADF") return "nothing";
    throw error;
  }
}
