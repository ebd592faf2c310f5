/** What a launcher decides before it starts a process, and which of two signals is a copy. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { describe, test } from "node:test";
import { inheritedDescriptors } from "../../src/launcher/inherited-descriptors.js";
import { launchFlags } from "../../src/launcher/launch-flags.js";
import { relayedSignals } from "../../src/launcher/relayed-signals.js";
import { SignalCopies } from "../../src/launcher/signal-copies.js";
import { nodeFlags, quoteNodeOptions } from "../../src/thread/node-flags.js";
import { randomSource } from "../support/random.js";
import { TempApp } from "../support/temp-app.js";

describe("flags of the launched process", () => {
  test("are those of the launcher, without what is loaded before the app", () => {
    const flags = launchFlags(
      ["--max-old-space-size=300", "-r", "./a b.cjs", "--import=./c.mjs", "--conditions", "x"],
      `--require "./d e.cjs" --stack-trace-limit=20 --title="a \\"b\\""`,
    );
    assert.deepEqual(flags, {
      node: ["--max-old-space-size=300", "--conditions", "x"],
      nodeOptions: `--stack-trace-limit=20 "--title=a \\"b\\""`,
    });
  });

  test("have no file of variables that is missing, of which Node has said so", () => {
    const flags = (name: string) => [`--env-file-if-exists=${name}`, "--env-file-if-exists", name, "--no-warnings"];
    assert.deepEqual(launchFlags(flags("missing.env"), undefined)?.node, ["--no-warnings"]);
    assert.deepEqual(launchFlags(flags(process.execPath), undefined)?.node, flags(process.execPath));
  });

  test("are none when there were none, and nothing stays of NODE_OPTIONS that only loads", () => {
    assert.deepEqual(launchFlags([], undefined), { node: [], nodeOptions: undefined });
    assert.deepEqual(launchFlags([], "--require ./a.cjs"), { node: [], nodeOptions: "" });
  });

  test("have an empty NODE_OPTIONS where there was one, before which a file of variables does not come", () => {
    const flags = ["--env-file", process.execPath];
    assert.deepEqual(launchFlags(flags, ""), { node: flags, nodeOptions: "" });
    assert.deepEqual(launchFlags(flags, undefined), { node: flags, nodeOptions: undefined });
  });

  for (const flag of [
    "--inspect",
    "--inspect-brk=0",
    "--cpu-prof",
    "--heap-prof",
    "--heapsnapshot-signal=SIGUSR2",
    "--prof",
  ])
    test(`${flag} is for one process`, () => {
      assert.equal(launchFlags([flag], undefined), undefined);
      assert.equal(launchFlags(["--no-warnings"], flag), undefined);
    });

  test("words of NODE_OPTIONS are quoted as Node reads them", () => {
    const random = randomSource("words of NODE_OPTIONS");
    const characters = [..."ab= \"\\'-"];
    for (let round = 0; round < 300; round++) {
      const words = Array.from({ length: 1 + random.below(4) }, () =>
        Array.from({ length: 1 + random.below(6) }, () => random.pick(characters)).join(""),
      ).map((word) => `--${word}`);
      assert.deepEqual(nodeFlags([], quoteNodeOptions(words)).others, words);
    }
  });
});

describe("copies of signals", () => {
  test("one that comes directly and through the launcher is one, whichever is first", () => {
    for (const [first, second] of [
      ["direct", "relayed"],
      ["relayed", "direct"],
    ] as const) {
      const copies = new SignalCopies();
      assert.equal(copies.isCopy("SIGINT", first, 0), false);
      assert.equal(copies.isCopy("SIGINT", second, 5), true);
      // Ctrl-C once more.
      assert.equal(copies.isCopy("SIGINT", first, 300), false);
      assert.equal(copies.isCopy("SIGINT", second, 305), true);
    }
  });

  test("two that come the same way are two, and so are two signals, and what comes late", () => {
    const copies = new SignalCopies();
    assert.equal(copies.isCopy("SIGTERM", "relayed", 0), false);
    assert.equal(copies.isCopy("SIGTERM", "relayed", 1), false);
    assert.equal(copies.isCopy("SIGINT", "direct", 2), false);
    assert.equal(copies.isCopy("SIGTERM", "direct", 2000), false);
  });
});

test("signals that are passed on have a number each, and none is one that Node needs", () => {
  const signals = relayedSignals();
  assert.equal(new Set(signals.map((name) => os.constants.signals[name])).size, signals.length);
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM"] as const)
    assert.ok(process.platform === "win32" || signals.includes(name), name);
  for (const name of ["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGPROF", "SIGSEGV", "SIGABRT", "SIGTSTP", "SIGWINCH"] as const)
    assert.ok(!signals.includes(name), name);
});

describe("descriptors that a process was started with", () => {
  test("are those that are not Node's own, as far as a child can be given them", async () => {
    await using proc = new TempApp({
      limits: "Max cpu time   unlimited\nMax open files            20      4096      files\n",
    });
    fs.mkdirSync(proc.path("fd"));
    const targets = { 0: "/dev/pts/0", 3: "anon_inode:[eventpoll]", 4: "pipe:[1]", 5: "pipe:[1]", 6: "/dev/urandom" };
    for (const [descriptor, target] of Object.entries({ ...targets, 7: "socket:[9]", 8: "pipe:[2]", 40: "/tmp/x" }))
      fs.symlinkSync(target, proc.path("fd", descriptor));
    assert.deepEqual(inheritedDescriptors(proc.folder).sort(), [7, 8]);
    proc.remove("limits");
    assert.deepEqual(inheritedDescriptors(proc.folder).sort(), [40, 7, 8]);
  });

  test("are none where the system does not tell", () => {
    assert.deepEqual(inheritedDescriptors("/nowhere"), []);
  });
});
