/** What is still alive of purged code: what the thread has found, who keeps it, and the same for other processes that ask. */
import path from "node:path";
import { errorText } from "../common/errors.js";
import type { ResolvedOptions } from "../options/options.js";
import type { StaleReferencesReport } from "../reports/report.js";
import type { LoadedApp } from "../supervisor/loaded-app.js";
import type { Preparer } from "../supervisor/preparer.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { cacheFolder } from "../thread/environment.js";
import { CommandSocket } from "./command-socket.js";
import { explainLeak } from "./explain-leak.js";
import type { HolderPlace } from "./heap/function-place.js";
import type { LeakReport } from "./leak-report.js";
import { announceSupervisor, findSupervisors } from "./running-supervisors.js";

export interface LeaksOptions {
  readonly options: ResolvedOptions;
  /** For snapshots and the socket: private to this supervisor. */
  readonly folder: string;
  readonly preparer: Preparer;
  /** The app that serves. */
  app(): LoadedApp | undefined;
  /** The cycle that is under way. */
  cycle(): Promise<unknown> | undefined;
  onNews(report: StaleReferencesReport): void;
  /** A line for the level `debug`. */
  onLog(message: string): void;
}

export class Leaks {
  readonly #with: LeaksOptions;
  #references: readonly StaleReferencesReport[] = [];
  /** Where other processes ask; undefined inside when it could not be opened. */
  #commands: Promise<CommandSocket | undefined> | undefined;
  #withdraw: (() => void) | undefined;
  #explaining: Promise<LeakReport[]> | undefined;
  #closed = false;

  constructor(options: LeaksOptions) {
    this.#with = options;
  }

  /** As of the last look. */
  get references(): readonly StaleReferencesReport[] {
    return this.#references;
  }

  /** A fresh thread has nothing purged. */
  forget(): void {
    this.#references = [];
  }

  /** The thread has looked. */
  found(epoch: AppEpoch, references: readonly StaleReferencesReport[], news: readonly StaleReferencesReport[]): void {
    if (this.#with.app()?.epoch !== epoch) return;
    this.#references = references;
    for (const report of news) this.#with.onNews(report);
  }

  async check(): Promise<readonly StaleReferencesReport[]> {
    const epoch = await this.#settledEpoch();
    return (await epoch?.checkStaleReferences()) ?? [];
  }

  /** Concurrent calls share one snapshot. */
  explain(): Promise<LeakReport[]> {
    this.#explaining ??= this.#explain().finally(() => {
      this.#explaining = undefined;
    });
    return this.#explaining;
  }

  /** Lets `unreloader explain-leak` find this supervisor. */
  answerOthers(): void {
    this.#commands ??= this.#openCommands();
  }

  /** The folder of the sockets has been cleaned by somebody. */
  async ensureCommands(): Promise<void> {
    (await this.#commands)?.ensure();
  }

  /** No file says any more that this process can be asked. */
  withdraw(): void {
    this.#withdraw?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.withdraw();
    const commands = await this.#commands;
    await commands?.close();
  }

  async #explain(): Promise<LeakReport[]> {
    const epoch = await this.#settledEpoch();
    if (!epoch) return [];
    return explainLeak(epoch, { folder: this.#with.folder, locate: (place) => this.#locate(place) });
  }

  /** The thread that serves, when no reload is under way. */
  async #settledEpoch(): Promise<AppEpoch | undefined> {
    for (let cycle = this.#with.cycle(); cycle; cycle = this.#with.cycle()) await cycle;
    return this.#with.app()?.epoch;
  }

  /** To the line: the old version's columns are not worth the newest text's. */
  #locate({ file, line, column }: HolderPlace): HolderPlace {
    if (line === undefined) return { file };
    const compiled = this.#with.app()?.modules.get(file)?.compiled;
    if (!compiled || column === undefined) return { file, line };
    return { file, line: this.#with.preparer.locate(compiled, { line, column }).line };
  }

  /** Never rejects: without it, only `unreloader explain-leak` does not find this supervisor. */
  async #openCommands(): Promise<CommandSocket | undefined> {
    const { options, folder, onLog } = this.#with;
    try {
      const commands = await CommandSocket.open({ folder, explainLeak: () => this.explain() });
      if (this.#closed) return commands;
      const announcements = cacheFolder(options.root);
      const running = { pid: process.pid, entry: options.entry, address: commands.address, startedAt: Date.now() };
      this.#withdraw = announceSupervisor(announcements, path.basename(folder), running);
      // Those that were killed have left theirs.
      findSupervisors(announcements);
      return commands;
    } catch (error) {
      onLog(`unreloader explain-leak will not find this process: ${errorText(error)}`);
      return undefined;
    }
  }
}
