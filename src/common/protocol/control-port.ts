/** A MessagePort that only carries known messages: what is sent is typed, what arrives is parsed by its receiver. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";

export interface ControlPort<Sent> {
  send(message: Sent): void;
  /** Takes what has arrived and has not had its turn: the event of a thread's end may overtake its messages. */
  drain(): void;
  /** Closes the port; messages already sent still arrive. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** Starts listening on `port`. A message that `parse` refuses is a bug between the threads and is thrown. */
export function openControlPort<Sent, Received>(
  port: MessagePort,
  parse: (value: unknown) => Received,
  onMessage: (message: Received) => void,
): ControlPort<Sent> {
  port.on("message", (value: unknown) => onMessage(parse(value)));
  return {
    drain: () => {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        onMessage(parse(next.message));
    },
    send: (message) => port.postMessage(message),
    close: () => port.close(),
    ref: () => port.ref(),
    unref: () => port.unref(),
  };
}
