/** SIGUSR2 asks for a fresh worker, unless the app listens for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const main = (listens: string) => `${listens}
let requests = 0;
require("node:http").createServer((req, res) => {
  if (req.url === "/loop") { console.log("loops"); for (;;); }
  res.end(String(++requests));
}).listen(process.env.PORT, "127.0.0.1");
`;

function send(served: ServedApp): void {
  assert.ok(served.pid);
  process.kill(served.pid, "SIGUSR2");
}

test("SIGUSR2 takes a fresh worker when the app does not listen for it, again and again", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({ "main.js": main("") });
  await using served = await serve(app, "main.js");
  for (let n = 0; n < 3; n++) {
    assert.deepEqual([await served.text("/"), await served.text("/")], ["1", "2"]);
    const from = served.lines.all.length;
    send(served);
    await served.lines.wait(/restarted/, from);
  }
  assert.equal(await served.text("/"), "1");
});

test("SIGUSR2 is the app's when it listens, and what it sends itself then asks for a fresh worker", {
  skip: plainMode,
}, async () => {
  const listens = `process.once("SIGUSR2", (...args) => {
  console.log("heard " + args.join(" "));
  process.on("SIGUSR2", () => {
    console.log("heard again");
    process.removeAllListeners("SIGUSR2");
    process.kill(process.pid, "SIGUSR2");
  });
});`;
  await using app = new TempApp({ "main.js": main(listens) });
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "1");
  send(served);
  await served.lines.wait(/heard SIGUSR2 12/);
  assert.equal(await served.text("/"), "2");
  assert.deepEqual(served.lines.matching(/restarted/), []);
  send(served);
  await served.lines.wait(/heard again/);
  await served.lines.wait(/restarted/);
  assert.equal(await served.text("/"), "1");
});

test("SIGUSR2 takes a fresh worker when the present one is blocked", { skip: plainMode }, async () => {
  await using app = new TempApp({ "main.js": main("") });
  await using served = await serve(app, "main.js");
  const looping = served.getOnce("/loop").catch(() => undefined);
  await served.lines.wait(/loops/);
  send(served);
  await served.lines.wait(/restarted/);
  assert.equal((await served.getOnce("/")).body, "1");
  await looping;
});
