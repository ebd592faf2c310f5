import type { Socket } from "node:net";

/**
 * Closes a client's connection so that it notices the answer was cut. `socket.resetAndDestroy()` (Node 20 to 26) ends the
 * socket before it resets it: a client whose answer has no length could read the end first, and take it for whole. Node's
 * own flag makes `destroy()` reset at once. A unix socket has no reset and is closed.
 */
export function resetAtOnce(socket: Socket): void {
  if (socket.remotePort !== undefined) (socket as unknown as { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}
