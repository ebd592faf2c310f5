/**
 * The process that a command line is started as. It starts the one that does the work, has a copy of each socket that is open
 * to clients, and does nothing else: what ends a whole process (memory that runs out in one large step, native code that
 * fails, the system that needs memory) leaves the ports open, and another process takes its place.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { attempt } from "../common/attempt.js";
import { SIGNAL_UNHEARD_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import { visibleText } from "../common/visible-text.js";
import { CrashBackOff } from "../supervisor/crash-back-off.js";
import { startEnvironment } from "../thread/env-files.js";
import { inheritedDescriptors } from "./inherited-descriptors.js";
import type { LaunchFlags } from "./launch-flags.js";
import {
  type EndedProcess,
  LAUNCH_VARIABLE,
  type LaunchedPort,
  type LaunchedReport,
  type LaunchMessage,
  type LaunchOrder,
} from "./launch-order.js";
import { relayedSignals } from "./relayed-signals.js";

/** By which the system ends a process that is at fault, or short of memory. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGKILL",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
]);

/** By SIGHUP an app may mean something else. */
const END_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGTERM"]);

/** Node's own object for a socket; nothing is done with it but to have it. */
interface SocketHold {
  close(): void;
}

/** Two signals that come closer together may be one, which a package manager has passed on. */
const COPY_MS = 1000;

interface Hold {
  readonly port: LaunchedPort;
  readonly socket: SocketHold;
}

export class Launcher {
  readonly #flags: LaunchFlags;
  readonly #descriptors = inheritedDescriptors();
  readonly #holds = new Map<number, Hold>();
  readonly #backOff = new CrashBackOff();
  #child: ChildProcess | undefined;
  /** What the process leaves behind when the system ends it, and has a successor; undefined: it has none. */
  #folder: string | undefined;
  /** When the process was started, in milliseconds since the epoch. */
  #startedAt = 0;
  /** When the app had started, on the clock of `performance.now()`. */
  #bootedAt: number | undefined;
  /** A request has come since. */
  #isRequested = false;
  /** The first signal by which somebody has told all of it to end. */
  #endSignal: NodeJS.Signals | undefined;
  /** When that was, until the process has heard of it: its main thread may be stuck. */
  #unheard: { readonly at: number; readonly force: NodeJS.Timeout } | undefined;

  constructor(flags: LaunchFlags) {
    this.#flags = flags;
  }

  /** Starts the process, and ends this one as that one ends. */
  run(): void {
    for (const signal of relayedSignals()) process.on(signal, () => this.#relay(signal));
    this.#start();
  }

  /** Ports are numbered from 1 on for each process. */
  #start(before?: Omit<EndedProcess, "ports">): void {
    const { node, nodeOptions } = this.#flags;
    const holds = [...this.#holds.values()].map(({ port, socket }, at) => ({ port: { ...port, id: at + 1 }, socket }));
    this.#holds.clear();
    for (const hold of holds) this.#holds.set(hold.port.id, hold);
    const order: LaunchOrder = {
      parent: process.ppid,
      execArgv: process.execArgv,
      ...(process.env.NODE_OPTIONS !== undefined && { nodeOptions: process.env.NODE_OPTIONS }),
      ...(before && { before: { ...before, ports: this.#holds.size } }),
    };
    const env = {
      ...startEnvironment(process.env),
      NODE_OPTIONS: nodeOptions,
      [LAUNCH_VARIABLE]: JSON.stringify(order),
    };
    const child = spawn(process.execPath, [...node, ...process.argv.slice(1)], { env, stdio: this.#stdio() });
    this.#child = child;
    this.#startedAt = Date.now();
    this.#folder = undefined;
    this.#bootedAt = undefined;
    this.#isRequested = false;
    child.on("error", (error) => this.#failed(child, error));
    child.on("exit", (code, signal) => this.#ended(code, signal));
    child.on("message", (report: LaunchedReport, socket) =>
      this.#told(child, report, socket as SocketHold | undefined),
    );
    for (const { port, socket } of this.#holds.values()) send(child, { type: "port", port }, socket);
  }

  #stdio(): ("inherit" | "ignore" | "ipc")[] {
    const last = Math.max(2, ...this.#descriptors);
    const places = Array.from({ length: last + 1 }, (_, at) => at < 3 || this.#descriptors.includes(at));
    return [...places.map((isInherited) => (isInherited ? "inherit" : "ignore")), "ipc"];
  }

  #told(child: ChildProcess, report: LaunchedReport, socket: SocketHold | undefined): void {
    if (child !== this.#child) {
      // Last words: the numbers of ports are those of another process by now.
      socket?.close();
      return;
    }
    switch (report.type) {
      case "guarded":
        this.#folder = report.folder;
        break;
      case "booted":
        this.#bootedAt = performance.now();
        this.#isRequested = false;
        break;
      case "requested":
        this.#isRequested = true;
        break;
      case "backOffReset":
        this.#backOff.reset();
        break;
      case "opened":
        // Undefined: there was no descriptor for it.
        if (socket) this.#holds.set(report.port.id, { port: report.port, socket });
        break;
      case "closed":
        this.#holds.get(report.id)?.socket.close();
        this.#holds.delete(report.id);
        send(child, { type: "closed", id: report.id });
        break;
      case "heard":
        clearTimeout(this.#unheard?.force);
        this.#unheard = undefined;
        break;
      default:
        report satisfies never;
    }
  }

  #relay(signal: NodeJS.Signals): void {
    const child = this.#child;
    if (END_SIGNALS.has(signal)) {
      this.#endSignal ??= signal;
      if (child?.connected) this.#endsUnheard(child);
    }
    if (child === undefined) return;
    if (child.connected) send(child, { type: "signal", signal });
    // It has not begun to listen, or is about to be gone.
    else child.kill(signal);
  }

  /** What the main thread runs before the app (a configuration in code, say) may loop: then it hears of no signal. */
  #endsUnheard(child: ChildProcess): void {
    const before = this.#unheard;
    if (before === undefined) {
      const force = setTimeout(() => child.kill("SIGKILL"), SIGNAL_UNHEARD_MS);
      this.#unheard = { at: performance.now(), force };
    } else if (performance.now() - before.at > COPY_MS) child.kill("SIGKILL");
  }

  #failed(child: ChildProcess, error: Error): void {
    // It runs: only a message could not be sent.
    if (child.pid !== undefined) return;
    process.stderr.write(
      `unreloader: no process can be started: ${visibleText(errorText(error))}; --no-launcher needs none\n`,
    );
    process.exit(1);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (signal === null) process.exit(code ?? 1);
    const folder = this.#folder;
    // What cannot be removed must not keep the next process from being started.
    if (folder !== undefined) attempt(() => rmSync(folder, { recursive: true, force: true }));
    if (this.#endSignal || folder === undefined || !CRASHES.has(signal)) {
      // By force, or killed just when it was told to end.
      endBy(signal === "SIGKILL" ? (this.#endSignal ?? signal) : signal);
      return;
    }
    const afterMs = this.#backOff.next({
      livedMs: this.#bootedAt === undefined ? 0 : performance.now() - this.#bootedAt,
      wasAnswering: this.#isRequested,
      listened: this.#holds.size > 0,
      code: undefined,
      isOver: false,
    });
    this.#start({ signal, startedAt: this.#startedAt, ...(afterMs !== undefined && { afterMs }) });
  }
}

/** A message that does not arrive was for a process that has ended, which is told by that. */
function send(child: ChildProcess, message: LaunchMessage, socket?: SocketHold): void {
  child.send(message, socket as never, () => undefined);
}

/** As the process has ended that was started. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Should it not end by that.
  setTimeout(() => process.exit(1), 1000);
}
