/**
 * Where things stood that a purged module had registered: what its new version registers in their place comes to stand
 * there, too. At a fresh start modules register in the order in which they are evaluated, and who comes first matters:
 * plugins, handlers, rules.
 */

/** What stood behind an entry, nearest first. */
export type Place = readonly unknown[];

export class RegistrationPlaces {
  /** File, then collection or emitter, then event, to the places in the order in which things were registered. */
  readonly #left = new Map<string, Map<object, Map<unknown, Place[]>>>();

  /**
   * An entry of the file is about to be taken out. They are taken out in the reverse order. Of a place it counts only what stays:
   * what is registered again under the same name may come at another moment than before.
   */
  left(file: string, holder: object, entry: unknown, behind: Place | undefined, event?: unknown): void {
    if (!behind) return;
    for (const ofOther of this.#left.values()) {
      const places = ofOther.get(holder)?.get(event) ?? [];
      for (const [index, place] of places.entries()) {
        if (place.includes(entry)) places[index] = place.filter((each) => !Object.is(each, entry));
      }
    }
    const ofFile = this.#left.get(file) ?? new Map<object, Map<unknown, Place[]>>();
    this.#left.set(file, ofFile);
    const ofHolder = ofFile.get(holder) ?? new Map<unknown, Place[]>();
    ofFile.set(holder, ofHolder);
    ofHolder.set(event, [behind, ...(ofHolder.get(event) ?? [])]);
  }

  /** The file registers again: where its next entry is to stand. Undefined: where it has been put. */
  take(file: string, holder: object, event?: unknown): Place | undefined {
    return this.#left.get(file)?.get(holder)?.get(event)?.shift();
  }

  /** The file has been evaluated. */
  forget(file: string): void {
    this.#left.delete(file);
  }
}
