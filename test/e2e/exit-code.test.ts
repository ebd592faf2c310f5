/** The code that an app ends with, as `worker-exit` tells it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import type { WorkerExitReport } from "../../src/reports/report.js";
import { within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { plainMode } from "../support/served-app.js";

const app = (exit: string) => `import http from "node:http";
http.createServer((req, res) => {
  if (req.url === "/exit") { ${exit} }
  res.end("hello");
}).listen(0, "127.0.0.1");
`;

const exits: Readonly<Record<string, readonly [code: string, expected: number]>> = {
  "process.exit(3)": ["process.exit(3);", 3],
  "process.exit() after process.exitCode": ["process.exitCode = 4; process.exit();", 4],
  "a listener that sets process.exitCode": [`process.on("exit", () => { process.exitCode = 7; }); process.exit(3);`, 7],
  "a listener that exits with another code": [`process.on("exit", () => process.exit(9)); process.exit(3);`, 9],
  "a listener that takes an error away": [`process.on("exit", () => { process.exitCode = 0; }); process.exit(1);`, 0],
};

describe("the code of worker-exit", { skip: plainMode }, () => {
  for (const [how, [exit, expected]] of Object.entries(exits)) {
    test(`is what the process would have ended with: ${how}`, async () => {
      await using embedded = new EmbeddedApp({ "main.js": app(exit) }, "main.js");
      const { supervisor } = embedded;
      await supervisor.start();
      const ended = once(supervisor, "worker-exit") as Promise<[WorkerExitReport]>;
      supervisor.fetch("/exit").catch(() => undefined);
      const [{ cause }] = await within(ended, "the end of the worker");
      assert.deepEqual(cause, { type: "exited", code: expected });
    });
  }
});

test("a project that was removed is not made again by what is kept in it", { skip: plainMode }, async () => {
  await using embedded = new EmbeddedApp({ "main.js": app("") }, "main.js");
  const { supervisor } = embedded;
  await supervisor.start();
  assert.equal(await (await supervisor.fetch("/")).text(), "hello");
  rmSync(embedded.app.folder, { recursive: true });
  await supervisor.reload();
  await supervisor.restart();
  await supervisor.close();
  assert.ok(!existsSync(embedded.app.folder), "the project's folder was made again");
});
