/**
 * What a start has loaded of node_modules, and in which state of the process: enough to tell what a thread that has no app
 * yet may load ahead, so that the app can tell no difference. Comes from the app's thread, and goes to the standby thread.
 */
import * as z from "./zod.js";

/** An own module has asked for a package's file for the first time in this thread. */
export const packageRequest = z.strictObject({
  kind: z.enum(["import", "require"]),
  file: z.string(),
  /** The own file whose `require` it was; Node keeps it as the parent of what it loads. */
  importer: z.optional(z.string()),
  attributes: z.nullable(z.record(z.string(), z.string())),

  // ---- before it was loaded

  /** Own code that may have called something has run since the request before. */
  afterOwnCode: z.boolean(),
  /** What own code had changed in the process, in words: a global, a patched function; absent: nothing. */
  changed: z.optional(z.string()),
  /** Folders of packages that own code had been given, and whose exports it had changed. */
  changedPackages: z.array(z.string()),
  /** Variables that were not what they were before the start. */
  changedVariables: z.array(z.string()),
  /** Files that own code had written. */
  writtenFiles: z.array(z.string()),
  /** Whether there was a `require.main`. */
  mainModule: z.boolean(),

  // ---- while it was loaded

  /** Why it must not be loaded ahead: what its load did that others could notice. */
  effects: z.array(z.string()),
  /** Variables that it read; `*`: all of them. */
  variables: z.array(z.string()),
  /** Files outside node_modules, and folders, that it read. */
  files: z.array(z.string()),
  /** Folders of packages of which CommonJS files were loaded with it. */
  packages: z.array(z.string()),
  /** Folders of packages, loaded before, whose exports it has changed; `*`: it has changed what all packages see. */
  patches: z.array(z.string()),
  durationMs: z.number(),
});
export type PackageRequest = z.infer<typeof packageRequest>;

export const packageLog = z.strictObject({
  /** In order, from the start to the first module that waits, or to the end of the start. */
  requests: z.array(packageRequest),
  /** Own files in the order in which their evaluation began; `before`: how many requests there were by then. */
  visited: z.array(z.strictObject({ file: z.string(), before: z.int() })),
});
export type PackageLog = z.infer<typeof packageLog>;

/** What a file was when it was loaded: its time of change (ms), size and inode; absent for what was not there. */
export const fileStamp = z.strictObject({ file: z.string(), stamp: z.optional(z.string()) });
export type FileStamp = z.infer<typeof fileStamp>;
