/** When the bytes of a request pass: not before every save that had returned when they were sent has been noticed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { watchFolder } from "../../src/files/watcher.js";
import { Turn } from "../../src/front/turn.js";
import { within } from "../support/deadline.js";
import { TempApp } from "../support/temp-app.js";

test("a save that comes while the loop works off what it had found ready is noticed before what was read then passes", {
  skip: process.platform !== "linux" && "events come late here, and files are looked at",
}, async () => {
  await using app = new TempApp({ "file.js": "0" });
  let noticed = 0;
  let ready = () => {};
  const established = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const watch = watchFolder(app.folder, {
    event: () => noticed++,
    established: ready,
    missing: () => assert.fail("the folder is missing"),
    failed: (error) => assert.fail(error),
  });
  const turn = new Turn();
  const server = net.createServer((socket) => socket.on("data", () => socket.write("x")));
  server.listen(0, "127.0.0.1");
  try {
    await within(Promise.all([established, once(server, "listening")]), "the watch and the server");
    const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    for (let round = 0; round < 20; round++) {
      client.write("x");
      // Here the loop is where it reads the bytes of a request.
      await within(once(client, "data"), "an answer");
      const before = noticed;
      writeFileSync(app.path("file.js"), String(round));
      await new Promise<void>((resolve) => turn.add({ afterTurn: resolve }));
      assert.ok(noticed > before, `round ${round}`);
    }
    client.destroy();
  } finally {
    watch.close();
    server.close();
  }
});

test("everything that was added passes once, in order, also what is added meanwhile", async () => {
  const turn = new Turn();
  const passed: number[] = [];
  const add = (number: number, then = () => {}) =>
    turn.add({
      afterTurn: () => {
        passed.push(number);
        then();
      },
    });
  const last = new Promise<void>((resolve) => {
    add(1, () => add(4, () => add(5, resolve)));
    add(2);
    setImmediate(() => add(3));
  });
  await within(last, "the last one");
  assert.deepEqual(passed, [1, 2, 3, 4, 5]);
});
