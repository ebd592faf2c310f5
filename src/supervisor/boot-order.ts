/** What a thread is told when it begins: what it runs, with which options, and the memories that it shares with main. */
import type { BootOrder } from "../common/protocol/orders.js";
import { OwnConnections } from "../common/protocol/own-connections.js";
import { ThreadBoard } from "../common/protocol/thread-board.js";
import type { ResolvedOptions } from "../options/options.js";
import { browserText } from "../pages/browser-texts.js";
import type { AppStreams } from "../thread/app-streams.js";
import { fileVariables } from "../thread/env-files.js";
import { cacheFolder } from "../thread/environment.js";
import { importConditions, startedWith } from "../thread/node-flags.js";
import type { SocketFolder } from "../thread/socket-folder.js";
import type { SubclassNames } from "./subclass-names.js";

/** What all orders have in common. */
export interface BootSettings {
  readonly options: ResolvedOptions;
  readonly roots: () => readonly string[];
  /** See the boot order. */
  readonly classNames: () => Readonly<Record<string, readonly string[]>>;
  /** The app's thread ends when it has nothing left to do. */
  readonly endsByItself: boolean;
  readonly socketFolder: SocketFolder;
  readonly table: SharedArrayBuffer;
  /** The standard streams. */
  readonly streams: AppStreams;
  /** Names of the subclass filter. */
  readonly subclasses: SubclassNames;
}

/** What a debugger has set its breakpoints in is not swapped. */
export function hasCells({ scope, inspect }: Pick<ResolvedOptions, "scope" | "inspect">): boolean {
  return scope === "function" && inspect === undefined;
}

/** `generation`: what the app will be loaded as. */
export function bootOrder(given: BootSettings, epoch: number, generation: number): BootOrder {
  const { options, table, subclasses, streams } = given;
  const flags = startedWith(streams.isAppsProcess);
  return {
    epoch,
    generation,
    root: options.root,
    entry: options.entry,
    script: options.script,
    args: [...options.args],
    ...flags,
    preload: given.roots().slice(0, -1),
    classNames: given.classNames(),
    autoload: options.autoload,
    ...(options.app !== undefined && { app: options.app }),
    streams: streams.order,
    fallback: options.fallback,
    socketFolder: given.socketFolder.path,
    cacheFolder: cacheFolder(options.root),
    adapters: options.adapters,
    sockets: options.sockets,
    panel: options.panel,
    ...(options.live && options.panel && { live: { id: given.socketFolder.id, script: browserText("live.js") } }),
    conditions: importConditions(),
    connectionTable: table,
    endsByItself: given.endsByItself,
    exits: options.exit,
    board: new ThreadBoard().buffer,
    ownConnections: new OwnConnections().buffer,
    ...(subclasses.names && { subclasses: subclasses.names }),
    variables: fileVariables(options.envFiles),
    heldDeadlineMs: options.heldDeadline,
    cells: hasCells(options),
    debuggable: options.inspect !== undefined,
    // Packages that were loaded ahead would miss what is to be loaded before the app.
    records: options.standby && flags.nodePreloads.length === 0,
  };
}
