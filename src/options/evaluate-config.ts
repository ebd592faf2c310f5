/**
 * Evaluates a configuration file, by the compiler and the runtime that evaluate apps: the same TypeScript, the same
 * resolution, on every version of Node. It is evaluated in this thread, because options may hold functions.
 */
import path from "node:path";
import { Runtime } from "../../workers/runtime/runtime.js";
import { Compiler } from "../common/compile/compiler.js";
import { OptionError, SourceError } from "../common/errors.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";

export interface EvaluatedConfig {
  /** The default export. */
  readonly exported: unknown;
  /** The file and every file of the project that it imports. */
  readonly files: readonly string[];
}

/** @throws OptionError with the place in the source. */
export async function evaluateConfig(file: string): Promise<EvaluatedConfig> {
  const compiler = new Compiler({ root: path.dirname(file) });
  const files = new Set([file]);
  const runtime = new Runtime(
    {
      prepare: (own) => compiler.prepare(own),
      resolve: (specifier, importer, kind) => compiler.resolve(specifier, importer, kind),
      sourceMap: (compiled) => compiler.sourceMap(compiled),
      discovered: ({ compiled }) => files.add(compiled.file),
      loaded: () => {},
    },
    { entry: file },
  );
  runtime.install();
  try {
    const namespace = await runtime.import(file);
    return { exported: Reflect.get(namespace, "default"), files: [...files] };
  } catch (error) {
    const location = error instanceof SourceError ? error.location : runtime.locate(error).location;
    throw new OptionError(`${placeOf(file, location)}: ${firstLine(error)}`);
  } finally {
    // Functions among the options go on using what they have imported: nothing is unloaded.
    runtime.uninstall();
  }
}

/** The place in a file that the configuration imports, relative to the configuration. */
function placeOf(config: string, location: SourceLocation | undefined): string {
  if (!location) return path.basename(config);
  return `${path.relative(path.dirname(config), location.file)}:${location.line}:${location.column}`;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split(/\r?\n/, 1)[0] ?? "";
}
