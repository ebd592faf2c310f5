/** What is said about a thread that is blocked: the line, and the page that its requests get. Pure. */
import type { OwnPage } from "../pages/own-page.js";
import { type StuckPlace, shownPlace } from "./stuck-place.js";
import type { BusyReport } from "./watchdog.js";

export interface BusyStyle {
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  readonly limitMs: number | "off";
}

/** `src/app.ts:12:7 has kept the app busy for 3 s`: for who waits for it. */
export function busyText({ place, blockedMs }: BusyReport, { cwd }: Pick<BusyStyle, "cwd">): string {
  return `${subject(place, cwd)} busy for ${seconds(blockedMs)}`;
}

/** `src/app.ts:12:7 has kept the app busy for 2 s: ...`, without the prefix. */
export function busyLine(report: BusyReport, { cwd, limitMs }: BusyStyle): string {
  const { blockedMs } = report;
  const busy = busyText(report, { cwd });
  if (limitMs === "off") return `${busy}: its requests wait; a save takes a fresh worker`;
  if (blockedMs < limitMs) return `${busy}: its requests wait, from ${seconds(limitMs)} on they get 504 (--watchdog)`;
  return `${busy}: its requests get 504 until it is done; a save takes a fresh worker`;
}

/** 504, with the place and the lines around it. */
export function blockedPage(report: BusyReport, style: Pick<BusyStyle, "cwd">): OwnPage {
  const { place } = report;
  const message = `${busyText(report, style)}, and it answers nothing`;
  const { location, frame } = place ?? {};
  const lines = [
    message,
    ...(frame === undefined ? [] : ["", ...frame.split("\n").map((line) => `  ${line}`)]),
    "",
    "If it gets done, requests pass again. A save takes a fresh worker; --watchdog says how long requests wait.",
  ];
  const error = {
    name: "BlockedError",
    code: "ERR_UNRELOADER_BLOCKED",
    message,
    ...(location && { location }),
    ...(frame !== undefined && { frame }),
  };
  return { status: 504, text: `${lines.join("\n")}\n`, error };
}

function subject(place: StuckPlace | undefined, cwd: string): string {
  const shown = place && shownPlace(place, cwd);
  return shown === undefined
    ? "something (it could not be found out where) has kept the app"
    : `${shown} has kept the app`;
}

/** Whole seconds, or one decimal below ten where it is not whole. */
function seconds(ms: number): string {
  const rounded = Math.round(ms / 100) / 10;
  return `${rounded >= 10 || Math.abs(rounded - Math.round(rounded)) < 0.35 ? Math.round(rounded) : rounded} s`;
}
