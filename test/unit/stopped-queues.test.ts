/** When a fresh thread is asked for because a purge may have stopped a package's queue. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { InFlight } from "../../workers/listener/in-flight.js";
import { StoppedQueues } from "../../workers/stopped-queues.js";

let now = 0;
let look: (() => void) | undefined;
let stopped: string[] = [];
let requests = new InFlight(() => now);
let queues: StoppedQueues;

beforeEach(() => {
  now = 0;
  look = undefined;
  stopped = [];
  requests = new InFlight(() => now);
  queues = new StoppedQueues({
    requests,
    stopped: (file, packageName) => stopped.push(`${file} ${packageName}`),
    repeat(run) {
      look = run;
      return () => {
        look = undefined;
      };
    },
  });
});

function looks(times: number): void {
  for (let n = 0; n < times; n++) {
    now += 250;
    look?.();
  }
}

test("nobody looks before a pause has ended; a request that waits for long since then asks once", () => {
  assert.equal(look, undefined);
  queues.ended("a.js", "queue");
  looks(20);
  const end = requests.beginCall();
  looks(7);
  assert.deepEqual(stopped, []);
  looks(5);
  assert.deepEqual(stopped, ["a.js queue"]);
  assert.equal(look, undefined, "it is over");
  end();
});

test("requests of before, and those that are answered in time, wait for something else", () => {
  requests.beginCall();
  now = 1;
  queues.ended("a.js", "queue");
  looks(20);
  for (let n = 0; n < 10; n++) {
    const end = requests.beginCall();
    looks(6);
    end();
    looks(1);
  }
  assert.deepEqual(stopped, []);
});

test("an evaluation that waits for long asks as well", () => {
  queues.isEvaluating = true;
  queues.ended("a.js", "queue");
  looks(8);
  assert.deepEqual(stopped, ["a.js queue"]);
});
