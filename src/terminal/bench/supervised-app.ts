/** The app of a measurement, under a supervisor of its own. */
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BENCH_START_MS, FIND_STEP_MS } from "../../common/deadlines.js";
import { NoSupervisorError } from "../../common/errors.js";
import { shownPath } from "../../common/paths.js";
import { askSupervisor, type Question } from "../../control/ask-supervisor.js";
import { type Chosen, chooseSupervisor } from "../../control/choose-supervisor.js";
import type { SupervisorState } from "../../control/state.js";
import type { WaitVerdict } from "../../control/wait.js";
import { Refused } from "../commands/find-and-ask.js";
import { BenchProcess } from "./bench-process.js";
import type { BenchRound } from "./bench-result.js";

export class SupervisedApp {
  readonly #entry: string;
  readonly #root: string;
  readonly #process: BenchProcess;
  #supervisor: Chosen["supervisor"] | undefined;

  constructor(entry: string, root: string) {
    this.#entry = entry;
    this.#root = root;
    const flags = ["--root", root, "--port", "0", "--no-panel", "--no-keys"];
    this.#process = new BenchProcess([process.argv[1] as string, ...flags, entry], root);
  }

  /** Resolves with the files of the modules that are loaded, in the order of their evaluation, when the app serves. */
  async started(): Promise<{ readonly loaded: readonly string[] }> {
    const end = performance.now() + BENCH_START_MS;
    while (this.#supervisor === undefined) {
      try {
        this.#supervisor = (await chooseSupervisor(this.#root, this.#process.child.pid)).supervisor;
      } catch (error) {
        if (!(error instanceof NoSupervisorError)) throw error;
        if (!this.#process.isRunning) throw this.#failed("ended while it started", 3);
        if (performance.now() > end) throw this.#failed("was not up in time", 4);
        await pause(FIND_STEP_MS);
      }
    }
    await this.settled();
    const question = { command: "status", files: true };
    const { addresses, files } = await this.#ask<SupervisorState & { files: string[] }>(question);
    if (addresses.length === 0) throw this.#failed("listens nowhere: bench needs an app that serves", 1);
    return { loaded: files };
  }

  /** The file has just been saved. */
  async reloaded(file: string): Promise<Omit<BenchRound, "file" | "restartMs">> {
    const started = performance.now();
    await this.#live([file]);
    const reloadMs = performance.now() - started;
    const { lastReport } = await this.#ask<SupervisorState>({ command: "status" });
    if (!lastReport?.changed.includes(file)) throw this.#failed(`has not taken in ${path.basename(file)}`, 4);
    const { code, outcome, loaded } = lastReport;
    return { code, outcome, evaluated: loaded.length, reloadMs };
  }

  /** Nothing is under way. */
  async settled(): Promise<void> {
    await this.#live(undefined);
  }

  async #live(files: readonly string[] | undefined): Promise<void> {
    const question = { command: "wait", timeoutMs: BENCH_START_MS, ...(files && { files }) };
    const { verdict, error, waitingFor } = await this.#ask<WaitVerdict>(question);
    if (verdict === "live") return;
    if (verdict === "late")
      throw this.#failed(`is not up after ${BENCH_START_MS / 1000} s: it waits for ${waitingFor}`, 4);
    const place =
      error?.file === undefined ? "" : `${shownPath(error.file, process.cwd())}:${error.line}:${error.column} `;
    throw new Refused(`${shownPath(this.#entry, process.cwd())} fails: ${place}${error?.message}`, 3);
  }

  async #ask<Answer>(question: Question): Promise<Answer> {
    if (this.#supervisor === undefined) throw this.#failed("is not up", 4);
    const reply = await askSupervisor(this.#supervisor, question);
    if ("error" in reply) throw new Refused(reply.error, reply.exitCode);
    return reply.answer as Answer;
  }

  #failed(what: string, exitCode: 1 | 3 | 4): Refused {
    const { lastLines } = this.#process;
    const text = `unreloader ${shownPath(this.#entry, process.cwd())} ${what}`;
    return new Refused(lastLines === "" ? text : `${text}; it wrote last:\n${lastLines}`, exitCode);
  }

  end(): Promise<void> {
    return this.#process.end();
  }

  /** At once, and what it has started with it: it ends when its launcher has. */
  kill(): void {
    if (this.#process.isRunning) this.#process.child.kill("SIGTERM");
  }
}
