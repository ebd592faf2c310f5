/** A MessagePort that only carries known messages: what arrives is parsed, what is sent is typed. */
import type { MessagePort } from "node:worker_threads";
import type { z } from "zod";

export interface ControlPort<Sent> {
  send(message: Sent): void;
  /** Closes the port; messages already sent still arrive. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** Starts listening on `port`. A message that does not fit `schema` is a bug between the threads and is thrown. */
export function openControlPort<Sent, Received>(
  port: MessagePort,
  schema: z.ZodType<Received>,
  onMessage: (message: Received) => void,
): ControlPort<Sent> {
  port.on("message", (value: unknown) => onMessage(schema.parse(value)));
  return {
    send: (message) => port.postMessage(message),
    close: () => port.close(),
    ref: () => port.ref(),
    unref: () => port.unref(),
  };
}
