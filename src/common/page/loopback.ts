/** Whether a client is on this machine: by the address of its connection, never by what it says of itself. */
import { Socket } from "node:net";

/** Pure. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.toLowerCase().replace(/^::ffff:/, "");
  return plain === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

/** The same of a connection; who has reached a socket in the file system is on this machine, too. */
export function isLocalClient(client: Pick<Socket, "remoteAddress" | "localAddress">): boolean {
  const { remoteAddress, localAddress } = client;
  if (remoteAddress !== undefined) return isLoopback(remoteAddress);
  return client instanceof Socket && localAddress === undefined;
}

/** Of a `Host` header: `localhost`, a name below it, or a loopback address, with any port. */
export function isLocalHost(host: string): boolean {
  const [, name = ""] = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host.toLowerCase()) ?? [];
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return isLoopback(name.replace(/^\[|\]$/g, ""));
}
