/** `fetch` to a server of this process that listens on a unix socket (named pipe on Windows). */
import { Agent, fetch as undiciFetch } from "undici";

export class SocketFetch {
  readonly #agent: Agent;

  constructor(socketPath: string) {
    // Limits are the app's business.
    this.#agent = new Agent({ connect: { socketPath }, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** Asks whatever host the URL names; `origin` is what relative URLs are relative to. */
  async fetch(input: string | URL | Request, init: RequestInit | undefined, origin: string): Promise<Response> {
    const request = input instanceof Request ? new Request(input, init) : new Request(new URL(input, origin), init);
    const { method, headers, body, redirect, signal } = request;
    // The declared types of undici and of Node's own fetch differ in name only.
    const asked: unknown = {
      method,
      headers: [...headers],
      redirect,
      signal,
      ...(body && { body, duplex: "half" }),
      dispatcher: this.#agent,
    };
    const answer = undiciFetch(request.url, asked as Parameters<typeof undiciFetch>[1]);
    return (await answer) as unknown as Response;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
