/** The side of a running supervisor that other processes see: a socket for their questions, and a file that leads to it. */
import path from "node:path";
import { errorText } from "../common/errors.js";
import { cacheFolder } from "../thread/environment.js";
import { CommandSocket } from "./command-socket.js";
import type { Commands } from "./commands.js";
import { announceSupervisor, findSupervisors } from "./running-supervisors.js";

export interface ControlOptions {
  /** Of the project. */
  readonly root: string;
  readonly entry: string;
  /** The process that has started this one for it. */
  readonly launcher: number | undefined;
  /** For the socket: private to this supervisor. */
  readonly folder: string;
  commands(): Commands;
  /** A line for the level `debug`. */
  onLog(message: string): void;
}

export class Control {
  readonly #options: ControlOptions;
  /** Undefined inside when it could not be opened. */
  #socket: Promise<CommandSocket | undefined> | undefined;
  /** Removes the file; undefined while there is none. */
  #withdraw: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /** From now on this supervisor can be found and asked. Later calls do nothing. */
  open(): void {
    if (!this.#isClosed) this.#socket ??= this.#open();
  }

  /** Opens the socket again when its file was removed. */
  async ensure(): Promise<void> {
    (await this.#socket)?.ensure();
  }

  /** No file says any more that this process can be asked. */
  withdraw(): void {
    this.#withdraw?.();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.withdraw();
    await (await this.#socket)?.close();
  }

  /** Never rejects: without it, only other processes do not find this supervisor. */
  async #open(): Promise<CommandSocket | undefined> {
    const { root, entry, launcher, folder, onLog } = this.#options;
    try {
      const socket = await CommandSocket.open({ folder, commands: this.#options.commands() });
      if (this.#isClosed) return socket;
      const announcements = cacheFolder(root);
      const running = {
        pid: process.pid,
        ...(launcher !== undefined && { launcher }),
        entry,
        address: socket.address,
        startedAt: Date.now(),
      };
      this.#withdraw = announceSupervisor(announcements, path.basename(folder), running);
      // Those that were killed have left theirs.
      findSupervisors(announcements);
      return socket;
    } catch (error) {
      onLog(`commands such as unreloader status will not find this process: ${errorText(error)}`);
      return undefined;
    }
  }
}
