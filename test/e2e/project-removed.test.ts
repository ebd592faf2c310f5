/** The project's folder is removed and made again (a checkout, a build, a sync) while it is the working folder. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { eventually } from "../support/deadline.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = (value: string) => ({
  "package.json": `{ "name": "app", "private": true }\n`,
  "main.js": `const value = require("./lib/value");
require("node:http").createServer((req, res) => res.end(value)).listen(Number(process.env.PORT), "127.0.0.1");
`,
  "lib/value.js": `module.exports = "${value}";\n`,
});

function makeAgain(app: TempApp, value: string): void {
  mkdirSync(app.folder, { recursive: true });
  for (const [file, text] of Object.entries(files(value))) app.write(file, text);
}

/** Made of several writes, the project is whole after the last of them: what comes then is the new code. */
async function answers(served: ServedApp, value: string): Promise<void> {
  await eventually(
    async () => (await served.getOnce("/")).body,
    (body) => body === value,
    `the answer ${value}`,
  );
}

describe("a project that is removed and made again", { skip: plainMode }, () => {
  test("recovers, with requests in between", async () => {
    await using app = new TempApp(files("one"));
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    rmSync(app.folder, { recursive: true });
    assert.equal((await served.getOnce("/")).status, 500);
    makeAgain(app, "two");
    await answers(served, "two");
    app.edit("lib/value.js", "two", "three");
    assert.equal((await served.getOnce("/")).body, "three");
  });

  test("recovers when nobody asked meanwhile, and is watched as before", async () => {
    await using app = new TempApp(files("one"));
    await using served = await serve(app, "main.js");
    rmSync(app.folder, { recursive: true });
    makeAgain(app, "two");
    await answers(served, "two");
    app.edit("lib/value.js", "two", "three");
    assert.equal((await served.getOnce("/")).body, "three");
  });

  test("ends in order when its cache folder cannot be written any more", async () => {
    await using app = new TempApp(files("one"));
    const served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    rmSync(app.path("node_modules", ".cache"), { recursive: true });
    writeFileSync(app.path("node_modules", ".cache"), "");
    // Which finds no file that was left.
    await served[Symbol.asyncDispose]();
    assert.deepEqual(served.lines.matching(/closing failed|Error|^ +at /), []);
  });

  test("recovers when a folder of it is", async () => {
    await using app = new TempApp(files("one"));
    await using served = await serve(app, "main.js");
    rmSync(app.path("lib"), { recursive: true });
    assert.equal((await served.getOnce("/")).status, 500);
    app.write("lib/value.js", `module.exports = "two";\n`);
    assert.equal((await served.getOnce("/")).body, "two");
    app.edit("lib/value.js", "two", "three");
    assert.equal((await served.getOnce("/")).body, "three");
  });
});
