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

export const { createSupervisor, defineConfig, UnreloaderError } = loaded;
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
export type { Holder } from "./leaks/heap/path-text.js";
export type { LeakHolder, LeakReport } from "./leaks/leak-report.js";
export type { ConfigOptions, SupervisorOptions } from "./options/config-options.js";
export type { Config } from "./options/define-config.js";
export type { PublicSupervisor as Supervisor } from "./public-supervisor.js";
export type { EditCode, Outcome } from "./reports/edits.js";
export type { Autoload, InspectedModule, Inspection, MonitoredPattern, StandbyState } from "./reports/inspection.js";
export type { LogFields, LogFunction, Logger, LoggerObject } from "./reports/logger.js";
export type {
  FailureReport,
  FileEdit,
  ListeningReport,
  LogReport,
  ReloadReport,
  RestartReport,
  StaleReferencesReport,
  SupervisorEvents,
  WorkerExitReport,
} from "./reports/report.js";
