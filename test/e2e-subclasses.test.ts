/** `--subclasses` through the command line: what it names is purged, everything else is reopened, and what lives on works. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, serve } from "./support/served-app.js";
import { TempApp } from "./support/temp-app.js";

/** A kept module that holds instances, and evaluates what it is asked. */
const main = `import http from "node:http";
import { held } from "./held.js";
import * as user from "./user.js";

http.createServer((req, res) => {
  const expression = decodeURIComponent(req.url.slice(1));
  const answer = new Function("held", "user", \`return \${expression}\`)(held, user);
  res.end(JSON.stringify(answer ?? null));
}).listen(process.env.PORT, "127.0.0.1");
`;
const held = "export const held = {};\n";
const esm = { "package.json": `{ "name": "app", "type": "module" }\n`, "main.js": main, "held.js": held };

describe("the subclass filter", { skip: plainMode }, () => {
  test("instances that a kept module holds get the new methods of a class that the filter excludes", async () => {
    await using app = new TempApp({
      ...esm,
      "user.js": `export class User {
  constructor(name) { this.name = name; }
  hello() { return "hello " + this.name; }
  gone() {}
}
`,
    });
    await using served = await serve(app, "main.js", { flags: ["--subclasses", "Model"] });
    const ask = (expression: string) => served.json<unknown>(`/${encodeURIComponent(expression)}`);
    assert.equal(await ask(`(held.first = new user.User("a")).hello()`), "hello a");
    app.write(
      "user.js",
      `export class User {
  constructor(name) { this.name = name; }
  hello() { return "good day " + this.name; }
  get loud() { return this.hello().toUpperCase(); }
}
`,
    );
    assert.deepEqual(await ask("[held.first.loud, 'gone' in held.first]"), ["GOOD DAY A", false]);
    assert.deepEqual(
      await ask("[held.first instanceof user.User, new user.User() instanceof held.first.constructor]"),
      [true, true],
    );
  });
});
