/** A plan's life: who takes part in it, and in which order. */
import type { Abandonment } from "./abandonment.js";

/** One plan at a time: after `begin` comes either `commit` or `rollback`. */
export interface PlanParticipant<Plan> {
  /** A plan begins. While it takes its time the plan may be given up, which is a failure like any other. */
  begin?(plan: Plan): void | Promise<void>;
  /** The plan's modules are evaluated and current, and there is no way back. Must not throw. */
  commit?(): void | Promise<void>;
  /** The plan has failed: its modules are gone again. `begin` may not have come to its end. */
  rollback?(error: unknown): void | Promise<void>;
}

/** Begins the participants in their order; what began last is committed, or rolled back, first. */
export class PlanLife<Plan> {
  readonly #participants: readonly PlanParticipant<Plan>[];
  readonly #abandonment: Abandonment;
  /** Those that take part in the plan under way, last first. */
  readonly #begun: PlanParticipant<Plan>[] = [];

  constructor(participants: readonly PlanParticipant<Plan>[], abandonment: Abandonment) {
    this.#participants = participants;
    this.#abandonment = abandonment;
  }

  /** Throws AbandonedError when the plan is given up meanwhile. */
  async begin(plan: Plan): Promise<void> {
    for (const participant of this.#participants) {
      this.#begun.unshift(participant);
      const pending = participant.begin?.(plan);
      if (pending) await this.#abandonment.until(pending);
    }
  }

  async commit(): Promise<void> {
    for (const participant of this.#begun) await this.#unlessAbandoned(participant.commit?.());
  }

  async rollback(error: unknown): Promise<void> {
    for (const participant of this.#begun) await this.#unlessAbandoned(participant.rollback?.(error));
  }

  /** What takes longer than anybody waits goes on by itself. */
  async #unlessAbandoned(pending: void | Promise<void>): Promise<void> {
    if (pending) await this.#abandonment.unless(pending);
  }
}
