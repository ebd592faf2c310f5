/**
 * Which modules write into which while they are evaluated: `router.get(...)` on a router that another file exports, a
 * push into a registry, a call that counts. A module can only write to what it has got hold of, so the state of a file is
 * looked at when a module under evaluation first reads it, and again when that evaluation is over; a difference is a
 * written edge. Between the two looks nothing else runs, unless the evaluation is asynchronous.
 */
import type { EvaluationEffects } from "../../src/common/compile/evaluation-effects.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import { type Closure, closuresOf, lookAgain } from "./closures.js";
import { firstDifference } from "./differences.js";
import { stateOf } from "./known-kinds.js";
import { Marks, type MarksContext } from "./marks.js";
import { type Bounds, join, type Reached, reach } from "./reach.js";
import { isCollection, isLibraryInstance, type Slots, type Surroundings, slotsOf } from "./slots.js";

export interface WrittenEdgesContext extends MarksContext {
  readonly surroundings: Surroundings;
  /** The bindings of an own file, exported and private, and the globals that it has set, by name; undefined when it has not been evaluated. */
  bindingsOf(file: string): Slots | undefined;
  /** Whether it has set globals. */
  hasGlobals(file: string): boolean;
  /** As far as can be seen from the file's text. */
  effectsOf(file: string): EvaluationEffects | undefined;
  /** Own files whose exports a file has taken at its evaluation and may keep: CommonJS. */
  capturedBy(file: string): Iterable<string>;
  /** Own files that a file has read while it was evaluated. */
  observedBy(file: string): Iterable<string>;
}

/** At a start each look is taken beside many others; at a reload only few modules are evaluated. */
export const AT_START: Bounds = { depth: 4, objects: 64 };
export const AT_RELOAD: Bounds = { depth: 6, objects: 2000 };
/** Files that are searched for the one to which a changed object belongs. */
const SEARCHED = 300;
/** Files behind one that a module has read that are looked at, too, at a start. */
const CAPTURED_AT_START = 16;
/**
 * With more files than this a module is one that puts the app together: what is behind them is not looked at. (Of an app
 * of 500 CommonJS modules all are behind the entry; looking at all of them took 20 ms of each reload.)
 */
const WATCHED_AT_START = 32;
const WATCHED_AT_RELOAD = 100;
/** Functions of one file whose scopes are looked at, and looks at functions in one start or reload. */
const CLOSURES = 32;
const LOOKS_AT_CLOSURES = 2000;

const NO_DOERS: ReadonlySet<ModuleEdges> = new Set();

interface FileState {
  readonly file: string;
  readonly bindings: Slots;
  /** Functions that keep something; undefined when they were not looked for. */
  closures: readonly Closure[] | undefined;
  /** What can be reached from them. */
  readonly reached: readonly Reached[];
  /** The objects of `reached`, once somebody asks. */
  objects: ReadonlySet<object> | undefined;
}

interface Difference {
  readonly path: string;
  /** The object that was written to; undefined: one of the file's own bindings. */
  readonly object: object | undefined;
}

export class WrittenEdges {
  readonly #context: WrittenEdgesContext;
  bounds = AT_START;
  #looksAtClosures = 0;
  /** Files that were written to since the last `settle`. */
  readonly #targets = new Set<string>();
  /** Object to what it held at the last look. One for all files: a change is found once, by the first look. */
  readonly #contents = new Map<object, Slots>();
  /** File to its state at the last look. */
  readonly #states = new Map<string, FileState>();
  /** Version under evaluation to the files that it has read; innermost last. */
  readonly #watching = new Map<ModuleEdges, Set<string>>();
  /** The same for versions whose evaluation is over, but who may go on: `async function main()`. */
  readonly #ended = new Map<ModuleEdges, Set<string>>();
  /** Versions whose evaluation is over, for good. What they read late is watched until the next `settle`. */
  readonly #over = new WeakSet<ModuleEdges>();
  /** Those of `#ended` that were seen to go on. */
  readonly #continuing = new Set<ModuleEdges>();
  /** Versions with an await of their own, so that others run before their evaluation is over. */
  readonly #waiting = new WeakSet<ModuleEdges>();
  /** What runs now is no evaluation's doing: a difference is nobody's writing. */
  #interrupted = false;

  readonly #marks: Marks;

  constructor(context: WrittenEdgesContext) {
    this.#context = context;
    this.#marks = new Marks(context);
  }

  /** A module has got hold of a file's exports. */
  read(reader: ModuleEdges, file: string): void {
    if (file === reader.file || this.#context.effectsOf(reader.file)?.passive) return;
    this.#watch(reader, file);
    const most = this.bounds === AT_START ? WATCHED_AT_START : WATCHED_AT_RELOAD;
    const limit = this.bounds === AT_START ? CAPTURED_AT_START : SEARCHED;
    // A Set is walked in insertion order, entries added on the way included.
    const reached = new Set([file]);
    for (const each of reached) {
      const watched = this.#over.has(reader) ? this.#ended : this.#watching;
      if ((watched.get(reader)?.size ?? 0) > most) return;
      if (each !== file) this.#watch(reader, each);
      if (this.bounds === AT_START && each !== file) continue;
      for (const captured of this.#context.capturedBy(each)) if (reached.size < limit) reached.add(captured);
    }
  }

  #watch(reader: ModuleEdges, file: string): void {
    if (file === reader.file) return;
    const isOver = this.#over.has(reader);
    if (!isOver) this.#marks.read(reader, file);
    if (!this.#mayHoldState(file)) return;
    const files = (isOver ? this.#ended : this.#watching).get(reader) ?? new Set();
    if (files.has(file)) return;
    const state = this.#states.get(file);
    if (state) this.#compare(state, this.#lastWatcherOf(file), isOver);
    if (!state?.closures && !this.#look(file, true)) return;
    files.add(file);
    (isOver ? this.#ended : this.#watching).set(reader, files);
    if (isOver) this.#continuing.add(reader);
  }

  /** A module's evaluation is over. `wasAsync`: other things may have run in between. */
  evaluated(reader: ModuleEdges, wasAsync: boolean, maySoGoOn: boolean): void {
    const files = this.#watching.get(reader) ?? new Set();
    for (const file of files) {
      const state = this.#states.get(file);
      if (state && this.#interrupted && this.#waiting.has(reader)) this.#lookAgain(state);
      else if (state) this.#compare(state, wasAsync ? this.#watchersOf(file) : [reader], wasAsync);
    }
    for (const file of this.#marks.takeMarked(reader)) this.#writes([reader], [file]);
    this.#watching.delete(reader);
    this.#over.add(reader);
    this.#ended.set(reader, files);
    if (maySoGoOn) this.#continuing.add(reader);
  }

  waits(reader: ModuleEdges): void {
    this.#waiting.add(reader);
  }

  /** One whose evaluation is over goes on: it may still write to what it has got hold of. */
  goesOn(reader: ModuleEdges): void {
    if (this.#ended.has(reader)) this.#continuing.add(reader);
  }

  /** Others are about to run: what has changed until now is the writing of `doers`, or else of all who may go on. */
  interrupted(doers: ReadonlySet<ModuleEdges>): void {
    this.#compareOpen(doers);
    this.#interrupted = true;
  }

  /** Others have run: what they have changed is nobody's writing. */
  resumed(): void {
    this.#interrupted = false;
    for (const file of this.#openFiles()) {
      const state = this.#states.get(file);
      if (state) this.#lookAgain(state);
    }
  }

  /** The reload itself has changed the object: nobody has written to it. */
  excuse(object: object): void {
    const slots = this.#contents.has(object) ? this.#slotsOf(object) : undefined;
    if (slots) this.#contents.set(object, slots);
  }

  /** A version has gone: what comes next is looked at from the beginning, and what it never finished is nobody's. */
  forget(version: ModuleEdges): void {
    this.#states.delete(version.file);
    this.#watching.delete(version);
  }

  /** What is under way now is given up. Returns the files that were written to since the last `settle`. */
  abandon(): string[] {
    for (const reader of [...this.#watching.keys()]) this.evaluated(reader, true, false);
    return [...this.#targets];
  }

  /** Nothing that evaluation began is going on any more. Keeps nothing of the app's objects. */
  settle(): void {
    if (!this.#interrupted) this.#compareOpen(NO_DOERS);
    this.#ended.clear();
    this.#continuing.clear();
    this.#looksAtClosures = 0;
    this.#targets.clear();
    if (this.#watching.size > 0) return;
    this.#states.clear();
    this.#contents.clear();
    this.#marks.clear();
  }

  /** What those can write to who are not done. */
  #openFiles(): Set<string> {
    const files = new Set<string>();
    for (const [reader, read] of this.#watching) {
      if (this.#waiting.has(reader)) for (const file of read) files.add(file);
    }
    for (const reader of this.#continuing) for (const file of this.#ended.get(reader) ?? []) files.add(file);
    return files;
  }

  #compareOpen(doers: ReadonlySet<ModuleEdges>): void {
    for (const file of this.#openFiles()) {
      const state = this.#states.get(file);
      if (!state) continue;
      const continuing = [...this.#continuing].filter((reader) => this.#ended.get(reader)?.has(file));
      const open = [...continuing, ...this.#watchersOf(file).filter((reader) => this.#waiting.has(reader))];
      const writers = open.filter((reader) => doers.has(reader));
      this.#compare(state, writers.length > 0 ? writers : open, true);
    }
  }

  /** From here on the state is what it is now. */
  #lookAgain({ file, closures, reached }: FileState): void {
    for (const { object } of reached) this.excuse(object);
    this.#look(file, closures !== undefined);
  }

  /** A start is spared whole looks at files that hold nothing but functions: what is put on these is seen by `Marks`. */
  #mayHoldState(file: string): boolean {
    if (this.bounds !== AT_START || this.#context.hasGlobals(file)) return true;
    return !this.#context.effectsOf(file)?.stateless;
  }

  #lastWatcherOf(file: string): ModuleEdges[] {
    return this.#watchersOf(file).slice(-1);
  }

  #watchersOf(file: string): ModuleEdges[] {
    return [...this.#watching].flatMap(([reader, files]) => (files.has(file) ? [reader] : []));
  }

  #look(file: string, withClosures: boolean): FileState | undefined {
    const bindings = this.#context.bindingsOf(file);
    if (!bindings) return undefined;
    const closures = withClosures ? this.#closuresOf(file, bindings) : undefined;
    const roots = [...bindings, ...(closures ?? []).flatMap(({ variables }) => variables)];
    const reached = reach(roots, this.bounds, (object) => {
      let slots = this.#contents.get(object);
      if (slots) return slots;
      slots = this.#slotsOf(object);
      if (slots) this.#contents.set(object, slots);
      return slots;
    });
    const state: FileState = { file, bindings, closures, reached, objects: undefined };
    this.#states.set(file, state);
    return state;
  }

  #closuresOf(file: string, bindings: Slots): Closure[] {
    const { surroundings } = this.#context;
    const effects = this.#context.effectsOf(file);
    if (effects?.stateless || this.#looksAtClosures >= LOOKS_AT_CLOSURES) return [];
    return closuresOf(bindings, {
      plain: effects?.functions ?? [],
      limit: CLOSURES,
      looked: (count) => {
        this.#looksAtClosures += count;
      },
      membersOf: (object) => {
        if (surroundings.isForeign(object) || stateOf(object) || isLibraryInstance(object, surroundings))
          return undefined;
        return isCollection(object) ? undefined : slotsOf(object, surroundings);
      },
      isPart: (made) => !surroundings.isForeign(made) && !surroundings.isAdapted(made) && !stateOf(made),
    });
  }

  #slotsOf(object: object): Slots | undefined {
    const { surroundings } = this.#context;
    return surroundings.isForeign(object) ? undefined : (stateOf(object) ?? slotsOf(object, surroundings));
  }

  #compare(state: FileState, writers: readonly ModuleEdges[], wasAsync: boolean): void {
    const differences = this.#differences(state, wasAsync);
    if (differences.length === 0) return;
    const targets = new Set<string>();
    for (const { object } of differences) {
      for (const file of object ? this.#filesWith(object, state.file) : [state.file]) targets.add(file);
    }
    for (const file of targets) this.#look(file, this.#states.get(file)?.closures !== undefined);
    this.#writes(writers, targets);
  }

  #writes(writers: readonly ModuleEdges[], targets: Iterable<string>): void {
    for (const file of targets) {
      this.#targets.add(file);
      for (const writer of writers) writer.writes(file);
    }
  }

  #differences(state: FileState, wasAsync: boolean): Difference[] {
    const { surroundings } = this.#context;
    const differences: Difference[] = [];
    const bindings = this.#context.bindingsOf(state.file) ?? state.bindings;
    const binding = firstDifference(state.bindings, bindings, () => false, wasAsync);
    if (binding) differences.push({ path: join("", binding.name), object: undefined });
    if (this.#closureDiffers(state, wasAsync)) differences.push({ path: "closure", object: undefined });
    for (const { object, path } of state.reached) {
      const before = this.#contents.get(object);
      const after = this.#slotsOf(object);
      if (!before || !after) continue;
      const difference = firstDifference(before, after, () => isLibraryInstance(object, surroundings), wasAsync);
      this.#contents.set(object, after);
      if (difference) differences.push({ path: join(path, difference.name), object });
    }
    return differences;
  }

  /** Whether a variable in the scope of a function has another value. Package's own laziness is nobody's writing. */
  #closureDiffers({ closures }: FileState, wasAsync: boolean): boolean {
    if (!closures || closures.length === 0) return false;
    this.#looksAtClosures += closures.length;
    const now = lookAgain(closures);
    return closures.some(({ made, variables, isOwn }) => {
      const later = now.find((closure) => closure.made === made);
      return later && firstDifference(variables, later.variables, () => !isOwn, wasAsync) !== undefined;
    });
  }

  /** `file` and those whose bindings it may have reached the object through. */
  #filesWith(object: object, file: string): string[] {
    const searched = new Set([file]);
    const found: string[] = [];
    // A Set is walked in insertion order, entries added on the way included.
    for (const each of searched) {
      const state = this.#states.get(each) ?? this.#look(each, false);
      if (!state) continue;
      state.objects ??= new Set(state.reached.map((reached) => reached.object));
      if (each === file || state.objects.has(object)) found.push(each);
      for (const next of this.#context.observedBy(each)) if (searched.size < SEARCHED) searched.add(next);
    }
    return found;
  }
}
