/** In the app's own pages, with `--live`: loads the page again when other code would answer. Leaves nothing in the page. */
import type { LiveFiles, LiveNews } from "../panel/live-news.js";

const EVENTS = "/__unreloader/events?live";
/** What it leaves for itself on the page that follows. */
const STORED = "unreloader-live";

interface Stored {
  readonly href: string;
  /** Why it was loaded again. */
  readonly why: string;
  /** Where the page was scrolled to; absent once it is there again. */
  readonly place?: readonly [x: number, y: number];
}

const { currentScript } = document;
/** Of the code that has answered. */
let version = currentScript?.dataset.unreloader ?? "";
// Frameworks compare the page with what they have rendered.
currentScript?.remove();

const before = take();
let news: EventSource | undefined;
let swaps = 0;

function take(): Stored | undefined {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORED) ?? "null") as Stored | null;
    if (stored?.href !== location.href) return undefined;
    store({ href: stored.href, why: stored.why });
    return stored;
  } catch {
    // The page has no storage.
    return undefined;
  }
}

function store(stored: Stored): void {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(stored));
  } catch {
    // Then the browser alone keeps the place.
  }
}

function reload(why: string): void {
  stop();
  store({ href: location.href, why, place: [scrollX, scrollY] });
  location.reload();
}

/** `isFirst`: told at the beginning, and not when it happened. */
function learn({ version: now, failed, changed }: LiveNews, isFirst: boolean): void {
  const why = `${version} ${now} ${failed}`;
  if (now === version && !failed) return;
  if (!failed && changed && changed.length > 0 && changed.every((name) => sheetsOf(name).length > 0)) swap(changed);
  // Once is enough where the same page comes again: from a cache, from another server of the app.
  else if (!isFirst || before?.why !== why) reload(why);
  version = now;
}

function learnFiles({ files }: LiveFiles): void {
  if (files.every((name) => name.toLowerCase().endsWith(".css"))) swap(files);
  else reload("files");
}

function sheetsOf(name: string): HTMLLinkElement[] {
  return sheets().filter(({ href }) => new URL(href).pathname.endsWith(`/${encodeURI(name)}`));
}

function sheets(): HTMLLinkElement[] {
  return [...document.querySelectorAll<HTMLLinkElement>("link[rel~=stylesheet][href]")].filter(
    ({ href }) => new URL(href).origin === location.origin,
  );
}

/** The old sheet stays until the new one is there. What another sheet imports is part of that one: then all are loaded. */
function swap(names: readonly string[]): void {
  const found = names.flatMap(sheetsOf);
  for (const old of found.length > 0 ? found : sheets()) {
    const next = old.cloneNode() as HTMLLinkElement;
    const url = new URL(old.href);
    url.searchParams.set("unreloader", String(++swaps));
    next.href = url.href;
    for (const event of ["load", "error"]) next.addEventListener(event, () => old.remove(), { once: true });
    old.after(next);
  }
}

function listen(): void {
  let isFirst = true;
  news = new EventSource(EVENTS);
  news.addEventListener("open", () => {
    isFirst = true;
  });
  news.addEventListener("live", ({ data }) => {
    learn(JSON.parse(data as string) as LiveNews, isFirst);
    isFirst = false;
  });
  news.addEventListener("files", ({ data }) => learnFiles(JSON.parse(data as string) as LiveFiles));
}

function stop(): void {
  news?.close();
  news = undefined;
}

function scrollBack(): void {
  if (before?.place) scrollTo(...before.place);
}

if (!(STORED in window)) {
  Object.defineProperty(window, STORED, { value: true });
  scrollBack();
  // What has come later may have made room.
  addEventListener("load", scrollBack, { once: true });
  // After a failure page the browser would go where that was scrolled to, a little later.
  addEventListener("load", () => setTimeout(scrollBack), { once: true });
  // A page that nobody sees keeps no connection: browsers have few.
  document.addEventListener("visibilitychange", () => {
    stop();
    if (!document.hidden) listen();
  });
  if (!document.hidden) listen();
}
