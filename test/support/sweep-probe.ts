/**
 * What an app can see of Node's modules and of its process, as JSON: the shape of everything that they export, and the outcome
 * of calls. Its compiled text is the app of a test, and a package of that app: it imports nothing but Node.
 */
import { once } from "node:events";
import { builtinModules, createRequire } from "node:module";
import { inspect } from "node:util";
import * as named from "node:worker_threads";

type Outcome = unknown;
/** Whether functions have a prototype depends on how they are written. */
const OF_FUNCTIONS = new Set<PropertyKey>(["prototype", "constructor", "length", "name", "arguments", "caller"]);
/** Accessors of these are no lazy values. */
const KEEPS = new Set<object>([process, Object.getPrototypeOf(process) as object]);
/** What is loaded so far, and the global object itself. */
const INNER = new Set<PropertyKey>(["moduleLoadList", "globalThis", "global"]);
/** To read them is a warning. */
const WARNS = new Set<PropertyKey>(["localStorage", "sessionStorage"]);

type Calls = Readonly<Record<string, () => unknown>>;

const require = createRequire(import.meta.url);

/** An own property. What Node loads lazily replaces its own accessor when it is read; other getters are not run. */
function shapeOf(holder: object, key: PropertyKey, depth: number): string {
  let found = Object.getOwnPropertyDescriptor(holder, key);
  const isLazy = depth > 0 && found?.get && found.set && found.configurable && !KEEPS.has(holder);
  if (isLazy && !WARNS.has(key)) {
    Reflect.get(holder, key);
    found = Object.getOwnPropertyDescriptor(holder, key);
  }
  if (!found) return "none";
  const flags = `${found.enumerable ? "e" : "-"}${found.configurable ? "c" : "-"}${found.writable ? "w" : "-"}`;
  if (!("value" in found)) return `accessor ${flags}${found.get ? " get" : ""}${found.set ? " set" : ""}`;
  return `${flags} ${kindOf(found.value, depth)}`;
}

function kindOf(value: unknown, depth: number): string {
  if (typeof value === "function") {
    const members =
      depth > 0 ? ` ${membersOf(value, depth - 1)} ${membersOf(value.prototype, depth - 1)}`.trimEnd() : "";
    return `function ${value.name}/${value.length}${members}`;
  }
  if (typeof value === "object" && value !== null) return `object ${depth > 0 ? membersOf(value, depth - 1) : ""}`;
  return value === null ? "null" : typeof value;
}

function membersOf(value: unknown, depth: number): string {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return "";
  const keys = Reflect.ownKeys(value).filter(
    (key) => typeof key === "string" && !isInner(key) && !OF_FUNCTIONS.has(key),
  );
  if (keys.length === 0) return "";
  return `{${keys.sort().map((key) => `${String(key)}: ${shapeOf(value, key, depth)}`)}}`;
}

/** Undocumented. */
function isInner(key: PropertyKey): boolean {
  return String(key).startsWith("_") || INNER.has(key);
}

/** `module.key` to its shape, for all modules of Node's, and for `process`, its prototype, and `globalThis`. */
export function shapes(): Record<string, string> {
  const found: Record<string, string> = {};
  const add = (name: string, holder: object): void => {
    for (const key of Reflect.ownKeys(holder))
      if (!isInner(key)) found[`${name}.${String(key)}`] = shapeOf(holder, key, 1);
  };
  // Deprecated ones warn when they are loaded, others change the process; trace_events is refused in a thread.
  const left = new Set(["sys", "punycode", "process", "wasi", "sqlite", "repl", "test", "domain", "trace_events"]);
  const modules = builtinModules.filter((name) => !name.startsWith("_") && !left.has(name.replace(/^node:/, "")));
  for (const name of modules) add(name, require(`node:${name.replace(/^node:/, "")}`) as object);
  add("process", process);
  add("process.prototype", Object.getPrototypeOf(process) as object);
  add("globalThis", globalThis);
  return found;
}

function plain(value: unknown): Outcome {
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "bigint" || typeof value === "symbol" || value === undefined)
    return `${typeof value} ${String(value)}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Error) return thrown(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function thrown(error: unknown): Outcome {
  if (!(error instanceof Error)) return { thrown: plain(error) };
  const [first = ""] = (error.stack ?? "").split("\n");
  return { thrown: first, name: error.name, message: error.message, own: plain({ ...error }) };
}

/** The outcome of each, by its text. */
export async function outcomes(calls: Calls): Promise<Record<string, Outcome>> {
  const found: Record<string, Outcome> = {};
  for (const [name, call] of Object.entries(calls)) {
    try {
      found[name] = plain(await call());
    } catch (error) {
      found[name] = thrown(error);
    }
  }
  return found;
}

const keys = (value: object): string[] => Object.keys(value).sort();

const text = (call: (...args: never[]) => unknown) => Function.prototype.toString.call(call).includes("[native code]");

/** What a worker of the app's own sees, and how it ends. */
async function ownWorker(code: string, options: object = {}): Promise<unknown> {
  const { Worker } = require("node:worker_threads") as typeof import("node:worker_threads");
  const worker = new Worker(code, { eval: true, ...options });
  const messages: unknown[] = [];
  const errors: unknown[] = [];
  worker.on("message", (message) => messages.push(message));
  worker.on("error", (error) => errors.push(thrown(error)));
  const [exit] = await once(worker, "exit");
  return { messages, errors, exit };
}

/** Harmless calls, by what they are about. None changes what a later one sees. */
export function calls(): Readonly<Record<string, Calls>> {
  const threads = require("node:worker_threads") as typeof import("node:worker_threads");
  return {
    "node:worker_threads": threadCalls(threads),
    process: { ...processCalls(), ...refusedCalls() },
    ...moduleCalls(),
  };
}

function threadCalls(threads: typeof import("node:worker_threads")): Calls {
  const seen = (module: object) => {
    const { isMainThread, parentPort, threadId, workerData, resourceLimits, isInternalThread, threadName } =
      module as typeof threads & { isInternalThread?: boolean; threadName?: string };
    return { isMainThread, parentPort, threadId, workerData, resourceLimits, isInternalThread, threadName };
  };
  const report = `const t = require("node:worker_threads");
    t.parentPort.postMessage([t.isMainThread, t.threadId > 0, t.workerData, t.getEnvironmentData("key"), process.env.ADDED,
      typeof process.chdir, process.argv.slice(2), process.title]);`;
  return {
    required: () => seen(threads),
    "imported by name": () => seen(named),
    "imported as a whole": async () => seen(await import("node:worker_threads")),
    getBuiltinModule: () => seen(process.getBuiltinModule("worker_threads")),
    "a worker": () => ownWorker(report, { workerData: { a: 1 }, argv: ["one"] }),
    "a worker with an environment": () => ownWorker(report, { env: { ADDED: "given" } }),
    "a worker that shares the environment": async () => {
      await ownWorker(`process.env.FROM_WORKER = "set";`, { env: threads.SHARE_ENV });
      const { FROM_WORKER } = process.env;
      delete process.env.FROM_WORKER;
      return [
        FROM_WORKER,
        await ownWorker(`require("worker_threads").parentPort.postMessage(process.env.FROM_WORKER ?? null)`),
      ];
    },
    "environment data": async () => {
      threads.setEnvironmentData("key", "value");
      const outcome = [threads.getEnvironmentData("key"), await ownWorker(report)];
      threads.setEnvironmentData("key");
      return outcome;
    },
    "a worker that exits": () => ownWorker("process.exit(7)"),
    "a worker that throws": () => ownWorker(`throw new TypeError("no")`),
    "a worker that changes the folder": () => ownWorker(`process.chdir("/")`),
    "a channel": async () => {
      const { port1, port2 } = new threads.MessageChannel();
      port1.postMessage({ a: [1] });
      const received = threads.receiveMessageOnPort(port2);
      port1.close();
      return received;
    },
    "a broadcast to a worker": async () => {
      const channel = new threads.BroadcastChannel("sweep");
      const answer = new Promise((resolve) => {
        channel.onmessage = (event) => resolve((event as MessageEvent).data);
      });
      await ownWorker(
        `const c = new (require("worker_threads").BroadcastChannel)("sweep"); c.postMessage("hello"); c.close()`,
      );
      const outcome = await answer;
      channel.close();
      return outcome;
    },
  };
}

function processCalls(): Calls {
  return {
    argv: () => [process.argv.length, process.argv[1]?.split(/[\\/]/).at(-1), process.argv.slice(2)],
    execArgv: () => process.execArgv,
    argv0: () => process.argv0,
    execPath: () => process.execPath === process.argv[0],
    title: () => process.title,
    exitCode: () => process.exitCode,
    debugPort: () => process.debugPort,
    connected: () => [process.connected, process.channel, process.send, "send" in process],
    "env cloned": () => {
      const threads: typeof import("node:worker_threads") = require("node:worker_threads");
      const { port1, port2 } = new threads.MessageChannel();
      const held = { env: process.env, list: [process.env] };
      port1.postMessage(held);
      const received = threads.receiveMessageOnPort(port2) as { message: typeof held };
      port1.close();
      return [structuredClone(process.env), received.message.env, structuredClone(held).list[0]].map((env) => env?.TZ);
    },
    env: () => keys(process.env).filter((name) => !/^(PORT|_|TMPDIR)$/.test(name)),
    "env printed": () => {
      process.env.SWEEP = "printed";
      const printed = inspect(process.env);
      delete process.env.SWEEP;
      return [printed.slice(0, 3), printed.includes("SWEEP: 'printed'"), keys(process.env).length];
    },
    "env semantics": () => {
      const { env } = process;
      Reflect.set(env, "SWEEP", 1);
      const seen = [
        env.SWEEP,
        "SWEEP" in env,
        Object.getOwnPropertyDescriptor(env, "SWEEP"),
        Reflect.set(env, "SWEEP2", undefined),
      ];
      const removed = [delete env.SWEEP, env.SWEEP, "SWEEP" in env, delete env.SWEEP, env.SWEEP2, delete env.SWEEP2];
      return [seen, removed, String(env), Object.getPrototypeOf(Object.getPrototypeOf(env)) === Object.prototype];
    },
    "env of a symbol": () => Reflect.set(process.env, Symbol("key"), "x"),
    "env to a symbol": () => Reflect.set(process.env, "SWEEP", Symbol("value")),
    "env defined": () => Object.defineProperty(process.env, "SWEEP", { value: "x" }),
    "env defined with a getter": () => Object.defineProperty(process.env, "SWEEP", { get: () => "x" }),
    "env defined whole": () => {
      Object.defineProperty(process.env, "SWEEP", { value: 5, configurable: true, enumerable: true, writable: true });
      return [process.env.SWEEP, delete process.env.SWEEP];
    },
    "time zone": () => {
      const { TZ } = process.env;
      const hours = ["Asia/Tokyo", "America/New_York", "UTC"].map((zone) => {
        process.env.TZ = zone;
        return [new Date(0).getHours(), new Intl.DateTimeFormat("en").resolvedOptions().timeZone];
      });
      if (TZ === undefined) delete process.env.TZ;
      else process.env.TZ = TZ;
      return [hours, new Date(0).getHours()];
    },
    cwd: () => process.cwd(),
    umask: () => process.umask(),
    ids: () => [
      process.getuid?.(),
      process.geteuid?.(),
      process.getgid?.(),
      process.getegid?.(),
      process.getgroups?.(),
    ],
    platform: () => [
      process.platform,
      process.arch,
      process.version,
      process.versions,
      process.release,
      process.config,
    ],
    features: () => process.features,
    flags: () => [process.allowedNodeEnvironmentFlags.size, process.allowedNodeEnvironmentFlags.has("--inspect-brk")],
    warnings: () => Reflect.ownKeys(process).filter((key) => /deprecat|warn/i.test(String(key))),
    memoryUsage: () => [keys(process.memoryUsage()), process.memoryUsage.rss() > 1e6],
    resourceUsage: () => keys(process.resourceUsage()),
    cpuUsage: () => [keys(process.cpuUsage()), process.cpuUsage().user > 0],
    constrainedMemory: () => [process.constrainedMemory(), process.availableMemory() > 0],
    uptime: () => [process.uptime() > 0, process.uptime() < 600],
    hrtime: () => [process.hrtime().length, typeof process.hrtime.bigint()],
    kill: () => process.kill(process.pid, 0),
    "kill of nobody": () => process.kill(process.pid, "SIGNONE"),
    "kill of a text": () => process.kill("one" as unknown as number),
    eventNames: () => process.eventNames().map(String).sort(),
    listeners: () =>
      [
        "uncaughtExceptionMonitor",
        "uncaughtException",
        "unhandledRejection",
        "SIGINT",
        "SIGTERM",
        "exit",
        "message",
      ].map((name) => process.listenerCount(name)),
    getMaxListeners: () => process.getMaxListeners(),
    "capture callback": () => {
      const before = process.hasUncaughtExceptionCaptureCallback();
      process.setUncaughtExceptionCaptureCallback(() => undefined);
      const within = process.hasUncaughtExceptionCaptureCallback();
      process.setUncaughtExceptionCaptureCallback(null);
      return [before, within, process.hasUncaughtExceptionCaptureCallback()];
    },
    warning: async () => {
      const warned = once(process, "warning");
      process.emitWarning("a warning", { code: "SWEEP", detail: "a detail" });
      const [{ name, message, code, detail }] = await warned;
      return { name, message, code, detail };
    },
    report: () => {
      const report = process.report.getReport() as unknown as { header: object; workers: unknown };
      return [keys(report), keys(report.header), typeof process.report.directory, process.report.signal];
    },
    "native environment": () => {
      process.env.SWEEP = "native";
      const report = process.report.getReport() as unknown as { environmentVariables: Record<string, string> };
      delete process.env.SWEEP;
      return report.environmentVariables.SWEEP;
    },
    resources: async () => {
      const timer = setTimeout(() => undefined, 1000);
      const found = process
        .getActiveResourcesInfo()
        .filter((name) => !/^(FSReqPromise|CloseReq|FSReqCallback|TTYWrap|PipeWrap)$/.test(name));
      clearTimeout(timer);
      return found;
    },
    binding: () => text(process.memoryUsage),
    loadEnvFile: () => process.loadEnvFile("none.env"),
    sourceMaps: () => (process as unknown as { sourceMapsEnabled?: boolean }).sourceMapsEnabled,
  };
}

/** What Node refuses in a worker thread. */
function refusedCalls(): Calls {
  const call = (name: string, ...args: unknown[]) =>
    Reflect.apply(Reflect.get(process, name) as () => void, process, args);
  return {
    chdir: () => {
      const before = process.cwd();
      const results = [
        call("chdir", "inner"),
        process.cwd().split(/[\\/]/).at(-1),
        call("chdir", before),
        process.cwd() === before,
      ];
      return results;
    },
    "chdir to nothing": () => call("chdir", "nothing/there"),
    "chdir to a file": () => call("chdir", "package.json"),
    "chdir of a number": () => call("chdir", 5),
    "chdir of an object": () => call("chdir", { a: 1 }),
    "chdir of a class": () => call("chdir", class Folder {}),
    "chdir of a symbol": () => call("chdir", Symbol("x")),
    "chdir without": () => call("chdir"),
    "umask set": () => [call("umask", 0o27), call("umask"), call("umask", "77"), call("umask", 0o22), call("umask")],
    "umask of a text": () => call("umask", "abc"),
    "umask of an object": () => call("umask", {}),
    "umask of too much": () => call("umask", 2 ** 33),
    "title set": () => {
      const before = process.title;
      process.title = "swept";
      const set = process.title;
      process.title = before;
      return [set, process.title];
    },
    "setuid of the same": () => [
      call("setuid", process.getuid?.()),
      call("setgid", process.getgid?.()),
      call("seteuid", process.geteuid?.()),
      call("setegid", process.getegid?.()),
    ],
    "setuid of nobody": () => call("setuid", "nobody of that name"),
    "setgid of an object": () => call("setgid", {}),
    "setgroups of a text": () => call("setgroups", "x"),
    "setgroups of nobody": () => call("setgroups", ["nobody of that name"]),
    "initgroups without": () => call("initgroups"),
    names: () =>
      [
        "chdir",
        "umask",
        "setuid",
        "setgid",
        "setgroups",
        "initgroups",
        "abort",
        "exit",
        "kill",
        "loadEnvFile",
        "getActiveResourcesInfo",
        "emit",
      ].map((name) => {
        const found = Reflect.get(process, name) as { name: string; length: number; disabled?: boolean };
        return [found.name, found.length, found.disabled];
      }),
  };
}

function moduleCalls(): Readonly<Record<string, Calls>> {
  const get = (name: string) => require(`node:${name}`) as never;
  const v8: typeof import("node:v8") = get("v8");
  const { performance, monitorEventLoopDelay }: typeof import("node:perf_hooks") = get("perf_hooks");
  const inspector: typeof import("node:inspector") = get("inspector");
  const cluster: typeof import("node:cluster")["default"] = get("cluster");
  const children: typeof import("node:child_process") = get("child_process");
  const tty: typeof import("node:tty") = get("tty");
  const os: typeof import("node:os") = get("os");
  const inChild = (code: string, options: object = {}) =>
    children.execFileSync(process.execPath, ["-p", code], { encoding: "utf8", ...options }).trim();
  return {
    "node:module": {
      builtinModules: () => builtinModules,
      "require.cache": () => Object.keys(require.cache),
      isBuiltin: () => [require("node:module").isBuiltin("fs"), require("node:module").isBuiltin("none")],
    },
    "node:v8": {
      getHeapStatistics: () => [keys(v8.getHeapStatistics()), v8.getHeapStatistics().heap_size_limit],
      startupSnapshot: () => v8.startupSnapshot.isBuildingSnapshot(),
      cachedDataVersionTag: () => v8.cachedDataVersionTag() > 0,
    },
    "node:perf_hooks": {
      timeOrigin: () => [performance.timeOrigin < Date.now(), performance.now() > 0],
      nodeTiming: () => keys(performance.nodeTiming),
      toJSON: () => keys(performance.toJSON() as object),
      eventLoopUtilization: () => keys(performance.eventLoopUtilization()),
      entries: () =>
        performance
          .getEntries()
          .map(({ name, entryType }) => [name, entryType])
          .filter(([, type]) => type === "mark"),
      delay: () => {
        const histogram = monitorEventLoopDelay();
        return [histogram.enable(), histogram.disable()];
      },
    },
    "node:inspector": {
      url: () => inspector.url(),
      connectToMainThread: () => new inspector.Session().connectToMainThread(),
      waitForDebugger: () => inspector.waitForDebugger(),
    },
    "node:cluster": {
      state: () => [
        cluster.isPrimary,
        cluster.isMaster,
        cluster.isWorker,
        cluster.worker,
        cluster.schedulingPolicy,
        cluster.settings,
      ],
    },
    "node:child_process": {
      "the environment of a child": () => {
        process.env.FOR_CHILD = "set";
        const seen = inChild("process.env.FOR_CHILD");
        delete process.env.FOR_CHILD;
        return [seen, inChild("process.env.FOR_CHILD")];
      },
      "the folder of a child": () => inChild("process.cwd()"),
      "a fork": async () => {
        const child = children.fork("forked.cjs", ["one"]);
        const [message] = await once(child, "message");
        child.send("end");
        const [code] = await once(child, "exit");
        return [message, code, process.connected];
      },
    },
    "node:tty": { isatty: () => [tty.isatty(0), tty.isatty(1), tty.isatty(2)] },
    "node:os": { priority: () => os.getPriority(), user: () => os.userInfo().username },
    "node:trace_events": {
      createTracing: () =>
        (get("trace_events") as typeof import("node:trace_events")).createTracing({ categories: ["v8"] }).categories,
    },
    "node:crypto": { getFips: () => require("node:crypto").getFips() },
  };
}
