import type { Entry } from "./entries.ts";
import type { Facts } from "./facts.ts";
import { accent, greeting } from "./greeting.ts";
import { html, type Markup } from "./html.ts";
import { styles } from "./styles.ts";

export function page(entries: readonly Entry[], facts: Facts): string {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${greeting}</title>
    <style>${styles(accent)}</style>
  </head>
  <body>
    <main>
      <h1>${greeting}</h1>
      ${factList(facts)}
      ${form()}
      ${entries.length === 0 ? html`<p class="empty">Nobody has written yet. Be the first.</p>` : entries.map(entryCard)}
    </main>
  </body>
</html>`.text;
}

function factList(facts: Facts): Markup {
  const rows: readonly (readonly [string, string])[] = [
    ["Process", String(facts.pid)],
    ["Running for", duration(facts.uptimeSeconds)],
    ["Database opened at", clock(facts.databaseOpenedAt)],
    ["Opening it took", `${facts.databaseTookMs} ms`],
    ["Greeting loaded at", clock(facts.greetingLoadedAt)],
    ["Versions of it so far", String(facts.versions)],
    ["Visits", String(facts.visits)],
    ["Entries", String(facts.entries)],
  ];
  return html`<dl>${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function form(): Markup {
  return html`<form method="post" action="/entries">
        <input name="name" aria-label="Your name" placeholder="Your name" maxlength="40" required>
        <input name="message" aria-label="Your message" placeholder="Your message" maxlength="280" required>
        <button>Sign</button>
      </form>`;
}

function entryCard(entry: Entry): Markup {
  return html`<article>
        <p>${entry.message}</p>
        <footer>${entry.name}, <time>${entry.writtenAt.toLocaleString("en-GB")}</time></footer>
      </article>`;
}

function clock(moment: Date): string {
  return moment.toLocaleTimeString("en-GB");
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}
