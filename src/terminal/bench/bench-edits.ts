/**
 * Edits of an app's own files that leave nothing behind: a statement is appended, and taken away again. Which files have one is
 * written down before, so that the next run mends what a killed one has left.
 */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { isRunning } from "../../thread/process-state.js";
import { Refused } from "../commands/find-and-ask.js";

/** Evaluates to nothing in every kind of module, and is another text each time. */
const statement = (round: number): string => `\n;void "unreloader bench ${round}";\n`;
const STATEMENT = /\n;void "unreloader bench \d+";\n$/;

interface Original {
  readonly text: Buffer;
  /** In seconds: a `Date` would lose what is below a millisecond. */
  readonly accessed: number;
  readonly modified: number;
}

export class BenchEdits {
  readonly #journal: string;
  readonly #pid: number;
  /** File to what it was before the edit; gone when it is that again. */
  readonly #edited = new Map<string, Original>();

  /** `folder`: of this project, for what may be lost; `pid`: of the process that edits. */
  constructor(folder: string, pid = process.pid) {
    this.#pid = pid;
    this.#journal = path.join(folder, "bench-edits.json");
  }

  /**
   * Files that a run has left edited that was killed: they are what they were now.
   * @throws Refused while another run goes on: they would mend each other's edits.
   */
  recover(): string[] {
    const text = attempt(() => readFileSync(this.#journal, "utf8"));
    const { pid, files = [] } = text === undefined ? {} : journalOf(text);
    if (pid !== undefined && pid !== this.#pid && isRunning(pid))
      throw new Refused(`bench: process ${pid} measures this project already`, 1);
    const mended = files.filter((file) => withoutStatement(file));
    rmSync(this.#journal, { force: true });
    return mended;
  }

  edit(file: string, round: number): void {
    const { atimeMs, mtimeMs } = statSync(file);
    const original = { text: readFileSync(file), accessed: atimeMs / 1000, modified: mtimeMs / 1000 };
    this.#edited.set(file, original);
    mkdirSync(path.dirname(this.#journal), { recursive: true });
    writeFileSync(this.#journal, JSON.stringify({ pid: this.#pid, files: [...this.#edited.keys()] } satisfies Journal));
    writeFileSync(file, Buffer.concat([original.text, Buffer.from(statement(round))]));
  }

  /** Sync: the process may be about to end. What somebody else has saved meanwhile stays, without our line. */
  restore(): void {
    for (const [file, { text, accessed, modified }] of this.#edited) {
      this.#edited.delete(file);
      const now = attempt(() => readFileSync(file));
      if (now === undefined) continue;
      if (!now.subarray(0, text.length).equals(text) || !STATEMENT.test(`\n${now.subarray(text.length)}`)) {
        withoutStatement(file);
        continue;
      }
      writeFileSync(file, text);
      utimesSync(file, accessed, modified);
    }
    rmSync(this.#journal, { force: true });
  }
}

interface Journal {
  readonly pid: number;
  readonly files: readonly string[];
}

function journalOf(text: string): Partial<Journal> {
  try {
    return JSON.parse(text) as Journal;
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** False: it has none. */
function withoutStatement(file: string): boolean {
  const text = attempt(() => readFileSync(file, "utf8"));
  if (text === undefined || !STATEMENT.test(text)) return false;
  writeFileSync(file, text.replace(STATEMENT, ""));
  return true;
}
