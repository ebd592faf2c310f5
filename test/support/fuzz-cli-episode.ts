/** Runs one episode of the command line's fuzzer and says which of the promises were broken. */
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { within } from "./deadline.js";
import { isFit, type Mood, modulesOf, moduleText, packageJson, packagesOf, startCost, WELL } from "./fuzz-cli-app.js";
import { type AskRecord, begunTwice, History, isMadeBy, judge, type Violation } from "./fuzz-cli-history.js";
import { FuzzedProcess, isOpen } from "./fuzz-cli-process.js";
import { isSeenHalf, save } from "./fuzz-cli-saves.js";
import { type AskKind, CLIENTS, type Episode, type SaveWay, type Step } from "./fuzz-cli-steps.js";
import { type Outcome, RawConnection } from "./raw-http.js";
import { TempApp } from "./temp-app.js";

/** From the write of the mending save to an answer of the new code, beside the app's own start. */
const RECOVERY_MS = 1500;
/** What a loaded machine may add before a breach is called clear. */
const SLACK_MS = Number(process.env.UNRELOADER_FUZZ_SLACK ?? 2500);
/** The end after a signal: the product's deadline. */
const END_MS = 5000;
const LONG_UPLOAD = 1_300_000;
/** Descriptors and memory (MB) that may come and go: a standby thread, caches, garbage. */
const DESCRIPTOR_SLACK = 60;
const MEMORY_SLACK_MB = 300;

/** What comes after so many broken promises teaches nothing. */
const VIOLATIONS_WANTED = 5;

export interface Recovery {
  /** What the worker was sick of. */
  readonly cause: string;
  readonly ms: number;
  /** Milliseconds above which it would have been a clear breach. */
  readonly allowed: number;
}

export interface EpisodeResult {
  readonly violations: readonly Violation[];
  readonly stepsRun: number;
  readonly requests: number;
  /** Milliseconds from the start of the process to its first answer. */
  readonly startMs: number;
  readonly endMs: number | undefined;
  readonly recoveries: readonly Recovery[];
  /** Milliseconds of each untroubled request that the app does not delay itself. */
  readonly untroubled: readonly number[];
  readonly descriptors: readonly [before: number, after: number] | undefined;
  readonly memory: readonly [before: number, after: number] | undefined;
  /** What happened, in order, for the report of a failure. */
  readonly events: readonly string[];
  readonly output: string;
}

/** A promise was broken in a way that leaves nothing to go on with. */
class Stopped extends Error {}

export async function runEpisode(episode: Episode): Promise<EpisodeResult> {
  await using running = new RunningEpisode(episode);
  return await running.run();
}

/** What a save that makes all well ends at once: a request that begins after it must not meet it. */
const OVER_WITH_THE_SAVE: ReadonlySet<string> = new Set([
  "half-written",
  "half",
  "throwing",
  "unparsable",
  "importing-nothing",
  "awaiting-for-ever",
]);

/** What stops the worker's thread. */
const BLOCKING: ReadonlySet<string> = new Set(["loop", "looping", "disposed-looping"]);

/** After a crowd has left. */
const CROWD_MS = 500;

/** Requests that stop the worker, or end it, or the whole process. */
const FATAL: readonly string[] = ["loop", "crash", "reject", "exit", "die"];

class RunningEpisode implements AsyncDisposable {
  readonly #episode: Episode;
  readonly #files: TempApp;
  readonly #process: FuzzedProcess;
  readonly #history = new History();
  readonly #violations: Violation[] = [];
  readonly #events: string[] = [];
  readonly #began = performance.now();
  readonly #moods = new Map<string, Mood>();
  readonly #kept: (RawConnection | undefined)[] = new Array(CLIENTS * 2).fill(undefined);
  readonly #connections = new Set<RawConnection>();
  readonly #crowd: RawConnection[] = [];
  readonly #recoveries: Recovery[] = [];
  readonly #untroubled: number[] = [];
  #ports: number[] = [];
  #lastVersion = 0;
  #lastId = 0;
  #packageVersion = 0;
  #startMs = 0;
  #ending = false;

  constructor(episode: Episode) {
    this.#episode = episode;
    const { app, options } = episode;
    const texts: Record<string, string> = { "package.json": packageJson(app, 0) };
    for (const name of modulesOf(app)) {
      texts[`${name}.js`] = moduleText(app, name, 0, WELL);
      this.#history.saveReturned(name, 0);
      this.#moods.set(name, WELL);
    }
    this.#files = new TempApp(texts, { packages: packagesOf(app) });
    this.#process = new FuzzedProcess(this.#files, options);
  }

  async run(): Promise<EpisodeResult> {
    let stepsRun = 0;
    let usage: Usage | undefined;
    let after: Usage | undefined;
    let endMs: number | undefined;
    try {
      await this.#start();
      usage = this.#usage();
      for (const step of this.#episode.steps) {
        this.#note(stepText(step));
        await this.#run(step);
        stepsRun++;
        if (this.#violations.length >= VIOLATIONS_WANTED) throw new Stopped("enough is broken");
        this.#mustLive();
      }
      if (this.#episode.tidy) {
        this.#disperse();
        await this.#mend("rename");
        await this.#settle();
        this.#closeConnections();
        after = await this.#usageOnceQuiet(usage);
      }
      endMs = await this.#end();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
    if (existsSync(this.#process.log))
      for (const id of begunTwice(readFileSync(this.#process.log, "utf8")))
        this.#violate("twice", `request ${id} was begun twice`);
    return {
      violations: this.#violations,
      stepsRun,
      requests: this.#history.records.length,
      startMs: this.#startMs,
      endMs,
      recoveries: this.#recoveries,
      untroubled: this.#untroubled,
      descriptors: usage && after && [usage.descriptors, after.descriptors],
      memory: usage && after && [usage.memory, after.memory],
      events: this.#events,
      output: this.#process.lines.all.slice(-60).join("\n"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closeConnections();
    this.#process.kill();
    await this.#process.exit;
    await this.#files[Symbol.asyncDispose]();
  }

  // Steps

  async #start(): Promise<void> {
    const began = performance.now();
    try {
      this.#ports = await this.#process.ports(this.#episode.app.second ? 2 : 1);
    } catch (error) {
      this.#stop("start", String(error));
    }
    const outcome = await within(this.#probe().outcome, "the first answer");
    if (outcome.type !== "answer" || outcome.status !== 200) this.#stop("start", `first answer: ${show(outcome)}`);
    this.#startMs = performance.now() - began;
    this.#note(`started in ${Math.round(this.#startMs)} ms on ${this.#ports.join(" and ")}`);
  }

  async #run(step: Step): Promise<void> {
    switch (step.do) {
      case "ask":
        this.#ask(step.kind, step.client, step.port, step.n);
        break;
      case "settle":
        await this.#settle();
        break;
      case "save":
        this.#save(step.moods, step.way);
        break;
      case "halve":
        this.#trouble("half-written");
        this.#moods.set(step.module, { is: "half" });
        writeFileSync(this.#file(step.module), "");
        break;
      case "touch":
        // The rewriting empties the file for a moment.
        if (step.rewrite && step.module !== "main")
          this.#brief("half-written", () =>
            writeFileSync(this.#file(step.module), readFileSync(this.#file(step.module))),
          );
        else utimesSync(this.#file(step.module), new Date(), new Date());
        break;
      case "mend":
        await this.#mend(step.way);
        break;
      case "package":
        if (step.changed) this.#packageVersion++;
        this.#files.writeAtomically("package.json", packageJson(this.#episode.app, this.#packageVersion));
        break;
      case "leave":
        this.#leave();
        break;
      case "pause":
        await wait(step.ms);
        break;
      case "crowd":
        this.#trouble("crowded");
        for (let count = step.connections; count > 0; count--) this.#crowd.push(new RawConnection(this.#ports[0] ?? 0));
        break;
      case "disperse":
        this.#disperse();
        break;
      case "signal":
        this.#process.signal(step.signal);
        break;
    }
    // Clients and the supervisor get a turn, as between any two things that people do.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #ask(kind: AskKind, client: number, port: number, n: number): void {
    const connection = this.#connection(client, port);
    const paths: Partial<Record<AskKind, string>> = { plain: "/", upgrade: "/socket" };
    const path = paths[kind] ?? `/${kind}?ms=${kind === "busy" ? Math.min(n, 60) : n}`;
    const body = kind === "upload" ? Buffer.alloc(n, 97) : kind === "early" ? Buffer.alloc(LONG_UPLOAD, 97) : undefined;
    const upgrade = { connection: "Upgrade", upgrade: this.#episode.app.frame === "ws" ? "websocket" : "echo" };
    const key = { "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
    this.#send(connection, kind, n, {
      path,
      method: body === undefined ? "GET" : "POST",
      ...(kind === "upgrade" ? { headers: { ...upgrade, ...key } } : {}),
      ...(body === undefined ? {} : { body }),
    });
  }

  #save(moods: Readonly<Record<string, Mood>>, way: SaveWay): void {
    for (const [name, mood] of Object.entries(moods)) {
      if (!isFit(mood)) this.#trouble(mood.is);
      const version = ++this.#lastVersion;
      // The server is opened by the entry: half of its text is an app without a port.
      const usual = name === "main" ? "rename" : way;
      const write = () => save(this.#file(name), moduleText(this.#episode.app, name, version, mood), usual);
      if (isSeenHalf(usual)) this.#brief("half-written", write);
      else write();
      this.#moods.set(name, mood);
      // Broken code, too: a page may be the answer to it, but what was there before may not.
      this.#history.saveReturned(name, version);
    }
    if (![...this.#moods.values()].every(isFit)) return;
    // Whatever stops the worker's thread, or is due to, is over only when an answer has come.
    this.#history.closeTroubles(({ cause }) => OVER_WITH_THE_SAVE.has(cause));
  }

  /** Saves what is sick, and measures the time to an answer of the new code. */
  async #mend(way: SaveWay): Promise<void> {
    const causes = this.#history.openCauses();
    const sick = [...this.#moods].filter(([, mood]) => !isFit(mood));
    const moods = [...new Set(sick.map(([, mood]) => mood.is))];
    const cause = [...new Set([...causes, ...moods])].sort().join("+") || "nothing";
    // A dispose hook that loops does so when the mending save is taken in: only the save after that can mend it.
    const attempts = cause.includes("disposed") ? 2 : 1;
    const names = sick.length > 0 ? sick.map(([name]) => name) : ["routes"];
    for (let attempt = 1; ; attempt++) {
      // Before the save: what a request begins between the two is taken in, and may stop the app, before it is looked at.
      const log = this.#logSize();
      this.#save(Object.fromEntries(names.map((name) => [name, WELL])), way);
      const began = performance.now();
      const allowed = RECOVERY_MS + 3 * this.#startMs + this.#startCost() + SLACK_MS;
      const recovered = await this.#untilServed(began, allowed, log);
      if (recovered) {
        const ms = performance.now() - began;
        this.#note(`recovered from ${cause} in ${Math.round(ms)} ms`);
        this.#recoveries.push({ cause, ms, allowed });
        this.#history.closeTroubles(
          ({ cause, request }) => cause !== "crowded" && (!request || request.outcome !== undefined),
        );
        return;
      }
      const disturbed = this.#causesBegunSince(log);
      this.#note(`not recovered; begun meanwhile: ${disturbed.join(", ") || "nothing that stops it"}`);
      if (attempt >= attempts && disturbed.length === 0)
        this.#stop("no recovery", `from ${cause} within ${Math.round(allowed)} ms of the mending save`);
      if (attempt > 5) this.#stop("no recovery", `from ${cause} after ${attempt} saves`);
    }
  }

  /**
   * Asks until the newest code answers; false when it does not within `ms` of `began`, or cannot, because a request that
   * stops it was begun after the log had the size `log`.
   */
  async #untilServed(began: number, ms: number, log: number): Promise<boolean> {
    for (;;) {
      const left = began + ms - performance.now();
      if (left <= 0) return false;
      const probe = this.#probe();
      const outcome = await Promise.race([probe.outcome, wait(left, undefined)]);
      if (outcome === undefined) {
        probe.connection.destroy();
        return false;
      }
      // The last good code answers as well.
      const isApps = outcome.type === "answer" && outcome.headers.get("x-app") === "1";
      if (isApps && isMadeBy(outcome.body, this.#history.versions().saved)) return true;
      if (outcome.type === "refused") throw new Stopped("the port is closed");
      if (this.#causesBegunSince(log).some((cause) => cause.startsWith("loop"))) return false;
      await wait(5);
      this.#mustLive();
    }
  }

  async #settle(): Promise<void> {
    for (const record of this.#history.records) {
      if (record.outcome !== undefined || isEndless(record.kind)) continue;
      const left = Math.max(0, record.begun + this.#bound() - performance.now());
      await Promise.race([this.#settled.get(record), wait(left)]);
      if (record.outcome === undefined)
        this.#stop(
          "late",
          `${record.kind} ${record.id} has no answer after ${Math.round(performance.now() - record.begun)} ms`,
        );
    }
  }

  /** Milliseconds in which each request must have an answer, whatever happens. */
  #bound(): number {
    const { watchdog, heldDeadline, drain } = this.#episode.options;
    return watchdog + heldDeadline + drain + 4 * this.#startMs + 2 * this.#startCost() + 10_000;
  }

  #leave(): void {
    for (const record of this.#history.records)
      if (record.outcome === undefined && isEndless(record.kind)) this.#connectionOf.get(record)?.destroy();
    for (const connection of this.#upgraded.splice(0)) connection.destroy();
  }

  #disperse(): void {
    for (const connection of this.#crowd.splice(0)) connection.destroy();
    const over = this.#history.troubles.filter(({ cause, to }) => cause === "crowded" && to === undefined);
    // Descriptors come back when the supervisor has seen the ends; those of a blocked worker, when it is done with.
    const look = () => {
      const isBlocked = this.#history.openCauses().some((cause) => BLOCKING.has(cause));
      if (isBlocked) setTimeout(look, CROWD_MS).unref();
      else this.#history.closeTroubles((trouble) => over.includes(trouble));
    };
    setTimeout(look, CROWD_MS).unref();
  }

  async #end(): Promise<number | undefined> {
    const { end } = this.#episode;
    const causes = this.#history.openCauses();
    this.#note(`${end} with ${causes.join(", ") || "nothing"} under way`);
    this.#ending = true;
    const began = performance.now();
    const allowed = END_MS + this.#startMs + SLACK_MS;
    let ended: { code: number | null; signal: string | null };
    try {
      ended = await this.#process.end(end, allowed);
    } catch {
      this.#violate("slow end", `still there ${Math.round(allowed)} ms after ${end}`);
      return undefined;
    }
    const took = performance.now() - began;
    // The signal may come when the process has just been killed: there is nobody to end by it in a better way.
    const isByIt = ended.signal === end && causes.includes("die");
    if (ended.code !== 0 && !isByIt) this.#violate("wrong end", `${JSON.stringify(ended)} after ${end}`);
    for (const port of this.#ports)
      if (await isOpen(port)) this.#violate("left over", `port ${port} is open after the end`);
    if (this.#process.groupLives) this.#violate("left over", "a process lives after the end");
    const files = this.#files.leftInScratch();
    if (files.length > 0) this.#violate("left over", `temporary files: ${files.join(", ")}`);
    return took;
  }

  // Requests

  readonly #settled = new Map<AskRecord, Promise<void>>();
  readonly #connectionOf = new Map<AskRecord, RawConnection>();
  readonly #upgraded: RawConnection[] = [];

  #connection(client: number, port: number): RawConnection {
    const index = client + port * CLIENTS;
    const kept = client < 0 ? undefined : this.#kept[index];
    const free = this.#episode.options.pipelining || kept?.outstanding === 0;
    if (kept?.usable && free) return kept;
    const connection = new RawConnection(this.#ports[port] ?? this.#ports[0] ?? 0);
    this.#connections.add(connection);
    if (client >= 0 && !kept?.usable) this.#kept[index] = connection;
    return connection;
  }

  #probe(): { outcome: Promise<Outcome>; connection: RawConnection } {
    const connection = this.#connection(-1, 0);
    const outcome = this.#send(connection, "probe", 0, { path: "/", headers: { connection: "close" } });
    return { outcome, connection };
  }

  #send(
    connection: RawConnection,
    kind: AskKind | "probe",
    n: number,
    request: { path: string; method?: string; headers?: Readonly<Record<string, string>>; body?: Buffer },
  ): Promise<Outcome> {
    const id = `r${++this.#lastId}`;
    const versions = this.#history.versions();
    const record: AskRecord = {
      id,
      kind,
      n,
      begun: performance.now(),
      ...versions,
      ended: undefined,
      outcome: undefined,
    };
    this.#history.records.push(record);
    if (FATAL.includes(kind)) this.#history.openTrouble(kind, record);
    this.#connectionOf.set(record, connection);
    const outcome = connection.ask({ ...request, headers: { ...request.headers, "x-id": id } });
    const settled = outcome.then((outcome) => this.#answered(record, outcome, connection));
    this.#settled.set(record, settled);
    return outcome;
  }

  #answered(record: AskRecord, outcome: Outcome, connection: RawConnection): void {
    record.outcome = outcome;
    record.ended = performance.now();
    this.#settled.delete(record);
    this.#connectionOf.delete(record);
    if (outcome.type === "answer" && outcome.status === 101) this.#upgraded.push(connection);
    // Where descriptors are few, those who asked once must not keep three of them for good.
    const isDone = connection.outstanding === 0 && !this.#kept.includes(connection);
    if (this.#episode.options.descriptors !== undefined && connection.usable && isDone) connection.destroy();
    if (!connection.usable) this.#connections.delete(connection);
    if (this.#ending) return;
    const wasTold = outcome.type === "answer" ? outcome.status : outcome.type;
    this.#note(`${record.kind} ${record.id}: ${wasTold} after ${Math.round(record.ended - record.begun)} ms`);
    if (connection.unasked !== "") {
      this.#violate("unasked bytes", `behind the answer to ${record.id}: ${connection.unasked.slice(0, 200)}`);
      connection.unasked = "";
    }
    const violation = judge(record, this.#history, this.#episode.options.lastGood);
    if (violation) this.#violate(violation.rule, violation.what);
    if (["plain", "probe", "upload"].includes(record.kind) && this.#history.causesDuring(record).length === 0)
      this.#untroubled.push(record.ended - record.begun);
  }

  #closeConnections(): void {
    this.#ending = true;
    for (const connection of [...this.#connections, ...this.#upgraded, ...this.#crowd]) connection.destroy();
    this.#connections.clear();
    this.#kept.fill(undefined);
  }

  // What the process uses

  #usage(): Usage | undefined {
    const descriptors = this.#process.descriptors();
    const memory = this.#process.memory();
    return descriptors === undefined || memory === undefined ? undefined : { descriptors, memory };
  }

  /** What closes gets the time to close. */
  async #usageOnceQuiet(before: Usage | undefined): Promise<Usage | undefined> {
    if (before === undefined) return undefined;
    const end = performance.now() + this.#episode.options.drain + 5000;
    let usage = this.#usage();
    while (usage && usage.descriptors > before.descriptors + DESCRIPTOR_SLACK && performance.now() < end) {
      await wait(50);
      usage = this.#usage();
    }
    if (usage && usage.descriptors > before.descriptors + DESCRIPTOR_SLACK)
      this.#violate(
        "descriptors",
        `${before.descriptors} at first, ${usage.descriptors} at the end: ${this.#process.descriptorKinds()}`,
      );
    if (usage && usage.memory > before.memory + MEMORY_SLACK_MB)
      this.#violate("memory", `${before.memory} MB at first, ${usage.memory} MB at the end`);
    return usage;
  }

  // Small things

  #file(module: string): string {
    return this.#files.path(`${module}.js`);
  }

  #startCost(): number {
    return [...this.#moods.values()].reduce((sum, mood) => sum + startCost(mood), 0);
  }

  #trouble(cause: string): void {
    this.#history.openTrouble(cause);
  }

  /** Trouble for what is under way while `act` runs. */
  #brief(cause: string, act: () => void): void {
    const trouble = this.#history.openTrouble(cause);
    act();
    trouble.to = performance.now();
  }

  #logSize(): number {
    return existsSync(this.#process.log) ? readFileSync(this.#process.log).length : 0;
  }

  /** Requests that crash or stop the worker, and were begun by the app since the log had that size. */
  #causesBegunSince(size: number): string[] {
    if (!existsSync(this.#process.log)) return [];
    const ids = new Set(readFileSync(this.#process.log, "utf8").slice(size).split("\n"));
    return this.#history.records
      .filter(({ id, kind }) => ids.has(id) && FATAL.includes(kind))
      .map(({ id, kind }) => `${kind} ${id}`);
  }

  #mustLive(): void {
    const { ended } = this.#process;
    if (ended) this.#stop("wrong end", `the process ended by itself with ${JSON.stringify(ended)}`);
  }

  #note(text: string): void {
    this.#events.push(`${((performance.now() - this.#began) / 1000).toFixed(3)} ${text}`);
  }

  #violate(rule: Violation["rule"], what: string): void {
    this.#violations.push({ rule, what });
    this.#note(`BROKEN: ${rule}: ${what}`);
  }

  #stop(rule: Violation["rule"], what: string): never {
    this.#violate(rule, what);
    throw new Stopped(what);
  }
}

interface Usage {
  readonly descriptors: number;
  /** MB. */
  readonly memory: number;
}

function isEndless(kind: AskRecord["kind"]): boolean {
  return kind === "never" || kind === "events";
}

function show(outcome: Outcome): string {
  return outcome.type === "answer" ? `${outcome.status} ${outcome.body.slice(0, 300)}` : JSON.stringify(outcome);
}

function stepText(step: Step): string {
  const { do: name, ...rest } = step;
  return `${name} ${JSON.stringify(rest)}`;
}
