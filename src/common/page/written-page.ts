/**
 * A page that the supervisor says in place of the app, written down in every form that somebody may ask for, and which of
 * them a request gets. Both threads say pages: within a TLS or HTTP/2 session only the worker can.
 */
import { hashSource } from "../compile/hash.js";
import { visibleLines } from "../visible-text.js";
import { type PageForm, wantedForm } from "./accept.js";
import { escapeHtml } from "./escape-html.js";

export type PageTexts = Readonly<Record<PageForm, string>>;

export interface WrittenPage {
  readonly status: number;
  /** Another one when something else is said: a page in a browser looks for that. */
  readonly id: string;
  /** For clients on this machine: with the source, paths and messages. */
  readonly details: PageTexts;
  /** For all others. */
  readonly brief: PageTexts;
  /** What the details in HTML may load and run. */
  readonly policy: string;
}

export interface PageRequest {
  readonly method: string | undefined;
  readonly accept: string | undefined;
  /** The connection comes from this machine. */
  readonly isLocal: boolean;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

/** Names the page in every answer that is one. */
export const PAGE_HEADER = "x-unreloader-page";

const CONTENT_TYPES: PageTexts = {
  text: "text/plain; charset=utf-8",
  html: "text/html; charset=utf-8",
  json: "application/json; charset=utf-8",
};

/** What asks for the page again by itself where no script runs. Not for a request that changes something. */
export const COMES_BACK = '<meta http-equiv="refresh" content="2">';
/** On the root of the details: it may be asked for again. */
const MAY_REPEAT = ' data-repeat="yes"';

export function answerOf(page: WrittenPage, { method, accept, isLocal }: PageRequest): PageAnswer {
  const form = wantedForm(accept);
  const text = (isLocal ? page.details : page.brief)[form];
  const isSafe = method === undefined || method === "GET" || method === "HEAD";
  const body = form === "html" && !isSafe ? text.replace(COMES_BACK, "").replace(MAY_REPEAT, "") : text;
  return {
    status: page.status,
    headers: {
      "content-type": CONTENT_TYPES[form],
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-store",
      vary: "Accept",
      "x-content-type-options": "nosniff",
      [PAGE_HEADER]: page.id,
      ...(page.status === 503 && { "retry-after": "1" }),
      ...(form === "html" && {
        "content-security-policy": isLocal ? page.policy : briefPolicy(),
        "referrer-policy": "no-referrer",
      }),
    },
    body,
  };
}

/** A page without anything that only this machine may see. */
export function plainPage(status: number, text: string): WrittenPage {
  const shown = visibleLines(text);
  const texts = briefTexts(status, shown, shown);
  return { status, id: pageId([status, shown]), details: texts, brief: texts, policy: briefPolicy() };
}

/** What everybody may know. `text`: with a line feed at its end. */
export function briefTexts(status: number, text: string, message = text): PageTexts {
  return {
    text,
    html: briefHtml(status, message),
    json: `${JSON.stringify({ status, error: { message: message.trimEnd() } })}\n`,
  };
}

export function pageId(parts: readonly unknown[]): string {
  return hashSource(Buffer.from(JSON.stringify(parts))).slice(0, 16);
}

/** The source of a style or script that stands in a page, for its policy. */
export function sourceHash(text: string): string {
  return `'sha256-${Buffer.from(hashSource(Buffer.from(text)), "hex").toString("base64")}'`;
}

export interface HtmlPage {
  readonly title: string;
  readonly style: string;
  /** Attributes of the root. */
  readonly root?: string;
  /** What comes last in the head. */
  readonly head?: string;
  readonly body: string;
}

/** `title` is escaped here. */
export function htmlPage({ title, style, root = "", head = "", body }: HtmlPage): string {
  return `<!doctype html>
<html lang="en"${root}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
${head}</head>
<body>
${body}
</body>
</html>
`;
}

/** Attributes for the root of details, which `answerOf` takes back where the request may not be sent again. */
export function rootAttributes(status: number, id: string, mayRepeat: boolean): string {
  return ` data-status="${status}" data-page="${id}"${mayRepeat ? MAY_REPEAT : ""}`;
}

/** What has killed the worker would do so again. */
export function comesBack(status: number): boolean {
  return status !== 502;
}

const BRIEF_STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:38em;margin:12vh auto;padding:0 1em;background:Canvas;color:CanvasText}h1{font-size:1.25em}p{white-space:pre-wrap;overflow-wrap:anywhere}";
const briefPolicy = () =>
  `default-src 'none'; style-src ${sourceHash(BRIEF_STYLE)}; base-uri 'none'; form-action 'none'`;

function briefHtml(status: number, message: string): string {
  return htmlPage({
    title: `${status} - unreloader`,
    style: BRIEF_STYLE,
    head: comesBack(status) ? `${COMES_BACK}\n` : "",
    body: `<main>\n<h1>${status}</h1>\n<p>${escapeHtml(message.trimEnd())}</p>\n</main>`,
  });
}
