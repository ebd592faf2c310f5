/** What the flags of Node that a launcher was started with mean for the process that it starts. */
import { existsSync } from "node:fs";
import { nodeFlags, quoteNodeOptions } from "../thread/node-flags.js";

export interface LaunchFlags {
  /** For the command line of Node. */
  readonly node: readonly string[];
  /** The variable NODE_OPTIONS; undefined: none. */
  readonly nodeOptions: string | undefined;
}

/** Flags of which each process takes something for itself (a port, a file, a signal), and those that forbid to start another. */
const FOR_ONE_PROCESS =
  /^--(permission|experimental-permission|inspect|debug|cpu-prof|heap-prof|prof$|perf-|heapsnapshot-|trace-event|test|watch|experimental-loader|loader)/;

/** Undefined: one process is to do all. What is to be loaded before the app is not loaded by the started process. */
export function launchFlags(execArgv: readonly string[], nodeOptions: string | undefined): LaunchFlags | undefined {
  if (execArgv.length === 0 && !nodeOptions) return { node: [], nodeOptions };
  const [own, inherited] = [nodeFlags(execArgv, "").others, nodeFlags([], nodeOptions ?? "").others];
  if ([...own, ...inherited].some((flag) => FOR_ONE_PROCESS.test(flag))) return undefined;
  // An empty one keeps Node from taking that of a file of variables.
  return {
    node: withoutMissing(own),
    nodeOptions: nodeOptions === undefined ? undefined : quoteNodeOptions(inherited),
  };
}

const IF_EXISTS = /^--env-file-if-exists(?:=(.*))?$/s;

/** Node says of each such file that it goes on without; it has said so to the launcher. */
function withoutMissing(words: readonly string[]): string[] {
  const left: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const [isFlag, inline] = IF_EXISTS.exec(word) ?? [];
    const pair = isFlag !== undefined && inline === undefined ? words.slice(at, at + 2) : [word];
    at += pair.length - 1;
    if (isFlag === undefined || existsSync(inline ?? pair[1] ?? "")) left.push(...pair);
  }
  return left;
}
