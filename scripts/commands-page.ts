/** docs/commands.md with its table as the commands are now; the text around it is written by hand. Pure. */
import { COMMANDS } from "../src/terminal/commands/command-table.js";
import { betweenMarks } from "./between-marks.js";

export function commandsPage(before: string): string {
  const rows = Object.entries(COMMANDS).map(([word, { usage, doc }]) => {
    const written = `${word} ${usage}`.trimEnd().replaceAll("|", "\\|");
    return `| \`unreloader ${written}\` | ${doc} |`;
  });
  return betweenMarks(before, "docs/commands.md", "commands", ["| command | what it does |", "| --- | --- |", ...rows]);
}
