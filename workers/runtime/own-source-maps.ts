/**
 * Source maps of own JavaScript that another tool has compiled (`tsc`, into dist/): Node collects them when its own loader
 * loads a file, which own files do without.
 */
import { readFileSync } from "node:fs";
import Module, { type SourceMap, type SourceMapPayload } from "node:module";
import { pathToFileURL } from "node:url";
import type { CompiledModule } from "../../src/common/compile/compiled-module.js";
import { pathOf } from "../../src/common/file-url.js";
import { replaceMethod } from "../ledger/replace.js";

const MAP_COMMENT = /\/[*/]#\s+sourceMappingURL=([^\s]+)/g;
const DATA_URL = /^data:application\/json[^,]*?(;base64)?,(.*)$/s;
/** Of Node's own, which knows of the maps of packages; taken before it is replaced. */
const { findSourceMap } = Module;

/** What Node knows of one entry, by the generated place; lines and columns begin with 0. */
export interface MappedPlace {
  readonly file: string;
  /** 1-based, as in stacks. */
  readonly line: number;
  readonly column: number;
}

export class OwnSourceMaps {
  readonly #compiled: (file: string) => CompiledModule | undefined;
  /** Undefined: it has none. Dies with the version. */
  readonly #maps = new WeakMap<CompiledModule, { readonly map: SourceMap | undefined }>();

  /** `compiled`: the version of an own file that is evaluated, or was last. */
  constructor(compiled: (file: string) => CompiledModule | undefined) {
    this.#compiled = compiled;
  }

  install(): () => void {
    return replaceMethod(Module, "findSourceMap", (original) => (...args) => {
      const [name] = args;
      const own = typeof name === "string" ? this.#mapOf(pathOf(name)) : undefined;
      return own ?? Reflect.apply(original, Module, args);
    });
  }

  /** Where a place of what was generated comes from, while Node is to follow source maps. */
  originalOf(name: string, line: number, column: number): MappedPlace | undefined {
    if (process.sourceMapsEnabled !== true) return undefined;
    const map = this.#mapOf(pathOf(name)) ?? findSourceMap(name);
    const entry = map?.findEntry(line - 1, column - 1);
    if (!entry || !("originalSource" in entry) || entry.originalSource === undefined) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    return { file: pathOf(originalSource), line: originalLine + 1, column: originalColumn + 1 };
  }

  #mapOf(file: string): SourceMap | undefined {
    const compiled = process.sourceMapsEnabled === true ? this.#compiled(file) : undefined;
    if (compiled === undefined) return undefined;
    let known = this.#maps.get(compiled);
    if (known === undefined) {
      known = { map: readMap(file, compiled.source) };
      this.#maps.set(compiled, known);
    }
    return known.map;
  }
}

/** As lib/internal/source_map/source_map_cache.js: what cannot be read is none. */
function readMap(file: string, source: string): SourceMap | undefined {
  const url = [...source.matchAll(MAP_COMMENT)].at(-1)?.[1];
  if (url === undefined) return undefined;
  try {
    const inline = DATA_URL.exec(url);
    const base = inline ? pathToFileURL(file) : new URL(url, pathToFileURL(file));
    const text = inline
      ? Buffer.from(decodeURIComponent(inline[2] ?? ""), inline[1] ? "base64" : "utf8").toString()
      : readFileSync(base, "utf8");
    const payload = JSON.parse(text) as SourceMapPayload;
    const { sourceRoot = "" } = payload;
    payload.sources = payload.sources.map((name) => new URL(sourceRoot + name, base).href);
    payload.sourceRoot = "";
    const lineLengths = source.split(/\n|\u2028|\u2029/).map(({ length }) => length);
    return new Module.SourceMap(payload, { lineLengths } as never);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
