/**
 * What becomes of a file's classes when it is purged and evaluated again: those that the filter selects are purged, the
 * others wait for the new version to reopen them. What a failed reload has reopened is as it was before.
 */
import { HOOK_MS } from "../../src/common/deadlines.js";
import { NewestKeys } from "../../src/common/protocol/late-lookups.js";
import { prototypeOf } from "../../src/common/untouched.js";
import { withDeadline } from "../../src/common/wait.js";
import type { PlanParticipant } from "../plan-participant.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { RuntimePlan } from "../runtime/plan-run.js";
import { type AnyClass, shownName } from "./base-chain.js";
import { matchVersions } from "./match-versions.js";
import { type KnownClass, purgeClass } from "./purge-class.js";
import { hindrance, isClass, type OwnMembers, ownMembers, Reopening } from "./reopen.js";

/** More than anybody has on the screen. */
const KEPT_REFUSALS = 1000;

export interface ClassPurgeOptions {
  /** Classes of one version of a file, in the order in which they were defined. */
  classesOf(version: ModuleEdges): readonly KnownClass[];
  /** Classes of every version that has not been purged. */
  allClasses(): Iterable<KnownClass>;
  /** What the filter says of a class; absent without a filter: all classes are purged. */
  readonly selects?: ((target: AnyClass) => boolean) | undefined;
  /** Runs the app's hooks as nobody's doing. */
  outside<Result>(run: () => Result): Result;
  /** An object of the app is not what it was, and no module has written to it. */
  changed(object: object): void;
  /** A hook threw, or took too long. */
  failed(file: string, what: string, error: unknown): void;
  /** A class could not be reopened; `because` follows that word. */
  refused(file: string, name: string, because: string): void;
}

/** A class that is to be reopened, with what it had by its definition. */
interface Waiting extends KnownClass {
  readonly defined: OwnMembers;
}

export class ClassPurge implements PlanParticipant<Pick<RuntimePlan, "forget">> {
  readonly #options: ClassPurgeOptions;
  readonly #reopening = new Reopening();
  /** Class of a current version -> its members at the end of the load that defined it. Only with a filter. */
  readonly #defined = new WeakMap<AnyClass, OwnMembers>();
  /**
   * Purged file -> classes that its next version reopens. An entry goes when the file is evaluated again, which may be
   * late, or when it is gone.
   */
  #waiting = new Map<string, readonly Waiting[]>();
  /** While files are being loaded: versions that have been evaluated. */
  #loaded: ModuleEdges[] | undefined;
  /** While files are being loaded: class -> classes that extend it. */
  #subclasses: ReadonlyMap<unknown, readonly AnyClass[]> | undefined;
  /** What people have been told of, the newest of it: edits come with new names. */
  readonly #refusals = new NewestKeys(KEPT_REFUSALS);
  /** While a plan is applied: the way back. */
  #undo: (() => void)[] | undefined;
  #forgotten: readonly string[] = [];
  #waitingBefore: Map<string, readonly Waiting[]> | undefined;
  /** Classes to purge when the plan has been applied, because no class of the new version takes over from them. */
  #left: { readonly file: string; readonly known: KnownClass }[] = [];
  /** File -> names of the classes that were purged, in the order in which they were defined: the last goes first. */
  #purged = new Map<string, string[]>();

  constructor(options: ClassPurgeOptions) {
    this.#options = options;
  }

  /** Names of the classes that the plan under way, or the last one, has purged, by file. */
  get purged(): ReadonlyMap<string, readonly string[]> {
    return this.#purged;
  }

  /** Files are being loaded, from a start or a plan; those that it forgets will not be evaluated again. */
  begin({ forget = [] }: Pick<RuntimePlan, "forget"> = {}): void {
    this.#forgotten = forget;
    this.#loaded = [];
    this.#subclasses = undefined;
    this.#undo = [];
    this.#waitingBefore = new Map(this.#waiting);
    this.#left = [];
    this.#purged = new Map();
  }

  /** A step of the purge of one version. Gives whether going back would leave it without something. */
  purge(version: ModuleEdges): boolean | Promise<boolean> {
    const classes = this.#options.classesOf(version);
    return classes.length > 0 && this.#purgeAll(version.file, classes);
  }

  /** A version has been evaluated: its classes take over. */
  evaluated(version: ModuleEdges): void {
    if (!this.#options.selects) return;
    const waiting = this.#waiting.get(version.file);
    this.#waiting.delete(version.file);
    if (waiting) this.#reopen(version.file, waiting, this.#options.classesOf(version));
    if (this.#loaded) this.#loaded.push(version);
    else this.#takeOverLate(version);
  }

  /** All files have been loaded. */
  async commit(): Promise<void> {
    for (const file of this.#forgotten) {
      for (const known of this.#waiting.get(file) ?? []) this.#left.push({ file, known });
      this.#waiting.delete(file);
    }
    for (const version of this.#loaded ?? []) this.#remember(version);
    this.#loaded = this.#undo = this.#waitingBefore = this.#subclasses = undefined;
    await this.#purgeLeft();
  }

  /** The plan has failed: old classes are what they were. */
  rollback(): void {
    for (const undo of (this.#undo ?? []).reverse()) undo();
    this.#waiting = this.#waitingBefore ?? this.#waiting;
    this.#loaded = this.#undo = this.#waitingBefore = this.#subclasses = undefined;
    this.#left = [];
  }

  async #purgeAll(file: string, classes: readonly KnownClass[]): Promise<boolean> {
    const waiting: Waiting[] = [];
    let effect = false;
    for (const known of [...classes].reverse()) {
      const defined = this.#toReopen(file, known);
      if (defined) waiting.unshift({ ...known, defined });
      else effect = (await this.#purge(file, known)) || effect;
    }
    if (waiting.length > 0) this.#waiting.set(file, waiting);
    return effect;
  }

  /** What the class was defined with when it is to be reopened; undefined when it is to be purged. */
  #toReopen(file: string, { target, name, reader }: KnownClass): OwnMembers | undefined {
    const { selects } = this.#options;
    if (!selects || selects(target)) return undefined;
    // Of a class that a function has made later nothing says which new class would be its new version.
    const defined = this.#defined.get(target);
    if (!defined || !reader) return defined;
    this.#refuse(file, name, "it has #private members, which methods of another class cannot read");
    return undefined;
  }

  #reopen(file: string, waiting: readonly Waiting[], nexts: readonly KnownClass[]): void {
    const { pairs, unmatched, ambiguous } = matchVersions(waiting, nexts);
    for (const known of unmatched) this.#left.push({ file, known });
    const leave = (known: KnownClass, because: string): void => {
      this.#left.push({ file, known });
      this.#refuse(file, known.name, because);
    };
    for (const known of ambiguous) {
      leave(known, "the file defines several classes of this name, and not as many as before");
    }
    for (const { old, next } of pairs) {
      const because = next.reader
        ? "its new version has #private members, which its instances lack"
        : hindrance(old.target, next.target);
      if (because === undefined) this.#takeOver(old, next);
      else leave(old, because);
    }
  }

  #takeOver(old: Waiting, next: KnownClass): void {
    const subclasses = this.#directSubclasses().get(old.target) ?? [];
    const undo = this.#reopening.reopen(old.target, next.target, { defined: old.defined, subclasses });
    this.#undo?.push(undo);
    for (const changed of [old.target, old.target.prototype]) this.#options.changed(changed);
  }

  /** Found once for each load: the app may have thousands of classes, and a load may reopen most of them. */
  #directSubclasses(): ReadonlyMap<unknown, readonly AnyClass[]> {
    if (this.#subclasses) return this.#subclasses;
    const found = new Map<unknown, AnyClass[]>();
    for (const { target } of this.#options.allClasses()) {
      const base = prototypeOf(target);
      const same = found.get(base);
      if (same) same.push(target);
      else if (base !== Function.prototype) found.set(base, [target]);
    }
    if (this.#loaded) this.#subclasses = found;
    return found;
  }

  #refuse(file: string, name: string, because: string): void {
    const refusal = JSON.stringify([file, name, because]);
    if (!this.#refusals.add(refusal)) return;
    this.#options.refused(file, shownName(name), because);
  }

  /** A request, or a plan of another file, has made the file evaluate. */
  #takeOverLate(version: ModuleEdges): void {
    this.#remember(version);
    void this.#purgeLeft();
  }

  #remember(version: ModuleEdges): void {
    if (!this.#options.selects) return;
    for (const { target } of this.#options.classesOf(version)) {
      // A decorator may have put a function in its place that is no class.
      if (isClass(target)) this.#defined.set(target, ownMembers(target));
    }
  }

  async #purgeLeft(): Promise<void> {
    const left = this.#left;
    this.#left = [];
    for (const { file, known } of left.reverse()) await this.#purge(file, known);
  }

  /** Never rejects. */
  async #purge(file: string, known: KnownClass): Promise<boolean> {
    const { outside, failed } = this.#options;
    this.#purged.set(file, [shownName(known.name), ...(this.#purged.get(file) ?? [])]);
    try {
      const done = outside(() => purgeClass(known));
      if (typeof done === "boolean") return done;
      await withDeadline(done, HOOK_MS);
    } catch (error) {
      failed(file, `the purge hook of class ${shownName(known.name)}`, error);
    }
    return true;
  }
}
