/** Clients and writers around one served app, and the history that they write down. */
import { mkdirSync } from "node:fs";
import { within } from "./deadline.js";
import type { HistoryEvent, Versions } from "./history-check.js";
import { type SaveWay, saveWays } from "./history-saves.js";
import type { Random } from "./random.js";
import { type Outcome, RawConnection } from "./raw-http.js";
import type { ServedApp } from "./served-app.js";
import type { TempApp } from "./temp-app.js";

const WRITERS = 5;

const imports = Array.from(
  { length: WRITERS },
  (_, index) => `import { version as m${index} } from "./m${index}.js";`,
).join("\n");
const shown = Array.from({ length: WRITERS }, (_, index) => `m${index}`).join(", ");

/** An app of one module for each writer; m0 and m1 use m2 while they are evaluated, so does the entry
 * with m3, whose saves replace the server; the others are read by requests. */
export const historyFiles: Readonly<Record<string, string>> = {
  "package.json": packageJson(0),
  "main.js": `import http from "node:http";
import { answer } from "./routes.js";
import { version } from "./m3.js";
if (!(version >= 0)) throw new Error("half");
const server = http.createServer(answer);
server.keepAliveTimeout = 0;
server.listen(process.env.PORT, "127.0.0.1");
`,
  "routes.js": `${imports}
export function answer(req, res) {
  if (req.url === "/crash") return setImmediate(() => { throw new Error("crashed on purpose"); });
  res.setHeader("X-App", "1");
  res.end(JSON.stringify({ ${shown} }));
}
`,
  ...Object.fromEntries(Array.from({ length: WRITERS }, (_, index) => [`m${index}.js`, moduleText(index, 0)])),
};

function packageJson(version: number): string {
  return `${JSON.stringify({ name: "app", type: "module", version: `0.0.${version}` })}\n`;
}

/** Any true part of the text, and any mixture of two versions of it, cannot be evaluated. All versions have one length. */
function moduleText(index: number, version: number): string {
  const digits = String(version).padStart(7);
  const uses =
    index < 2 ? `import { version as other } from "./m2.js";\nif (!(other >= 0)) throw new Error("half");\n` : "";
  const filler = `/* ${"so that there is something to write ".repeat(8)} */\n`;
  return `const first =${digits};\n${uses}${filler}if (first !==${digits}) throw new Error("torn");\nexport const version = first;\n`;
}

export interface HistoryOptions {
  /** Answers of the app after which all stop. */
  readonly answers: number;
  /** Answers between two saves of one writer, at most. */
  readonly pace: number;
  /** Requests that a pipelining client has under way. */
  readonly pipeline: number;
  /** Answers between two faults. */
  readonly faultEvery: number;
  /** Milliseconds after which all stop. */
  readonly time: number;
}

export class HistoryRun {
  readonly events: HistoryEvent[] = [];
  /** Saves by their way. */
  readonly ways = new Map<string, number>();
  readonly #app: TempApp;
  readonly #served: ServedApp;
  readonly #random: Random;
  readonly #options: HistoryOptions;
  readonly #outside: string;
  readonly #waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();
  readonly #versions: number[] = new Array(WRITERS).fill(0);
  readonly #began = performance.now();
  #answers = 0;
  #lastRequest = 0;
  #linesSeen = 0;
  #packageVersion = 0;
  #failed = false;

  constructor(app: TempApp, served: ServedApp, random: Random, options: HistoryOptions) {
    this.#app = app;
    this.#served = served;
    this.#random = random;
    this.#options = options;
    this.#outside = app.path("..", "outside");
    mkdirSync(this.#outside);
  }

  async run(): Promise<void> {
    const work = [
      ...Array.from({ length: 8 }, () => this.#client(1)),
      ...Array.from({ length: 8 }, () => this.#client(this.#options.pipeline)),
      ...Array.from({ length: 2 }, () => this.#newConnections()),
      ...Array.from({ length: WRITERS }, (_, index) => this.#writer(index)),
      this.#faults(),
    ];
    try {
      await Promise.all(work.map((each) => this.#orFail(each)));
    } finally {
      this.#failed = true;
      this.#wake();
      await Promise.allSettled(work);
    }
    const last = await within(this.#ask(new RawConnection(this.#served.port), "/"), "the last answer");
    if (last.type !== "answer" || last.status !== 200) throw new Error(`last answer: ${JSON.stringify(last)}`);
  }

  get outOfTime(): boolean {
    return performance.now() - this.#began > this.#options.time;
  }

  get #done(): boolean {
    return this.#failed || this.#answers >= this.#options.answers || this.outOfTime;
  }

  async #orFail(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failed = true;
      this.#wake();
      throw error;
    }
  }

  /** A kept connection that is used by `depth` requests at a time. */
  async #client(depth: number): Promise<void> {
    let connection = new RawConnection(this.#served.port);
    const lane = async () => {
      while (!this.#done) {
        if (!connection.usable) connection = new RawConnection(this.#served.port);
        await this.#askInTime(connection);
      }
    };
    await Promise.all(Array.from({ length: depth }, lane));
    connection.destroy();
  }

  async #newConnections(): Promise<void> {
    while (!this.#done) {
      const connection = new RawConnection(this.#served.port);
      await this.#askInTime(connection);
      connection.destroy();
    }
  }

  async #askInTime(connection: RawConnection): Promise<void> {
    await within(this.#ask(connection, "/"), () => `an answer; output:\n${this.#output()}`, 30_000);
  }

  async #ask(connection: RawConnection, path: string): Promise<Outcome> {
    const request = ++this.#lastRequest;
    for (const line of this.#served.lines.all.slice(this.#linesSeen)) this.events.push({ type: "line", line });
    this.#linesSeen = this.#served.lines.all.length;
    this.events.push({ type: "asked", request });
    const outcome = await connection.ask({ path, headers: { "x-id": String(request) } });
    if (outcome.type === "answer" && outcome.headers.get("x-app") === "1") {
      this.events.push({ type: "answered", request, versions: JSON.parse(outcome.body) as Versions });
      this.#answers++;
      this.#wake();
    } else if (outcome.type === "answer") this.events.push({ type: "page", request, status: outcome.status });
    // Behind an answer that ends the connection: HTTP has the client send it again.
    else if (outcome.type === "unprocessed") this.events.push({ type: "page", request, status: 0 });
    else this.events.push({ type: "lost", request, why: outcome.type === "lost" ? outcome.why : outcome.type });
    return outcome;
  }

  async #writer(index: number): Promise<void> {
    const ways = [...saveWays];
    while (!this.#done) {
      await this.#moreAnswers(this.#random.int(0, this.#options.pace));
      const way = this.#random.pick(ways);
      await this.#save(index, way, (version) => moduleText(index, version));
    }
  }

  async #save(index: number, way: SaveWay, text: (version: number) => string): Promise<void> {
    const file = `m${index}`;
    const version = (this.#versions[index] ?? 0) + 1;
    this.#versions[index] = version;
    this.ways.set(way.name, (this.ways.get(way.name) ?? 0) + 1);
    this.events.push({ type: "saving", file, version, whole: way.whole, way: way.name });
    await way.save(this.#app.path(`${file}.js`), text(version), this.#outside);
    this.events.push({ type: "saved", file, version });
  }

  async #faults(): Promise<void> {
    const faults = [() => this.#crash(), () => this.#touchPackage(), () => this.#throwAndMend(), () => this.#crowd()];
    for (let turn = 0; !this.#done; turn++) {
      await this.#moreAnswers(this.#options.faultEvery);
      if (this.#done) return;
      await faults[turn % faults.length]?.();
    }
  }

  async #crash(): Promise<void> {
    this.events.push({ type: "fault", fault: "crash" });
    const connection = new RawConnection(this.#served.port);
    await within(this.#ask(connection, "/crash"), "the page of the crash", 30_000);
    await this.#untilAnswered();
    this.events.push({ type: "healed", fault: "crash" });
  }

  /** A fresh worker, which nobody may notice. */
  #touchPackage(): Promise<void> {
    this.#app.writeAtomically("package.json", packageJson(++this.#packageVersion));
    return this.#untilAnswered();
  }

  async #throwAndMend(): Promise<void> {
    this.events.push({ type: "fault", fault: "throw" });
    this.#app.writeAtomically("routes.js", `throw new Error("on purpose");\n`);
    await within(this.#ask(new RawConnection(this.#served.port), "/"), "the page of the edit that throws", 30_000);
    this.#app.writeAtomically("routes.js", historyFiles["routes.js"] ?? "");
    await this.#untilAnswered();
    this.events.push({ type: "healed", fault: "throw" });
  }

  /** Idle connections, more than the supervisor has descriptors for when its process was given few. */
  async #crowd(): Promise<void> {
    this.events.push({ type: "fault", fault: "crowd" });
    const crowd = Array.from({ length: 100 }, () => new RawConnection(this.#served.port));
    await this.#moreAnswers(100);
    for (const connection of crowd) connection.destroy();
    await this.#untilAnswered();
    this.events.push({ type: "healed", fault: "crowd" });
  }

  /** Resolves when a request on a new connection is answered by the app. */
  async #untilAnswered(): Promise<void> {
    const end = performance.now() + 30_000;
    for (;;) {
      const connection = new RawConnection(this.#served.port);
      const outcome = await within(this.#ask(connection, "/"), "an answer after a fault", 30_000);
      connection.destroy();
      if (this.#failed || (outcome.type === "answer" && outcome.status === 200)) return;
      if (performance.now() > end || outcome.type === "refused")
        throw new Error(`no answer after a fault: ${JSON.stringify(outcome)}; output:\n${this.#output()}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #output(): string {
    return this.#served.lines.all.slice(-40).join("\n");
  }

  /** Resolves after `count` more answers. */
  #moreAnswers(count: number): Promise<void> {
    if (count === 0 || this.#done) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => this.#waiting.add({ at: this.#answers + count, resolve }));
  }

  #wake(): void {
    for (const waiter of this.#waiting) {
      if (waiter.at > this.#answers && !this.#done) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
