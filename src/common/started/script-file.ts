/** Which file a process or a thread evaluates, by what its starter has named. */
import { statSync } from "node:fs";
import path from "node:path";

const OF_NODE = ["", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node"];
const OF_TYPESCRIPT = [".ts", ".tsx", ".mts", ".cts", ".jsx", "/index.ts", "/index.tsx"];

/** `file` itself where it is one; else as `node FILE` finds it, then with the endings of TypeScript. Undefined: there is none. */
export function scriptFile(file: string): string | undefined {
  for (const ending of [...OF_NODE, ...OF_TYPESCRIPT]) {
    const found = path.normalize(file + ending);
    if (statSync(found, { throwIfNoEntry: false })?.isFile()) return found;
  }
  // `lib/kid.js`, where only the source is there.
  const typed = file.replace(/\.([cm]?)js$/, ".$1ts");
  return typed !== file && statSync(typed, { throwIfNoEntry: false })?.isFile() ? typed : undefined;
}

/** In the place of the root, for what `run-started` starts: Node evaluates it without the loader. */
export const NO_LOADER = "-";
