/** What Node publishes of servers on diagnostics channels: of the app's, at the moments that Node has for it, and not of ours. */
import { type Channel, channel, tracingChannel } from "node:diagnostics_channel";
import type { Server, Socket } from "node:net";

const sockets = channel("net.server.socket");
const listens = tracingChannel<object>("net.server.listen");

/** Runs `run`, in which a server of ours listens: nothing is published of it. */
export function withoutPublishing<Result>(run: () => Result): Result {
  const subscribed = [listens.asyncStart, listens.asyncEnd, listens.error].filter((one) => one.hasSubscribers);
  for (const one of subscribed) shadow(one as Channel, () => {});
  try {
    return run();
  } finally {
    for (const one of subscribed) Reflect.deleteProperty(one, "publish");
  }
}

/** Node publishes a socket at the end of the turn that accepts it: too early for one that the app's server gets later. */
export function suppressSocket(socket: Socket): void {
  if (!sockets.hasSubscribers) return;
  shadow(sockets, (message) => {
    Reflect.deleteProperty(sockets, "publish");
    if ((message as { socket?: unknown }).socket !== socket) sockets.publish(message);
  });
}

/** The app's server has the socket. */
export function publishSocket(socket: Socket): void {
  if (sockets.hasSubscribers) sockets.publish({ socket });
}

export function publishListen(server: Server, error?: Error): void {
  const outcome = error === undefined ? listens.asyncEnd : listens.error;
  if (outcome.hasSubscribers) outcome.publish({ server, ...(error && { error }) });
}

function shadow(one: Channel, publish: (message: unknown) => void): void {
  Object.defineProperty(one, "publish", { configurable: true, value: publish });
}
