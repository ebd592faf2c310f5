/** Orders that evaluate or purge: one at a time, in the order in which they came. Some can be given up, from beside it. */
import { Abandonment } from "./abandonment.js";

export class OrderQueue {
  readonly #failed: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();
  #open: () => void = () => {};
  /** What is carried out now and can be given up. */
  #underWay: { readonly planId: number; readonly abandonment: Abandonment } | undefined;
  /** The newest plan that was given up: it may still be in the queue. */
  #abandonedPlan = -1;

  /**
   * `waits`: nothing is carried out before `open`. `failed` is told of what an order throws, which is the supervisor's own
   * failure, not the app's; what comes behind it is not carried out.
   */
  constructor({ waits, failed }: { readonly waits: boolean; readonly failed: (error: unknown) => void }) {
    this.#failed = failed;
    if (!waits) return;
    this.#tail = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  add(run: () => Promise<void>): void {
    this.#tail = this.#tail.then(run).catch(this.#failed);
  }

  /** Adds what can be given up by its number. Numbers rise; the start has 0. */
  addAbandonable(planId: number, run: (abandonment: Abandonment) => Promise<void>): void {
    this.add(async () => {
      const abandonment = new Abandonment();
      this.#underWay = { planId, abandonment };
      if (planId <= this.#abandonedPlan) abandonment.abandon();
      await run(abandonment);
      this.#underWay = undefined;
    });
  }

  /** Nobody waits for this plan any more. */
  abandon(planId: number): void {
    this.#abandonedPlan = planId;
    if (this.#underWay?.planId === planId) this.#underWay.abandonment.abandon();
  }

  /** Nobody waits for any. */
  abandonAll(): void {
    this.#abandonedPlan = Number.POSITIVE_INFINITY;
    this.#underWay?.abandonment.abandon();
  }
}
