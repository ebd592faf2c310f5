/** `import.meta.hot` as in Vite, `module.hot` as in webpack: through the command line. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { historyPackage } from "../support/history-package.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const esmPackage = `{ "name": "app", "private": true, "type": "module" }\n`;

/** Answers with what the app gives, and what has happened since the last question. */
const files = {
  "package.json": esmPackage,
  ...historyPackage,
  "server.js": `import { createServer } from "node:http";
import { take } from "history";
export const serve = (answer) => createServer(async (req, res) => {
  try {
    res.end(JSON.stringify([await answer(req.url), ...take()]));
  } catch (error) {
    res.statusCode = 500;
    res.end(error.stack);
  }
}).listen(0, "127.0.0.1");
`,
};
const head = `import { note } from "history";\n`;

/** Resolves with the last line about a reload. */
function reloads(served: ServedApp): string[] {
  return served.lines.matching(/^unreloader: (reloaded|restarted)/);
}

describe("import.meta.hot", { skip: plainMode }, () => {
  test("a module that accepts itself is evaluated again, its importers are not and read the new exports", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `${head}import { serve } from "./server.js";
import { value } from "./lib.js";
note("main " + value);
serve(() => value);
`,
      "lib.js": `${head}import { base } from "./base.js";
note("lib");
export const value = base + 1;
import.meta.hot.accept((module) => note("accepted " + module.value + ", was " + value));
`,
      "base.js": `export const base = 1;\n`,
    });
    await using served = await serve(app, "main.js", { flags: ["--why"] });
    assert.deepEqual(await served.json("/"), [2, "lib", "main 2"]);
    app.edit("lib.js", "base + 1", "base + 2");
    assert.deepEqual(await served.json("/"), [3, "lib", "accepted 3, was 2"]);
    app.edit("base.js", "base = 1", "base = 10");
    // The callback is that of the version before, whose imports are live.
    assert.deepEqual(await served.json("/"), [12, "lib", "accepted 12, was 3"]);
    await served.lines.wait(/reloaded 2 of 4 modules .*base\.js changed/);
    assert.deepEqual(served.lines.matching(/^ {2}\S+\.js (<-|changed)/), [
      "  lib.js changed",
      "  base.js changed",
      "  lib.js <- base.js",
    ]);
  });

  test("a module that accepts dependencies is kept, and is given their new modules", async () => {
    await using app = new TempApp({
      ...files,
      "main.ts": `import { note } from "history";
import { serve } from "./server.js";
import { one } from "./one.ts";
import { two } from "./two.ts";
let current: unknown[] = [one, two];
note("main");
import.meta.hot?.accept("./one.ts", (module) => { current[0] = "accepted " + module?.one; });
import.meta.hot?.accept(["./one.ts", "./two.ts"], (modules) => note(modules.map((module) => module && Object.keys(module))));
serve(() => current);
`,
      "one.ts": `import { base } from "./base.ts";\nexport const one: number = base + 1;\n`,
      "two.ts": `export const two: number = 2;\n`,
      "base.ts": `export const base: number = 0;\n`,
    });
    await using served = await serve(app, "main.ts");
    assert.deepEqual(await served.json("/"), [[1, 2], "main"]);
    app.edit("base.ts", "= 0", "= 10");
    assert.deepEqual(await served.json("/"), [
      ["accepted 11", 2],
      [["one"], null],
    ]);
    app.edit("one.ts", "+ 1", "+ 2");
    app.edit("two.ts", "= 2", "= 3");
    assert.deepEqual(await served.json("/"), [
      ["accepted 12", 2],
      [["one"], ["two"]],
    ]);
  });

  test("accepted exports concern only those who import others", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `${head}import { serve } from "./server.js";
import "./a.js";
import "./b.js";
import "./all.js";
import { a } from "./lib.js";
serve(() => a);
`,
      "a.js": `${head}import { a } from "./lib.js";\nnote("a " + a);\n`,
      "b.js": `${head}import { a, b } from "./lib.js";\nnote("b " + a + b);\n`,
      "all.js": `${head}import * as lib from "./lib.js";\nimport { a } from "./lib.js";\nnote("all " + lib.b + a);\n`,
      "lib.js": `${head}export const a = 1;\nexport const b = 2;\nimport.meta.hot.acceptExports(["a"], (module) => note("accepted " + module.a));\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [1, "a 1", "b 12", "all 21"]);
    app.edit("lib.js", "a = 1", "a = 10");
    assert.deepEqual(await served.json("/"), [10, "b 102", "all 210", "accepted 10"]);
  });

  test("dispose gets `data`, which lasts over the versions of the file; prune comes when nothing leads to it any more", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `${head}import { serve } from "./server.js";
import { count } from "./counter.js";
serve(() => count);
`,
      "counter.js": `${head}const { hot } = import.meta;
export const count = (hot.data.count ?? 0) + 1;
hot.dispose(async (data) => { await undefined; data.count = count; note("dispose"); });
hot.prune((data) => note("prune " + data.count));
// 1
`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [1]);
    app.edit("counter.js", "// 1", "// 2");
    assert.deepEqual(await served.json("/"), [2, "dispose"]);
    app.edit("main.js", `import { count } from "./counter.js";`, "const count = 0;");
    assert.deepEqual(await served.json("/"), [0, "dispose", "prune 2"]);
    app.edit("main.js", "const count = 0;", `import { count } from "./counter.js";`);
    assert.deepEqual(await served.json("/"), [1]);
    app.edit("main.js", `import { count } from "./counter.js";`, "const count = 0;");
    app.remove("counter.js");
    assert.deepEqual(await served.json("/"), [0, "dispose", "prune 1"]);
  });

  test("a module that invalidates itself has its importers loaded again, before the next request", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `${head}import { serve } from "./server.js";
import { value } from "./middle.js";
serve(() => value);
`,
      "middle.js": `${head}import { part } from "./part.js";\nnote("middle");\nexport const value = part;\n`,
      "part.js": `${head}note("part");
export const part = 1;
import.meta.hot.accept((module) => { if (module.part > 1) import.meta.hot.invalidate("too large"); });
import.meta.hot.on("vite:invalidate", ({ path, message }) => note(path.slice(-7) + " " + message));
`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [1, "part", "middle"]);
    app.edit("part.js", "part = 1", "part = 0");
    assert.deepEqual(await served.json("/"), [1, "part"]);
    app.edit("part.js", "part = 0", "part = 2");
    assert.deepEqual(await served.json("/"), [2, "part", "part.js too large", "middle"]);
    await served.lines.wait(/invalidated by part\.js: too large/);
  });

  test("a module that declines has a change of it restart the worker, and says so", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `${head}import { serve } from "./server.js";
import { value } from "./lib.js";
import.meta.hot.on("vite:beforeFullReload", ({ path }) => console.log("full reload of", path));
serve(() => [value, ++globalThis.count]);
globalThis.count ??= 0;
`,
      "lib.js": `import { base } from "./base.js";\nexport const value = base;\nimport.meta.hot.decline();\n`,
      "base.js": `export const base = 1;\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [[1, 1]]);
    app.edit("base.js", "base = 1", "base = 2");
    assert.deepEqual(await served.json("/"), [[2, 1]]);
    await served.lines.wait(/restarted .*: base\.js changed, and lib\.js has declined to be replaced/);
    assert.equal(served.lines.matching(/^full reload of \*$/).length, 1);
  });

  test("listeners hear of updates, prunes and errors, until they are taken off or their module is replaced", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `${head}import { serve } from "./server.js";
import { basename } from "node:path";
import { value } from "./lib.js";
import { listen } from "./listener.js";
const { hot } = import.meta;
const names = ({ type, updates }) => note(type + " " + updates.map(({ path }) => basename(path)));
hot.on("vite:beforeUpdate", names);
hot.on("vite:afterUpdate", names);
hot.on("vite:error", ({ err }) => note(basename(err.loc.file) + " " + err.message));
hot.on("vite:beforePrune", ({ paths }) => note("prune " + paths.map((path) => basename(path))));
const off = () => note("never");
hot.on("vite:beforeUpdate", off);
hot.off("vite:beforeUpdate", off);
hot.send("mine", {});
serve(() => [value, listen].length);
`,
      "lib.js": `import { old } from "./old.js";\nexport const value = old;\n`,
      "old.js": `export const old = 1;\n`,
      "listener.js": `${head}import.meta.hot.on("vite:beforeUpdate", () => note("listener 1"));\nexport const listen = 1;\n`,
    });
    await using served = await serve(app, "main.js", { flags: ["--on-error", "last-good"] });
    assert.deepEqual(await served.json("/"), [2]);
    app.edit("lib.js", `import { old } from "./old.js";\nexport const value = old;`, "export const value = 2;");
    assert.deepEqual(await served.json("/"), [2, "listener 1", "update lib.js", "update lib.js", "prune old.js"]);
    app.edit("listener.js", "listener 1", "listener 2");
    assert.deepEqual((await served.json<unknown[]>("/")).includes("listener 1"), true);
    app.edit("lib.js", "value = 2", "value = ;");
    assert.match(JSON.stringify(await served.json("/")), /lib\.js /);
    app.edit("lib.js", "value = ;", "value = 3;");
    const happened = await served.json<unknown[]>("/");
    assert.ok(happened.includes("listener 2") && !happened.includes("listener 1") && !happened.includes("never"));
  });

  test("an accept callback that throws is reported, and the reload goes on", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `import { serve } from "./server.js";
import { value } from "./lib.js";
serve(() => value);
import.meta.hot.accept("./lib.js", async () => { throw new Error("cannot take it"); });
`,
      "lib.js": `export const value = 1;\n`,
      "package.json": esmPackage,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [1]);
    app.edit("lib.js", "value = 1", "value = 2");
    assert.deepEqual(await served.json("/"), [2]);
    await served.lines.wait(/warning: .*main\.js: an accept callback failed: cannot take it/);
  });

  test("wrong arguments are errors with a code that name what was given", async () => {
    await using app = new TempApp({
      ...files,
      "main.js": `import { serve } from "./server.js";
const { hot } = import.meta;
const calls = [() => hot.accept(1), () => hot.accept("./main.js", 2), () => hot.dispose(), () => hot.accept("./missing.js", () => {})];
const errors = calls.map((call) => { try { return call(); } catch (error) { return [error.code, error.message.split("\\n")[0]]; } });
serve(() => errors);
`,
    });
    await using served = await serve(app, "main.js");
    const [errors] = await served.json<[[string, string][]]>("/");
    const code = "ERR_UNRELOADER_ARGUMENT";
    assert.deepEqual(errors.slice(0, 3), [
      [code, "hot.accept(): expected a function, a specifier or a list of them, not 1"],
      [code, "hot.accept(): the callback must be a function, not 2"],
      [code, "hot.dispose(): the callback must be a function, not undefined"],
    ]);
    assert.match(String(errors[3]), /missing\.js/);
  });
});

describe("module.hot", { skip: plainMode }, () => {
  const commonjs = {
    ...historyPackage,
    "server.js": files["server.js"]
      .replace(
        /import .*\nimport .*\n/,
        `const { createServer } = require("node:http");\nconst { take } = require("history");\n`,
      )
      .replace("export const serve", "exports.serve"),
  };
  const start = `const { note } = require("history");\n`;

  test("a module that accepts itself is evaluated again alone; one that accepts a dependency requires it again", async () => {
    await using app = new TempApp({
      ...commonjs,
      "main.js": `${start}const { serve } = require("./server");
let routes = require("./routes");
const { value } = require("./lib");
note("main " + value);
module.hot.accept("./routes", ([file]) => { routes = require("./routes"); note(file.slice(-9)); });
serve(() => [routes.answer(), require("./lib").value]);
`,
      "routes.js": `${start}note("routes");\nexports.answer = () => "one";\n`,
      "lib.js": `${start}note("lib, data " + module.hot.data?.count);
exports.value = 1;
module.hot.accept();
const never = () => note("never");
module.hot.addDisposeHandler(never);
module.hot.removeDisposeHandler(never);
module.hot.dispose((data) => { data.count = (module.hot.data?.count ?? 0) + 1; note(module.hot.status()); });
`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [["one", 1], "routes", "lib, data undefined", "main 1"]);
    app.edit("routes.js", `"one"`, `"two"`);
    assert.deepEqual(await served.json("/"), [["two", 1], "routes", "routes.js"]);
    app.edit("lib.js", "value = 1", "value = 2");
    assert.deepEqual(await served.json("/"), [["two", 2], "dispose", "lib, data 1"]);
    app.edit("lib.js", "value = 2", "value = 3");
    assert.deepEqual(await served.json("/"), [["two", 3], "dispose", "lib, data 2"]);
  });

  test("an old version is not active, declined dependencies take a fresh worker, and invalidate evaluates it again", async () => {
    await using app = new TempApp({
      ...commonjs,
      "main.js": `${start}const { serve } = require("./server");
const { value } = require("./lib");
require("./setup");
module.hot.decline(["./setup"]);
note("main");
serve((url) => {
  if (url === "/invalidate") require("./lib").invalidate();
  const { all } = require("history");
  return [value, all("hots").map((hot) => hot.active)];
});
`,
      "setup.js": "exports.one = 1;\n",
      "lib.js": `${start}note("lib");
exports.value = 1;
note(module.hot, "hots");
exports.invalidate = () => module.hot.invalidate();
`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), [[1, [true]], "lib", "main"]);
    app.edit("lib.js", "value = 1", "value = 2");
    assert.deepEqual(await served.json("/"), [[2, [false, true]], "lib", "main"]);
    await served.json("/invalidate");
    await served.lines.wait(/reloaded 2 of .*generation 3.*invalidated by lib\.js/);
    assert.deepEqual(await served.json("/"), [[2, [false, false, true]], "lib", "main"]);
    app.edit("setup.js", "one = 1", "one = 2");
    assert.deepEqual(await served.json("/"), [[2, [true]], "lib", "main"]);
    assert.match(reloads(served).at(-1) ?? "", /setup\.js changed, and setup\.js has declined/);
  });

  test("an error of a new version goes to the handler of the one before, and is reported as any other", async () => {
    await using app = new TempApp({
      ...commonjs,
      "main.ts": `import { note } from "history";
import { serve } from "./server";
import { value } from "./lib";
declare const module: any;
if (module.hot) {
  module.hot.accept("./lib", () => { throw new Error("no"); }, (error, { dependencyId }) => note(error.message + " " + dependencyId.slice(-6)));
}
serve(() => value);
`,
      "lib.ts": `import { note } from "history";
export const value: number = 1;
declare const module: any;
module.hot?.accept((error: Error) => note("caught " + error.message));
`,
    });
    await using served = await serve(app, "main.ts", { flags: ["--on-error", "last-good"] });
    assert.deepEqual(await served.json("/"), [1]);
    app.edit("lib.ts", "= 1;", "= 2;");
    assert.deepEqual(await served.json("/"), [2, "no lib.ts"]);
    app.edit("lib.ts", "= 2;", `= 3;\nthrow new Error("broken");`);
    const [value, ...happened] = await served.json<unknown[]>("/");
    assert.equal(value, 2);
    assert.ok(happened.includes("caught broken"), JSON.stringify(happened));
    await served.lines.wait(/reload failed .*broken/);
  });
});
