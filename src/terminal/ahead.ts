import type { Launched } from "../launcher/launched.js";
import type { SpareThread } from "../thread/spare-thread.js";

/** What was there before anything was known. */
export interface Ahead {
  /** A thread that was started ahead. */
  readonly spare: SpareThread | undefined;
  /** Undefined: there is no launcher. */
  readonly launched: Launched | undefined;
}
