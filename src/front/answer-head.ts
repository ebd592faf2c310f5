/** The head of the app's answer on the response of a host's server. */
import { type IncomingMessage, ServerResponse } from "node:http";

/** Headers about the connection between the front and the app; the host's server writes those about its own. */
const OF_CONNECTION = new Set(["connection", "keep-alive", "transfer-encoding", "proxy-connection"]);

/** The app's headers that are the client's business: name, value, name, value, as the app wrote them. Pure. */
function headersForClient(rawHeaders: readonly string[], httpVersionMajor: number): string[] {
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    const known = name.toLowerCase();
    // An app that closes the connection after its answer means the client's.
    const closes = known === "connection" && httpVersionMajor < 2 && value.toLowerCase() === "close";
    if (closes || !OF_CONNECTION.has(known)) headers.push(name, value);
  }
  return headers;
}

/** Values by name, names as first written; several values become a list. Pure. */
function groupHeaders(headers: readonly string[]): Map<string, string | string[]> {
  const names = new Map<string, string>();
  const grouped = new Map<string, string | string[]>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const written = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    const name = names.get(written.toLowerCase()) ?? written;
    names.set(written.toLowerCase(), name);
    const before = grouped.get(name);
    grouped.set(name, before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]);
  }
  return grouped;
}

/**
 * Writes the head. Headers that the host has set stay, unless the app has set them too. Nothing is sent before the body
 * begins or the headers are flushed.
 */
export function writeAnswerHead(response: ServerResponse, answer: IncomingMessage): void {
  const { statusCode = 200, statusMessage, rawHeaders } = answer;
  // The compatible response of an HTTP/2 server is none.
  const http1: boolean = response instanceof ServerResponse;
  const headers = headersForClient(rawHeaders, http1 ? 1 : 2);
  if (answer.headers["content-length"] === undefined && answer.headers["transfer-encoding"] === undefined && http1) {
    // An answer that ends with its connection; without this Node would send it in chunks.
    if (answer.headers.connection === "close" && hasBody(statusCode)) response.removeHeader("transfer-encoding");
  }
  if (http1 && response.getHeaderNames().length === 0 && response.writeHead === ServerResponse.prototype.writeHead) {
    response.writeHead(statusCode, statusMessage, headers);
    return;
  }
  // What wraps `writeHead` (compression, say) looks at headers that were set.
  for (const [name, value] of groupHeaders(headers)) response.setHeader(name, value);
  if (http1) response.writeHead(statusCode, statusMessage);
  else response.writeHead(statusCode);
}

function hasBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}
