/** Finds out how events behave here, by watching a folder and writing into it. */
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WATCH_BEGINS_MS } from "../common/deadlines.js";
import { errorCode } from "./stamps.js";
import type { FolderWatch, WatchFolder } from "./watcher.js";

/**
 * `prompt`: an event is there one turn of the event loop after the write returned (Linux). `late`: it comes some time
 * later (macOS: 50 ms), too late for the request that follows the write. `none`: it does not come.
 */
export type Promptness = "prompt" | "late" | "none";

const ROUNDS = 3;
const TICK_MS = 50;

/**
 * Takes a few milliseconds where events are prompt, and at most about `deadlineMs` once the folder is watched. Leaves nothing
 * behind but the folder.
 */
export async function probeEvents(
  folder: string,
  watch: WatchFolder,
  deadlineMs: number,
  beginsMs = WATCH_BEGINS_MS,
): Promise<Promptness> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    errorCode(error);
    return "late";
  }
  const file = path.join(folder, `.probe-${randomUUID()}`);
  const probe = new Probe(path.basename(file));
  const open = probe.open(folder, watch);
  // Counted in ticks: a thread that compiles an app for seconds must not use up the time that events have to arrive.
  let ticksLeft = Math.ceil(beginsMs / TICK_MS);
  let isLate = false;
  const deadline = setInterval(() => {
    if (--ticksLeft > 0) return;
    isLate = true;
    probe.giveUp();
  }, TICK_MS);
  try {
    await probe.established;
    // What has not begun says nothing about the events that would have come.
    if (probe.over) return isLate ? "late" : "none";
    ticksLeft = Math.ceil(deadlineMs / TICK_MS);
    // From a timer or an immediate, the next immediate comes after the loop has polled for events once.
    await nextTurn();
    let promptness: Promptness = "prompt";
    for (let round = 0; round < ROUNDS; round++) {
      const arrival = probe.next();
      writeFileSync(file, String(round));
      await nextTurn();
      if (!probe.arrived) promptness = "late";
      await arrival;
      if (probe.over) return "none";
    }
    return promptness;
  } catch (error) {
    errorCode(error);
    return "late";
  } finally {
    clearInterval(deadline);
    open.close();
    rmSync(file, { force: true });
  }
}

class Probe {
  readonly #name: string;
  readonly established: Promise<void>;
  #establish: () => void = () => {};
  #arrive: () => void = () => {};
  arrived = false;
  over = false;

  constructor(name: string) {
    this.#name = name;
    this.established = new Promise((resolve) => {
      this.#establish = resolve;
    });
  }

  open(folder: string, watch: WatchFolder): FolderWatch {
    return watch(folder, {
      event: (name) => {
        if (name !== undefined && name !== this.#name) return;
        this.arrived = true;
        this.#arrive();
      },
      established: () => this.#establish(),
      missing: () => this.giveUp(),
      failed: () => this.giveUp(),
    });
  }

  /** The next event about the probe's file, or the end. */
  next(): Promise<void> {
    this.arrived = false;
    return new Promise((resolve) => {
      this.#arrive = resolve;
    });
  }

  giveUp(): void {
    this.over = true;
    this.#establish();
    this.#arrive();
  }
}
