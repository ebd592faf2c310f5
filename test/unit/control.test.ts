/** How other processes find a supervisor and ask it. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { NoSupervisorError } from "../../src/common/errors.js";
import { askSupervisor } from "../../src/control/ask-supervisor.js";
import { chooseSupervisor } from "../../src/control/choose-supervisor.js";
import type { CommandAnswer } from "../../src/control/commands.js";
import { Control } from "../../src/control/control.js";
import { cacheFolder } from "../../src/thread/environment.js";
import { TempApp } from "../support/temp-app.js";

const leak: CommandAnswer<"explain-leak">[number] = {
  file: "/app/a.js",
  generation: 2,
  count: 1,
  ageMs: 5,
  inUse: false,
  heldBy: [{ chain: [{ text: "global.kept", place: { file: "/app/b.js", line: 3 } }], count: 1 }],
};

class Asked implements AsyncDisposable {
  readonly app = new TempApp({ "app.js": "", "private/x": "" });
  readonly log: string[] = [];
  explain: () => Promise<CommandAnswer<"explain-leak">> = async () => [leak];
  readonly control = new Control({
    root: this.app.folder,
    entry: this.app.path("app.js"),
    folder: this.app.path("private"),
    commands: { "explain-leak": () => this.explain() },
    onLog: (message) => this.log.push(message),
  });

  async opened(): Promise<ReturnType<typeof chooseSupervisor>["supervisor"]> {
    this.control.open();
    await this.control.ensure();
    return chooseSupervisor(this.app.folder, undefined).supervisor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.control.close();
    await this.app[Symbol.asyncDispose]();
  }
}

test("a supervisor that is open is found and answers; one that is closed is not", async () => {
  await using asked = new Asked();
  const { app, control } = asked;
  assert.throws(() => chooseSupervisor(app.folder, undefined), NoSupervisorError);
  const supervisor = await asked.opened();
  control.open();
  assert.deepEqual([supervisor.pid, supervisor.entry], [process.pid, app.path("app.js")]);
  assert.deepEqual(await askSupervisor(supervisor, "explain-leak"), [leak]);
  assert.throws(
    () => chooseSupervisor(app.folder, process.pid + 1),
    /is no supervisor of .*; running: \d+ \(app\.js\)/,
  );
  await control.close();
  assert.throws(() => chooseSupervisor(app.folder, undefined), NoSupervisorError);
  await assert.rejects(askSupervisor(supervisor, "explain-leak"), NoSupervisorError);
  control.open();
  assert.throws(() => chooseSupervisor(app.folder, undefined), NoSupervisorError, "closed for good");
});

test("what cannot be answered is said in words, and the next question is answered", async () => {
  await using asked = new Asked();
  const supervisor = await asked.opened();
  asked.explain = async () => {
    throw new Error("no snapshot today");
  };
  await assert.rejects(askSupervisor(supervisor, "explain-leak"), /could not answer explain-leak: no snapshot today$/);
  assert.deepEqual(await sent(supervisor.address, `{"command":"fly"}\n`), { error: "unknown command fly" });
  assert.deepEqual(await sent(supervisor.address, `{"command":"toString"}\n`), { error: "unknown command toString" });
  assert.ok("error" in ((await sent(supervisor.address, "fly\n")) as object));
  assert.ok("error" in ((await sent(supervisor.address, `{"command":7}\n`)) as object));
  assert.equal(await sent(supervisor.address, "x".repeat(2000)), undefined, "nobody has so much to ask");
  asked.explain = async () => [];
  assert.deepEqual(await askSupervisor(supervisor, "explain-leak"), []);
});

test("a socket whose file was removed is opened again", { skip: process.platform === "win32" }, async () => {
  await using asked = new Asked();
  const supervisor = await asked.opened();
  rmSync(supervisor.address);
  await assert.rejects(askSupervisor(supervisor, "explain-leak"), NoSupervisorError);
  await asked.control.ensure();
  assert.deepEqual(await askSupervisor(supervisor, "explain-leak"), [leak]);
});

test("the file of one that was killed is removed, and the message names it", async () => {
  await using asked = new Asked();
  const { app } = asked;
  await asked.opened();
  const folder = cacheFolder(app.folder);
  // No process has this number: it is above the highest that any system gives.
  const killed = { pid: 2 ** 30, entry: app.path("app.js"), address: "/nowhere", startedAt: 0 };
  writeFileSync(path.join(folder, "supervisor-killed.json"), JSON.stringify(killed));
  await asked.control.close();
  assert.throws(
    () => chooseSupervisor(app.folder, undefined),
    /process 1073741824 was killed and had left its file: start one/,
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("supervisor-")),
    [],
  );
});

test("a socket that cannot be opened is told, and is no failure", async () => {
  await using asked = new Asked();
  rmSync(asked.app.path("private"), { recursive: true });
  asked.control.open();
  await asked.control.ensure();
  assert.match(asked.log.join("\n"), /will not find this process: /);
  assert.ok(!existsSync(asked.app.path("private")));
});

/** What comes back for these bytes, as JSON; undefined when the connection ends without an answer. */
function sent(address: string, bytes: string): Promise<unknown> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(address, () => socket.write(bytes));
    socket.on("data", (part) => {
      text += part;
    });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(text === "" ? undefined : JSON.parse(text)));
  });
}
