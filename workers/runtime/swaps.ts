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

/** Of one version: what it was evaluated from, and the texts that bodies were taken from since. */
export class VersionSwaps {
  readonly #watch: CallWatch;
  /** By number of the text. */
  readonly #tables: SwapTable[];
  readonly #texts: (CompiledModule | undefined)[] = [undefined];

  constructor(watch: CallWatch) {
    this.#watch = watch;
    this.#tables = [new SwapTable(watch)];
  }

  /** `__urS` of the module. */
  get table(): SwapTable {
    return this.#tables[0] as SwapTable;
  }

  /** What bodies were taken from; undefined for the text that was evaluated. */
  text(number: number): CompiledModule | undefined {
    return this.#texts[number];
  }

  /** What the newest bodies were taken from; undefined: none was swapped. */
  get newest(): CompiledModule | undefined {
    return this.#texts.at(-1);
  }

  /** The name of a function that an evaluation has called, so that its body must not be swapped. */
  calledOf({ bodies }: FunctionSwap): string | undefined {
    return bodies.find(({ text, id }) => this.#tables[text]?.wasCalled(id) ?? true)?.name;
  }

  /** Gives how to go back. */
  swap({ bodies, text, module: { compiled } }: FunctionSwap): () => void {
    const before = this.#tables.map((table) => table.bodies);
    const table = new SwapTable(this.#watch);
    this.#tables[text] = table;
    this.#texts[text] = compiled;
    for (const body of bodies) {
      const target = this.#tables[body.text];
      if (!target) continue;
      target.bodies = new Map(target.bodies).set(body.id, { source: body.source, table, functions: new WeakMap() });
    }
    return () => {
      this.#tables.length = before.length;
      this.#texts.length = before.length;
      for (const [number, known] of before.entries()) (this.#tables[number] as SwapTable).bodies = known;
    };
  }
}
