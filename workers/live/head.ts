/** Which answers get a script at their end, and what their head says then. Pure. */
import type { OutgoingHttpHeaders } from "node:http";
import { policyWith } from "./policy.js";

export interface Addition {
  /** Bytes that are added to the body. */
  readonly bytes: number;
  /** Of the script, as a source of a Content-Security-Policy. */
  readonly hash: string;
}

/** What is signed or digested, or a part of something: more bytes would break it. */
const OF_THESE_BYTES = ["content-range", "content-md5", "digest", "content-digest", "repr-digest", "signature"];

/** The head of an answer in HTTP/1 as it is sent with the addition; undefined: nothing is added to this one. */
export function headWith(head: string, addition: Addition): string | undefined {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(statusLine)?.[1]);
  const fields = lines.map((line) => fieldOf(line));
  const value = (name: string): string => fields.find((field) => field?.name === name)?.value ?? "";
  if (!takesMore(status, value)) return undefined;
  const changed: string[] = [statusLine];
  for (const [index, line] of lines.entries()) {
    const field = fields[index];
    const shown = field && valueWith(field.name, field.value, addition);
    if (field && shown === undefined) return undefined;
    changed.push(field && shown !== field.value ? `${line.slice(0, line.indexOf(":"))}: ${shown}` : line);
  }
  return changed.join("\r\n");
}

/** The same of headers in HTTP/2. */
export function headersWith(headers: OutgoingHttpHeaders, addition: Addition): OutgoingHttpHeaders | undefined {
  const known = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const value = (name: string): string => String(known.get(name) ?? "");
  if (!takesMore(Number(known.get(":status") ?? 200), value)) return undefined;
  const changed: OutgoingHttpHeaders = { ...headers };
  for (const [name, given] of Object.entries(headers)) {
    if (!CHANGED.has(name.toLowerCase())) continue;
    const values = (Array.isArray(given) ? given : [String(given)]).map((each) =>
      valueWith(name.toLowerCase(), each, addition),
    );
    if (values.includes(undefined)) return undefined;
    changed[name] = Array.isArray(given) ? (values as string[]) : values[0];
  }
  return changed;
}

/** Headers that would not be true any more. */
const CHANGED = new Set(["content-length", "content-security-policy"]);

/** Undefined: this one forbids it. */
function valueWith(name: string, value: string, { bytes, hash }: Addition): string | undefined {
  if (name === "content-length") return String(Number(value) + bytes);
  return name === "content-security-policy" ? policyWith(value, hash) : value;
}

function takesMore(status: number, value: (name: string) => string): boolean {
  if (!hasWholeBody(status) || !isPlainHtml(value("content-type"))) return false;
  if (!/^(?:identity)?$/i.test(value("content-encoding")) || value("content-length") === "0") return false;
  if (/\bno-transform\b/i.test(value("cache-control"))) return false;
  if (/^\s*attachment/i.test(value("content-disposition"))) return false;
  return OF_THESE_BYTES.every((name) => value(name) === "");
}

function fieldOf(line: string): { readonly name: string; readonly value: string } | undefined {
  const colon = line.indexOf(":");
  if (colon <= 0) return undefined;
  return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
}

/** A browser shows it, and it is no part. */
function hasWholeBody(status: number): boolean {
  return (status >= 200 && status < 300 && ![204, 205, 206].includes(status)) || status >= 400;
}

/** In an encoding in which ASCII is ASCII. */
function isPlainHtml(type: string): boolean {
  return /^text\/html\s*(?:;|$)/i.test(type) && !/charset\s*=\s*"?utf-?(?:16|32)/i.test(type);
}
