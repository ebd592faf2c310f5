/** A server of the app that a purge has closed, and that may listen again. */
import assert from "node:assert/strict";
import { Server } from "node:net";
import { test } from "node:test";
import { restoreClose, stubClose } from "../../workers/listener/released-servers.js";

test("to close a released server once more does nothing, and what the app has put there itself stays", async () => {
  const server = new Server();
  stubClose(server);
  const error = await new Promise<Error | undefined>((resolve) => server.close(resolve));
  assert.equal(error, undefined);
  restoreClose(server);
  assert.equal(server.close, Server.prototype.close);

  const own = (): Server => server;
  server.close = own;
  stubClose(server);
  restoreClose(server);
  assert.equal(server.close, own);
  assert.deepEqual(
    Object.getOwnPropertySymbols(server).filter(({ description }) => description === "stub of close"),
    [],
  );
});
