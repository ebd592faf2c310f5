/** `fetch` to the app from within this process: undici's, on connections that the front relays like a client's. */
import { Agent, fetch as undiciFetch } from "undici";
import { abortable } from "./abortable.js";
import { type Entrance, Refusal } from "./entrance.js";
import type { PublicPort } from "./public-port.js";
import { refusalError } from "./refusal.js";

export interface AppFetchOptions {
  readonly entrance: Entrance;
  /** What relative URLs are relative to. */
  origin(): string;
}

export class AppFetch {
  readonly #options: AppFetchOptions;
  #agent: { readonly port: PublicPort; readonly agent: Agent } | undefined;

  constructor(options: AppFetchOptions) {
    this.#options = options;
  }

  /**
   * Asks the app, whatever host the URL names; redirects stay in the app. While the newest code is broken the answer is
   * the failure page. Rejects with ERR_UNRELOADER_CLOSED, ERR_UNRELOADER_NO_APP, or as undici does.
   */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const asked = await requestOf(input, init, this.#options.origin());
    const { signal } = asked.init;
    let port: PublicPort;
    try {
      port = await abortable(() => this.#options.entrance.admit(), signal ?? undefined);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.page.status === 503) throw refusalError(error.page);
      return pageResponse(error);
    }
    const dispatcher = this.#agentFor(port);
    // The declared types of undici and of Node's own fetch differ in name only.
    const answer = undiciFetch(asked.url, { duplex: "half", ...asked.init, dispatcher } as Parameters<
      typeof undiciFetch
    >[1]);
    return (await answer) as unknown as Response;
  }

  async close(): Promise<void> {
    await this.#agent?.agent.destroy();
  }

  #agentFor(port: PublicPort): Agent {
    if (this.#agent?.port === port) return this.#agent.agent;
    void this.#agent?.agent.close();
    // Limits are the app's business, and a request is held for as long as a reload takes.
    const agent = new Agent({
      // undici 7 loses the request when it is called back at once.
      connect: (_, done) => process.nextTick(() => done(null, this.#options.entrance.connect(port, LOOPBACK, false))),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    this.#agent = { port, agent };
    return agent;
  }
}

const MAX_HEADER_BYTES = 1024 * 1024;
/** This process is its own client. */
const LOOPBACK = { remoteAddress: "127.0.0.1", remotePort: 0, localAddress: "127.0.0.1", localPort: 0 };

interface Asked {
  readonly url: URL;
  readonly init: RequestInit;
}

/** Node's own `Request` and `FormData` are others than undici's: they are taken apart here. */
async function requestOf(input: string | URL | Request, init: RequestInit, origin: string): Promise<Asked> {
  const parts = input instanceof Request ? { ...partsOf(input), ...init } : init;
  const url = new URL(input instanceof Request ? input.url : input, origin);
  if (!(parts.body instanceof FormData)) return { url, init: parts };
  const encoded = new Response(parts.body);
  const headers = new Headers(parts.headers);
  const type = encoded.headers.get("content-type");
  if (type !== null) headers.set("content-type", type);
  return { url, init: { ...parts, headers, body: await encoded.blob() } };
}

function partsOf({ method, headers, body, signal, redirect }: Request): RequestInit {
  return { method, headers: [...headers], body, signal, redirect };
}

function pageResponse({ page }: Refusal): Response {
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return new Response(page.text, { status: page.status, headers });
}
