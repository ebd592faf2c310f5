/** `events`: what happens, as server-sent events, each under its name, and the state whenever it is another one. */
import type { ServerResponse } from "node:http";
import type { SupervisorState } from "../control/state.js";
import type { SupervisorEvents } from "../reports/report.js";

/** A stream that says nothing is closed by proxies, and a browser that has gone is noticed by writing to it. */
const BEAT_MS = 15_000;
const BEHIND_BYTES = 1_000_000;

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
  /** Open streams, until their clients go. */
  readonly #open = new Set<ServerResponse>();
  #last = "";
  #beat: NodeJS.Timeout | undefined;

  constructor(news: () => StateNews) {
    this.#news = news;
  }

  add(response: ServerResponse): void {
    this.#open.add(response);
    response.on("close", () => this.#remove(response));
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-accel-buffering": "no",
    });
    this.#last = JSON.stringify(this.#news());
    response.write(`retry: 1000\n\nevent: state\ndata: ${this.#last}\n\n`);
    this.#beat ??= setInterval(() => this.#write(":\n\n"), BEAT_MS).unref();
  }

  /** The state may be another one. */
  changed(): void {
    if (this.#open.size === 0) return;
    const text = JSON.stringify(this.#news());
    if (text === this.#last) return;
    this.#last = text;
    this.#write(`event: state\ndata: ${text}\n\n`);
  }

  tell<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void {
    if (this.#open.size > 0) this.#write(`event: ${event}\ndata: ${JSON.stringify(report)}\n\n`);
  }

  close(): void {
    for (const response of [...this.#open]) response.end();
  }

  #write(text: string): void {
    for (const response of this.#open) {
      // One that does not read would keep all of it in memory; it comes back, and asks for the state.
      if (response.writableLength > BEHIND_BYTES) response.destroy();
      else response.write(text);
    }
  }

  #remove(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.#open.size > 0) return;
    clearInterval(this.#beat);
    this.#beat = undefined;
  }
}
