import assert from "node:assert/strict";
import { test } from "node:test";
import { REPLAY_LIMIT, ReplayBuffer } from "../../src/front/replay-buffer.js";
import { RequestScan } from "../../src/front/request-scan.js";
import { randomSource } from "../support/random.js";

const GET = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345";
const CHUNKED =
  "PUT /c HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n10\r\n0123456789\r\n\r\nxx\r\n0\r\nT: 1\r\n\r\n";
const KINDS = [GET, POST, CHUNKED, `\r\n${GET}`, "DELETE / HTTP/1.0\r\n\r\n"];

test("requests end where they end, however their bytes are cut", () => {
  const random = randomSource("request scan");
  for (let round = 0; round < 300; round++) {
    const requests = Array.from({ length: random.int(1, 6) }, () => random.pick(KINDS));
    const bytes = Buffer.from(requests.join(""));
    const scan = new RequestScan();
    const ends: number[] = [];
    for (let from = 0; from < bytes.length; ) {
      const piece = bytes.subarray(from, from + random.int(1, random.pick([3, 20, 200])));
      let at = 0;
      while (at < piece.length) {
        const { to, ended } = scan.go(piece.subarray(at));
        at += to;
        if (ended) ends.push(from + at);
      }
      from += piece.length;
    }
    let end = 0;
    assert.deepEqual(
      ends,
      requests.map((request) => {
        end += request.length;
        return end;
      }),
    );
  }
});

test("what the app has not begun is sent again, and nothing else", () => {
  const random = randomSource("replay buffer");
  for (let round = 0; round < 300; round++) {
    const requests = Array.from({ length: random.int(1, 6) }, () => random.pick(KINDS));
    const begun = random.below(requests.length + 1);
    const bytes = Buffer.from(requests.join(""));
    const buffer = new ReplayBuffer();
    for (let from = 0; from < bytes.length; ) {
      const to = from + random.int(1, 100);
      assert.ok(buffer.add(bytes.subarray(from, to), random.below(begun + 1)));
      from = to;
    }
    assert.equal(Buffer.concat(buffer.takeRest(begun)).toString(), requests.slice(begun).join(""));
    assert.equal(buffer.size, 0);
  }
});

test("the rest of a request that was answered early belongs to nobody, and what follows it is a request", () => {
  const buffer = new ReplayBuffer();
  buffer.add(Buffer.from("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n123"), 0);
  assert.equal(buffer.dropAnswered(1), false);
  buffer.add(Buffer.from("45"), 0);
  assert.equal(buffer.size, 0);
  assert.equal(buffer.cut, true);
  assert.deepEqual(buffer.takeRest(0), []);
  assert.equal(buffer.skip(Buffer.from("678")).length, 0);
  assert.equal(buffer.skip(Buffer.from(`90${GET}`)).toString(), GET);
  assert.equal(buffer.cut, false);
});

test("of a large upload only what the app has not begun is kept", () => {
  const buffer = new ReplayBuffer();
  buffer.add(Buffer.from(`POST / HTTP/1.1\r\nContent-Length: ${10 * REPLAY_LIMIT}\r\n\r\n`), 0);
  const part = Buffer.alloc(REPLAY_LIMIT / 4);
  let sent = 0;
  while (buffer.add(part, 0)) sent++;
  assert.ok(sent < 4, `${sent} parts were kept before the app began`);
  for (; sent < 40; sent++) {
    assert.equal(buffer.add(part, 1), true);
    assert.ok(buffer.size <= REPLAY_LIMIT);
  }
  // It is whole now, and another one comes behind it, which the app has not begun.
  buffer.add(Buffer.from(GET), 1);
  assert.equal(buffer.holds(0), false);
  assert.equal(Buffer.concat(buffer.takeRest(1)).toString(), GET);
});

test("bytes that are no request are not kept for ever", () => {
  const buffer = new ReplayBuffer();
  buffer.add(Buffer.from("what is this"), 0);
  assert.equal(buffer.dropAnswered(1), true);
  assert.equal(buffer.size, 0);
});
