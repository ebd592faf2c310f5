/** A front and a worker with app code behind it, wired as the supervisor wires them, with a gate that tests work by hand. */
import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { HELD_DEADLINE_MS } from "../../src/common/deadlines.js";
import { createConnectionTable, HOLD } from "../../src/common/protocol/connection-table.js";
import type { PublicAddress } from "../../src/common/protocol/messages.js";
import type { SaidPage } from "../../src/common/protocol/orders.js";
import { serializeError } from "../../src/common/protocol/serialized-error.js";
import { Front } from "../../src/front/front.js";
import type { OpenRequest } from "../../src/front/port-opening.js";
import { PASS, type Verdict } from "../../src/front/turn.js";
import { DEFAULT_HELD_BYTES } from "../../src/options/defaults.js";
import type { OwnPage } from "../../src/pages/own-page.js";
import type { ListenRequest } from "../../workers/listener/listen-context.js";
import { within } from "./deadline.js";

export interface RelayedAppData {
  readonly table: SharedArrayBuffer;
  readonly socketFolder: string;
}

export type Order =
  | { type: "run"; file: string; code: string }
  | { type: "release"; files: string[] }
  | { type: "passRequests" }
  | { type: "sayInstead"; page: SaidPage }
  | { type: "drained"; deadlineMs: number };

export type ToWorker =
  | (Order & { orderId: number })
  | { type: "answerListen"; listenId: number; address?: PublicAddress; code?: string };

export type FromWorker =
  | { type: "listenRequested"; request: ListenRequest }
  | { type: "serverClosed"; listenId: number }
  | { type: "serverReleased"; listenId: number }
  | { type: "reported"; value: unknown }
  | { type: "done"; orderId: number; value?: unknown };

export interface RelayedAppOptions {
  readonly slots?: number;
  readonly heldDeadline?: number;
  readonly heldBytes?: number;
}

export class RelayedApp extends EventEmitter<{ reported: [unknown] }> {
  readonly table;
  readonly front: Front;
  /** What the gate says that requests wait for. */
  waitingFor: string | undefined;
  /** What the gate says; tests replace it. */
  verdict: () => Verdict | Promise<Verdict> = () => PASS;
  /** Values the app reported, in order. */
  readonly reported: unknown[] = [];
  /** The next worker gets the ports of the present one only with `promote()`. */
  onTrial = false;
  readonly #lent: OpenRequest[] = [];
  #epoch = 0;
  #lastOrderId = 0;
  #worker: Worker | undefined;
  /** Those that have been started, by epoch. */
  readonly #workers = new Map<number, Worker>();
  readonly folder: string;

  private constructor(
    folder: string,
    { slots, heldDeadline = HELD_DEADLINE_MS, heldBytes = DEFAULT_HELD_BYTES }: RelayedAppOptions,
  ) {
    super();
    this.folder = folder;
    this.table = createConnectionTable(slots);
    this.front = new Front({
      gate: { check: () => this.verdict(), waitingFor: () => this.waitingFor },
      table: this.table,
      heldDeadline,
      heldBytes,
    });
  }

  static async start(code: string, options: RelayedAppOptions = {}): Promise<RelayedApp> {
    const app = new RelayedApp(await mkdtemp(path.join(tmpdir(), "ur-")), options);
    await app.boot(code);
    return app;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** A fresh worker that runs `code` as the file "main". One that still runs goes on beside it. */
  async boot(code: string): Promise<void> {
    const epoch = ++this.#epoch;
    const worker = new Worker(new URL("relayed-app-worker.js", import.meta.url), {
      workerData: { table: this.table.buffer, socketFolder: this.folder } satisfies RelayedAppData,
    });
    this.#worker = worker;
    this.#workers.set(epoch, worker);
    let crash: Error | undefined;
    worker.on("error", (error: Error) => {
      crash = error;
    });
    worker.on("exit", (exitCode) =>
      this.front.workerDied(epoch, serializeError(crash ?? new Error(`exit code ${exitCode}`))),
    );
    worker.on("message", (message: FromWorker) => this.#onMessage(worker, epoch, message));
    await this.run("main", code);
  }

  async run(file: string, code: string): Promise<void> {
    await this.#order({ type: "run", file, code });
  }

  /** The worker that was on trial takes over. */
  async promote(): Promise<void> {
    this.onTrial = false;
    await Promise.all(this.#lent.splice(0).map((request) => this.front.open(request)));
  }

  /** Runs `code` in the worker of `epoch`, without waiting for it. */
  post(epoch: number, code: string): void {
    this.#workers.get(epoch)?.postMessage({ type: "run", file: "main", code, orderId: ++this.#lastOrderId });
  }

  async release(...files: string[]): Promise<void> {
    await this.#order({ type: "release", files });
  }

  async drained(deadlineMs: number): Promise<unknown> {
    return this.#order({ type: "drained", deadlineMs });
  }

  /** Closes the gate in shared memory, as when a file has changed. */
  closeGate(): void {
    Atomics.store(this.table, HOLD, 1);
  }

  /** Has the worker answer with a page in place of the app. */
  say(page: OwnPage | undefined): void {
    const said = this.front.sayInstead(page);
    if (said === undefined) return;
    this.#worker?.postMessage({ type: "sayInstead", page: said, orderId: ++this.#lastOrderId });
  }

  async openGate(): Promise<void> {
    Atomics.store(this.table, HOLD, 0);
    await this.#order({ type: "passRequests" });
  }

  /** Resolves when the present worker has ended. */
  async died(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || worker.threadId === -1) return;
    await new Promise((resolve) => worker.once("exit", resolve));
  }

  async terminate(epoch = this.#epoch): Promise<void> {
    await this.#workers.get(epoch)?.terminate();
  }

  get port(): number {
    const [address] = this.front.addresses();
    if (typeof address !== "object") throw new Error("no port is open");
    return address.port;
  }

  /** Resolves with the value that the app reports next. */
  async nextReport(): Promise<unknown> {
    const message = await this.#next(({ type }) => type === "reported");
    return message?.type === "reported" ? message.value : undefined;
  }

  async close(): Promise<void> {
    await this.front.shutDown(0);
    await Promise.all([...this.#workers.values()].map((worker) => worker.terminate()));
    await rm(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #order(order: Order): Promise<unknown> {
    const orderId = ++this.#lastOrderId;
    const done = this.#next((message) => message.type === "done" && message.orderId === orderId);
    this.#worker?.postMessage({ ...order, orderId } satisfies ToWorker);
    const message = await done;
    return message?.type === "done" ? message.value : undefined;
  }

  /** The next message that fits; undefined when the worker ends first. */
  #next(fits: (message: FromWorker) => boolean): Promise<FromWorker | undefined> {
    const worker = this.#worker;
    if (worker === undefined) throw new Error("no worker");
    const next = new Promise<FromWorker | undefined>((resolve) => {
      const onMessage = (message: FromWorker) => {
        if (fits(message)) finish(message);
      };
      const finish = (message: FromWorker | undefined) => {
        worker.off("message", onMessage).off("exit", onExit);
        resolve(message);
      };
      const onExit = () => finish(undefined);
      worker.on("message", onMessage).on("exit", onExit);
    });
    return within(next, "the worker's answer");
  }

  #onMessage(worker: Worker, epoch: number, message: FromWorker): void {
    switch (message.type) {
      case "listenRequested": {
        const { listenId } = message.request;
        const settle = (answer: { address?: PublicAddress; code?: string }) =>
          worker.postMessage({ type: "answerListen", listenId, ...answer } satisfies ToWorker);
        const request = { ...message.request, epoch };
        const lent = this.onTrial ? this.front.lend(request) : undefined;
        if (lent !== undefined) {
          this.#lent.push(request);
          settle({ address: lent });
          break;
        }
        this.front.open(request).then(
          (address) => settle({ address }),
          (error: NodeJS.ErrnoException) => settle({ code: error.code ?? "UNKNOWN" }),
        );
        break;
      }
      case "serverClosed":
        this.front.close(message.listenId);
        break;
      case "serverReleased":
        this.front.release(message.listenId);
        break;
      case "reported":
        this.reported.push(message.value);
        this.emit("reported", message.value);
        break;
    }
  }
}
