/** What Node asks the handle of an app's server for. */
import assert from "node:assert/strict";
import { chmodSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import { constants } from "node:os";
import { test } from "node:test";
import { VirtualHandle } from "../../workers/listener/virtual-handle.js";
import { TempApp } from "../support/temp-app.js";

/** Of libuv: for UV_READABLE and UV_WRITABLE together. */
const ALL = 3;

test("listen({ readableAll }) on a socket that somebody has removed is refused, and changes nothing", async () => {
  await using app = new TempApp({ "app.sock": "" });
  const shown = app.path("app.sock");
  chmodSync(shown, 0o755);
  const inner = net.createServer();
  await new Promise<void>((resolve) => inner.listen(app.path("inner.sock"), resolve));
  try {
    const handle = new VirtualHandle(inner, shown, () => undefined);
    assert.equal(handle.fchmod(ALL), 0);
    assert.notEqual(statSync(shown).mode & 0o777, 0o755);
    chmodSync(shown, 0o755);
    rmSync(app.path("inner.sock"));
    assert.equal(handle.fchmod(ALL), -constants.errno.ENOENT);
    assert.equal(statSync(shown).mode & 0o777, 0o755);
  } finally {
    inner.close();
  }
});
