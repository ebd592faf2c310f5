/**
 * How `listen()` and `close()` in the worker get their answer at once. In Node a server listens when `listen()` returns:
 * code like `app.listen(0).address().port` counts on it; and its port is free when `close()` returns. So the worker, after
 * it asked the main thread, sleeps until the answer lies in shared memory; a message could not be received before the
 * app's own code goes on.
 *
 * One worker waits at a time: it takes the mailbox by writing its listen id into AWAITED, and leaves it by writing 0.
 * The main thread only writes an answer that is awaited, so what the worker reads is never overwritten. When the worker
 * gives up (the main thread is busy), the answer still comes as a `answerListen` message.
 */
import { MAILBOX, MAILBOX_WORDS } from "./connection-table.js";
import type { PublicAddress } from "./messages.js";

const AWAITED = MAILBOX;
const ANSWERED = MAILBOX + 1;
const LENGTH = MAILBOX + 2;
const TEXT = MAILBOX + 3;
const TEXT_BYTES = 4 * (MAILBOX_WORDS - 3);

type Table = Int32Array<SharedArrayBuffer>;

export type ListenAnswer =
  | { readonly type: "opened"; readonly address: PublicAddress }
  | { readonly type: "refused"; readonly code: string }
  | { readonly type: "closed" };

/** Main thread: leaves the answer for a worker that sleeps on it. An answer nobody awaits is dropped. */
export function postListenAnswer(table: Table, listenId: number, answer: ListenAnswer): void {
  if (Atomics.load(table, AWAITED) !== listenId) return;
  const text = new TextEncoder().encode(JSON.stringify(answer));
  // Only a unix socket path beyond every platform's limit would be longer: then the message must do.
  if (text.length > TEXT_BYTES) return;
  textBytes(table).set(text);
  table[LENGTH] = text.length;
  Atomics.store(table, ANSWERED, listenId);
  Atomics.notify(table, ANSWERED);
}

/** Main thread: a worker died, perhaps while it held the mailbox: `isOf` tells whether a listen id is that worker's. */
export function clearListenMailbox(table: Table, isOf: (listenId: number) => boolean): void {
  const holder = Atomics.load(table, AWAITED);
  if (holder === 0 || !isOf(holder)) return;
  Atomics.compareExchange(table, AWAITED, holder, 0);
  Atomics.notify(table, AWAITED);
}

/** Worker: runs `ask`, which sends the request, then sleeps until it is answered. Undefined after `timeoutMs`. */
export function awaitListenAnswer(
  table: Table,
  listenId: number,
  timeoutMs: number,
  ask: () => void,
): ListenAnswer | undefined {
  const deadline = performance.now() + timeoutMs;
  const taken = takeMailbox(table, listenId, deadline);
  ask();
  if (!taken) return undefined;
  try {
    return sleepUntilAnswered(table, listenId, deadline);
  } finally {
    Atomics.store(table, AWAITED, 0);
    Atomics.notify(table, AWAITED);
  }
}

function takeMailbox(table: Table, listenId: number, deadline: number): boolean {
  for (;;) {
    const holder = Atomics.compareExchange(table, AWAITED, 0, listenId);
    if (holder === 0) {
      // An earlier answer to the same server must not be taken for this one.
      Atomics.store(table, ANSWERED, 0);
      return true;
    }
    const left = deadline - performance.now();
    if (left <= 0) return false;
    Atomics.wait(table, AWAITED, holder, left);
  }
}

function sleepUntilAnswered(table: Table, listenId: number, deadline: number): ListenAnswer | undefined {
  for (;;) {
    const answered = Atomics.load(table, ANSWERED);
    if (answered === listenId) break;
    const left = deadline - performance.now();
    if (left <= 0) return undefined;
    Atomics.wait(table, ANSWERED, answered, left);
  }
  const text = textBytes(table).slice(0, table[LENGTH]);
  return JSON.parse(new TextDecoder().decode(text)) as ListenAnswer;
}

function textBytes(table: Table): Uint8Array {
  return new Uint8Array(table.buffer, 4 * TEXT, TEXT_BYTES);
}
