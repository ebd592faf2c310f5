/** Replays commits or edits as saves: after each, the product is asked, and a fresh process, and the answers are compared. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, type Comparison, comparedText, type Request } from "./answers.js";
import { type AppOptions, AppProcess, type PlainRunner, type Started } from "./app-process.js";
import { type Cause, type Difference, type Replayed, type Taken, takenOf } from "./results.js";
import { isSameCode } from "./same-code.js";
import type { Step, Steps } from "./steps.js";
import { WorkFolder } from "./work-folder.js";

export interface ReplayOptions {
  readonly steps: Steps;
  /** Where the two copies of the app lie while it is replayed. */
  readonly work: string;
  readonly modules: string | undefined;
  readonly overlay: string | undefined;
  readonly app: AppOptions;
  readonly runner: PlainRunner;
  /** Flags of the product. */
  readonly flags: readonly string[];
  readonly requests: readonly Request[];
  readonly comparison: Comparison;
  /** No step is begun after this time. */
  readonly until: number;
  readonly onReplayed: (result: Replayed) => void;
}

/** What came of the requests after a commit. */
interface Asked {
  readonly texts: readonly string[];
  readonly firstMs: number;
}

export class Replay implements AsyncDisposable {
  readonly #options: ReplayOptions;
  readonly #saved: WorkFolder;
  readonly #compared: WorkFolder;
  #product: AppProcess | undefined;
  #taken: Taken | undefined;
  /** What a fresh process answered last; a product that repeats it has missed a save. */
  #before: readonly string[] = [];
  /** The last commit was broken, and the product has said so. */
  #isBroken = false;
  /** Of the start: own modules, and the statuses of its answers. */
  #modules: readonly string[] = [];
  #statuses: readonly string[] = [];
  /** Of product processes: those that did not end by themselves. */
  killed = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#saved = new WorkFolder(join(options.work, "saved"), options.overlay);
    this.#compared = new WorkFolder(join(options.work, "fresh"), options.overlay);
    if (options.modules === undefined) return;
    this.#saved.install(options.modules);
    this.#compared.install(options.modules);
  }

  async run(): Promise<Replayed[]> {
    const results: Replayed[] = [];
    while (performance.now() < this.#options.until) {
      const step = this.#options.steps.next({ last: results.at(-1), modules: this.#modules });
      if (step === undefined) break;
      const result = await this.#replay(step);
      results.push(result);
      this.#options.onReplayed(result);
    }
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endProduct();
  }

  async #replay(step: Step): Promise<Replayed> {
    const { commit, edit, saves, contents } = step;
    const { requests } = this.#options;
    this.#compared.apply(saves, contents);
    const sameCode = this.#product !== undefined && this.#isSameCode(saves.map(({ path }) => path));
    const files = this.#saved.apply(saves, contents);
    if (this.#product === undefined) return this.#start(step, files);
    if (files.length === 0) return { commit, files, outcome: "unsaved", differences: [], unsteady: [] };

    const product = await this.#ask(this.#product, performance.now());
    const taken = takenOf(await this.#product.events(), this.#taken, this.#saved.folder);
    this.#taken = taken;
    const fresh = await this.#askFresh();
    const base = {
      commit,
      ...(edit !== undefined && { edit }),
      files,
      taken,
      isSameCode: sameCode,
      waitedMs: product.firstMs,
      differences: [],
      unsteady: [],
    };
    if ("failure" in fresh) {
      if (this.#fails(taken, product)) return this.#broken(base);
      return this.#differs(base, [
        { cause: "runs on", what: "start", product: product.texts[0] ?? "", fresh: fresh.failure },
      ]);
    }
    const wasBroken = this.#isBroken;
    this.#isBroken = false;
    const asked = { ...base, freshMs: fresh.firstMs, isHarmed: this.#isHarmed(fresh.texts) };
    const different = requests
      .map((_, index) => index)
      .filter((index) => !isSame(product.texts[index] ?? "", fresh.texts[index] ?? ""));
    if (different.length === 0) {
      this.#before = fresh.texts;
      return { ...asked, outcome: "same" };
    }
    const found = await this.#explain(different, product.texts, fresh.texts, taken.way === "failure" || wasBroken);
    this.#before = fresh.texts;
    if (found.differences.length === 0) return { ...asked, ...found, outcome: "same" };
    return this.#differs({ ...asked, ...found }, found.differences);
  }

  /** Whether the product says, too, that a commit does not start, or waits for what does not come. */
  #fails(taken: Taken, { texts: [first = ""] }: Asked): boolean {
    return (
      taken.way === "failure" || (taken.way === "nothing" && this.#isBroken) || /^(?:no answer|50[234]\b)/.test(first)
    );
  }

  #broken(base: Omit<Replayed, "outcome">): Replayed {
    this.#isBroken = true;
    return { ...base, outcome: "broken" };
  }

  /** Another product process is started with the commit, so that each difference counts once. */
  async #differs(base: Omit<Replayed, "outcome">, differences: readonly Difference[]): Promise<Replayed> {
    await this.#endProduct();
    if (base.freshMs !== undefined) await this.#startProduct();
    return { ...base, outcome: "different", differences };
  }

  /** Nothing runs yet: a commit that starts plainly is started, and must answer the same. */
  async #start({ commit }: Step, files: readonly string[]): Promise<Replayed> {
    const base = { commit, files, differences: [], unsteady: [] };
    const fresh = await this.#askFresh();
    if ("failure" in fresh) return { ...base, outcome: "unstartable" };
    this.#before = [];
    this.#modules = fresh.modules;
    this.#statuses = fresh.texts.map(statusOf);
    const started = await this.#startProduct();
    if ("failure" in started) {
      const difference = { what: "start", product: started.failure, fresh: fresh.texts[0] ?? "" };
      return { ...base, outcome: "different", differences: [{ cause: "does not start", ...difference }] };
    }
    const product = await this.#ask(started.app, performance.now());
    this.#taken = takenOf(await started.app.events(), undefined, this.#saved.folder);
    const different = product.texts
      .map((_, index) => index)
      .filter((index) => !isSame(product.texts[index] ?? "", fresh.texts[index] ?? ""));
    const found = await this.#explain(different, product.texts, fresh.texts, false);
    this.#before = fresh.texts;
    const result = { ...base, ...found, freshMs: fresh.firstMs };
    return found.differences.length === 0
      ? { ...result, outcome: "started" }
      : this.#differs(result, found.differences);
  }

  async #ask(app: AppProcess, since: number): Promise<Asked> {
    const texts: string[] = [];
    let firstMs: number | undefined;
    while (texts.length < this.#options.requests.length) {
      texts.push(await this.#askNext(app, texts));
      firstMs ??= performance.now() - since;
    }
    return { texts, firstMs: firstMs ?? 0 };
  }

  /** A request that ends the process is followed by a new one for those behind it, as whoever runs the app would do. */
  async #askFresh(): Promise<(Asked & { readonly modules: readonly string[] }) | { readonly failure: string }> {
    const since = performance.now();
    const texts: string[] = [];
    let firstMs: number | undefined;
    let modules: readonly string[] = [];
    while (texts.length < this.#options.requests.length) {
      const started = await AppProcess.fresh(this.#compared.folder, this.#options.app, this.#options.runner);
      if ("failure" in started) return started;
      const { app } = started;
      modules = app.modules;
      try {
        while (texts.length < this.#options.requests.length && !(await app.hasCrashed)) {
          const text = await this.#askNext(app, texts);
          firstMs ??= performance.now() - since;
          texts.push((await app.hasCrashed) ? CRASHED : text);
        }
      } finally {
        await app.kill();
      }
    }
    return { texts, firstMs: firstMs ?? 0, modules };
  }

  /** The answer to the request behind those that `texts` has; an app that answers nothing is not asked for all. */
  async #askNext(app: AppProcess, texts: readonly string[]): Promise<string> {
    const request = this.#options.requests[texts.length];
    const silent = texts.filter((text) => LATE.test(text)).length;
    return request === undefined || silent >= MAX_LATE ? NOT_ASKED : this.#text(await app.ask(request));
  }

  /** Whose fault a difference is: another fresh process, and the product asked once more, tell. */
  async #explain(
    different: readonly number[],
    product: readonly string[],
    fresh: readonly string[],
    fails: boolean,
  ): Promise<{ differences: Difference[]; unsteady: string[] }> {
    if (different.length === 0 || this.#product === undefined) return { differences: [], unsteady: [] };
    const again = await this.#ask(this.#product, performance.now());
    const other = await this.#askFresh();
    const differences: Difference[] = [];
    const unsteady: string[] = [];
    // Which request a crash meets, nobody can say.
    const crash =
      [...product, ...again.texts].some((text) => SAYS_CRASHED.test(text)) &&
      [...fresh, ...("failure" in other ? [] : other.texts)].includes(CRASHED);
    for (const index of different) {
      const request = this.#options.requests[index];
      const what = `${request?.method} ${request?.path}`;
      const [ours, theirs] = [product[index] ?? "", fresh[index] ?? ""];
      if (crash || "failure" in other || other.texts[index] !== theirs) unsteady.push(what);
      else
        differences.push({
          cause: this.#cause(index, ours, theirs, again.texts[index], fails),
          what,
          product: ours,
          fresh: theirs,
        });
    }
    return { differences, unsteady };
  }

  #cause(index: number, ours: string, theirs: string, again: string | undefined, fails: boolean): Cause {
    if (again !== undefined && isSame(again, theirs)) return "first answer only";
    if (fails) return "fails alone";
    if (ours.startsWith(NO_ANSWER)) return "no answer";
    return this.#before[index] === ours ? "old answer" : "other answer";
  }

  #text(answer: Answer): string {
    return comparedText(answer, this.#options.comparison);
  }

  /** Whether a request is answered with another status than at the start. */
  #isHarmed(texts: readonly string[]): boolean {
    return texts.some((text, index) => statusOf(text) !== this.#statuses[index]);
  }

  #isSameCode(paths: readonly string[]): boolean {
    const isSame = (path: string) => {
      const [before, after] = [this.#saved, this.#compared].map(({ folder }) => textOf(join(folder, path)));
      return before !== undefined && after !== undefined && isSameCode(path, before, after);
    };
    return paths.length > 0 && paths.every(isSame);
  }

  async #startProduct(): Promise<Started> {
    const started = await AppProcess.product(this.#saved.folder, this.#options.app, this.#options.flags);
    this.#isBroken = false;
    this.#product = "app" in started ? started.app : undefined;
    return started;
  }

  async #endProduct(): Promise<void> {
    const product = this.#product;
    this.#product = undefined;
    if (product && !(await product.end())) this.killed += 1;
  }
}

const NO_ANSWER = "no answer: ";
const NOT_ASKED = `${NO_ANSWER}not asked`;
/** How the text of an answer that has not come in time begins. */
const LATE = /^no answer: no answer within/;
const MAX_LATE = 2;
const CRASHED = "no answer: the process has ended";

/** For a request that ends a plain process, the product says 502, or shows the error that nobody has caught. */
const SAYS_CRASHED = /^502\b|^500\b[\s\S]*\n(?:Uncaught|WorkerExit)/;

function isSame(product: string, fresh: string): boolean {
  return product === fresh || (fresh === CRASHED && SAYS_CRASHED.test(product));
}

function statusOf(text: string): string {
  return text.slice(0, 3);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
