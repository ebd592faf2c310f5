/**
 * Threads and processes of the app's own: what they evaluate is a dependency of the module that has started them, by the
 * version that is being evaluated, or, later, by the file whose function did it.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Worker } from "node:worker_threads";
import { isCompiled } from "../src/common/compile/file-kind.js";
import type * as wrapStartsModule from "../src/common/started/wrap-starts.js";
import type { ClusterPrimary } from "./cluster/cluster-primary.js";
import type { LateCompiler } from "./late-compiler.js";
import { callerOf, ownFileAbove } from "./ledger/caller.js";
import { POOL_FILES } from "./ledger/handles.js";
import type { Ledger, LedgerEntry } from "./ledger/ledger.js";
import { refuseSentServers } from "./listener/refuse-sent-servers.js";
import type { ModuleEdges } from "./runtime/module-edges.js";
import type { Observer } from "./runtime/observer.js";
import type { Runtime } from "./runtime/runtime.js";

export interface StartedFilesOptions {
  readonly root: string;
  readonly entry: string;
  readonly observer: Observer;
  readonly runtime: Runtime;
  readonly compiler: LateCompiler;
  readonly cluster: ClusterPrimary;
  readonly ledger: Ledger;
  /** Resolves when what was begun before is over, or has taken too long. */
  requestsOver(): Promise<void>;
  /** Flags of Node that the process has, when it preloads something. */
  readonly inherited: readonly string[] | undefined;
  warn(message: string): void;
}

const SCHED_NONE = 1;
const SHARES_PORTS =
  "cluster.schedulingPolicy is SCHED_NONE: the workers share ports that the supervisor does not hold, so that requests during a " +
  "reload are refused and may be answered by old code; leave the policy at SCHED_RR";

function schedulingPolicy(): unknown {
  return (process.getBuiltinModule("node:cluster") as unknown as { schedulingPolicy: unknown }).schedulingPolicy;
}

/** For as long as the thread lives. */
export function installStartedFiles({
  root,
  entry,
  observer,
  runtime,
  compiler,
  cluster,
  ledger,
  requestsOver,
  inherited,
  warn,
}: StartedFilesOptions): void {
  // By its path, so that no bundle has it: workers/ledger/caller.ts knows its frames by the file.
  const require = createRequire(import.meta.url);
  const { wrapStarts } = require("../src/common/started/wrap-starts.js") as typeof wrapStartsModule;
  // Where there is none, no file of the app's is compiled, and nothing is looked into for it.
  const hasTypeScript = isCompiled(entry) || existsSync(path.join(root, "tsconfig.json"));
  refuseSentServers();
  let isTold = false;
  const starterOf = (wrapper: (...args: never[]) => unknown): ModuleEdges | undefined => {
    const { reader } = observer;
    const above = reader ? undefined : ownFileAbove(wrapper);
    return reader ?? (above === undefined ? undefined : runtime.currentVersion(above));
  };
  /** Of threads that are over and forgotten. */
  const collected = new FinalizationRegistry<LedgerEntry>((entry) => entry.drop());
  wrapStarts({
    root,
    workerMade(worker, wrapper) {
      // What is made by an evaluation, or what that has begun, is in the ledger already.
      if (observer.owner !== undefined || callerOf(wrapper, POOL_FILES).kind !== "own") return;
      const entry = ledger.record("worker thread", endingAfter(requestsOver, new WeakRef(worker)), starterOf(wrapper));
      if (entry) collected.register(worker, entry);
    },
    began: () => runtime.mayBeOutdated(),
    starts: (file, wrapper) => starterOf(wrapper)?.startsFile(file),
    clusterForked(worker, _, wrapper) {
      cluster.forked(worker);
      if (!isTold && schedulingPolicy() === SCHED_NONE) warn(SHARES_PORTS);
      isTold = true;
      starterOf(wrapper)?.forksCluster();
    },
    leadsToCompiled: (file) => hasTypeScript && runtime.ignoringReads(() => compiler.leadsToCompiled(file)),
    poolsNeedLoader: hasTypeScript,
    inherited,
  });
}

/**
 * Of a thread that a function has made, not an evaluation. What requests have begun in purged code may still wait for it, which
 * the purge does not. In a function of its own: closures of one function keep alive whatever any of them uses.
 */
function endingAfter(over: () => Promise<void>, thread: WeakRef<Worker>): () => void {
  const end = (): void => {
    const worker = thread.deref();
    if (worker === undefined) return;
    // Nobody of the purged version, nor a pool of it, shall start another one.
    worker.removeAllListeners();
    worker.on("error", () => {});
    void worker.terminate();
  };
  return () => void over().then(end);
}
