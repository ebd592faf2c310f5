/** A page of the supervisor's own as the error that a host's `next` gets, and who has called. */
import { UnreloaderError } from "../common/errors.js";
import { reviveError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "../pages/own-page.js";

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
