/** Which changes put an end to what is under way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Supersedings } from "../../src/supervisor/supersedings.js";

test("a save ends what is under way, again and again", () => {
  const supersedings = new Supersedings();
  for (let n = 0; n < 10; n++) assert.ok(supersedings.mayEnd(["a.js"], n % 2 ? 2500 : 5000));
  for (let n = 0; n < 10; n++) assert.ok(supersedings.mayEnd([`${n}.js`], 500));
});

test("files that change soon after each start end it a few times, and then let it come to its end", () => {
  const supersedings = new Supersedings();
  const ends = Array.from({ length: 6 }, () => supersedings.mayEnd(["b.json", "a.json"], 600));
  assert.deepEqual(ends, [true, true, true, false, false, false]);
  assert.ok(supersedings.mayEnd(["c.js"], 600), "another file is a save");
});

test("the same for an app that takes long to come to where it writes", () => {
  const supersedings = new Supersedings();
  const ends = [3500, 3000, 4000, 3300, 3600].map((ageMs) => supersedings.mayEnd(["a.json"], ageMs));
  assert.deepEqual(ends, [true, true, true, false, false]);
  assert.ok(supersedings.mayEnd(["a.json"], 6500), "at another time it is a save");
});

test("what goes on for very long is ended by anything", () => {
  const supersedings = new Supersedings();
  for (let n = 0; n < 4; n++) supersedings.mayEnd(["a.json"], 600);
  assert.ok(supersedings.mayEnd(["a.json"], 11_000));
});

test("after something has come to its end, the count begins anew", () => {
  const supersedings = new Supersedings();
  for (let n = 0; n < 4; n++) supersedings.mayEnd(["a.json"], 600);
  supersedings.ended();
  assert.ok(supersedings.mayEnd(["a.json"], 600));
});
