/** What a client's connection knows of its requests from counters that the worker goes on writing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Exchange } from "../../src/front/exchange.js";
import type { Upstream } from "../../src/front/upstream.js";

const request = (path: string) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);

test("a request that the app begins while its counters are read is not taken for an answered one", () => {
  const words = { started: 0, answers: 0 };
  let beginsNext = false;
  const upstream: Upstream = {
    server: { kind: "http", epoch: 1 },
    opaque: false,
    get answers() {
      return words.answers;
    },
    get flushed() {
      return words.answers === upstream.started;
    },
    get finished() {
      return words.answers;
    },
    get started() {
      const { started } = words;
      if (beginsNext) words.started = 2;
      return started;
    },
  } as unknown as Upstream;
  const exchange = new Exchange(undefined);
  exchange.begin(upstream);
  exchange.add(request("/one"), upstream);
  exchange.add(request("/two"), upstream);
  assert.equal(exchange.unstarted, true, "none has been begun");
  words.started = words.answers = 1;
  assert.equal(exchange.unstarted, true, "the second one, behind one that was answered");
  beginsNext = true;
  exchange.unstarted;
  assert.equal(words.started, 2);
  assert.equal(exchange.unstarted, false, "both have been begun");
  assert.deepEqual(exchange.takeUnanswered()?.map(String), [String(request("/two"))]);
});
