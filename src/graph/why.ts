/** For each file that a change reaches, the chain of files that leads to the change. */

/**
 * Read like a `ReadonlyMap<string, string[]>`: a chain begins with the file itself and ends with the change. Only the
 * next file of each chain is stored, since the chains of a deep graph, written out, would grow with its square.
 */
export class Why implements Iterable<[file: string, chain: string[]]> {
  /** Key: file; value: the next file towards the change; undefined for a change itself. */
  readonly #next: ReadonlyMap<string, string | undefined>;

  constructor(next: ReadonlyMap<string, string | undefined>) {
    this.#next = next;
  }

  get size(): number {
    return this.#next.size;
  }

  has(file: string): boolean {
    return this.#next.has(file);
  }

  get(file: string): string[] | undefined {
    if (!this.#next.has(file)) return undefined;
    const chain: string[] = [];
    for (let at: string | undefined = file; at !== undefined; at = this.#next.get(at)) chain.push(at);
    return chain;
  }

  keys(): Iterable<string> {
    return this.#next.keys();
  }

  *[Symbol.iterator](): Iterator<[file: string, chain: string[]]> {
    for (const file of this.#next.keys()) yield [file, this.get(file) ?? [file]];
  }

  /** The same chains, and for each file that has none yet a chain that goes on with a file that has one. */
  with(more: Iterable<readonly [file: string, next: string | undefined]>): Why {
    const next = new Map(this.#next);
    for (const [file, towards] of more) if (!next.has(file)) next.set(file, towards);
    return new Why(next);
  }
}
