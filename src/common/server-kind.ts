/** What a server of the app speaks. */
import { Server as HttpServer } from "node:http";
import type { Server } from "node:net";
import type { ServerKind } from "./protocol/messages.js";
import { findDescriptor, inherits, isObject, ownValue, prototypesOf } from "./untouched.js";

export function serverKind(server: Server): ServerKind {
  if (inherits(server, HttpServer.prototype)) return "http";
  const names = classNames(server);
  if (names.includes("Http2SecureServer")) return "http2-secure";
  if (names.includes("Http2Server")) return "http2";
  // https is told from tls by what only an HTTP server has; asking `instanceof` would load TLS into every app.
  return ["setSecureContext", "closeIdleConnections"].every((name) => findDescriptor(server, name)) ? "https" : "raw";
}

/** Of all classes that it descends from, looked at only: those of the app may have getters. */
function classNames(server: object): string[] {
  return [...prototypesOf(server)].flatMap((level) => {
    const made = ownValue(level, "constructor");
    const name = isObject(made) ? ownValue(made, "name") : undefined;
    return typeof name === "string" ? name : [];
  });
}
