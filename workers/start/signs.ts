/**
 * What may still lead to a `listen()`, among the things that an evaluation has begun and that are not over. Pure: the
 * thread keeps the list (begun-work.ts), this weighs it.
 *
 * Nobody can know what a callback will do, so there are rules. A thing that ends by itself (a connect, a query of a name, a
 * read of a file, a request without an answer, a timer that is due within a minute) is waited for. A thing that may never
 * end says little alone (a promise, a child process, a thread that has not spoken yet, a socket that was written to), and a
 * lot together with a promise: somebody awaits it. What comes again and again (an interval, timers that set timers) is no
 * sign; but while a promise is open, or a server was made that has not listened, it may be a try at something.
 */
import { BOOT_MS, BRIEF_START_MS, UNSURE_START_MS } from "../../src/common/deadlines.js";

/** Nobody puts off a `listen()` by a timer that is set for later. */
const FAR_OFF_MS = 60_000;
/** More timers than this, each set by the one before, are no way to a `listen()` but a way to do something again and again. */
const LONGEST_CHAIN = 3;

export type Sign = "sure" | "owing" | "brief" | "promise" | "repeating" | "none";

/** One thing that was begun: an async resource of Node's. */
export interface Begun {
  /** As `node:async_hooks` names it. */
  readonly type: string;
  /** Node's object, for those types that are asked for their state. */
  readonly resource: object | undefined;
  /** How many timers stand between the evaluation and this, each set by the one before. */
  readonly chain: number;
  /** What it was begun for has brought something: bytes, a message. */
  answered: boolean;
  /** Of a socket: bytes that had been sent when the last ones came in; undefined: none came. */
  sentBefore: number | undefined;
}

/** Timers, immediates, and the handles of Node's that are asked for their state. */
interface Resource {
  hasRef?(): boolean;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly _repeat?: number | null;
  readonly _idleTimeout?: number;
  readonly _destroyed?: boolean;
}

/** Their callbacks are no part of a start: requests, signals, file events, what comes again and again. */
const NOT_FOLLOWED = new Set([
  "TCPSERVERWRAP",
  "PIPESERVERWRAP",
  "HTTPINCOMINGMESSAGE",
  "FSEVENTWRAP",
  "STATWATCHER",
  "SIGNALWRAP",
]);
/** They last, and say nothing about what is under way. */
const SILENT = new Set(
  (
    "TickObject Microtask DNSCHANNEL UDPWRAP JSUDPWRAP TTYWRAP FILEHANDLE DIRHANDLE HTTP2SESSION MESSAGEPORT JSSTREAM " +
    "ELDHISTOGRAM BLOBREADER STREAMPIPE INSPECTORJSBINDING LOCKS " +
    // Of native packages that napi-rs has made, once they are loaded.
    "CustomGC"
  ).split(" "),
);
const ASKED = new Set(["Timeout", "Immediate", "WORKER", "MESSAGEPORT", "PROCESSWRAP"]);
const SOCKETS = new Set(["TCPWRAP", "PIPEWRAP", "TLSWRAP"]);
/** They end, one way or another, without anybody's doing. */
const ENDS_BY_ITSELF = /REQ|REQUEST|JOB|CONNECTWRAP|WRITEWRAP|SENDWRAP|SHUTDOWNWRAP|QUERYWRAP|GETADDRINFO|GETNAMEINFO/;

/** Whether what the callbacks of such a thing begin belongs to the start as well. */
export function isFollowed(type: string, resource: object): boolean {
  return !NOT_FOLLOWED.has(type) && !(type === "Timeout" && isInterval(resource));
}

/** Whether such a thing is asked for its state. */
export function keepsResource(type: string): boolean {
  return SOCKETS.has(type) || ASKED.has(type);
}

export function isSocket(type: string): boolean {
  return SOCKETS.has(type);
}

export function signOf(begun: Begun): Sign {
  const sign = signByType(begun);
  return begun.chain > LONGEST_CHAIN && (sign === "sure" || sign === "owing") ? "promise" : sign;
}

function signByType(begun: Begun): Sign {
  const { type, answered } = begun;
  const resource = begun.resource as Resource | undefined;
  if (type === "PROMISE") return "promise";
  if (SILENT.has(type) || NOT_FOLLOWED.has(type)) return "none";
  if (resource?.hasRef?.() === false) return "none";
  switch (type) {
    case "Timeout":
    case "Immediate":
      return timerSign(begun, resource);
    case "HTTPCLIENTREQUEST":
    case "HTTP2STREAM":
      return answered ? "brief" : "sure";
    case "WORKER":
      return answered ? "none" : "owing";
    case "PROCESSWRAP":
      return "owing";
    default:
      if (SOCKETS.has(type)) return isAwaited(begun, resource) ? "brief" : "none";
      return ENDS_BY_ITSELF.test(type) ? "sure" : "brief";
  }
}

function timerSign({ chain }: Begun, timer: Resource | undefined): Sign {
  if (timer === undefined || timer._destroyed) return "none";
  if (isInterval(timer) || chain > LONGEST_CHAIN) return "repeating";
  return (timer._idleTimeout ?? 0) > FAR_OFF_MS ? "none" : "sure";
}

/** The last that happened on the socket was its own doing: it was connected, or written to. */
function isAwaited({ sentBefore }: Begun, socket: Resource | undefined): boolean {
  // What reads without JavaScript (below TLS) has a socket of its own above, which tells more.
  if (sentBefore === undefined) return (socket?.bytesRead ?? 0) === 0;
  return (socket?.bytesWritten ?? 0) > sentBefore;
}

function isInterval(timer: object): boolean {
  const { _repeat: repeat } = timer as Resource;
  return repeat !== null && repeat !== undefined;
}

export interface Clock {
  /** Milliseconds since the evaluation ended. */
  readonly sinceEnd: number;
  /** Milliseconds since there was a sure sign, or since the evaluation ended. */
  readonly sinceSure: number;
}

/** Whether the start goes on. `unlistened`: a server was made that has not listened. */
export function mayListen(signs: ReadonlySet<Sign>, unlistened: boolean, { sinceEnd, sinceSure }: Clock): boolean {
  const isOpen = signs.has("promise");
  if (signs.has("sure") || (isOpen && (signs.has("owing") || signs.has("brief")))) return sinceEnd < BOOT_MS;
  if (isOpen || signs.has("owing") || (signs.has("repeating") && unlistened)) return sinceSure < UNSURE_START_MS;
  return signs.has("brief") && sinceSure < BRIEF_START_MS;
}
