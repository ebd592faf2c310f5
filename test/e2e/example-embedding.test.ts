/** The examples for embedding and for calls outside HTTP, run as docs/ say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../support/deadline.js";
import { copyOf, run } from "../support/example.js";
import { requestOnce } from "../support/http-client.js";

test("the embedding example serves its own routes and the app, shows edits and failures, and ends cleanly", async () => {
  await using app = copyOf("embedding", ["express"]);
  await using host = run(app, ["host.js"]);
  const origin = await host.origin();
  assert.equal((await requestOnce(`${origin}/shop/x`)).body, `{"path":"/x","dishes":2}`);
  assert.equal((await requestOnce(`${origin}/price`)).body, `{"total":8}`);
  app.edit("app/menu.js", "price: 2", "price: 3");
  assert.equal((await requestOnce(`${origin}/price`)).body, `{"total":9}`);
  app.edit("app/menu.js", "price: 3 }", "price: 3 ");
  const broken = await requestOnce(`${origin}/shop/x`);
  assert.equal(broken.status, 500);
  assert.match(broken.body, /^ERR_UNRELOADER_COMPILE: /);
  assert.deepEqual(JSON.parse((await requestOnce(`${origin}/health`)).body), {
    phase: "failed",
    generation: 2,
    inFlight: 0,
  });
  host.child.kill("SIGTERM");
  assert.deepEqual(await within(host.exit, () => `the exit; output:\n${host.lines}`), [0, null]);
  assert.deepEqual(app.leftInScratch(), []);
});

test("the queue example runs each job with the newest code, and ends with its queue", async () => {
  await using app = copyOf("queue", []);
  await using consumer = run(app, ["consumer.js"]);
  let answered = 0;
  const job = async (name: string, ...args: unknown[]) => {
    consumer.child.stdin.write(`${JSON.stringify({ name, args })}\n`);
    const line = await consumer.lines.wait(/^\{"name".*$/, answered);
    answered = consumer.lines.all.indexOf(line, answered) + 1;
    return JSON.parse(line) as Record<string, unknown>;
  };
  assert.deepEqual(await job("greet", "Ada"), { name: "greet", result: "Hello, Ada" });
  app.edit("jobs/salutation.js", "Hello", "Good morning");
  assert.deepEqual(await job("remind", "Ada", 1), { name: "remind", result: "Good morning, Ada" });
  assert.deepEqual(await job("charge", "Ada", -1), { name: "charge", code: "E_AMOUNT", error: "cannot charge -1" });
  assert.equal((await job("refund", "Ada")).code, "ERR_UNRELOADER_CALL");
  consumer.child.stdin.end();
  assert.deepEqual(await within(consumer.exit, () => `the exit; output:\n${consumer.lines}`), [0, null]);
  assert.deepEqual(app.leftInScratch(), []);
});
