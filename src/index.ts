/** The public names of the package. */
export { type ErrorCode, UnreloaderError } from "./errors.js";
export type { Holder } from "./heap/path-text.js";
export type { SupervisorOptions } from "./options.js";
export { createSupervisor } from "./supervisor/create-supervisor.js";
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
export type { Supervisor } from "./supervisor/supervisor.js";
