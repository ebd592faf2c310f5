/**
 * A commit, and then random edits of its files. An edit that has broken something is taken back, now and then after others
 * have been made upon it; so is every second of the rest.
 */
import type { Random } from "../random.js";
import { dataEditOf, editOf } from "./edits.js";
import type { Commit, Repository, TreeEntry } from "./repository.js";
import { planSaves } from "./saves.js";
import { type Known, type Step, type Steps, stepTo } from "./steps.js";

interface Options {
  readonly repository: Repository;
  readonly commit: Commit;
  /** The app's folder below the repository's. */
  readonly below: string;
  /** Files below these paths of the repository only; all, when there is none. */
  readonly touching: readonly string[];
  readonly count: number;
  readonly random: Random;
}

interface Text {
  readonly path: string;
  /** Undefined: there is no such file. */
  readonly text: string | undefined;
}

/** What apps read that is no code. */
const DATA_FILE = /\.(?:json|ya?ml|html?|ejs|pug|hbs|handlebars|mustache|graphql|gql|css|txt|csv|sql)$/;
const PACKAGE_FILE = /(?:^|\/)(?:package(?:-lock)?|tsconfig.*)\.json$/;
/** Edits that are there at once, at most, before they are taken back. */
const MAX_OPEN = 4;

export class EditSteps implements Steps {
  readonly #options: Options;
  readonly #texts = new Map<string, string>();
  readonly #modes = new Map<string, TreeEntry["mode"]>();
  /** What files had before the edits that are not taken back yet. */
  #open: Text[][] = [];
  #number = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  next({ last, modules }: Known): Step | undefined {
    if (last === undefined) return this.#first();
    if (this.#number >= this.#options.count) return undefined;
    const { random } = this.#options;
    const isBad = last.outcome === "broken" || last.outcome === "unstartable" || last.isHarmed === true;
    if (this.#open.length > 0 && random.chance(this.#open.length >= MAX_OPEN ? 1 : isBad ? 0.75 : 0.4))
      return this.#takeBack(isBad || random.chance(0.3));
    if (!isBad && random.chance(0.3)) this.#open = [];
    return this.#edits(modules);
  }

  #first(): Step {
    const { repository, commit, below } = this.#options;
    const step = stepTo(repository, undefined, commit, below);
    for (const save of step.saves) {
      if (save.kind !== "write" || save.entry.mode === "link") continue;
      this.#texts.set(save.path, step.contents.get(save.entry.blob)?.toString() ?? "");
      this.#modes.set(save.path, save.entry.mode);
    }
    return step;
  }

  /** One edit, or a few that are saved together. */
  #edits(modules: readonly string[]): Step | undefined {
    const { random } = this.#options;
    const code = modules.filter((file) => this.#isWanted(file));
    const texts = [...this.#texts.keys()].filter((file) => DATA_FILE.test(file) && this.#isWanted(file));
    const made = new Map<string, { kind: string; line: number; text: string | undefined }>();
    const count = random.chance(0.15) ? random.int(2, 3) : 1;
    for (let tries = 0; tries < 20 && made.size < count; tries++) {
      const isText = texts.length > 0 && (code.length === 0 || random.chance(0.1));
      const files = isText ? texts : code;
      if (files.length === 0) return undefined;
      const file = random.pick(files);
      const text = this.#texts.get(file);
      if (text === undefined || made.has(file)) continue;
      const edit = isText
        ? dataEditOf(text, this.#number, random)
        : editOf(file, text, random.pick(code), this.#number, random);
      if (edit !== undefined) made.set(file, edit);
    }
    if (made.size === 0) return undefined;
    const edits = [...made].map(([path, edit]) => ({ path, ...edit }));
    const kind = edits.length > 1 ? "several together" : (edits[0]?.kind ?? "");
    this.#open.push(edits.map(({ path }) => ({ path, text: this.#texts.get(path) })));
    return this.#step(kind, edits.map((edit) => `${edit.kind}: ${edit.path}:${edit.line}`).join(", "), edits);
  }

  /** The last edits, or all that are open. */
  #takeBack(isAll: boolean): Step {
    const taken = isAll ? this.#open.splice(0) : this.#open.splice(-1);
    // Of several the first one knows what was there before all.
    const before = new Map(taken.reverse().flatMap((texts) => texts.map((text) => [text.path, text])));
    return this.#step("taken back", `taken back: ${[...before.keys()].join(", ")}`, [...before.values()]);
  }

  #step(edit: string, subject: string, texts: readonly Text[]): Step {
    const id = `edit ${++this.#number}`;
    const contents = new Map<string, Buffer>();
    const changes = texts.map(({ path, text }) => {
      if (text === undefined) {
        this.#texts.delete(path);
        return { path, entry: undefined };
      }
      const blob = `${id}: ${path}`;
      this.#texts.set(path, text);
      contents.set(blob, Buffer.from(text));
      return { path, entry: { path, mode: this.#modes.get(path) ?? "file", blob } };
    });
    return { commit: { id, subject }, edit, saves: planSaves(changes), contents };
  }

  #isWanted(file: string): boolean {
    const { below, touching } = this.#options;
    const path = below === "" ? file : `${below}/${file}`;
    const isBelow = (folder: string) => path === folder || path.startsWith(`${folder.replace(/\/+$/, "")}/`);
    return this.#texts.has(file) && !PACKAGE_FILE.test(file) && (touching.length === 0 || touching.some(isBelow));
  }
}
