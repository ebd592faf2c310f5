/** What people wrote as `subclasses`: the names in it, and what to tell them about the rest. Pure; says nothing twice. */

import { parseSubclassName, type SubclassName } from "../common/protocol/subclass-name.js";
import { nearestName } from "../options/nearest-name.js";

const FITS = "expected a class name such as Model, or package#Name such as sequelize#Model";

export class SubclassNames {
  /** Undefined when no filter is wanted. A filter without a name that means something selects nothing. */
  readonly names: readonly SubclassName[] | undefined;
  readonly #malformed: readonly string[];
  /** Names that people have been told of; as many as they wrote. */
  readonly #told = new Set<string>();

  constructor(texts: readonly string[] | undefined) {
    const parsed = texts?.map((text) => ({ text, name: parseSubclassName(text) })) ?? [];
    this.names = texts && parsed.flatMap(({ name }) => name ?? []);
    this.#malformed = parsed.flatMap(({ text, name }) => (name ? [] : [text]));
  }

  /** A line for each text that is no name. */
  malformed(): string[] {
    return this.#untold(this.#malformed).map((text) => `subclasses: ${JSON.stringify(text)} is ignored: ${FITS}`);
  }

  /** A line for each name that nothing in a loaded app has had. `seen`: names of classes that there are. */
  unknown(names: readonly string[], seen: readonly string[]): string[] {
    return this.#untold(names).map((name) => {
      const meant = nearestName(name, seen);
      const what = name.includes("#")
        ? "no such export of a loaded package"
        : "no class, global or export of this name";
      return `subclasses: ${name} is ignored: ${what} has been seen; ${meant ? `did you mean ${meant}?` : FITS}`;
    });
  }

  #untold(texts: readonly string[]): string[] {
    const untold = [...new Set(texts)].filter((text) => !this.#told.has(text));
    for (const text of untold) this.#told.add(text);
    return untold;
  }
}
