/** What the load of one package does that others could notice, and what it reads of the environment. */
import { createHook } from "node:async_hooks";
import { PROCESS_CALLS } from "../../src/common/protocol/process-calls.js";
import { type AnyFunction, replaceMethod } from "../ledger/replace.js";
import type { FileUse } from "../runtime/file-reads.js";
import { moduleInternals } from "../runtime/module-internals.js";
import { SUPERVISOR } from "../runtime/supervisor-code.js";
import { packageFolder } from "./package-reach.js";

export interface LoadWatchOptions {
  /** How often something was written to stdout and stderr. */
  written(): number;
  /** What is begun now is the supervisor's own, although a package has asked for it. */
  ownWork(): boolean;
  /** Tells of variables that are read until the returned function is called; `*`: of all. */
  watchVariables(read: (name: string) => void): () => void;
  /** Tells of files that are used until the returned function is called. */
  watchFiles(used: FileUse): () => void;
}

export interface SeenLoad {
  readonly effects: string[];
  readonly variables: string[];
  /** Files outside node_modules, and folders, that were read. */
  readonly files: string[];
  /** Files in node_modules that were read. */
  readonly packageFiles: string[];
  /** Folders of packages of which CommonJS files were loaded. */
  readonly packages: string[];
  readonly durationMs: number;
}

/** Of what Node counts as asynchronous: begins and ends within the load, or is nothing but memory (`node:dns` has a channel). */
const SILENT = new Set(["PROMISE", "DIRHANDLE", "ZLIB", "DNSCHANNEL"]);

export class LoadWatch {
  readonly #options: LoadWatchOptions;
  /** What the load that is under way has done so far; undefined while nothing is loaded. */
  #effects: Set<string> | undefined;

  constructor(options: LoadWatchOptions) {
    this.#options = options;
  }

  get loading(): boolean {
    return this.#effects !== undefined;
  }

  /** Somebody else has seen what the load under way does. */
  note(effect: string): void {
    this.#effects?.add(effect);
  }

  /** Runs the load of a package, and tells what it did, also when it throws. One at a time. */
  watch<Result>(load: () => Result, tell: (seen: SeenLoad) => void): Result {
    const effects = new Set<string>();
    const variables = new Set<string>();
    const used = new Set<string>();
    const packageFiles = new Set<string>();
    this.#effects = effects;
    const written = this.#options.written();
    const listeners = listenersOfProcess();
    const environment = environmentNow();
    const { title } = process;
    const loaded = Object.keys(moduleInternals._cache).length;
    const created: { type: string; resource: object }[] = [];
    const hook = createHook({
      init: (_, type, __, resource) => {
        if (isActive(type) && !this.#options.ownWork()) created.push({ type, resource });
      },
    }).enable();
    const ends = [
      this.#options.watchVariables((name) => variables.add(name)),
      this.#options.watchFiles((file, writes) => {
        // Adapters are loaded with the packages that they are for.
        if (file.startsWith(SUPERVISOR)) return;
        if (writes) effects.add(`writes the file ${file}`);
        else (packageFolder(file) === undefined ? used : packageFiles).add(file);
      }),
      this.#noteCalls("emitWarning", "emits a warning"),
      this.#noteCalls("exit", "ends the process"),
      ...PROCESS_CALLS.map((name) => this.#noteCalls(name, "changes the process")),
    ];
    const began = performance.now();
    try {
      return load();
    } catch (error) {
      effects.add("throws");
      throw error;
    } finally {
      const durationMs = performance.now() - began;
      for (const end of ends) end();
      hook.disable();
      this.#effects = undefined;
      for (const { type, resource } of created) if (!isOver(resource)) effects.add(`leaves something behind (${type})`);
      if (this.#options.written() > written) effects.add("prints");
      if (listenersOfProcess() !== listeners) effects.add("listens to events of the process");
      if (process.title !== title) effects.add("changes the process");
      if (environmentNow() !== environment) effects.add("changes variables of the environment");
      const files = Object.keys(moduleInternals._cache).slice(loaded);
      const packages = new Set(files.flatMap((file) => packageFolder(file) ?? []));
      tell({
        effects: [...effects],
        variables: [...variables],
        files: [...used],
        packageFiles: [...packageFiles],
        packages: [...packages],
        durationMs,
      });
    }
  }

  #noteCalls(name: string, effect: string): () => void {
    return replaceMethod(process, name, (original) => {
      const watch = this;
      const called: AnyFunction = function (this: unknown, ...args) {
        // The mask is also asked for by this function.
        if (name !== "umask" || args[0] !== undefined) watch.note(effect);
        return Reflect.apply(original, this, args);
      };
      return called;
    });
  }
}

/** Node's own kinds are written in capitals; others are made by packages, and are only names. */
function isActive(type: string): boolean {
  if (SILENT.has(type)) return false;
  return /^[A-Z0-9_]+$/.test(type) || ["Timeout", "Immediate", "TickObject", "Microtask"].includes(type);
}

/** A timer that was cleared. */
function isOver(resource: object): boolean {
  return (resource as { _destroyed?: boolean })._destroyed === true;
}

function environmentNow(): string {
  return JSON.stringify({ ...process.env });
}

function listenersOfProcess(): string {
  return (
    process
      .eventNames()
      // Of the terminal's size: what asks for stdout listens for it.
      .filter((name) => name !== "SIGWINCH")
      .map((name) => `${String(name)} ${process.listenerCount(name)}`)
      .join()
  );
}
