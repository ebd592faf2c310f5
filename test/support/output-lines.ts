/** The lines that a process prints, to wait for. */
import type { Readable } from "node:stream";
import { within } from "./deadline.js";

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (line: string) => void;
}

export class OutputLines {
  /** Every complete line so far, of all streams, in order of arrival. */
  readonly all: string[] = [];
  readonly #waiters = new Set<Waiter>();

  follow(stream: Readable): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#add(line.replace(/\r$/, ""));
    });
    stream.on("end", () => {
      if (rest !== "") this.#add(rest);
    });
  }

  /** The first line from `since` on that matches, now or later. */
  wait(pattern: RegExp, since = 0): Promise<string> {
    const known = this.all.slice(since).find((line) => pattern.test(line));
    if (known !== undefined) return Promise.resolve(known);
    const waiter: { pattern: RegExp; resolve: (line: string) => void } = { pattern, resolve: () => {} };
    const line = new Promise<string>((resolve) => {
      waiter.resolve = resolve;
    });
    this.#waiters.add(waiter);
    return within(line, () => `a line like ${pattern}; there was:\n${this.all.join("\n")}`).finally(() =>
      this.#waiters.delete(waiter),
    );
  }

  matching(pattern: RegExp, since = 0): string[] {
    return this.all.slice(since).filter((line) => pattern.test(line));
  }

  /** What says that a reload did not go well; that a slow machine took 2 s for a large package is no such thing. */
  complaints(): string[] {
    return this.matching(/failed|warn|restarted/i).filter((line) => !line.includes("has kept the app busy"));
  }

  toString(): string {
    return this.all.join("\n");
  }

  #add(line: string): void {
    if (process.env.UNRELOADER_TEST_OUTPUT) process.stderr.write(`  | ${line}\n`);
    this.all.push(line);
    for (const waiter of this.#waiters) if (waiter.pattern.test(line)) waiter.resolve(line);
  }
}
