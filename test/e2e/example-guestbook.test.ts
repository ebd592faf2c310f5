import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { projectRoot } from "../support/project.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

interface Guestbook {
  readonly greeting: string;
  readonly facts: { pid: number; databaseOpenedAt: string; visits: number; versions: number; entries: number };
  readonly entries: readonly { name: string; message: string }[];
}

/** A copy of the example, so that the test may edit it. */
function copyOfExample(): TempApp {
  const folder = path.join(projectRoot, "examples/guestbook");
  const names = [
    "package.json",
    "tsconfig.json",
    ...readdirSync(path.join(folder, "src")).map((name) => `src/${name}`),
  ];
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
  return new TempApp(files, { packages: ["express", "@electric-sql/pglite"] });
}

test("the example keeps its process, its database and its visits when the greeting is edited", async () => {
  await using app = copyOfExample();
  await using served = await serve(app, "src/main.ts", { env: { PORT: "0", GUESTBOOK_DATA: "memory://" } });
  const signed = await served.get("/entries", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "name=Ada&message=First%20%3Cb%3E",
  });
  assert.equal(signed.status, 303);
  const before = await served.json<Guestbook>("/json");
  assert.deepEqual(
    before.entries.map(({ name, message }) => ({ name, message })),
    [{ name: "Ada", message: "First <b>" }],
  );

  app.edit("src/greeting.ts", before.greeting, "Edited");
  const page = await served.text("/");
  assert.match(page, /<h1>Edited<\/h1>/);
  const after = await served.json<Guestbook>("/json");
  assert.equal(after.greeting, "Edited");
  if (plainMode) return;
  assert.match(page, /First &#60;b&#62;/);
  assert.equal(after.facts.pid, before.facts.pid);
  assert.equal(after.facts.databaseOpenedAt, before.facts.databaseOpenedAt);
  assert.equal(after.facts.visits, before.facts.visits + 2);
  assert.equal(after.facts.versions, 2);
});

test("the example says what is missing in a form", async () => {
  await using app = copyOfExample();
  await using served = await serve(app, "src/main.ts", { env: { PORT: "0", GUESTBOOK_DATA: "memory://" } });
  const answer = await served.get("/entries", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "name=Ada&message=%20",
  });
  assert.equal(answer.status, 400);
  assert.equal(answer.body, "Please fill in the message.\n");
});
