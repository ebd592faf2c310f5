/** The newest lines of the app and of the supervisor, each with the generation that was loaded then. */
import { stripVTControlCharacters } from "node:util";
import type { LogLevel, SupervisorEvent } from "../reports/report.js";
import { messageOf, reportLines } from "../reports/report-lines.js";

const KEPT = 1000;

export interface LogLine {
  /** Milliseconds since 1970. Of the app's lines, when they were taken up: at the next reload, or when somebody asked. */
  readonly at: number;
  readonly generation: number;
  readonly from: "app" | "unreloader";
  /** Of the supervisor's lines. */
  readonly level?: LogLevel;
  readonly text: string;
}

/** What a thread has written, as its board has it. */
export interface Written {
  readonly written: number;
  lastBytes(most: number): Buffer;
}

export class LogLines {
  readonly #root: string;
  readonly #lines: LogLine[] = [];
  /** How much of what each board has was taken up; dead with its thread. */
  readonly #taken = new WeakMap<Written, number>();
  /** The board that was asked last, and the generation then. */
  #last: { readonly board: Written; readonly generation: number } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** An event of the supervisor. */
  told(event: SupervisorEvent, generation: number, now = Date.now()): void {
    const style = {
      format: "pretty",
      level: "info",
      why: false,
      onError: "page",
      exit: false,
      cwd: this.#root,
    } as const;
    for (const line of reportLines(event, style))
      for (const text of messageOf(line).split("\n"))
        this.#add({ at: now, generation, from: "unreloader", level: line.level, text });
  }

  /** Takes up what the app has written since the last call. It keeps its newest 8 kB: of more, the rest is lost. */
  takeUp(board: Written | undefined, generation: number, now = Date.now()): void {
    if (!board) return;
    // A worker that was replaced may have written since.
    if (this.#last && this.#last.board !== board) this.#takeUp(this.#last.board, this.#last.generation, now);
    this.#last = { board, generation };
    this.#takeUp(board, generation, now);
  }

  #takeUp(board: Written, generation: number, now: number): void {
    const { written } = board;
    const before = this.#taken.get(board) ?? 0;
    const count = (written - before + 2 ** 32) % 2 ** 32;
    if (count === 0) return;
    this.#taken.set(board, written);
    const bytes = board.lastBytes(count);
    const lines = stripVTControlCharacters(bytes.toString("utf8")).split(/\r?\n/);
    if (lines.at(-1) === "") lines.pop();
    // The beginning of the first one is lost.
    if (bytes.length < count) lines[0] = `… ${lines[0] ?? ""}`;
    for (const text of lines) this.#add({ at: now, generation, from: "app", text });
  }

  /** Oldest first. */
  since({
    generation = 0,
    at = 0,
  }: {
    readonly generation?: number | undefined;
    readonly at?: number | undefined;
  }): LogLine[] {
    return this.#lines.filter((line) => line.generation >= generation && line.at >= at);
  }

  #add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }
}
