/** What an app's `listen()` asks for, in the words of the protocol, and the errors that Node would emit for it. */
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import type { ListenTarget, PublicAddress } from "../../src/common/protocol/messages.js";
import type { ServerInternals } from "./node-internals.js";

const IPV6_ONLY = 1;
/** From Node 23.1 on. */
const REUSE_PORT = 2;

/** From the arguments of Node's last step. */
export function listenTarget(
  ...[address, port, addressType, backlog, fd, flags = 0]: Parameters<ServerInternals["_listen2"]>
): ListenTarget {
  // Node's own code gives `false` when `listen()` had no backlog.
  const queue = typeof backlog === "number" && backlog > 0 ? { backlog } : {};
  if (typeof fd === "number" && fd >= 0) return { type: "fd", fd, ...queue };
  if (addressType === -1) return { type: "path", path: address ?? "", ...queue };
  const host = address === null ? {} : { host: address };
  const ipv6Only = (flags & IPV6_ONLY) === IPV6_ONLY ? { ipv6Only: true } : {};
  const reusePort = (flags & REUSE_PORT) === REUSE_PORT ? { reusePort: true } : {};
  return { type: "port", port, ...host, ...queue, ...ipv6Only, ...reusePort };
}

export function sameAddress(one: PublicAddress | undefined, other: PublicAddress): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.address === other.address && one.port === other.port;
}

/** The error that Node would emit on a server that cannot listen there. */
export function refusal(code: string, target: ListenTarget): Error {
  switch (target.type) {
    case "path":
      return listenError(code, target.path, -1);
    case "fd":
      return listenError(code, null, 0);
    case "port":
      return listenError(code, target.host ?? "::", target.port);
    default:
      return target satisfies never;
  }
}

/** `port` is -1 for unix sockets, as Node has it, and there is no address for descriptors. */
function listenError(code: string, address: string | null, port: number): Error {
  const errno = errnoOf(code);
  const description = errno === undefined ? "unknown error" : getSystemErrorMap().get(errno)?.[1];
  const place = port > 0 ? ` ${address}:${port}` : address === null ? "" : ` ${address}`;
  const error = new Error(`listen ${code}: ${description}${place}`);
  return Object.assign(error, { code, errno, syscall: "listen", address }, port !== 0 && { port });
}

function errnoOf(code: string): number | undefined {
  for (const [errno, [name]] of getSystemErrorMap()) if (name === code) return errno;
  const number = (constants.errno as Record<string, number>)[code];
  return number === undefined ? undefined : -number;
}
