/**
 * Tells that the configuration has changed. What it says counts from the next start of unreloader on: the ports, the root
 * and the watcher are made from it once, and half of a new configuration would be a surprise.
 */
import path from "node:path";
import { errorText } from "../common/errors.js";
import { keyOf } from "./find-config.js";

export class ConfigChanges {
  readonly #files: ReadonlySet<string>;
  /** The key of package.json as it was read last, when the options stand there. */
  #key: string | undefined;

  /** `files`: what the options in use were read from. */
  constructor(files: Iterable<string>) {
    this.#files = new Set(files);
    this.#key = this.#readKey();
  }

  /** Takes the configuration's own files out of `changed`, and gives a message for each that says something else now. */
  take(changed: Set<string>): string[] {
    const messages: string[] = [];
    for (const file of [...changed].filter((name) => this.#files.has(name))) {
      if (isManifest(file)) {
        // It is more than our configuration: for the app, too, it has changed.
        const key = this.#readKey();
        if (key === this.#key) continue;
        this.#key = key;
      } else {
        changed.delete(file);
      }
      messages.push(`${path.basename(file)} changed: restart unreloader to use what it says now`);
    }
    return messages;
  }

  #readKey(): string | undefined {
    const manifest = [...this.#files].find(isManifest);
    if (manifest === undefined) return undefined;
    try {
      return JSON.stringify(keyOf(manifest));
    } catch (error) {
      // Half written, or broken: the resolver says so when it needs it.
      return errorText(error);
    }
  }
}

function isManifest(file: string): boolean {
  return path.basename(file) === "package.json";
}
