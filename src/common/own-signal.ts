/** Which signal a process that is ending no longer takes from itself. */
import { constants } from "node:os";

/**
 * The process is ending because of `signal`. An app that has its own listener for it often sends it to the process again
 * when it is done, to end as if it had none (Nest does): that is not somebody who wants it to end at once.
 */
export function ignoreOwnSignal(signal: NodeJS.Signals, onIgnored: () => void = () => undefined): void {
  const kill = process.kill;
  process.kill = (pid, sent = "SIGTERM") => {
    const isSame = pid === process.pid && (sent === signal || sent === constants.signals[signal]);
    if (!isSame) return kill.call(process, pid, sent);
    onIgnored();
    return true;
  };
}
