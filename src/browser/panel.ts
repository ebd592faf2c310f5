/** The panel: what the supervisor knows, looked at while it works. */
import type { PanelModule, PanelNumbers, PanelState } from "../panel/panel-state.js";
import { byId, clock, element, megabytes, place, table, withCode } from "./panel/elements.js";
import { Picture } from "./panel/picture.js";
import { describe, kindOf, plot } from "./panel/plot.js";

const NUMBERS_MS = 2000;
const FOUND = 60;
const ROWS = 50;
const NAMED = 200;

let state: PanelState | undefined;
let chosen: string | undefined;

const search = byId("search") as HTMLInputElement;
const picture = new Picture(byId("picture") as HTMLCanvasElement, (module) =>
  choose(state?.modules[module ?? -1]?.file),
);

async function load(): Promise<void> {
  const answer = await fetch("state?panel=all", { cache: "no-store" });
  state = (await answer.json()) as PanelState;
  show(state);
}

function show(now: PanelState): void {
  document.title = `${now.entry} - unreloader`;
  byId("entry").replaceChildren(
    element("code", now.entry),
    ` in ${now.root}, process ${now.pid}, since ${clock(now.startedAt)}`,
  );
  const phase = now.phase === "running" && now.live ? "live" : now.phase;
  byId("phase").replaceChildren(
    element("strong", phase, { class: `phase ${phase}` }),
    ` generation ${now.generation}, epoch ${now.epoch}, ${now.modules.length} modules, content ${now.content ?? "none"}`,
  );
  const problem = byId("problem");
  problem.hidden = now.error === null;
  if (now.error !== null) {
    const { file, line, column, message } = now.error;
    problem.replaceChildren(message, ...(file === null ? [] : [" ", place(file, line, column, now.root)]));
  }
  showNumbers(now.numbers, now);
  picture.show(now);
  showReloads(now);
  showErrors(now);
  showStale(now);
  showClasses(now);
  showEdits(now);
  choose(chosen, false);
  find();
}

type Known = Pick<PanelState, "workerHeapBytes" | "epoch">;

function showNumbers(numbers: PanelNumbers, { workerHeapBytes, epoch }: Known): void {
  const { inFlight, held, heldBytes, draining, standby, standbyBytes, rssBytes, heapBytes } = numbers;
  const rows: readonly (readonly [string, string])[] = [
    ["Requests in flight", String(inFlight)],
    ["Requests held", `${held}${heldBytes > 0 ? `, ${Math.ceil(heldBytes / 1024)} KiB` : ""}`],
    ["Worker", workerHeapBytes === null ? "does not answer" : `${epoch}, heap ${megabytes(workerHeapBytes)}`],
    ["Workers that finish", String(draining)],
    ["Standby worker", standby + (standbyBytes > 0 ? `, ${megabytes(standbyBytes)}` : "")],
    ["Memory of the process", megabytes(rssBytes)],
    ["Heap of the main thread", megabytes(heapBytes)],
  ];
  byId("numbers").replaceChildren(
    ...rows.map(([name, value]) => element("div", [element("dt", name), element("dd", value)])),
  );
}

function showReloads({ history, root }: PanelState): void {
  byId("plot").replaceChildren(
    history.length === 0
      ? element("p", "Nothing has been reloaded yet.")
      : plot(history, ({ changed }) => choose(changed[0])),
  );
  const rows = [...history].reverse().slice(0, ROWS);
  byId("history").replaceChildren(
    ...(rows.length === 0
      ? []
      : [
          table(
            ["Time", "Code", "Outcome", "Generation", "Changed", "Loaded", "Kept", "ms"],
            rows.map((reload) => [
              element("span", clock(reload.at), { title: describe(reload) }),
              element("a", reload.code, { href: "#edits" }),
              element("span", reload.outcome, { class: `kind ${kindOf(reload)}` }),
              String(reload.generation),
              element(
                "span",
                reload.changed.flatMap((file) => [place(file, null, null, root), " "]),
              ),
              reload.message ?? (reload.swapped > 0 ? `${reload.swapped} functions` : String(reload.loaded)),
              String(reload.kept),
              String(reload.durationMs),
            ]),
          ),
        ]),
  );
}

function showErrors({ errors, root }: PanelState): void {
  const rows = [...errors]
    .reverse()
    .map(({ kind, message, file, line, column, sinceGeneration, lastGeneration, count, lastAt }) => [
      clock(lastAt),
      kind,
      element("code", message),
      file === null ? "" : place(file, line, column, root),
      sinceGeneration === lastGeneration ? String(sinceGeneration) : `${sinceGeneration} to ${lastGeneration}`,
      String(count),
    ]);
  byId("known").replaceChildren(
    rows.length === 0 ? element("p", "None.") : table(["Last", "Of", "Message", "Place", "Generation", "Times"], rows),
  );
}

function showStale({ stale, root }: PanelState): void {
  const rows = stale.map(({ file, what, count, generation, inUse }) => [
    place(file, null, null, root),
    what,
    String(count),
    String(generation),
    inUse ? "an open request or connection may hold it" : "unreloader explain-leak says by whom",
  ]);
  byId("stale").replaceChildren(
    rows.length === 0
      ? element("p", "Nothing, as of the last look.")
      : table(["File", "What", "Versions", "Purged in", "Held by"], rows),
  );
}

function showClasses({ modules }: PanelState): void {
  const having = modules.filter(({ classes }) => classes.length > 0);
  const count = having.reduce((sum, { classes }) => sum + classes.length, 0);
  const rows = having.slice(0, NAMED).map(({ file, classes }) => [link(file), classes.join(", ")]);
  const more =
    having.length > NAMED ? [element("p", `and ${having.length - NAMED} more files: search for a class above`)] : [];
  byId("classes").replaceChildren(
    ...(rows.length === 0
      ? [element("p", "No module has defined any.")]
      : [
          element("details", [
            element("summary", `${count} in ${having.length} files`),
            table(["File", "Classes"], rows),
            ...more,
          ]),
        ]),
  );
}

/** Those that were met, and all. */
function showEdits({ edits, tally }: PanelState): void {
  const isOpen = byId("kinds").querySelector("details")?.open === true;
  const tableOf = (shown: typeof edits): HTMLElement =>
    table(
      ["Code", "Here", "Outcome", "Edit", "Why"],
      shown.map(({ code, outcome, edit, why }) => [
        element("code", code),
        String(tally[code] ?? ""),
        element("span", outcome, { class: `kind ${kindOf({ outcome })}` }),
        withCode(edit),
        withCode(why),
      ]),
    );
  const met = edits.filter(({ code }) => tally[code] !== undefined);
  byId("kinds").replaceChildren(
    met.length === 0 ? element("p", "None so far.") : tableOf(met),
    element("details", [element("summary", `All ${edits.length} codes`), tableOf(edits)], isOpen ? { open: "" } : {}),
  );
}

function choose(file: string | undefined, moves = true): void {
  chosen = file;
  const index = state?.modules.findIndex((module) => module.file === file) ?? -1;
  const module = state?.modules[index];
  if (moves || module === undefined) picture.select(module === undefined ? undefined : index);
  byId("chosen").replaceChildren(
    ...(module === undefined || state === undefined
      ? [element("p", "Choose a module in the picture, or search.")]
      : detailsOf(module, index, state)),
  );
}

function detailsOf(module: PanelModule, index: number, { modules, last, created, root, stale }: PanelState): Node[] {
  const { file, load, classes } = module;
  const importers = modules.flatMap(({ imports }, at) => (imports.includes(index) ? at : []));
  const parts: Node[] = [element("h3", [place(file, null, null, root)])];
  if (load !== null) {
    const why = last?.changed.includes(file) ? " (it changed last)" : "";
    const chain = load.chain.length > 1 ? `, because of ${load.chain.slice(1).join(" <- ")}` : "";
    parts.push(element("p", `Loaded in generation ${load.generation} (${load.code})${chain}${why}.`));
  } else parts.push(element("p", "Not loaded yet."));
  const list = (title: string, items: readonly (Node | string)[]): void => {
    if (items.length === 0) return;
    const shown = items.slice(0, NAMED).map((item) => element("li", [item]));
    const more = items.length > NAMED ? [element("li", `and ${items.length - NAMED} more`)] : [];
    parts.push(
      element("details", [element("summary", `${title} (${items.length})`), element("ul", [...shown, ...more])], {
        open: "",
      }),
    );
  };
  const links = (places: readonly number[]) => places.flatMap((at) => (modules[at] ? link(modules[at].file) : []));
  list("Classes", classes);
  list("Has created", created?.[file] ?? []);
  list(
    "Old versions still alive",
    stale.flatMap((each) => (each.file === file ? `${each.what}: ${each.count}` : [])),
  );
  list("Imported by", links(importers));
  list("Imports", links(module.imports));
  list("Used while it was evaluated", links(module.observed.filter((at) => !module.imports.includes(at))));
  list("Loads late", links(module.late));
  if (created === null)
    parts.push(element("p", "What it has created is not known: the worker did not answer.", { class: "faint" }));
  return parts;
}

function link(file: string): HTMLElement {
  const button = element("button", file, { type: "button", class: "place" });
  button.addEventListener("click", () => choose(file));
  return button;
}

function find(): void {
  const wanted = search.value.trim().toLowerCase();
  const found = new Set<number>();
  for (const [index, { file, classes }] of state?.modules.entries() ?? [])
    if (file.toLowerCase().includes(wanted) || classes.some((name) => name.toLowerCase().includes(wanted)))
      found.add(index);
  picture.find(wanted === "" ? undefined : found);
  const files = wanted === "" ? [] : [...found].flatMap((index) => state?.modules[index]?.file ?? []);
  byId("found").replaceChildren(
    ...files.slice(0, FOUND).map((file) => element("li", [link(file)])),
    ...(files.length > FOUND ? [element("li", `and ${files.length - FOUND} more`)] : []),
    ...(wanted !== "" && files.length === 0 ? [element("li", "No module has that in its name.")] : []),
  );
}

search.addEventListener("input", find);
search.addEventListener("keydown", (event) => {
  const [first] = byId("found").querySelectorAll("button");
  if (event.key === "Enter") first?.click();
});
byId("larger").addEventListener("click", () => picture.zoom(1.5));
byId("smaller").addEventListener("click", () => picture.zoom(1 / 1.5));
byId("whole").addEventListener("click", () => picture.whole());
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  search.focus();
});

// ---- news

let news: EventSource | undefined;
let timer: number | undefined;
let pending = false;

/** One after the other: a burst of events is one look. */
async function refresh(): Promise<void> {
  if (pending) return;
  pending = true;
  await new Promise((resolve) => requestAnimationFrame(resolve));
  pending = false;
  await load().catch(() => gone());
}

function gone(): void {
  byId("phase").replaceChildren(
    element("strong", "gone", { class: "phase failed" }),
    " the supervisor does not answer",
  );
}

function listen(): void {
  news = new EventSource("events");
  for (const name of ["state", "reload", "stale-references"]) news.addEventListener(name, () => void refresh());
  news.addEventListener("error", gone);
  timer = window.setInterval(() => {
    void fetch("state?panel=numbers", { cache: "no-store" })
      .then(async (answer) => {
        const numbers = (await answer.json()) as PanelNumbers;
        if (state) showNumbers(numbers, state);
      })
      .catch(() => undefined);
  }, NUMBERS_MS);
}

function rest(): void {
  news?.close();
  clearInterval(timer);
}

// A page that nobody sees keeps no connection: browsers have few.
document.addEventListener("visibilitychange", () => {
  rest();
  if (!document.hidden) listen();
});
if (!document.hidden) listen();
