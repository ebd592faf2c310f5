/** A page with `lines` between the comments `<!-- NAME: begin -->` and `<!-- NAME: end -->`. Pure. */
export function betweenMarks(before: string, page: string, name: string, lines: readonly string[]): string {
  const [begin, end] = [`<!-- ${name}: begin -->\n`, `<!-- ${name}: end -->`];
  const [from, to] = [before.indexOf(begin) + begin.length, before.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`${page} has no part between ${begin} and ${end}`);
  return before.slice(0, from) + [...lines, ""].join("\n") + before.slice(to);
}
