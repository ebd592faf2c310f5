/** A page of the supervisor's own where a host's server answers: as a response, or as the error that its `next` gets. */
import type { ServerResponse } from "node:http";
import { UnreloaderError } from "../common/errors.js";
import { reviveError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "./own-pages.js";

/** With `status` and `statusCode`, as Express, Koa and Fastify look for them. The app's own error keeps its code and stack. */
export function refusalError(page: OwnPage): Error {
  return Object.assign(errorOf(page), { status: page.status, statusCode: page.status });
}

function errorOf({ status, text, error }: OwnPage): Error {
  if (status === 503 && error === undefined)
    return new UnreloaderError("ERR_UNRELOADER_CLOSED", "the supervisor is closing");
  if (error === undefined) return new UnreloaderError("ERR_UNRELOADER_WORKER_EXIT", text.trimEnd());
  const cause = reviveError(error);
  return status === 500 || status === 503
    ? cause
    : new UnreloaderError("ERR_UNRELOADER_WORKER_EXIT", text.trimEnd(), { cause });
}

export function writePage(response: ServerResponse, page: OwnPage): void {
  response.writeHead(page.status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(page.text),
    "Cache-Control": "no-store",
  });
  response.end(page.text);
}
