/** What a server of the app speaks. */
import { Server as HttpServer } from "node:http";
import type { Server } from "node:net";
import type { ServerKind } from "../../src/protocol/messages.js";

export function serverKind(server: Server): ServerKind {
  if (server instanceof HttpServer) return "http";
  const names = classNames(server);
  if (names.includes("Http2SecureServer")) return "http2-secure";
  if (names.includes("Http2Server")) return "http2";
  // https is told from tls by what only an HTTP server has; asking `instanceof` would load TLS into every app.
  return "setSecureContext" in server && "closeIdleConnections" in server ? "https" : "raw";
}

function classNames(server: object): string[] {
  const names: string[] = [];
  for (let level: object | null = server; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    names.push(level.constructor.name);
  }
  return names;
}
