/** Small programs of a few modules, evaluated by Node itself or by the runtime; both give what the program reported. */
import { access } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Compiler } from "../../src/common/compile/compiler.js";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { Observer } from "../../workers/runtime/observer.js";
import { Runtime } from "../../workers/runtime/runtime.js";
import { TempApp } from "./temp-app.js";

export interface Outcome {
  /** What was given to `report`, printed. */
  readonly reports: readonly string[];
  /** What the program threw, printed. */
  readonly error?: string;
}

export interface Program {
  readonly entry: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Files of a program written as text: each after a line `--- name`; the first is the entry. */
export function parseProgram(text: string): Program {
  const files: Record<string, string> = {};
  for (const part of text.split(/^--- /m).slice(1)) {
    const end = part.indexOf("\n");
    files[part.slice(0, end).trim()] = part.slice(end + 1);
  }
  const [entry = ""] = Object.keys(files);
  return { entry, files };
}

/** A runtime over the files of a temporary folder. */
export class RuntimeApp extends TempApp {
  readonly compiler = new Compiler({ root: this.folder });
  readonly runtime: Runtime;
  /** What the runtime told by itself. */
  readonly told: LoadedModule[] = [];
  #waiting: (() => void) | undefined;
  /** How much of `told` has been waited for. */
  #seen = 0;

  constructor(files: Readonly<Record<string, string>>, entry?: string, observer?: Observer) {
    super(files);
    this.runtime = new Runtime(
      {
        prepare: (file) => this.compiler.prepare(file),
        resolve: (specifier, importer, kind) => this.compiler.resolve(specifier, importer, kind),
        sourceMap: (compiled) => this.compiler.sourceMap(compiled),
        dynamicImports: (text) => this.compiler.dynamicImports(text),
        discovered: () => undefined,
        loaded: (modules) => {
          this.told.push(...modules);
          this.#waiting?.();
        },
      },
      { entry: entry === undefined ? "" : this.path(entry), ...(observer && { observer }) },
    );
  }

  /** The namespace of a file. */
  async import<T = Record<string, unknown>>(file: string): Promise<T> {
    return (await this.runtime.import(this.path(file))) as T;
  }

  /** Purges and loads files (both in this order), with the code that is on disk. */
  async reload(purge: readonly string[], load: readonly string[] = [...purge].reverse()) {
    this.compiler.forget();
    const files = new Set([...purge, ...load].map((file) => this.path(file)));
    return this.runtime.applyPlan({
      purge: purge.map((file) => this.path(file)),
      load: load.map((file) => this.path(file)),
      modules: [...files].map((file) => this.compiler.prepare(file)),
      relinked: [],
    });
  }

  /** The next report that the runtime makes by itself, or has made since the last one that was waited for. */
  async nextTold(): Promise<void> {
    if (this.told.length === this.#seen) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#seen = this.told.length;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.runtime.close();
    await super[Symbol.asyncDispose]();
  }
}

export async function runNatively(program: string | Program): Promise<Outcome> {
  const { entry, files } = typeof program === "string" ? parseProgram(program) : program;
  await using app = new TempApp(files);
  return await observe(app.folder, () => import(pathToFileURL(app.path(entry)).href));
}

/** Runs the program, and once more after a reload of all that it consists of; packages stay, so there `again` is absent. */
export async function runByRuntime(program: string | Program): Promise<{ first: Outcome; again: Outcome | undefined }> {
  const { entry, files } = typeof program === "string" ? parseProgram(program) : program;
  await using app = new RuntimeApp(files);
  const first = await observe(app.folder, async () => {
    app.runtime.install();
    await app.runtime.load([app.path(entry)]);
    return app.runtime.import(app.path(entry));
  });
  if (first.error !== undefined || Object.keys(files).some((file) => file.startsWith("node_modules/"))) {
    return { first, again: undefined };
  }
  const evaluated = [...app.told, ...app.runtime.takeLoaded()].map(({ file }) => path.relative(app.folder, file));
  const again = await observe(app.folder, async () => {
    await app.reload([...new Set(evaluated)].reverse(), [entry]);
    return app.runtime.import(app.path(entry));
  });
  return { first, again };
}

/** Runs a program in this process and collects what it reports, with its folder written as `APP`. */
export async function observe(folder: string, run: () => Promise<unknown>): Promise<Outcome> {
  const reports: string[] = [];
  const neutral = (text: string): string => text.replaceAll(folder, "APP").replaceAll(path.basename(folder), "APP");
  const print = (value: unknown): string =>
    neutral(inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY }));
  const global = globalThis as { report?: unknown };
  const before = global.report;
  global.report = (...values: unknown[]) => reports.push(values.map(print).join(" "));
  try {
    // What native code calls back has no frames of Node's tick queue below it, as at the start of a process.
    await access(folder);
    const namespace = (await run()) as { done?: unknown; default?: { done?: unknown } };
    await namespace.done;
    await namespace.default?.done;
    return { reports };
  } catch (error) {
    return { reports, error: neutral(describe(error)) };
  } finally {
    global.report = before;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${inspect(error)}`;
  const code = "code" in error ? ` (${String(error.code)})` : "";
  return `${error.name}: ${error.message.split("\n")[0]}${code}`;
}
