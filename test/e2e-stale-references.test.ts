/** Purged code that somebody keeps alive is told, by name, and who keeps it can be asked. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSupervisor, type StaleReferencesReport, type Supervisor } from "../src/index.js";
import { requestOnce } from "./support/http-client.js";
import { plainMode } from "./support/served-app.js";
import { TempApp } from "./support/temp-app.js";

/** A package that nothing is known about, and whose list nobody can reach. */
const keeper = {
  "node_modules/keeper/package.json": `{ "name": "keeper", "main": "index.js" }\n`,
  "node_modules/keeper/index.js": `const kept = new Map();
exports.keep = (value) => kept.set("entry " + kept.size, value);
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
  test("a closure that a package keeps is told with its file, and explainLeak() names the holder", async () => {
    await using app = new TempApp(leaking);
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const told = collect(supervisor);
    const url = await start(supervisor);

    app.edit("users.ts", `"one"`, `"two"`);
    assert.equal((await requestOnce(url)).body, "two");
    assert.deepEqual(await supervisor.checkStaleReferences(), [], "one look is not enough");
    const [reference] = await supervisor.checkStaleReferences();
    assert.deepEqual(shown(reference), { file: app.path("users.ts"), generation: 2, count: 1, inUse: false });
    assert.deepEqual(told.map(shown), [shown(reference)]);
    assert.deepEqual(supervisor.inspect().staleReferences, [reference]);

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

  test("a snapshot is read from a folder of this user's own, and does not stay", async () => {
    await using app = new TempApp(leaking);
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    await start(supervisor);
    app.append("users.ts", "// again\n");
    await supervisor.reload();
    assert.equal((await supervisor.explainLeak()).length, 1);
  });
});

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
