/** What main knows of a thread that sends nothing any more: its heartbeat, and the last lines that the app wrote. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { ThreadBoard } from "../../src/common/protocol/thread-board.js";
import { eventually } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";

const lastLinesFile = new URL("../../workers/last-lines.js", import.meta.url).href;
const heartbeatFile = new URL("../../workers/heartbeat.js", import.meta.url).href;

test("the last lines are the newest ones, whole and without colours", () => {
  const board = new ThreadBoard();
  assert.deepEqual(board.lastLines(5), []);
  board.write(Buffer.from("\x1b[31mfirst\x1b[0m\nsecond\n"));
  board.write(Buffer.from("thi"));
  board.write(Buffer.from("rd\r\n\n"));
  assert.deepEqual(board.lastLines(5), ["first", "second", "third"]);
  assert.deepEqual(board.lastLines(2), ["second", "third"]);
});

test("lines that no longer fit go, the oldest first, and none is shown in part", () => {
  const board = new ThreadBoard();
  for (let n = 1; n <= 2000; n++) board.write(Buffer.from(`line ${n} é\n`));
  const lines = board.lastLines(10_000);
  assert.ok(lines.length > 400, `only ${lines.length} lines`);
  assert.deepEqual(
    lines,
    Array.from({ length: lines.length }, (_, k) => `line ${2001 - lines.length + k} é`),
  );
});

test("a write that is longer than what is kept leaves its end", () => {
  const board = new ThreadBoard();
  board.write(Buffer.from("before\n"));
  board.write(Buffer.from(`${"x".repeat(50_000)}\nthe end\n`));
  assert.deepEqual(board.lastLines(5), ["the end"]);
  board.write(Buffer.from("after\n"));
  assert.deepEqual(board.lastLines(5), ["the end", "after"]);
});

/** Runs `code` in a thread that writes on a board; `fs`, `board` and `keepWritten` are there. */
function startThread(board: ThreadBoard, code: string): Worker {
  const text = `
    const { workerData } = require("node:worker_threads");
    const fs = require("node:fs");
    (async () => {
      const { keepWritten } = await import(${JSON.stringify(lastLinesFile)});
      const { startHeartbeat } = await import(${JSON.stringify(heartbeatFile)});
      const { ThreadBoard } = await import(${JSON.stringify(new URL("../../src/common/protocol/thread-board.js", import.meta.url).href)});
      const board = new ThreadBoard(workerData);
      ${code}
    })();`;
  return new Worker(text, { eval: true, workerData: board.buffer, stdout: true, stderr: true });
}

test("what a thread wrote just before it got stuck is known, whatever it wrote it with", async () => {
  const board = new ThreadBoard();
  const worker = startThread(
    board,
    `keepWritten((bytes) => board.write(bytes));
     console.log("by console.log");
     console.error("by console.error");
     process.stdout.write("by write: ");
     process.stdout.write("6865780a", "hex");
     process.stderr.write(new Uint8Array([98, 121, 116, 101, 115, 10]));
     Atomics.store(new Int32Array(workerData), 1, 7);
     for (;;);`,
  );
  const words = new Int32Array(board.buffer);
  await eventually(
    async () => Atomics.load(words, 1),
    (word) => word === 7,
    "the loop",
  );
  await worker.terminate();
  assert.deepEqual(board.lastLines(10), ["by console.log", "by console.error", "by write: hex", "bytes"]);
});

test("loggers that write to the descriptors themselves count, other descriptors do not", async () => {
  const board = new ThreadBoard();
  const worker = startThread(
    board,
    `keepWritten((bytes) => board.write(bytes));
     const { writeSync } = await import("node:fs");
     // Descriptors that are no output of this test: the calls fail or are empty, and are seen all the same.
     const quiet = (run) => { try { run(); } catch {} };
     const real = fs.openSync(process.execPath, "r");
     quiet(() => fs.writeSync(real, "elsewhere"));
     quiet(() => writeSync(1, "", null, "utf8"));
     quiet(() => fs.writeSync(2, Buffer.from("x  \\ny"), 1, 2));
     quiet(() => fs.writevSync(2, [Buffer.from(" "), Buffer.from(" \\n")]));
     fs.closeSync(real);`,
  );
  await once(worker, "exit");
  const words = new Int32Array(board.buffer);
  assert.equal(Atomics.load(words, 3), 5);
});

test("the app sees its streams and node:fs as they were", async () => {
  const board = new ThreadBoard();
  const worker = startThread(
    board,
    `const { parentPort } = require("node:worker_threads");
     const seen = () => JSON.stringify([
       Object.keys(process.stdout), process.stdout.write.name, process.stdout.write.length,
       Object.keys(fs).length, fs.write.name, fs.write.length, Object.keys(fs.write),
       typeof fs.write[require("node:util").promisify.custom], Object.keys(process.stderr),
     ]);
     const before = seen();
     const stop = keepWritten(() => {});
     const during = seen();
     let refused = "";
     try { process.stdout.write(5); } catch (error) { refused = error.code; }
     stop();
     parentPort.postMessage({ before, during, after: seen(), refused, own: Object.hasOwn(process.stdout, "write") });`,
  );
  // Both may come in one turn of the event loop.
  const ended = once(worker, "exit");
  const [seen] = (await once(worker, "message")) as [Record<string, unknown>];
  await ended;
  assert.equal(seen.during, seen.before);
  assert.equal(seen.after, seen.before);
  assert.equal(seen.refused, "ERR_INVALID_ARG_TYPE");
  assert.equal(seen.own, false);
});

test("a thread whose event loop turns beats; one that is blocked does not", async () => {
  const board = new ThreadBoard();
  assert.equal(board.beats, 0);
  const worker = startThread(
    board,
    `startHeartbeat(board);
     setInterval(() => {}, 1000);
     require("node:worker_threads").parentPort.once("message", () => { for (;;); });`,
  );
  await eventually(
    async () => board.beats,
    (beats) => beats >= 3,
    "three beats",
  );
  worker.postMessage("block");
  let last = board.beats;
  await eventually(
    async () => {
      const before = last;
      await new Promise((resolve) => setTimeout(resolve, 600));
      last = board.beats;
      return last - before;
    },
    (rise) => rise === 0,
    "the beats to end",
  );
  await worker.terminate();
});

test("a thread beats at each order, too: answers that bring the next order may leave its timers no turn", async () => {
  const boards = new Set<ThreadBoard>();
  // Main's watchdog is who reads the beats.
  const plain = Object.getOwnPropertyDescriptor(ThreadBoard.prototype, "beats") as PropertyDescriptor & {
    get(this: ThreadBoard): number;
  };
  Object.defineProperty(ThreadBoard.prototype, "beats", {
    ...plain,
    get(this: ThreadBoard) {
      boards.add(this);
      return plain.get.call(this);
    },
  });
  await using app = new EmbeddedApp({ "app.js": "export const one = () => 1;\n" }, "app.js");
  try {
    await app.supervisor.call("one");
    const [board] = boards;
    assert.ok(board && boards.size === 1, `${boards.size} boards were looked at`);
    const before = board.beats;
    // By its timer alone it beats a few times meanwhile.
    const orders = 100;
    for (let n = 0; n < orders; n++) assert.equal(await app.supervisor.call("one"), 1);
    assert.ok(board.beats - before >= orders, `${board.beats - before} beats at ${orders} orders`);
  } finally {
    Object.defineProperty(ThreadBoard.prototype, "beats", plain);
  }
});
