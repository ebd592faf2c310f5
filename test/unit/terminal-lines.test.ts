/** Lines on their way to a terminal: what is in them, what is added, and what a terminal would obey. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { visibleJson, visibleLines, visibleText } from "../../src/common/visible-text.js";
import { failureText } from "../../src/reports/failure.js";
import type { FailureReport, SupervisorEvent } from "../../src/reports/report.js";
import { type LineStyle, reportLines } from "../../src/reports/report-lines.js";
import { keysOf } from "../../src/terminal/key-presses.js";
import { TerminalLines } from "../../src/terminal/terminal-lines.js";
import { Random, runSeed } from "../support/random.js";

/** A terminal obeys none of what is left: no controls, nothing that turns the direction round or ends a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OBEYED = /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const HOSTILE =
  "\x1b[31m|\x1b]8;;http://evil\x07|\x1b]0;title\x1b\\|\x9b2J|\r|\n|\t|\x7f|\u202e|\u2066|\u2028|unreloader: |src/a.ts:1:2|é|😀|a|\0".split(
    "|",
  );

function outputs(isTTY: boolean, hasColors: boolean) {
  const written: string[] = [];
  const output = { isTTY, rows: 5, hasColors: () => hasColors, write: (text: string) => written.push(text) };
  const lines = new TerminalLines({
    write: (_, text) => written.push(text),
    outputs: { stdout: output, stderr: output },
    now: () => new Date(2026, 0, 2, 3, 4, 5),
  });
  return { written, lines };
}

test("nothing that comes from outside is obeyed by a terminal, wherever it stands", () => {
  const random = new Random(runSeed());
  const { seed } = random;
  const hostile = () => Array.from({ length: 8 }, () => random.pick(HOSTILE)).join("");
  const style: LineStyle = { format: "pretty", level: "debug", cwd: "/w", why: true, onError: "page", exit: false };
  for (let round = 0; round < 500; round++) {
    const file = `/w/${hostile()}.ts`;
    const error = {
      name: hostile(),
      message: hostile(),
      stack: `Error\n    at ${hostile()} (${file}:1:2)\n    at /w/node_modules/${hostile()}/i.js:1:1`,
      frame: `> 1 | ${hostile()}\n    | ^`,
      location: { file, line: 1, column: 2 },
      cause: { name: "Error", message: hostile(), stack: `Error\n    at ${file}:3:4` },
    };
    const base = {
      generation: 1,
      epoch: 1,
      changed: [file],
      purged: [],
      loaded: [file],
      why: { [file]: [file, file] },
    };
    const report = { ...base, kind: "reloaded", code: "UR12", outcome: "in place", kept: 1, durationMs: 1 } as const;
    const edits = [{ file, code: "UR12" }] as const;
    const failed: FailureReport = {
      ...report,
      edits,
      kind: "failed",
      error,
      importedBy: [file],
      lastLines: [hostile()],
    };
    const events: SupervisorEvent[] = [
      { event: "reload", report: { ...report, edits } },
      { event: "failed", report: failed },
      { event: "log", report: { level: "warn", message: hostile() } },
      {
        event: "worker-exit",
        report: {
          epoch: 1,
          entry: file,
          cause: { type: "crashed", error: { ...error, location: undefined } },
          next: "restarting",
        },
      },
    ];
    for (const event of events) {
      const { written, lines } = outputs(true, true);
      for (const { text } of reportLines(event, style)) lines.write("stdout", [text]);
      // Also what nobody has looked at before.
      lines.write("stdout", [hostile()]);
      for (const text of written) assert.doesNotMatch(stripVTControlCharacters(text), OBEYED, `seed ${seed}`);
      for (const { text } of reportLines(event, { ...style, format: "json" })) {
        assert.doesNotMatch(text, OBEYED, `seed ${seed}`);
        const { level: _, ...told } = JSON.parse(text);
        const { level: __, ...report } = JSON.parse(JSON.stringify({ event: event.event, level: "", ...event.report }));
        assert.deepEqual(told, report);
      }
    }
    const page = failureText({ report: failed, onError: "page" }, "/w");
    for (const line of page.split("\n")) assert.doesNotMatch(line, OBEYED, `seed ${seed}`);
  }
});

test("what is obeyed is written out, in JSON as JSON does", () => {
  assert.equal(visibleText("a\x1b[31m\tb\u202e\x9b"), "a\\x1b[31m\tb\\u202e\\x9b");
  assert.equal(visibleLines("a\r\nb\x07"), "a\nb\\x07");
  assert.equal(JSON.parse(visibleJson(JSON.stringify("\x9b\u2028\u202e"))), "\x9b\u2028\u202e");
});

test("on a terminal lines have a clock and colours as it has them; elsewhere they are plain", () => {
  const line = "unreloader: reloaded 1 of 2 modules in 3 ms (generation 2): src/a.ts changed";
  const all = [line, "  requests get    this failure", "  > 1 | x", "      | ^", '{"event":"log"}'];
  const shown = (isTTY: boolean, hasColors: boolean) => {
    const { written, lines } = outputs(isTTY, hasColors);
    lines.write("stdout", all);
    return written.join("").split("\n");
  };
  assert.deepEqual(shown(false, true), all);
  const clocked = [`03:04:05 ${line}`, ...all.slice(1)];
  assert.deepEqual(shown(true, false), clocked);
  const painted = shown(true, true);
  assert.deepEqual(painted.map(stripVTControlCharacters), clocked);
  for (const each of painted.slice(0, 4)) assert.ok(each.includes("\x1b["));
  assert.equal(painted[4], all[4]);
});

test("a terminal is emptied so that one can scroll back; nothing else is", () => {
  const { written, lines } = outputs(true, false);
  lines.write("stdout", ["unreloader: a"], true);
  lines.clear();
  assert.deepEqual(written, ["\n\n\n\n\x1b[H\x1b[J03:04:05 unreloader: a", "\n\n\n\n\x1b[H\x1b[J"]);
  const plain = outputs(false, false);
  plain.lines.write("stdout", ["unreloader: a"], true);
  plain.lines.clear();
  assert.deepEqual(plain.written, ["unreloader: a"]);
});

test("keys that are read together are pressed one after the other; sequences and pasted text are none", () => {
  const meaningful = new Set(["r", "R", "q", "w", "\r"]);
  const keys = (read: string) => keysOf(read, meaningful).join(" ");
  assert.equal(keys("rR"), "r R");
  assert.equal(keys("x"), "x");
  assert.equal(keys("r\rq"), "r \r q");
  assert.equal(keys("\x1b[A\x1b[1;5Cr\x1bOPq"), "r q");
  assert.equal(keys("\x1bq"), "");
  assert.equal(keys("\x1b"), "");
  assert.equal(keys("\x1b[200~rq\x1b[201~w"), "w");
  assert.equal(keys("\x1b]11;rgb:ff/qq\x07r"), "r");
  assert.equal(keys("\x1b[Mq! r"), "r");
  assert.equal(keys("require quit"), "");
  assert.equal(keys("rrrrrrrrrrrrrrrrrrrr"), "");
  assert.equal(keys("pasted q\x03"), "\x03");
  assert.equal(keys("r\x1a"), "r \x1a");
});
