/** The process that a launcher has started: tells it what to have a copy of, and is told what the launcher has been. */
import type { Server } from "node:net";
import os from "node:os";
import { RELEASE_MS } from "../common/deadlines.js";
import type { ListenTarget, ServerKind } from "../common/protocol/messages.js";
import { wait } from "../common/wait.js";
import type { LeftPort } from "../front/kept-ports.js";
import type { Guard } from "../supervisor/guard.js";
import type { LaunchedPort, LaunchedReport, LaunchMessage, LaunchOrder, ProcessBefore } from "./launch-order.js";
import { SignalCopies } from "./signal-copies.js";

/** How often it is looked whether the launcher is there. */
const LOOK_MS = 500;

/** By a terminal, and by who ends a group of processes. What the app sends itself is mostly another one. */
const SENT_TO_GROUPS: ReadonlySet<NodeJS.Signals> = new Set(["SIGCONT", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"]);

export class Launched implements Guard {
  readonly before: ProcessBefore | undefined;
  /** Number of the process that the app takes for its parent. */
  readonly parent: number;
  readonly #copies = new SignalCopies();
  /** Signals that are told to the process's listeners because the launcher has passed them on. */
  #relaying: NodeJS.Signals | undefined;
  readonly #left: LeftPort[] = [];
  #allLeft: () => void = () => undefined;
  readonly #leftPorts: Promise<void>;
  #lastId = 0;
  /** Copies that the launcher is to let go of; each is called when it has. */
  readonly #releasing = new Map<number, () => void>();
  #released: Promise<void> | undefined;
  /** What has been told of this start of the app. */
  #isAsked = false;

  constructor({ before, parent }: Pick<LaunchOrder, "before" | "parent">) {
    this.before = before;
    this.parent = parent;
    this.#lastId = before?.ports ?? 0;
    this.#leftPorts = new Promise((resolve) => {
      this.#allLeft = resolve;
    });
    process.on("message", (message: LaunchMessage, socket: unknown) => this.#heard(message, socket));
    // Who has ended the launcher wants the ports.
    process.once("disconnect", endNow);
    // Node does not tell it while a socket is on its way.
    setInterval(() => process.connected || endNow(), LOOK_MS).unref();
    if (this.#haveAllLeft) process.channel?.unref();
  }

  // ---- ports

  /** What the process before this one has left open. */
  async leftPorts(): Promise<readonly LeftPort[]> {
    if (!this.#haveAllLeft) await this.#leftPorts;
    return this.#left;
  }

  get #haveAllLeft(): boolean {
    return this.#left.length >= (this.before?.ports ?? 0);
  }

  keep(listener: Server, target: ListenTarget, kind: ServerKind): LeftPort["release"] {
    const id = ++this.#lastId;
    // A descriptor that the process was started with is the launcher's anyway.
    const socket = (listener as unknown as { _handle: object | null })._handle;
    if (target.type === "fd" || socket === null) return () => undefined;
    this.#tell({ type: "opened", port: { id, target, kind } }, socket);
    return () => this.#release(id);
  }

  get released(): Promise<void> | undefined {
    return this.#released;
  }

  #release(id: number): Promise<void> | undefined {
    if (!process.connected) return undefined;
    const closed = new Promise<void>((resolve) => this.#releasing.set(id, resolve));
    // Somebody may have stopped the launcher.
    const isReleased = wait(closed, { deadlineMs: RELEASE_MS }).then(() => undefined);
    const all = Promise.all([this.#released, isReleased]).then(() => {
      if (this.#released === all) this.#released = undefined;
    });
    this.#released = all;
    this.#tell({ type: "closed", id });
    return isReleased;
  }

  // ---- the app

  begin(folder: string): void {
    this.#tell({ type: "guarded", folder });
  }

  booted(): void {
    this.#isAsked = false;
    this.#tell({ type: "booted" });
  }

  /** A request has come. */
  asked(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#tell({ type: "asked" });
  }

  /** Somebody has saved a file, or asked for a fresh worker. */
  forgiven(): void {
    // Nothing has crashed: there is nothing to forgive.
    if (this.before !== undefined) this.#tell({ type: "forgiven" });
  }

  // ---- signals

  /** Whether what has just come is the same as what has come through the launcher, or directly. */
  isCopy(signal: NodeJS.Signals): boolean {
    return (
      SENT_TO_GROUPS.has(signal) &&
      this.#copies.isCopy(signal, this.#relaying === signal ? "relayed" : "direct", performance.now())
    );
  }

  #relay(signal: NodeJS.Signals): void {
    if (process.listenerCount(signal) === 0) {
      process.kill(process.pid, signal);
      return;
    }
    this.#relaying = signal;
    (process as NodeJS.EventEmitter).emit(signal, signal, os.constants.signals[signal]);
    this.#relaying = undefined;
  }

  // ---- messages

  #heard(message: LaunchMessage, socket: unknown): void {
    switch (message.type) {
      case "port":
        this.#leave(message.port, socket as object | undefined);
        break;
      case "closed":
        this.#releasing.get(message.id)?.();
        this.#releasing.delete(message.id);
        break;
      case "signal":
        this.#tell({ type: "heard" });
        this.#relay(message.signal);
        break;
      default:
        message satisfies never;
    }
  }

  #leave({ id, target, kind }: LaunchedPort, socket: object | undefined): void {
    // Undefined: there was no descriptor for it.
    this.#left.push({ target, kind, socket: socket ?? {}, release: () => this.#release(id) });
    if (!this.#haveAllLeft) return;
    // Until now there may have been nothing else that keeps the process: Node would have ended it.
    process.channel?.unref();
    this.#allLeft();
  }

  /** A launcher that has gone ends this process, too. */
  #tell(report: LaunchedReport, socket?: object): void {
    process.send?.(report, socket as never, undefined, () => undefined);
  }
}

/** Also when a thread is in native code: Node would wait for it. */
function endNow(): never {
  process.once("exit", () => process.kill(process.pid, "SIGKILL"));
  process.exit(1);
}
