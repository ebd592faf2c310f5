/** What somebody has pressed, of what one read of a terminal in raw mode has given: it may be more than one key. Pure. */

/** Cursor and function keys, the mouse, pasted text in brackets, answers of the terminal, a key with Alt. */
const SEQUENCE = new RegExp(
  [
    "\\x1b\\[200~.*?(?:\\x1b\\[201~|$)",
    "\\x1b\\[M...",
    "\\x1b\\[[0-?]*[ -/]*[@-~]",
    "\\x1bO.",
    "\\x1b[\\]P_^X].*?(?:\\x07|\\x1b\\\\|$)",
    "\\x1b[^]?",
  ].join("|"),
  "gs",
);
/** Nobody presses more before they are read, while this process compiles an app for seconds. */
const MOST_KEYS = 12;
/** Ctrl-C, Ctrl-Z and Ctrl-\: they mean the same wherever they stand. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ORDERS = /[\x03\x1a\x1c]/g;

/**
 * Each key by itself. What was pasted is none: text that holds anything but keys that mean something, or more than people
 * press; only what Ctrl gives counts in it.
 */
export function keysOf(read: string, meaningful: ReadonlySet<string>): string[] {
  const keys = [...read.replace(SEQUENCE, "")];
  const isPressed =
    keys.length === 1 || (keys.length <= MOST_KEYS && keys.every((key) => isOrder(key) || meaningful.has(key)));
  return isPressed ? keys : (read.match(ORDERS) ?? []);
}

function isOrder(key: string): boolean {
  return key === "\x03" || key === "\x1a" || key === "\x1c";
}
