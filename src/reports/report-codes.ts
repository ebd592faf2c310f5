/** The codes (edits.ts) of what is no edit that was taken in: failures, and fresh workers. Pure. */
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { EditCode } from "./edits.js";
import type { RestartReason } from "./report.js";

/** The code of a failure: of code that does not start or reload, or of an app that has ended. */
export function failureCode({ code }: SerializedError): EditCode {
  switch (code) {
    case "ERR_UNRELOADER_COMPILE":
    case "ERR_UNRELOADER_RESOLVE":
    case "ERR_UNRELOADER_LINK":
      return "UR90";
    case "ERR_UNRELOADER_STUCK":
      return "UR92";
    case "ERR_UNRELOADER_WORKER_EXIT":
      return "UR93";
    default:
      return "UR91";
  }
}

export function restartCode(reason: RestartReason | undefined): EditCode {
  switch (reason?.type) {
    case undefined:
      return "UR69";
    case "changed":
      return reason.code;
    case "declined":
      return "UR56";
    case "asked":
      return "UR60";
    case "workerExit":
      return "UR61";
    case "reloadFailed":
      return "UR62";
    case "blocked":
      return "UR63";
    case "purgedRuns":
      return "UR64";
    case "stuck":
      return "UR65";
    case "lost":
      return "UR67";
    case "stale":
      return "UR66";
    default:
      return reason satisfies never;
  }
}
