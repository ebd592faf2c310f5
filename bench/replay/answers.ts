/** What is asked after each commit, what is answered, and whether two answers are the same. Pure but for `ask`. */
import http from "node:http";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** `failure`: why nothing came. */
export type Answer =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly failure: string };

export interface Comparison {
  /** Names of headers, in lower case, that are compared. */
  readonly headers: readonly string[];
  /** What they match is the same, whatever it is. */
  readonly masks: readonly RegExp[];
}

/** Times and ids that nobody would expect to be the same twice. */
export const USUAL_MASKS: readonly RegExp[] = [
  /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/g,
  /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .{5,12}\d{4} \d\d:\d\d:\d\d(?: GMT(?:[+-]\d{4})?)?(?: \([^)]*\))?/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b1[5-9]\d{8}(?:\d{3}(?:\.\d+)?)?\b/g,
];

/**
 * Frames of a stack that are no own code's, in text, JSON or HTML: source maps of packages, and what lies below the app's
 * own frames, are the runner's.
 */
const FOREIGN_FRAMES =
  /(?:\n|\\n|<br> ?)(?:\s|&nbsp;)*at (?:(?!\n|\\n|<br>|<\/|").)*(?:node_modules|node:|<anonymous>|&lt;anonymous&gt;)(?:(?!\n|\\n|<br>|<\/|").)*/g;

/**
 * A list of requests: JSON (`[{ "method", "path", "headers", "body" }]`, all but `path` optional), or one a line:
 * `GET /path`, `POST /path {"a":1}`; empty lines and those that begin with # say nothing. @throws Error naming the line.
 */
export function parseRequests(text: string): Request[] {
  if (text.trimStart().startsWith("[")) return (JSON.parse(text) as unknown[]).map(requestOf);
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map(parseLine);
}

export function get(path: string): Request {
  return { method: "GET", path, headers: {}, body: undefined };
}

function parseLine(line: string): Request {
  const [, method = "", path = "", body] = /^([A-Z]+)\s+(\/\S*)(?:\s+(.+))?$/.exec(line) ?? [];
  if (method === "") throw new Error(`no request: ${line} (what fits: METHOD /path [BODY])`);
  const headers = body === undefined ? {} : { "content-type": /^[[{]/.test(body) ? JSON_TYPE : FORM_TYPE };
  return { method, path, headers: { ...headers }, body };
}

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

function requestOf(value: unknown): Request {
  const { method = "GET", path, headers = {}, body } = value as Partial<Record<string, unknown>>;
  if (typeof path !== "string" || !path.startsWith("/"))
    throw new Error(`no request: ${JSON.stringify(value)} (what fits: an object with a path that begins with /)`);
  const isText = body === undefined || typeof body === "string";
  const given = Object.entries(headers as object).map(([name, text]) => [name.toLowerCase(), String(text)]);
  return {
    method: String(method),
    path,
    headers: { ...(!isText && { "content-type": JSON_TYPE }), ...Object.fromEntries(given) },
    body: isText ? body : JSON.stringify(body),
  };
}

/** Asks on a connection of its own; never rejects. */
export function ask(port: number, { method, path, headers, body }: Request, deadlineMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ failure: error.message });
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const options = { host: "127.0.0.1", port, method, path, headers: { ...headers, ...length }, agent: false };
    const signal = AbortSignal.timeout(deadlineMs);
    const request = http.request({ ...options, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", fail).on("end", () => {
        const named = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(named), body: text });
      });
    });
    request.on("error", (error) => fail(signal.aborted ? new Error(`no answer within ${deadlineMs} ms`) : error));
    request.end(body);
  });
}

/** The answer with what the two apps differ in by themselves taken out: their port, their folder. */
export function neutral(answer: Answer, { port, folder }: { port: number; folder: string }): Answer {
  if ("failure" in answer) return answer;
  const clean = (text: string) =>
    text
      .replaceAll(`file://${folder}`, "<folder>")
      .replaceAll(folder, "<folder>")
      .replaceAll(new RegExp(`:${port}\\b`, "g"), ":<port>");
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, clean(value)]);
  return { ...answer, headers: Object.fromEntries(headers), body: clean(answer.body) };
}

/** The part of an answer that counts, as text. Two are the same when their texts are. */
export function comparedText(answer: Answer, { headers, masks }: Comparison): string {
  if ("failure" in answer) return `no answer: ${answer.failure}`;
  const rows = headers.flatMap((name) => (name in answer.headers ? [`${name}: ${answer.headers[name]}`] : []));
  const text = [String(answer.status), ...rows, "", answer.body.replaceAll(FOREIGN_FRAMES, "")].join("\n");
  return masks.reduce((masked, mask) => masked.replaceAll(mask, "<masked>"), text);
}
