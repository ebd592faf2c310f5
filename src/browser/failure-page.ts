/**
 * On a page that stands in the place of the app's answer: asks for the page again when something else would be answered. A
 * request that changes something is never sent again by itself, nor is one that has killed the worker until there is new code.
 */

/** How often is asked while nobody tells of news, in milliseconds. */
const ASK_MS = 1000;
/** After this many questions nobody waits for a save. */
const OFTEN = 60;
const SELDOM_MS = 4000;

const { page = "", status = "", repeat, own } = document.documentElement.dataset;
const mayAsk = status !== "502";
let asked = 0;
let timer: number | undefined;
let news: EventSource | undefined;
/** The supervisor has told what it does at the beginning. */
let hasBegun = false;

/** Whether the address gives something else than this page. */
async function hasChanged(): Promise<boolean> {
  try {
    const { headers } = await fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" });
    return headers.get("x-unreloader-page") !== page;
  } catch {
    // Nobody is there.
    return false;
  }
}

async function look(): Promise<void> {
  if (!(await hasChanged())) return;
  stop();
  if (repeat === "yes" || status === "502") location.reload();
  else offerAgain("The app is back. This request may change something:");
}

function offerAgain(text: string): void {
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Send it again";
  again.addEventListener("click", () => location.reload());
  document.getElementById("now")?.replaceChildren(text, " ", again);
}

function poll(): void {
  clearTimeout(timer);
  if (!mayAsk) return;
  timer = window.setTimeout(() => void look().then(poll), asked++ < OFTEN ? ASK_MS : SELDOM_MS);
}

function stop(): void {
  clearTimeout(timer);
  news?.close();
  news = undefined;
}

function listen(): void {
  if (own === undefined) {
    poll();
    return;
  }
  news = new EventSource(`${own}events`);
  news.addEventListener("state", () => {
    if (mayAsk || hasBegun) void look();
    hasBegun = true;
  });
  // It is reconnected by itself, unless that is refused.
  news.addEventListener("error", () => {
    if (news?.readyState === EventSource.CLOSED) poll();
  });
}

document.addEventListener("visibilitychange", () => {
  stop();
  if (!document.hidden) void (mayAsk ? look() : Promise.resolve()).then(listen);
});
if (!document.hidden) listen();
if (status === "502" && document.getElementById("now")?.textContent?.startsWith("A fresh worker"))
  offerAgain("A fresh worker follows. Where the request may run again:");

// ---- what makes it easier to read

/** The place of an error may be far to the right. */
function revealCarets(within: ParentNode): void {
  for (const caret of within.querySelectorAll<HTMLElement>(".marked b")) {
    const box = caret.closest("pre");
    const right = caret.getBoundingClientRect().right - (box?.getBoundingClientRect().right ?? 0);
    if (box && right > 0) box.scrollLeft += right + box.clientWidth / 3;
  }
}

function offerCopy(): void {
  const copy = document.getElementById("copy");
  if (copy === null || !("clipboard" in navigator)) return;
  copy.hidden = false;
  copy.addEventListener("click", () => {
    void navigator.clipboard.writeText(document.getElementById("text")?.textContent ?? "").then(() => {
      copy.textContent = "Copied";
    });
  });
}

revealCarets(document);
document.addEventListener("toggle", ({ target }) => revealCarets(target as Element), true);
offerCopy();
