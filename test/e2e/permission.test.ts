/** What Node's `--permission` forbids to the command line is told in one line. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { describe, test } from "node:test";
import { plainMode, runToExit } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const [major = 0] = process.versions.node.split(".").map(Number);
const permission = major < 22 ? "--experimental-permission" : "--permission";
const net = process.allowedNodeEnvironmentFlags.has("--allow-net") ? ["--allow-net"] : [];
const ours = /^unreloader: .*/;

describe("--permission", { skip: plainMode }, () => {
  test("without what the app's thread needs is one line that names it", async () => {
    await using app = new TempApp({ "main.js": `console.log("RUNS");` });
    const run = (flags: readonly string[]) =>
      runToExit(app.folder, ["--exit", "main.js"], {}, [permission, "--allow-fs-read=*", ...flags]);
    const bare = await run([]);
    const told = bare.lines.all.filter((line) => !/Warning|--trace-warnings/.test(line));
    assert.deepEqual([bare.code, told.length], [1, 1], bare.lines.toString());
    assert.match(told[0] ?? "", ours);
    assert.match(told[0] ?? "", /--allow-worker/);
    assert.ok(told[0]?.includes(`--allow-fs-write=${process.env.TMPDIR ?? tmpdir()}`), told[0]);
    assert.match(told[0] ?? "", /--no-reload/);
    const one = await run(["--allow-fs-write=*", "--allow-addons", ...net]);
    assert.deepEqual(one.lines.matching(ours), [
      "unreloader: --permission: the app runs in a thread of its own, which needs --allow-worker as well; or use --no-reload",
    ]);
    const all = await run(["--allow-fs-write=*", "--allow-addons", "--allow-worker", ...net]);
    assert.deepEqual([all.code, all.lines.matching(/^RUNS/).length], [0, 1], all.lines.toString());
  });
});
