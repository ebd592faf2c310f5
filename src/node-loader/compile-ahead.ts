/**
 * Compiles what the entry leads to in a process of its own, which ends before the app begins: the compiler takes 30 MB
 * and more, and the app has no use for it once it is loaded. What is missed here is compiled when Node asks for it.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ResolveKind } from "../common/compile/compiled-module.js";
import type { TextForNode } from "../common/compile/text-for-node.js";

export interface AheadInput {
  readonly root: string;
  readonly conditions: readonly string[];
  readonly files: readonly string[];
}

export interface Ahead {
  /** File to its text. */
  readonly texts: Readonly<Record<string, TextForNode>>;
  /** `lookupKey` to the own file that it leads to; null: to a package or a builtin. */
  readonly found: Readonly<Record<string, string | null>>;
}

const COMPILING = fileURLToPath(new URL("./compile-process.js", import.meta.url));
const MAX_OUTPUT_BYTES = 2 ** 30;

export function lookupKey(specifier: string, importer: string, kind: ResolveKind): string {
  return `${kind}\0${importer}\0${specifier}`;
}

/** Nothing when the process fails: then everything is compiled when it is asked for, and errors show there. */
export function compileAhead(input: AheadInput): Ahead | undefined {
  const { status, stdout } = spawnSync(process.execPath, [COMPILING], {
    input: JSON.stringify(input),
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT_BYTES,
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return status === 0 ? (JSON.parse(stdout) as Ahead) : undefined;
}
