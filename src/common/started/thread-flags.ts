/** Flags of Node for a thread. */

/** `make` gets the flags; those that only a process has are dropped, as Node says which those are when it refuses them. */
export function withThreadFlags<Thread>(given: readonly string[], make: (execArgv: string[]) => Thread): Thread {
  for (let flags = [...given]; ; ) {
    try {
      return make(flags);
    } catch (error) {
      flags = withoutRefused(flags, error);
    }
  }
}

/** Those that a thread may have after all. Throws `error` when it is no refusal of any. */
export function withoutRefused(flags: readonly string[], error: unknown): string[] {
  const refused = refusedFlags(error);
  const left = flags.filter((flag) => !refused.includes(flag.split("=", 1)[0] ?? flag) && !refused.includes(flag));
  if (left.length === flags.length) throw error;
  return left;
}

function refusedFlags(error: unknown): string[] {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_WORKER_INVALID_EXEC_ARGV")) return [];
  const [, list = ""] = /flags: (.*)$/s.exec(error.message) ?? [];
  return list.split(", ");
}
