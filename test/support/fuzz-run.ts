/**
 * Runs edits against the product and against fresh processes, and compares. A difference is shortened to the edits
 * that are needed to show it, and told with its seed.
 */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { transformSync } from "esbuild";
import { applyEdit, type Edit, randomProgram, randomStep } from "./fuzz-edits.js";
import { type FreshAnswers, FreshProcesses } from "./fuzz-fresh.js";
import {
  type Dialect,
  entryFile,
  fileOf,
  type ModuleSpec,
  type Program,
  render,
  routes,
  staticTargets,
} from "./fuzz-program.js";
import { AskedToWait, isWaitedAfter, waits } from "./fuzz-wait.js";
import { Random } from "./random.js";
import { type ServedApp, serve } from "./served-app.js";
import { TempApp } from "./temp-app.js";

/** Edits that are saved together, before the next request. */
export type Step = readonly Edit[];

interface Difference {
  /** Index of the step after which the answers differed; -1: already at the start. */
  readonly step: number;
  readonly text: string;
}

/** UNRELOADER_FUZZ_SCOPE: what `--scope` says; without it, its default. */
const { UNRELOADER_FUZZ_SCOPE: scope } = process.env;
const FLAGS = scope === undefined ? [] : ["--scope", scope];

/** How often a failing list of edits is run again to shorten it. */
const SHRINK_RUNS = Number(process.env.UNRELOADER_SHRINK ?? 60);

/** Runs `count` random steps; resolves with how many were compared, or throws with the shortest list that differs. */
export async function fuzz(dialect: Dialect, seed: number, count: number, reads: boolean): Promise<void> {
  const random = new Random(seed);
  const start = randomProgram(random, dialect, reads);
  const steps: Step[] = [];
  const before: Program[] = [];
  for (let at = start; steps.length < count; ) {
    const step = randomStep(random, at, before);
    steps.push(step);
    before.push(at);
    at = step.reduce(applyEdit, at);
  }
  const found = await replay(start, steps);
  if (found === undefined) return;
  const shown = steps.slice(0, found.step + 1);
  const { steps: short, difference } = await shrink(start, shown, found);
  const list = short.map((step, index) => `  ${index}: ${step.map((edit) => JSON.stringify(edit)).join("\n     ")}`);
  throw new Error(
    [
      `${dialect}: the answers differ after step ${found.step} (UNRELOADER_SEED=${seed} UNRELOADER_EDITS=${count})`,
      `the program at the start, roots ${start.roots.join(", ")}:`,
      ...[...start.modules.values()].map((module) => `  ${describe(start, module)}`),
      `${short.length} of ${shown.length} steps show it:`,
      ...list,
      difference.text,
    ].join("\n"),
  );
}

/** One line: the module's file, and what it uses how. */
function describe(program: Program, module: ModuleSpec): string {
  const uses = module.uses.map((use) => `${use.how} ${use.target}`);
  if (module.base !== null) uses.push(`extends ${module.base}`);
  if (module.star !== null) uses.push(`exports * from ${module.star}`);
  if (module.awaits) uses.push("awaits");
  return `${fileOf(program, module)}: ${uses.join(", ")}`;
}

/** Runs the steps on a new app and gives the first difference. A request that fails, or a bad end, is one as well. */
async function replay(start: Program, steps: readonly Step[]): Promise<Difference | undefined> {
  const disk = new ProgramOnDisk(start);
  await using _app = disk.app;
  let step = -1;
  try {
    await using fresh = new FreshProcesses();
    await using served = await serve(disk.app, entryFile(start.dialect), { flags: FLAGS });
    const waiting = new AskedToWait(disk.app.folder);
    for (let program = start; step < steps.length; step++) {
      for (const edit of steps[step] ?? []) program = applyEdit(program, edit);
      disk.save(program, steps[step] ?? [], step % 2 === 1);
      if (isWaitedAfter(step)) await waiting.ask();
      waits.edits += steps[step]?.length ?? 0;
      const product = await ask(served);
      const answers = await fresh.ask({ entry: disk.freshEntry, routes });
      const text =
        compare(program, product, answers) ?? (await waiting.compare(answers, brokenLateModules(program).length > 0));
      if (text !== undefined) return { step, text: `${text}\noutput:\n${served.lines.all.slice(-30).join("\n")}` };
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { step: Math.min(step, steps.length - 1), text: error.message };
  }
  return undefined;
}

interface ProductAnswer {
  readonly status: number;
  readonly body: string;
}

async function ask(served: ServedApp): Promise<ProductAnswer[]> {
  const answers: ProductAnswer[] = [];
  for (const route of routes) answers.push(await served.get(route));
  return answers;
}

/** What is wrong, or undefined. */
function compare(program: Program, product: readonly ProductAnswer[], fresh: FreshAnswers): string | undefined {
  const failed = product.find((answer) => answer.status !== 200);
  if ("failure" in fresh) {
    if (failed === undefined) return `a fresh process fails: ${fresh.failure}\nthe product answers ${product[0]?.body}`;
    const faults = [...program.modules.values()].filter((module) => module.fault !== null);
    if (faults.length > 1 || !fresh.failure.startsWith("boom") || failed.body.includes(fresh.failure)) return undefined;
    return `the failure page does not say "${fresh.failure}":\n${failed.body}`;
  }
  if (failed !== undefined) {
    if (brokenLateModules(program).length > 0) return undefined;
    return `a fresh process answers, the product fails with ${failed.status}:\n${failed.body}`;
  }
  for (const [index, route] of routes.entries()) {
    if (product[index]?.body === fresh.answers[index]) continue;
    return `${route}\n  fresh:   ${fresh.answers[index]}\n  product: ${product[index]?.body}`;
  }
  return undefined;
}

/**
 * Modules that cannot be compiled or linked, and that a fresh start does not meet because they are only loaded during
 * requests. A reload reports them as soon as they are saved: that is stricter than a fresh start, and allowed.
 */
function brokenLateModules(program: Program): ModuleSpec[] {
  const all = [...program.modules.values()];
  const plugins = all.filter((module) => module.folder === "plugins").map((module) => module.name);
  const early = closure(program, [...program.roots, ...plugins], staticTargets);
  const reached = closure(program, [...early], (module) => [
    ...staticTargets(module),
    ...module.uses.map((use) => use.target),
  ]);
  return all.filter((module) => reached.has(module.name) && !early.has(module.name) && isBroken(program, module));
}

function isBroken(program: Program, module: ModuleSpec): boolean {
  if (module.fault === "syntax" || staticTargets(module).some((target) => !program.modules.has(target))) return true;
  return module.uses.some((use) => use.how === "extra" && program.modules.get(use.target)?.extra === false);
}

function closure(
  program: Program,
  starts: readonly string[],
  next: (module: ModuleSpec) => readonly string[],
): Set<string> {
  const seen = new Set<string>();
  const pending = [...starts];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const module = program.modules.get(name);
    if (module === undefined || seen.has(name)) continue;
    seen.add(name);
    pending.push(...next(module));
  }
  return seen;
}

/** The program's files, saved as an editor would; for TypeScript also as JavaScript, for the fresh processes. */
class ProgramOnDisk {
  readonly app: TempApp;
  readonly freshEntry: string;
  readonly #typescript: boolean;
  #files: Map<string, string>;

  constructor(program: Program) {
    this.#files = render(program);
    this.#typescript = program.dialect === "typescript";
    this.app = new TempApp(Object.fromEntries(this.#files));
    const entry = entryFile(program.dialect);
    this.freshEntry = this.app.path(this.#typescript ? `../fresh/${javascriptName(entry)}` : entry);
    if (this.#typescript) for (const [file, text] of this.#files) this.#saveFresh(file, text);
  }

  save(program: Program, edits: Step, atomically: boolean): void {
    const files = render(program);
    for (const edit of edits) {
      const touched = edit.type === "touch" ? program.modules.get(edit.module) : undefined;
      const file = touched && fileOf(program, touched);
      if (file !== undefined && files.get(file) === this.#files.get(file)) this.app.write(file, files.get(file) ?? "");
    }
    for (const [file, text] of files) {
      if (this.#files.get(file) === text) continue;
      if (atomically && this.#files.has(file)) this.app.writeAtomically(file, text);
      else this.app.write(file, text);
      if (this.#typescript) this.#saveFresh(file, text);
    }
    for (const file of this.#files.keys()) {
      if (files.has(file)) continue;
      this.#remove(file);
      if (this.#typescript) rmSync(this.app.path("../fresh", javascriptName(file)));
    }
    this.#files = files;
  }

  #remove(file: string): void {
    const folder = dirname(file);
    this.app.remove(file.includes("/index.") ? folder : file);
  }

  #saveFresh(file: string, text: string): void {
    this.app.write(`../fresh/${javascriptName(file)}`, file.endsWith(".ts") ? withoutTypes(text) : text);
  }
}

function javascriptName(file: string): string {
  return file.replace(/\.ts$/, ".js");
}

/** JavaScript of another transformer than the product's; a text that does not parse stays as it is, to fail later. */
function withoutTypes(text: string): string {
  try {
    return transformSync(text, { loader: "ts", target: "es2022", logLevel: "silent" }).code;
  } catch (error) {
    if (error instanceof Error) return text;
    throw error;
  }
}

/** Leaves steps out as long as the end still differs: halves first, then smaller parts, then single edits. */
async function shrink(
  start: Program,
  steps: readonly Step[],
  difference: Difference,
): Promise<{ steps: readonly Step[]; difference: Difference }> {
  let best = { steps, difference };
  let runs = 0;
  for (let part = Math.ceil(steps.length / 2); part >= 1 && runs < SHRINK_RUNS; ) {
    let shortened = false;
    for (let from = 0; from < best.steps.length && runs < SHRINK_RUNS; ) {
      const candidate = best.steps.filter((_, index) => index < from || index >= from + part);
      runs++;
      const found = await replay(start, candidate);
      // What is wrong before the first step is another trouble than the one that is being looked for.
      if (found === undefined || (found.step === -1 && difference.step >= 0)) from += part;
      else {
        best = { steps: candidate.slice(0, found.step + 1), difference: found };
        shortened = true;
      }
    }
    if (part === 1 && !shortened) break;
    part = part === 1 ? 1 : Math.ceil(part / 2);
  }
  return best;
}
