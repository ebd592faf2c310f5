/**
 * What this process was started with, as far as it concerns the app's thread. What is to be loaded before the app (`--require`,
 * `--import`) is the app's business: it runs in the app's thread when the app starts, and in no other.
 */
import Module from "node:module";
import { fileURLToPath } from "node:url";
import type { BootOrder, NodePreload } from "../common/protocol/orders.js";
import { withThreadFlags } from "../common/started/thread-flags.js";

export interface NodeFlags {
  /** In the order in which Node loads them. */
  readonly preloads: readonly NodePreload[];
  /** All other flags, those of NODE_OPTIONS first. */
  readonly others: readonly string[];
}

/** Of the process; the app may change its own, which is the same environment. */
const START = { execArgv: [...process.execArgv], nodeOptions: process.env.NODE_OPTIONS };

/** What a thread is made with, whatever this thread takes for its environment later. */
const REAL_ENVIRONMENT = process.env;

const PRELOADS: Readonly<Record<string, NodePreload["kind"]>> = {
  "-r": "require",
  "--require": "require",
  "--import": "import",
};

/** What Yarn PnP has every thread load: without it Node finds no package, ours included. */
const YARN = /(?:^|[\\/])\.pnp\.c?js$/;

export function nodeFlags(execArgv: readonly string[] = START.execArgv, nodeOptions = START.nodeOptions): NodeFlags {
  const preloads: NodePreload[] = [];
  const others: string[] = [];
  const flags = [...wordsOfNodeOptions(nodeOptions), ...execArgv];
  for (let at = 0; at < flags.length; at++) {
    const flag = flags[at] ?? "";
    const [, name = flag, inline] = /^(--?[a-z]+)=(.*)$/s.exec(flag) ?? [];
    const kind = Object.hasOwn(PRELOADS, name) ? PRELOADS[name] : undefined;
    const specifier = kind && (inline ?? flags[++at] ?? "");
    if (kind === undefined || specifier === undefined) others.push(flag);
    else if (YARN.test(specifier)) others.push(`--require=${specifier}`);
    else preloads.push({ kind, specifier });
  }
  const requires = preloads.filter(({ kind }) => kind === "require");
  return { preloads: [...requires, ...preloads.filter(({ kind }) => kind === "import")], others };
}

/**
 * Conditions that this process was started with: `--conditions` and `-C` on its command line and in NODE_OPTIONS. The app
 * expects them to count for its own files too.
 */
export function importConditions(): string[] {
  const { others } = nodeFlags();
  return others.flatMap((flag, index) => {
    const [, inline] = /^(?:--conditions|-C)=(.*)$/s.exec(flag) ?? [];
    const condition = flag === "--conditions" || flag === "-C" ? others[index + 1] : inline;
    return condition ? [condition] : [];
  });
}

/** `--stack-size` of this process, in MB; undefined: V8's own. */
export function stackSize(execArgv?: readonly string[]): number | undefined {
  const sizes = nodeFlags(execArgv).others.flatMap((flag) => /^--stack[-_]size=(\d+)$/.exec(flag)?.[1] ?? []);
  const last = sizes.at(-1);
  return last === undefined ? undefined : Number(last) / 1024;
}

/** What the process was started with. */
export function startFlags(): BootOrder["startedWith"] {
  return START;
}

/** Whether the process was told to load anything before its own file. */
export function hasPreloads(): boolean {
  return nodeFlags().preloads.length > 0;
}

/** Whether it was told of hooks in Node's other thread. */
export function hasLoader(): boolean {
  return nodeFlags().others.some((flag) => /^--(?:experimental-)?loader(?:=|$)/.test(flag));
}

/** What the app's thread is told of it. In a process that embeds the app, what is loaded first is the host's. */
export function startedWith(isAppsProcess: boolean): Pick<BootOrder, "nodePreloads" | "hasLoader" | "startedWith"> {
  const { preloads } = nodeFlags();
  return { nodePreloads: isAppsProcess ? preloads : [], hasLoader: hasLoader(), startedWith: START };
}

/** What the thread is to load first, where Node has no synchronous hooks. */
const FIRST: readonly string[] =
  "registerHooks" in Module
    ? []
    : ["--require", fileURLToPath(new URL("../../workers/loader-reads.cjs", import.meta.url))];

/**
 * Makes a thread that loads nothing of the app's ahead of its own file. `make` gets the flags of Node for it; undefined: those of this
 * process, when there is nothing to leave out. Flags that only a process has are dropped, as Node says which those are.
 */
export function withoutPreloads<Thread>(make: (execArgv: string[] | undefined) => Thread): Thread {
  const { preloads, others } = nodeFlags();
  if (preloads.length === 0 && FIRST.length === 0) return make(undefined);
  const options = REAL_ENVIRONMENT.NODE_OPTIONS;
  // A thread would read it again.
  delete REAL_ENVIRONMENT.NODE_OPTIONS;
  try {
    return withThreadFlags([...others, ...FIRST], make);
  } finally {
    if (options !== undefined) REAL_ENVIRONMENT.NODE_OPTIONS = options;
  }
}

/** As Node reads NODE_OPTIONS: words between spaces; in double quotes a backslash escapes. */
function wordsOfNodeOptions(text = ""): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/gs) ?? [];
  return words.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"/gs, (_, quoted: string) => quoted.replace(/\\(.)/gs, "$1")),
  );
}

/** The same words as Node reads them in NODE_OPTIONS. */
export function quoteNodeOptions(words: readonly string[]): string {
  return words.map((word) => (/[ "]/.test(word) ? `"${word.replace(/["\\]/g, "\\$&")}"` : word)).join(" ");
}
