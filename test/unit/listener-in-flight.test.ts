import assert from "node:assert/strict";
import { test } from "node:test";
import { OLD_REQUEST_MS } from "../../src/common/deadlines.js";
import { InFlight, isAwaited, LONG_STREAM_MS, type RequestInFlight } from "../../workers/listener/in-flight.js";

const request = (since: number, headersSent: boolean, contentType?: string): RequestInFlight => ({
  connection: {},
  since,
  headersSent,
  contentType: () => contentType,
});

test("a drain waits for answers that have not begun, however old, and for young ones that are no event stream", () => {
  assert.ok(isAwaited(request(0, false), LONG_STREAM_MS * 10));
  assert.ok(isAwaited(request(0, false, "text/event-stream"), 0));
  assert.ok(isAwaited(request(0, true, "text/html"), LONG_STREAM_MS - 1));
  assert.ok(isAwaited(request(0, true), 0));
  assert.ok(!isAwaited(request(0, true, "text/html"), LONG_STREAM_MS));
  assert.ok(!isAwaited(request(0, true, "Text/Event-Stream; charset=utf-8"), 0));
});

test("a drain resolves with the last end, or with what is left at its deadline", async () => {
  const inFlight = new InFlight(() => 0);
  const [one, two] = [request(0, false), request(0, true)];
  inFlight.begin(one);
  inFlight.begin(two);
  assert.equal(await inFlight.drained(0), 2);
  const drained = inFlight.drained(60_000);
  inFlight.end(one);
  inFlight.endConnection(two.connection);
  assert.equal(await drained, 0);
  assert.equal(inFlight.size, 0);
});

test("what has outlived a reload's drain is not waited for by the next, but by the end", async () => {
  const inFlight = new InFlight(() => 0);
  const old = request(0, false);
  inFlight.begin(old);
  assert.equal(await inFlight.drainedForReload(0), 1);
  assert.equal(await inFlight.drainedForReload(60_000), 0, "given up on once");
  const fresh = request(0, false);
  inFlight.begin(fresh);
  const drained = inFlight.drainedForReload(60_000);
  inFlight.end(fresh);
  assert.equal(await drained, 0);
  const end = inFlight.drained(60_000);
  inFlight.end(old);
  assert.equal(await end, 0);
});

test("a reload waits less for what is old than for what is young", async () => {
  const [ofOld, ofYoung] = [new InFlight(() => OLD_REQUEST_MS), new InFlight(() => OLD_REQUEST_MS)];
  const [old, young] = [request(0, false), request(1, false)];
  ofOld.begin(old);
  ofYoung.begin(young);
  let isWaiting = true;
  const drained = ofYoung.drainedForReload(60_000).finally(() => {
    isWaiting = false;
  });
  assert.equal(await ofOld.drainedForReload(60_000), 0, "it is given up long before the deadline");
  assert.ok(isWaiting);
  ofYoung.end(young);
  assert.equal(await drained, 0);
  const end = ofOld.drained(60_000);
  ofOld.end(old);
  assert.equal(await end, 0, "but waited for at the end");
});
