/** In which form a client wants what the supervisor says by itself: its `Accept` as RFC 9110 has it (12.5.1). Pure. */

export type PageForm = "text" | "html" | "json";

interface Range {
  readonly type: string;
  readonly quality: number;
  /** Of the range in the header. */
  readonly place: number;
}

/** What each form is a member of, the most specific first. Of forms that are wanted alike the first one is given. */
const FORMS: readonly (readonly [PageForm, (type: string) => number])[] = [
  ["text", (type) => specificity(type, "text/plain", "text/*")],
  ["html", (type) => specificity(type, "text/html", "text/*", "application/xhtml+xml")],
  // Problem details, JSON:API and the like are read by who reads JSON.
  [
    "json",
    (type) =>
      /^application\/[\w.!#$&^-]+\+json$/.test(type) ? 3 : specificity(type, "application/json", "application/*"),
  ],
];

/**
 * Text unless something else is wanted more: `curl` and `fetch` say that they take anything. What is named counts before
 * what a wildcard covers, and what is named first before the rest.
 */
export function wantedForm(accept: string | undefined): PageForm {
  const ranges = parseAccept(accept ?? "");
  let wanted: { readonly form: PageForm; readonly rank: readonly number[] } | undefined;
  for (const [form, specificityOf] of FORMS) {
    const rank = rankOf(ranges, specificityOf);
    if (rank !== undefined && (wanted === undefined || isHigher(rank, wanted.rank))) wanted = { form, rank };
  }
  return wanted?.form ?? "text";
}

/** Quality, how specific the range is, and how far in front it stands; undefined: it is refused, or not asked for. */
function rankOf(ranges: readonly Range[], specificityOf: (type: string) => number): readonly number[] | undefined {
  let best: { readonly specific: number; readonly range: Range } | undefined;
  for (const range of ranges) {
    const specific = specificityOf(range.type);
    // The most specific range says how much it is wanted; of several the one that wants it most.
    if (specific === 0 || (best && specific < best.specific)) continue;
    if (best && specific === best.specific && range.quality <= best.range.quality) continue;
    best = { specific, range };
  }
  if (best === undefined || best.range.quality === 0) return undefined;
  return [best.range.quality, best.specific, best.specific === 1 ? 0 : -best.range.place];
}

function isHigher(rank: readonly number[], than: readonly number[]): boolean {
  for (const [index, value] of rank.entries()) {
    const other = than[index] ?? 0;
    if (value !== other) return value > other;
  }
  return false;
}

/** 3: named, 2: by a wildcard of its kind, 1: as anything, 0: not at all. */
function specificity(type: string, name: string, kind: string, alias?: string): number {
  if (type === name || type === alias) return 3;
  if (type === kind) return 2;
  return type === "*/*" ? 1 : 0;
}

function parseAccept(accept: string): Range[] {
  return accept.split(",").flatMap((part, place) => {
    const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    if (type === "") return [];
    const given = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const quality = given === undefined ? 1 : Number(given.slice(given.indexOf("=") + 1).trim());
    return [{ type, quality: quality >= 0 && quality <= 1 ? quality : 0, place }];
  });
}
