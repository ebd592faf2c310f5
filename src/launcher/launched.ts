/** The process that a launcher has started: tells it what to have a copy of, and is told what the launcher has been. */
import type { Server } from "node:net";
import os from "node:os";
import { DROP_COPY_MS } from "../common/deadlines.js";
import type { ListenTarget, ServerKind } from "../common/protocol/messages.js";
import { wait } from "../common/wait.js";
import type { DropCopy, InheritedPort } from "../front/socket-copies.js";
import type { Guard } from "../supervisor/guard.js";
import type { EndedProcess, LaunchedPort, LaunchedReport, LaunchMessage, LaunchOrder } from "./launch-order.js";
import { SignalCopies } from "./signal-copies.js";

/** How often it is looked whether the launcher is there. */
const LOOK_MS = 500;

/** By a terminal, and by who ends a group of processes. What the app sends itself is mostly another one. */
const SENT_TO_GROUPS: ReadonlySet<NodeJS.Signals> = new Set(["SIGCONT", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"]);

export class Launched implements Guard {
  readonly before: EndedProcess | undefined;
  /** Number of the process that the app takes for its parent. */
  readonly parent: number;
  readonly #copies = new SignalCopies();
  /** Signals that are told to the process's listeners because the launcher has passed them on. */
  #relaying: NodeJS.Signals | undefined;
  readonly #inherited: InheritedPort[] = [];
  #onAllInherited: () => void = () => undefined;
  readonly #inheritedPorts: Promise<void>;
  #lastId = 0;
  /** Copies that the launcher is to close; each is called when it has. */
  readonly #dropped = new Map<number, () => void>();
  #dropping: Promise<void> | undefined;
  /** What has been told of this start of the app. */
  #isRequested = false;

  constructor({ before, parent }: Pick<LaunchOrder, "before" | "parent">) {
    this.before = before;
    this.parent = parent;
    this.#lastId = before?.ports ?? 0;
    this.#inheritedPorts = new Promise((resolve) => {
      this.#onAllInherited = resolve;
    });
    process.on("message", (message: LaunchMessage, socket: unknown) => this.#heard(message, socket));
    // Who has ended the launcher wants the ports.
    process.once("disconnect", endNow);
    // Node does not tell it while a socket is on its way.
    setInterval(() => process.connected || endNow(), LOOK_MS).unref();
    if (this.#haveAllInherited) process.channel?.unref();
  }

  // ---- ports

  /** What the process before this one has left open. */
  async inheritedPorts(): Promise<readonly InheritedPort[]> {
    if (!this.#haveAllInherited) await this.#inheritedPorts;
    return this.#inherited;
  }

  get #haveAllInherited(): boolean {
    return this.#inherited.length >= (this.before?.ports ?? 0);
  }

  keep(listener: Server, target: ListenTarget, kind: ServerKind): DropCopy {
    const id = ++this.#lastId;
    // A descriptor that the process was started with is the launcher's anyway.
    const socket = (listener as unknown as { _handle: object | null })._handle;
    if (target.type === "fd" || socket === null) return () => undefined;
    this.#tell({ type: "opened", port: { id, target, kind } }, socket);
    return () => this.#dropCopy(id);
  }

  get dropping(): Promise<void> | undefined {
    return this.#dropping;
  }

  #dropCopy(id: number): Promise<void> | undefined {
    if (!process.connected) return undefined;
    const closed = new Promise<void>((resolve) => this.#dropped.set(id, resolve));
    // Somebody may have stopped the launcher.
    const isDropped = wait(closed, { deadlineMs: DROP_COPY_MS }).then(() => undefined);
    const all = Promise.all([this.#dropping, isDropped]).then(() => {
      if (this.#dropping === all) this.#dropping = undefined;
    });
    this.#dropping = all;
    this.#tell({ type: "closed", id });
    return isDropped;
  }

  // ---- the app

  begin(folder: string): void {
    this.#tell({ type: "guarded", folder });
  }

  booted(): void {
    this.#isRequested = false;
    this.#tell({ type: "booted" });
  }

  /** A request has come. */
  requested(): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    this.#tell({ type: "requested" });
  }

  /** Somebody has saved a file, or asked for a fresh worker. */
  backOffReset(): void {
    // Nothing has crashed since the launcher began.
    if (this.before !== undefined) this.#tell({ type: "backOffReset" });
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
        this.#inherit(message.port, socket as object | undefined);
        break;
      case "closed":
        this.#dropped.get(message.id)?.();
        this.#dropped.delete(message.id);
        break;
      case "signal":
        this.#tell({ type: "heard" });
        this.#relay(message.signal);
        break;
      default:
        message satisfies never;
    }
  }

  #inherit({ id, target, kind }: LaunchedPort, socket: object | undefined): void {
    // Undefined: there was no descriptor for it.
    this.#inherited.push({ target, kind, socket: socket ?? {}, dropCopy: () => this.#dropCopy(id) });
    if (!this.#haveAllInherited) return;
    // Until now there may have been nothing else that keeps the process: Node would have ended it.
    process.channel?.unref();
    this.#onAllInherited();
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
