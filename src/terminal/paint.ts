/** The colours of a line. Pure, and after the fact: what a line says is decided elsewhere, and never depends on them. */
import { styleText } from "node:util";

type Style = "bold" | "cyan" | "dim" | "green" | "red" | "yellow";
export type Paint = (style: Style, text: string) => string;

export const paintForTerminal: Paint = (style, text) => styleText(style, text, { validateStream: false });

const OWN = /^(unreloader: )(warning: |error: )?(.*)$/s;
const GOOD = /^(?:reloaded|restarted|swapped)[^(]*(?= \()/;
const BAD = /^(?:start failed|restart failed|reload failed \(.*? kept\)|worker exited|the process ended)/;
/** As it is: this is what scripts look for, and people click on. */
const ADDRESS = /^listening on \S+/;
/** `  requests get    ...`, `  at              ...` */
const ROW = /^( {2}\S.{14} )(?! )(.*)$/s;
const FRAME = /^( {2}(?:> ?| {2})? *\d* \|)(.*)$/s;
/** A URL, `file:line:column`, or what is said by the way. */
const PART =
  /(https?:\/\/[^\s)]*[^\s):;,.])|([^\s:()|]+\.\w+:\d+(?::\d+)?)|(\((?:generation|epoch|\d+ modules) [^)]*\))/g;

/** A line of ours, without control characters. What is none of ours stays as it is: one of `--log-format json`. */
export function paintedLine(line: string, paint: Paint): string {
  const [, prefix, mark, said = ""] = OWN.exec(line) ?? [];
  if (prefix !== undefined) return paint("dim", prefix) + paintedMark(mark, paint) + paintedSaying(said, paint);
  const [, gutter, source = ""] = FRAME.exec(line) ?? [];
  if (gutter !== undefined) return paintedFrame(gutter, source, paint);
  const [, name, value = ""] = ROW.exec(line) ?? [];
  if (name !== undefined) return paint("dim", name) + paintedParts(value, paint);
  return line.startsWith("  ") ? paintedParts(line, paint) : line;
}

function paintedMark(mark: string | undefined, paint: Paint): string {
  if (mark === undefined) return "";
  return paint(mark === "error: " ? "red" : "yellow", mark);
}

function paintedSaying(said: string, paint: Paint): string {
  const [good = ""] = GOOD.exec(said) ?? [];
  const [bad = ""] = BAD.exec(said) ?? [];
  const [address = ""] = ADDRESS.exec(said) ?? [];
  const verdict = good !== "" ? paint("green", good) : bad !== "" ? paint("red", bad) : address;
  return verdict + paintedParts(said.slice(good.length + bad.length + address.length), paint);
}

function paintedFrame(gutter: string, source: string, paint: Paint): string {
  if (gutter.includes(">")) return paint("red", gutter) + source;
  return paint("dim", gutter) + (/^ *\^+$/.test(source) ? paint("red", source) : source);
}

function paintedParts(text: string, paint: Paint): string {
  return text.replace(PART, (part, url?: string, place?: string) =>
    paint(url === undefined && place === undefined ? "dim" : "cyan", part),
  );
}
