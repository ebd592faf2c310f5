/** A signal that comes during a reload: what waits for the reload is answered by it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "../support/deadline.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const slow = (value: string) => `require("node:fs").writeFileSync(__dirname + "/../t/evaluating", "");
const until = Date.now() + 700;
while (Date.now() < until);
module.exports = "${value}";
`;

test("SIGTERM during a reload: the request that waits gets the new code, the report its generation", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `const value = require("./value");
require("node:http").createServer((req, res) => res.end(value)).listen(Number(process.env.PORT), "127.0.0.1");
`,
    "value.js": `module.exports = "one";\n`,
  });
  const served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "one");
  app.write("value.js", slow("two"));
  const answer = served.getOnce("/");
  const marker = app.path("..", "t", "evaluating");
  await eventually(
    async () => existsSync(marker),
    (is) => is,
    "the evaluation",
  );
  const exit = served.stop("SIGTERM");
  assert.equal((await answer).body, "two", served.lines.toString());
  assert.equal((await exit).code, 0);
  assert.deepEqual(served.lines.matching(/generation 0/), []);
  assert.equal(served.lines.matching(/reloaded .* \(generation 2\)/).length, 1, served.lines.toString());
});
