/** Turns a supervisor's events into lines: on the terminal, or in the logger that the options name. */
import type { EventEmitter } from "node:events";
import type { ResolvedOptions } from "../options/options.js";
import { type LogFunction, logFunction } from "./logger.js";
import type { OutputName } from "./own-lines.js";
import type { EmittedEvents, SupervisorEvent, SupervisorEvents } from "./report.js";
import { type Banner, greets, type LineStyle, messageOf, reportLines } from "./report-lines.js";

type Told = Pick<ResolvedOptions, "logFormat" | "logLevel" | "why" | "onError" | "exit" | "logger" | "root" | "clear">;

const NAMES = ["listening", "reload", "failed", "restarted", "worker-exit", "stale-references", "log"] as const;

/** What writes lines to standard output and standard error. `clears`: nothing that came before is to be seen any more. */
export type WriteLines = (name: OutputName, lines: readonly string[], clears?: boolean) => void;

export interface Printing {
  readonly write: WriteLines;
  /** What is said once, when the app listens, to somebody who sits at a terminal. */
  readonly banner?: Banner | undefined;
  /** Of the supervisor, for lines of JSON. */
  readonly id?: string;
}

/** To the logger if there is one, else to standard output and standard error. */
export function printEvents(
  supervisor: EventEmitter<EmittedEvents>,
  options: Told,
  { write, banner, id = `${process.pid}` }: Printing = { write: writePlain },
): void {
  if (options.logger) {
    logEvents(supervisor, options, logFunction(options.logger));
    return;
  }
  let greeting = options.logFormat === "pretty" ? banner : undefined;
  each(supervisor, (event) => {
    const lines = reportLines(event, {
      ...styleOf(options),
      banner: greeting,
      stamp: { time: new Date().toISOString(), id },
    });
    const [first] = lines;
    if (first === undefined) return;
    if (greeting && greets(event)) greeting = event.event === "listening" ? undefined : { ...greeting, isSaid: true };
    write(
      first.level === "error" || first.level === "warn" ? "stderr" : "stdout",
      lines.map(({ text }) => text),
      options.clear && CLEARING.has(event.event),
    );
  });
}

/** What the newest code has come to. */
const CLEARING: ReadonlySet<SupervisorEvent["event"]> = new Set(["reload", "failed", "restarted"]);

const writePlain: WriteLines = (name, lines) => process[name].write(`${lines.join("\n")}\n`);

/** One message for each event that the log level asks for, with everything that the event tells as fields. */
function logEvents(supervisor: EventEmitter<EmittedEvents>, options: Told, log: LogFunction): void {
  const style: LineStyle = { ...styleOf(options), format: "pretty", why: false, cwd: options.root };
  each(supervisor, (event) => {
    const [line] = reportLines(event, style);
    if (line) log(line.level, messageOf(line), { event: event.event, ...event.report });
  });
}

function each(supervisor: EventEmitter<EmittedEvents>, tell: (event: SupervisorEvent) => void): void {
  // Its overloads know one event at a time.
  const emitter: EventEmitter = supervisor as EventEmitter;
  for (const event of NAMES)
    emitter.on(event, (report: SupervisorEvents[typeof event]) => tell({ event, report } as SupervisorEvent));
}

function styleOf({ logFormat, logLevel, why, onError, exit }: Told): LineStyle {
  return { format: logFormat, level: logLevel, cwd: process.cwd(), why, onError, exit };
}
