/**
 * Evaluates a file of the project in the calling thread, by the compiler and the runtime that evaluate apps: the same
 * TypeScript, the same resolution and places of errors on every version of Node. For the configuration, whose options may
 * be functions. Loaded by its path, as app.ts is.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { Compiler } from "../src/common/compile/compiler.js";
import { SourceError } from "../src/common/errors.js";
import type { EvaluateHere, EvaluationOutcome } from "../src/common/protocol/evaluate-here.js";
import { Runtime } from "./runtime/runtime.js";

const { cache } = createRequire(import.meta.url);

/** Each call evaluates the file, and what it imports of the project, again. Never rejects. */
const evaluateHere: EvaluateHere = async (file) => {
  const compiler = new Compiler({ root: path.dirname(file) });
  const files = new Set([file]);
  const runtime = new Runtime(
    {
      prepare: (own) => compiler.prepare(own),
      resolve: (specifier, importer, kind) => compiler.resolve(specifier, importer, kind),
      sourceMap: (compiled) => compiler.sourceMap(compiled),
      discovered: ({ compiled }) => {
        files.add(compiled.file);
        forgetEarlier(compiled.file);
      },
      loaded: () => {},
    },
    { entry: file },
  );
  return { outcome: await evaluate(runtime, file), files: [...files] };
};

export default evaluateHere;

/** What an earlier evaluation has put into Node's cache for a CommonJS file; what Node itself has loaded there stays. */
function forgetEarlier(file: string): void {
  const earlier = cache[file];
  if (earlier && Object.hasOwn(earlier, "require")) delete cache[file];
}

async function evaluate(runtime: Runtime, file: string): Promise<EvaluationOutcome> {
  runtime.install();
  try {
    return { type: "evaluated", exports: await runtime.import(file) };
  } catch (error) {
    const location = error instanceof SourceError ? error.location : runtime.locate(error).location;
    return { type: "failed", error, location };
  } finally {
    // Functions among the exports go on using what they have imported: nothing is unloaded.
    runtime.uninstall();
  }
}
