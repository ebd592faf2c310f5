import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldClients } from "../../src/front/held-clients.js";
import type { OwnPage } from "../../src/pages/own-page.js";
import { within } from "../support/deadline.js";

test("who is held again before the app has answered goes on waiting, and does not begin to", async (t) => {
  let now = 1000;
  t.mock.method(performance, "now", () => now);
  const held = new HeldClients({ deadlineMs: 100, bytes: 1000, waitingFor: () => undefined });
  let refuse = (_: OwnPage) => {};
  const refused = new Promise<OwnPage>((resolve) => {
    refuse = resolve;
  });
  const client = { refuseHeld: (page: OwnPage) => refuse(page) };
  const other = { refuseHeld: () => assert.fail("it has just come") };
  held.add(client);
  held.remove(client);
  now += 99;
  assert.ok(held.mayTry(client));
  held.add(other);
  held.add(client);
  now += 1;
  assert.ok(!held.mayTry(client));
  assert.ok(held.mayTry(other));
  assert.equal((await within(refused, "the refusal")).status, 503);
  assert.deepEqual([held.has(client), held.has(other)], [false, true]);
  held.answered(client);
  assert.ok(held.mayTry(client));
  held.close();
});
