/**
 * The descriptors that a process was started with, besides the standard streams: sockets of systemd, files that a shell has
 * opened. Node lets no child have them unless they are named.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Node's own: its event loops, its wake-up pipes (both ends are here), and what it reads by. */
const OWN = /^(anon_inode:|\/dev\/(null|u?random)$)/;

/** Only Linux tells. Called before anything is opened. */
export function inheritedDescriptors(): number[] {
  if (process.platform !== "linux") return [];
  const targets = new Map(descriptors().map((descriptor) => [descriptor, targetOf(descriptor)]));
  const counts = new Map<string, number>();
  for (const target of targets.values()) counts.set(target, (counts.get(target) ?? 0) + 1);
  const isOwn = (target: string): boolean => {
    const isPipe = target.startsWith("pipe:");
    return target === "" || OWN.test(target) || (isPipe && counts.get(target) !== 1);
  };
  const limit = mostDescriptors();
  return [...targets]
    .filter(([descriptor, target]) => descriptor > 2 && descriptor < limit && !isOwn(target))
    .map(([descriptor]) => descriptor);
}

/** What was opened before the limit was lowered stays open, and no child can be given it. */
function mostDescriptors(): number {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

function descriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return [];
  }
}

/** Empty: it is gone, as the one that has read the list is. */
function targetOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return "";
  }
}
