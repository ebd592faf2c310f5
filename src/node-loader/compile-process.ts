/** The process of `compileAhead`: files on standard input, what they were compiled to on standard output. */
import { readFileSync, writeSync } from "node:fs";
import type { PreparedModule, Resolution, ResolveKind } from "../common/compile/compiled-module.js";
import { Compiler } from "../common/compile/compiler.js";
import { isCompiled } from "../common/compile/file-kind.js";
import type { TextForNode } from "../common/compile/text-for-node.js";
import { type Ahead, type AheadInput, lookupKey } from "./compile-ahead.js";

const { files, ...options } = JSON.parse(readFileSync(0, "utf8")) as AheadInput;
const bytes = Buffer.from(JSON.stringify(crawl(new Compiler(options), files)));
// A pipe takes part of it at a time.
for (let written = 0; written < bytes.length; ) written += writeSync(1, bytes, written);

/** Follows imports from file to file. What does not compile is left out: the app may never ask for it. */
function crawl(compiler: Compiler, roots: readonly string[]): Ahead {
  const texts: Record<string, TextForNode> = {};
  const found: Record<string, string | null> = {};
  // A Set is walked in insertion order, entries added on the way included.
  const reached = new Set(roots);
  for (const file of reached) {
    try {
      const prepared = compiler.prepare(file);
      if (isCompiled(file)) texts[file] = compiler.textForNode(file);
      for (const [specifier, kind, resolution] of [...lookups(prepared), ...lateLookups(compiler, prepared)]) {
        const own = resolution.type === "file" ? resolution.file : null;
        if (isCompiled(file)) found[lookupKey(specifier, file, kind)] = own;
        if (own !== null) reached.add(own);
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return { texts, found };
}

function lookups({ compiled, imports, requires }: PreparedModule): [string, ResolveKind, Resolution][] {
  const kind = compiled.interop === "none" ? "import" : "require";
  return [
    ...compiled.imports.flatMap(({ specifier }, index): [string, ResolveKind, Resolution][] => {
      const resolution = imports[index];
      return resolution ? [[specifier, kind, resolution]] : [];
    }),
    ...Object.entries(requires).map(([specifier, to]): [string, ResolveKind, Resolution] => [specifier, "require", to]),
  ];
}

/** What `import()` names; it may be guarded. */
function lateLookups(compiler: Compiler, { compiled }: PreparedModule): [string, ResolveKind, Resolution][] {
  return compiled.dynamicImports.flatMap((specifier): [string, ResolveKind, Resolution][] => {
    try {
      return [[specifier, "import", compiler.resolve(specifier, compiled.file, "import")]];
    } catch (error) {
      if (error instanceof Error) return [];
      throw error;
    }
  });
}
