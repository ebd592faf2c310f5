import assert from "node:assert/strict";
import { test } from "node:test";
import { DESTROYED, ENDED, LET_GO, RESET, STILL_OPEN } from "../../src/common/protocol/connection-table.js";
import type { ServerKind } from "../../src/common/protocol/messages.js";
import { type EndedUpstream, fateOf, fateWithoutWorker, pageWay } from "../../src/front/upstream-fate.js";

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
  always("what the worker lets go keeps its client", ({ purpose }) => purpose === LET_GO, is("detach", "requeue"));
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
  always(
    "a connection that was not taken notice of is no loss",
    (end) => lost(end) && !end.seen,
    is("detach", "requeue"),
  );
  always(
    "a server may be the one that speaks first, where the client has sent nothing",
    (end) => end.kind !== "http" && !end.leaving && (end.purpose === LET_GO || (lost(end) && !end.seen)),
    is("requeue"),
  );
  always(
    "what waits for requests of HTTP is enough to go on",
    (end) => end.kind === "http",
    (fate) => fate !== "requeue",
  );
  always(
    "a request that a sender of this process has lost is sent again",
    (end) => [ENDED, DESTROYED].includes(end.purpose) && !end.leaving && end.senderLost,
    is("sendAgain"),
  );
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

test("a page of the supervisor reaches a client in the one way that can be understood, or not at all", () => {
  const flags = [false, true];
  for (const kind of KINDS)
    for (const opaque of flags)
      for (const answeredPartly of flags) {
        const state = JSON.stringify({ kind, opaque, answeredPartly });
        const taken = fateWithoutWorker({ kind, answeredPartly, seen: true });
        assert.equal(taken, kind === "http" && !answeredPartly ? "page" : "reset", state);
        const untaken = fateWithoutWorker({ kind, answeredPartly, seen: false });
        assert.equal(untaken, kind === "raw" ? "reset" : "page", state);
        for (const whole of flags) {
          const way = pageWay({ kind, opaque, answeredPartly, whole });
          if (answeredPartly) assert.equal(way, "reset", state);
          else if (kind === "http" && !opaque) assert.equal(way, whole ? "serve" : "write", state);
          else assert.equal(way, "close", state);
        }
      }
});
