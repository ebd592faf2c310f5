/** How other processes find a supervisor and ask it. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { NoSupervisorError } from "../../src/common/errors.js";
import { lookUntil } from "../../src/common/wait.js";
import { askSupervisor } from "../../src/control/ask-supervisor.js";
import { type Chosen, chooseSupervisor } from "../../src/control/choose-supervisor.js";
import { CommandError, type Commands } from "../../src/control/commands.js";
import { Control } from "../../src/control/control.js";
import { announceSupervisor } from "../../src/control/running-supervisors.js";
import { findAndAsk } from "../../src/terminal/commands/find-and-ask.js";
import { cacheFolder } from "../../src/thread/environment.js";
import { within } from "../support/deadline.js";
import { TempApp } from "../support/temp-app.js";

const leak = {
  file: "/app/a.js",
  generation: 2,
  count: 1,
  ageMs: 5,
  inUse: false,
  heldBy: [{ chain: [{ text: "global.kept", place: { file: "/app/b.js", line: 3 } }], count: 1 }],
};

const explainLeak = { command: "explain-leak" };

class Asked implements AsyncDisposable {
  readonly app = new TempApp({ "app.js": "", "private/x": "" });
  readonly log: string[] = [];
  explain: () => Promise<unknown> = async () => [leak];
  readonly asked: unknown[] = [];
  /** Aborts when nobody waits for the answer to `wait`. */
  left: AbortSignal | undefined;
  readonly control = new Control({
    root: this.app.folder,
    entry: this.app.path("app.js"),
    launcher: undefined,
    folder: this.app.path("private"),
    commands: () => this.#commands(),
    onLog: (message) => this.log.push(message),
  });

  #commands(): Commands {
    const some: Partial<Commands> = {
      "explain-leak": async () => ({ answer: await this.explain() }),
      hold: async (given) => {
        this.asked.push(given);
        throw new CommandError("not now", 4);
      },
      request: async (given) => ({ answer: given, exitCode: 3 }),
      wait: (_, signal) => {
        this.left = signal;
        return new Promise(() => undefined);
      },
    };
    return some as Commands;
  }

  async opened(): Promise<Chosen["supervisor"]> {
    this.control.open();
    await this.control.ensure();
    return (await chooseSupervisor(this.app.folder, undefined)).supervisor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.control.close();
    await this.app[Symbol.asyncDispose]();
  }
}

test("a supervisor that is open is found and answers; one that is closed is not", async () => {
  await using asked = new Asked();
  const { app, control } = asked;
  await assert.rejects(chooseSupervisor(app.folder, undefined), NoSupervisorError);
  const supervisor = await asked.opened();
  control.open();
  assert.equal(supervisor.pid, process.pid);
  assert.deepEqual(await askSupervisor(supervisor, explainLeak), { answer: [leak], exitCode: 0 });
  await assert.rejects(
    chooseSupervisor(app.folder, process.pid + 1),
    /is no supervisor of this user; running in .*: \d+ \(app\.js\)/,
  );
  await control.close();
  await assert.rejects(chooseSupervisor(app.folder, undefined), NoSupervisorError);
  await assert.rejects(askSupervisor(supervisor, explainLeak), NoSupervisorError);
  control.open();
  await assert.rejects(chooseSupervisor(app.folder, undefined), NoSupervisorError, "closed for good");
});

test("what cannot be answered is said in words, and the next question is answered", async () => {
  await using asked = new Asked();
  const supervisor = await asked.opened();
  asked.explain = async () => {
    throw new Error("no snapshot today");
  };
  assert.deepEqual(await askSupervisor(supervisor, explainLeak), { error: "no snapshot today", exitCode: 1 });
  const wrong = async (question: string) => {
    const { error, exitCode } = (await sent(supervisor.address, `${question}\n`)) as {
      error: string;
      exitCode: number;
    };
    assert.equal(exitCode, 1);
    return error;
  };
  assert.equal(await wrong(`{"command":"explain-leek"}`), "unknown command explain-leek: did you mean explain-leak?");
  assert.match(await wrong(`{"command":"toString"}`), /^unknown command toString: it can be status, wait, /);
  assert.match(await wrong(`{"command":7}`), /^unknown command 7: /);
  assert.match(await wrong("fly"), /^a question is a line of JSON such as \{"command":"status"\}, got fly$/);
  assert.match(await wrong("[]"), /got "\[\]"$/);
  assert.equal(
    await wrong(`{"command":"hold","forMs":"soon"}`),
    "hold: forMs soon: expected milliseconds from 0 to 2147483647, such as 30000",
  );
  assert.match(await wrong(`{"command":"hold","for":5}`), /^hold: unknown argument for \(5\); it takes forMs$/);
  assert.match(await wrong(`{"command":"explain-leak","x":1}`), /unknown argument x \(1\); it takes no arguments$/);
  assert.match(await wrong(`{"command":"why"}`), /^why: file undefined: expected the absolute path of a file$/);
  const held = await askSupervisor(supervisor, { command: "hold", forMs: 5 });
  assert.deepEqual([held, asked.asked], [{ error: "not now", exitCode: 4 }, [{ forMs: 5 }]]);
  const long = "é".repeat(1_000_000);
  const request = await askSupervisor(supervisor, { command: "request", method: "PUT", url: "/", body: long });
  assert.deepEqual(request, { answer: { method: "PUT", url: "/", body: long }, exitCode: 3 });
  asked.explain = async () => [];
  assert.deepEqual(await askSupervisor(supervisor, explainLeak), { answer: [], exitCode: 0 });
});

test("what nobody waits for any more is given up", async () => {
  await using asked = new Asked();
  const supervisor = await asked.opened();
  const gone = new AbortController();
  const waiting = askSupervisor(supervisor, { command: "wait" }, gone.signal);
  await lookUntil(() => asked.left !== undefined, 1, performance.now() + 5000);
  gone.abort();
  await assert.rejects(waiting, NoSupervisorError);
  await lookUntil(() => asked.left?.aborted === true, 1, performance.now() + 5000);
  assert.equal(asked.left?.aborted, true);
});

test("a socket whose file was removed is opened again", { skip: process.platform === "win32" }, async () => {
  await using asked = new Asked();
  const supervisor = await asked.opened();
  rmSync(supervisor.address);
  await assert.rejects(askSupervisor(supervisor, explainLeak), NoSupervisorError);
  await asked.control.ensure();
  assert.deepEqual(await askSupervisor(supervisor, explainLeak), { answer: [leak], exitCode: 0 });
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
  await assert.rejects(
    chooseSupervisor(app.folder, undefined),
    /process 1073741824 was killed and had left its file: start one/,
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("supervisor-")),
    [],
  );
});

test("the number of one that was killed may be another process's: the next one is asked, and nobody waits for it", async () => {
  await using asked = new Asked();
  const { app } = asked;
  await asked.opened();
  const dead = {
    pid: process.pid,
    entry: app.path("app.js"),
    address: app.path("nowhere"),
    startedAt: Date.now() + 1e6,
  };
  const forget = announceSupervisor(cacheFolder(app.folder), "dead", dead);
  const meant = { root: app.folder, pid: undefined, comesInMs: 100, remark: () => undefined };
  assert.deepEqual(await findAndAsk(meant, explainLeak), { answer: [leak], exitCode: 0 });
  await asked.control.close();
  await assert.rejects(
    within(findAndAsk(meant, explainLeak), "the end"),
    /^NoSupervisorError: no supervisor is running/,
  );
  forget();
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
