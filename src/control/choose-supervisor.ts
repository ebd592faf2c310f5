/** Which of the running supervisors a command means. */
import path from "node:path";
import { NoSupervisorError } from "../common/errors.js";
import { cacheFolder } from "../thread/environment.js";
import { findSupervisors, type RunningSupervisor } from "./running-supervisors.js";

export interface Chosen {
  readonly supervisor: RunningSupervisor;
  /** What should be said about the choice; undefined when there was none. */
  readonly remark: string | undefined;
}

/**
 * The one with the process id `pid`, or the newest one of the project at `root`.
 * @throws NoSupervisorError when none runs there, or not that one.
 */
export function chooseSupervisor(root: string, pid: number | undefined): Chosen {
  const { running, killed } = findSupervisors(cacheFolder(root));
  const left = killed.length === 0 ? "" : `; process ${killed.join(", ")} was killed and had left its file`;
  const hint = "start one, or name another project by --root";
  const [newest] = running;
  if (!newest) throw new NoSupervisorError(`no supervisor is running for ${root}${left}: ${hint}`);
  const list = running.map((known) => `${known.pid} (${path.relative(root, known.entry)})`).join(", ");
  if (pid !== undefined) {
    const supervisor = running.find((known) => known.pid === pid);
    if (!supervisor) throw new NoSupervisorError(`--pid ${pid} is no supervisor of ${root}; running: ${list}${left}`);
    return { supervisor, remark: undefined };
  }
  const remark =
    running.length > 1 ? `asking the newest of ${running.length} supervisors, ${newest.pid}: ${list}` : undefined;
  return { supervisor: newest, remark };
}
