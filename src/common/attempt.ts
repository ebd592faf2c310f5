/** What a call of the system gives; undefined when the system refuses it (no such file, no right to it). */
export function attempt<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}
