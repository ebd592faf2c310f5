/** What the launcher and the process that it has started tell each other. */
import type { ListenTarget, ServerKind } from "../common/protocol/messages.js";

/** Variable of the environment that has a `LaunchOrder`, as JSON; the started process removes it at once. */
export const LAUNCH_VARIABLE = "UNRELOADER_LAUNCHED";

export interface LaunchOrder {
  /** Number of the process that has started the launcher. */
  readonly parent: number;
  /** The flags of Node and the variable NODE_OPTIONS that the launcher was started with. */
  readonly execArgv: readonly string[];
  readonly nodeOptions?: string;
  /** Undefined for the first process. */
  readonly before?: EndedProcess;
}

/** The process that this one takes the place of. */
export interface EndedProcess {
  /** By which the system ended it. */
  readonly signal: NodeJS.Signals;
  /** When it was started, in milliseconds since the epoch: whatever was saved later may have come too late for it. */
  readonly startedAt: number;
  /** How many ports it has left open; each comes with a message. */
  readonly ports: number;
  /** Milliseconds until the app is started again; undefined: when somebody saves a file. */
  readonly afterMs?: number;
}

/** A port whose listening socket the launcher has, too. */
export interface LaunchedPort {
  readonly id: number;
  readonly target: ListenTarget;
  readonly kind: ServerKind;
}

/** What the started process tells. */
export type LaunchedReport =
  /** From now on another process is to take its place, should the system end it. `folder`: what it leaves behind then. */
  | { readonly type: "guarded"; readonly folder: string }
  /** The app has started. */
  | { readonly type: "booted" }
  /** A first request has come for the app that has started. */
  | { readonly type: "requested" }
  /** Somebody has saved a file, or asked for a fresh worker. */
  | { readonly type: "backOffReset" }
  /** With the socket. */
  | { readonly type: "opened"; readonly port: LaunchedPort }
  | { readonly type: "closed"; readonly id: number }
  /** Of a signal that was passed on. */
  | { readonly type: "heard" };

/** What the launcher tells. */
export type LaunchMessage =
  /** With the socket. */
  | { readonly type: "port"; readonly port: LaunchedPort }
  /** It has closed its copy. */
  | { readonly type: "closed"; readonly id: number }
  | { readonly type: "signal"; readonly signal: NodeJS.Signals };
