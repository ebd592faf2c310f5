/** The stack of an error, and what caused it, for people: own code first, what is in packages and Node counted. Pure. */
import { fileURLToPath } from "node:url";
import { isBelowPackages, packageOf, shownPath } from "../common/paths.js";
import type { SerializedError, SourceLocation } from "../common/protocol/serialized-error.js";

interface Frame extends SourceLocation {
  /** The function, as V8 names it; empty at the top of a module. */
  readonly name: string;
}

/** More are counted. */
const OWN_FRAMES = 8;
const CAUSES = 4;
const MESSAGE_LINES = 20;
const NAMED_PACKAGES = 3;

export type Row = readonly [name: string, value: string];

export function shownRow([name, value]: Row): string {
  return `  ${name.padEnd(16)}${value}`;
}

/** Where an error belongs: its place in own code, else the first one that its stack names in a package. */
export function placeOf(error: SerializedError): SourceLocation | undefined {
  return error.location ?? framesOf(error).find(({ file }) => !isNodes(file));
}

/** Rows for what the error's first line does not say. */
export function stackRows(error: SerializedError, cwd: string): Row[] {
  return [...tracedRows(error, cwd), ...causeRows(error, cwd)];
}

function causeRows(error: SerializedError, cwd: string): Row[] {
  const rows: Row[] = [];
  let { cause } = error;
  for (let count = 0; cause !== undefined && count < CAUSES; count++) {
    const place = placeOf(cause);
    const where = place ? ` (${shownLocation(place, cwd)})` : "";
    rows.push(["caused by", `${cause.name}: ${firstLine(cause.message)}${where}`], ...tracedRows(cause, cwd));
    cause = cause.cause;
  }
  return rows;
}

/** None when it says no more than the place of the error. */
function tracedRows(error: SerializedError, cwd: string): Row[] {
  const frames = framesOf(error);
  const own = frames.filter(({ file }) => !isNodes(file) && !isBelowPackages(file));
  const place = placeOf(error);
  const isKnown = own.length === 1 && own[0] && place !== undefined && samePlace(own[0], place);
  const shown = isKnown ? [] : own.slice(0, OWN_FRAMES);
  const rows = shown.map((frame): Row => ["at", shownFrame(frame, cwd)]);
  if (own.length > OWN_FRAMES) rows.push(["at", `${own.length - OWN_FRAMES} more of the app's own`]);
  const packages = frames.filter((frame) => isBelowPackages(frame.file) && !(place && samePlace(frame, place)));
  if (packages.length > 0) rows.push(["through", packagesText(packages)]);
  return rows;
}

/** `12 calls in express, router and 2 more packages` */
function packagesText(frames: readonly Frame[]): string {
  const names = [...new Set(frames.map(({ file }) => packageOf(file)?.name ?? "node_modules"))];
  const others = names.length - NAMED_PACKAGES;
  const more = others > 0 ? ` and ${others} more packages` : "";
  const calls = frames.length === 1 ? "1 call" : `${frames.length} calls`;
  return `${calls} in ${names.slice(0, NAMED_PACKAGES).join(", ")}${more}`;
}

function framesOf({ stack = "" }: SerializedError): Frame[] {
  return stack.split("\n").flatMap((line) => frameOf(line) ?? []);
}

/** `    at name (file:///folder/file.ts:1:2)`, `    at async /folder/file.ts:1:2` */
function frameOf(line: string): Frame | undefined {
  const [, said] = /^\s+at (.*)$/.exec(line) ?? [];
  if (said === undefined) return undefined;
  const [, name = "", place = said] = /^(.*?) \((.*)\)$/.exec(said) ?? [];
  const [, file, row, column] = /^(?:async )?(.+?):(\d+):(\d+)$/.exec(place) ?? [];
  if (file === undefined) return undefined;
  return { name, file: pathOf(file), line: Number(row), column: Number(column) };
}

function pathOf(name: string): string {
  const [bare = ""] = name.split("?", 1);
  return bare.startsWith("file:") && URL.canParse(bare) ? attemptPath(bare) : name;
}

/** One of another machine, or with an encoded slash, is no path here. */
function attemptPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    if (error instanceof TypeError) return url;
    throw error;
  }
}

function isNodes(file: string): boolean {
  return file.startsWith("node:");
}

function samePlace(one: SourceLocation, other: SourceLocation): boolean {
  return one.file === other.file && one.line === other.line && one.column === other.column;
}

function shownFrame(frame: Frame, cwd: string): string {
  const place = shownLocation(frame, cwd);
  return frame.name === "" ? place : `${frame.name} (${place})`;
}

/** As terminals and editors take it: `src/db.ts:12:7`. */
export function shownLocation({ file, line, column }: SourceLocation, cwd: string): string {
  return `${shownPath(file, cwd)}:${line}:${column}`;
}

/** A report's first line stays one line, whatever the app's message holds. */
export function firstLine(message: string): string {
  return message.trim().split(/\r?\n/, 1)[0] ?? "";
}

/** The others, indented, so that none passes for a line of ours. More of them are counted. */
export function furtherLines(message: string): string[] {
  const [, ...lines] = message.trim().split(/\r?\n/);
  const more = lines.length - MESSAGE_LINES;
  return [...lines.slice(0, MESSAGE_LINES), ...(more > 0 ? [`... and ${more} more lines`] : [])].map((line) =>
    `    ${line}`.trimEnd(),
  );
}
