/** Connects the servers that a thread's app opens with the front: at once, or when the thread has proved to be good. */
import type { ListenTarget, PublicAddress } from "../common/protocol/messages.js";
import { serializeError } from "../common/protocol/serialized-error.js";
import type { Front } from "../front/front.js";
import { type OpenRequest, sameTarget } from "../front/port-opening.js";
import type { ListenReports } from "../reports/listen-reports.js";
import type { AppEpoch, ListenReport } from "../thread/app-epoch.js";
import type { TakenPorts } from "./taken-ports.js";

export interface ListensOptions {
  readonly takenPorts: TakenPorts;
  readonly front: Front;
  readonly listening: ListenReports;
  /** Where the app's first server is public; undefined: as the app says. */
  readonly address: () => { readonly port: number | undefined; readonly host: string | undefined };
  /** Whether an app that is only exported gets a public port. */
  readonly exposes: () => boolean;
  /** A port has been opened for a server, or could not be. */
  readonly onListened: () => void;
}

export class Listens {
  readonly #with: ListensOptions;
  /** A thread on trial -> what it listens on, on ports that the app's present thread still serves. */
  readonly #onTrial = new Map<AppEpoch, OpenRequest[]>();
  /** Thread -> where its first server wanted to listen: only that one takes `--port`, and does so at each reload. */
  readonly #first = new WeakMap<AppEpoch, PortTarget>();

  constructor(options: ListensOptions) {
    this.#with = options;
  }

  isOnTrial(epoch: AppEpoch): boolean {
    return this.#onTrial.has(epoch);
  }

  /** It does not get ports that another thread's servers have before `endTrial`. */
  beginTrial(epoch: AppEpoch): void {
    this.#onTrial.set(epoch, []);
  }

  /** `passed`: it gets the ports of the thread that it replaces. */
  async endTrial(epoch: AppEpoch, passed: boolean): Promise<void> {
    const requests = this.#onTrial.get(epoch) ?? [];
    this.#onTrial.delete(epoch);
    if (passed) await Promise.all(requests.map((request) => this.#with.front.open(request)));
  }

  /** Never rejects: the app is told what has failed. */
  async listen(epoch: AppEpoch, report: ListenReport): Promise<void> {
    const { listenId } = report;
    try {
      const hidden = report.exported && !this.#with.exposes();
      const request = { ...report, epoch: epoch.number, target: this.#targetOf(epoch, report), hidden };
      const address = this.#lend(epoch, request) ?? (await this.#open(request));
      epoch.answerListen(listenId, { address });
      this.#with.takenPorts.opened(epoch.number);
    } catch (error) {
      if (isTaken(error)) this.#with.takenPorts.refused(epoch.number, this.#targetOf(epoch, report));
      epoch.answerListen(listenId, { error: serializeError(error) });
    }
    this.#with.onListened();
  }

  #lend(epoch: AppEpoch, request: OpenRequest): PublicAddress | undefined {
    const address = this.isOnTrial(epoch) ? this.#with.front.lend(request) : undefined;
    if (address !== undefined) this.#onTrial.get(epoch)?.push(request);
    return address;
  }

  async #open(request: OpenRequest): Promise<PublicAddress> {
    const { front, listening } = this.#with;
    const open = front.addresses().length;
    const address = await front.open(request);
    if (front.addresses().length > open) listening.opened({ kind: request.kind, address });
    return address;
  }

  /** `--port` and `--host` count for the first server of a thread. */
  #targetOf(epoch: AppEpoch, { target }: ListenReport): ListenTarget {
    if (target.type !== "port" || !this.#isFirst(epoch, target)) return target;
    this.#first.set(epoch, target);
    return this.#placed(target);
  }

  /** Also, after a reload, the one that listens elsewhere in its place: its port waits, and none that is this one's own. */
  #isFirst(epoch: AppEpoch, target: PortTarget): boolean {
    const first = this.#first.get(epoch);
    if (first === undefined || sameTarget(first, target)) return true;
    const { front } = this.#with;
    return front.waits(this.#placed(first)) && !front.waits(target);
  }

  #placed(target: PortTarget): ListenTarget {
    const { port = target.port, host = target.host } = this.#with.address();
    return { ...target, port, ...(host !== undefined && { host }) };
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

type PortTarget = ListenTarget & { readonly type: "port" };
