/** What has come of the evaluation of an app in a thread of its own. */
import type { LoadedModule } from "../common/protocol/messages.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import type { UnexpectedEnd } from "../thread/app-thread.js";
import type { LoadedApp } from "./loaded-app.js";

export interface Booted {
  readonly type: "booted";
  readonly app: LoadedApp;
  /** In evaluation order. */
  readonly loaded: readonly LoadedModule[];
}

export type Boot =
  | Booted
  /** `end`: the app has ended itself, or has crashed. `ended`: its thread. */
  | {
      readonly type: "failed";
      readonly error: SerializedError;
      readonly end?: UnexpectedEnd | undefined;
      readonly ended?: AppEpoch;
    }
  /** Nobody waited for it any more. */
  | { readonly type: "abandoned"; readonly because: "aborted" | "late" };
