/**
 * An app in a temporary folder whose supervisor, in this process, writes down every step: for tests that assert whole
 * ordered transcripts. The entry exports `answer`, as Ruby's tests have one App to call.
 */
import { once } from "node:events";
import { createSupervisor, type Logger, type Supervisor, type SupervisorOptions } from "../../src/index.js";
import { within } from "./deadline.js";
import { TempApp } from "./temp-app.js";

export interface TranscribedOptions extends Omit<Partial<SupervisorOptions>, "logger"> {
  /** Instead of the one that writes the transcript; false: none. */
  readonly logger?: Logger | false;
  /** Packages of the project that the app can import. */
  readonly packages?: readonly string[];
}

export class TranscribedApp extends TempApp {
  readonly supervisor: Supervisor;
  readonly #checks: boolean;
  readonly #lines: string[] = [];

  /** The entry is app.js unless `options` name another. */
  constructor(files: Readonly<Record<string, string>>, { packages = [], logger, ...options }: TranscribedOptions = {}) {
    super({ "package.json": `{ "name": "app", "type": "module" }\n`, ...files }, { packages });
    const { entry = "app.js", ...rest } = options;
    this.#checks = options.cooldown === undefined;
    const written: Logger = (level, message) => {
      this.#lines.push(level === "debug" ? message : `${level} ${message}`);
    };
    this.supervisor = createSupervisor({
      cooldown: "off",
      ...rest,
      ...(logger !== false && { logger: logger ?? written }),
      entry: this.path(entry),
    });
  }

  /**
   * What `answer(...args)` of the newest code gives. Unless a cooldown was asked for, the files are looked at here and at no
   * other time, as in Ruby's tests: an event in the midst of several edits would make two reloads of them.
   */
  async answer(...args: unknown[]): Promise<unknown> {
    if (this.#checks) await this.supervisor.reload();
    return this.supervisor.call("answer", ...args);
  }

  /**
   * The lines since the last transcript. Those of level `debug` stand alone, others begin with their level. Durations
   * differ from run to run, and stacks from one version of Node to the other: a message's first line counts.
   */
  transcript(): string[] {
    return this.#lines.splice(0).map((line) => {
      const [first = ""] = line.replaceAll(`${this.folder}/`, "").split("\n");
      return first.replace(/\d+ ms/, "N ms");
    });
  }

  /** Waits for a line that is told when the app has been idle for a moment. */
  async heard(pattern: RegExp): Promise<void> {
    const missing = () => `${pattern} in the transcript:\n${this.#lines.join("\n")}`;
    while (!this.#lines.some((line) => pattern.test(line))) await within(once(this.supervisor, "log"), missing);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.close();
    await super[Symbol.asyncDispose]();
  }
}
