/** A request that starts after a write returned is answered by code that includes it. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { DEADLINE_MS, eventually, within } from "../support/deadline.js";
import { historyPackage } from "../support/history-package.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const EDITS = Number(process.env.UNRELOADER_FRESH_EDITS ?? (plainMode ? 5 : 200));

const esmApp = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "main.js": `import http from "node:http";
import { page } from "./page.js";

http.createServer((req, res) => res.end(page())).listen(process.env.PORT, "127.0.0.1");
`,
  "page.js": `import { value } from "./value.js";
export const page = () => String(value);
`,
  "value.js": `export const value = 0;\n`,
};

const commonJsApp = {
  "main.js": `const http = require("node:http");
const { page } = require("./page");

http.createServer((req, res) => res.end(page())).listen(process.env.PORT, "127.0.0.1");
`,
  "page.js": `const { value } = require("./value");
exports.page = () => String(value);
`,
  "value.js": `exports.value = 0;\n`,
};

for (const [name, files] of [
  ["ESM", esmApp],
  ["CommonJS", commonJsApp],
] as const) {
  test(`${name}: ${EDITS} edits, each followed at once by a request: none is stale, none fails`, async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "0");
    const file = app.path("value.js");
    const text = app.read("value.js");
    for (let edit = 1; edit <= EDITS; edit++) {
      writeFileSync(file, text.replace("0", String(edit)));
      app.touched();
      const answer = edit % 2 === 0 ? await served.get("/") : await served.getOnce("/");
      assert.equal(`${answer.status} ${answer.body}`, `200 ${edit}`);
    }
    if (served.inPlace) assert.equal(served.connectionsOpened, 1, "the kept connection survived all reloads");
  });
}

describe("ways in which files change", () => {
  test("an atomic save", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    for (let edit = 1; edit <= 20; edit++) {
      app.writeAtomically("value.js", `exports.value = ${edit};\n`);
      assert.equal(await served.text("/"), String(edit));
    }
  });

  test("truncated first and written then", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    for (let edit = 1; edit <= 20; edit++) {
      app.write("value.js", "");
      app.write("value.js", `exports.value = ${edit};\n`);
      assert.equal(await served.text("/"), String(edit));
    }
  });

  test("touched without a change: nothing is reloaded", async () => {
    await using app = new TempApp({
      ...commonJsApp,
      ...historyPackage,
      "value.js": `const history = require("history");\nhistory.note("evaluated");\nexports.value = history.all().length;\n`,
    });
    await using served = await start(app, "1");
    utimesSync(app.path("value.js"), new Date(), new Date());
    app.touched();
    assert.equal(await served.text("/"), "1");
    app.write("value.js", app.read("value.js"));
    assert.equal(await served.text("/"), "1");
  });

  test("with the old modification time and the same size", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    const before = statSync(app.path("value.js"));
    app.edit("value.js", "0", "1");
    utimesSync(app.path("value.js"), before.atime, before.mtime);
    assert.equal(await served.text("/"), "1");
    app.edit("value.js", "1", "2");
    utimesSync(app.path("value.js"), 0, 0);
    assert.equal(await served.text("/"), "2");
  });

  test("saved twice within a millisecond", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    for (let edit = 1; edit <= 20; edit++) {
      app.write("value.js", `exports.value = "a${edit}";\n`);
      app.write("value.js", `exports.value = "b${edit}";\n`);
      assert.equal(await served.text("/"), `b${edit}`);
    }
  });

  test("back to the first text after a failure", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    const first = app.read("value.js");
    app.write("value.js", "}{");
    assert.equal((await served.get("/")).status, 500);
    app.write("value.js", first);
    assert.equal(await served.text("/"), "0");
    app.edit("value.js", "0", "1");
    assert.equal(await served.text("/"), "1");
  });

  test("x.js becomes x/index.js, and back", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    app.remove("value.js");
    app.write("value/index.js", "exports.value = 1;\n");
    assert.equal(await served.text("/"), "1");
    app.edit("value/index.js", "1", "2");
    assert.equal(await served.text("/"), "2");
    app.remove("value");
    app.write("value.js", "exports.value = 3;\n");
    assert.equal(await served.text("/"), "3");
  });

  test("a file is added where a lookup found another one behind it", async () => {
    await using app = new TempApp({ ...commonJsApp, "page.js": commonJsApp["page.js"].replace("./value", "./found") });
    app.write("found/index.js", "exports.value = 0;\n");
    await using served = await start(app);
    app.write("found.json", `{ "value": 1 }\n`);
    assert.equal(await served.text("/"), "1");
    app.write("found.js", "exports.value = 2;\n");
    assert.equal(await served.text("/"), "2");
    app.remove("found.js");
    assert.equal(await served.text("/"), "1");
  });

  test("a file is added where a caught lookup had failed", async () => {
    await using app = new TempApp({
      ...commonJsApp,
      "page.js": `let value = "none";
try {
  ({ value } = require("./optional/local"));
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
}
exports.page = () => String(value);
`,
    });
    await using served = await start(app, "none");
    app.write("optional/local.js", `exports.value = "local";\n`);
    assert.equal(await served.text("/"), "local");
    app.remove("optional");
    assert.equal(await served.text("/"), "none");
  });

  test("a file is deleted and comes back", async () => {
    await using app = new TempApp(commonJsApp);
    await using served = await start(app);
    app.remove("value.js");
    const failure = await served.get("/");
    assert.equal(failure.status, 500);
    assert.match(failure.body, /value/);
    app.write("value.js", "exports.value = 1;\n");
    assert.equal(await served.text("/"), "1");
  });

  test("a folder is removed, renamed and replaced", async () => {
    const page = commonJsApp["page.js"].replace("./value", "./values/deep/value");
    await using app = new TempApp({ ...commonJsApp, "page.js": page, "values/deep/value.js": "exports.value = 0;\n" });
    await using served = await start(app);
    app.rename("values", "elsewhere");
    assert.equal((await served.get("/")).status, 500);
    app.write("values/deep/value.js", "exports.value = 1;\n");
    assert.equal(await served.text("/"), "1");
    app.edit("values/deep/value.js", "1", "2");
    assert.equal(await served.text("/"), "2");
    rmSync(app.path("values"), { recursive: true });
    renameSync(app.path("elsewhere"), app.path("values"));
    app.touched();
    assert.equal(await served.text("/"), "0");
    app.edit("values/deep/value.js", "0", "3");
    assert.equal(await served.text("/"), "3");
  });

  test("a symbolic link leads to another folder", async () => {
    const page = commonJsApp["page.js"].replace("./value", "./current/value");
    await using app = new TempApp({ ...commonJsApp, "page.js": page });
    for (const version of [1, 2]) app.write(`versions/${version}/value.js`, `exports.value = ${version};\n`);
    symlinkSync("versions/1", app.path("current"), "dir");
    await using served = await start(app, "1");
    app.edit("versions/1/value.js", "1", "10");
    assert.equal(await served.text("/"), "10");
  });

  test("many files are saved together: one reload", async () => {
    const count = 500;
    await using app = new TempApp({
      "main.js": `const http = require("node:http");
const parts = Array.from({ length: ${count} }, (_, index) => require("./parts/" + index));
http.createServer((req, res) => res.end(String(parts.reduce((sum, part) => sum + part, 0)))).listen(process.env.PORT);
`,
      ...Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`parts/${index}.js`, "module.exports = 1;\n"]),
      ),
    });
    await using served = await start(app, String(count));
    const since = served.lines.all.length;
    for (let index = 0; index < count; index++) app.write(`parts/${index}.js`, "module.exports = 2;\n");
    assert.equal(await served.text("/"), String(2 * count));
    if (served.inPlace) await served.lines.wait(/unreloader: reloaded/, since);
    app.edit("main.js", "sum + part, 0", "sum + part, 1");
    assert.equal(await served.text("/"), String(2 * count + 1));
    if (served.inPlace) assert.equal(served.lines.matching(/unreloader: reloaded/, since).length, 2);
  });

  test("a burst that nobody asks about is one reload as well", { skip: plainMode }, async () => {
    const count = 100;
    await using app = new TempApp({
      "main.js": `const http = require("node:http");
const parts = Array.from({ length: ${count} }, (_, index) => require("./parts/" + index));
http.createServer((req, res) => res.end(String(parts.reduce((sum, part) => sum + part, 0)))).listen(process.env.PORT);
`,
      ...Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`parts/${index}.js`, "module.exports = 1;\n"]),
      ),
    });
    await using served = await start(app, String(count));
    const since = served.lines.all.length;
    for (let index = 0; index < count; index++) app.write(`parts/${index}.js`, "module.exports = 2;\n");
    await served.lines.wait(/unreloader: reloaded/, since);
    assert.equal(await served.text("/"), String(2 * count));
    assert.equal(served.lines.matching(/unreloader: reloaded/, since).length, 1);
  });

  test("a new folder with new files, used at once", async () => {
    await using app = new TempApp(esmApp);
    await using served = await start(app);
    mkdirSync(app.path("new/deeper"), { recursive: true });
    app.write("new/deeper/value.js", "export const value = 1;\n");
    app.edit("page.js", "./value.js", "./new/deeper/value.js");
    assert.equal(await served.text("/"), "1");
    app.edit("new/deeper/value.js", "1", "2");
    assert.equal(await served.text("/"), "2");
  });

  test("a file that the request before has loaded for the first time", async () => {
    const count = plainMode ? 3 : 200;
    await using app = new TempApp({
      ...esmApp,
      "main.js": `import http from "node:http";

http.createServer(async (req, res) => {
  const { value } = await import("./late" + req.url + ".js");
  res.end(String(value));
}).listen(process.env.PORT, "127.0.0.1");
`,
      ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`late/${index}.js`, esmApp["value.js"]])),
    });
    await using served = await serve(app, "main.js");
    for (let index = 0; index < count; index++) {
      assert.equal(await served.text(`/${index}`), "0");
      app.write(`late/${index}.js`, "export const value = 1;\n");
      assert.equal(await served.text(`/${index}`), "1");
    }
  });

  test("while requests are under way: each gets the old or the new answer, and none fails", async () => {
    await using app = new TempApp(esmApp);
    await using served = await start(app);
    for (let edit = 1; edit <= (plainMode ? 1 : 50); edit++) {
      const before = plainMode ? [] : Array.from({ length: 4 }, () => served.getOnce("/"));
      app.write("value.js", `export const value = ${edit};\n`);
      const after = await served.text("/");
      assert.equal(after, String(edit));
      for (const answer of await Promise.all(before)) {
        assert.equal(answer.status, 200);
        assert.ok([edit - 1, edit].includes(Number(answer.body)), `${answer.body} around edit ${edit}`);
      }
    }
  });

  test("with nobody asking: the change is taken over all the same", { skip: plainMode }, async () => {
    await using app = new TempApp(esmApp);
    await using served = await start(app);
    const since = served.lines.all.length;
    app.edit("value.js", "0", "1");
    const line = await served.lines.wait(/unreloader: reloaded/, since);
    assert.match(line, /reloaded \d+ of \d+ modules in [\d.]+ ms \(generation \d+\): value\.js changed/);
  });
});

describe("polling", { skip: plainMode }, () => {
  test("edits show without any event of the file system", async () => {
    await using app = new TempApp(esmApp);
    await using served = await serve(app, "main.js", { flags: ["--watch", "poll"] });
    assert.equal(await served.text("/"), "0");
    for (let edit = 1; edit <= 50; edit++) {
      app.write("value.js", `export const value = ${edit};\n`);
      assert.equal(await served.text("/"), String(edit));
    }
  });

  test("--cooldown bounds how often is looked, and the edit shows after it", async () => {
    await using app = new TempApp(esmApp);
    await using served = await serve(app, "main.js", { flags: ["--watch", "poll", "--cooldown", "100"] });
    assert.equal(await served.text("/"), "0");
    app.write("value.js", "export const value = 1;\n");
    await within(
      eventually(
        () => served.text("/"),
        (body) => body === "1",
        "the edit to show",
      ),
      "the edit to show",
      DEADLINE_MS,
    );
  });
});

async function start(app: TempApp, first = "0"): Promise<ServedApp> {
  const served = await serve(app, "main.js");
  assert.equal(await served.text("/"), first);
  return served;
}
