/**
 * Opens ports for the servers of the app, and hands a port over from the server that a reload closed, or an older worker has,
 * to the one that follows (adoption). The thread that listens reads the answer from shared memory.
 */
import type { Socket } from "node:net";
import { clearListenMailbox, postListenAnswer } from "../common/protocol/listen-mailbox.js";
import type { ListenTarget, PublicAddress } from "../common/protocol/messages.js";
import type { OpenPorts } from "./open-ports.js";
import { PublicPort } from "./public-port.js";
import type { ClientPort, Relay } from "./relay.js";
import type { InheritedPort } from "./socket-copies.js";
import type { AppServer } from "./upstream.js";

/** The report `listenRequested`, and the worker it came from. */
export interface OpenRequest extends AppServer {
  readonly target: ListenTarget;
  readonly replaces?: number | undefined;
  /** It shall be reached from within this process only. */
  readonly hidden?: boolean;
}

export interface PortOpeningOptions {
  readonly ports: OpenPorts;
  readonly relay: Relay;
  /** The worker of this epoch has ended. */
  isDead(epoch: number): boolean;
  /** No port may be open any more. */
  isClosing(): boolean;
  /** With it, the next free port is taken for one that is taken, and that is told. */
  readonly fallback: ((wanted: number, got: number) => void) | undefined;
}

/** So many ports after the wanted one are tried. */
const FALLBACK_PORTS = 100;

export class PortOpening {
  readonly #with: PortOpeningOptions;
  readonly #ports: OpenPorts;
  readonly #relay: Relay;
  /** What `lend` has answered: listen id -> the port; from then on until `open` or the end of that worker. */
  readonly #lent = new Map<number, { readonly epoch: number; readonly port: PublicPort; readonly server: AppServer }>();
  /** Epoch of a worker that lives -> the listen id that it has asked about last, and may sleep for. */
  readonly #lastListen = new Map<number, number>();
  /** Servers whose port is being opened, by listen id; "closed" or "released" when that came in the meantime. */
  readonly #opening = new Map<number, "wanted" | "closed" | "released">();
  /** Ports that another is being opened in place of, until it is. */
  readonly #replaced = new Set<PublicPort>();
  /** A port that was opened to show a failed start, until a server takes it or it is closed. */
  #unserved: PublicPort | undefined;

  constructor(options: PortOpeningOptions) {
    this.#with = options;
    this.#ports = options.ports;
    this.#relay = options.relay;
  }

  /** A port is being opened for a server of the app. */
  get any(): boolean {
    return this.#opening.size > 0;
  }

  /** Rejects with Node's own error, `EADDRINUSE` and the like. */
  async open(request: OpenRequest): Promise<PublicAddress> {
    const { listenId, epoch } = request;
    if (!this.#with.isDead(epoch)) this.asked(epoch, listenId);
    try {
      const address = await this.#openOrAdopt(request);
      postListenAnswer(this.#relay.table, listenId, { type: "opened", address });
      return address;
    } catch (error) {
      postListenAnswer(this.#relay.table, listenId, { type: "refused", code: codeOf(error) });
      throw error;
    }
  }

  /** The address of the port that another worker's server has, without a change to it; undefined when there is none. */
  lend(request: OpenRequest): PublicAddress | undefined {
    const { listenId, target, epoch, replaces } = request;
    const taken = new Set([...this.#lent.values()].filter((lent) => lent.epoch === epoch).map((lent) => lent.port));
    const shared = replaces === undefined ? undefined : this.#lent.get(replaces)?.port;
    const port = shared ?? this.#ports.all.find((open) => !taken.has(open) && sameTarget(open.target, target));
    this.asked(epoch, listenId);
    if (port === undefined) return undefined;
    this.#lent.set(listenId, { epoch, port, server: request });
    postListenAnswer(this.#relay.table, listenId, { type: "opened", address: port.address });
    return port.address;
  }

  /** Whose server a worker that asks itself means: its own, which only has been lent the port. */
  lentServer(port: ClientPort, { remoteAddress, remotePort }: Socket): AppServer | undefined {
    if (this.#lent.size === 0) return undefined;
    const own = this.#relay.ownEpoch({ remoteAddress, remotePort });
    // The last one: it has taken the place of others on the same handle.
    return [...this.#lent.values()].filter((lent) => lent.port === port && lent.epoch === own).at(-1)?.server;
  }

  /** A port that no server stands behind. Rejects with Node's own error. */
  async openUnserved(target: { readonly port: number; readonly host: string }): Promise<PublicAddress> {
    const port = new PublicPort({ type: "port", ...target }, "http", this.#relay);
    const address = await this.#openFree(port);
    this.#ports.add(port);
    this.#unserved = port;
    return address;
  }

  /** A port that another process has left open. Rejects with Node's own error. */
  async inherit(inherited: InheritedPort): Promise<PublicAddress> {
    const port = new PublicPort(inherited.target, inherited.kind, this.#relay);
    const address = await port.inherit(inherited);
    this.#ports.add(port);
    return address;
  }

  /** The server is gone, by a purge, or as the app closed it; its port may still be about to open. */
  gone(listenId: number, how: "closed" | "released"): void {
    if (this.#opening.has(listenId)) this.#opening.set(listenId, how);
  }

  /** The worker of `epoch` may sleep until this is answered. */
  asked(epoch: number, listenId: number): void {
    this.#lastListen.set(epoch, listenId);
  }

  /** Another port is about to take the place of this one. */
  isReplaced(port: PublicPort): boolean {
    return this.#replaced.has(port);
  }

  workerDied(epoch: number): void {
    clearListenMailbox(this.#relay.table, (listenId) => this.#lastListen.get(epoch) === listenId);
    this.#lastListen.delete(epoch);
    for (const [listenId, lent] of this.#lent) if (lent.epoch === epoch) this.#lent.delete(listenId);
  }

  async #openOrAdopt(request: OpenRequest): Promise<PublicAddress> {
    const shared = request.replaces === undefined ? undefined : this.#ports.of(request.replaces);
    if (shared !== undefined) {
      shared.adopt(request);
      return shared.address;
    }
    const released = this.#ports.all.filter(({ server }) => server === undefined || server.epoch < request.epoch);
    const adopted = this.#portFor(request, released);
    if (adopted === undefined) return this.#openInPlaceOf(released, request);
    if (this.#unserved === adopted) this.#unserved = undefined;
    adopted.adopt(request);
    this.#ports.served();
    return adopted.address;
  }

  /** The port that was lent, or one with the same target: one that nobody has first. */
  #portFor({ listenId, target }: OpenRequest, released: readonly PublicPort[]): PublicPort | undefined {
    const lent = this.#lent.get(listenId)?.port;
    this.#lent.delete(listenId);
    if (lent !== undefined && released.includes(lent)) return lent;
    const same = released.filter((port) => sameTarget(port.target, target));
    return same.find((port) => port.server === undefined) ?? same[0];
  }

  /** The same port on another host would collide with a released one: the new one takes its place and its clients. */
  async #openInPlaceOf(released: readonly PublicPort[], request: OpenRequest): Promise<PublicAddress> {
    const { listenId, target, kind, hidden, epoch } = request;
    const continued = released.filter((port) => samePort(port, target) || this.#showsFailureFor(port, target));
    const replaced = continued.length > 0 ? continued : chosenBefore(released, target);
    for (const port of replaced) {
      this.#replaced.add(port);
      port.stopAccepting();
    }
    const port = new PublicPort(target, kind, this.#relay);
    this.#opening.set(listenId, "wanted");
    try {
      const number = replaced.map(portNumber).find((one) => one !== undefined);
      const address = hidden ? port.openHidden() : await this.#openFree(port, number);
      this.#ports.add(port);
      for (const before of replaced) port.takeOver(before);
      const wanted = this.#opening.get(listenId);
      if (wanted === "closed" || this.#with.isClosing()) this.#ports.close(port);
      else if (wanted === "wanted" && !this.#with.isDead(epoch)) port.adopt(request);
      this.#ports.served();
      return address;
    } finally {
      for (const before of replaced) {
        this.#replaced.delete(before);
        this.#ports.close(before);
      }
      this.#opening.delete(listenId);
    }
  }

  /** It keeps the target that the app has named: the next version asks for the same. */
  async #openFree(port: PublicPort, number?: number): Promise<PublicAddress> {
    const { fallback } = this.#with;
    const wanted = number ?? (port.target.type === "port" ? port.target.port : 0);
    try {
      return await port.open(number);
    } catch (error) {
      if (fallback === undefined || wanted === 0 || codeOf(error) !== "EADDRINUSE") throw error;
      for (let next = wanted + 1; next <= Math.min(wanted + FALLBACK_PORTS, MOST_PORT); next++) {
        const address = await port.open(next).catch(onlyTaken);
        if (address === undefined) continue;
        fallback(wanted, next);
        return address;
      }
      throw error;
    }
  }

  /** A server that leaves the choice of its port to the system gets the one where people saw the failure. */
  #showsFailureFor(port: PublicPort, target: ListenTarget): boolean {
    return port === this.#unserved && !port.closed && target.type === "port" && target.port === 0;
  }
}

/** Whether a server that listens on `asked` continues one that listened on `open`. */
export function sameTarget(open: ListenTarget, asked: ListenTarget): boolean {
  if (open.type === "path" || asked.type === "path") {
    return open.type === "path" && asked.type === "path" && open.path === asked.path;
  }
  if (open.type === "fd" || asked.type === "fd") {
    return open.type === "fd" && asked.type === "fd" && open.fd === asked.fd;
  }
  return open.port === asked.port && open.host === asked.host && Boolean(open.ipv6Only) === Boolean(asked.ipv6Only);
}

function samePort(open: PublicPort, asked: ListenTarget): boolean {
  // By its number: one that the system chose may be asked for by that.
  return asked.type === "port" && asked.port !== 0 && portNumber(open) === asked.port;
}

/** Of a server that leaves the choice of its port to the system, on another host than before: the one that was chosen. */
function chosenBefore(released: readonly PublicPort[], asked: ListenTarget): readonly PublicPort[] {
  const isChosen = (target: ListenTarget) => target.type === "port" && target.port === 0;
  const chosen = isChosen(asked) ? released.filter(({ target, closed }) => !closed && isChosen(target)) : [];
  return chosen.length === 1 ? chosen : [];
}

function portNumber({ address }: PublicPort): number | undefined {
  return typeof address === "string" ? undefined : address.port;
}

const MOST_PORT = 65535;

function onlyTaken(error: unknown): undefined {
  if (codeOf(error) !== "EADDRINUSE") throw error;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? "UNKNOWN";
}
