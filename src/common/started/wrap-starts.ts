/**
 * The app's own threads and processes (`new Worker()`, `fork()`, `spawn(process.execPath)`): tells which file each of them
 * evaluates, and gives those that evaluate TypeScript the loader of `--no-reload`. Node's functions are wrapped for a whole
 * thread; what starts neither is told nor changed costs nothing, and plain JavaScript is started as it is.
 *
 * By its path, so that no bundle has it: workers/ledger/caller.ts knows its frames by the file.
 */
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import workerThreads from "node:worker_threads";
import { isCompiled } from "../compile/file-kind.js";
import { isBelowPackages } from "../paths.js";
import { inherits, isObject, ownValue } from "../untouched.js";
import { preloadsRunner, scriptIndex } from "./node-arguments.js";
import { NO_LOADER, scriptFile } from "./script-file.js";
import { withoutRefused } from "./thread-flags.js";

type AnyFunction = (...args: never[]) => unknown;

export interface WrapStartsOptions {
  /** Handed to what is started: where its packages and settings are looked for. */
  readonly root: string;
  /** A thread or process begins, whatever it does. Absent: nobody wants to know. */
  began?(): void;
  /** A thread or process begins that evaluates this own file. `wrapper` is on the stack, called by what starts it. */
  starts(file: string, wrapper: AnyFunction): void;
  /** A thread has been made; `wrapper` as above. Absent: nobody wants to know. */
  workerMade?(worker: workerThreads.Worker, wrapper: AnyFunction): void;
  /** `cluster.fork()` has started a worker; Node does not listen to it yet. Absent: it is Node's own matter. */
  clusterForked?(worker: childProcess.ChildProcess, file: string, wrapper: AnyFunction): void;
  /**
   * Flags that a thread has from the process, where this thread was made without some of them: what those preload runs in
   * threads of the app's as well. Absent: this thread has them all.
   */
  readonly inherited?: readonly string[] | undefined;
  /** Whether Node needs the loader for an own file in JavaScript: it leads to TypeScript. */
  leadsToCompiled(file: string): boolean;
  /** Whether pools of packages may be given TypeScript to run. */
  readonly poolsNeedLoader: boolean;
}

/** Takes the place of the script; the script and what belongs to it are its arguments. */
const RUN_STARTED = fileURLToPath(new URL("../../node-loader/run-started.js", import.meta.url));

/** Packages whose threads and processes evaluate files that a message names. */
const POOLS = /[\\/]node_modules[\\/](?:piscina|tinypool|jest-worker)[\\/]/;

/** Until the returned function is called. */
export function wrapStarts(options: WrapStartsOptions): () => void {
  const restores = [
    wrapWorker(options),
    replace(childProcess, "fork", (original) => wrapFork(original, options)),
    ...["spawn", "spawnSync", "execFile", "execFileSync", "exec", "execSync"].map((name) =>
      replace(childProcess, name, (original) => wrapSpawn(original, options)),
    ),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  };
}

function wrapWorker(options: WrapStartsOptions): () => void {
  const { Worker } = workerThreads;
  // The arguments are the app's: what is no start of a file is Node's to judge.
  function construct(target: typeof Worker, given: unknown[], newTarget: AnyFunction): object {
    const worker = start(target, given, newTarget);
    options.workerMade?.(worker as workerThreads.Worker, construct);
    return worker;
  }
  function start(target: typeof Worker, [script, given, ...rest]: unknown[], newTarget: AnyFunction): object {
    options.began?.();
    const settings = isObject(given) ? (given as ThreadSettings) : {};
    const build = (changed: unknown, properties: PropertyDescriptorMap): object =>
      make(options, settings, properties, (more) => {
        const changedOptions = more ? Object.create(isObject(given) ? given : null, more) : given;
        return Reflect.construct(target, [changed, changedOptions, ...rest], newTarget) as object;
      });
    const named = settings.eval ? undefined : threadFile(script);
    const file = named === undefined ? undefined : scriptFile(named);
    if (file === undefined) return build(script, {});
    const isPool = POOLS.test(file);
    if (!isBelowPackages(file)) options.starts(file, construct);
    const flags = Array.isArray(settings.execArgv) ? settings.execArgv.map(String) : process.execArgv;
    const argv = settings.argv ?? [];
    const withLoader = Array.isArray(argv) && needsLoader(file, isPool, flags, settings.env, options);
    const worker = withLoader
      ? build(RUN_STARTED, { argv: shown([options.root, file, ...argv.map(String)]) })
      : build(script, {});
    if (isPool) watchJobs(worker, "postMessage", (job) => options.starts(job, construct));
    return worker;
  }
  const wrapped = new Proxy(Worker, { construct: construct as never });
  Worker.prototype.constructor = wrapped;
  workerThreads.Worker = wrapped;
  return () => {
    if (workerThreads.Worker === wrapped) workerThreads.Worker = Worker;
    Worker.prototype.constructor = Worker;
  };
}

interface ThreadSettings {
  readonly eval?: unknown;
  readonly argv?: unknown;
  readonly execArgv?: unknown;
  readonly env?: unknown;
}

/** `construct` gets what differs in the options of the thread; undefined: nothing does. */
function make(
  { inherited }: WrapStartsOptions,
  { env, execArgv }: ThreadSettings,
  properties: PropertyDescriptorMap,
  construct: (more: PropertyDescriptorMap | undefined) => object,
): object {
  const isPlain = (env ?? execArgv ?? undefined) === undefined;
  if (inherited === undefined || !isPlain)
    return construct(Object.keys(properties).length > 0 ? properties : undefined);
  // Node reads NODE_OPTIONS again for an environment that is given.
  const own = { ...properties, env: shown({ ...process.env }) };
  // No call of another file: what makes the thread is looked up above the frames of this one.
  for (let flags = [...inherited]; ; ) {
    try {
      return construct({ ...own, execArgv: shown(flags) });
    } catch (error) {
      flags = withoutRefused(flags, error);
    }
  }
}

function shown(value: unknown): PropertyDescriptor {
  return { value, enumerable: true };
}

/** As Node takes the first argument of `Worker`; undefined for what it refuses, and for other URLs. */
function threadFile(script: unknown): string | undefined {
  if (typeof script === "string")
    return path.isAbsolute(script) || /^\.\.?[\\/]/.test(script) ? path.resolve(script) : undefined;
  return fileOfUrl(script);
}

function fileOfUrl(value: unknown): string | undefined {
  if (!isObject(value) || !inherits(value, URL.prototype)) return undefined;
  const url = value as URL;
  try {
    return url.protocol === "file:" ? fileURLToPath(url) : undefined;
  } catch (error) {
    // No file of this machine: Node will say so.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

interface ChildSettings {
  readonly cwd?: unknown;
  readonly env?: unknown;
  readonly shell?: unknown;
  readonly execPath?: unknown;
  readonly execArgv?: unknown;
}

function wrapFork(original: AnyFunction, options: WrapStartsOptions): AnyFunction {
  return function fork(this: unknown, ...given: unknown[]): unknown {
    options.began?.();
    const [script, ...rest] = given;
    const hasArgs = Array.isArray(rest[0]);
    // An absent list may be said to be absent.
    const hasPlace = hasArgs || rest[0] === undefined || rest[0] === null;
    const settings = childSettings(hasPlace ? rest[1] : rest[0]);
    const named = typeof script === "string" ? script : fileOfUrl(script);
    const file = named === undefined ? undefined : scriptFile(path.resolve(folderOf(settings), named));
    const run = (args: unknown[]): unknown => Reflect.apply(original as (...args: unknown[]) => unknown, this, args);
    if (file === undefined || (settings.execPath !== undefined && !isNode(settings.execPath))) return run(given);
    const isPool = POOLS.test(file);
    if (!isBelowPackages(file)) options.starts(file, fork);
    const flags = Array.isArray(settings.execArgv) ? settings.execArgv.map(String) : process.execArgv;
    const withLoader = needsLoader(file, isPool, flags, settings.env, options);
    const isOfCluster = options.clusterForked !== undefined && isClusterWorker(settings.env);
    const args = hasArgs ? (rest[0] as unknown[]) : [];
    const after = hasPlace ? rest.slice(1) : rest;
    const root = withLoader ? options.root : NO_LOADER;
    const child = run(withLoader || isOfCluster ? [RUN_STARTED, [root, file, ...args], ...after] : given);
    if (isOfCluster) options.clusterForked?.(child as childProcess.ChildProcess, file, fork);
    if (isPool) watchJobs(child as object, "send", (job) => options.starts(job, fork));
    return child;
  };
}

function isClusterWorker(env: unknown): boolean {
  return isObject(env) && typeof ownValue(env, "NODE_UNIQUE_ID") === "string";
}

function wrapSpawn(original: AnyFunction, options: WrapStartsOptions): AnyFunction {
  const changed = (given: unknown[], wrapper: AnyFunction): unknown[] => {
    options.began?.();
    const [command, args, ...rest] = given;
    if (!isNode(command) || !Array.isArray(args) || !args.every((one) => typeof one === "string")) return given;
    const settings = childSettings(rest[0]);
    const index = settings.shell ? undefined : scriptIndex(args);
    const named = index === undefined ? undefined : args[index];
    if (index === undefined || named === undefined) return given;
    const file = scriptFile(path.resolve(folderOf(settings), named));
    if (file === undefined || isBelowPackages(file)) return given;
    options.starts(file, wrapper);
    if (!needsLoader(file, false, args.slice(0, index), settings.env, options)) return given;
    return [command, [...args.slice(0, index), RUN_STARTED, options.root, ...args.slice(index)], ...rest];
  };
  function start(this: unknown, ...given: unknown[]): unknown {
    return Reflect.apply(original as (...args: unknown[]) => unknown, this, changed(given, start));
  }
  // `promisify(execFile)` is a function of its own, which calls Node's.
  const promised: unknown = ownValue(original, promisify.custom);
  if (typeof promised !== "function") return start;
  function startPromised(this: unknown, ...given: unknown[]): unknown {
    return Reflect.apply(promised as (...args: unknown[]) => unknown, this, changed(given, startPromised));
  }
  const descriptors = Object.getOwnPropertyDescriptors(promised);
  const value = Object.defineProperties(startPromised, descriptors);
  return Object.defineProperty(start, promisify.custom, { value, configurable: false, enumerable: false });
}

function childSettings(given: unknown): ChildSettings {
  return isObject(given) ? (given as ChildSettings) : {};
}

/** Where a process looks for a script that is named relatively. */
function folderOf({ cwd }: ChildSettings): string {
  return typeof cwd === "string" ? path.resolve(cwd) : (fileOfUrl(cwd) ?? process.cwd());
}

function isNode(command: unknown): boolean {
  return command === process.execPath || (typeof command === "string" && /^node(?:\.exe)?$/.test(command));
}

function needsLoader(
  file: string,
  isPool: boolean,
  flags: readonly string[],
  env: unknown,
  { leadsToCompiled, poolsNeedLoader }: WrapStartsOptions,
): boolean {
  const { NODE_OPTIONS } = (isObject(env) ? env : process.env) as { NODE_OPTIONS?: unknown };
  if (preloadsRunner(flags, typeof NODE_OPTIONS === "string" ? NODE_OPTIONS : undefined)) return false;
  if (isBelowPackages(file)) return isPool && poolsNeedLoader;
  return isCompiled(file) || leadsToCompiled(file);
}

/** The first message to a thread or process of a pool names the file that it is to evaluate. */
function watchJobs(target: object, name: "postMessage" | "send", found: (file: string) => void): void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, {
    configurable: true,
    writable: true,
    value(this: object, ...given: unknown[]): unknown {
      if (own) Object.defineProperty(target, name, own);
      else Reflect.deleteProperty(target, name);
      const job = jobFile(given[0]);
      if (job !== undefined) found(job);
      return Reflect.apply(Reflect.get(target, name) as (...args: unknown[]) => unknown, this, given);
    },
  });
}

/** Piscina and tinypool: `{ filename }`; jest-worker: a list with the file in it. */
function jobFile(message: unknown): string | undefined {
  const named = Array.isArray(message) ? message : isObject(message) ? [ownValue(message, "filename")] : [];
  for (const one of named) {
    if (typeof one !== "string") continue;
    const place = one.startsWith("file:") ? fileOfUrl(new URL(one)) : path.isAbsolute(one) ? one : undefined;
    const file = place === undefined ? undefined : scriptFile(place);
    if (file !== undefined && !isBelowPackages(file)) return file;
  }
  return undefined;
}

/** With the name, the length and all own properties of the original. Returns the way back. */
function replace(target: object, name: string, wrap: (original: AnyFunction) => AnyFunction): () => void {
  const functions = target as Record<string, unknown>;
  const original = functions[name] as AnyFunction;
  const wrapped = wrap(original);
  const { [promisify.custom]: _, ...descriptors } = Object.getOwnPropertyDescriptors(
    original,
  ) as PropertyDescriptorMap & Record<symbol, PropertyDescriptor>;
  Object.defineProperties(wrapped, descriptors);
  functions[name] = wrapped;
  return () => {
    if (functions[name] === wrapped) functions[name] = original;
  };
}
