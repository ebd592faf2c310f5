import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnectionTable, RELEASED, SLOT_WORDS, slotBase } from "../../src/common/protocol/connection-table.js";
import type { ListenTarget } from "../../src/common/protocol/messages.js";
import { formatPreface, PREFACE_BYTES, parsePreface } from "../../src/common/protocol/preface.js";
import { sameTarget } from "../../src/front/port-opening.js";
import { SlotLeases } from "../../src/front/slot-leases.js";
import { randomSource } from "../support/random.js";

test("a slot is never leased while either end still has it, and none is lost", () => {
  const random = randomSource("slot leases");
  for (let round = 0; round < 200; round++) {
    const slots = random.int(1, 6);
    const table = createConnectionTable(slots);
    const leases = new SlotLeases(table);
    /** Slots that an end has not let go of, with the epoch of the worker's end. */
    const main = new Set<number>();
    const worker = new Map<number, number>();
    let epoch = 1;
    for (let step = 0; step < 60; step++) {
      const action = random.below(4);
      if (action === 0) {
        const slot = leases.acquire(epoch);
        if (slot === undefined) {
          assert.equal(new Set([...main, ...worker.keys()]).size, slots, "all slots are in use");
          continue;
        }
        assert.ok(!main.has(slot) && !worker.has(slot), `slot ${slot} is still in use`);
        assert.ok(table.subarray(slotBase(slot), slotBase(slot) + SLOT_WORDS).every((word) => word === 0));
        main.add(slot);
        worker.set(slot, epoch);
      } else if (action === 1 && main.size > 0) {
        const slot = random.pick([...main]);
        main.delete(slot);
        leases.giveBack(slot);
      } else if (action === 2 && worker.size > 0) {
        const slot = random.pick([...worker.keys()]);
        worker.delete(slot);
        table[slotBase(slot) + RELEASED] = 1;
      } else if (action === 3 && random.chance(0.2)) {
        for (const [slot, leased] of worker) if (leased === epoch) worker.delete(slot);
        leases.epochEnded(epoch++);
      }
    }
    for (const slot of main) leases.giveBack(slot);
    leases.epochEnded(epoch);
    for (let free = 0; free < slots; free++) assert.notEqual(leases.acquire(epoch), undefined);
    assert.equal(leases.acquire(epoch), undefined);
    leases.close();
  }
});

test("a preface says on the other end what was put in", () => {
  const random = randomSource("prefaces");
  const addresses = ["", "127.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1234:5678:9abc:def0%enp0s31f6"];
  for (let round = 0; round < 500; round++) {
    const [remote, local] = [random.pick(addresses) || undefined, random.pick(addresses) || undefined];
    const [slot, from, to] = [random.below(16384), random.int(1, 65535), random.int(1, 65535)];
    const line = formatPreface(slot, remote, from, local, to);
    assert.ok(line.endsWith("\n") && Buffer.byteLength(line) === PREFACE_BYTES);
    assert.deepEqual(parsePreface(line), {
      slot,
      remote: remote === undefined ? undefined : { address: remote, port: from },
      local: local === undefined ? undefined : { address: local, port: to },
    });
  }
  for (const line of ["", "GET / HTTP/1.1", "1 2 3 4", "x 127.0.0.1 1 127.0.0.1 2", "1 a 1 b 2 c"])
    assert.equal(parsePreface(line), undefined);
});

test("a port is adopted by a server that asks for the same port, host and family, or the same path", () => {
  const port = (number: number, host?: string, ipv6Only?: boolean): ListenTarget => ({
    type: "port",
    port: number,
    ...(host !== undefined && { host }),
    ...(ipv6Only !== undefined && { ipv6Only }),
  });
  assert.ok(sameTarget(port(3000), { type: "port", port: 3000, backlog: 5 }));
  assert.ok(sameTarget(port(0), port(0)));
  assert.ok(sameTarget(port(1, "::1", false), port(1, "::1")));
  assert.ok(sameTarget({ type: "path", path: "/a" }, { type: "path", path: "/a" }));
  assert.ok(!sameTarget(port(3000), port(3001)));
  assert.ok(!sameTarget(port(3000), port(3000, "127.0.0.1")));
  assert.ok(!sameTarget(port(3000, "::"), port(3000, "::", true)));
  assert.ok(!sameTarget({ type: "path", path: "/a" }, { type: "path", path: "/b" }));
  assert.ok(!sameTarget({ type: "path", path: "/a" }, port(3000)));
});
