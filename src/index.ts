/** The public names of the package. */

export { type ErrorCode, UnreloaderError } from "./common/errors.js";
export type { ClassNames, Patterns, RequireOptions } from "./common/patterns.js";
export type {
  Adapter,
  AdapterContext,
  AttachedAdapter,
  Constructor,
  Library,
  PurgedClasses,
} from "./common/protocol/adapter.js";
export { createSupervisor } from "./create-supervisor.js";
export type { Holder } from "./leaks/heap/path-text.js";
export type { LeakHolder, LeakReport } from "./leaks/leak-report.js";
export type { ConfigOptions, SupervisorOptions } from "./options/config-options.js";
export { type Config, defineConfig } from "./options/define-config.js";
export type { PublicSupervisor as Supervisor } from "./public-supervisor.js";
export type { Autoload, InspectedModule, Inspection, MonitoredPattern, StandbyState } from "./reports/inspection.js";
export type { LogFields, LogFunction, Logger, LoggerObject } from "./reports/logger.js";
export type {
  FailureReport,
  ListeningReport,
  LogReport,
  ReloadReport,
  RestartReport,
  StaleReferencesReport,
  SupervisorEvents,
  WorkerExitReport,
} from "./reports/report.js";
