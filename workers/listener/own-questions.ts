/**
 * What is asked for the supervisor itself (panel, endpoints) within a TLS or HTTP/2 session: only this thread can read that, so
 * it passes it on to main, and the answer back. The app is not asked, and nothing of it is waited for.
 */
import http, {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { isLoopback } from "../../src/common/page/loopback.js";
import { isOwnPath } from "../../src/common/page/own-paths.js";
import { plainPage } from "../../src/common/page/written-page.js";
import type { RelayedConnection } from "./relayed-connection.js";
import { sayPage } from "./spoken-page.js";

/** Node's own: what the app puts in its place is for the app's questions. */
const { request } = http;

/** They are about one connection. */
const OF_CONNECTION = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings"]);

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: NodeJS.ReadableStream;
  answer(status: number, headers: IncomingHttpHeaders, body: IncomingMessage): void;
  fail(): void;
  /** Calls back when nobody waits for the answer any more. */
  onGone(gone: () => void): void;
}

export class OwnQuestions {
  readonly #door: string;
  /** Answers that would never end. */
  readonly #streams = new Set<ClientRequest>();

  /** `door`: the socket where main is asked. */
  constructor(door: string) {
    this.#door = door;
  }

  /** Whether the event brings a question of this kind. */
  isOne({ server }: RelayedConnection, event: string, args: readonly unknown[]): boolean {
    // What comes in plain HTTP/1, main has answered before.
    if (server.kind === "http" || server.kind === "raw" || (event !== "request" && event !== "stream")) return false;
    const path = event === "stream" ? (args[1] as IncomingHttpHeaders)[":path"] : (args[0] as IncomingMessage).url;
    return isOwnPath(String(path ?? "").split("?", 1)[0] ?? "");
  }

  answer({ remote }: RelayedConnection, event: string, args: readonly unknown[]): void {
    if (isLoopback(remote?.address)) this.#passOn(event === "stream" ? ofStream(args) : ofRequest(args));
    else sayPage(plainPage(403, "Only clients on this machine may ask this.\n"), event, args, false);
  }

  /** Another thread takes over: who listens to events does so there, as soon as this one says no more. */
  endStreams(): void {
    for (const question of this.#streams) question.destroy();
  }

  #passOn(asked: Asked): void {
    const { method, path, headers, body } = asked;
    const question = request({ socketPath: this.#door, agent: false, method, path, headers });
    question.on("response", (answer) => {
      if (answer.headers["content-type"]?.startsWith("text/event-stream")) this.#streams.add(question);
      asked.answer(answer.statusCode ?? 502, forOthers(answer.headers), answer);
    });
    question.on("error", () => asked.fail());
    asked.onGone(() => {
      this.#streams.delete(question);
      question.destroy();
    });
    body.pipe(question);
  }
}

function forOthers(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(":") && !OF_CONNECTION.has(name)),
  );
}

function ofRequest(args: readonly unknown[]): Asked {
  const [asked, response] = args as [IncomingMessage, ServerResponse];
  return {
    method: asked.method ?? "GET",
    path: asked.url ?? "/",
    headers: forOthers(asked.headers),
    body: asked,
    answer(status, headers, body) {
      response.writeHead(status, headers);
      response.flushHeaders();
      body.on("error", () => response.destroy()).pipe(response);
    },
    fail: () => response.destroy(),
    onGone: (gone) => void response.on("close", gone),
  };
}

function ofStream(args: readonly unknown[]): Asked {
  const [stream, headers] = args as [ServerHttp2Stream, IncomingHttpHeaders];
  stream.on("error", () => {});
  return {
    method: String(headers[":method"] ?? "GET"),
    path: String(headers[":path"] ?? "/"),
    headers: { ...forOthers(headers), host: String(headers[":authority"] ?? headers.host ?? "") },
    body: stream,
    answer(status, answered, body) {
      if (stream.destroyed) return;
      const endStream = headers[":method"] === "HEAD";
      stream.respond({ ":status": status, ...answered }, { endStream });
      if (!endStream) body.on("error", () => stream.destroy()).pipe(stream);
    },
    fail: () => stream.destroy(),
    onGone: (gone) => void stream.on("close", gone),
  };
}
