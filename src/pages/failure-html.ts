/** The details of a failure as the parts of an HTML page. What is the app's (names, messages, source) is escaped. Pure. */
import { escapeHtml } from "../common/page/escape-html.js";
import { shownPath } from "../common/paths.js";
import type { SerializedError, SourceLocation } from "../common/protocol/serialized-error.js";
import type { FailureReport } from "../reports/report.js";
import type { FailureAge, PageFailure } from "./own-page.js";
import { excerptAt, type SourceExcerpt, sourceExcerpt } from "./source-excerpt.js";
import type { Token } from "./source-tokens.js";
import { groupFrames, type StackFrame, stackFrames } from "./stack-frames.js";

export interface HtmlStyle {
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  /** What a press on a place is posted to, so that an editor opens it; undefined: nothing is. */
  readonly openAt: string | undefined;
  /** What a file holds now; undefined when it cannot be read. */
  readonly read: (file: string) => string | undefined;
}

const NAMED_CHANGES = 3;
/** Frames of a stack whose source is shown. */
const FRAME_SOURCES = 8;

/** The error itself with its source, its causes and its stack. */
export function errorParts(error: SerializedError, style: HtmlStyle): string {
  const parts = [sourcePart(error, style)];
  for (let cause = error.cause; cause !== undefined; cause = cause.cause) parts.push(causePart(cause, style));
  parts.push(stackPart(error, style));
  return parts.join("");
}

/** Whether the last edit has brought it. */
export function agePart(age: FailureAge | undefined, { changed }: FailureReport, { cwd }: HtmlStyle): string {
  if (age === undefined) return "";
  if (!age.isNew) {
    const since = age.sinceGeneration === 0 ? "" : `, since generation ${age.sinceGeneration} was loaded`;
    return `<p class="age">Was there before your last edit${since}.</p>\n`;
  }
  const files = changed.slice(0, NAMED_CHANGES).map((file) => `<code>${escapeHtml(shownPath(file, cwd))}</code>`);
  const more = changed.length > files.length ? ` and ${changed.length - files.length} more` : "";
  return `<p class="age new">New since your last edit${files.length > 0 ? `: ${files.join(", ")}${more}` : ""}.</p>\n`;
}

/** Who imports it, what still works, what the app wrote last. */
export function circumstances({ report, onError }: PageFailure, style: HtmlStyle): string {
  const { error, importedBy, lastLines = [] } = report;
  const chain = [...(error.location ? [error.location.file] : []), ...importedBy];
  const links = chain.map((file) => `<li>${placeLink(file, { file, line: 1, column: 1 }, style)}</li>`).join("");
  const imported = chain.length < 2 ? "" : section("Imported by", `<ol class="chain">${links}</ol>`);
  const works = section("What works", `<p>${escapeHtml(whatWorks(report, onError))}</p>`);
  return `${imported}${works}${writtenPart(lastLines)}`;
}

/** What the app wrote last. */
export function writtenPart(lastLines: readonly string[]): string {
  const lines = escapeHtml(lastLines.join("\n"));
  return lines === "" ? "" : section("The app's last lines", `<pre class="lines" tabindex="0">${lines}</pre>`);
}

function whatWorks({ generation, gone, error }: FailureReport, onError: PageFailure["onError"]): string {
  if (generation === 0) return "Nothing has been loaded yet: all requests get this page until the error is mended.";
  const ended = error.code === "ERR_UNRELOADER_WORKER_EXIT";
  if (gone || ended)
    return `The worker of generation ${generation} has ended: all requests get this page until a file is saved.`;
  if (onError === "last-good") return `Generation ${generation} goes on answering requests.`;
  return `Generation ${generation} is whole and goes on with what it has begun; new requests get this page until the error is mended. (--on-error last-good: it would answer them.)`;
}

function section(title: string, body: string): string {
  return `<section>\n<h2>${title}</h2>\n${body}\n</section>\n`;
}

function sourcePart({ location, frame }: SerializedError, style: HtmlStyle): string {
  if (location === undefined) return "";
  const excerpt = sourceExcerpt(frame, location, frame === undefined ? undefined : style.read(location.file));
  const place = placeLink(
    `${shownPath(location.file, style.cwd)}:${location.line}:${location.column}`,
    location,
    style,
  );
  return `<figure class="source">\n<figcaption>${place}</figcaption>\n${excerpt ? excerptPart(excerpt) : ""}</figure>\n`;
}

function excerptPart({ lines, indent }: SourceExcerpt, isFocusable = true): string {
  const width = String(lines.at(-1)?.number ?? 0).length;
  const rows = lines.map(({ number, isMarked, tokens }) => {
    const code = `<i>${String(number).padStart(width)}</i> ${tokens.map(tokenPart).join("")}`;
    if (!isMarked) return `<span class="line">${code}\n</span>`;
    const caret = `<i>${" ".repeat(width)}</i> ${escapeHtml(indent)}<b>^</b>`;
    return `<span class="line marked">${code}\n${caret}\n</span>`;
  });
  return `<pre${isFocusable ? ' tabindex="0"' : ""}><code>${rows.join("")}</code></pre>\n`;
}

function tokenPart({ kind, text }: Token): string {
  const shown = escapeHtml(text);
  return kind === "other" || kind === "name" ? shown : `<span class="${kind}">${shown}</span>`;
}

function causePart(cause: SerializedError, style: HtmlStyle): string {
  const title = `<h3>Caused by: <span class="message">${escapeHtml(`${cause.name}: ${cause.message}`)}</span></h3>\n`;
  const stack = cause.stack === undefined ? "" : framesPart(stackFrames(cause.stack), cause.location, style);
  return `<section class="cause">\n${title}${sourcePart(cause, style)}${stack}</section>\n`;
}

function stackPart({ stack, location }: SerializedError, style: HtmlStyle): string {
  const frames = framesPart(stackFrames(stack), location, style);
  return frames === "" ? "" : section("Stack", frames);
}

/** What is the app's own is shown, with its source to be opened but for `shown`, which is there already; the rest can be opened. */
function framesPart(frames: readonly StackFrame[], shown: SourceLocation | undefined, style: HtmlStyle): string {
  let sources = FRAME_SOURCES;
  const sourceOf = ({ of, location }: StackFrame): string => {
    if (of.type !== "own" || location === undefined || isSamePlace(location, shown) || sources-- <= 0) return "";
    const excerpt = excerptAt(location, style.read(location.file));
    return excerpt === undefined ? "" : excerptPart(excerpt, false);
  };
  return groupFrames(frames)
    .map((group) => {
      const list = `<ol class="stack">${group.map((frame) => framePart(frame, sourceOf(frame), style)).join("")}</ol>`;
      if (group[0]?.of.type === "own") return `${list}\n`;
      return `<details><summary>${escapeHtml(ownersOf(group))}</summary>${list}</details>\n`;
    })
    .join("");
}

function ownersOf(frames: readonly StackFrame[]): string {
  const names = new Set(frames.map(({ of }) => (of.type === "package" ? of.name : "Node.js")));
  return `${frames.length} ${frames.length === 1 ? "call" : "calls"} in ${[...names].join(", ")}`;
}

function isSamePlace(one: SourceLocation, other: SourceLocation | undefined): boolean {
  return one.file === other?.file && one.line === other.line;
}

/** `source`: in HTML; empty: it is not shown. */
function framePart({ call, location, place }: StackFrame, source: string, style: HtmlStyle): string {
  const where =
    location === undefined
      ? `<code>${escapeHtml(place)}</code>`
      : placeLink(`${shownPath(location.file, style.cwd)}:${location.line}:${location.column}`, location, style);
  const text = `${call === "" ? "" : `<span class="call">${escapeHtml(call)}</span> `}${where}`;
  return source === ""
    ? `<li>${text}</li>`
    : `<li><details class="frame"><summary>${text}</summary>${source}</details></li>`;
}

/** A press on it opens an editor: a post, which no other site can send, and which leaves the page as it is. */
function placeLink(text: string, { file, line, column }: SourceLocation, { cwd, openAt }: HtmlStyle): string {
  const shown = escapeHtml(text === file ? shownPath(file, cwd) : text);
  if (openAt === undefined) return `<code>${shown}</code>`;
  const at = escapeHtml(`${openAt}?open=${encodeURIComponent(`${file}:${line}:${column}`)}`);
  return `<button class="place" formaction="${at}" title="Open in the editor"><code>${shown}</code></button>`;
}
