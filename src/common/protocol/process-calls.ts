/**
 * How the app's thread has the main thread do what only that may do in a process (`process.chdir()`): it sends the call and
 * sleeps until the outcome lies in memory that came with the call, since in Node it is done when the function returns. Main
 * carries calls out when its event loop gets to them, and never waits for the thread.
 */

/** What the main thread carries out: a method of `process`, or, as `title`, setting that property. */
export const PROCESS_CALLS = [
  "chdir",
  "umask",
  "title",
  "setuid",
  "setgid",
  "seteuid",
  "setegid",
  "setgroups",
  "initgroups",
] as const;
export type ProcessCallName = (typeof PROCESS_CALLS)[number];

export interface ProcessCall {
  readonly name: ProcessCallName;
  readonly args: readonly unknown[];
  /** Where the outcome is left. */
  readonly outcome: SharedArrayBuffer;
}

export type ProcessCallOutcome =
  | { readonly type: "returned"; readonly value?: unknown }
  | { readonly type: "threw"; readonly error: ThrownError };

/** An error of Node's own, as somebody else can make it again. */
export interface ThrownError {
  readonly kind: "Error" | "TypeError" | "RangeError";
  readonly message: string;
  /** The first line of the stack names the code, as with errors of Node's that are no system errors. */
  readonly hasCodeInStack: boolean;
  /** Its own properties: `code`, `errno`, `syscall`, `path`, `dest`. */
  readonly properties: Readonly<Record<string, unknown>>;
}

const LENGTH = 0;
const TEXT = Int32Array.BYTES_PER_ELEMENT;
/** Two of the longest paths, and what is said of them. */
const BYTES = TEXT + 4 * 4096;

/** Main thread: leaves the outcome, and wakes the thread. */
export function leaveOutcome(memory: SharedArrayBuffer, outcome: ProcessCallOutcome): void {
  const text = new TextEncoder().encode(JSON.stringify(outcome));
  new Uint8Array(memory, TEXT).set(text.subarray(0, BYTES - TEXT));
  const words = new Int32Array(memory, 0, 1);
  Atomics.store(words, LENGTH, text.length);
  Atomics.notify(words, LENGTH);
}

/** App's thread: sends the call, and sleeps until it is done. Undefined: it was not within `timeoutMs`. */
export function awaitOutcome(
  call: Omit<ProcessCall, "outcome">,
  timeoutMs: number,
  send: (call: ProcessCall) => void,
): ProcessCallOutcome | undefined {
  const outcome = new SharedArrayBuffer(BYTES);
  send({ ...call, outcome });
  const words = new Int32Array(outcome, 0, 1);
  if (Atomics.wait(words, LENGTH, 0, timeoutMs) === "timed-out") return undefined;
  const text = new Uint8Array(outcome, TEXT, Atomics.load(words, LENGTH)).slice();
  return JSON.parse(new TextDecoder().decode(text)) as ProcessCallOutcome;
}
