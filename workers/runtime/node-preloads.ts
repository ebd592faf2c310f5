/**
 * What Node was told to load before the app (`--require`, `--import`), as Node would load it: from the working folder, by the
 * app's own thread, once for each start. Own files among it are modules like any other, but what they do to the process is
 * done once: when one of them changes, a fresh worker is taken.
 */
import Module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { NodePreload } from "../../src/common/protocol/orders.js";
import type { RuntimeParts } from "./assemble.js";

export async function runPreloads(preloads: readonly NodePreload[], parts: RuntimeParts): Promise<void> {
  // Node resolves as if a file of this folder asked. No such file exists.
  const importer = path.join(process.cwd(), "[preload].mjs");
  for (const preload of preloads) await run(preload, importer, parts);
  for (const edges of parts.registry.versions()) {
    edges.readsFile(edges.file, parts.reads.hashOf(edges.file));
    edges.packageUses(edges.file);
    edges.isPreload = true;
  }
}

async function run({ kind, specifier }: NodePreload, importer: string, parts: RuntimeParts): Promise<void> {
  const { loading, natives } = parts;
  const target = loading.resolve(asUrl(kind, specifier), importer, kind);
  if (target.type === "file") {
    if (kind === "import") await loading.import(loading.recordOf(target));
    else loading.requireFrom(target.file, new Module("internal/preload"));
    return;
  }
  if (kind === "import") await natives.namespaceLater(target, null, { specifier, importer });
  else natives.require(importer, target);
}

/** A path of `--import` may be absolute. */
function asUrl(kind: NodePreload["kind"], specifier: string): string {
  return kind === "import" && path.isAbsolute(specifier) ? pathToFileURL(specifier).href : specifier;
}
