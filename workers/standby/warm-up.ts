/** Loads packages in a thread that has no app yet, as the app's modules would. */
import v8 from "node:v8";
import { stampOf, TOO_YOUNG } from "../../src/common/protocol/file-stamps.js";
import type { WorkerReport } from "../../src/common/protocol/messages.js";
import type { FileStamp, PackageRequest } from "../../src/common/protocol/package-log.js";
import { SUPERVISOR } from "../runtime/supervisor-code.js";
import { Eligibility } from "./eligibility.js";
import type { LoadWatch } from "./load-watch.js";
import { loadedPackageFiles } from "./loaded-files.js";
import type { PackageReach } from "./package-reach.js";
import { judged } from "./package-recorder.js";

/** A file that was written so shortly before it was loaded may have been written twice with the same time. */
const CLOCK_STEP_MS = 20;

export interface WarmUpOptions {
  readonly watch: LoadWatch;
  load(request: PackageRequest): void;
  /** From here on there is a `require.main`. */
  createMainModule(): void;
}

/** What main is told. */
export type WarmedUp = Omit<Extract<WorkerReport, { type: "loadedAhead" }>, "type">;

/** To be called once, before anything of the app runs. */
export function warmUp(requests: readonly PackageRequest[], reach: PackageReach, options: WarmUpOptions): WarmedUp {
  const began = performance.now();
  const beganAt = Date.now();
  const eligibility = new Eligibility();
  const loaded: number[] = [];
  const left: { index: number; because: string }[] = [];
  const unfit: { index: number; because: string }[] = [];
  const variables = new Set<string>();
  const used = new Set<string>();
  const hasMain = requests[0]?.mainModule === true;
  if (hasMain) options.createMainModule();
  for (const [index, request] of requests.entries()) {
    // Files that are loaded before the entry must not see it.
    if (request.mainModule !== hasMain) break;
    const because = eligibility.next(judged(request, reach));
    if (because !== undefined) {
      left.push({ index, because });
      continue;
    }
    const effects = loadOne(request, options, { variables, used });
    if (effects.length > 0) {
      unfit.push({ index, because: `it ${effects.join(", ")}` });
      break;
    }
    loaded.push(index);
  }
  const files = [...new Set([...loadedPackageFiles(SUPERVISOR), ...used])].map(stampOf);
  const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
  return {
    loaded,
    unfit,
    left,
    variables: [...variables],
    files: files.map((read) => (isTooYoung(read, beganAt) ? { file: read.file, stamp: TOO_YOUNG } : read)),
    heapBytes: heap + external,
    durationMs: performance.now() - began,
  };
}

/** What the load did that it must not do. */
function loadOne(
  request: PackageRequest,
  { watch, load }: WarmUpOptions,
  read: { variables: Set<string>; used: Set<string> },
): string[] {
  let effects: readonly string[] = [];
  try {
    watch.watch(
      () => load(request),
      (seen) => {
        for (const name of seen.variables) read.variables.add(name);
        for (const file of [...seen.files, ...seen.packageFiles]) read.used.add(file);
        effects = seen.effects;
      },
    );
  } catch (error) {
    // `effects` says so; what was thrown, the app will be told by its own load.
    return [...effects, ...(error instanceof Error ? [`(${error.message})`] : [])];
  }
  return [...effects];
}

/** Written while it was loaded, or so shortly before that nobody can say which text was loaded. */
function isTooYoung({ stamp }: FileStamp, beganAt: number): boolean {
  // Of a folder, the stamp is no time.
  const [time = ""] = stamp?.split(" ", 2) ?? [];
  return stamp?.includes(" ") === true && Number(time) > beganAt - CLOCK_STEP_MS;
}
