/** Writes a page of the supervisor's own down, in every form that somebody may ask for. */
import { readFileSync } from "node:fs";
import { attempt } from "../common/attempt.js";
import { escapeHtml } from "../common/page/escape-html.js";
import { OWN_PATH } from "../common/page/own-paths.js";
import {
  briefTexts,
  COMES_BACK,
  comesBack,
  htmlPage,
  pageId,
  rootAttributes,
  sourceHash,
  type WrittenPage,
} from "../common/page/written-page.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import { visibleLines } from "../common/visible-text.js";
import { headingOf } from "../reports/failure-lines.js";
import { browserText } from "./browser-texts.js";
import { agePart, circumstances, errorParts, type HtmlStyle, writtenPart } from "./failure-html.js";
import type { OwnPage } from "./own-page.js";
import { pageJson } from "./page-json.js";

/** Larger files are shown as far as the error has them. */
const READ_BYTES = 1_000_000;

/** Page -> what was written; for as long as somebody has the page. */
const written = new WeakMap<OwnPage, WrittenPage>();

export interface PageStyle {
  readonly cwd: string;
  /** Whether the supervisor answers below `OWN_PATH`. */
  readonly hasPanel: boolean;
}

export function writePage(page: OwnPage, style: PageStyle): WrittenPage {
  const known = written.get(page);
  if (known !== undefined) return known;
  const id = idOf(page);
  const made: WrittenPage = {
    status: page.status,
    id,
    details: { text: visibleLines(page.text), html: detailsHtml(page, id, style), json: pageJson(page, id) },
    brief: briefTexts(page.status, BRIEF[page.status]),
    policy: detailsPolicy(),
  };
  written.set(page, made);
  return made;
}

const NOT_HERE = "The machine that it runs on is shown more.\n";
const BRIEF: Readonly<Record<OwnPage["status"], string>> = {
  500: `The app cannot answer: its newest code has an error. ${NOT_HERE}`,
  502: `The app's worker ended before it answered this request. ${NOT_HERE}`,
  503: `The app cannot answer now: it is being started, reloaded or closed. Nothing of this request has reached it. ${NOT_HERE}`,
  504: `The app is busy and answers nothing. ${NOT_HERE}`,
};

/** The same as long as the same is said: of one that is blocked or held the time is left out. */
function idOf({ status, text, error, failure }: OwnPage): string {
  if (status === 503 || status === 504) return pageId([status, error?.code, error?.location]);
  return pageId([status, text, failure?.report.generation]);
}

const TITLES: Readonly<Record<OwnPage["status"], string>> = {
  500: "The newest code does not work",
  502: "The worker ended before it answered",
  503: "The app cannot answer yet",
  504: "The app is blocked",
};

function detailsHtml(page: OwnPage, id: string, { cwd, hasPanel }: PageStyle): string {
  const { status, error, failure, lastLines = [] } = page;
  const style: HtmlStyle = { cwd, openAt: hasPanel ? OWN_PATH : undefined, read: readText };
  const message = error?.message ?? page.text.trimEnd();
  const name = error && nameOf(status, error);
  const where = error?.location;
  const body = `<form method="post" class="page">
<header>
<p class="status"><span>${status}</span> ${escapeHtml(TITLES[status])} <button type="button" id="copy" hidden>Copy as text</button></p>
<h1>${name === undefined ? "" : `${escapeHtml(name)}: `}<span class="message">${escapeHtml(message)}</span></h1>
${failure ? agePart(failure.age, failure.report, style) : ""}</header>
<main>
${error ? errorParts(error, style) : ""}${failure ? circumstances(failure, style) : nextPart(page)}${writtenPart(lastLines)}</main>
<footer><p id="now" role="status">${escapeHtml(page.isLast ? ENDS : NEXT[status])}</p>${hasPanel ? PANEL_LINK : ""}</footer>
</form>
<pre id="text" hidden>${escapeHtml(visibleLines(page.text))}</pre>
<script>${browserText("failure-page.js")}</script>`;
  return htmlPage({
    title: `${status} ${where ? `${visibleLines(message).split("\n", 1)[0]} - ` : ""}unreloader`,
    style: browserText("failure-page.css"),
    root: `${rootAttributes(status, id, comesBack(status))}${hasPanel ? ` data-own="${OWN_PATH}"` : ""}`,
    head: comesBack(status) ? `<noscript>${COMES_BACK}</noscript>\n` : "",
    body,
  });
}

/** What kind of error it is, where the message does not say so: what has thrown, or what of ours has failed. */
function nameOf(status: OwnPage["status"], error: SerializedError): string | undefined {
  if (status === 500) return headingOf(error) === "EvaluationError" ? error.name : headingOf(error);
  return status === 502 && !error.code?.startsWith("ERR_UNRELOADER") ? error.name : undefined;
}

const NEXT: Readonly<Record<OwnPage["status"], string>> = {
  500: "Waits for a save that mends it, and comes back by itself.",
  502: "A fresh worker follows. Send the request again when it should run again.",
  503: "Comes back by itself when the app answers.",
  504: "Comes back by itself when the app answers; a save takes a fresh worker.",
};

const PANEL_LINK = `<p><a href="${OWN_PATH}">All modules, reloads and errors</a></p>`;
const ENDS = "The app has come to its end, and unreloader with it.";

/** The rest of the text where there is no report: what to do next. */
function nextPart({ status, text, error }: OwnPage): string {
  // What is to be done stands below.
  if (status === 502 && error) return "";
  const rest = error === undefined ? "" : text.replace(error.message, "").trim();
  const hasFrame = error?.frame !== undefined;
  const last = hasFrame ? (rest.split("\n\n").at(-1) ?? "") : rest;
  return last.replace(/[.:\s]/g, "") === ""
    ? ""
    : `<section>\n<p class="next">${escapeHtml(last.replace(/^[.:\s]+/, ""))}</p>\n</section>\n`;
}

function readText(file: string): string | undefined {
  const text = attempt(() => readFileSync(file, "utf8"));
  return text === undefined || text.length > READ_BYTES ? undefined : text;
}

function detailsPolicy(): string {
  const style = sourceHash(browserText("failure-page.css"));
  const script = sourceHash(browserText("failure-page.js"));
  return `default-src 'none'; style-src ${style}; script-src ${script}; connect-src 'self'; form-action 'self'; base-uri 'none'`;
}
