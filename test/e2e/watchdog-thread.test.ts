/** The watchdog on the app's threads: when it says what, and how it finds the place. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { CompiledModule } from "../../src/common/compile/compiled-module.js";
import { Compiler } from "../../src/common/compile/compiler.js";
import { TraceMap } from "../../src/common/compile/trace-map.js";
import { blockedPage, busyLine } from "../../src/thread/busy-text.js";
import { nearestOwnFrame, type StuckPlace, shownPlace, stuckPlace } from "../../src/thread/stuck-place.js";
import { type Inspected, type StackFrame, ThreadInspection } from "../../src/thread/thread-inspection.js";
import { type BusyReport, Watchdog } from "../../src/thread/watchdog.js";
import { within } from "../support/deadline.js";
import { TempApp } from "../support/temp-app.js";

const PLACE: StuckPlace = {
  location: { file: "/p/src/app.ts", line: 12, column: 7 },
  frame: "> 12 | loop()",
  inside: undefined,
};

/** A thread without a thread, and a clock that a test turns. */
class Stage {
  readonly board = { beats: 1, excused: false };
  hasPurged = false;
  readonly told: string[] = [];
  found: Inspected = { type: "running", frames: [], source: undefined };
  place: StuckPlace = PLACE;
  inspected = 0;
  released = 0;
  now = 0;
  readonly watchdog: Watchdog;

  constructor(limitMs: number | "off" = 10_000) {
    const tell = (what: string) => (report: BusyReport) => {
      this.told.push(`${what} ${report.epoch} ${report.blockedMs} ${report.place?.location?.line}`);
    };
    this.watchdog = new Watchdog({
      limitMs,
      busy: tell("busy"),
      blocked: tell("blocked"),
      free: (epoch) => void this.told.push(`free ${epoch}`),
      purgedRuns: (epoch, { line }) => void this.told.push(`purged ${epoch} ${this.now} ${line}`),
      now: () => this.now,
    });
    const stage = this;
    this.watchdog.watch({
      epoch: 1,
      board: this.board,
      get hasPurged() {
        return stage.hasPurged;
      },
      inspect: () => {
        this.inspected++;
        return { answer: Promise.resolve(this.found), release: () => void this.released++ };
      },
      locate: ({ frame: { line, column } }) => ({ file: "/p/src/app.ts", line, column }),
      place: () => this.place,
    });
  }

  /** Lets time pass in which the watchdog looks every 250 ms; the thread beats if `beats`. */
  async pass(ms: number, beats = false): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 250;
      if (beats) this.board.beats++;
      this.watchdog.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  [Symbol.dispose](): void {
    this.watchdog.close();
  }
}

test("a thread that does not beat is told after 2 s and after 10 s, and its requests are answered at the limit", async () => {
  using stage = new Stage(5000);
  await stage.pass(20_000, true);
  assert.deepEqual(stage.told, []);
  await stage.pass(1750);
  assert.deepEqual(stage.told, []);
  assert.equal(stage.watchdog.blockedMs(1), 1750);
  await stage.pass(30_000);
  assert.deepEqual(stage.told, ["busy 1 2000 12", "blocked 1 5000 12", "busy 1 10000 12"]);
  assert.ok(stage.watchdog.isBlocked(1));
  await stage.pass(250, true);
  assert.deepEqual(stage.told.slice(3), ["free 1"]);
  assert.ok(!stage.watchdog.isBlocked(1));
  assert.equal(stage.watchdog.blockedMs(1), 0);
});

test("a main thread that did not run itself takes no other thread for blocked", async () => {
  using stage = new Stage();
  await stage.pass(1000, true);
  stage.now += 5000;
  assert.equal(stage.watchdog.blockedMs(1), 0);
  await stage.pass(250);
  assert.equal(stage.watchdog.blockedMs(1), 0);
  await stage.pass(1000);
  assert.equal(stage.watchdog.blockedMs(1), 1000);
});

test("a thread that is slow again is told again", async () => {
  using stage = new Stage();
  await stage.pass(3000);
  await stage.pass(250, true);
  await stage.pass(3000);
  assert.deepEqual(stage.told, ["busy 1 2000 12", "busy 1 2000 12"]);
});

test("with the watchdog off the lines come and no request is given up on", async () => {
  using stage = new Stage("off");
  await stage.pass(60_000);
  assert.deepEqual(stage.told, ["busy 1 2000 12", "busy 1 10000 12"]);
});

test("nothing is said of a thread that has not begun to beat, or that does work of the supervisor's own", async () => {
  using stage = new Stage();
  stage.board.beats = 0;
  await stage.pass(30_000);
  stage.board.beats = 1;
  stage.board.excused = true;
  await stage.pass(30_000);
  assert.deepEqual(stage.told, []);
  stage.board.excused = false;
  await stage.pass(2500);
  assert.deepEqual(stage.told, ["busy 1 2000 12"]);
});

test("time in which the main thread did not run either does not count", async () => {
  using stage = new Stage();
  await stage.pass(1500);
  stage.now += 3_600_000;
  await stage.pass(1500);
  stage.now += 1500;
  await stage.pass(1750);
  assert.deepEqual(stage.told, []);
  await stage.pass(1000);
  assert.deepEqual(stage.told, ["busy 1 2000 12"]);
});

test("nothing is said while a debugger has stopped the thread, and it is not looked at all the time", async () => {
  using stage = new Stage();
  stage.found = { type: "stopped" };
  await stage.pass(60_000);
  assert.deepEqual(stage.told, []);
  assert.ok(stage.inspected > 1 && stage.inspected < 10, `looked ${stage.inspected} times`);
  stage.found = { type: "running", frames: [], source: undefined };
  await stage.pass(250, true);
  await stage.pass(2000);
  assert.deepEqual(stage.told, ["busy 1 2000 12"]);
});

test("a place that cannot be found is left out", async () => {
  using stage = new Stage();
  stage.found = { type: "unknown" };
  await stage.pass(2000);
  assert.deepEqual(stage.told, ["busy 1 2000 undefined"]);
});

test("a place that could not be found in time is found later, for the requests to come", async () => {
  using stage = new Stage(1000);
  stage.found = { type: "unknown" };
  await stage.pass(1500);
  assert.deepEqual(stage.told, ["blocked 1 1000 undefined"]);
  stage.found = { type: "running", frames: [], source: undefined };
  await stage.pass(3000);
  assert.deepEqual(stage.told.slice(1), ["blocked 1 2000 12", "busy 1 2000 12"]);
  stage.found = { type: "unknown" };
  await stage.pass(10_000);
  assert.deepEqual(stage.told.slice(3), ["busy 1 10000 12"], "the place that is known stays");
});

test("the place of before is not taken for the place of now", async () => {
  using stage = new Stage(1000);
  await stage.pass(1000);
  stage.found = { type: "unknown" };
  await stage.pass(250, true);
  await stage.pass(1000);
  assert.deepEqual(stage.told, ["blocked 1 1000 12", "free 1", "blocked 1 1000 undefined"]);
});

test("a thread that ends while it is looked at is let go, and nothing is said of it", async () => {
  using stage = new Stage();
  await stage.pass(1750);
  stage.now += 250;
  stage.watchdog.look();
  stage.watchdog.unwatch(1);
  assert.equal(stage.released, 1);
  await stage.pass(10_000);
  assert.deepEqual(stage.told, []);
});

const PURGED: Inspected = {
  type: "running",
  frames: [],
  source: undefined,
  purged: { frame: { functionName: "f", url: "file:///p/src/app.ts", line: 9, column: 1, scriptId: "1" }, source: "" },
};

test("a thread that has purged nothing is not looked at before 2 s", async () => {
  using stage = new Stage();
  await stage.pass(1750);
  assert.equal(stage.inspected, 0);
});

test("purged code is told as soon as it has blocked the thread for a second", async () => {
  using stage = new Stage("off");
  stage.hasPurged = true;
  stage.found = PURGED;
  await stage.pass(750);
  assert.equal(stage.inspected, 0);
  await stage.pass(250);
  assert.deepEqual(stage.told, ["purged 1 1000 9"]);
});

test("purged code that comes to its turn behind other code that is slow is found by a later look", async () => {
  using stage = new Stage("off");
  stage.hasPurged = true;
  await stage.pass(3000);
  stage.found = PURGED;
  await stage.pass(2000);
  assert.deepEqual(stage.told, ["busy 1 2000 12", "purged 1 4000 9"]);
  assert.equal(stage.inspected, 3);
});

test("purged code whose turns follow each other is looked at again soon while none of the app's code is on the stack", async () => {
  using stage = new Stage("off");
  stage.hasPurged = true;
  stage.place = { location: undefined, frame: undefined, inside: "emitHook (node:internal/async_hooks)" };
  await stage.pass(1250);
  stage.found = PURGED;
  stage.place = PLACE;
  await stage.pass(250);
  assert.deepEqual(stage.told, ["purged 1 1500 9"]);
});

test("purged code that comes to its end while it is looked at is not told", async () => {
  using stage = new Stage();
  stage.hasPurged = true;
  stage.found = PURGED;
  await stage.pass(750);
  stage.now += 250;
  stage.watchdog.look();
  stage.board.beats++;
  await stage.pass(750);
  assert.equal(stage.inspected, 1);
  assert.deepEqual(stage.told, []);
});

test("purged code at which a debugger has stopped is not told", async () => {
  using stage = new Stage();
  stage.hasPurged = true;
  stage.found = { type: "stopped" };
  await stage.pass(5000);
  assert.deepEqual(stage.told, []);
});

test("the line and the page name the place, what waits, and what to do", () => {
  const style = { cwd: "/p", limitMs: 10_000 };
  assert.equal(
    busyLine({ epoch: 1, blockedMs: 2013, place: PLACE }, style),
    "src/app.ts:12:7 has kept the app busy for 2 s: its requests wait, from 10 s on they get 504 (--watchdog)",
  );
  const inside = { ...PLACE, inside: "parse (node_modules/marked/lib/marked.js:1:2)" };
  assert.equal(
    busyLine({ epoch: 1, blockedMs: 10_100, place: inside }, style),
    "src/app.ts:12:7 in parse (node_modules/marked/lib/marked.js:1:2) has kept the app busy for 10 s: its requests get 504 until it is done; a save takes a fresh worker",
  );
  assert.match(busyLine({ epoch: 1, blockedMs: 2000, place: undefined }, style), /^something .*busy for 2 s/);
  const page = blockedPage({ epoch: 1, blockedMs: 10_000, place: PLACE }, style);
  assert.equal(page.status, 504);
  assert.match(page.text, /^src\/app\.ts:12:7 has kept the app busy for 10 s[^\n]*\n\n {2}> 12 \| loop\(\)\n/);
  assert.deepEqual(page.error?.location, PLACE.location);
});

// ---- the place

/** A thread that gets stuck in `code`; resolves when it is there. */
async function stuckThread(code: string, before = ""): Promise<Worker> {
  const worker = new Worker(
    `${before}
     const word = new Int32Array(new SharedArrayBuffer(4));
     require("node:worker_threads").parentPort.postMessage(word);
     setTimeout(() => { Atomics.store(word, 0, 1); ${code} }, 1);`,
    { eval: true },
  );
  const [word] = (await once(worker, "message")) as [Int32Array];
  while (Atomics.load(word, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  return worker;
}

const STUCK: Readonly<Record<string, readonly [code: string, functionName: string]>> = {
  "an endless loop": ["function spin() { for (;;) Math.random(); } spin();", "spin"],
  "an empty endless loop": ["function spin() { while (true) {} } spin();", "spin"],
  "promises that never leave the event loop its turn": [
    "async function spin() { for (;;) await null; } spin();",
    "spin",
  ],
  "a regular expression that backtracks": ["(function match() { /^(a+)+$/.test('a'.repeat(40) + 'b'); })();", "match"],
  "a thread that sleeps": [
    "(function sleep() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); })();",
    "sleep",
  ],
};

for (const [what, [code, functionName]] of Object.entries(STUCK)) {
  test(`the place is found: ${what}`, async () => {
    const other = new Worker("setInterval(() => {}, 1000)", { eval: true });
    const worker = await stuckThread(code);
    const inspection = new ThreadInspection({ threadId: worker.threadId, deadlineMs: 10_000, pick: ([top]) => top });
    const found = await inspection.answer;
    assert.ok(found.type === "running", found.type);
    assert.equal(found.frames[0]?.functionName, functionName);
    // What runs as a microtask has no caller.
    if (!code.startsWith("async")) assert.match(found.frames.at(-1)?.url ?? "", /^node:/);
    assert.ok(found.source?.includes(code));
    await within(Promise.all([worker.terminate(), other.terminate()]), "the threads to end");
  });
}

test("nothing is done with what the inspector tells while this thread is in the middle of other work", async () => {
  const worker = await stuckThread("for (;;);");
  let working = true;
  let pickedMeanwhile = false;
  const pick = () => {
    pickedMeanwhile ||= working;
    return undefined;
  };
  const inspection = new ThreadInspection({ threadId: worker.threadId, deadlineMs: 10_000, pick });
  // Its listeners are called in here (20.20, 24.21), as they are in the middle of what Node does with its timers.
  for (let end = performance.now() + 300; performance.now() < end; );
  working = false;
  assert.equal((await inspection.answer).type, "running");
  assert.equal(pickedMeanwhile, false);
  await within(worker.terminate(), "the thread to end");
});

test("a thread that is let go of in the middle of a look can be ended at once", async () => {
  for (let delay = 0; delay < 40; delay += 4) {
    const worker = await stuckThread("for (;;);");
    const inspection = new ThreadInspection({ threadId: worker.threadId, deadlineMs: 10_000, pick: () => undefined });
    await new Promise((resolve) => setTimeout(resolve, delay));
    inspection.release();
    await within(worker.terminate(), `the thread to end, ${delay} ms after the look began`);
    await inspection.answer;
  }
});

test("a thread in native code is given up on in time", async () => {
  const worker = await stuckThread(
    "pbkdf2Sync('a', 'b', 4e6, 64, 'sha512');",
    // The function's own JavaScript is behind it when it blocks: the first call has loaded all of it.
    "const { pbkdf2Sync } = require('node:crypto'); pbkdf2Sync('a', 'b', 1, 64, 'sha512');",
  );
  const inspection = new ThreadInspection({ threadId: worker.threadId, deadlineMs: 300, pick: () => undefined });
  assert.deepEqual(await within(inspection.answer, "the answer"), { type: "unknown" });
  await worker.terminate();
});

test("the place is the one in the source, of the version that runs, with the package that was called", async () => {
  await using app = new TempApp({
    "src/app.ts":
      "interface Unused { a: string }\n\nexport function work(n: number): void {\n  spin<number>(n);\n}\nfunction spin<T>(n: T) { while (n) {} }\n",
  });
  const file = app.path("src/app.ts");
  const compiler = new Compiler({ root: app.folder });
  const before = compiler.compile(file, "export const older: number = 1;\n");
  const now = compiler.compile(file);
  const offset = now.body.indexOf("spin(n)");
  assert.ok(offset > 0);
  const line = now.body.slice(0, offset).split("\n").length;
  const column = offset - now.body.lastIndexOf("\n", offset);
  const own: StackFrame = { functionName: "work", url: new URL(`file://${file}`).href, line, column, scriptId: "1" };
  const inPackage = {
    ...own,
    functionName: "parse",
    url: `file://${app.path("node_modules/m/i.js")}`,
    line: 3,
    column: 4,
  };
  const ours = { ...own, functionName: "wrapped", url: "file:///unreloader/workers/ledger.js" };
  const context = {
    root: app.folder,
    ownFolders: ["/unreloader/"],
    versions: (asked: string): CompiledModule[] => (asked === file ? [before, now] : []),
    mapOf: (compiled: CompiledModule) => new TraceMap(compiler.sourceMap(compiled) as never),
  };
  assert.equal(nearestOwnFrame([ours, inPackage, own], context), own);
  const script = `(function (__ur) { ${now.body}\n})`;
  const place = stuckPlace([ours, inPackage, own], script, context);
  assert.deepEqual(place.location, { file, line: 4, column: 3 });
  assert.match(place.frame ?? "", /^> 4 \| {3}spin<number>\(n\);$/m);
  assert.equal(shownPlace(place, app.folder), "src/app.ts:4:3 in parse (node_modules/m/i.js:3:4)");
  assert.equal(shownPlace(stuckPlace([own], script, context), app.folder), "src/app.ts:4:3");
  const native = { ...own, functionName: "readFileSync", url: "node:fs" };
  assert.equal(
    shownPlace(stuckPlace([native, own], script, context), app.folder),
    "src/app.ts:4:3 in readFileSync (node:fs)",
  );
});
