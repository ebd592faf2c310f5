/**
 * What the worker answers in place of the app, because the supervisor says so: within a TLS or HTTP/2 session only the worker
 * can speak, and what has reached it already is not the front's any more. Whether a page is said now, and which, is a word
 * in shared memory, so that no request slips by while the order with its text is on its way.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { SAID } from "../../src/common/protocol/connection-table.js";
import type { SaidPage } from "../../src/common/protocol/orders.js";

export class SpokenPage {
  readonly #table: Int32Array<SharedArrayBuffer>;
  #page: SaidPage | undefined;

  constructor(table: Int32Array<SharedArrayBuffer>) {
    this.#table = table;
  }

  /** The order has come. */
  learn(page: SaidPage): void {
    this.#page = page;
  }

  /** A page is said whose text is not known yet. */
  get awaited(): boolean {
    const said = Atomics.load(this.#table, SAID);
    return said !== 0 && said !== this.#page?.number;
  }

  /** What is answered in place of the app; undefined: the app answers. */
  get current(): SaidPage | undefined {
    const said = Atomics.load(this.#table, SAID);
    return said !== 0 && said === this.#page?.number ? this.#page : undefined;
  }
}

/** Answers the request that `event` brought with its arguments `args`. `more`: headers of an answer in HTTP/1.1. */
export function sayPage(
  page: SaidPage,
  event: string,
  args: readonly unknown[],
  more: Readonly<Record<string, string>> = {},
): void {
  if (event === "stream") sayOnStream(page, args[0] as ServerHttp2Stream, args[1] as IncomingMessage["headers"]);
  else if (event === "upgrade" || event === "connect") sayOnSocket(page, args[1] as Socket);
  else sayAsResponse(page, args[0] as IncomingMessage, args[1] as ServerResponse, more);
}

function sayAsResponse(
  page: SaidPage,
  request: IncomingMessage,
  response: ServerResponse,
  more: Readonly<Record<string, string>>,
): void {
  // What is still to come of the request is read, for the next one on this connection.
  request.resume();
  response.writeHead(page.status, { ...headersOf(page), ...more });
  response.end(page.text);
}

function sayOnStream(page: SaidPage, stream: ServerHttp2Stream, headers: IncomingMessage["headers"]): void {
  if (stream.destroyed || stream.closed) return;
  stream.on("error", ignoreError).resume();
  const endStream = headers[":method"] === "HEAD";
  stream.respond({ ":status": page.status, ...headersOf(page) }, { endStream });
  if (!endStream) stream.end(page.text);
}

function sayOnSocket(page: SaidPage, socket: Socket): void {
  const head = Object.entries({ ...headersOf(page), connection: "close" }).map(([name, value]) => `${name}: ${value}`);
  socket.on("error", ignoreError);
  socket.end([`HTTP/1.1 ${page.status} ${STATUS_CODES[page.status]}`, ...head, "", page.text].join("\r\n"), () =>
    socket.destroy(),
  );
}

function headersOf(page: SaidPage): Record<string, string | number> {
  return {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(page.text),
    "cache-control": "no-store",
  };
}

/** The client broke off; nobody else listens. */
function ignoreError(): void {}
