/** What the virtual servers of a thread are told, and what they have in common. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Credentials } from "../../src/common/protocol/credentials.js";
import type { ListenTarget, PublicAddress, ServerKind } from "../../src/common/protocol/messages.js";
import type { OwnConnections } from "../../src/common/protocol/own-connections.js";
import { ClusterPrimary } from "../cluster/cluster-primary.js";
import type { LiveAnswers } from "../live/live-answers.js";
import { HeldRequests, type HoldableConnection } from "./held-requests.js";
import { Http2Sessions } from "./http2-sessions.js";
import { InFlight } from "./in-flight.js";
import type { OwnQuestions } from "./own-questions.js";
import { SpokenPage } from "./spoken-page.js";
import type { Attribution, ListenContext } from "./virtual-server.js";

/** The report `listenRequested` without its type. */
export interface ListenRequest {
  readonly listenId: number;
  readonly kind: ServerKind;
  readonly target: ListenTarget;
  readonly exported: boolean;
  /** The listen that it shares a handle with, and takes the place of. */
  readonly replaces?: number;
  readonly socketPath: string;
  readonly credentials?: Credentials;
}

export interface VirtualListenOptions {
  readonly table: Int32Array<SharedArrayBuffer>;
  /** Connections of this thread to its own servers; absent: its requests wait like everybody's. */
  readonly ownConnections?: OwnConnections;
  /** Folder for unix sockets; shared by all workers of the process. */
  readonly socketFolder: string;
  /** Asks the main thread for the public port. Must send before it returns. Rejects with an error that has a `code`. */
  requestListen(request: ListenRequest): Promise<PublicAddress>;
  /** The app closed the server itself. */
  reportClosed(listenId: number): void;
  /** A purge closed it. */
  reportReleased(listenId: number): void;
  /** The module that is being evaluated, or that the running code belongs to. */
  currentModule(): string | undefined;
  /** Told how many HTTP/2 sessions are open. */
  sessionsChanged?(open: number): void;
  /** Whether the thread is being ended, by itself or by main; absent: it cannot be. */
  isEnding?(): boolean;
  /** In milliseconds; it may go in steps. */
  clock(): number;
  /** Keeps requests apart from what modules do; absent: nobody asks. */
  readonly attribution?: Attribution;
  /** How long a request may be held in the worker; absent: as long as the front holds one by default. */
  readonly heldDeadlineMs?: number | undefined;
  /** Absent: all paths are the app's. */
  readonly ownQuestions?: OwnQuestions | undefined;
  /** `--live`. */
  readonly live?: LiveAnswers | undefined;
  /** `listen()` and `close()` sleep this long for the main thread's answer, then go on without; 0 when both are one thread. */
  readonly answerTimeoutMs: number;
}

export function listenContext(options: VirtualListenOptions, onDeserted: ListenContext["onDeserted"]): ListenContext {
  const { table, clock, ownConnections, sessionsChanged, heldDeadlineMs, isEnding } = options;
  const spoken = new SpokenPage(table);
  const isOwn = ({ remote }: HoldableConnection) => ownConnections?.has(remote?.address, remote?.port) ?? false;
  return {
    table,
    inFlight: new InFlight(clock),
    held: new HeldRequests(table, spoken, isOwn, heldDeadlineMs, isEnding),
    spoken,
    sessions: new Http2Sessions(sessionsChanged ?? (() => {})),
    cluster: new ClusterPrimary(),
    outside: AsyncLocalStorage.snapshot(),
    attribution: options.attribution ?? { owner: undefined, nobodys: (run) => run(), leaveToNobody: () => {} },
    ownQuestions: options.ownQuestions,
    live: options.live,
    onDeserted,
  };
}
