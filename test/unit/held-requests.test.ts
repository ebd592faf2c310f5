/** Which requests wait that have reached the thread. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnectionTable } from "../../src/common/protocol/connection-table.js";
import { ThreadBoard } from "../../src/common/protocol/thread-board.js";
import { HeldRequests, type HoldableConnection } from "../../workers/listener/held-requests.js";
import { SpokenPage } from "../../workers/listener/spoken-page.js";

test("a thread that main is about to end begins nothing more, not even requests of its own", async () => {
  const table = createConnectionTable();
  const board = new ThreadBoard();
  const held = new HeldRequests(
    table,
    new SpokenPage(table),
    () => true,
    undefined,
    () => board.isEnding,
  );
  const connection: HoldableConnection = {
    held: 0,
    socket: { destroy: () => undefined },
    remote: undefined,
    server: { released: false },
    moved: false,
    hold: () => undefined,
    claim: () => true,
  };
  assert.equal(held.mustHold(connection), false);
  await board.readyToEnd(0);
  assert.equal(held.mustHold(connection), true);
  board.reuse();
  assert.equal(held.mustHold(connection), false);
});
