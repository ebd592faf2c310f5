/**
 * Which modules that are kept lead to something that a purge is going to end: a database that a request has handed over and
 * that a module remembers, a thread, a client. No edge tells of that: it came about after all evaluations. A fresh start
 * would have nothing of it there.
 *
 * Objects are walked from the bindings of all kept modules at once, nearest first, each one once; from what was found the
 * walk goes back to all who lead to it.
 */
import { types } from "node:util";
import type { EvaluationEffects } from "../../src/common/compile/evaluation-effects.js";
import { withoutProxies } from "../../src/common/proxy-targets.js";
import { isArray, isMap, isObject, isProxy, isSet, ownDescriptor, ownKeys } from "../../src/common/untouched.js";
import { closuresOf } from "./closures.js";
import { innerScopesOf } from "./inner-scopes.js";
import { resultsOf } from "./scope-lists.js";
import { type Slots, type Surroundings, slotsOf } from "./slots.js";

export interface HoldersContext {
  readonly surroundings: Surroundings;
  /** As `WrittenEdgesContext` has it. */
  bindingsOf(file: string): Slots | undefined;
  effectsOf(file: string): EvaluationEffects | undefined;
  /** Evaluated own files. */
  files(): Iterable<string>;
  /** Globals that are no module's. */
  globals(): Slots;
  /** Whether the text of a module has the name. */
  isMentioned(name: string): boolean;
  /** What leads everywhere and holds nothing: namespaces of own modules. */
  isNamespace(object: object): boolean;
}

/** The walk of a start or a reload is one of many; this one is rare, and finds what nothing else does. */
const OBJECTS = 20_000;
const DEPTH = 10;
/** Looked at with the inspector (`inner-scopes.ts`), in all. */
const FUNCTIONS = 200;
const FUNCTIONS_OF_FILE = 16;
/** Of one collection. */
const ENTRIES = 1000;

/** Modules are known by their file, globals by a symbol with their name. */
type Holder = object | string | symbol;

export interface Holders {
  /** Files among those kept that lead to one of the targets, each with that one. */
  readonly files: ReadonlyMap<string, object>;
  /** Names of globals that are no module's and lead to one, each with that one. */
  readonly globals: ReadonlyMap<string, object>;
}

export function holdersOf(targets: ReadonlySet<object>, purged: ReadonlySet<string>, context: HoldersContext): Holders {
  const walk = new Walk(targets, context);
  const globals = context.globals();
  for (let index = 0; index < globals.length; index += 2) {
    const name = nameOf(globals[index]);
    // Others are for packages, which take out what is closed.
    if (context.isMentioned(name)) walk.begin(Symbol(name), ["", globals[index + 1]]);
  }
  const kept = [...context.files()].filter((file) => !purged.has(file));
  for (const file of kept) walk.begin(file, context.bindingsOf(file) ?? []);
  walk.run();
  let functions = FUNCTIONS;
  for (const file of kept) {
    if (functions <= 0) break;
    const effects = context.effectsOf(file);
    if (effects?.stateless) continue;
    const looked = closuresOf(context.bindingsOf(file) ?? [], {
      plain: effects?.functions ?? [],
      limit: Math.min(FUNCTIONS_OF_FILE, functions),
      looked: (count) => {
        functions -= count;
      },
      membersOf: (object) => (walk.isOpaque(object) ? undefined : slotsOf(object, context.surroundings)),
      isPart: (made) => !context.surroundings.isForeign(made),
    });
    for (const { variables } of looked) walk.begin(file, variables);
  }
  walk.run();
  return walk.found();
}

class Walk {
  readonly #targets: ReadonlySet<object>;
  readonly #context: HoldersContext;
  /** Object to who leads to it: objects, and files whose bindings do. */
  readonly #holders = new Map<object, Holder[]>();
  #level: object[] = [];
  /** Of this level, to be looked into together. */
  #promises: object[] = [];
  #accessors = FUNCTIONS;

  constructor(targets: ReadonlySet<object>, context: HoldersContext) {
    this.#targets = targets;
    this.#context = context;
  }

  begin(holder: Holder, slots: Slots): void {
    for (let index = 1; index < slots.length; index += 2) this.#note(holder, slots[index]);
  }

  run(): void {
    for (let depth = 0; depth < DEPTH && this.#level.length > 0; depth++) {
      const level = this.#level;
      this.#level = [];
      for (const object of level) if (!this.#targets.has(object) && !this.isOpaque(object)) this.#expand(object);
      const promises = this.#promises.splice(0);
      for (const [index, result] of resultsOf(promises).entries()) this.#note(promises[index] as object, result);
    }
    this.#level = [];
  }

  isOpaque(object: object): boolean {
    const { surroundings, isNamespace } = this.#context;
    const isOfProcess = object === globalThis || object === process;
    return isOfProcess || surroundings.isForeign(object) || isNamespace(object) || ArrayBuffer.isView(object);
  }

  found(): Holders {
    const files = new Map<string, object>();
    const globals = new Map<string, object>();
    for (const target of this.#targets) {
      // A Set is walked in insertion order, entries added on the way included.
      const reached = new Set<Holder>([target]);
      for (const each of reached) {
        if (typeof each === "string") {
          if (!files.has(each)) files.set(each, target);
        } else if (typeof each === "symbol") globals.set(each.description ?? "", target);
        else for (const holder of this.#holders.get(each) ?? []) reached.add(holder);
      }
    }
    return { files, globals };
  }

  #note(holder: Holder, value: unknown): void {
    if (!isObject(value)) return;
    const known = this.#holders.get(value);
    if (known) {
      if (known.at(-1) !== holder) known.push(holder);
    } else if (this.#holders.size < OBJECTS) {
      this.#holders.set(value, [holder]);
      this.#level.push(value);
    }
  }

  #expand(object: object): void {
    if (isProxy(object)) {
      this.#note(object, withoutProxies(object));
      return;
    }
    if (isArray(object) || isMap(object) || isSet(object)) {
      const slots = slotsOf(object, this.#context.surroundings) ?? [];
      // Keys of a map are objects, too.
      for (const part of slots.slice(0, ENTRIES)) this.#note(object, part);
      return;
    }
    if (types.isPromise(object) && this.#accessors-- > 0) this.#promises.push(object);
    for (const key of ownKeys(object).slice(0, ENTRIES)) {
      // Listeners are the ledger's.
      if (key === "_events") continue;
      const property = ownDescriptor(object, key);
      if (property && "value" in property) this.#note(object, property.value);
      else if (property?.get) this.#lookInto(object, property.get);
    }
    for (const field of this.#context.surroundings.privateFields(object) ?? []) this.#note(object, field);
  }

  /** What a getter would give is not asked, but what it keeps. */
  #lookInto(object: object, get: object): void {
    if (this.#accessors-- <= 0) return;
    for (const { variables } of innerScopesOf([get])) this.begin(object, variables);
  }
}

function nameOf(name: unknown): string {
  return typeof name === "symbol" ? (name.description ?? "") : String(name);
}
