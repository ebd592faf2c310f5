/** `unreloader init`: shows what it would write, and writes what is agreed to. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { attempt } from "../../common/attempt.js";
import type { Outcome } from "../commands/outcome.js";
import { ownLines } from "../terminal-lines.js";
import { type InitStep, planInit } from "./plan-init.js";
import { projectEntry } from "./project-entry.js";

interface Done {
  readonly file: string;
  readonly done: "written" | "left alone" | "shown";
  readonly because?: string;
}

/** `isAgreed`: nobody is asked. `isJson`: the lines are no part of the answer. */
export async function init(
  given: string | undefined,
  root: string,
  { isAgreed, isJson }: { readonly isAgreed: boolean; readonly isJson: boolean },
): Promise<Outcome | undefined> {
  const entry = projectEntry("init", given, root);
  const textOf = (file: string) => attempt(() => readFileSync(path.join(root, file), "utf8"));
  const steps = planInit({ entry, textOf });
  const say = (text: string): void => ownLines().write(isJson ? "stderr" : "stdout", text.split("\n"));
  const canAsk = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const done: Done[] = [];
  for (const step of steps) done.push(await carryOut(step, root, { isAgreed, canAsk, say }));
  if (!isAgreed && !canAsk) say("nothing was written: there is nobody to ask; --yes writes what is shown");
  return isJson ? { answer: { root, entry, steps: done }, exitCode: 0 } : undefined;
}

interface Asking {
  readonly isAgreed: boolean;
  readonly canAsk: boolean;
  say(text: string): void;
}

async function carryOut(step: InitStep, root: string, { isAgreed, canAsk, say }: Asking): Promise<Done> {
  const { file, what, added, text, because } = step;
  say(`${file}: ${what}`);
  if (text === undefined) {
    say(`  left alone: ${because}`);
    if (because?.includes("by hand")) say(indented(added));
    return { file, done: "left alone", ...(because !== undefined && { because }) };
  }
  say(indented(added));
  if (!isAgreed && !canAsk) return { file, done: "shown" };
  if (!isAgreed && !(await isWanted())) return { file, done: "left alone", because: "not wanted" };
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
  say("  written");
  return { file, done: "written" };
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  | ${line}`)
    .join("\n");
}

async function isWanted(): Promise<boolean> {
  const asked = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await asked.question("write it? [y/N] ")).trim());
  } finally {
    asked.close();
  }
}
