/**
 * The public names of the package. What they stand for is loaded by Node's own `require`, also when another loader has
 * loaded this file: runners of tests that evaluate modules in a context of their own (jest) would give it another `Error`
 * than the one that Node throws, and their `require` loads no ES modules.
 */
import { runInThisContext } from "node:vm";
import type * as embedding from "./embedding.js";

// The runner's own `process` and `node:module` lead back to the runner.
const { getBuiltinModule } = runInThisContext("process") as NodeJS.Process;
const require = getBuiltinModule("node:module").createRequire(import.meta.url);
const loaded = require("./embedding.js") as typeof embedding;

/**
 * A supervisor for one app. Nothing runs until `start()` or `listen()`.
 * @example const supervisor = createSupervisor({ entry: "src/app.ts" });
 * @throws UnreloaderError (ERR_UNRELOADER_OPTION, ERR_UNRELOADER_ENTRY) naming the option, its value and what fits.
 */
export const createSupervisor: typeof embedding.createSupervisor = loaded.createSupervisor;
/**
 * Gives a configuration file its types; gives back what it is given.
 * @example export default defineConfig({ entry: "src/app.ts", port: 8080 });
 */
export const defineConfig: typeof embedding.defineConfig = loaded.defineConfig;
/** What unreloader throws. Its `code` is one of docs/errors.md. */
export const UnreloaderError: typeof embedding.UnreloaderError = loaded.UnreloaderError;
/** What unreloader throws. Its `code` is one of docs/errors.md. */
export type UnreloaderError = embedding.UnreloaderError;

export type { ErrorCode } from "./common/errors.js";
export type { ClassNames, Patterns, RequireOptions } from "./common/patterns.js";
export type {
  Adapter,
  AdapterContext,
  AttachedAdapter,
  Constructor,
  Library,
  PurgedClasses,
} from "./common/protocol/adapter.js";
export type { SerializedError, SourceLocation } from "./common/protocol/serialized-error.js";
export type { Holder } from "./leaks/heap/path-text.js";
export type { LeakHolder, LeakReport } from "./leaks/leak-report.js";
export type { ConfigOptions, SupervisorOptions } from "./options/config-options.js";
export type { Config } from "./options/define-config.js";
export type { PublicSupervisor as Supervisor } from "./public-supervisor.js";
export type { EditCode, Outcome } from "./reports/edits.js";
export type { Autoload, InspectedModule, Inspection, MonitoredPattern, StandbyState } from "./reports/inspection.js";
export type { LogFields, LogFunction, Logger, LoggerObject } from "./reports/logger.js";
export type {
  CycleReport,
  FailedReport,
  FailureReport,
  FileEdit,
  FreshWorkerReport,
  ListeningReport,
  LogLevel,
  LogReport,
  PurgedModule,
  ReloadedReport,
  ReloadReport,
  RestartReason,
  RestartReport,
  StaleReferencesReport,
  SupervisorEvents,
  SwappedFile,
  UnchangedReport,
  WorkerExitReport,
} from "./reports/report.js";
