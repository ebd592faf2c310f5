/** After close() nothing of a supervisor is left in the process that embeds it. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { createSupervisor } from "../../src/index.js";
import { requestOnce } from "../support/http-client.js";
import { watchLeftovers } from "../support/leftovers.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "main.js": `const http = require("node:http");
http.createServer((req, res) => res.end(require("./value"))).listen(0, "127.0.0.1");
setInterval(() => {}, 1000);
`,
  "value.js": `module.exports = "one";\n`,
};

describe("closing an embedded supervisor", { skip: plainMode }, () => {
  test("leaves no thread, watcher, timer, port, socket or socket file", async () => {
    const leftovers = watchLeftovers();
    await using app = new TempApp(files);
    using _temporary = temporaryFolder(app.scratch);
    await using supervisor = createSupervisor({ entry: app.path("main.js"), logLevel: "silent" });
    const url = await start(supervisor);
    assert.equal((await requestOnce(url)).body, "one");
    app.edit("value.js", "one", "two");
    assert.equal((await requestOnce(url)).body, "two");
    await supervisor.restart();
    assert.equal((await requestOnce(url)).body, "two");

    await Promise.all([supervisor.close(), supervisor.close()]);
    await supervisor.close();
    await assert.rejects(requestOnce(url), { code: "ECONNREFUSED" });
    await leftovers.check();
    assert.deepEqual(readdirSync(app.scratch), []);
  });

  test("while it starts, while it reloads and after a failure", async () => {
    const leftovers = watchLeftovers();
    await using app = new TempApp(files);
    await using starting = createSupervisor({ entry: app.path("main.js"), logLevel: "silent" });
    const started = starting.start();
    await starting.close();
    await started;

    await using reloading = createSupervisor({ entry: app.path("main.js"), logLevel: "silent" });
    await start(reloading);
    app.edit("value.js", "one", "two");
    const reloaded = reloading.reload();
    await reloading.close();
    await reloaded;

    app.write("main.js", "}{");
    await using failing = createSupervisor({ entry: app.path("main.js"), port: 0, logLevel: "silent" });
    assert.equal((await failing.start()).kind, "failed");
    await failing.close();
    await leftovers.check();
  });
});

async function start(supervisor: ReturnType<typeof createSupervisor>): Promise<string> {
  const listening = new Promise<string>((resolve) => {
    supervisor.once("listening", ({ host, port }) => resolve(`http://${host}:${port}/`));
  });
  await supervisor.start();
  return listening;
}

/** Lets this process put its temporary files into a folder of the test's own. */
function temporaryFolder(folder: string): Disposable {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  return {
    [Symbol.dispose]() {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    },
  };
}
