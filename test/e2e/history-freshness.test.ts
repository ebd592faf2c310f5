/**
 * No answer is older than it may be: five writers save in every way there is, clients ask on kept, pipelined and new
 * connections, workers crash and are replaced meanwhile, and a checker goes through all that was seen.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { checkHistory, type HistoryEvent } from "../support/history-check.js";
import { HistoryRun, historyFiles } from "../support/history-run.js";
import { saveWays } from "../support/history-saves.js";
import { randomSource } from "../support/random.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const ANSWERS = Number(process.env.UNRELOADER_HISTORY_ANSWERS ?? 100_000);
const PACE = Number(process.env.UNRELOADER_HISTORY_PACE ?? 600);
const PIPELINE = Number(process.env.UNRELOADER_HISTORY_PIPELINE ?? 4);
/** A slow machine proves less: after so long no more is asked. */
const TIME_MS = 200_000;
/** Descriptors of the process; 0: as many as the machine gives. */
const DESCRIPTORS = Number(process.env.UNRELOADER_HISTORY_DESCRIPTORS ?? 0);

test(`${ANSWERS} answers beside five writers, every way of saving, and faults: none is older than it may be`, {
  skip: plainMode,
}, async () => {
  const random = randomSource("history of answers");
  await using app = new TempApp(historyFiles);
  await using served = await serve(app, "main.js", DESCRIPTORS > 0 ? { descriptors: DESCRIPTORS } : {});
  const options = {
    answers: ANSWERS,
    pace: PACE,
    pipeline: PIPELINE,
    faultEvery: Math.ceil(ANSWERS / 40),
    time: TIME_MS,
  };
  const run = new HistoryRun(app, served, random, options);
  await run.run();
  const { violations, ...counts } = checkHistory(run.events);
  console.log(`# ${JSON.stringify(counts)}`);
  if (process.env.UNRELOADER_HISTORY_FILE)
    writeFileSync(process.env.UNRELOADER_HISTORY_FILE, run.events.map((event) => JSON.stringify(event)).join("\n"));
  assert.deepEqual(
    violations.slice(0, 10),
    [],
    `${violations.length} violations; output:\n${served.lines.all.slice(-40).join("\n")}`,
  );
  assert.ok(counts.answers >= ANSWERS || run.outOfTime, `only ${counts.answers} answers`);
  assert.ok(counts.raced > counts.answers / 100, `only ${counts.raced} answers met a save`);
  assert.ok(counts.pages < counts.answers / 4, `${counts.pages} pages`);
  if (counts.saves >= 500)
    for (const { name } of saveWays) assert.ok((run.ways.get(name) ?? 0) > 0, `no file was saved ${name}`);
});

describe("the checker of histories", () => {
  const saved = (version: number, whole = true): HistoryEvent[] => [
    { type: "saving", file: "a", version, whole },
    { type: "saved", file: "a", version },
  ];
  const asked = (request: number): HistoryEvent => ({ type: "asked", request });
  const answered = (request: number, a: number): HistoryEvent => ({ type: "answered", request, versions: { a } });
  const faultsOf = (events: readonly HistoryEvent[]) => checkHistory(events).violations;

  test("allows an answer of the code before to a request that was asked before the save had returned", () => {
    const saving: HistoryEvent = { type: "saving", file: "a", version: 1, whole: true };
    const returned: HistoryEvent = { type: "saved", file: "a", version: 1 };
    assert.deepEqual(faultsOf([saving, asked(1), returned, answered(1, 0)]), []);
    assert.deepEqual(faultsOf([saving, asked(1), answered(1, 1), returned]), []);
  });

  test("finds an answer that is older than a save that had returned", () => {
    assert.match(faultsOf([...saved(1), asked(1), answered(1, 0)])[0] ?? "", /a 0 was answered, 1 was there/);
  });

  test("finds an answer that is older than an answer that came before it was asked", () => {
    const saving: HistoryEvent = { type: "saving", file: "a", version: 1, whole: true };
    assert.match(faultsOf([saving, asked(1), answered(1, 1), asked(2), answered(2, 0)])[0] ?? "", /a 0 was answered/);
  });

  test("finds an answer of a version that nobody has begun to save", () => {
    assert.match(faultsOf([asked(1), answered(1, 3), ...saved(3)])[0] ?? "", /nobody had begun/);
  });

  test("allows a page only beside a fault or a save that is half done", () => {
    const page: HistoryEvent = { type: "page", request: 1, status: 500 };
    assert.deepEqual(faultsOf([asked(1), ...saved(1, false), page]), []);
    assert.match(faultsOf([asked(1), ...saved(1), page])[0] ?? "", /a page 500 without a fault/);
    assert.match(faultsOf([...saved(1, false), asked(1), page])[0] ?? "", /a page 500 without a fault/);
    assert.deepEqual(faultsOf([{ type: "fault", fault: "crash" }, asked(1), page]), []);
    assert.deepEqual(
      faultsOf([{ type: "fault", fault: "crash" }, asked(1), { type: "healed", fault: "crash" }, page]),
      [],
    );
  });

  test("finds what is lost, answered twice or never answered", () => {
    assert.match(faultsOf([asked(1), { type: "lost", request: 1, why: "ECONNRESET" }])[0] ?? "", /lost \(ECONNRESET\)/);
    assert.match(faultsOf([asked(1), answered(1, 0), answered(1, 0)])[0] ?? "", /more than one outcome/);
    assert.match(faultsOf([asked(1)])[0] ?? "", /never answered/);
  });
});
