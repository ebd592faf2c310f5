/** sqlite3 aborts a process of which a thread ends during a query. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import adapter from "../../workers/adapters/sqlite3.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const LONG =
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000) SELECT count(*) AS n FROM c";
const MANY = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000) SELECT x FROM c";

describe("sqlite3", { skip: plainMode }, () => {
  for (const [what, begin] of [
    ["a query runs", `db.get(${JSON.stringify(LONG)}, () => {});`],
    ["databases are being opened", `for (let n = 0; n < 50; n++) new sqlite3.Database("data-" + n + ".db");`],
    [
      "a database of the library's cache is used",
      `sqlite3.cached.Database("cached.db").all(${JSON.stringify(LONG)}, () => {});`,
    ],
    [
      "one query follows another for ever",
      `const each = () => db.each(${JSON.stringify(MANY)}, () => {}, each);
      const statement = db.prepare("SELECT 1");
      const get = () => statement.get(get);
      const rows = () => statement.each(() => {}, rows);
      each(), get(), rows();`,
    ],
  ] as const) {
    test(`a fresh worker while ${what}: the process lives, and serves`, async () => {
      const files = {
        "server.js": `const sqlite3 = require("sqlite3");
const db = new sqlite3.Database(":memory:");
const server = require("node:http").createServer((request, response) => {
  if (request.url === "/begin") { ${begin} }
  response.end("answer-1");
});
server.listen(0, "127.0.0.1");
`,
      };
      await using app = new TempApp(files, { packages: ["sqlite3"] });
      await using served = await serve(app, "server.js", { flags: ["--scope", "worker"] });
      for (let edit = 1; edit <= 3; edit++) {
        assert.equal((await served.get("/begin")).body, `answer-${edit}`);
        app.edit("server.js", `answer-${edit}`, `answer-${edit + 1}`);
        assert.equal((await served.get("/")).body, `answer-${edit + 1}`);
      }
      await served.get("/begin");
      const { code, signal } = await served.stop();
      assert.deepEqual({ code, signal }, { code: 0, signal: null });
    });
  }
});

test("the thread's end waits for each database that is alive, and for no other thing", async () => {
  const waiting: (() => void)[] = [];
  let interrupted = 0;
  class Database {
    exec(): string {
      return "executed";
    }
    readonly open = true;
    wait(done: () => void): void {
      waiting.push(done);
    }
    interrupt(): void {
      interrupted++;
    }
  }
  const exports = { Database };
  const context = {
    wrap: (target: Record<string, unknown> | undefined, name: string, replace: (original: unknown) => unknown) => {
      if (target?.[name]) target[name] = replace(target[name]);
    },
  };
  const attached = adapter.attach({ name: "sqlite3", version: "6.0.1", exports }, context as never) as {
    end(): Promise<void>;
  };
  const made = new exports.Database();
  assert.ok(made instanceof Database);
  assert.equal(new Database().exec(), "executed", "made by the library itself");
  let ended = false;
  const end = attached.end().then(() => {
    ended = true;
  });
  assert.equal(waiting.length, 2);
  waiting[0]?.();
  await Promise.resolve();
  assert.equal(ended, false);
  assert.equal(interrupted, 0, "what runs has some time to end by itself");
  waiting[1]?.();
  await end;
});
