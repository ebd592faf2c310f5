/** `events?live`: what pages are told with `--live`, so that they load themselves again. */
import type { ServerResponse } from "node:http";
import path from "node:path";
import type { SupervisorState } from "../control/state.js";
import type { PageFiles } from "../files/page-files.js";
import type { SupervisorEvents } from "../reports/report.js";
import type { LiveFiles, LiveNews } from "./live-news.js";
import { OpenStreams } from "./open-streams.js";

export interface LiveStreamsOptions {
  readonly onError: "page" | "last-good";
  readonly files: PageFiles;
  now(): Pick<SupervisorState, "id" | "phase" | "generation">;
}

export class LiveStreams {
  readonly #options: LiveStreamsOptions;
  readonly #streams = new OpenStreams();

  constructor(options: LiveStreamsOptions) {
    this.#options = options;
    options.files.onChange = (files) => this.#streams.tell("files", { files: files.map(nameOf) } satisfies LiveFiles);
  }

  async add(response: ServerResponse): Promise<void> {
    const { files, now, onError } = this.#options;
    // What is saved from now on is told.
    await files.look();
    if (response.destroyed) return;
    files.lookWhile(() => this.#streams.any);
    this.#streams.add(response, "live", this.#news(onError === "page" && now().phase === "failed"));
  }

  tell<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void {
    if (event === "reload") {
      const { kind, changed } = report as SupervisorEvents["reload"];
      if (kind === "reloaded" || kind === "restarted")
        this.#streams.tell("live", { ...this.#news(false), changed: changed.map(nameOf) });
    } else if (event === "failed") {
      const { gone } = report as SupervisorEvents["failed"];
      this.#streams.tell("live", this.#news(gone || this.#options.onError === "page"));
    } else if (event === "restarted") this.#streams.tell("live", this.#news(false));
  }

  close(): void {
    this.#options.files.close();
    this.#streams.close();
  }

  #news(failed: boolean): LiveNews {
    const { id, generation } = this.#options.now();
    return { version: `${id}.${generation}`, failed };
  }
}

function nameOf(file: string): string {
  return path.basename(file);
}
