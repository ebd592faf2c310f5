/** Waiting for something that must come: no test sleeps, and none waits for ever. */

import "./end-at-once.js";
export const DEADLINE_MS = Number(process.env.UNRELOADER_TEST_DEADLINE ?? 20_000);

/** `promise`, or an error that says `what` was waited for when it takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, what: string | (() => string), ms = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${typeof what === "string" ? what : what()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again, without a pause of its own (each question is a round trip), until the answer fits. */
export async function eventually<T>(
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
  what: string,
  ms = DEADLINE_MS,
): Promise<T> {
  const end = performance.now() + ms;
  let answer = await ask();
  while (!fits(answer)) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setImmediate(resolve));
    answer = await ask();
  }
  return answer;
}
