/** What `read` finds below /proc. Undefined where that is not there for us: outside of Linux, and in some containers. */
export function fromProc<Found>(read: () => Found): Found | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}
