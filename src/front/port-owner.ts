/** Who listens on a port of this machine, as far as the system tells this user. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { attempt } from "../common/attempt.js";
import { PORT_OWNER_MS } from "../common/deadlines.js";

export interface PortOwner {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly command: string;
}

/** `0A` of /proc/net/tcp: it listens. */
const LISTENS = "0A";
const COMMAND_LENGTH = 60;

/** Undefined: nobody, or somebody else's process, or one of another container. */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  if (process.platform === "linux") return ownerByProc(port);
  return process.platform === "win32" ? undefined : ownerByLsof(port);
}

/**
 * What stands for those who listen on a port now: when it differs, the port may be free. Nobody is connected to where the
 * system tells it otherwise. Undefined: nobody listens there.
 */
export async function portHolders(port: number, host: string | undefined): Promise<string | undefined> {
  if (process.platform !== "linux") return (await accepts(port, host)) ? "somebody" : undefined;
  const inodes = listeningInodes(port).sort();
  return inodes.length === 0 ? undefined : inodes.join();
}

function ownerByProc(port: number): PortOwner | undefined {
  const sockets = new Set(listeningInodes(port).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const processes = (attempt(() => readdirSync("/proc")) ?? []).filter((name) => /^\d+$/.test(name));
  const holder = processes.find((pid) => {
    const folder = `/proc/${pid}/fd`;
    // Those of other users are not shown; what has ended meanwhile is no more.
    const descriptors = attempt(() => readdirSync(folder)) ?? [];
    return descriptors.some((name) => sockets.has(attempt(() => readlinkSync(`${folder}/${name}`)) ?? ""));
  });
  if (holder === undefined) return undefined;
  const words = (attempt(() => readFileSync(`/proc/${holder}/cmdline`, "utf8")) ?? "").split("\0");
  return { pid: Number(holder), command: shownCommand(words) };
}

/** Of the sockets, for IPv4 and IPv6. */
function listeningInodes(port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => {
    const rows = (attempt(() => readFileSync(table, "utf8")) ?? "").split("\n").slice(1);
    return rows.flatMap((row) => {
      const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
      return state === LISTENS && local.endsWith(suffix) ? [inode] : [];
    });
  });
}

async function ownerByLsof(port: number): Promise<PortOwner | undefined> {
  try {
    const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fp"];
    const { stdout } = await promisify(execFile)("lsof", args, { timeout: PORT_OWNER_MS });
    const [, pid] = /^p(\d+)$/m.exec(stdout) ?? [];
    if (pid === undefined) return undefined;
    const shown = await promisify(execFile)("ps", ["-o", "command=", "-p", pid], { timeout: PORT_OWNER_MS });
    return { pid: Number(pid), command: shownCommand(shown.stdout.trim().split(" ")) };
  } catch {
    // Not installed, or it has found nothing.
    return undefined;
  }
}

/** `node src/app.ts`: programs and scripts by their names, without flags before them. */
function shownCommand(words: readonly string[]): string {
  const [program = "", ...rest] = words.filter((word) => word !== "");
  const shown = [path.basename(program), ...rest.map((word) => (path.isAbsolute(word) ? path.basename(word) : word))];
  // A program may be an argument, with its line breaks.
  const line = shown.join(" ").replace(/\s+/g, " ");
  return line.length <= COMMAND_LENGTH ? line : `${line.slice(0, COMMAND_LENGTH - 1)}…`;
}

function accepts(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, ...(host !== undefined && host !== "::" && host !== "0.0.0.0" && { host }) });
    const settle = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", settle(true)).once("error", settle(false)).setTimeout(PORT_OWNER_MS, settle(true));
  });
}
