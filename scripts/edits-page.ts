/** docs/edits.md with its table as the kinds of edits are now; the text around it is written by hand. Pure. */
import { EDITS } from "../src/reports/edits.js";
import { betweenMarks } from "./between-marks.js";

export function editsPage(before: string): string {
  const rows = Object.entries(EDITS).map(
    ([code, { outcome, edit, why }]) => `| ${code} | ${edit} | ${outcome} | ${why} |`,
  );
  return betweenMarks(before, "docs/edits.md", "edits", [
    "| code | what was done | outcome | why |",
    "| --- | --- | --- | --- |",
    ...rows,
  ]);
}
