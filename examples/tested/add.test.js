/** For node:test: `npm run dev` in one terminal, `npm test` in another. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { whereItRuns } from "./running.js";

let app;
before(async () => {
  app = await whereItRuns();
});

test("the app adds", async () => {
  assert.equal(await (await fetch(`${app}/1/2`)).text(), "3");
});
