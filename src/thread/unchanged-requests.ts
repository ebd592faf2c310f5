/**
 * How many of a start's package requests the next start will make in the same way, as far as the texts tell: all up to the
 * first file whose imports are others now, or whose body, which is another now, looks as if it changed what packages see.
 * Not needed for right answers (the thread itself compares), but for making an attempt only when it will succeed.
 */
import type { PreparedModule } from "../common/compile/compiled-module.js";
import type { PackageLog } from "../common/protocol/package-log.js";

export type Modules = ReadonlyMap<string, PreparedModule>;

/** `before`: the modules at the start that the log is of. */
export function unchangedRequests({ requests, visited }: PackageLog, before: Modules, now: Modules): number {
  for (const { file, before: made } of visited) {
    const [was, is] = [before.get(file), now.get(file)];
    // What a thread comes to by itself is not known before; a file that is gone shows in those that imported it.
    if (was === undefined || is === undefined) continue;
    if (!loadsTheSame(was, is)) return Math.min(made, requests.length);
  }
  return requests.length;
}

function loadsTheSame(was: PreparedModule, is: PreparedModule): boolean {
  if (importsOf(was) !== importsOf(is)) return false;
  return was.compiled.hash === is.compiled.hash || setUpsOf(was) === setUpsOf(is);
}

function importsOf({ compiled, imports, requires }: PreparedModule): string {
  return JSON.stringify([compiled.format, compiled.interop, compiled.topLevelAwait, imports, Object.entries(requires)]);
}

/** The lines that look as if they changed the environment, globals, or how modules are loaded. */
function setUpsOf({ compiled }: PreparedModule): string {
  return compiled.source
    .split("\n")
    .filter((line) => SETS_UP.test(line))
    .join("\n");
}

const SETS_UP =
  /\benv\b|\bglobal(?:This)?\b|\bprototype\b|\b_?extensions\b|dotenv|\bregister(?:Hooks)?\b|\bprocess\.on/;
