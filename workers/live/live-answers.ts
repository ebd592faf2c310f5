/**
 * `--live`: HTML answers to a browser that goes to a page get a script at their end, which loads the page again when there is
 * newer code. The app's own bytes pass as they are and when they are written, so what streams goes on streaming.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { isLocalHost, isLoopback } from "../../src/common/page/loopback.js";
import { sourceHash } from "../../src/common/page/written-page.js";
import type { LiveOrder } from "../../src/common/protocol/orders.js";
import { responseInternals } from "../listener/node-internals.js";
import type { RelayedConnection } from "../listener/relayed-connection.js";
import { headersWith, headWith } from "./head.js";

type Method = (...args: unknown[]) => unknown;

export class LiveAnswers {
  readonly #order: LiveOrder;
  readonly #generation: () => number;
  readonly #hash: string;

  /** `generation`: what a request that begins now is answered by. */
  constructor(order: LiveOrder, generation: () => number) {
    this.#order = order;
    this.#generation = generation;
    this.#hash = sourceHash(order.script);
  }

  /** A request reaches the app: what `event` brought with its arguments `args`. */
  begin({ server, remote }: RelayedConnection, event: string, args: readonly unknown[]): void {
    if (server.kind === "raw" || !isLoopback(remote?.address)) return;
    const { id, script } = this.#order;
    const tag = () => Buffer.from(`<script data-unreloader="${id}.${this.#generation()}">${script}</script>`);
    if (event === "stream") {
      const [stream, headers, , rawHeaders] = args as [ServerHttp2Stream, IncomingHttpHeaders, number, string[]];
      if (!isNavigation(headers[":method"], headers) || !isLocalHost(String(headers[":authority"] ?? ""))) return;
      askForAllOfIt(headers, rawHeaders);
      addToStream(stream, tag(), this.#hash);
    } else {
      const [request, response] = args as [IncomingMessage, ServerResponse];
      const { method, headers, rawHeaders } = request;
      if (!isNavigation(method, headers) || !isLocalHost(headers.host ?? "")) return;
      askForAllOfIt(headers, rawHeaders);
      addToEnd(response, tag(), this.#hash);
    }
  }
}

/** A browser goes to a page: what scripts of pages ask for (fetch, htmx) is a part of one. */
function isNavigation(method: unknown, headers: IncomingHttpHeaders): boolean {
  if (method !== "GET") return false;
  const into = headers["sec-fetch-dest"];
  // Sent to this machine by all present browsers; the other one by older ones.
  return into === undefined
    ? headers["upgrade-insecure-requests"] === "1"
    : into === "document" || into === "iframe" || into === "frame";
}

/**
 * Asked as the browser does it, the app might answer that the page is the one from before, which has the script of then, or
 * in a compressed form to which nothing can be added.
 */
function askForAllOfIt(headers: IncomingHttpHeaders, rawHeaders: string[] = []): void {
  delete headers["if-none-match"];
  delete headers["if-modified-since"];
  if (headers["accept-encoding"] !== undefined) headers["accept-encoding"] = "identity";
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    const name = rawHeaders[index]?.toLowerCase();
    if (name === "if-none-match" || name === "if-modified-since") rawHeaders.splice(index, 2);
    else if (name === "accept-encoding") rawHeaders[index + 1] = "identity";
  }
}

/** The same on a stream of HTTP/2, which Node's responses are written to as well. */
function addToStream(stream: ServerHttp2Stream, added: Buffer, hash: string): void {
  const { respond, end } = stream;
  let isAdded = false;
  const put = (name: "respond" | "end", value: Method): void => {
    Object.defineProperty(stream, name, { value, writable: true, configurable: true });
  };
  put("respond", (headers, options, ...more) => {
    const endsNow = (options as { endStream?: boolean } | undefined)?.endStream === true;
    const isObject = typeof headers === "object" && headers !== null && !Array.isArray(headers);
    const changed =
      endsNow || !isObject ? undefined : headersWith(headers as OutgoingHttpHeaders, { bytes: added.length, hash });
    isAdded = changed !== undefined;
    return Reflect.apply(respond as Method, stream, [changed ?? headers, options, ...more]);
  });
  put("end", (...args) => {
    if (!isAdded) return Reflect.apply(end as Method, stream, args);
    isAdded = false;
    const [chunk, encoding] = args;
    const isText = typeof chunk === "string" || chunk instanceof Uint8Array;
    const rest = args.filter((arg) => typeof arg === "function");
    const all = isText ? Buffer.concat([bytesOf(chunk, encoding), added]) : added;
    return Reflect.apply(end as Method, stream, [all, ...rest]);
  });
}

/** Below whatever the app and its packages put around these methods: what they let through here is what is sent. */
function addToEnd(response: ServerResponse, added: Buffer, hash: string): void {
  const internals = responseInternals(response);
  const below = (name: "writeHead" | "end", args: readonly unknown[]): unknown =>
    ((Object.getPrototypeOf(response) as Record<string, Method>)[name] as Method).apply(response, [...args]);
  let isAdded = false;
  const put = (name: "writeHead" | "end", value: Method): void => {
    Object.defineProperty(response, name, { value, writable: true, configurable: true });
  };
  put("writeHead", (...args) => {
    const result = below("writeHead", args);
    const head = internals._header;
    const changed = head ? headWith(head, { bytes: added.length, hash }) : undefined;
    if (changed === undefined) return result;
    isAdded = true;
    internals._header = changed;
    if (typeof internals._contentLength === "number") internals._contentLength += added.length;
    return result;
  });
  put("end", (...args) => {
    const [chunk, encoding] = args;
    const isText = typeof chunk === "string" || chunk instanceof Uint8Array;
    if (response.writableEnded || (!isText && !isAdded)) return below("end", args);
    const own = isText ? bytesOf(chunk, encoding) : undefined;
    if (own !== undefined && own.length > 0 && !internals._header) {
      // As Node does it for an answer that is ended at once: its head says how long it is.
      internals._contentLength = own.length;
      internals._implicitHeader();
    }
    if (!isAdded) return below("end", args);
    isAdded = false;
    const rest = args.filter((arg) => typeof arg === "function");
    return below("end", [own === undefined ? added : Buffer.concat([own, added]), ...rest]);
  });
}

function bytesOf(chunk: string | Uint8Array, encoding: unknown): Uint8Array {
  if (typeof chunk !== "string") return chunk;
  return Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
}
