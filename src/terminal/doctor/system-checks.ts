/** What the machine gives: Node, file events, their limits, folders for temporary files, a port. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { EVENT_PROBE_MS } from "../../common/deadlines.js";
import { errorText, UnreloaderError } from "../../common/errors.js";
import { type Promptness, probeEvents } from "../../files/event-probe.js";
import { isRemote } from "../../files/file-system.js";
import { watchFolder } from "../../files/watcher.js";
import { portOwner } from "../../front/port-owner.js";
import { cacheFolder } from "../../thread/environment.js";
import { SocketFolder } from "../../thread/socket-folder.js";
import { missingPermissions } from "../permissions.js";
import type { Finding, Project } from "./finding.js";

const LEAST_NODE = [20, 19] as const;
/** Those that the tests run on. */
const TESTED: ReadonlySet<number> = new Set([20, 22, 24, 26]);

export function checkNode(version = process.versions.node): Finding {
  const check = "Node.js";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const found = `${version} (${process.platform} ${process.arch})`;
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]))
    return { check, level: "bad", found, means: "unreloader needs 20.19 or later", remedy: "install Node 24" };
  const missing = missingPermissions();
  if (missing.length > 0)
    return {
      ...{ check, level: "bad", found: `${found} with --permission` },
      means: `the app runs in a thread of its own, which needs ${missing.join(" and ")}`,
      remedy: `add ${missing.join(" ")}, or use --no-reload`,
    };
  if (TESTED.has(major)) return { check, level: "ok", found };
  return {
    ...{ check, level: "warn", found },
    means: "unreloader is tested on Node 20, 22, 24 and 26",
    remedy: `use ${major % 2 === 1 ? major + 1 : 24}`,
  };
}

/** What the system says of file events. */
export interface EventFacts {
  isRemote(folder: string): boolean;
  probe(folder: string): Promise<Promptness>;
}

const FACTS: EventFacts = { isRemote, probe: (folder) => probeEvents(folder, watchFolder, EVENT_PROBE_MS) };

export async function checkEvents({ root }: Pick<Project, "root">, facts = FACTS): Promise<Finding> {
  const check = "file events";
  if (facts.isRemote(root))
    return {
      ...{ check, level: "warn", found: `${root} lies on a file system of another machine` },
      means: "what is written there is not told here: files are looked at for each request (2 to 6 ms for 2000 files)",
      remedy: "where it can be, keep the project on a disk of this machine, or let the container sync files",
    };
  const refusal = refusedBy(cacheFolder(root));
  if (refusal !== undefined)
    return {
      ...{ check, level: "warn", found: `they cannot be tried: ${refusal}` },
      means: "files are looked at for each request (2 to 6 ms for 2000 files)",
      remedy: "let this user write there",
    };
  const promptness = await facts.probe(cacheFolder(root));
  // Those that were made for it, and are empty.
  for (let folder = cacheFolder(root); folder !== root; folder = path.dirname(folder)) attempt(() => rmdirSync(folder));
  switch (promptness) {
    case "prompt":
      return { check, level: "ok", found: "they arrive at once" };
    case "late":
      return {
        ...{ check, level: process.platform === "linux" ? "warn" : "ok", found: "they arrive, but late" },
        means: "files are looked at for each request as well (2 to 6 ms for 2000 files)",
      };
    case "none":
      return {
        ...{ check, level: "warn", found: "none arrive here" },
        means: "files are polled for changes",
        remedy: "--watch poll says so from the beginning, and is quicker at the start",
      };
    default:
      return promptness satisfies never;
  }
}

/** How many folders of the project are watched at the most; more are not counted. */
const MOST_FOLDERS = 20_000;
/** Of the limit, for this project: editors and other tools need the rest. */
const SHARE = 0.5;

function inotifyLimit(name: string): number {
  return Number(attempt(() => readFileSync(`/proc/sys/fs/inotify/${name}`, "utf8")) ?? "NaN");
}

export function checkInotify({ root }: Pick<Project, "root">, limit = inotifyLimit): Finding | undefined {
  if (process.platform !== "linux") return undefined;
  const [watches, instances] = [limit("max_user_watches"), limit("max_user_instances")];
  const folders = foldersBelow(root);
  const has = `this project has ${folders} folder${folders === 1 ? "" : "s"}`;
  const found = `${watches} watches and ${instances} instances for this user; ${has}`;
  const check = "inotify limits";
  if (!(folders > SHARE * watches) && !(instances < 16)) return { check, level: "ok", found };
  return {
    ...{ check, level: "warn", found },
    means: "folders that the system refuses to watch are looked at for each request",
    remedy: "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512",
  };
}

function foldersBelow(root: string): number {
  let count = 0;
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined && count < MOST_FOLDERS; folder = pending.pop()) {
    count++;
    for (const entry of attempt(() => readdirSync(folder as string, { withFileTypes: true })) ?? [])
      if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
        pending.push(path.join(folder, entry.name));
  }
  return count;
}

export async function checkTempFolder(bases?: readonly string[]): Promise<Finding> {
  const check = "temporary files";
  try {
    const folder = new SocketFolder(bases);
    const found = path.dirname(folder.path);
    await folder.remove();
    return { check, level: "ok", found };
  } catch (error) {
    if (!(error instanceof UnreloaderError)) throw error;
    return {
      ...{ check, level: "bad", found: error.message },
      means: "the sockets between the front and the app lie there",
      remedy: "set TMPDIR to a folder that you may write to",
    };
  }
}

export function checkCache({ root }: Pick<Project, "root">): Finding {
  const check = "cache";
  const folder = cacheFolder(root);
  const refusal = refusedBy(folder);
  if (refusal !== undefined)
    return {
      ...{ check, level: "warn", found: `${folder} cannot be written: ${refusal}` },
      means: "each start compiles everything again, and commands do not find the supervisor",
      remedy: "let this user write there",
    };
  const names = attempt(() => readdirSync(folder)) ?? [];
  if (names.length === 0) return { check, level: "ok", found: `${folder} is empty` };
  const bytes = names.reduce((sum, name) => sum + (attempt(() => statSync(path.join(folder, name)))?.size ?? 0), 0);
  return { check, level: "ok", found: `${folder}: ${Math.ceil(bytes / 1024)} kB` };
}

/** Why nothing can be written there; undefined: it can. Leaves nothing behind. */
function refusedBy(folder: string): string | undefined {
  let made: string | undefined;
  try {
    made = mkdirSync(folder, { recursive: true });
    const probe = path.join(folder, ".doctor");
    writeFileSync(probe, "");
    rmSync(probe, { force: true });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return errorText(error);
  } finally {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  }
}

const DEFAULT_PORT = 3000;

export async function checkPort(wanted: number | undefined, own: ReadonlySet<number>): Promise<Finding> {
  const given = Number(process.env.PORT);
  const port = wanted ?? (Number.isInteger(given) && given > 0 ? given : DEFAULT_PORT);
  const check = "port";
  if (await isFree(port)) return { check, level: "ok", found: `${port} is free` };
  const owner = await portOwner(port);
  const who = owner ? `${owner.command} (pid ${owner.pid})` : "another process";
  if (owner && own.has(owner.pid)) return { check, level: "ok", found: `${port} is a supervisor's: ${who}` };
  return {
    ...{ check, level: "warn", found: `${port} is taken by ${who}` },
    means: "an app that wants this port cannot be started",
    remedy: "end that process, or use --port N or --port-fallback",
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
