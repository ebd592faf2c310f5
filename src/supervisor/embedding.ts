/** What a host process uses the app by: as a request handler in its own server, by `fetch`, and by calls. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { abortable } from "../front/abortable.js";
import type { Front } from "../front/front.js";
import { MountedHandler, type Next } from "../front/mounted-handler.js";
import { MountedUpgrade } from "../front/mounted-upgrade.js";
import { refusalError } from "../front/refusal.js";
import { afterFileEvents, type Verdict } from "../front/turn.js";
import type { AppFetch } from "../front/undici-fetch.js";
import { reachedBy } from "../reports/listen-reports.js";
import { publicUrl } from "../reports/report-lines.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { type PreparedCall, prepareCall } from "../thread/calls.js";

export interface EmbeddingOptions {
  readonly front: Front;
  admit(): Verdict | Promise<Verdict>;
  /** The thread that answers now. */
  epoch(): AppEpoch | undefined;
}

export class Embedding {
  readonly #options: EmbeddingOptions;
  readonly #handler: MountedHandler;
  readonly #upgrade: MountedUpgrade;
  /** From the first call: what it loads (undici) takes a quarter of a start, and few hosts use it. */
  #fetch: Promise<AppFetch> | undefined;

  constructor(options: EmbeddingOptions) {
    this.#options = options;
    const { front } = options;
    this.#handler = new MountedHandler(front.entrance, front.pages);
    this.#upgrade = new MountedUpgrade(front.entrance, front.pages);
  }

  handle(request: IncomingMessage, response: ServerResponse, next?: Next): void {
    void this.#handler.handle(request, response, next);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    void this.#upgrade.upgrade(request, socket, head);
  }

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    this.#fetch ??= this.#loadFetch();
    return (await this.#fetch).fetch(input, init);
  }

  async #loadFetch(): Promise<AppFetch> {
    const { AppFetch } = await import("../front/undici-fetch.js");
    const { front } = this.#options;
    return new AppFetch({ entrance: front.entrance, origin: () => originOf(front) });
  }

  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    const call = prepareCall(name, args);
    return abortable(() => this.#run(call), call.followed.length > 0 ? AbortSignal.any([...call.followed]) : undefined);
  }

  async #run(call: PreparedCall): Promise<unknown> {
    await afterFileEvents();
    const verdict = await this.#options.admit();
    if (verdict.type === "page") throw refusalError(verdict.page);
    for (const signal of call.followed) signal.throwIfAborted();
    const epoch = this.#options.epoch();
    if (epoch === undefined) throw refusalError({ status: 502, text: "the app's worker has ended" });
    return epoch.calls.run(call);
  }

  async close(): Promise<void> {
    await (await this.#fetch)?.close();
  }
}

/** Where relative URLs of `fetch` lead: to the app's public address if it has one. */
function originOf(front: Front): string {
  const address = front.addresses().find((found) => typeof found !== "string");
  if (address === undefined || typeof address === "string") return "http://localhost";
  return publicUrl(reachedBy("http", address));
}
