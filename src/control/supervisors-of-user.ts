/** All supervisors of this user on this machine: each has a folder for its sockets among the temporary files. */
import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { attempt } from "../common/attempt.js";
import { ASK_ALL_MS } from "../common/deadlines.js";
import { localSocketPath } from "../common/paths.js";
import { isRunning } from "../thread/process-state.js";
import { socketBases } from "../thread/socket-folder.js";
import { askSupervisor } from "./ask-supervisor.js";
import type { SupervisorState } from "./state.js";

export interface KnownSupervisor {
  readonly address: string;
  readonly state: SupervisorState;
}

const NAME = /^unreloader-(\d+)-/;

/** Those that answer, newest first. */
export async function supervisorsOfUser(): Promise<KnownSupervisor[]> {
  const asked = foldersOfUser().map(async ({ pid, folder }) => {
    const address = localSocketPath(folder, "commands");
    try {
      const reply = await askSupervisor({ address, pid }, { command: "status" }, AbortSignal.timeout(ASK_ALL_MS));
      return "answer" in reply ? { address, state: reply.answer as SupervisorState } : undefined;
    } catch {
      // Of another container, or it ends just now.
      return undefined;
    }
  });
  const known = (await Promise.all(asked)).filter((each) => each !== undefined);
  return known.sort((left, right) => right.state.startedAt - left.state.startedAt);
}

function foldersOfUser(): { pid: number; folder: string }[] {
  const found: { pid: number; folder: string }[] = [];
  for (const base of socketBases()) {
    for (const name of attempt(() => readdirSync(base)) ?? []) {
      const pid = Number(NAME.exec(name)?.[1]);
      const folder = path.join(base, name);
      // What another user has made says nothing of ours.
      if (Number.isNaN(pid) || !isRunning(pid) || attempt(() => lstatSync(folder))?.uid !== ownUser()) continue;
      found.push({ pid, folder });
    }
  }
  return found;
}

function ownUser(): number {
  return process.getuid?.() ?? 0;
}
