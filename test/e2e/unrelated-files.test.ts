/** Files that have nothing to do with the app come and go all the time: that costs neither a hold nor a look by the thread. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { NamesInUse } from "../../src/supervisor/names-in-use.js";
import { eventually, within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { plainMode } from "../support/served-app.js";

describe("names in use", () => {
  test("a file concerns whoever has a specifier that ends in its name", () => {
    const names = new NamesInUse(() => assert.fail("nothing was skipped"));
    for (const specifier of ["./value", "../lib/store.js", "@/models/user", "./data.json", "./styles.css"])
      names.add(specifier);
    const concerned = [
      "value.js",
      "value.ts",
      "store.mts",
      "user.tsx",
      "data.json",
      "styles.css",
      "value",
      "index.js",
      "package.json",
      "tsconfig.base.json",
    ];
    for (const name of concerned) assert.ok(names.concerns(`/app/${name}`), name);
    for (const name of ["app.log", "values.js", ".value.js.swp", "value.js~", "4913", "coverage", "lcov.info"]) {
      assert.ok(!names.concerns(`/app/${name}`), name);
    }
  });

  test("what package.json names may be any code", () => {
    const names = new NamesInUse(() => {});
    names.add("#db");
    assert.ok(names.concerns("/app/src/database.ts"));
    assert.ok(!names.concerns("/app/app.log"));
  });

  test("so many computed specifiers that they cannot be kept may mean anything", () => {
    const names = new NamesInUse(() => {});
    for (let index = 0; index < 100_000; index++) names.addLate(`./pages/${index}`);
    assert.ok(names.concerns("/app/app.log"));
  });

  test("a specifier that comes after its file is told of it", () => {
    const told: string[] = [];
    const names = new NamesInUse((file) => told.push(file));
    assert.ok(!names.concerns("/app/late.js"));
    names.add("./late");
    assert.deepEqual(told, ["/app/late.js"]);
    assert.ok(names.concerns("/app/late.js"));
  });
});

const files = {
  "main.js": `import http from "node:http";
import { readdirSync, writeFileSync } from "node:fs";
import { value } from "./value.js";
const pages = readdirSync(new URL("./pages", import.meta.url)).join();
http.createServer(async (req, res) => {
  if (req.url === "/block") {
    const until = Date.now() + 3000;
    writeFileSync(new URL("../t/blocked", import.meta.url), "");
    while (Date.now() < until);
    return res.end("blocked");
  }
  const extra = await import(req.url === "/late" ? "./late.js" : "./" + "value.js").catch((error) => ({ value: error.code }));
  res.end([value, pages, extra.value].join(" "));
}).listen(0, "127.0.0.1");
`,
  "value.js": `export const value = "one";\n`,
  "pages/a.html": "",
};

describe("a file that nobody asks for", { skip: plainMode }, () => {
  for (const name of ["app.log", "notes.md", ".value.js.swp", "other.js", ".nyc_output/x.json"]) {
    test(`is no work for the thread: ${name}`, async () => {
      await using embedded = new EmbeddedApp(files, "main.js");
      const { app, supervisor } = embedded;
      await supervisor.start();
      assert.equal(await (await supervisor.fetch("/")).text(), "one a.html one");
      let hasAnswered = false;
      const blocked = supervisor.fetch("/block").then(async (answer) => {
        await answer.text();
        hasAnswered = true;
      });
      const isBlocked = async () => existsSync(path.join(app.scratch, "blocked"));
      await eventually(isBlocked, (is) => is, "the thread to be blocked");
      app.write(name, "text");
      const report = await within(supervisor.reload(), "the check");
      assert.equal(report.kind, "unchanged");
      assert.ok(!hasAnswered, "the check has waited for the thread");
      app.remove(name);
      assert.equal((await supervisor.reload()).kind, "unchanged");
      assert.ok(!hasAnswered, "the check has waited for the thread");
      await blocked;
      assert.equal(await (await supervisor.fetch("/")).text(), "one a.html one");
    });
  }

  test("is seen when somebody asks for it, or has asked for it, or has listed its folder", async () => {
    await using embedded = new EmbeddedApp(files, "main.js");
    const { app, supervisor } = embedded;
    await supervisor.start();
    const ask = async (url: string) => (await supervisor.fetch(url)).text();
    assert.equal(await ask("/late"), "one a.html ERR_MODULE_NOT_FOUND");
    app.write("late.js", `export const value = "late";\n`);
    assert.equal(await ask("/late"), "one a.html late");
    app.write("pages/b.html", "");
    assert.equal(await ask("/"), "one a.html,b.html one");
    app.write("new.js", `export const value = "new";\n`);
    assert.equal(await ask("/"), "one a.html,b.html one");
    app.edit("main.js", "./value.js", "./new.js");
    assert.match(await ask("/"), /^new /);
    app.edit("main.js", "./new.js", "./missing.js");
    assert.equal((await supervisor.fetch("/")).status, 500);
    app.write("missing.js", `export const value = "found";\n`);
    assert.match(await ask("/"), /^found /);
  });
});
