/**
 * Files with variables: those of our `--env-file`, and of Node's own flags. What came from them, or from what was loaded before
 * the app, is not what the process was started with: a fresh worker gets it from the files, as a new process does.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { attempt } from "../common/attempt.js";
import { hasPreloads, startFlags } from "./node-flags.js";

type Variables = Readonly<Record<string, string | undefined>>;

interface NodeEnvFile {
  readonly file: string;
  /** `--env-file`, or the one that says nothing of a missing file. */
  readonly flag: string;
}

const FLAG = /^(--env-file(?:-if-exists)?)(?:=(.*))?$/s;

/** Node's own flags of this kind; NODE_OPTIONS cannot have them. */
function nodeEnvFiles(execArgv: readonly string[], folder: string): NodeEnvFile[] {
  return execArgv.flatMap((argument, index) => {
    const [, flag, inline] = FLAG.exec(argument) ?? [];
    const given = inline ?? execArgv[index + 1];
    return flag === undefined || given === undefined ? [] : [{ flag, file: path.resolve(folder, given) }];
  });
}

/** Of the process: the app may go elsewhere, and change its own list. */
const OF_NODE: readonly NodeEnvFile[] = nodeEnvFiles(process.execArgv, process.cwd());

/** What a change of takes a fresh worker. */
export function filesOfNode(): string[] {
  return OF_NODE.map(({ file }) => file);
}

/**
 * What the files set; a later file wins, and one of Node's own flags wins over ours, as it has set its variables before.
 * Throws when a file that must be there is not.
 */
export function fileVariables(envFiles: readonly string[]): Record<string, string> {
  const files = [...envFiles.map((file) => ({ file, flag: "--env-file" })), ...OF_NODE];
  return Object.assign({}, ...files.map(variablesIn));
}

function variablesIn({ file, flag }: NodeEnvFile): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (flag.endsWith("-if-exists")) return {};
    throw new Error(code === "ENOENT" ? `${flag} ${file}: there is no such file` : `${flag} ${file}: ${message}`);
  }
}

/**
 * The environment that the process was started with, for a new process to begin with. `now`: what it has become. Only Linux
 * tells; elsewhere what one of Node's files has set is known by its value.
 */
export function startEnvironment(now: Variables): Variables {
  if (OF_NODE.length === 0 && !hasPreloads()) return now;
  return environmentOfKernel() ?? withoutFiles(now);
}

/** What a launcher has added for the process that it has started. */
const ADDED_BY_LAUNCHER = /^(UNRELOADER_LAUNCHED|NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE)$/;

function environmentOfKernel(): Variables | undefined {
  const text = attempt(() => readFileSync("/proc/self/environ", "utf8"));
  if (text === undefined) return undefined;
  const entries = text.split("\0").flatMap((line) => {
    const at = line.indexOf("=");
    const name = line.slice(0, Math.max(0, at));
    return name === "" || ADDED_BY_LAUNCHER.test(name) ? [] : [[name, line.slice(at + 1)] as const];
  });
  const { nodeOptions } = startFlags();
  return { ...Object.fromEntries(entries), ...(nodeOptions !== undefined && { NODE_OPTIONS: nodeOptions }) };
}

function withoutFiles(now: Variables): Variables {
  const set = Object.assign({}, ...OF_NODE.map(variablesIn)) as Variables;
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => set[name] !== value));
}
