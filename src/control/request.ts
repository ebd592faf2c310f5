/** A request to the app for a command line: its whole answer as plain data. */
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from "node:http";
import { WAIT_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import { PAGE_HEADER } from "../common/page/written-page.js";
import { wait } from "../common/wait.js";
import { type Entrance, Refusal } from "../front/entrance.js";
import { type Answered, type CommandArguments, CommandError, type ExitCode } from "./commands.js";

export interface RequestParts {
  readonly entrance: Pick<Entrance, "admit" | "connect">;
  generation(): number;
}

/** Of a body that is longer, or does not end, the beginning is given. */
const MOST_BYTES = 4 * 2 ** 20;
/** This process is its own client. */
const LOOPBACK = { remoteAddress: "127.0.0.1", remotePort: 0, localAddress: "127.0.0.1", localPort: 0 };

export interface RequestAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  /** A text, or base64. */
  readonly body: string;
  readonly encoding: "utf8" | "base64";
  /** There was more, or it had not ended in time. */
  readonly isCut: boolean;
  /** The supervisor has answered, since the app could not. */
  readonly isOwn: boolean;
  /** The generation that has answered. */
  readonly generation: number;
  readonly durationMs: number;
}

export async function requested(
  { entrance, generation }: RequestParts,
  { method, url, headers = [], body, timeoutMs = WAIT_MS }: CommandArguments<"request">,
  gone: AbortSignal,
): Promise<Answered> {
  const started = performance.now();
  const target = targetOf(url);
  const signal = AbortSignal.any([gone, AbortSignal.timeout(timeoutMs)]);
  const late = new CommandError(`${method} ${url} was not answered in ${timeoutMs} ms`, 4);
  const answered = (
    by: number,
    head: Pick<RequestAnswer, "status" | "statusText" | "headers">,
    read: Read,
  ): RequestAnswer => ({
    ...head,
    ...read,
    generation: by,
    durationMs: performance.now() - started,
  });
  try {
    const admitted = await wait(entrance.admit(), { signal });
    if (admitted.type !== "settled") throw late;
    const by = generation();
    const port = admitted.value;
    const agent = new Agent();
    agent.createConnection = () => entrance.connect(port, LOOPBACK, false);
    const sent = httpRequest({
      agent,
      method: method.toUpperCase(),
      path: target.pathname + target.search,
      headers: headersOf(headers, target),
      signal,
    });
    const response = await responseOf(sent.end(body));
    const read = await beginningOf(response, signal);
    const { statusCode: status = 0, statusMessage: statusText = "" } = response;
    // A page in place of the app: its worker has died, is blocked, or says in a session what the gate says.
    const isOwn = response.headers[PAGE_HEADER] !== undefined;
    const head = { status, statusText, headers: response.headers };
    return { answer: answered(by, head, { ...read, isOwn }), ...(isOwn && { exitCode: exitCodeOf(status) }) };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (signal.aborted) throw late;
    if (!(error instanceof Refusal)) throw new CommandError(`${method} ${url}: ${errorText(error)}`);
    const { status, text } = error.page;
    const read = { body: text, encoding: "utf8", isCut: false, isOwn: true } as const;
    const head = { status, statusText: STATUS_CODES[status] ?? "", headers: {} };
    return { answer: answered(generation(), head, read), exitCode: exitCodeOf(status) };
  }
}

/** Of a page in place of the app. */
function exitCodeOf(status: number): ExitCode {
  return status === 503 || status === 504 ? 4 : 3;
}

type Read = Pick<RequestAnswer, "body" | "encoding" | "isCut" | "isOwn">;

/** The host counts only as a header: the request goes to the app. */
function targetOf(url: string): URL {
  try {
    return new URL(url, "http://localhost");
  } catch {
    throw new CommandError(`request: url ${url}: expected a path such as /users?page=2, or a URL`);
  }
}

function headersOf(pairs: readonly (readonly string[])[], { host }: URL): string[] {
  const isGiven = pairs.some(([name]) => name?.toLowerCase() === "host");
  return [...(isGiven ? [] : [["host", host]]), ...pairs].flatMap(([name = "", value = ""]) => [name, value]);
}

function responseOf(sent: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
    sent.once("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response);
    });
  });
}

async function beginningOf(response: IncomingMessage, signal: AbortSignal): Promise<Read> {
  const parts: Buffer[] = [];
  let length = 0;
  let isCut = false;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      isCut = length > MOST_BYTES;
      if (isCut) break;
    }
  } catch (error) {
    if (!signal.aborted || length === 0) throw error;
    isCut = true;
  }
  const bytes = Buffer.concat(parts).subarray(0, MOST_BYTES);
  const text = textOf(bytes);
  const body = text ?? bytes.toString("base64");
  return { body, encoding: text === undefined ? "base64" : "utf8", isCut, isOwn: false };
}

/** Undefined for what is no text. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
