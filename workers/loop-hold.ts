/**
 * Whether the supervisor's own ports keep the thread's event loop alive. An app ends as a process does: when its event loop
 * has nothing left to wait for. What we wait for ourselves must not keep it from that, and must not be cut off by it.
 */
import { MessagePort } from "node:worker_threads";

/** Node's types do not have it. */
export type OpenPort = MessagePort & { hasRef(): boolean };

type Held = Pick<MessagePort, "ref" | "unref">;

export class LoopHold {
  readonly #ports: readonly Held[];
  #holders = 0;

  /** To be made before the app runs. `ports`: those that keep the loop alive for us; held from here on, once. */
  constructor(ports: readonly Held[]) {
    this.#ports = ports;
    this.#holders = 1;
    for (const port of ports) port.ref();
  }

  /** The loop goes on until `letGo`, as often as this was called. */
  hold(): void {
    if (this.#holders++ === 0) for (const port of this.#ports) port.ref();
  }

  letGo(): void {
    if (--this.#holders === 0) for (const port of this.#ports) port.unref();
  }

  /** The loop may come to its end although it is held, until `resume`. */
  suspend(): void {
    for (const port of this.#ports) port.unref();
  }

  resume(): void {
    if (this.#holders > 0) for (const port of this.#ports) port.ref();
  }
}

/** The ports that keep the event loop alive now: before the app runs these are Piscina's, which it does not give us. */
export function openPorts(): readonly OpenPort[] {
  return activeHandles().filter((each): each is OpenPort => each instanceof MessagePort);
}

/** Documented as deprecated, not removed: there is no other way to objects of Piscina's. */
const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?(): unknown[] };

/** What this thread has open that the event loop waits for. */
export function activeHandles(): readonly unknown[] {
  return handles?.call(process) ?? [];
}
