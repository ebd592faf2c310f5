/**
 * The app as a request handler in a host's server. The host has parsed the request: it is written down again as the
 * client sent it, and goes to the app on a connection that is relayed like any other. Node's own client only reads the
 * answer; what it would write is dropped, because it changes requests (names and order of headers, defaults, the version,
 * `Expect`). undici's dispatcher was the other choice: it refuses `Expect`, knows no trailers in requests, breaks the
 * connection at a `100 Continue` and puts its own headers first.
 */
import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { errorText, UnreloaderError } from "../common/errors.js";
import { writeAnswerHead } from "./answer-head.js";
import { type Entrance, Refusal } from "./entrance.js";
import { type Addresses, NearEnd } from "./in-process-socket.js";
import type { OwnPages } from "./own-pages.js";
import type { PublicPort } from "./public-port.js";
import { refusalError } from "./refusal.js";
import { type BodyFraming, bodyFraming, chunkedEnd, chunkFrame, requestHead } from "./request-bytes.js";
import { resetAtOnce } from "./reset.js";

/** What Express, Connect and their like call after a handler. */
export type Next = (error?: unknown) => void;

/** The app's connections on behalf of one client's connection. */
interface ClientAgent {
  readonly port: PublicPort;
  readonly agent: Agent;
}

export class MountedHandler {
  readonly #entrance: Entrance;
  readonly #pages: OwnPages;
  /** A client's connection to the host -> its connections to the app; for as long as the client's is open. */
  readonly #agents = new WeakMap<Socket, ClientAgent>();

  constructor(entrance: Entrance, pages: OwnPages) {
    this.#entrance = entrance;
    this.#pages = pages;
  }

  async handle(incoming: IncomingMessage, response: ServerResponse, next: Next | undefined): Promise<void> {
    if (this.#pages.answersOwn(incoming, response)) return;
    try {
      await this.#handle(incoming, response);
    } catch (error) {
      fail(error, response, next, this.#pages);
    }
  }

  /** Rejects while the response is untouched; what goes wrong later breaks it off. */
  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const framing = bodyFraming(incoming, incoming.httpVersionMajor >= 2 && hasHttp2Body(incoming));
    if (framing !== "none" && incoming.readableDidRead) throw bodyWasRead(incoming);
    const port = await this.#entrance.admit();
    if (response.destroyed || incoming.socket === null) return;
    await exchange({ incoming, response, framing, agent: this.#agentFor(incoming.socket, port) });
  }

  #agentFor(client: Socket, port: PublicPort): Agent {
    const known = this.#agents.get(client);
    if (known?.port === port) return known.agent;
    known?.agent.destroy();
    const addresses = addressesOf(client);
    const agent = new Agent({ keepAlive: true });
    agent.createConnection = () => this.#entrance.connect(port, addresses, true);
    if (known === undefined) client.once("close", () => this.#agents.get(client)?.agent.destroy());
    this.#agents.set(client, { port, agent });
    return agent;
  }
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly framing: BodyFraming;
  readonly agent: Agent;
}

/** Sends the request and passes the answer on. Rejects as long as nothing of an answer has come. */
function exchange(parts: Exchange): Promise<void> {
  const { incoming, response, agent } = parts;
  return new Promise((resolve, reject) => {
    const reader = request({ agent, host: "app", method: incoming.method === "HEAD" ? "HEAD" : "GET" });
    let answered = false;
    let givenUp = false;
    const onClientGone = () => {
      if (!response.writableFinished) reader.destroy();
    };
    response.once("close", onClientGone);
    const settle = (run: () => void) => {
      response.off("close", onClientGone);
      run();
    };
    reader.once("socket", (socket) => {
      const near = socket as NearEnd;
      if (!near.gone) {
        sendRequest(parts, reader, near);
        return;
      }
      // The app closed it while it was idle, which its agent has not noticed yet.
      givenUp = true;
      reader.destroy();
      settle(() => resolve(exchange(parts)));
    });
    reader.on("information", ({ statusCode, headers }) => passInformation(response, statusCode, headers));
    reader.once("response", (answer) => {
      answered = true;
      response.once("close", () => settle(resolve));
      passAnswer(answer, response);
    });
    // Its headers asked for no other protocol.
    reader.once("upgrade", () => reader.destroy());
    reader.on("error", (error) => {
      if (answered || givenUp) return;
      const page = reader.socket instanceof NearEnd ? reader.socket.refusal : undefined;
      if (page !== undefined) settle(() => reject(new Refusal(page)));
      else {
        // The app broke off on purpose, or the client did.
        response.destroy(error);
        settle(resolve);
      }
    });
  });
}

function sendRequest({ incoming, framing }: Exchange, reader: ClientRequest, near: NearEnd): void {
  near.requests++;
  near.send(Buffer.from(requestHead(incoming, framing, false), "latin1"), () => {});
  if (framing === "none") {
    reader.end();
    return;
  }
  incoming.on("data", (bytes: Buffer) => {
    incoming.pause();
    near.send(framing === "chunked" ? framed(bytes) : bytes, () => incoming.resume());
  });
  // Until the body is sent whole the connection is not free for another request.
  incoming.once("end", () => {
    if (framing === "chunked") near.send(Buffer.from(chunkedEnd(incoming.rawTrailers), "latin1"), () => {});
    reader.end();
  });
}

function framed(bytes: Buffer): Buffer {
  const [before, after] = chunkFrame(bytes.length);
  return Buffer.concat([Buffer.from(before, "latin1"), bytes, Buffer.from(after, "latin1")]);
}

/** The three kinds that Node's servers can send. */
function passInformation(response: ServerResponse, status: number, headers: IncomingMessage["headers"]): void {
  if (response.headersSent) return;
  if (status === 100) {
    // The host's server has said so itself, unless its `checkContinue` leads here.
    if ((response as { _sent100?: boolean })._sent100 !== true) response.writeContinue();
  } else if (status === 102) {
    response.writeProcessing();
  } else if (status === 103) {
    const { link, ...others } = headers;
    if (link !== undefined) response.writeEarlyHints({ ...textOnly(others), link: String(link).split(/,\s*(?=<)/) });
  }
}

function textOnly(headers: IncomingMessage["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

function passAnswer(answer: IncomingMessage, response: ServerResponse): void {
  writeAnswerHead(response, answer);
  let begun = false;
  answer.on("data", (bytes: Buffer) => {
    begun = true;
    if (!response.write(bytes)) answer.pause();
  });
  response.on("drain", () => answer.resume());
  answer.once("end", () => {
    begun = true;
    if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers));
    response.end();
  });
  answer.once("error", () => breakOff(response));
  // A head whose body comes later goes out alone, as the app has sent it.
  setImmediate(() => {
    if (!begun && !response.destroyed) response.flushHeaders();
  });
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? "", raw[index + 1] ?? ""]);
  return list;
}

/** So that the client notices that the answer was cut. */
function breakOff(response: ServerResponse): void {
  const { socket } = response;
  const { stream } = response as { stream?: ServerHttp2Stream };
  if (stream !== undefined) stream.close(HTTP2_INTERNAL_ERROR);
  else if (socket !== null) resetAtOnce(socket);
}

const HTTP2_INTERNAL_ERROR = 2;

function fail(error: unknown, response: ServerResponse, next: Next | undefined, pages: OwnPages): void {
  if (response.destroyed) return;
  const known = error instanceof Refusal ? refusalError(error.page) : error;
  if (next !== undefined) next(known);
  else if (response.headersSent) breakOff(response);
  else
    pages.answer(
      response,
      error instanceof Refusal ? error.page : { status: 500, text: `unreloader: ${errorText(error)}\n` },
    );
}

function addressesOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): Addresses {
  return { remoteAddress, remotePort, localAddress, localPort };
}

function hasHttp2Body(incoming: IncomingMessage): boolean {
  return (incoming as IncomingMessage & { stream?: ServerHttp2Stream }).stream?.endAfterHeaders === false;
}

function bodyWasRead({ method, url }: IncomingMessage): UnreloaderError {
  return new UnreloaderError(
    "ERR_UNRELOADER_BODY_READ",
    `the body of ${method} ${url} was read before supervisor.handler got the request, so the app cannot have it: ` +
      "mount the handler before what parses bodies (express.json(), koa-bodyparser, Fastify's content type parsers)",
  );
}
