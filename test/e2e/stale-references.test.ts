/** Purged code that somebody keeps alive is told, by name, and who keeps it can be asked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { describe, test } from "node:test";
import { createSupervisor, type StaleReferencesReport, type Supervisor } from "../../src/index.js";
import { eventually } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, runToExit, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** A package that nothing is known about, and whose list nobody can reach: a proxy is not looked behind. */
const keeper = {
  "node_modules/keeper/package.json": `{ "name": "keeper", "main": "index.js" }\n`,
  "node_modules/keeper/index.js": `const kept = new Map();
exports.keep = new Proxy((value) => kept.set("entry " + kept.size, value), {});
`,
};

const server = `import http from "node:http";
import { answer } from "./users.ts";

http.createServer((req, res) => res.end(answer())).listen(0, "127.0.0.1");
`;

const leaking = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  ...keeper,
  "main.ts": server,
  "users.ts": `import { keep } from "keeper";

interface User {
  name: string;
}

const user: User = { name: "one" };

export function answer(): string {
  return user.name;
}

keep(function handler() {});
`,
};

describe("stale references", { skip: plainMode }, () => {
  test("with strictPurge, old code that somebody keeps takes a fresh worker", async () => {
    await using app = new TempApp(leaking);
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent", strictPurge: true });
    const restarted = once(supervisor, "restarted");
    const url = await start(supervisor);

    app.edit("users.ts", `"one"`, `"two"`);
    assert.equal((await requestOnce(url)).body, "two");
    assert.equal(supervisor.inspect().epoch, 1, "nothing is known yet");
    await supervisor.checkStaleReferences();
    await supervisor.checkStaleReferences();
    const [{ reason }] = await restarted;
    assert.deepEqual(reason, { type: "stale", file: app.path("users.ts") });
    assert.equal((await requestOnce(url)).body, "two");
    assert.equal(supervisor.inspect().epoch, 2);
    assert.deepEqual(await supervisor.checkStaleReferences(), []);
  });

  test("a closure that a package keeps is told with its file, and explainLeak() names the holder", async () => {
    await using app = new TempApp(leaking);
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const told = collect(supervisor);
    const url = await start(supervisor);

    app.edit("users.ts", `"one"`, `"two"`);
    assert.equal((await requestOnce(url)).body, "two");
    // One look is not enough, but it may have looked by itself meanwhile.
    await supervisor.checkStaleReferences();
    const [reference] = await supervisor.checkStaleReferences();
    assert.deepEqual(shown(reference), { file: app.path("users.ts"), generation: 2, count: 1, inUse: false });
    assert.deepEqual(told.map(shown), [shown(reference)]);
    assert.deepEqual(supervisor.inspect().staleReferences.map(shown), [shown(reference)]);

    const [leak, ...others] = await supervisor.explainLeak();
    assert.deepEqual(others, []);
    assert.equal(leak?.file, app.path("users.ts"));
    assert.deepEqual(leak?.heldBy, [
      {
        count: 1,
        chain: [
          { text: "variable kept (Map)", place: { file: app.path("node_modules/keeper/index.js") } },
          { text: 'Map entry "entry 0"' },
          { text: "closure handler", place: { file: app.path("users.ts"), line: 13 } },
        ],
      },
    ]);
  });

  test("a leak that goes on is told again when it has doubled", async () => {
    await using app = new TempApp(leaking);
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const told = collect(supervisor);
    const url = await start(supervisor);
    for (let reload = 1; reload <= 5; reload++) {
      app.edit("users.ts", reload === 1 ? `"one"` : `"${reload - 1}"`, `"${reload}"`);
      assert.equal((await requestOnce(url)).body, String(reload));
      await supervisor.checkStaleReferences();
      await supervisor.checkStaleReferences();
    }
    assert.deepEqual(
      told.map(({ count }) => count),
      [1, 2, 4],
    );
    const [leak] = await supervisor.explainLeak();
    assert.equal(leak?.count, 5);
    assert.equal(leak?.heldBy.length, 3);
  });

  test("of an app that lets go nothing is told, whatever is reloaded", async () => {
    await using app = new TempApp({
      ...leaking,
      "users.ts": `export class User {
  static all: User[] = [];
  name = "user 0";
}

export const answer = (): string => new User().name;
`,
      "common.cjs": `module.exports = () => "common";\n`,
      "main.ts": `import http from "node:http";
import common from "./common.cjs";
import { answer } from "./users.ts";

http.createServer((req, res) => res.end(answer() + common())).listen(0, "127.0.0.1");
`,
    });
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const told = collect(supervisor);
    const url = await start(supervisor);
    for (let reload = 1; reload <= 20; reload++) {
      app.edit("users.ts", `"user ${reload - 1}"`, `"user ${reload}"`);
      app.append("common.cjs", `// ${reload}\n`);
      if (reload % 5 === 0) app.append("main.ts", `// ${reload}\n`);
      assert.equal((await requestOnce(url)).body, `user ${reload}common`);
    }
    await supervisor.checkStaleReferences();
    assert.deepEqual(await supervisor.checkStaleReferences(), []);
    assert.deepEqual(told, []);
    assert.deepEqual(await supervisor.explainLeak(), []);
  });

  test("what a class's instances keep is told by the class's name, and the instance is named", async () => {
    await using app = new TempApp({
      ...leaking,
      "users.ts": `import { keep } from "keeper";

class User {
  name = "one";
}

keep(new User());
export const answer = () => new User().name;
`,
    });
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const url = await start(supervisor);
    app.edit("users.ts", `"one"`, `"two"`);
    assert.equal((await requestOnce(url)).body, "two");
    const leaks = await supervisor.explainLeak();
    assert.deepEqual(leaks.map((leak) => leak.class).sort(), ["User", undefined]);
    const chain = leaks.find((leak) => leak.class === "User")?.heldBy[0]?.chain.map(({ text }) => text);
    assert.deepEqual(chain, ["variable kept (Map)", 'Map entry "entry 0" (User)', "closure User"]);
  });

  test("a request in flight holds old code rightly: it is left alone, and what else holds is told afterwards", async () => {
    await using app = new TempApp({
      ...leaking,
      "main.ts": `import http from "node:http";
import { answer } from "./users.ts";

http.createServer((req, res) => {
  if (req.url === "/stream") {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("data: open\\n\\n");
  } else res.end(answer());
}).listen(0, "127.0.0.1");
`,
    });
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const told = collect(supervisor);
    const url = await start(supervisor);
    const stream = await fetch(`${url}stream`);
    app.edit("users.ts", `"one"`, `"two"`);
    assert.equal((await requestOnce(url)).body, "two");
    for (let look = 0; look < 4; look++) assert.deepEqual(await supervisor.checkStaleReferences(), []);
    assert.equal((await supervisor.explainLeak())[0]?.inUse, true);
    await stream.body?.cancel();
    const found = await eventually(
      () => supervisor.checkStaleReferences(),
      (references) => references.length > 0,
      "the stale reference",
    );
    // It may have looked by itself meanwhile.
    assert.deepEqual(told.map(shown), found.map(shown));
    assert.equal(found[0]?.inUse, false);
  });

  test("unreloader explain-leak finds the supervisor of the project and prints the holder", async () => {
    await using app = new TempApp({ ...leaking, "sub/folder/file.txt": "" });
    const asked = (folder: string, ...args: string[]) => runToExit(folder, ["explain-leak", ...args]);
    const none = await asked(app.folder);
    assert.equal(none.code, 4);
    assert.match(none.lines.all.join(), /^unreloader: no supervisor is running for \S+app: start one, or name another/);
    {
      await using served = await serve(app, "main.ts");
      assert.equal(await served.text("/"), "one");
      const nothing = await asked(app.folder);
      assert.deepEqual([nothing.code, ...nothing.lines.all], [0, NOTHING]);
      app.edit("users.ts", `"one"`, `"two"`);
      assert.equal(await served.text("/"), "two");
      const leak = await asked(app.path("sub/folder"));
      assert.deepEqual(
        [leak.code, ...leak.lines.all],
        [
          0,
          `module ../../users.ts: 1 old version, purged in generation 2, held by`,
          `  variable kept (Map) (../../node_modules/keeper/index.js) -> Map entry "entry 0" -> closure handler (../../users.ts:13)`,
        ],
      );
      const json = await asked(app.scratch, "--root", app.folder, "--log-format", "json");
      assert.equal(JSON.parse(json.lines.all.join()).heldBy[0].count, 1);
      const other = await asked(app.folder, "--pid", "1");
      assert.equal(other.code, 4);
      assert.match(other.lines.all.join(), /--pid 1 is no supervisor of this user; running in \S+: \d+ \(main\.ts\)/);
      const [file = ""] = announcements(app);
      assert.equal(statSync(app.path(CACHE, file)).mode & 0o077, 0, "readable by others");
    }
    assert.deepEqual(announcements(app), []);
  });

  test("a supervisor that was killed is said to be gone; of several the newest is asked", async () => {
    await using app = new TempApp(leaking);
    const killed = await serve(app, "main.ts");
    const { pid } = killed;
    await killed.stop("SIGKILL");
    const gone = await runToExit(app.folder, ["explain-leak"]);
    assert.equal(gone.code, 4);
    assert.ok(gone.lines.all.join().includes(`process ${pid} was killed and had left its file`), gone.lines.all.join());
    assert.deepEqual(announcements(app), []);
    // The folder for temporary files of the other one is looked at when that one has ended.
    app.write("elsewhere/.keep", "");
    await using _first = await serve(app, "main.ts", {
      flags: ["--no-launcher"],
      env: { TMPDIR: app.path("elsewhere") },
    });
    await using second = await serve(app, "main.ts");
    const asked = await runToExit(app.folder, ["explain-leak"]);
    assert.ok(asked.lines.all[0]?.startsWith(`unreloader: asking the newest of 2 supervisors, ${second.pid}: `));
    assert.equal(asked.lines.all[1], NOTHING);
    // It looks twice before it takes a folder for a leftover.
    await eventually(
      async () => readdirSync(app.scratch).filter((name) => name.startsWith(`unreloader-${pid}-`)),
      (left) => left.length === 0,
      "the killed one's folder to be removed",
    );
  });
});

const CACHE = "node_modules/.cache/unreloader";
const NOTHING = "unreloader: nothing is stale: all that was purged has been collected";

function announcements(app: TempApp): string[] {
  return readdirSync(app.path(CACHE)).filter((name) => name.startsWith("supervisor-"));
}

function collect(supervisor: Supervisor): StaleReferencesReport[] {
  const told: StaleReferencesReport[] = [];
  supervisor.on("stale-references", (report) => told.push(report));
  return told;
}

/** Without the age, which is a matter of luck. */
function shown(report: StaleReferencesReport | undefined) {
  if (!report) return undefined;
  const { ageMs, ...rest } = report;
  assert.ok(ageMs >= 0);
  return rest;
}

async function start(supervisor: Supervisor): Promise<string> {
  const listening = new Promise<string>((resolve) => {
    supervisor.once("listening", ({ port }) => resolve(`http://127.0.0.1:${port}/`));
  });
  await supervisor.start();
  return listening;
}
