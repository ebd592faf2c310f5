/**
 * UNRELOADER_TEST_RELOADS: reloads of modules whose text has not changed, some of them rolled back. Every framework app
 * answers as without them, with the state of the modules that were kept.
 */
import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { createSupervisor, type ReloadReport, type Supervisor } from "../../src/index.js";
import { express4Apps } from "../support/express4-apps.js";
import { type FrameworkApp, frameworkApps, type Items } from "../support/framework-apps.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";
import { runSeed } from "../support/random.js";
import { talk } from "../support/socket-talk.js";
import { TempApp } from "../support/temp-app.js";

const VARIABLE = "UNRELOADER_TEST_RELOADS";

/** A supervisor that was created with the variable at this value. */
function createWith(value: string, app: TempApp, entry: string): Supervisor {
  process.env[VARIABLE] = value;
  process.env.PORT = "0";
  try {
    return createSupervisor({ entry: app.path(entry), root: app.folder, logLevel: "silent" });
  } finally {
    delete process.env[VARIABLE];
  }
}

/** What has been evaluated again since the last look, and what else was told. */
class Told {
  readonly loaded: string[] = [];
  readonly restarts: string[] = [];
  readonly lines: string[] = [];
  reloads = 0;
  rollbacks = 0;

  constructor(supervisor: Supervisor) {
    supervisor.on("reload", (report: ReloadReport) => {
      this.reloads++;
      if (report.kind === "restarted") this.restarts.push(JSON.stringify(report));
      for (const file of report.loaded) this.loaded.push(path.basename(file));
    });
    supervisor.on("restarted", (report) => this.restarts.push(JSON.stringify(report.reason)));
    supervisor.on("stale-references", (report) => this.lines.push(JSON.stringify(report)));
    supervisor.on("failed", (report) => this.restarts.push(JSON.stringify(report)));
    supervisor.on("log", ({ level, message }) => {
      if (level !== "debug") this.lines.push(message);
      const [, again = ""] = /^rolled back a reload of [^;]*(?:; evaluated again: (.*))?$/.exec(message) ?? [];
      if (message.startsWith("rolled back")) this.rollbacks++;
      for (const file of again.split(", ")) this.loaded.push(path.basename(file));
    });
  }
}

const REQUESTS = 30;
/** An app with sockets gets a message behind every so many requests; what opens the socket is a request, too. */
const TALK_EVERY = 5;

function requestsOf({ sockets }: FrameworkApp): number {
  return sockets === undefined ? REQUESTS : REQUESTS + REQUESTS / TALK_EVERY;
}

async function answersAsWithout(framework: FrameworkApp, value: string): Promise<Told> {
  await using app = new TempApp(framework.files, { packages: framework.packages });
  await using supervisor = createWith(value, app, framework.entry);
  const told = new Told(supervisor);
  const address = await supervisor.listen(0, "127.0.0.1");
  assert.ok(typeof address === "object");
  const origin = `http://127.0.0.1:${address.port}`;
  const kept = new KeptConnection(origin);
  const counter = Object.keys(framework.files).find((file) => file.includes("counter")) as string;
  let count = 0;
  try {
    for (let request = 1; request <= REQUESTS; request++) {
      const answer = await (request % 3 === 0 ? requestOnce(`${origin}/items`) : kept.request("/items"));
      const said = `request ${request} of ${value}: ${answer.body}\n${told.lines.join("\n")}`;
      assert.equal(answer.status, 200, said);
      if (told.loaded.includes(path.basename(counter))) count = 0;
      count++;
      const { leaf, middle, extra, count: counted, pid } = JSON.parse(answer.body) as Items;
      assert.deepEqual(
        { leaf, middle, extra, counted, pid, entry: answer.headers["x-entry"] },
        { leaf: "leaf-1", middle: "middle-1", extra: null, counted: count, pid: process.pid, entry: "entry-1" },
        said,
      );
      told.loaded.length = 0;
      if (framework.sockets !== undefined && request % TALK_EVERY === 0)
        assert.equal(await talk(origin, framework.sockets), "entry-1", said);
    }
    assert.equal(kept.opened, 1, "the kept connection survived");
    assert.deepEqual(told.restarts, []);
  } finally {
    kept.close();
  }
  return told;
}

const only = process.env.UNRELOADER_FRAMEWORK ?? "";

for (const [at, framework] of [...frameworkApps, ...express4Apps].entries()) {
  if (!framework.name.includes(only)) continue;
  // Each with both, and with one of them alone.
  describe(framework.name, () => {
    const alone = at % 2 === 0 ? "identity" : "rollback";
    if (only !== "" || alone === "identity")
      test("answers the same while its modules are evaluated again", async (t) => {
        const value = `identity:2,seed:${runSeed() % 1e9}`;
        t.diagnostic(`${VARIABLE}=${value}`);
        const told = await answersAsWithout(framework, value);
        assert.equal(told.reloads, requestsOf(framework) / 2);
      });

    if (only !== "" || alone === "rollback")
      test("answers the same while reloads of its modules are rolled back", async (t) => {
        const value = `rollback:2,seed:${runSeed() % 1e9}`;
        t.diagnostic(`${VARIABLE}=${value}`);
        const told = await answersAsWithout(framework, value);
        assert.equal(told.rollbacks, requestsOf(framework) / 2);
        assert.equal(told.reloads, 0);
      });

    test("answers the same with both", async (t) => {
      const value = `identity:2,rollback:3,seed:${runSeed() % 1e9}`;
      t.diagnostic(`${VARIABLE}=${value}`);
      const told = await answersAsWithout(framework, value);
      assert.equal(told.rollbacks, requestsOf(framework) / 3);
      assert.ok(told.reloads > 0);
    });
  });
}
