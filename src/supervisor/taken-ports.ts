/** Ports that the app wanted and somebody else has: says who, and has the app started again when one is free. */
import { PORT_LOOK_MS } from "../common/deadlines.js";
import type { ListenTarget } from "../common/protocol/messages.js";
import { portHolders, portOwner } from "../front/port-owner.js";

export interface TakenPort {
  readonly port: number;
  readonly host: string | undefined;
}

export class TakenPorts {
  readonly #log: (level: "warn" | "error", message: string) => void;
  /** Number of a thread -> what it has been refused last; of the newest ones only. */
  readonly #refused = new Map<number, TakenPort>();
  /** What has been told, so that it is told once until it has come to something else. */
  #told: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Rises with each beginning and end: what was asked before counts for nothing. */
  #turn = 0;

  constructor(log: (level: "warn" | "error", message: string) => void) {
    this.#log = log;
  }

  /** A thread has been refused a port. */
  refused(epoch: number, target: ListenTarget): void {
    if (target.type !== "port") return;
    for (const known of this.#refused.keys()) if (known < epoch) this.#refused.delete(known);
    this.#refused.set(epoch, { port: target.port, host: target.host });
  }

  /** It has got one after all. */
  opened(epoch: number): void {
    this.#refused.delete(epoch);
    this.#told = undefined;
  }

  /** What a thread has been refused, and has not got since. */
  of(epoch: number): TakenPort | undefined {
    return this.#refused.get(epoch);
  }

  /** `starts`: the app will be started again when it is free. */
  async tell({ port }: TakenPort, starts: boolean): Promise<void> {
    if (this.#told === port) return;
    this.#told = port;
    const next = starts ? "the app starts again when it is free; " : "";
    const who = await whoHas(port);
    this.#log("error", `port ${port} is taken by ${who}: ${next}--port N or --port-fallback takes another one`);
  }

  /** Another was taken instead. */
  async tellFallback(wanted: number, got: number): Promise<void> {
    this.#log("warn", `port ${wanted} is taken by ${await whoHas(wanted)}: ${got} is used instead`);
  }

  /** Calls `then` when those who have the port now have given it up. One wait at a time. */
  whenFree({ port, host }: TakenPort, then: () => void): void {
    this.stop();
    const turn = this.#turn;
    let before: string | undefined;
    const look = async (): Promise<void> => {
      const holders = await portHolders(port, host);
      if (turn !== this.#turn) return;
      if (holders === undefined || (before !== undefined && holders !== before)) then();
      else this.#timer = setTimeout(look, PORT_LOOK_MS).unref();
      before ??= holders;
    };
    this.#timer = setTimeout(look, PORT_LOOK_MS).unref();
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

async function whoHas(port: number): Promise<string> {
  const owner = await portOwner(port);
  if (owner === undefined) return "another process";
  return owner.pid === process.pid ? "this app itself" : `${owner.command} (pid ${owner.pid})`;
}
