import assert from "node:assert/strict";
import { test } from "node:test";
import { DESTROYED, ENDED, LET_GO, RESET, STILL_OPEN } from "../../src/common/protocol/connection-table.js";
import type { ServerKind } from "../../src/common/protocol/messages.js";
import { type EndedUpstream, fateOf } from "../../src/front/upstream-fate.js";

const PURPOSES = [STILL_OPEN, ENDED, DESTROYED, RESET, LET_GO];
const KINDS: readonly ServerKind[] = ["http", "https", "http2", "http2-secure", "raw"];
const FLAGS = ["leaving", "moved", "seen", "opaque", "flushed", "answeredPartly", "unstarted", "senderLost"] as const;

function* everyEnd(): Iterable<EndedUpstream> {
  for (const purpose of PURPOSES)
    for (const kind of KINDS)
      for (let bits = 0; bits < 2 ** FLAGS.length; bits++) {
        const flags = Object.fromEntries(FLAGS.map((flag, bit) => [flag, (bits & (1 << bit)) !== 0]));
        const end = { purpose, kind, ...flags } as unknown as EndedUpstream;
        // What can be: an answer that is not whole is not flushed, and nobody loses a request that the worker took.
        if (end.answeredPartly && end.flushed) continue;
        yield end;
      }
}

const ends = [...everyEnd()];

function always(what: string, when: (end: EndedUpstream) => boolean, fits: (fate: string) => boolean): void {
  const members = ends.filter(when);
  assert.ok(members.length > 0, `no end for: ${what}`);
  for (const end of members) assert.ok(fits(fateOf(end)), `${what}: ${JSON.stringify(end)} gives ${fateOf(end)}`);
}

const http = (end: EndedUpstream) => end.kind === "http" && !end.opaque;
const lost = (end: EndedUpstream) => end.purpose === STILL_OPEN && !end.leaving;

test("a client's connection ends with its upstream as the app, or the death of its worker, has it", () => {
  always("what is left on purpose keeps its client", ({ leaving }) => leaving, is("detach"));
  always("what the worker lets go keeps its client", ({ purpose }) => purpose === LET_GO, is("detach"));
  always("a reset is passed on", ({ purpose, leaving }) => purpose === RESET && !leaving, is("reset"));
  always(
    "what the app closed is closed",
    (end) => [ENDED, DESTROYED].includes(end.purpose) && !end.leaving && !end.senderLost && !end.moved,
    is("end", "close"),
  );
  always(
    "an old worker that closes an idle connection does not mean the client",
    (end) => http(end) && end.moved && end.flushed && [ENDED, DESTROYED].includes(end.purpose),
    is("detach", "sendAgain"),
  );
  always("a connection that was not taken notice of is no loss", (end) => lost(end) && !end.seen, is("detach"));
  always(
    "an answer that was cut is never taken for whole",
    (end) => lost(end) && end.seen && http(end) && end.answeredPartly,
    is("reset"),
  );
  always(
    "a request that was begun gets a page",
    (end) => lost(end) && end.seen && http(end) && !end.flushed && !end.answeredPartly,
    is("deathPage"),
  );
  always(
    "a request that was not begun is sent again",
    (end) => lost(end) && end.seen && http(end) && end.flushed && end.unstarted,
    is("sendAgain"),
  );
  always(
    "idle clients stay",
    (end) => lost(end) && end.seen && http(end) && end.flushed && !end.unstarted,
    is("detach"),
  );
  always(
    "sessions end with the worker in which they live",
    (end) => lost(end) && end.seen && !http(end),
    is("close", "reset"),
  );
});

function is(...fates: string[]): (fate: string) => boolean {
  return (fate) => fates.includes(fate);
}
