/** `events`: what happens, as server-sent events, each under its name, and the state whenever it is another one. */
import type { ServerResponse } from "node:http";
import type { SupervisorState } from "../control/state.js";
import type { SupervisorEvents } from "../reports/report.js";
import { OpenStreams } from "./open-streams.js";

/** What of the state is worth an event. */
export type StateNews = Pick<SupervisorState, "phase" | "live" | "generation" | "epoch" | "modules"> & {
  readonly error: {
    readonly message: string;
    readonly file?: string | undefined;
    readonly line?: number | undefined;
  } | null;
};

export class EventStreams {
  readonly #news: () => StateNews;
  readonly #streams = new OpenStreams();
  #last = "";

  constructor(news: () => StateNews) {
    this.#news = news;
  }

  add(response: ServerResponse): void {
    const news = this.#news();
    this.#last = JSON.stringify(news);
    this.#streams.add(response, "state", news);
  }

  /** The state may be another one. */
  changed(): void {
    if (!this.#streams.any) return;
    const news = this.#news();
    const text = JSON.stringify(news);
    if (text === this.#last) return;
    this.#last = text;
    this.#streams.tell("state", news);
  }

  tell<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void {
    this.#streams.tell(event, report);
  }

  close(): void {
    this.#streams.close();
  }
}
