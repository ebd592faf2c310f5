import assert from "node:assert/strict";
import { test } from "node:test";
import { admission, type State, type StateEvent, transition } from "../../src/supervisor/state.js";
import { randomSource } from "../support/random.js";

const error = { name: "Error", message: "broken" };
const booting: State = { phase: "booting", epoch: 1, generation: 0 };

function after(...events: StateEvent[]): State {
  return events.reduce(transition, booting);
}

test("a request passes only while the newest code runs", () => {
  const running = after({ type: "booted", generation: 1 });
  assert.equal(admission(booting, false).type, "hold");
  assert.equal(admission(running, false).type, "pass");
  assert.equal(admission(transition(running, { type: "reload" }), false).type, "hold");
  assert.equal(admission(transition(running, { type: "close" }), false).type, "closing");
});

test("broken code is answered by the failure, or by the last good generation when that is asked for and still alive", () => {
  const failed = after(
    { type: "booted", generation: 1 },
    { type: "reload" },
    { type: "failed", error, threadAlive: true },
  );
  assert.deepEqual(admission(failed, false), { type: "failure", error });
  assert.deepEqual(admission(failed, true), { type: "pass" });
  const dead = transition(failed, { type: "failed", error, threadAlive: false });
  assert.deepEqual(admission(dead, true), { type: "failure", error });
});

test("a failed reload keeps the generation, a fresh worker goes on counting from it", () => {
  const failed = after(
    { type: "booted", generation: 7 },
    { type: "reload" },
    { type: "failed", error, threadAlive: false },
  );
  assert.deepEqual(transition(failed, { type: "boot", epoch: 2 }), { phase: "booting", epoch: 2, generation: 7 });
});

test("an event that does not fit the phase names both", () => {
  assert.throws(() => transition(booting, { type: "reload" }), /"reload" while it is booting/);
});

test("nothing leads back from closing", () => {
  assert.deepEqual(transition({ phase: "closing", generation: 3 }, { type: "boot", epoch: 2 }), {
    phase: "closing",
    generation: 3,
  });
  assert.deepEqual(transition({ phase: "closing", generation: 3 }, { type: "closed" }), {
    phase: "closed",
    generation: 3,
  });
  assert.deepEqual(transition({ phase: "closed", generation: 3 }, { type: "close" }), {
    phase: "closed",
    generation: 3,
  });
});

test("whatever happens, requests pass only in front of a live thread, and the generation never falls", () => {
  const random = randomSource("state");
  const events: (() => StateEvent)[] = [
    () => ({ type: "boot", epoch: random.int(1, 9) }),
    () => ({ type: "booted", generation: generation + 1 }),
    () => ({ type: "reload" }),
    () => ({ type: "applied", generation: generation + 1 }),
    () => ({ type: "unchanged" }),
    () => ({ type: "failed", error, threadAlive: random.int(0, 1) === 1 }),
  ];
  let state: State = booting;
  let generation = 0;
  for (let step = 0; step < 5000; step++) {
    const event = random.pick(events)();
    let next: State;
    try {
      next = transition(state, event);
    } catch (refused) {
      assert.match((refused as Error).message, /the supervisor cannot be told/);
      continue;
    }
    state = next;
    assert.ok("generation" in state && state.generation >= generation);
    generation = state.generation;
    const lastGood = random.int(0, 1) === 1;
    if (admission(state, lastGood).type === "pass") assert.ok("epoch" in state && state.epoch !== undefined);
  }
});
