/** What runs in browsers: it is built from src/browser/, and stands in the pages as it is. */
import { readFileSync } from "node:fs";
import path from "node:path";

export type BrowserText = "failure-page.js" | "failure-page.css" | "panel.js" | "panel.css" | "live.js";

/** Read once; for as long as the process lives. */
const texts = new Map<BrowserText, string>();

export function browserText(name: BrowserText): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(path.join(import.meta.dirname, "../browser", name), "utf8").trim();
  texts.set(name, text);
  return text;
}
