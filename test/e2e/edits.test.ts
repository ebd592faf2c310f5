/** The table of edits (docs/edits.md): each edit, made on a running app, has the code and the outcome that the table gives it. */
import assert from "node:assert/strict";
import { utimesSync } from "node:fs";
import { describe, test } from "node:test";
import type { ReloadReport } from "../../src/index.js";
import { type EditCode, outcomeOf } from "../../src/reports/edits.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { plainMode } from "../support/served-app.js";

const FILES = {
  "main.js": `
    import { existsSync, readFileSync } from "node:fs";
    import { createRequire } from "node:module";
    import http from "node:http";
    import { page } from "./page.js";
    import * as texts from "./texts.js";
    import "./routes.js";
    import "./last-route.js";
    import "./accepts.js";
    import "./packaged.js";
    readFileSync(new URL(".env", import.meta.url));
    const template = readFileSync(new URL("template.html", import.meta.url), "utf8");
    let optional = "none";
    try { optional = createRequire(import.meta.url)("./optional.cjs"); } catch {}
    http.createServer(async (request, response) => {
      if (request.url === "/late") return response.end((await import("./late.js")).text);
      response.end(template + page + texts.text + optional);
    }).listen(0);`,
  "page.js": `import { word } from "./word.js"; export const page = "page " + word;`,
  "word.js": `export const word = "one";`,
  "texts.js": `export const text = "text";`,
  "router.js": `export const routes = [];`,
  "routes.js": `import { routes } from "./router.js"; import "./other-routes.js"; routes.push("a");`,
  "other-routes.js": `import { routes } from "./router.js"; routes.push("b");`,
  "last-route.js": `import { routes } from "./router.js"; routes.push("c");`,
  "accepts.js": `import { style } from "./style.js"; export const styled = style; import.meta.hot?.accept("./style.js");`,
  "style.js": `export const style = "plain"; import.meta.hot?.accept(); if (style === "taken back") import.meta.hot?.invalidate();`,
  "late.js": `export const text = "late";`,
  "template.html": "<p>",
  "packaged.js": `import settings from "settings"; export default settings;`,
  "node_modules/settings/package.json": `{ "name": "settings", "main": "index.js" }`,
  "node_modules/settings/index.js": `
    module.exports = require("node:fs").readFileSync(require("node:path").join(process.cwd(), "settings.txt"), "utf8");`,
  "settings.txt": "a",
  "schema.sql": "select 1",
  ".env": "WORD=none",
};

type Edit = (supervisor: EmbeddedApp) => void;

async function expectCodes(
  embedded: EmbeddedApp,
  edits: readonly (readonly [code: EditCode, edit: Edit])[],
): Promise<ReloadReport[]> {
  const reports: ReloadReport[] = [];
  for (const [code, edit] of edits) {
    edit(embedded);
    const report = await embedded.supervisor.reload();
    assert.deepEqual([report.code, report.outcome, report.error], [code, outcomeOf(code), report.error], String(edit));
    reports.push(report);
  }
  return reports;
}

describe("each edit has its code", { skip: plainMode }, () => {
  const cwd = process.cwd();

  test("in place, by a fresh worker, and failed; the tally counts them", async () => {
    await using embedded = new EmbeddedApp(FILES, "main.js", { depend: { "schema.sql": "texts.js" } });
    process.chdir(embedded.app.folder);
    try {
      await embedded.supervisor.start();
      const edit = (file: string, from: string, to: string) => () => embedded.app.edit(file, from, to);
      const write = (file: string, text: string) => () => embedded.app.write(file, text);
      const reports = await expectCodes(embedded, [
        ["UR00", () => embedded.app.write("word.js", FILES["word.js"])],
        ["UR11", edit("texts.js", `"text"`, `"text 2"`)],
        ["UR12", edit("word.js", "one", "two")],
        ["UR13", edit("other-routes.js", `"b"`, `"c"`)],
        ["UR14", write("template.html", "<b>")],
        ["UR15", write("optional.cjs", `module.exports = "here";`)],
        ["UR16", () => embedded.app.remove("optional.cjs")],
        ["UR17", edit("style.js", `"plain"`, `"bold"`)],
        ["UR19", write("schema.sql", "select 2")],
        ["UR21", edit("texts.js", "export", `import "./last-route.js"; export`)],
        ["UR90", edit("texts.js", `"text 2"`, `"text 2`)],
        ["UR11", edit("texts.js", `"text 2`, `"text 3"`)],
        ["UR32", () => embedded.supervisor.clear()],
        ["UR54", write("settings.txt", "b")],
        ["UR52", write(".env", "WORD=one")],
        ["UR51", write("tsconfig.json", "{}")],
        ["UR50", write("package.json", `{ "name": "app", "type": "module", "version": "1.0.0" }`)],
        ["UR91", edit("page.js", "export", `throw new Error("no"); export`)],
      ]);
      const [, , word] = reports;
      assert.deepEqual(word?.edits, [{ file: embedded.app.path("word.js"), code: "UR12" }]);
      const { tally } = embedded.supervisor.inspect();
      assert.deepEqual([tally.total, tally.codes.UR11, tally.outcomes.failed], [reports.length - 1, 2, 2]);
      assert.equal((await embedded.supervisor.restart()).code, "UR91");
      embedded.app.write("page.js", FILES["page.js"]);
      await embedded.supervisor.reload();
      assert.equal((await embedded.supervisor.restart()).code, "UR60");
    } finally {
      process.chdir(cwd);
    }
  });

  test("a failure is told once, also when its file is touched", async () => {
    await using embedded = new EmbeddedApp({ "main.js": `export default (q, s) => s.end("1");` }, "main.js");
    const { app, supervisor } = embedded;
    await supervisor.start();
    let failures = 0;
    supervisor.on("failed", () => failures++);
    app.write("main.js", "export default (");
    await supervisor.reload();
    for (let seconds = 1; seconds <= 3; seconds++) {
      utimesSync(app.path("main.js"), seconds, seconds);
      assert.equal((await supervisor.fetch("/")).status, 500);
    }
    assert.equal(failures, 1);
    await supervisor.reload();
    assert.equal(failures, 2, "who asks is told again");
    app.write("main.js", `export default (q, s) => s.end("2");`);
    assert.equal(await (await supervisor.fetch("/")).text(), "2");
  });

  test("of several edits the one that reaches furthest gives the code", async () => {
    await using embedded = new EmbeddedApp(FILES, "main.js", { scope: "affected" });
    process.chdir(embedded.app.folder);
    try {
      await embedded.supervisor.start();
      embedded.app.edit("texts.js", `"text"`, `"text 2"`);
      embedded.app.edit("word.js", "one", "two");
      const report = await embedded.supervisor.reload();
      assert.equal(report.code, "UR12");
      assert.deepEqual(
        report.edits.map(({ code }) => code),
        ["UR11", "UR12"],
      );
    } finally {
      process.chdir(cwd);
    }
  });

  test("with the scopes app and worker, and of a module that has declined", async () => {
    const files = {
      "main.js": `import { a } from "./a.js"; export default (q, s) => s.end(a);`,
      "a.js": `export const a = "1";`,
    };
    for (const [scope, code] of [
      ["app", "UR30"],
      ["worker", "UR55"],
    ] as const) {
      await using embedded = new EmbeddedApp(files, "main.js", { scope });
      await embedded.supervisor.start();
      await expectCodes(embedded, [[code, () => embedded.app.edit("a.js", "1", "2")]]);
    }
    await using embedded = new EmbeddedApp(
      { ...files, "a.js": `export const a = "1"; import.meta.hot?.decline();` },
      "main.js",
    );
    await embedded.supervisor.start();
    await expectCodes(embedded, [["UR56", () => embedded.app.edit("a.js", "1", "2")]]);
  });

  test("types alone evaluate nothing, and places in stacks are those of the new text", async () => {
    const files = {
      "main.ts": `
        import { fail } from "./typed.ts";
        import { where } from "./where.cts";
        const id: number = Math.random();
        export default (q: unknown, s: any) => { try { fail("a"); } catch (e: any) { s.end([e.stack.match(/typed.ts:.*?(?=\\))/)[0], where(), id].join(" ")); } };`,
      "typed.ts": `
        export function fail(text: string): never { throw new Error(text); }`,
      "where.cts": `export const where = (): string => /where.cts:(\\d+)/.exec(new Error().stack!)![1]!;`,
    };
    for (const scope of ["affected", "function"] as const) {
      await using embedded = new EmbeddedApp(files, "main.ts", { scope });
      const { app, supervisor } = embedded;
      await supervisor.start();
      const answer = async () => (await supervisor.fetch("/")).text();
      const [, id] = /^typed.ts:2:59 1 (.*)$/.exec(await answer()) ?? [];
      assert.ok(id);
      app.edit("typed.ts", "(text: string)", "(text: string | 5 | 6)");
      app.edit(
        "typed.ts",
        `
        export`,
        `
        type Text = string;

        export`,
      );
      app.edit("where.cts", "export", "\ninterface Where {}\nexport");
      const report = await supervisor.reload();
      assert.deepEqual([report.loaded, report.purged], [[], []]);
      if (scope === "function") continue;
      assert.deepEqual([report.code, report.outcome, report.generation], ["UR01", "nothing", 2]);
      assert.equal(await answer(), `typed.ts:4:67 3 ${id}`);
      // What runs is told apart from the text: another edit, of code, starts from here.
      app.edit("typed.ts", "new Error(text)", `new Error(text + "!")`);
      assert.deepEqual([(await supervisor.reload()).code, await answer()], ["UR11", `typed.ts:4:67 3 ${id}`]);
    }
  });

  test("what a package changes of the loader in a request is no module's doing", async () => {
    const files = {
      "main.cjs": `const views = require("views"); module.exports = (q, s) => s.end(views.render() + "1");`,
      "node_modules/views/index.js": `exports.render = () => { require.extensions[".view"] ??= () => {}; return "view "; };`,
    };
    await using embedded = new EmbeddedApp(files, "main.cjs");
    const { app, supervisor } = embedded;
    await supervisor.start();
    for (const [from, to] of ["12", "23"]) {
      assert.equal(await (await supervisor.fetch("/")).text(), `view ${from}`);
      await expectCodes(embedded, [["UR11", () => app.edit("main.cjs", `"${from}"`, `"${to}"`)]]);
    }
  });
});
