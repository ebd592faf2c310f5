/**
 * What a module learns from `stat`: most only ask what is there (`isFile()`), some how large or how old it is. Nothing tells
 * what becomes of an `fs.Stats`, so the text of the file that asks does, and in case of doubt it is taken to want all.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ASKS_KIND = /\bis(?:File|Directory|SymbolicLink)\b/;
const ASKS_MORE = /\b(?:size|blocks|ino|[amc]time|birthtime|[amc]time[MN]s|birthtime[MN]s)\b/;

export class StatReaders {
  readonly #ownText: (file: string) => string | undefined;
  /** File to whether it only asks what is there. Of own files, by their texts; dies with the thread. */
  readonly #known = new Map<string, { readonly text: string | undefined; readonly onlyKind: boolean }>();

  /** `ownText`: of an own module. */
  constructor(ownText: (file: string) => string | undefined) {
    this.#ownText = ownText;
  }

  /** `caller`: a path or a URL. */
  onlyAskKind(caller: string): boolean {
    const file = caller.startsWith("file:") ? fileURLToPath(caller) : caller;
    const text = this.#ownText(file);
    const known = this.#known.get(file);
    if (known && known.text === text) return known.onlyKind;
    const read = text ?? textOf(file);
    const onlyKind = ASKS_KIND.test(read) && !ASKS_MORE.test(read);
    this.#known.set(file, { text, onlyKind });
    return onlyKind;
  }
}

/** Code that is no file asks for all. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}
