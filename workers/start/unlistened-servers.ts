/** Servers that modules have made and not told to listen yet: while there are some, an app may be about to. */
import type { Server } from "node:net";

export class UnlistenedServers {
  /** Server -> file that made it; an entry is born at its creation and dies when it listens or the file is purged. */
  readonly #made = new Map<WeakRef<Server>, string>();
  readonly #references = new WeakMap<Server, WeakRef<Server>>();

  made(server: Server, file: string): void {
    const reference = new WeakRef(server);
    this.#references.set(server, reference);
    this.#made.set(reference, file);
  }

  listens(server: Server): void {
    const reference = this.#references.get(server);
    if (reference !== undefined) this.#made.delete(reference);
  }

  purged(files: ReadonlySet<string>): void {
    for (const [reference, file] of this.#made) if (files.has(file)) this.#made.delete(reference);
  }

  get any(): boolean {
    for (const reference of this.#made.keys()) {
      if (reference.deref() !== undefined) return true;
      this.#made.delete(reference);
    }
    return false;
  }
}
