/** The public names of the package. */
export { type Config, defineConfig } from "./config/define-config.js";
export { type ErrorCode, UnreloaderError } from "./errors.js";
export type { Holder } from "./heap/path-text.js";
export type { LogFields, LogFunction, Logger, LoggerObject } from "./logger.js";
export type { ConfigOptions, SupervisorOptions } from "./options.js";
export type { ClassNames, Patterns, RequireOptions } from "./patterns.js";
export type {
  Adapter,
  AdapterContext,
  AttachedAdapter,
  Constructor,
  Library,
  PurgedClasses,
} from "./protocol/adapter.js";
export { createSupervisor, type PublicSupervisor as Supervisor } from "./supervisor/create-supervisor.js";
export type { LeakHolder, LeakReport } from "./supervisor/leak-report.js";
export type {
  FailureReport,
  ListeningReport,
  LogReport,
  ReloadReport,
  RestartReport,
  StaleReferencesReport,
  SupervisorEvents,
  WorkerExitReport,
} from "./supervisor/report.js";
