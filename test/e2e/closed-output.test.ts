/** Whoever reads the output goes away: the app is served all the same. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { reportLines } from "../../src/reports/report-lines.js";
import { eventually, within } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "main.js": `const http = require("node:http");
const value = require("./value");
http.createServer((req, res) => {
  for (let line = 0; line < 100; line++) {
    console.log("x".repeat(1000));
    process.stderr.write("y".repeat(1000) + "\\n");
  }
  res.end(JSON.stringify({ value, waiting: process.stdout.writableLength + process.stderr.writableLength }));
}).listen(0, "127.0.0.1");
`,
  "value.js": `module.exports = "one";\n`,
};

describe("output that nobody reads any more", { skip: plainMode }, () => {
  for (const closed of [["stdout"], ["stderr"], ["stdout", "stderr"]] as const) {
    test(`does not end the app, and nothing piles up: ${closed.join(" and ")}`, async () => {
      await using app = new TempApp(files);
      const child = spawn(process.execPath, [cliFile, "main.js"], {
        cwd: app.folder,
        env: { ...process.env, TMPDIR: app.scratch },
        stdio: ["ignore", "pipe", "pipe"],
      });
      try {
        const exit = once(child, "close");
        const lines = new OutputLines();
        lines.follow(child.stdout);
        lines.follow(child.stderr);
        const url = /http:\S+/.exec(await lines.wait(/listening on/))?.[0] ?? "";
        for (const name of closed) child[name].destroy();

        const ask = async () => JSON.parse((await requestOnce(url)).body) as { value: string; waiting: number };
        for (let count = 0; count < 5; count++) assert.equal((await ask()).value, "one");
        app.edit("value.js", "one", "two");
        assert.equal((await ask()).value, "two");
        app.write("value.js", "}{");
        assert.equal((await requestOnce(url)).status, 500);
        app.write("value.js", `module.exports = "three";\n`);
        assert.equal((await ask()).value, "three");
        // What one request prints is 200 kB; what they all do, over a megabyte.
        await eventually(ask, ({ waiting }) => waiting <= 400_000, "a thread whose output does not pile up");
        child.kill("SIGTERM");
        const [code, signal] = await within(exit, () => `the exit; output:\n${lines}`);
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, lines.toString());
        assert.deepEqual(lines.matching(/EPIPE|uncaught/i), []);
      } finally {
        child.kill("SIGKILL");
      }
    });
  }
});

test("control characters of file names and messages are shown, not sent to the terminal", () => {
  const style = { format: "pretty", level: "info", cwd: "/app", why: false, onError: "page", exit: false } as const;
  const message = "\u001b]0;title\u0007 \u009b2J\r\u0000\ttab";
  const [line] = reportLines({ event: "log", report: { level: "warn", message } }, style);
  assert.equal(line?.text, "unreloader: warning: \\x1b]0;title\\x07 \\x9b2J\\x0d\\x00\ttab");
});
