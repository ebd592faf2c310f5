/** What a client's connection has to do with: the port that it came in on, and what all connections of a front share. */
import type { Socket } from "node:net";
import type { Credentials } from "../common/protocol/credentials.js";
import type { ServerKind } from "../common/protocol/messages.js";
import type { OwnPage } from "../pages/own-page.js";
import type { DescriptorLack } from "./descriptor-lack.js";
import type { HeldClient, HeldClients } from "./held-clients.js";
import type { Movers } from "./movers.js";
import type { OwnPages } from "./own-pages.js";
import type { SlotLeases } from "./slot-leases.js";
import type { SocketCopies } from "./socket-copies.js";
import type { Gate, Turn } from "./turn.js";
import type { AppServer } from "./upstream.js";

/** A public port, as its connections see it. */
export interface ClientPort {
  readonly kind: ServerKind;
  /** Of the TLS server that it has, or had last. */
  readonly credentials: Credentials | undefined;
  /** Undefined while it waits for one. */
  readonly server: AppServer | undefined;
  readonly closed: boolean;
  /** No code is there any more for what would come. */
  readonly givenUp: boolean;
  readonly connections: { delete(connection: object): void };
}

/** What all connections of a front share. */
export interface Relay {
  readonly gate: Gate;
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly leases: SlotLeases;
  readonly turn: Turn;
  readonly pages: OwnPages;
  readonly movers: Movers;
  readonly held: HeldClients;
  readonly lack: DescriptorLack;
  /** Undefined: no other process would take the place of this one. */
  readonly copies: SocketCopies | undefined;
  /** The worker does not answer any more: it is not waited for. */
  abandoned(epoch: number): boolean;
  /** The page for requests that a dead worker had begun; undefined while its death is not known. */
  deathPage(epoch: number): OwnPage | undefined;
  /** A request finds no descriptor on its way to the app: a client that has never sent anything makes room for it. */
  makeRoom(): void;
  /** Nobody listens on the server's socket. */
  unreachable(server: AppServer): void;
  /** Number of the worker that the client is, when the app asks itself; "unknown": ask again in a moment. */
  ownEpoch(client: Pick<Socket, "remoteAddress" | "remotePort">): number | "unknown" | undefined;
  /** The server of that worker, when another one's is still behind the port. */
  lentServer(port: ClientPort, client: Socket): AppServer | undefined;
}

/** What is different for a connection that does not come from a public port. */
export interface ConnectionTraits {
  /**
   * It was handed over by a host for one request, an upgrade that the app may not follow: what comes after that request
   * may be meant for the host's own routes.
   */
  readonly once?: boolean;
  /** It comes from within this process, from one that sends no request before the answer to the one before. */
  readonly sender?: RequestSender;
}

/** Who sends requests on a connection of its own within this process. */
export interface RequestSender {
  /** Requests begun on this connection. */
  readonly requests: number;
  /** A page that is told instead of sent. */
  refuse(page: OwnPage): void;
}

/** The client's side of its connection with the app. */
export interface LinkOwner extends HeldClient {
  /** The upstream is gone, and the client stays; `again`: what it has begun, be it nothing, passes the gate again. */
  dropped(again: boolean): void;
  /** There is room upstream for what the client sends. */
  drained(): void;
  /** Something changed that a held request may wait for. */
  wake(): void;
  /** Nothing more is said to the client. */
  sayGoodbye(): void;
  answerWith(page: OwnPage): void;
}
