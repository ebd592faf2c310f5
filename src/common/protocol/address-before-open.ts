/** What `server.address()` gives while the port that a server has asked for is not open, or is not public. */
import type { ListenTarget, PublicAddress } from "./messages.js";

export function addressBeforeOpen(target: ListenTarget): PublicAddress {
  if (target.type === "path") return target.path;
  if (target.type === "fd") return { address: "::", family: "IPv6", port: 0 };
  const address = target.host ?? "::";
  return { address, family: familyOf(address), port: target.port };
}

export function familyOf(address: string): "IPv4" | "IPv6" {
  return address.includes(":") ? "IPv6" : "IPv4";
}
