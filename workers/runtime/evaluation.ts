/**
 * Evaluates ES modules as the specification says (16.2.1.5.3): depth first, cycles as one, asynchronous modules beside
 * each other. One thing is turned around: a body asks for its dependencies from its own prologue, after its exports are
 * registered, so that hoisted functions of a cycle exist before anything runs.
 */
import { type Completion, EsmModule } from "./module-record.js";
import { NativeIsAsync } from "./native-modules.js";

/** What the evaluation needs from outside. */
export interface EvaluationSteps {
  /** Compiles and calls the body; it calls `Evaluator.dependencies` before its first statement. */
  start(module: EsmModule): unknown;
  /** Makes import `k` ready. Gives the module if it is an ES module of ours, a promise if it takes time. */
  dependency(module: EsmModule, k: number): EsmModule | Promise<void> | undefined;
  /** Every dependency was visited. */
  dependenciesVisited(module: EsmModule): void;
  /** Runs a part of the module's evaluation, attributed to it. */
  attribute<T>(module: EsmModule, run: () => T): T;
  /** Attributes what goes on asynchronously, until the returned function is called. */
  attributePending(module: EsmModule): () => void;
  evaluated(module: EsmModule): void;
  /** The module's own code threw (not that of a dependency). */
  threw(module: EsmModule, error: unknown): void;
}

export class Evaluator {
  readonly #steps: EvaluationSteps;
  #order = 0;

  constructor(steps: EvaluationSteps) {
    this.#steps = steps;
  }

  /**
   * Evaluates a linked module and what it depends on. Gives a promise when something in the graph is asynchronous.
   * Throws NativeIsAsync with every module of the walk as it was before: link again, and evaluate again.
   */
  evaluate(module: EsmModule): Promise<void> | undefined {
    if (module.state === "linked") this.#walk(module);
    const root = module.cycleRoot;
    if (root.state === "failed") throw root.error;
    if (root.state !== "waiting") return undefined;
    root.completion ??= createCompletion();
    return root.completion.promise;
  }

  /** Called by a body: evaluates its imports in source order. True when it has to wait for some. */
  dependencies(module: EsmModule): boolean {
    try {
      this.#visitDependencies(module);
      this.#steps.dependenciesVisited(module);
    } catch (error) {
      module.dependencyError = { error };
      throw error;
    }
    if (module.pending === 0 && !module.hasTopLevelAwait) return false;
    module.order = ++this.#order;
    module.endPending = this.#steps.attributePending(module);
    return module.pending > 0;
  }

  /** Nothing of this version may run or finish any more. */
  discard(module: EsmModule): void {
    if (module.state === "evaluated") return;
    this.#fail(module, new Error(`${module.record.file} was replaced while it was being evaluated`));
  }

  #walk(root: EsmModule): void {
    const run = { stack: [], nextIndex: 1 };
    try {
      this.#visit(root, run);
    } catch (error) {
      for (const module of [...run.stack] as EsmModule[]) {
        if (error instanceof NativeIsAsync) reset(module);
        else this.#fail(module, error);
      }
      throw error;
    }
  }

  #visit(module: EsmModule, run: NonNullable<EsmModule["run"]>): void {
    module.state = "evaluating";
    module.run = run;
    module.index = module.ancestor = run.nextIndex++;
    run.stack.push(module);
    this.#start(module);
    if (module.ancestor !== module.index) return;
    for (;;) {
      const done = run.stack.pop();
      if (!done) return;
      done.run = undefined;
      done.cycleRoot = module;
      if (done.order > 0) done.state = "waiting";
      else this.#finish(done);
      if (done === module) return;
    }
  }

  #visitDependencies(module: EsmModule): void {
    const { run } = module;
    if (!run) throw new Error(`${module.record.file} is not being evaluated`);
    for (let k = 0; k < module.imports.length; k++) {
      const found = this.#steps.dependency(module, k);
      if (found instanceof EsmModule) {
        if (found.state === "linked") this.#visit(found, run);
        this.#dependOn(module, found);
      } else if (found) {
        module.pending++;
        const { attempt } = module;
        found.then(
          () => module.attempt === attempt && this.#dependencyDone(module),
          (error: unknown) => module.attempt === attempt && this.#rejected(module, error),
        );
      }
    }
  }

  #dependOn(module: EsmModule, dependency: EsmModule): void {
    if (dependency.state === "failed") throw dependency.error;
    if (dependency.state === "evaluating") {
      if (dependency.run !== module.run) return;
      module.ancestor = Math.min(module.ancestor, dependency.ancestor);
      // In the same cycle, and already begun: its end has to be awaited. One that has not begun waits for this module.
      if (dependency.order > 0) this.#waitFor(dependency, module);
      return;
    }
    const root = dependency.cycleRoot;
    if (root.state === "failed") throw root.error;
    if (root.state === "waiting") this.#waitFor(root, module);
  }

  #waitFor(dependency: EsmModule, module: EsmModule): void {
    module.pending++;
    dependency.waiters.push({ module, attempt: module.attempt });
  }

  #start(module: EsmModule): void {
    let result: unknown;
    try {
      result = this.#steps.attribute(module, () => this.#steps.start(module));
    } catch (error) {
      if (!module.dependencyError) this.#steps.threw(module, error);
      throw error;
    }
    if (module.form !== "async") return;
    const started = result as Promise<unknown>;
    if (module.dependencyError) {
      // The same error comes from `started`, later; here it has to stop the walk.
      started.catch(() => undefined);
      throw module.dependencyError.error;
    }
    if (module.pending === 0) this.#watch(module, started);
  }

  #watch(module: EsmModule, running: Promise<unknown>): void {
    running.then(
      () => this.#fulfilled(module),
      (error: unknown) => {
        this.#steps.threw(module, error);
        this.#rejected(module, error);
      },
    );
  }

  #fulfilled(module: EsmModule): void {
    if (module.state !== "waiting") return;
    this.#finish(module);
    const ready: EsmModule[] = [];
    gatherReady(module, ready);
    module.waiters = [];
    this.#executeAll(ready);
  }

  /** A package that a module waited for has arrived. */
  #dependencyDone(module: EsmModule): void {
    if (module.state !== "waiting") return;
    module.pending--;
    if (module.pending > 0) return;
    const ready = [module];
    if (!module.hasTopLevelAwait) gatherReady(module, ready);
    this.#executeAll(ready);
  }

  #executeAll(ready: EsmModule[]): void {
    ready.sort((a, b) => a.order - b.order);
    for (const module of ready) {
      if (module.state !== "waiting") continue;
      const { resume } = module;
      module.resume = undefined;
      try {
        const result = this.#steps.attribute(module, () => resume?.());
        if (module.form === "async") {
          this.#watch(module, result as Promise<unknown>);
        } else {
          this.#finish(module);
          module.waiters = [];
        }
      } catch (error) {
        this.#steps.threw(module, error);
        this.#rejected(module, error);
      }
    }
  }

  #rejected(module: EsmModule, error: unknown): void {
    if (module.state !== "waiting") return;
    this.#fail(module, error);
    for (const waiter of module.waiters) {
      if (waiter.attempt === waiter.module.attempt) this.#rejected(waiter.module, error);
    }
    module.waiters = [];
  }

  #finish(module: EsmModule): void {
    module.state = "evaluated";
    release(module);
    this.#steps.evaluated(module);
    module.completion?.resolve();
    module.completion = undefined;
  }

  #fail(module: EsmModule, error: unknown): void {
    module.state = "failed";
    module.error = error;
    release(module);
    module.completion?.reject(error);
    module.completion = undefined;
  }
}

/**
 * Collects the importers that waited only for `module`, and theirs: GatherAvailableAncestors. They stay its waiters until
 * it is evaluated, because they fail with it when it throws.
 */
function gatherReady(module: EsmModule, ready: EsmModule[]): void {
  for (const { module: waiter, attempt } of module.waiters) {
    if (waiter.attempt !== attempt || waiter.state !== "waiting" || waiter.cycleRoot.state === "failed") continue;
    if (ready.includes(waiter)) continue;
    waiter.pending--;
    if (waiter.pending > 0) continue;
    ready.push(waiter);
    if (!waiter.hasTopLevelAwait) gatherReady(waiter, ready);
  }
}

/** Lets go of everything that only matters while the module is under way. */
function release(module: EsmModule): void {
  module.run = undefined;
  module.resume = undefined;
  module.endPending?.();
  module.endPending = undefined;
}

function reset(module: EsmModule): void {
  release(module);
  module.state = "linked";
  module.attempt++;
  module.pending = 0;
  module.order = 0;
  module.dependencyError = undefined;
  module.cycleRoot = module;
}

function createCompletion(): Completion {
  const { promise, resolve, reject } = withResolvers();
  // Those who wait get the error; when nobody does, it was reported where the evaluation was started.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

function withResolvers(): Completion {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}
