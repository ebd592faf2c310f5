/**
 * An `import()` leads to what is not there, or does not compile, and the module goes on without it while it is evaluated: it has
 * seen that, and is to be evaluated again when the file is there, or is another.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isCompiled } from "../../src/common/compile/file-kind.js";
import { isBelowPackages } from "../../src/common/paths.js";
import { ownValue } from "../../src/common/untouched.js";
import type { FileReads } from "./file-reads.js";
import type { ModuleEdges } from "./module-edges.js";
import type { Observer } from "./observer.js";

export async function noticingFailure<Result>(
  { observer, reads }: { readonly observer: Observer; readonly reads: FileReads },
  load: () => Promise<Result>,
): Promise<Result> {
  const { reader } = observer;
  try {
    return await load();
  } catch (error) {
    if (reader) seesFailure(reader, reads, error);
    throw error;
  }
}

function seesFailure(reader: ModuleEdges, reads: FileReads, error: unknown): void {
  if (!(error instanceof Error)) return;
  const [url, location] = [ownValue(error, "url"), ownValue(error, "location")];
  const files: unknown[] = [];
  if (typeof url === "string" && url.startsWith("file:///")) {
    const missing = fileURLToPath(url);
    files.push(missing, ...(isCompiled(reader.file) ? sourcesOf(missing) : []));
  }
  if (typeof location === "object" && location !== null) files.push(ownValue(location, "file"));
  for (const file of files) {
    if (typeof file !== "string" || !path.isAbsolute(file) || isBelowPackages(file)) continue;
    if (file !== reader.file) reader.readsFile(file, reads.hashOf(file));
  }
}

/** What TypeScript finds for a path. */
function sourcesOf(file: string): string[] {
  const [, name = file, kind = ""] = /^(.*)\.([cm]?)jsx?$/.exec(file) ?? [];
  return kind === "" ? [`${name}.ts`, `${name}.tsx`] : [`${name}.${kind}ts`];
}
