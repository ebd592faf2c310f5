/** Requests to a running app: over one kept connection, over a new one, or as raw bytes. */
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { DEADLINE_MS, within } from "./deadline.js";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

/** A client with at most one kept connection. */
export class KeptConnection {
  readonly #origin: string;
  readonly #agent: http.Agent;
  readonly #sockets = new Set<unknown>();

  constructor(origin: string) {
    this.#origin = origin;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = origin.startsWith("https:")
      ? new https.Agent({ ...options, rejectUnauthorized: false })
      : new http.Agent(options);
  }

  /** Connections that were needed so far; 1 as long as the first one lives. */
  get opened(): number {
    return this.#sockets.size;
  }

  request(path: string, ask: Ask = {}): Promise<Answer> {
    return send(this.#origin + path, ask, this.#agent, (socket) => this.#sockets.add(socket));
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One request on a connection of its own. */
export function requestOnce(url: string, ask: Ask = {}): Promise<Answer> {
  return send(url, { ...ask, headers: { connection: "close", ...ask.headers } }, false, () => {});
}

function send(url: string, ask: Ask, agent: http.Agent | false, onSocket: (socket: unknown) => void): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    const options = { method: ask.method ?? "GET", headers: ask.headers ?? {}, agent, rejectUnauthorized: false };
    const request = (url.startsWith("https:") ? https : http).request(url, options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("socket", onSocket);
    request.on("error", reject);
    request.end(ask.body);
  });
  return within(answer, `the answer to ${url}`);
}

/** Sends bytes as they are and resolves with all that came back, once `complete` says so or the server ended. */
export function exchangeRaw(
  port: number,
  bytes: string,
  complete: (received: string) => boolean,
  host = "127.0.0.1",
): Promise<string> {
  const socket = net.connect({ port, host });
  let received = "";
  const done = new Promise<string>((resolve, reject) => {
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (complete(received)) resolve(received);
    });
    socket.on("end", () => resolve(received));
    socket.on("error", reject);
    socket.write(bytes);
  });
  const closed = within(done, () => `raw bytes; so far: ${JSON.stringify(received)}`, DEADLINE_MS);
  return closed.finally(() => socket.destroy());
}
