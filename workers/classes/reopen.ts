/**
 * Gives live instances and subclasses of an old class the new version's members, in place of Ruby's reopened class: the
 * old class is emptied and inherits everything from the new one. Every step can be undone, because a reload can fail
 * after it.
 */
import { inherits, isProxy, ownKeys, ownValue } from "../../src/common/untouched.js";
import type { AnyClass } from "./base-chain.js";

/** Whether it makes instances: arrow functions and methods do not. */
export function isClass(target: AnyClass): boolean {
  const prototype: unknown = ownValue(target, "prototype");
  return typeof prototype === "object" && prototype !== null;
}

/** Why an old class cannot be reopened as `next`, in words that follow "because"; undefined: it can. */
export function hindrance(old: AnyClass, next: AnyClass): string | undefined {
  if ([old, next].some((version) => isProxy(version) || isProxy(version.prototype))) return "a proxy stands for it";
  if (!isClass(next)) return "its new version is a function that makes no instances";
  if (!Object.isExtensible(old) || !Object.isExtensible(old.prototype)) return "it is frozen";
  const fixed = Reflect.ownKeys(old.prototype).find((key) => !isConfigurable(old.prototype, key));
  if (fixed !== undefined) return `its member ${String(fixed)} is not configurable`;
  if (inherits(next, old) || inherits(next.prototype, old.prototype)) return "its new version inherits from it";
  return undefined;
}

/** The members that a class and its prototype have: what is there later and not in here was added at run time. */
export interface OwnMembers {
  readonly statics: ReadonlySet<PropertyKey>;
  readonly members: ReadonlySet<PropertyKey>;
}

export function ownMembers(value: AnyClass): OwnMembers {
  return { statics: new Set(ownKeys(value)), members: new Set(ownKeys(value.prototype)) };
}

/**
 * What all old versions of a class inherit from, instead of from each other: however many there have been, the newest
 * class is two steps away, and nothing here holds an old one.
 */
interface Lineage {
  current: AnyClass;
  /** Inherits from `current`. Old classes inherit from it, and call it by `super()`. */
  readonly statics: object;
  /** Inherits from `current.prototype`. Old prototypes inherit from it. */
  readonly members: object;
}

export class Reopening {
  /** Newest class -> its lineage. Lives as long as the class, or an old version of it. */
  readonly #lineages = new WeakMap<AnyClass, Lineage>();

  /**
   * Lets `next` take over from `old`, which has no hindrance. `defined`: what `old` had by its definition; what was added
   * since is carried over, unless `next` defines it. `subclasses`: kept classes, of which some may extend `old`.
   * Gives the way back.
   */
  reopen(
    old: AnyClass,
    next: AnyClass,
    { defined, subclasses }: { defined: OwnMembers; subclasses: Iterable<AnyClass> },
  ): () => void {
    const undo: (() => void)[] = [];
    const inherit = (object: object, from: object): void => {
      const before = Reflect.getPrototypeOf(object);
      undo.push(() => Reflect.setPrototypeOf(object, before));
      Reflect.setPrototypeOf(object, from);
    };
    for (const subclass of subclasses) {
      if (Reflect.getPrototypeOf(subclass) !== old) continue;
      inherit(subclass, next);
      if (Reflect.getPrototypeOf(subclass.prototype) === old.prototype) inherit(subclass.prototype, next.prototype);
    }
    const lineage = this.#lineages.get(old) ?? createLineage(old);
    undo.push(() => {
      lineage.current = old;
      this.#lineages.delete(next);
    });
    this.#lineages.set(next, lineage);
    lineage.current = next;
    inherit(lineage.statics, next);
    inherit(lineage.members, next.prototype);

    carryOver(old, next, defined.statics);
    carryOver(old.prototype, next.prototype, defined.members);
    undo.push(empty(old), empty(old.prototype));
    inherit(old, lineage.statics);
    inherit(old.prototype, lineage.members);
    Object.defineProperty(old, Symbol.hasInstance, hasInstance(old, lineage));
    return () => {
      for (const step of undo.reverse()) step();
    };
  }
}

function createLineage(first: AnyClass): Lineage {
  const lineage: Lineage = { current: first, statics: superOf(() => lineage.current), members: Object.create(null) };
  return lineage;
}

/**
 * What `super()` means in the constructor of an old class that somebody still calls: the base of the newest class, not
 * that class itself, or its constructor would run beside the old one. A bound function is a constructor that has no
 * members of its own to hide those it inherits.
 */
function superOf(current: () => AnyClass): object {
  const construct = function (this: unknown, ...args: never[]): unknown {
    const base = Reflect.getPrototypeOf(current()) as new (...args: never[]) => unknown;
    const target = new.target as unknown as new () => unknown;
    return Reflect.construct(base === Function.prototype ? Object : base, args, target);
  };
  const bound = construct.bind(undefined);
  empty(bound);
  return bound;
}

/** For the old class: its instances are the newest class's, and the other way round. */
function hasInstance(old: AnyClass, lineage: Lineage): PropertyDescriptor {
  const value = function (this: unknown, object: unknown): boolean {
    const { current } = lineage;
    if (this === old) return object instanceof current;
    // A subclass that inherits this method: as if it had inherited from the newest class.
    const inherited = Reflect.get(current, Symbol.hasInstance, this) as (object: unknown) => unknown;
    return Boolean(Reflect.apply(inherited, this, [object]));
  };
  return { value, configurable: true, writable: true };
}

/** Deletes what can be deleted; gives the way back. A static that stays is seen only by code that holds the old class. */
function empty(object: object): () => void {
  const members = Reflect.ownKeys(object).map((key) => [key, Reflect.getOwnPropertyDescriptor(object, key)] as const);
  for (const [key] of members) Reflect.deleteProperty(object, key);
  return () => {
    for (const key of Reflect.ownKeys(object)) Reflect.deleteProperty(object, key);
    for (const [key, descriptor] of members) if (descriptor) Reflect.defineProperty(object, key, descriptor);
  };
}

function carryOver(from: object, to: object, defined: ReadonlySet<PropertyKey>): void {
  for (const key of Reflect.ownKeys(from)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(from, key);
    if (descriptor && !defined.has(key) && !Object.hasOwn(to, key)) Reflect.defineProperty(to, key, descriptor);
  }
}

function isConfigurable(object: object, key: PropertyKey): boolean {
  return Reflect.getOwnPropertyDescriptor(object, key)?.configurable === true;
}
