/**
 * The descriptors that a process was started with, besides the standard streams: sockets of systemd, files that a shell has
 * opened. Node lets no child have them unless they are named.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { attempt } from "../common/attempt.js";

/** Node's own: its event loops, its wake-up pipes (both ends are here), and what it reads by. */
const OWN = /^(anon_inode:|\/dev\/(null|u?random)$)/;

/** `folder`: where the system tells of this process. Only Linux does. Called before anything is opened. */
export function inheritedDescriptors(folder = "/proc/self"): number[] {
  const descriptors = attempt(() => readdirSync(`${folder}/fd`).map(Number)) ?? [];
  const targets = new Map(descriptors.map((descriptor) => [descriptor, targetOf(folder, descriptor)]));
  const counts = new Map<string, number>();
  for (const target of targets.values()) counts.set(target, (counts.get(target) ?? 0) + 1);
  const isOwn = (target: string): boolean => {
    const isPipe = target.startsWith("pipe:");
    return target === "" || OWN.test(target) || (isPipe && counts.get(target) !== 1);
  };
  const limit = mostDescriptors(folder);
  return [...targets]
    .filter(([descriptor, target]) => descriptor > 2 && descriptor < limit && !isOwn(target))
    .map(([descriptor]) => descriptor);
}

/** What was opened before the limit was lowered stays open, and no child can be given it. */
function mostDescriptors(folder: string): number {
  const limits = attempt(() => readFileSync(`${folder}/limits`, "utf8")) ?? "";
  const [, limit = Number.POSITIVE_INFINITY] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return Number(limit);
}

/** Empty: it is gone, as the one that has read the list is. */
function targetOf(folder: string, descriptor: number): string {
  return attempt(() => readlinkSync(`${folder}/fd/${descriptor}`)) ?? "";
}
