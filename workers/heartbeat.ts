/** Shows main that the event loop of this thread turns. */
import { threadId } from "node:worker_threads";
import { BEAT_MS, type ThreadBoard } from "../src/common/protocol/thread-board.js";

/**
 * Beats at once and then for as long as the event loop turns, until the returned function is called. Does not keep the
 * thread alive. To be called before the app has had a chance to replace `setInterval`.
 */
export function startHeartbeat(board: ThreadBoard): () => void {
  board.start(threadId);
  const timer = setInterval(() => board.beat(), BEAT_MS);
  timer.unref();
  return () => clearInterval(timer);
}
