/** What a call of the system gives; undefined when the system, or Node by `--permission`, refuses it (no such file, no right to it). */
export function attempt<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    if (syscall === undefined && code !== "ERR_ACCESS_DENIED") throw error;
    return undefined;
  }
}
