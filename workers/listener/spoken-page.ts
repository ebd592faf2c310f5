/**
 * What the worker answers in place of the app, because the supervisor says so: within a TLS or HTTP/2 session only the worker
 * can speak, and what has reached it already is not the front's any more. Whether a page is said now, and which, is a word
 * in shared memory, so that no request slips by while the order with its text is on its way.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { answerOf, type PageAnswer, type WrittenPage } from "../../src/common/page/written-page.js";
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
  get current(): WrittenPage | undefined {
    const said = Atomics.load(this.#table, SAID);
    return said !== 0 && said === this.#page?.number ? this.#page.page : undefined;
  }
}

/** Answers the request that `event` brought with its arguments `args`. `more`: headers of an answer in HTTP/1.1. */
export function sayPage(
  page: WrittenPage,
  event: string,
  args: readonly unknown[],
  isLocal: boolean,
  more: Readonly<Record<string, string>> = {},
): void {
  if (event === "stream") {
    const headers = args[1] as IncomingMessage["headers"];
    const request = { method: headers[":method"] as string | undefined, accept: headers.accept, isLocal };
    sayOnStream(answerOf(page, request), args[0] as ServerHttp2Stream, request.method === "HEAD");
    return;
  }
  const incoming = args[0] as IncomingMessage;
  const answer = answerOf(page, { method: incoming.method, accept: incoming.headers.accept, isLocal });
  if (event === "upgrade" || event === "connect") sayOnSocket(answer, args[1] as Socket);
  else sayAsResponse(answer, incoming, args[1] as ServerResponse, more);
}

function sayAsResponse(
  { status, headers, body }: PageAnswer,
  request: IncomingMessage,
  response: ServerResponse,
  more: Readonly<Record<string, string>>,
): void {
  // What is still to come of the request is read, for the next one on this connection.
  request.resume();
  response.writeHead(status, { ...headers, ...more });
  response.end(body);
}

function sayOnStream({ status, headers, body }: PageAnswer, stream: ServerHttp2Stream, endStream: boolean): void {
  if (stream.destroyed || stream.closed) return;
  stream.on("error", ignoreError).resume();
  stream.respond({ ":status": status, ...headers }, { endStream });
  if (!endStream) stream.end(body);
}

function sayOnSocket({ status, headers, body }: PageAnswer, socket: Socket): void {
  const head = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}`);
  socket.on("error", ignoreError);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, "", body].join("\r\n"), () => socket.destroy());
}

/** The client broke off; nobody else listens. */
function ignoreError(): void {}
