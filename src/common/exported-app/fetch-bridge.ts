/** Serves an app that has `fetch(Request) -> Response` from Node's HTTP server. Bodies stream both ways. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";

/** An app's `fetch`. The second argument is what Hono's Node adapter gives as its bindings. */
export type FetchHandler = (
  request: Request,
  bindings: { incoming: IncomingMessage; outgoing: ServerResponse },
) => Response | Promise<Response>;

/** Methods that the Request class refuses. */
const UNKNOWN_TO_FETCH = new Set(["CONNECT", "TRACE", "TRACK"]);

export function fetchListener(handler: FetchHandler): RequestListener {
  return (incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch((error: unknown) => fail(outgoing, error));
  };
}

async function answer(handler: FetchHandler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (UNKNOWN_TO_FETCH.has(incoming.method ?? "")) {
    outgoing.writeHead(501).end();
    return;
  }
  const abort = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) abort.abort(new DOMException("The client closed the connection", "AbortError"));
  });
  const response = await handler(toRequest(incoming, abort.signal), { incoming, outgoing });
  // Some apps answer by themselves, on the Node response.
  if (outgoing.headersSent || outgoing.writableEnded) return;
  await send(response, incoming, outgoing);
}

/** The request as the Fetch API has it; its body is read from the socket as the app reads it. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const method = incoming.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(urlOf(incoming), {
    method,
    headers: headersOf(incoming),
    signal,
    ...(hasBody && { body: Readable.toWeb(incoming) as NodeReadableStream as ReadableStream, duplex: "half" }),
  } as RequestInit);
}

function urlOf(incoming: IncomingMessage): URL {
  const scheme = "encrypted" in incoming.socket ? "https" : "http";
  const host = incoming.headers[":authority"] ?? incoming.headers.host ?? "localhost";
  const target = incoming.url ?? "/";
  // A proxy's request line has the whole URL; `//x` must not be taken for a host.
  if (/^https?:\/\//i.test(target)) return new URL(target);
  return new URL(`${scheme}://${String(host)}${target.startsWith("/") ? target : `/${target}`}`);
}

function headersOf(incoming: IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  const raw = incoming.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    // HTTP/2's own fields are no headers to the Fetch API.
    if (!name.startsWith(":")) headers.push([name, raw[index + 1] ?? ""]);
  }
  return headers;
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers: string[] = [];
  for (const [name, value] of response.headers) headers.push(name, value);
  outgoing.statusCode = response.status;
  if (response.statusText !== "" && incoming.httpVersionMajor === 1) outgoing.statusMessage = response.statusText;
  // Iteration gives each Set-Cookie by itself, so they are appended, not set.
  for (let index = 0; index < headers.length; index += 2)
    outgoing.appendHeader(headers[index] ?? "", headers[index + 1] ?? "");

  const { body } = response;
  if (body === null || incoming.method === "HEAD") {
    await body?.cancel();
    outgoing.end();
    return;
  }
  await pump(body, outgoing);
}

async function pump(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  const onClose = () => {
    reader.cancel().catch(() => {
      // The stream had failed already: its error was or will be seen by the loop below.
    });
  };
  outgoing.once("close", onClose);
  outgoing.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || outgoing.destroyed) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.off("close", onClose);
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off("drain", go).off("close", go);
      resolve();
    };
    outgoing.on("drain", go).on("close", go);
  });
}

/** As Node's own frameworks do: 500 while nothing is sent, else the connection is cut so that the client notices. */
function fail(outgoing: ServerResponse, error: unknown): void {
  const aborted = error instanceof Error && error.name === "AbortError" && outgoing.destroyed;
  if (!aborted) console.error(error);
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" });
  outgoing.end("Internal Server Error");
}
