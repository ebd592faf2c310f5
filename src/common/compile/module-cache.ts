/**
 * Compiled modules in memory, and between starts in one file. A module is found again by its file, the hash of its text
 * and everything else that its compilation depends on; never by time.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { debuglog } from "node:util";
import v8 from "node:v8";
import type { CompiledModule } from "./compiled-module.js";
import { hasProject } from "./project-folder.js";

const debug = debuglog("unreloader");

/** A module without its source: the text is read from disk anyway, and compared by hash. */
type StoredModule = Omit<CompiledModule, "source">;

interface Entry {
  readonly key: string;
  readonly module: StoredModule;
}

export class ModuleCache {
  /** Absent: nothing is kept between starts. */
  readonly #pack: string | undefined;
  /** Changes with everything that makes old entries useless. */
  readonly #version: string;
  /** File to its last compiled version. Born when a file is compiled or taken from the pack; replaced, and dropped when the file is deleted. */
  readonly #modules = new Map<string, { readonly key: string; readonly module: CompiledModule }>();
  /** File to what the pack on disk has. Read at first use; entries go when they are taken or found to be old. */
  #stored: Map<string, Entry> | undefined;
  #changed = false;

  constructor(pack: string | undefined, version: string) {
    this.#pack = pack;
    this.#version = version;
  }

  /** The module for `file` compiled from `source`, if `key` is what it was compiled with. */
  find(file: string, key: string, source: string): CompiledModule | undefined {
    const known = this.#modules.get(file);
    if (known?.key === key) return known.module;
    this.#stored ??= this.#readPack();
    const entry = this.#stored.get(file);
    if (!entry) return undefined;
    this.#stored.delete(file);
    if (entry.key !== key) return undefined;
    const module: CompiledModule = { ...entry.module, source };
    this.#modules.set(file, { key, module });
    return module;
  }

  /** Whether some version of `file` has been used since the start. */
  has(file: string): boolean {
    return this.#modules.has(file);
  }

  keep(key: string, module: CompiledModule): void {
    this.#modules.set(module.file, { key, module });
    this.#changed = true;
  }

  drop(file: string): void {
    this.#changed = this.#modules.delete(file) || this.#changed;
  }

  /** Writes the pack if it would differ. Never fails: a cache that cannot be written is done without. */
  async save(): Promise<void> {
    if (this.#pack === undefined || !this.#changed || !hasProject(this.#pack)) return;
    this.#changed = false;
    const entries = new Map<string, Entry>();
    // Files that were not needed this time, but may be the next.
    for (const [file, entry] of this.#stored ?? []) if (existsSync(file)) entries.set(file, entry);
    for (const [file, { key, module }] of this.#modules) {
      const { source: _, ...stored } = module;
      entries.set(file, { key, module: stored });
    }
    const content = v8.serialize(entries);
    const temporary = `${this.#pack}.${process.pid}.${Date.now().toString(36)}.tmp`;
    try {
      await mkdir(path.dirname(this.#pack), { recursive: true });
      await writeFile(temporary, Buffer.concat([this.#header(content), content]));
      await rename(temporary, this.#pack);
    } catch (error) {
      debug("compile cache not written: %s", error);
      await rm(temporary, { force: true }).catch((failure: unknown) => debug("left behind %s: %s", temporary, failure));
    }
  }

  #readPack(): Map<string, Entry> {
    if (this.#pack === undefined) return new Map();
    try {
      const bytes = readFileSync(this.#pack);
      const header = bytes.subarray(0, HEADER_BYTES);
      const content = bytes.subarray(HEADER_BYTES);
      if (!this.#header(content).equals(header)) return new Map();
      const entries: unknown = v8.deserialize(content);
      return entries instanceof Map ? entries : new Map();
    } catch (error) {
      debug("compile cache not read: %s", error);
      return new Map();
    }
  }

  /** Tells a pack of another version, or one that was cut short, from a good one. */
  #header(content: Buffer): Buffer {
    return createHash("sha256").update(this.#version).update(content).digest();
  }
}

const HEADER_BYTES = 32;
