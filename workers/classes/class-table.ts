/**
 * Every class that the code of own files has made, by the version of the module that it belongs to: the one that was being
 * evaluated when the class was made, or else (a factory that a request calls) the one in whose text it stands. So a class
 * that a module gets from another's mixin goes with the module that asked for it.
 */
import type { ModuleEdges } from "../runtime/module-edges.js";
import { type AnyClass, basesOf, ownName, shownName } from "./base-chain.js";

/**
 * The values of an object's private fields, `false` for each that it does not have. For static ones the object is the
 * class. Throws a TypeError for what is no object.
 */
export type PrivateReader = (object: object) => unknown[];

export interface OwnClass {
  readonly target: AnyClass;
  /** As it was when the class was made (or decorated); empty for an anonymous class. */
  readonly name: string;
  /** Present when the class has `#private` members of any kind: methods too, which it does not read. */
  readonly reader: PrivateReader | undefined;
  /** Version of the module that the class belongs to. */
  readonly version: ModuleEdges;
}

export interface ClassTableContext {
  /** The version that is being evaluated. */
  evaluating(): ModuleEdges | undefined;
  /** A version has one more class, made by its evaluation. */
  added(version: ModuleEdges): void;
}

/** Classes of one version. */
interface VersionClasses {
  /** Made by the evaluation: held until the version is dropped. */
  readonly held: Set<OwnClass>;
  /** Made later, perhaps one for each request: the app decides how long they live. */
  made: WeakRef<AnyClass>[];
  /** Length of `made` at which those that have gone are taken out. */
  pruneAt: number;
}

const FIRST_PRUNE = 64;

export class ClassTable {
  readonly #context: ClassTableContext;
  /** Version to its classes. Born with its first class; dies with `drop`. */
  readonly #versions = new Map<ModuleEdges, VersionClasses>();
  /** Versions that were dropped: what their surviving code makes is not collected any more. */
  readonly #dropped = new WeakSet<ModuleEdges>();
  /** Each class that is alive to its entry; classes of dropped versions too. */
  readonly #entries = new WeakMap<AnyClass, OwnClass>();

  constructor(context: ClassTableContext) {
    this.#context = context;
  }

  /**
   * Takes in a class of the text of `definer`, or what decorators made of one; gives it back. What is no function (a
   * decorator may return anything) is left out.
   */
  define<T>(definer: ModuleEdges, target: T, reader?: PrivateReader): T {
    if (typeof target !== "function") return target;
    const known = this.#entries.get(target);
    const evaluating = this.#context.evaluating();
    const isHeld = evaluating !== undefined && !this.#dropped.has(evaluating);
    const version = isHeld ? evaluating : definer;
    const entry: OwnClass = {
      target,
      name: ownName(target),
      reader: known?.reader ?? reader,
      version: known?.version ?? version,
    };
    this.#entries.set(target, entry);
    if (known) this.#replace(known, entry);
    else if (isHeld) this.#hold(entry);
    else if (!this.#dropped.has(version)) this.#note(entry);
    return target;
  }

  /** The entry of a class of own code, purged ones included while they are alive. */
  find(target: unknown): OwnClass | undefined {
    return typeof target === "function" ? this.#entries.get(target) : undefined;
  }

  /** In the order in which they were made, those of the evaluation first; empty when the version was dropped. */
  classesOf(version: ModuleEdges): OwnClass[] {
    const classes = this.#versions.get(version);
    return classes ? [...classes.held, ...this.#alive(classes.made)] : [];
  }

  /** Names with those of the base classes, as the supervisor is told of them; without what was made later. */
  describe(version: ModuleEdges): { name: string; bases: string[] }[] {
    const held = this.#versions.get(version)?.held ?? [];
    return [...held].map((entry) => ({
      name: shownName(entry.name),
      bases: basesOf(entry.target).map((base) => shownName(this.nameOf(base))),
    }));
  }

  /** Own classes as they were named first, others as they are named now; empty for anonymous ones. */
  nameOf(target: AnyClass): string {
    return this.#entries.get(target)?.name || ownName(target);
  }

  /** Own classes of all versions that were not dropped. */
  *all(): Generator<OwnClass> {
    for (const version of this.#versions.keys()) yield* this.classesOf(version);
  }

  /** The version is gone for good; its classes live on only if the app holds them. */
  drop(version: ModuleEdges): void {
    this.#versions.delete(version);
    this.#dropped.add(version);
  }

  #classes(version: ModuleEdges): VersionClasses {
    let classes = this.#versions.get(version);
    if (!classes) {
      classes = { held: new Set(), made: [], pruneAt: FIRST_PRUNE };
      this.#versions.set(version, classes);
    }
    return classes;
  }

  #hold(entry: OwnClass): void {
    this.#classes(entry.version).held.add(entry);
    this.#context.added(entry.version);
  }

  #note({ version, target }: OwnClass): void {
    const classes = this.#classes(version);
    classes.made.push(new WeakRef(target));
    if (classes.made.length < classes.pruneAt) return;
    classes.made = classes.made.filter((reference) => reference.deref() !== undefined);
    classes.pruneAt = Math.max(FIRST_PRUNE, 2 * classes.made.length);
  }

  /** Decorators have given the class its name, or left it alone. */
  #replace(known: OwnClass, entry: OwnClass): void {
    const held = this.#versions.get(known.version)?.held;
    if (!held?.delete(known)) return;
    held.add(entry);
    if (known.name !== entry.name) this.#context.added(entry.version);
  }

  *#alive(made: readonly WeakRef<AnyClass>[]): Generator<OwnClass> {
    for (const reference of made) {
      const target = reference.deref();
      const entry = target && this.#entries.get(target);
      if (entry) yield entry;
    }
  }
}
