/**
 * An own file among Node's modules: an ES module without code of its own, whose exports follow the file's namespace. Node
 * never unloads a module and fixes its export names, so a file has one bridge for each set of names it ever had.
 */
import type { Namespace } from "./namespace.js";

export class NamespaceBridge {
  readonly names: readonly string[];
  readonly source: string;
  readonly #fileUrl: string;
  readonly #namespace: Namespace;
  /** What the module awaits before it reads anything; only when the file's graph is asynchronous. */
  readonly ready: Promise<unknown> | undefined;
  #assign: ((read: (name: string) => unknown) => void) | undefined;

  constructor(fileUrl: string, names: readonly string[], namespace: Namespace, ready: Promise<unknown> | undefined) {
    this.#fileUrl = fileUrl;
    this.names = names;
    this.#namespace = namespace;
    this.ready = ready;
    const exported = names.map((name, k) => `v${k} as ${JSON.stringify(name)}`);
    this.source =
      `import { bridges } from ${JSON.stringify(import.meta.url)};\n` +
      "const bridge = bridges.find(import.meta.url);\n" +
      (ready ? "await bridge.ready;\n" : "") +
      (names.length > 0 ? `let ${names.map((_, k) => `v${k}`).join(", ")};\n` : "") +
      `bridge.follow((read) => { ${names.map((name, k) => `v${k} = read(${JSON.stringify(name)});`).join(" ")} });\n` +
      `export { ${exported.join(", ")} };\n`;
  }

  /** A URL for the bridge, given a number that no other has. */
  url(serial: number): string {
    return `${this.#fileUrl}?unreloader=${serial}`;
  }

  /** Called by the module: `assign` sets its exports. */
  follow(assign: (read: (name: string) => unknown) => void): void {
    this.#assign = assign;
    this.update();
  }

  /** The file was evaluated: its exports are others now. */
  update(): void {
    this.#assign?.((name) => readIfInitialized(this.#namespace, name));
  }
}

function readIfInitialized(namespace: Namespace, name: string): unknown {
  if (namespace.runs(name)) return undefined;
  try {
    return namespace.newest(name);
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

class Bridges {
  /** URL to bridge; never dies, as Node's modules do not. */
  readonly #byUrl = new Map<string, NamespaceBridge>();
  readonly #urls = new Map<NamespaceBridge, string>();

  add(bridge: NamespaceBridge): string {
    let url = this.#urls.get(bridge);
    if (url === undefined) {
      url = bridge.url(this.#byUrl.size + 1);
      this.#urls.set(bridge, url);
      this.#byUrl.set(url, bridge);
    }
    return url;
  }

  find(url: string): NamespaceBridge | undefined {
    return this.#byUrl.get(url);
  }
}

/** The one piece of module-level state: bridge modules reach it by importing this file. */
export const bridges = new Bridges();
