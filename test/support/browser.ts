/** Debian's Chromium, driven by playwright-core: for what only shows in a browser. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const file = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why tests in a browser are skipped; false: they are not. */
export const noBrowser: string | false = existsSync(file)
  ? false
  : `there is no Chromium at ${file}: install it, or set CHROMIUM`;

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: file,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
