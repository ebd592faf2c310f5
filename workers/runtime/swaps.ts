/**
 * Bodies of functions that have taken the place of others (`--scope function`). `__urS` of compiled code is a `SwapTable`: each
 * function asks it first (src/common/compile/cells.ts).
 *
 * The same question tells which functions a start or a reload has called: for these, another body means another start.
 */
import { withoutCells } from "../../src/common/compile/cells.js";
import type { CompiledModule } from "../../src/common/compile/compiled-module.js";
import type { FunctionSwap } from "../../src/common/protocol/orders.js";
import { replaceMethod } from "../ledger/replace.js";

type Evaluate = (text: string) => unknown;
type Callable = (...parameters: unknown[]) => unknown;

interface Body {
  readonly source: string;
  readonly table: SwapTable;
  /** Evaluator of a scope -> the body as a function of that scope. */
  readonly functions: WeakMap<Evaluate, Callable>;
}

/** Of one text of one version. Its state is private: what modules refer to is looked at, to see what they have changed. */
export class SwapTable {
  readonly #watch: CallWatch;
  readonly #called = new Set<number>();
  /** By ids of the text's functions; absent while there is none. */
  #bodies: ReadonlyMap<number, Body> | undefined;

  constructor(watch: CallWatch) {
    this.#watch = watch;
  }

  /** What a function asks further; undefined for most. */
  get $(): this | undefined {
    return this.#bodies !== undefined || this.#watch.isOn ? this : undefined;
  }

  has(id: number): boolean {
    if (this.#watch.isOn) this.#called.add(id);
    return this.#bodies?.has(id) ?? false;
  }

  run(id: number, evaluate: Evaluate, self: unknown, parameters: readonly unknown[]): unknown {
    const body = this.#bodies?.get(id) as Body;
    let made = body.functions.get(evaluate);
    if (!made) {
      made = (evaluate(body.source) as (table: SwapTable) => Callable)(body.table);
      body.functions.set(evaluate, made);
    }
    return Reflect.apply(made, self, parameters);
  }

  wasCalled(id: number): boolean {
    return this.#called.has(id);
  }

  get bodies(): ReadonlyMap<number, Body> | undefined {
    return this.#bodies;
  }

  set bodies(bodies: ReadonlyMap<number, Body> | undefined) {
    this.#bodies = bodies;
  }
}

/** Texts of functions that are evaluated elsewhere (a thread, a browser) must do without `__urS`. */
export function hideCells(): () => void {
  return replaceMethod(Function.prototype, "toString", (original) => {
    const shown = function (this: unknown): unknown {
      const self = this === shown ? original : this;
      const text = Reflect.apply(original, self, []);
      return typeof text === "string" ? withoutCells(text) : text;
    };
    return shown;
  });
}

/** While it is on, what is called counts as called by an evaluation. */
export class CallWatch {
  isOn = true;
}

/** Bodies that were taken from one text. */
interface Taken {
  readonly table: SwapTable;
  /** Undefined for the text that was evaluated. */
  readonly text: CompiledModule | undefined;
}

/** So many texts are known beyond those that run: a request in flight may show a line of one. */
const FORMER = 8;

/** Of one version: what it was evaluated from, and the texts that bodies were taken from since. */
export class VersionSwaps {
  readonly #watch: CallWatch;
  /** By number of the text, the newest last. */
  #taken: Map<number, Taken>;

  constructor(watch: CallWatch) {
    this.#watch = watch;
    this.#taken = new Map([[0, { table: new SwapTable(watch), text: undefined }]]);
  }

  /** `__urS` of the module. */
  get table(): SwapTable {
    return this.#taken.get(0)?.table as SwapTable;
  }

  /** What bodies were taken from; undefined for the text that was evaluated, and for one of which nothing runs any more. */
  text(number: number): CompiledModule | undefined {
    return this.#taken.get(number)?.text;
  }

  /** What the newest bodies were taken from; undefined: none was swapped. */
  get newest(): CompiledModule | undefined {
    return [...this.#taken.values()].at(-1)?.text;
  }

  /** How many texts are known. */
  get size(): number {
    return this.#taken.size;
  }

  /** The name of a function that an evaluation has called, so that its body must not be swapped. */
  calledOf({ bodies }: FunctionSwap): string | undefined {
    return bodies.find(({ text, id }) => this.#taken.get(text)?.table.wasCalled(id) ?? true)?.name;
  }

  /** Gives how to go back. */
  swap({ bodies, text, module: { compiled } }: FunctionSwap): () => void {
    const before = this.#taken;
    const bodiesBefore = [...before.values()].map(({ table }) => ({ table, bodies: table.bodies }));
    const table = new SwapTable(this.#watch);
    for (const body of bodies) {
      const target = before.get(body.text)?.table;
      if (!target) continue;
      target.bodies = new Map(target.bodies).set(body.id, { source: body.source, table, functions: new WeakMap() });
    }
    this.#taken = new Map(before).set(text, { table, text: compiled });
    this.#forgetUnused();
    return () => {
      this.#taken = before;
      for (const known of bodiesBefore) known.table.bodies = known.bodies;
    };
  }

  /** Of most texts nothing runs soon. */
  #forgetUnused(): void {
    const used = new Set([this.table]);
    // Those that are added on the way are walked as well.
    for (const table of used) for (const body of table.bodies?.values() ?? []) used.add(body.table);
    for (const number of [...this.#taken.keys()].slice(0, -FORMER)) {
      const taken = this.#taken.get(number);
      if (taken && !used.has(taken.table)) this.#taken.delete(number);
    }
  }
}
