/**
 * What `--log-format json` prints: schema/lines.json is written from this, and tests check lines by it. Nothing that runs
 * loads it. The build fails when an event says more or less than is said here.
 */
import { serializedError, sourceLocation, staleReference } from "../common/protocol/messages.js";
import * as z from "../common/protocol/zod.js";
import { EDITS, type EditCode, OUTCOMES } from "./edits.js";
import type { SupervisorEvents } from "./report.js";

const files = z.array(z.string());
const code = z.enum(Object.keys(EDITS) as [EditCode, ...EditCode[]]);
const level = z.enum(["debug", "info", "warn", "error"]);

/** What each line begins with. */
const head = {
  /** ISO 8601, in UTC. */
  time: z.string(),
  level,
  /** Of the supervisor: no other on this machine has it while it runs. */
  id: z.string(),
};

const reload = {
  kind: z.enum(["unchanged", "reloaded", "restarted", "failed"]),
  code,
  outcome: z.enum(OUTCOMES),
  edits: z.array(z.strictObject({ file: z.string(), code })),
  generation: z.int(),
  epoch: z.int(),
  changed: files,
  invalidated: z.optional(files),
  purged: z.array(z.strictObject({ file: z.string(), classes: files })),
  loaded: files,
  swapped: z.optional(z.array(z.strictObject({ file: z.string(), functions: files }))),
  why: z.record(z.string(), files),
  kept: z.int(),
  durationMs: z.number(),
  error: z.optional(serializedError),
};

const reason = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("changed"), files, code }),
  z.strictObject({ type: z.literal("declined"), files, by: z.string() }),
  z.strictObject({ type: z.literal("asked") }),
  z.strictObject({ type: z.literal("workerExit") }),
  z.strictObject({ type: z.literal("reloadFailed"), error: serializedError }),
  z.strictObject({ type: z.literal("blocked"), files, began: z.boolean() }),
  z.strictObject({ type: z.literal("purgedRuns"), location: sourceLocation }),
  z.strictObject({ type: z.literal("stuck"), file: z.string(), what: z.string() }),
  z.strictObject({ type: z.literal("lost"), file: z.string(), route: z.string() }),
  z.strictObject({ type: z.literal("stale"), file: z.string() }),
]);

const cause = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("exited"), code: z.int() }),
  z.strictObject({ type: z.literal("ended"), code: z.int(), missing: z.optional(z.string()) }),
  z.strictObject({ type: z.literal("crashed"), error: serializedError }),
]);

const reports = {
  listening: {
    protocol: z.enum(["http", "https", "tcp", "path"]),
    host: z.string(),
    port: z.int(),
    network: z.optional(files),
    modules: z.int(),
    durationMs: z.number(),
    reloads: z.optional(z.literal(false)),
  },
  reload,
  failed: {
    ...reload,
    kind: z.literal("failed"),
    error: serializedError,
    importedBy: files,
    ended: z.optional(z.literal(true)),
    gone: z.optional(z.literal(true)),
    lastLines: z.optional(files),
  },
  restarted: { epoch: z.int(), generation: z.int(), modules: z.int(), durationMs: z.number(), code, reason },
  "worker-exit": {
    epoch: z.int(),
    cause,
    entry: z.string(),
    next: z.enum(["restarting", "waiting for a change", "waiting for the port", "closing"]),
    afterMs: z.optional(z.number()),
  },
  "stale-references": staleReference.shape,
  log: {
    level,
    message: z.string(),
    started: z.optional(z.strictObject({ modules: z.int(), durationMs: z.number() })),
  },
} as const;

type Written = { [Name in keyof typeof reports]: z.output<ReturnType<typeof z.strictObject<(typeof reports)[Name]>>> };

/** One line. */
export const line = z.discriminatedUnion("event", [
  z.strictObject({ ...head, event: z.literal("listening"), ...reports.listening }),
  z.strictObject({ ...head, event: z.literal("reload"), ...reports.reload }),
  z.strictObject({ ...head, event: z.literal("failed"), ...reports.failed }),
  z.strictObject({ ...head, event: z.literal("restarted"), ...reports.restarted }),
  z.strictObject({ ...head, event: z.literal("worker-exit"), ...reports["worker-exit"] }),
  z.strictObject({ ...head, event: z.literal("stale-references"), ...reports["stale-references"] }),
  z.strictObject({ ...head, event: z.literal("log"), ...reports.log }),
]);

type Readonlys<Value> = Value extends object ? { readonly [Key in keyof Value]: Readonlys<Value[Key]> } : Value;
type Names<Of> = Of extends unknown ? keyof Of : never;
/** What an event may say fits the schema, and has no other fields. */
type Same<Name extends keyof SupervisorEvents> =
  SupervisorEvents[Name] extends Readonlys<Written[Name]>
    ? [Names<SupervisorEvents[Name]>, Names<Written[Name]>] extends [
        Names<Written[Name]>,
        Names<SupervisorEvents[Name]>,
      ]
      ? true
      : false
    : false;
export const same: { readonly [Name in keyof SupervisorEvents]: Same<Name> } = {
  listening: true,
  reload: true,
  failed: true,
  restarted: true,
  "worker-exit": true,
  "stale-references": true,
  log: true,
};
