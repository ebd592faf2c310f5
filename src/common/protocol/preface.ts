/**
 * The first line on each upstream connection: which slot of the connection table it uses, and the addresses that the
 * app shall see on the socket. ASCII, and always of the same length, so that it is read without a byte of what follows; ends
 * with spaces and a line feed; `-` stands for an address that a unix socket has not.
 */
import { isIP } from "node:net";

export interface Preface {
  readonly slot: number;
  readonly remote: Endpoint | undefined;
  readonly local: Endpoint | undefined;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Room for two IPv6 addresses with zones. */
export const PREFACE_BYTES = 256;

export function formatPreface(
  slot: number,
  remoteAddress: string | undefined,
  remotePort: number | undefined,
  localAddress: string | undefined,
  localPort: number | undefined,
): string {
  const line = `${slot} ${shown(remoteAddress)} ${remotePort ?? 0} ${shown(localAddress)} ${localPort ?? 0}`;
  return `${line.padEnd(PREFACE_BYTES - 1)}\n`;
}

function shown(address: string | undefined): string {
  return address !== undefined && isIP(address) !== 0 ? address : "-";
}

/** Parses the line; undefined when it is not a preface. */
export function parsePreface(line: string): Preface | undefined {
  const [slot, remoteAddress, remotePort, localAddress, localPort, ...rest] = line.trimEnd().split(" ");
  if (localPort === undefined || rest.length > 0 || !/^\d{1,9}$/.test(slot ?? "")) return undefined;
  for (const address of [remoteAddress, localAddress])
    if (address !== "-" && isIP(address ?? "") === 0) return undefined;
  for (const port of [remotePort, localPort]) if (!/^\d{1,5}$/.test(port ?? "")) return undefined;
  return {
    slot: Number(slot),
    remote: endpoint(remoteAddress, remotePort),
    local: endpoint(localAddress, localPort),
  };
}

function endpoint(address: string | undefined, port: string | undefined): Endpoint | undefined {
  return address === undefined || address === "-" ? undefined : { address, port: Number(port) };
}
