/**
 * Who may ask the supervisor over HTTP: programs on this machine, and pages of the app itself. A page of another site that a
 * browser on this machine shows is on this machine, too, so `Host` (a name that was led here by DNS), `Origin` and what
 * browsers say of the site that asks are looked at. Pure.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isLocalHost } from "../common/page/loopback.js";

export interface Caller {
  readonly method: string | undefined;
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** The connection comes from this machine. */
  readonly isLocal: boolean;
}

/** Why it may not, in words; undefined: it may. */
export function refusalOf({ method, headers, isLocal }: Caller): string | undefined {
  if (!isLocal) return "only clients on this machine may ask this";
  const host = headers.host ?? String(headers[":authority"] ?? "");
  if (!isLocalHost(host)) return `the Host ${JSON.stringify(host)} is not this machine: use localhost or 127.0.0.1`;
  const { origin } = headers;
  if (origin !== undefined && hostOfOrigin(origin) !== host.toLowerCase())
    return `the Origin ${JSON.stringify(origin)} is another site`;
  if (method === "POST" && origin === undefined) return "a POST needs an Origin";
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return undefined;
  // A link that somebody follows: what is shown then, the other site does not see.
  const isFollowed = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return isFollowed && method !== "POST" ? undefined : "the request comes from another site";
}

function hostOfOrigin(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}
