/**
 * Steps of the command line's fuzzer, and the choice of them. An episode is chosen as a whole before it runs, from its
 * seed alone, so that it can be run again, and shortened: each step makes sense in any state.
 */
import { type Frame, type FuzzApp, isFit, type Mood, modulesOf, WELL } from "./fuzz-cli-app.js";
import type { Random } from "./random.js";
import { type WriterName, writerNames } from "./sync-writers.js";

export type SaveWay = "in-place" | "rename" | "two-steps" | "remove-and-create" | "pieces" | WriterName;

export type AskKind =
  | "plain"
  | "slow"
  | "busy"
  | "stream"
  | "upload"
  | "early"
  | "events"
  | "upgrade"
  | "never"
  | "loop"
  | "crash"
  | "reject"
  | "exit"
  | "die";

export type Step =
  /** Begins a request and does not wait. `client`: a kept connection, or -1 for a new one. */
  | { readonly do: "ask"; readonly kind: AskKind; readonly client: number; readonly port: number; readonly n: number }
  /** Waits for all requests that can be answered. */
  | { readonly do: "settle" }
  | { readonly do: "save"; readonly way: SaveWay; readonly moods: Readonly<Record<string, Mood>> }
  /** Empties a file; the next save of it, or mending, completes the save. */
  | { readonly do: "halve"; readonly module: string }
  | { readonly do: "touch"; readonly module: string; readonly rewrite: boolean }
  /** Saves all sick modules well and measures the time to an answer of the new code. */
  | { readonly do: "mend"; readonly way: SaveWay }
  | { readonly do: "package"; readonly changed: boolean }
  /** Streams and sockets are left by their clients; so are requests that are never answered. */
  | { readonly do: "leave" }
  | { readonly do: "pause"; readonly ms: number }
  /** Takes the supervisor's descriptors by idle connections, and gives them back. */
  | { readonly do: "crowd"; readonly connections: number }
  | { readonly do: "disperse" }
  | { readonly do: "signal"; readonly signal: "SIGUSR2" };

export interface EpisodeOptions {
  /** Milliseconds, as the flags of these names. */
  readonly watchdog: number;
  readonly drain: number;
  readonly heldDeadline: number;
  readonly standby: boolean;
  readonly lastGood: boolean;
  /** Whether clients send requests before the answers to those before. */
  readonly pipelining: boolean;
  /** Limit of the process; undefined: the machine's. */
  readonly descriptors: number | undefined;
}

export interface Episode {
  readonly seed: number;
  readonly app: FuzzApp;
  readonly options: EpisodeOptions;
  readonly steps: readonly Step[];
  /** Whether the app is mended before the end, so that what is left can be counted; else the end comes in any state. */
  readonly tidy: boolean;
  readonly end: "SIGTERM" | "SIGINT";
}

/** What can be left out, to look behind what is known to be broken. */
export const FAMILIES = [
  "hang",
  "crash",
  "die",
  "dispose",
  "late",
  "crowd",
  "package",
  "signal",
  "early",
  "pipelining",
  "last-good",
] as const;
export type Family = (typeof FAMILIES)[number];

export const CLIENTS = 4;

export function chooseEpisode(random: Random, length: number, without: ReadonlySet<Family> = new Set()): Episode {
  const format = random.chance(0.5) ? "esm" : "cjs";
  const frame = random.chance(0.55) ? "http" : random.pick<Frame>(["express4", "express5", "fastify", "ws"]);
  const count = random.int(1, 5);
  const links = Array.from({ length: count }, (_, index) =>
    Array.from({ length: count - index - 1 }, (_, later) => index + later + 1).filter(() => random.chance(0.35)),
  );
  const app: FuzzApp = { frame, format, second: random.chance(0.3), links };
  const crowded = !without.has("crowd") && random.chance(0.15);
  const options: EpisodeOptions = {
    watchdog: random.pick([2000, 4000]),
    drain: random.pick([600, 1000, 2000]),
    heldDeadline: random.pick([8000, 12_000]),
    standby: random.chance(0.7),
    lastGood: !without.has("last-good") && random.chance(0.2),
    pipelining: !without.has("pipelining") && random.chance(0.5),
    descriptors: crowded ? random.int(260, 340) : undefined,
  };
  const chooser = new StepChooser(random, app, crowded, without);
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...chooser.next());
  return {
    seed: random.seed,
    app,
    options,
    steps: steps.slice(0, length),
    tidy: random.chance(0.6),
    end: random.pick(["SIGTERM", "SIGINT"]),
  };
}

class StepChooser {
  readonly #random: Random;
  readonly #app: FuzzApp;
  readonly #modules: readonly string[];
  readonly #crowded: boolean;
  readonly #without: ReadonlySet<Family>;
  readonly #moods = new Map<string, Mood>();
  /** A request has stopped the worker's thread. */
  #looping = false;

  constructor(random: Random, app: FuzzApp, crowded: boolean, without: ReadonlySet<Family>) {
    this.#random = random;
    this.#app = app;
    this.#modules = modulesOf(app);
    this.#crowded = crowded;
    this.#without = without;
  }

  next(): Step[] {
    const random = this.#random;
    const sick = this.#looping || [...this.#moods.values()].some((mood) => !isFit(mood));
    // Sick states are left soon: waiting in them costs seconds, and teaches little after the first requests.
    if (sick && random.chance(0.35)) return this.#mend();
    const roll = random.next();
    if (roll < 0.5) return this.#asks();
    if (roll < 0.6) return [{ do: "settle" }];
    if (roll < 0.86) return this.#save();
    if (roll < 0.89) return [{ do: "touch", module: random.pick(this.#modules), rewrite: random.chance(0.4) }];
    if (roll < 0.93) return [{ do: "pause", ms: random.int(0, 40) }];
    if (roll < 0.95) return [{ do: "leave" }];
    if (roll < 0.965) return this.#allowed("package", [{ do: "package", changed: random.chance(0.7) }]);
    if (roll < 0.97) return this.#allowed("signal", [{ do: "signal", signal: "SIGUSR2" }]);
    if (roll < 0.985 && this.#crowded)
      return [{ do: "crowd", connections: random.int(80, 250) }, ...this.#asks(), ...this.#save(), { do: "disperse" }];
    return this.#halve();
  }

  #allowed(family: Family, steps: Step[]): Step[] {
    return this.#without.has(family) ? this.#asks() : steps;
  }

  #mend(): Step[] {
    this.#looping = false;
    this.#moods.clear();
    return [{ do: "mend", way: this.#way() }];
  }

  #asks(): Step[] {
    const asks: Step[] = [];
    for (let count = this.#random.int(1, 6); count > 0; count--) asks.push(this.#ask());
    return asks;
  }

  #ask(): Step {
    const random = this.#random;
    const kind = this.#askKind();
    if (["loop", "crash", "exit", "reject", "die"].includes(kind)) this.#looping = true;
    // What holds a connection for long would hold the requests behind it, too.
    const alone = ["events", "upgrade", "never", "loop", "early", "die"].includes(kind);
    const kept = !alone && random.chance(0.7);
    return {
      do: "ask",
      kind,
      client: kept ? random.below(CLIENTS) : -1,
      port: this.#app.second && random.chance(0.3) && kind !== "upgrade" ? 1 : 0,
      n: kind === "upload" ? random.pick([0, 10, 70_000, 400_000]) : random.int(1, 200),
    };
  }

  #askKind(): AskKind {
    const random = this.#random;
    const roll = random.next();
    if (roll < 0.55) return "plain";
    if (roll < 0.66) return "slow";
    if (roll < 0.7) return "busy";
    if (roll < 0.76) return "stream";
    if (roll < 0.83) return "upload";
    if (roll < 0.85) return this.#without.has("early") ? "plain" : "early";
    if (roll < 0.89) return "events";
    if (roll < 0.93) return "upgrade";
    if (roll < 0.95) return "never";
    if (roll < 0.97) return this.#without.has("hang") ? "plain" : "loop";
    if (roll < 0.98) return this.#without.has("die") ? "plain" : "die";
    return this.#without.has("crash") ? "plain" : random.pick(["crash", "reject", "exit"]);
  }

  #save(): Step[] {
    const random = this.#random;
    const count = random.chance(0.7) ? 1 : random.int(1, this.#modules.length);
    const moods: Record<string, Mood> = {};
    for (let index = 0; index < count; index++) {
      const module = random.pick(this.#modules);
      const mood = random.chance(0.75) ? WELL : this.#mood(module);
      moods[module] = mood;
      this.#moods.set(module, mood);
    }
    return [{ do: "save", way: this.#way(), moods }];
  }

  #mood(module: string): Mood {
    const random = this.#random;
    const moods: Mood[] = [{ is: "ticking" }, { is: "throwing" }, { is: "unparsable" }, { is: "importing-nothing" }];
    moods.push({ is: "slow", ms: random.int(20, 500), awaits: this.#app.format === "esm" && random.chance(0.5) });
    if (module === "main" && !this.#without.has("late")) moods.push({ is: "listening-late", ms: random.int(20, 600) });
    if (!this.#without.has("hang")) {
      moods.push({ is: "looping" });
      if (this.#app.format === "esm") moods.push({ is: "awaiting-for-ever" });
    }
    if (!this.#without.has("crash")) {
      moods.push({ is: "crashing-later", ms: random.int(0, 100) });
      moods.push({ is: "exiting-later", ms: random.int(0, 100) });
    }
    if (!this.#without.has("die")) moods.push({ is: "dying-later", ms: random.int(0, 100) });
    if (!this.#without.has("dispose")) moods.push({ is: "disposed-never" }, { is: "disposed-looping" });
    return random.pick(moods);
  }

  #halve(): Step[] {
    const module = this.#random.pick(this.#modules.filter((name) => name !== "main"));
    this.#moods.set(module, WELL);
    const half: Step = { do: "halve", module };
    const rest: Step = { do: "save", way: "in-place", moods: { [module]: WELL } };
    return this.#random.chance(0.5) ? [half, rest] : [half, ...this.#asks(), rest];
  }

  #way(): SaveWay {
    return this.#random.pick(["in-place", "rename", "two-steps", "remove-and-create", "pieces", ...writerNames]);
  }
}
