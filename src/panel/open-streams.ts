/** Open streams of server-sent events, all of which are told the same. */
import type { ServerResponse } from "node:http";

/** A stream that says nothing is closed by proxies, and a browser that has gone is noticed by writing to it. */
const BEAT_MS = 15_000;
const BEHIND_BYTES = 1_000_000;

export class OpenStreams {
  /** Until their clients go. */
  readonly #open = new Set<ServerResponse>();
  #beat: NodeJS.Timeout | undefined;

  get any(): boolean {
    return this.#open.size > 0;
  }

  /** It begins with an event. */
  add(response: ServerResponse, event: string, told: object): void {
    this.#open.add(response);
    response.on("close", () => this.#remove(response));
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-accel-buffering": "no",
    });
    response.write(`retry: 1000\n\n${eventText(event, told)}`);
    this.#beat ??= setInterval(() => this.#write(":\n\n"), BEAT_MS).unref();
  }

  tell(event: string, told: object): void {
    if (this.any) this.#write(eventText(event, told));
  }

  close(): void {
    for (const response of [...this.#open]) response.end();
  }

  #write(text: string): void {
    for (const response of this.#open) {
      // One that does not read would keep all of it in memory; it comes back, and is told how things are.
      if (response.writableLength > BEHIND_BYTES) response.destroy();
      else response.write(text);
    }
  }

  #remove(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.any) return;
    clearInterval(this.#beat);
    this.#beat = undefined;
  }
}

function eventText(event: string, told: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(told)}\n\n`;
}
