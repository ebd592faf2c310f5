/** Threads that have ended are gone, and no other one has come in their place. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { createSupervisor } from "../../src/index.js";
import { SpareThread } from "../../src/thread/spare-thread.js";
import { eventually, within } from "../support/deadline.js";
import { RawConnection } from "../support/raw-http.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

test("a thread that is ended twice, by who has given it a task and by who waits for that, leaves none", async () => {
  const spare = new SpareThread();
  const [worker] = spare.pool.threads;
  assert.ok(worker);
  const exit = once(worker, "exit");
  await Promise.all([spare.destroy(), spare.destroy()]);
  await exit;
  await new Promise(setImmediate);
  assert.equal(spare.pool.threads.length, 0);
});

/** Each thread has one event loop, and each loop one descriptor of its own. */
function loops(): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === "anon_inode:[eventpoll]";
    } catch (error) {
      // The one that was opened to read the folder.
      assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
      return false;
    }
  }).length;
}

test("restarts and crashes leave as many threads as there were before", {
  skip: plainMode || process.platform !== "linux",
}, async () => {
  const before = loops();
  await using app = new TempApp({
    "main.js": `require("node:http").createServer((req, res) => {
  if (req.url === "/exit") process.exit(3);
  if (req.url === "/crash") setImmediate(() => { throw new Error("crash"); });
  else res.end("fine");
}).listen(0, "127.0.0.1");
`,
  });
  const supervisor = createSupervisor({ entry: app.path("main.js"), logLevel: "silent", standby: false });
  await supervisor.listen();
  const served = loops();
  for (let turn = 0; turn < 3; turn++) {
    await supervisor.restart();
    assert.equal((await supervisor.fetch("/exit")).status, 502);
    assert.equal(await (await supervisor.fetch("/")).text(), "fine");
    assert.equal((await supervisor.fetch("/crash")).status, 502);
    assert.equal(await (await supervisor.fetch("/")).text(), "fine");
  }
  const fits = (now: number): boolean => now <= served;
  await eventually(async () => loops(), fits, `${served} event loops again`);
  await supervisor.close();
  await eventually(
    async () => loops(),
    (now) => now <= before,
    `${before} event loops, as before it was made`,
  );
});

test("a thread that has crashed and loops in the next request is ended, and both are answered", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `let isCrashing = false;
require("node:http").createServer((req, res) => {
  if (req.url === "/reject") {
    isCrashing = true;
    Promise.reject(new Error("rejected"));
    return;
  }
  // Node has begun to end the thread, and goes on with what has come meanwhile.
  while (isCrashing);
  res.end("fine");
}).listen(process.env.PORT, "127.0.0.1");
`,
  });
  await using served = await serve(app, "main.js", { flags: ["--watchdog", "off"] });
  for (let turn = 0; turn < 8; turn++) {
    const connections = ["/reject", "/", "/"].map((path) => ({ path, connection: new RawConnection(served.port) }));
    // All are open at the worker before the first is asked on.
    for (let round = 0; round < 3; round++) assert.equal(await served.text("/"), "fine");
    const asked = connections.map(({ path, connection }) => connection.ask({ path }));
    const outcomes = await within(Promise.all(asked), "answers");
    for (const outcome of outcomes) {
      assert.equal(outcome.type, "answer");
      assert.ok(outcome.type === "answer" && [200, 502].includes(outcome.status));
    }
    for (const { connection } of connections) connection.destroy();
  }
});
