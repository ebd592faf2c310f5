/** Which of the running supervisors a command means. */
import path from "node:path";
import { NoSupervisorError } from "../common/errors.js";
import { cacheFolder } from "../thread/environment.js";
import { findSupervisors, type RunningSupervisor } from "./running-supervisors.js";

export interface Chosen {
  readonly supervisor: Pick<RunningSupervisor, "pid" | "address">;
  /** What should be said about the choice; undefined when there was none. */
  readonly remark: string | undefined;
}

/**
 * The one with the process id `pid`, wherever it runs; or the newest one of the project at `root`; or, when none runs there,
 * the only one that runs for a folder below or above it.
 * `dead`: addresses at which nobody listens.
 * @throws NoSupervisorError when there is none.
 */
export async function chooseSupervisor(
  root: string,
  pid: number | undefined,
  dead: ReadonlySet<string> = new Set(),
): Promise<Chosen> {
  const { running: registered, killed } = findSupervisors(cacheFolder(root));
  const running = registered.filter(({ address }) => !dead.has(address));
  const left = killed.length === 0 ? "" : `; process ${killed.join(", ")} was killed and had left its file`;
  const hint = "start one, or name another project by --root";
  const list = running.map((known) => `${known.pid} (${path.relative(root, known.entry)})`).join(", ");
  if (pid !== undefined) {
    const supervisor = running.find((known) => known.pid === pid || known.launcher === pid) ?? (await withPid(pid));
    if (supervisor) return { supervisor, remark: undefined };
    const others = running.length > 0 ? `running in ${root}: ${list}` : "see unreloader ls";
    throw new NoSupervisorError(`--pid ${pid} is no supervisor of this user; ${others}${left}`);
  }
  const [newest] = running;
  if (newest) {
    const remark =
      running.length > 1 ? `asking the newest of ${running.length} supervisors, ${newest.pid}: ${list}` : undefined;
    return { supervisor: newest, remark };
  }
  const near = await supervisorsNear(root);
  const [only, second] = near;
  if (only && !second) return { supervisor: only, remark: `asking the supervisor of ${only.root} (${only.pid})` };
  const several = near.map((known) => `${known.pid} (${known.root})`).join(", ");
  if (only)
    throw new NoSupervisorError(`no supervisor is running for ${root}, but near it: name one by --pid: ${several}`);
  throw new NoSupervisorError(`no supervisor is running for ${root}${left}: ${hint}`);
}

interface Near {
  readonly pid: number;
  readonly address: string;
  readonly root: string;
}

async function everyOne(): Promise<(Near & { readonly launcher: number | null })[]> {
  // What asks them all is seldom needed.
  const { supervisorsOfUser } = await import("./supervisors-of-user.js");
  return (await supervisorsOfUser()).map(({ address, state }) => ({
    ...{ address, pid: state.pid, launcher: state.launcher, root: state.root },
  }));
}

async function withPid(pid: number): Promise<Near | undefined> {
  return (await everyOne()).find((known) => known.pid === pid || known.launcher === pid);
}

async function supervisorsNear(root: string): Promise<Near[]> {
  const isIn = (folder: string, above: string): boolean => folder.startsWith(above + path.sep);
  return (await everyOne()).filter((known) => isIn(known.root, root) || isIn(root, known.root));
}
