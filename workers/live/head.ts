/** Which answers get a script at their end, and what their head says then. Pure. */
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
export function headWith(head: string, { bytes, hash }: Addition): string | undefined {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const fields = lines.map((line) => fieldOf(line));
  const value = (name: string): string => fields.find((field) => field?.name === name)?.value ?? "";
  if (!hasWholeBody(statusLine) || !isPlainHtml(value("content-type"))) return undefined;
  if (!/^(?:identity)?$/i.test(value("content-encoding")) || value("content-length") === "0") return undefined;
  if (/\bno-transform\b/i.test(value("cache-control"))) return undefined;
  if (/^\s*attachment/i.test(value("content-disposition"))) return undefined;
  if (OF_THESE_BYTES.some((name) => value(name) !== "")) return undefined;
  const changed: string[] = [statusLine];
  for (const [index, line] of lines.entries()) {
    const field = fields[index];
    let shown: string | undefined = line;
    if (field?.name === "content-length") shown = line.replace(/\d+/, (count) => String(Number(count) + bytes));
    else if (field?.name === "content-security-policy") {
      const policy = policyWith(field.value, hash);
      if (policy === undefined) return undefined;
      shown = `${line.slice(0, line.indexOf(":"))}: ${policy}`;
    }
    changed.push(shown);
  }
  return changed.join("\r\n");
}

function fieldOf(line: string): { readonly name: string; readonly value: string } | undefined {
  const colon = line.indexOf(":");
  if (colon <= 0) return undefined;
  return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
}

/** A browser shows it, and it is no part. */
function hasWholeBody(statusLine: string): boolean {
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(statusLine)?.[1]);
  return (status >= 200 && status < 300 && ![204, 205, 206].includes(status)) || status >= 400;
}

/** In an encoding in which ASCII is ASCII. */
function isPlainHtml(type: string): boolean {
  return /^text\/html\s*(?:;|$)/i.test(type) && !/charset\s*=\s*"?utf-?(?:16|32)/i.test(type);
}
