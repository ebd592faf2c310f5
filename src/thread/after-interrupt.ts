/**
 * The inspector calls listeners in the middle of whatever this thread does, also of Node's own work on its timers: V8
 * interrupts it (20.20 and 24.21: seen in a synchronous loop). A `clearTimeout` in there has left a hole in Node's heap of
 * timers, which ended the process. So listeners only note what has come: `act` runs when the work under way is done.
 */
export function afterInterrupt(act: () => void): void {
  void Promise.resolve().then(act);
}
