/**
 * How other processes of this user find the supervisor of a project: each running one has a file in the project's cache
 * folder that says where it can be asked. The project may be shared with containers and other machines, where the same
 * process ids mean other processes: each file says where its supervisor runs, and those of elsewhere are left alone.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { debuglog } from "node:util";
import { hasProject } from "../common/compile/project-folder.js";
import { errorText } from "../common/errors.js";
import { isRunning } from "../thread/process-state.js";

export interface RunningSupervisor {
  readonly pid: number;
  /** The process that was started for it, when that is another one. */
  readonly launcher?: number | undefined;
  readonly entry: string;
  /** Unix socket, or named pipe. */
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

const debug = debuglog("unreloader");

/** As it stands in the file. */
interface Announcement extends RunningSupervisor {
  /** Where its process id counts; absent in files of earlier versions. */
  readonly machine: string | undefined;
}

/** A file of another machine is removed when it is so old that the machine most likely no longer exists. */
const ABANDONED_MS = 7 * 24 * 3600 * 1000;

const NAME = /^supervisor-.*\.json$/;

/** Writes the file, for this user only. Returns what removes it again. Throws when the folder cannot be written. */
export function announceSupervisor(folder: string, name: string, running: RunningSupervisor): () => void {
  if (!hasProject(folder)) throw new Error(`the project of ${folder} is gone`);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `supervisor-${name}.json`);
  // At once: who reads half of it takes it for nobody's, and removes it.
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...running, machine: thisMachine() })}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return () => remove(file);
}

/** What keeps the file there (the folder is read-only by now, or a file) keeps nobody from ending: a dead process's is ignored. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    debug("%s stays: %s", file, errorText(error));
  }
}

/** Those of a project, newest first; `killed`: process ids of those that were killed and left their file, which is removed. */
export function findSupervisors(folder: string): { readonly running: RunningSupervisor[]; readonly killed: number[] } {
  const running: RunningSupervisor[] = [];
  const killed: number[] = [];
  for (const name of namesIn(folder)) {
    const file = path.join(folder, name);
    const found = readAnnouncement(file);
    const isElsewhere = found?.machine !== undefined && found.machine !== thisMachine();
    if (found && isElsewhere && Date.now() - found.startedAt < ABANDONED_MS) continue;
    if (found && !isElsewhere && isRunning(found.pid)) running.push(found);
    else {
      if (found && !isElsewhere) killed.push(found.pid);
      remove(file);
    }
  }
  return { running: running.sort((left, right) => right.startedAt - left.startedAt), killed };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => NAME.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Machine, start of the system and process namespace: where two have these in common, a process id means the same. */
function thisMachine(): string {
  const parts = [hostname()];
  try {
    if (process.platform === "linux") {
      parts.push(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), readlinkSync("/proc/self/ns/pid"));
    }
  } catch (error) {
    debug("no process namespace known: %s", error);
  }
  return parts.join(" ");
}

/** Undefined for what no supervisor has written. */
function readAnnouncement(file: string): Announcement | undefined {
  try {
    const found = JSON.parse(readFileSync(file, "utf8")) as Partial<Announcement>;
    const { pid, launcher, entry, address, startedAt, machine } = found;
    if (typeof pid !== "number" || typeof entry !== "string" || typeof address !== "string") return undefined;
    return { pid, launcher, entry, address, startedAt: startedAt ?? 0, machine };
  } catch (error) {
    // Cut off by a full disk, or removed by the supervisor itself just now.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
