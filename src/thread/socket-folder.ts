/**
 * The folder of the unix sockets between the front and the app's servers. Files in a folder of mode 0700, not Linux's
 * abstract sockets: those have no permissions, so that any user of the machine (of the network namespace) could connect to
 * one and speak for a client, or take the name of one first.
 *
 * Whether a folder's owner lives is asked of the owner: it listens on a socket in it for as long as it runs. A process id
 * alone says nothing, since folders for temporary files are shared between containers, each of which counts from 1.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { debuglog } from "node:util";
import { UnreloaderError } from "../common/errors.js";
import { ensurePrivateFolder } from "../common/protocol/private-folder.js";
import { isRunning } from "./process-state.js";

const debug = debuglog("unreloader");

const NAME = /^unreloader-(\d+)-/;
const OWNER = "owner.sock";
/** The longest name of a socket in the folder, and what mkdtemp appends to the name of the folder. */
const LONGEST_NAME = "commands.sock";
const RANDOM_LENGTH = 6;
/** Bytes in the path of a unix socket, without the zero at its end. A longer one is cut off, or refused. */
const LONGEST_PATH = process.platform === "linux" ? 107 : 103;
/** A folder is another process's leftover when nobody answers in it twice: the first time it may just have been made. */
const SECOND_LOOK_MS = 250;

export class SocketFolder {
  readonly path: string;
  readonly #cleaning: Promise<void>;
  readonly #end = new AbortController();
  #owner: Server | undefined;

  /**
   * Makes a folder in the first of `bases` where that is possible.
   * @throws UnreloaderError (ERR_UNRELOADER_TEMP_FOLDER) when there is none.
   */
  constructor(bases: readonly string[] = socketBases()) {
    const { folder, base } = makeFolder(bases);
    this.path = folder;
    this.#listen();
    this.#cleaning = removeLeftovers(base, this.#end.signal).catch((error: unknown) => {
      debug("leftovers in %s not removed: %s", base, error);
    });
  }

  /** No other supervisor on this machine has it now. */
  get id(): string {
    return path.basename(this.path).replace(/^unreloader-/, "");
  }

  /**
   * Makes the folder again if somebody has removed it, as cleaners of temporary files do.
   * @throws Node's own error, or one with the code EACCES when somebody else has taken its place.
   */
  ensure(): void {
    if (this.#end.signal.aborted) return;
    ensurePrivateFolder(this.path);
    if (process.platform !== "win32" && !existsSync(path.join(this.path, OWNER))) this.#listen();
  }

  /** Removes the folder. Idempotent. */
  async remove(): Promise<void> {
    this.removeNow();
    await this.#cleaning;
  }

  /** The same at the end of the process, when nothing can be waited for. */
  removeNow(): void {
    this.#end.abort();
    this.#owner?.close();
    this.#owner = undefined;
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Who connects to this socket knows that the owner of the folder lives. */
  #listen(): void {
    // On Windows pipes go with their process, and are in no folder.
    if (process.platform === "win32") return;
    this.#owner?.close();
    this.#owner = createServer((socket) => socket.destroy());
    this.#owner.on("error", (error) => debug("no owner socket in %s: %s", this.path, error));
    this.#owner.listen(path.join(this.path, OWNER)).unref();
  }
}

/** Where folders for sockets may be: the user's choice first, then what most systems have. */
export function socketBases(): string[] {
  const { XDG_RUNTIME_DIR } = process.env;
  if (process.platform === "win32") return [tmpdir()];
  const bases = [tmpdir(), XDG_RUNTIME_DIR, `/run/user/${process.getuid?.()}`, "/tmp", "/var/tmp"];
  return [...new Set(bases.filter((base) => base !== undefined && base !== ""))] as string[];
}

function makeFolder(bases: readonly string[]): { folder: string; base: string } {
  const failures: string[] = [];
  for (const base of bases) {
    try {
      return { folder: makeFolderIn(path.resolve(base)), base: path.resolve(base) };
    } catch (error) {
      failures.push(`${base} (${reasonOf(error as NodeJS.ErrnoException)})`);
    }
  }
  throw new UnreloaderError(
    "ERR_UNRELOADER_TEMP_FOLDER",
    `no folder for sockets can be made in ${failures.join(", ")}: set TMPDIR to a folder that you may write to, ` +
      `with a path of at most ${longestBase()} bytes`,
  );
}

function makeFolderIn(base: string): string {
  if (process.platform !== "win32" && Buffer.byteLength(base) > longestBase()) throw new TooLong();
  return mkdtempSync(path.join(base, ownPrefix()));
}

class TooLong extends Error {
  override readonly message = "its path is too long for a socket";
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case undefined:
      return error.message;
    case "ENOENT":
      return "it does not exist";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return `it cannot be written to: ${error.code}`;
    default:
      return error.code;
  }
}

function ownPrefix(): string {
  return `unreloader-${process.pid}-`;
}

function longestBase(): number {
  return LONGEST_PATH - `/${ownPrefix()}/${LONGEST_NAME}`.length - RANDOM_LENGTH;
}

/** Removes the folders of this user's processes that were killed before they could. What is in doubt stays. */
async function removeLeftovers(base: string, signal: AbortSignal): Promise<void> {
  const folders: string[] = [];
  for (const name of readdirSync(base)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const folder = path.join(base, name);
    if (await isDesertedFolder(folder)) folders.push(folder);
  }
  if (folders.length === 0) return;
  await pause(SECOND_LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined);
  for (const folder of folders) {
    if (signal.aborted) return;
    if (await isDesertedFolder(folder)) await rm(folder, { recursive: true, force: true });
  }
}

/** Whether it is this user's folder and nobody listens in it. */
async function isDesertedFolder(folder: string): Promise<boolean> {
  try {
    const stats = await lstat(folder);
    if (!stats.isDirectory()) return false;
    if (process.platform === "win32") return true;
    if (stats.uid !== process.getuid?.()) return false;
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isSocket() && (await isListening(path.join(folder, entry.name)))) return false;
    }
    return true;
  } catch (error) {
    // Removed by its owner, or by another process that starts, just now.
    debug("%s not looked into: %s", folder, error);
    return false;
  }
}

/** Only a plain refusal says that nobody does. */
function isListening(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.unref();
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== "ECONNREFUSED" && code !== "ENOENT" && code !== "ENOTSOCK");
    });
  });
}
