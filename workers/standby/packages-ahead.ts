/** A start's packages: written down for the next one, and loaded before it in a thread that waits. */
import type { PackageLog, PackageRequest } from "../../src/common/protocol/package-log.js";
import type { EnvironmentReads } from "../ledger/environment-reads.js";
import type { Observer } from "../runtime/observer.js";
import type { Runtime } from "../runtime/runtime.js";
import { LoadWatch } from "./load-watch.js";
import { PackageReach } from "./package-reach.js";
import { type LoadedAhead, PackageRecorder } from "./package-recorder.js";
import { type WarmedUp, warmUp } from "./warm-up.js";

export interface PackagesAheadOptions {
  readonly observer: Observer;
  readonly environmentReads: EnvironmentReads;
  runtime(): Runtime;
  /** How often the app has written to stdout and stderr. */
  written(): number;
  /** One of the app's standard streams is being opened. */
  ownWork(): boolean;
  /** Tells main that this thread is of no use, and that it has to be ended. */
  refused(because: string): void;
}

export class PackagesAhead {
  readonly recorder: PackageRecorder;
  readonly #options: PackagesAheadOptions;
  readonly #watch: LoadWatch;
  #ahead: LoadedAhead | undefined;

  constructor(options: PackagesAheadOptions) {
    this.#options = options;
    this.#watch = new LoadWatch({
      written: options.written,
      ownWork: options.ownWork,
      watchVariables: (read) => options.environmentReads.watch(read),
      watchFiles: (used) => options.runtime().watchFiles(used),
    });
    this.recorder = new PackageRecorder({
      observer: options.observer,
      watch: this.#watch,
      watchFiles: (used) => options.runtime().watchFiles(used),
      isPassive: (file) => options.runtime().isPassive(file),
      refuse: (because) => standStill(() => options.refused(because)),
    });
  }

  /** Loads those of these that can be loaded before any own code. */
  load(requests: readonly PackageRequest[]): WarmedUp {
    const runtime = this.#options.runtime();
    const reach = new PackageReach();
    const warmedUp = warmUp(requests, reach, {
      watch: this.#watch,
      load: ({ kind, file, importer, attributes }) => runtime.loadAhead({ kind, file, importer, attributes }),
      createMainModule: () => runtime.createMainModule(),
    });
    this.#ahead = { requests, loaded: new Set(warmedUp.loaded), reach };
    return warmedUp;
  }

  /** From here on own code runs. */
  begin(): void {
    this.recorder.begin(this.#ahead);
    this.#ahead = undefined;
  }

  /** The app has been evaluated: what that has loaded. */
  end(): PackageLog {
    this.recorder.end();
    return this.recorder.log;
  }
}

/** Nothing of the app may run any more, not even its listeners for the end: main ends the thread from outside. */
function standStill(tell: () => void): never {
  tell();
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) Atomics.wait(never, 0, 0);
}
