/**
 * How other processes of this user find the supervisor of a project: each running one has a file in the project's cache
 * folder that says where it can be asked.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isRunning } from "./process-state.js";

export interface RunningSupervisor {
  readonly pid: number;
  readonly entry: string;
  /** Unix socket, or named pipe. */
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

const NAME = /^supervisor-.*\.json$/;

/** Writes the file, for this user only. Returns what removes it again. Throws when the folder cannot be written. */
export function announceSupervisor(folder: string, name: string, running: RunningSupervisor): () => void {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `supervisor-${name}.json`);
  writeFileSync(file, `${JSON.stringify(running)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** Those of a project, newest first; `gone`: those that were killed and left their file, which is removed. */
export function findSupervisors(folder: string): { readonly running: RunningSupervisor[]; readonly gone: number[] } {
  const running: RunningSupervisor[] = [];
  const gone: number[] = [];
  for (const name of namesIn(folder)) {
    const file = path.join(folder, name);
    const found = readAnnouncement(file);
    if (found && isRunning(found.pid)) running.push(found);
    else {
      if (found) gone.push(found.pid);
      rmSync(file, { force: true });
    }
  }
  return { running: running.sort((one, other) => other.startedAt - one.startedAt), gone };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => NAME.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Undefined for what no supervisor has written. */
function readAnnouncement(file: string): RunningSupervisor | undefined {
  try {
    const found = JSON.parse(readFileSync(file, "utf8")) as Partial<RunningSupervisor>;
    const { pid, entry, address, startedAt } = found;
    if (typeof pid !== "number" || typeof entry !== "string" || typeof address !== "string") return undefined;
    return { pid, entry, address, startedAt: startedAt ?? 0 };
  } catch (error) {
    // Cut off by a full disk, or removed by the supervisor itself just now.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
