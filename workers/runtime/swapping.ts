/** Swaps bodies of functions as a part of a plan, and knows what a start or a reload has called. */
import type { FunctionSwap } from "../../src/common/protocol/orders.js";
import type { PlanParticipant } from "../plan-participant.js";
import type { RuntimePlan } from "./plan-run.js";
import type { Registry } from "./registry.js";
import { CallWatch, type VersionSwaps } from "./swaps.js";

export class Swapping implements PlanParticipant<RuntimePlan> {
  readonly #versions: Pick<Registry, "recordsOf">;
  readonly watch = new CallWatch();
  /** How to go back to what the plan under way has found; absent: no plan is under way. */
  #undo: (() => void)[] | undefined;
  /** Modules that are being evaluated, by a request, say. */
  #evaluating = 0;
  #isStarted = false;
  /** Nothing goes on that the start, or the last plan that evaluated something, has begun. */
  #isSettled = false;

  constructor(versions: Pick<Registry, "recordsOf">) {
    this.#versions = versions;
  }

  /** Why these bodies cannot be swapped, seen from here; undefined: they can. */
  refusal(swaps: readonly FunctionSwap[]): string | undefined {
    if (!mayEvaluate()) return "Node must not evaluate texts";
    if (this.watch.isOn) return "an evaluation is not over";
    for (const swap of swaps) {
      const version = this.#versionOf(swap);
      if (!version) return "there is no version, or more than one";
      const called = version.calledOf(swap);
      if (called !== undefined) return `${called} was called while a module was evaluated`;
    }
    return undefined;
  }

  begin({ swaps = [], purge, load }: RuntimePlan): void {
    this.#undo = [];
    if (purge.length + load.length > 0) {
      this.watch.isOn = true;
      this.#isSettled = false;
    }
    for (const swap of swaps) {
      const version = this.#versionOf(swap);
      if (version) this.#undo.push(version.swap(swap));
    }
  }

  commit(): void {
    this.#undo = undefined;
  }

  rollback(): void {
    for (const undo of this.#undo ?? []) undo();
    this.#undo = undefined;
  }

  /** A module begins to be evaluated. */
  evaluates(): void {
    this.#evaluating++;
    this.watch.isOn = true;
  }

  /** It was evaluated, or has thrown. */
  evaluated(): void {
    this.#evaluating--;
    if (this.#evaluating <= 0 && this.#isSettled && !this.#undo) this.watch.isOn = false;
  }

  /** The start has been evaluated. */
  started(): void {
    this.#isStarted = true;
  }

  /** A request begins: it has come through the gate, so nothing that it does belongs to a start or a plan. */
  requested(): void {
    // Another request may be evaluating a module.
    if (this.#evaluating <= 0) this.settle();
  }

  /** Nothing goes on that a start or a plan has begun. */
  settle(): void {
    if (this.#undo || !this.#isStarted) return;
    this.#isSettled = true;
    this.#evaluating = 0;
    this.watch.isOn = false;
  }

  #versionOf({ module }: FunctionSwap): VersionSwaps | undefined {
    const versions = this.#versions
      .recordsOf(module.compiled.file)
      .flatMap(({ version }) => (version ? [version] : []));
    return versions.length === 1 ? versions[0]?.swaps : undefined;
  }
}

/** Not with `--disallow-code-generation-from-strings`. */
function mayEvaluate(): boolean {
  try {
    return new Function("return true")() === true;
  } catch (error) {
    if (error instanceof EvalError) return false;
    throw error;
  }
}
