/** A request that a host's server has parsed, as bytes again. Pure. */
import type { IncomingMessage } from "node:http";

type Head = Pick<IncomingMessage, "method" | "url" | "httpVersion" | "httpVersionMajor" | "rawHeaders">;

export type BodyFraming = "none" | "length" | "chunked";

/** How the body of a request is delimited: what was said on an HTTP/1 connection, or what can be said on one. */
export function bodyFraming(
  request: Pick<IncomingMessage, "headers" | "httpVersionMajor">,
  http2Body: boolean,
): BodyFraming {
  const { headers } = request;
  if (headers["transfer-encoding"] !== undefined) return "chunked";
  if (headers["content-length"] !== undefined) return headers["content-length"] === "0" ? "none" : "length";
  return request.httpVersionMajor >= 2 && http2Body ? "chunked" : "none";
}

/**
 * The head with every header as the client wrote it, in its order. `Upgrade` is left out unless the connection as a whole
 * is handed over: a protocol cannot be changed in a host's answer.
 */
export function requestHead(request: Head, framing: BodyFraming, keepUpgrade: boolean): string {
  const { rawHeaders, httpVersionMajor } = request;
  const version = httpVersionMajor >= 2 ? "1.1" : request.httpVersion;
  let head = `${request.method} ${request.url} HTTP/${version}\r\n`;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    if (name === ":authority") head += `Host: ${value}\r\n`;
    else if (!name.startsWith(":") && (keepUpgrade || name.toLowerCase() !== "upgrade"))
      head += `${name}: ${value}\r\n`;
  }
  if (httpVersionMajor >= 2 && framing === "chunked") head += "Transfer-Encoding: chunked\r\n";
  return `${head}\r\n`;
}

/** What delimits a chunk of the body: before and after it. */
export function chunkFrame(size: number): readonly [string, string] {
  return [`${size.toString(16)}\r\n`, "\r\n"];
}

/** The end of a chunked body. */
export function chunkedEnd(rawTrailers: readonly string[]): string {
  let end = "0\r\n";
  for (let index = 0; index + 1 < rawTrailers.length; index += 2)
    end += `${rawTrailers[index]}: ${rawTrailers[index + 1]}\r\n`;
  return `${end}\r\n`;
}
