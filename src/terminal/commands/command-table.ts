/** The commands for scripts and agents: how each is written, and what it does. docs/commands.md has the same; a test compares. */

export type FlagKind = "switch" | "text" | "texts" | "milliseconds" | "since" | "generation" | "count";

export interface CommandRow {
  /** What follows the word. */
  readonly usage: string;
  readonly doc: string;
  /** Besides those that all commands have. */
  readonly flags?: Readonly<Record<string, FlagKind>>;
  /** How many words may follow; undefined: any number, from the first number on. */
  readonly words: readonly [least: number, most: number | undefined];
}

/** Flags of all commands. */
export const COMMON_FLAGS = { root: "text", pid: "text", json: "switch", help: "switch" } as const;

export const COMMANDS: Readonly<Record<string, CommandRow>> = {
  status: { usage: "", doc: "what runs: phase, generation, content hash, addresses, the current error", words: [0, 0] },
  ls: { usage: "", doc: "all supervisors of this user on this machine", words: [0, 0] },
  wait: {
    usage: "[FILE...] [--timeout MS] [--all URL...]",
    doc: "until what runs contains the files as they are now, or has refused them",
    flags: { timeout: "milliseconds", all: "switch" },
    words: [0, undefined],
  },
  reload: {
    usage: "[--timeout MS]",
    doc: "check now, and apply what has changed",
    flags: { timeout: "milliseconds" },
    words: [0, 0],
  },
  restart: { usage: "[--timeout MS]", doc: "a fresh worker", flags: { timeout: "milliseconds" }, words: [0, 0] },
  hold: {
    usage: "[--for MS]",
    doc: "saves wait from now on, and requests get the last good generation",
    flags: { for: "milliseconds" },
    words: [0, 0],
  },
  release: {
    usage: "[--timeout MS]",
    doc: "what was saved meanwhile is one reload",
    flags: { timeout: "milliseconds" },
    words: [0, 0],
  },
  why: { usage: "FILE", doc: "why the file was loaded last", words: [1, 1] },
  plan: { usage: "FILE", doc: "what an edit of the file would reload", words: [1, 1] },
  errors: {
    usage: "[--since GENERATION]",
    doc: "errors of starts, reloads and of the app, each with the generation in which it first came",
    flags: { since: "generation" },
    words: [0, 0],
  },
  logs: {
    usage: "[--since GENERATION|30s|5m]",
    doc: "the newest lines of the app and of the supervisor",
    flags: { since: "since" },
    words: [0, 0],
  },
  call: {
    usage: "NAME [JSON...] [--timeout MS]",
    doc: "runs a function that the entry exports",
    flags: { timeout: "milliseconds" },
    words: [1, undefined],
  },
  request: {
    usage: "METHOD URL [--header 'NAME: VALUE'] [--data TEXT] [--timeout MS]",
    doc: "a request to the app, answered by the newest code",
    flags: { header: "texts", data: "text", timeout: "milliseconds" },
    words: [2, 2],
  },
  "explain-leak": {
    usage: "",
    doc: "what keeps old code alive",
    flags: { "log-format": "text" },
    words: [0, 0],
  },
  doctor: { usage: "", doc: "what is wrong with this machine and project, and what to do about it", words: [0, 0] },
  bench: {
    usage: "[ENTRY] [--rounds N] [--file FILE]...",
    doc: "reload against restart on this app: edits some of its files for a moment, and says so before",
    flags: { rounds: "count", file: "texts" },
    words: [0, 1],
  },
  init: {
    usage: "[ENTRY] [--yes]",
    doc: "sets a project up: configuration, npm script, debugger, lines for agents; each only after showing it",
    flags: { yes: "switch" },
    words: [0, 1],
  },
  mcp: { usage: "", doc: "these commands as tools of the Model Context Protocol, on stdin and stdout", words: [0, 0] },
};

/** `unreloader wait [FILE...]` */
export function usageOfCommand(word: string): string {
  const usage = COMMANDS[word]?.usage ?? "";
  return `unreloader ${word}${usage === "" ? "" : ` ${usage}`}`;
}
