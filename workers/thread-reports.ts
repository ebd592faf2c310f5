/** What main is told of beside the outcome of its orders: reports, and lines about what the app's files did. */
import { shownPath } from "../src/common/paths.js";
import type { WorkerReport } from "../src/common/protocol/messages.js";
import { type SerializedError, type SourceLocation, serializeError } from "../src/common/protocol/serialized-error.js";

type Report<Type extends WorkerReport["type"]> = Extract<WorkerReport, { type: Type }>;

export interface ThreadReportsOptions {
  /** Folder that the paths in lines are relative to. */
  readonly root: string;
  send(report: WorkerReport): void;
  /** Where an error comes from in the user's source. */
  locate(error: unknown): { location?: SourceLocation | undefined; frame?: string | undefined };
}

export class ThreadReports {
  readonly send: (report: WorkerReport) => void;
  readonly #options: ThreadReportsOptions;
  #ofGraph = 0;

  constructor(options: ThreadReportsOptions) {
    this.#options = options;
    this.send = options.send;
  }

  /** How much main has been told of the graph: a plan that was made without one of these reports is refused. */
  get ofGraph(): number {
    return this.#ofGraph;
  }

  sendOfGraph(report: Report<"modulesDiscovered" | "modulesLoaded">): void {
    this.#ofGraph++;
    this.send(report);
  }

  serialize(error: unknown): SerializedError {
    return serializeError(error, (thrown) => this.#options.locate(thrown));
  }

  log(level: Report<"logged">["level"], message: string): void {
    this.send({ type: "logged", level, message });
  }

  /** How a file is named in lines. */
  shown(file: string): string {
    return shownPath(file, this.#options.root);
  }

  /** A purge goes on without what has failed in it. */
  purgeFailed(file: string, step: string, error: unknown): void {
    this.log("warn", `purging ${this.shown(file)}: ${step} failed: ${this.serialize(error).message}`);
  }

  leftoverFailed(file: string, reason: unknown): void {
    const { message } = this.serialize(reason);
    this.log("debug", `what the old version of ${this.shown(file)} had begun has failed: ${message}`);
  }

  notReopened(file: string, name: string, because: string): void {
    const what = `${this.shown(file)}: class ${name} was purged, not reopened, because ${because}`;
    this.log("warn", `${what}; old instances keep the old methods`);
  }

  /** A module asks for its importers to be loaded again; with `again` itself, too. */
  invalidated(file: string, message: string | undefined, again: boolean): void {
    if (message !== undefined) this.log("info", `invalidated by ${this.shown(file)}: ${message}`);
    this.send({ type: "invalidated", file, again });
  }
}
