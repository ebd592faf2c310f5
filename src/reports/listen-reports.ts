/** Holds back "listening" until the app is loaded, so that the report can say how many modules it took. */
import { networkInterfaces } from "node:os";
import type { PublicAddress, ServerKind } from "../common/protocol/messages.js";
import type { ListeningReport } from "./report.js";

interface Opened {
  readonly kind: ServerKind;
  readonly address: PublicAddress;
}

export class ListenReports {
  readonly #emit: (report: ListeningReport) => void;
  #started = performance.now();
  /** Ports that are open and not reported yet. */
  #waiting: Opened[] = [];
  #modules: number | undefined;
  #durationMs = 0;

  constructor(emit: (report: ListeningReport) => void) {
    this.#emit = emit;
  }

  /** The app is being started, again perhaps. */
  loading(): void {
    this.#started = performance.now();
    this.#modules = undefined;
  }

  /** A public port is open that was not before. */
  opened(opened: Opened): void {
    this.#waiting.push(opened);
    this.#flush();
  }

  /** The app is evaluated and has so many modules. */
  loaded(modules: number): void {
    this.#modules = modules;
    this.#durationMs = performance.now() - this.#started;
    this.#flush();
  }

  /** Of an app that is evaluated. */
  get started(): { readonly modules: number; readonly durationMs: number } | undefined {
    return this.#modules === undefined ? undefined : { modules: this.#modules, durationMs: this.#durationMs };
  }

  #flush(): void {
    if (this.#modules === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { kind, address } of waiting) {
      this.#emit({
        ...reachedBy(kind, address),
        modules: this.#modules,
        durationMs: performance.now() - this.#started,
      });
    }
  }
}

export function reachedBy(
  kind: ServerKind,
  address: PublicAddress,
): Pick<ListeningReport, "protocol" | "host" | "port" | "network"> {
  if (typeof address === "string") return { protocol: "path", host: address, port: 0 };
  const network = isWildcard(address.address) ? ownAddresses() : [];
  return {
    protocol: protocolOf(kind),
    host: hostToAsk(address.address),
    port: address.port,
    ...(network.length > 0 && { network }),
  };
}

/** Of this machine, as others see it. */
function ownAddresses(): string[] {
  const known = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return known.filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address);
}

/** An address that means "all" is none to click on. */
export function hostToAsk(address: string): string {
  return isWildcard(address) ? "localhost" : address;
}

function isWildcard(address: string): boolean {
  return address === "::" || address === "0.0.0.0";
}

function protocolOf(kind: ServerKind): ListeningReport["protocol"] {
  switch (kind) {
    case "http":
    case "http2":
      return "http";
    case "https":
    case "http2-secure":
      return "https";
    case "raw":
      return "tcp";
    default:
      return kind satisfies never;
  }
}
