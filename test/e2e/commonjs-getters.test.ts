/** Getters of `module.exports` run when somebody reads them, as under Node: not because a file is loaded. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const log = `globalThis.log = globalThis.log ?? [];\n`;
const lazy = `require("./log.cjs");
let half = "half";
module.exports = {
  label: "lazy-1",
  get db() { log.push("db"); return "connected " + half; },
  get heavy() { log.push("heavy asked"); return require("./heavy.cjs"); },
  get broken() { log.push("broken"); throw new Error("not to be asked"); },
};
half = "whole";
`;
const files = {
  "log.cjs": log,
  "lazy.cjs": lazy,
  "heavy.cjs": `log.push("heavy evaluated");\nexports.weight = "weight-1";\n`,
  // Names that Node's lexer finds in the text.
  "found.cjs": `require("./log.cjs");
exports.plain = "plain";
Object.defineProperty(exports, "ready", { enumerable: true, get: function () { return inner.value; } });
exports.asked = undefined;
const define = Object.defineProperty;
define(exports, "asked", { enumerable: true, get() { log.push("asked"); return "asked"; } });
const inner = { get value() { log.push("passed on"); return "passed on"; } };
`,
};

const readers: Readonly<Record<string, string>> = {
  "require of all, nothing read": `require("./lazy.cjs");`,
  "require, a name read twice": `const lazy = require("./lazy.cjs"); lazy.db; lazy.db;`,
  "require with names": `const { db, heavy: { weight } } = require("./lazy.cjs"); log.push(db, weight);`,
  "import for effect": `import "./lazy.cjs";`,
  "import of the default": `import lazy from "./lazy.cjs"; log.push(lazy.label);`,
  "import of the default, a name read": `import lazy from "./lazy.cjs"; log.push(lazy.heavy.weight, lazy.db);`,
  "import of the namespace": `import * as lazy from "./lazy.cjs"; log.push(lazy.default.label);`,
  "import() of all": `const lazy = await import("./lazy.cjs"); log.push(lazy.default.label);`,
  "export of the default": `export { default } from "./lazy.cjs";`,
  "import of a name that the lexer finds, read twice": `import { ready } from "./found.cjs"; log.push(ready, ready);`,
  "import of the default, where the lexer finds a name": `import found from "./found.cjs"; log.push(found.plain);`,
  "import of a name with a getter of another kind": `import { asked } from "./found.cjs"; log.push(asked, asked);`,
};

describe("getters of module.exports run as under Node", () => {
  for (const [what, reader] of Object.entries(readers)) {
    // Node asks every name that it finds, whoever imports the file; here one with a getter that does something stays lazy.
    const isLazier =
      what === "import of the default, where the lexer finds a name" || what.includes("that the lexer finds");
    test(what, async () => {
      const extension = /\brequire\(/.test(reader) ? "cjs" : "mjs";
      const main = extension === "cjs" ? `require("./log.cjs");` : `import "./log.cjs";`;
      const http = extension === "cjs" ? `require("node:http")` : `process.getBuiltinModule("node:http")`;
      await using app = new TempApp({
        ...files,
        [`reader.${extension}`]: `${main}\n${reader}\nglobalThis.done = [...log];\n`,
        [`server.${extension}`]: `${extension === "cjs" ? `require("./reader.cjs");` : `import "./reader.mjs";`}
const server = ${http}.createServer((req, res) => res.end(JSON.stringify(log)));
server.listen(0, () => console.log("on " + server.address().port));
`,
      });
      const node = logOfNode(app, `./reader.${extension}`);
      const expected = isLazier ? node.filter((entry) => entry !== "asked") : node;
      await using served = await serve(app, `server.${extension}`);
      assert.deepEqual(await served.json("/"), expected);
    });
  }
});

describe("what is read through a getter", () => {
  test("is an edge of the module that reads it while it is evaluated", async () => {
    await using app = new TempApp({
      ...files,
      "reader.cjs": `exports.weight = require("./lazy.cjs").heavy.weight;\n`,
      "server.cjs": `const { weight } = require("./reader.cjs");
const server = require("node:http").createServer((req, res) => res.end(weight));
server.listen(0, () => console.log("on " + server.address().port));
`,
    });
    await using served = await serve(app, "server.cjs");
    assert.equal((await served.get("/")).body, "weight-1");
    app.edit("heavy.cjs", "weight-1", "weight-2");
    assert.equal((await served.get("/")).body, "weight-2");
  });

  test("is an edge also when an ES module imports it by its name", async () => {
    await using app = new TempApp({
      ...files,
      "found.cjs": `exports.weight = undefined;
const define = Object.defineProperty;
define(exports, "weight", { enumerable: true, get: () => require("./heavy.cjs").weight });
`,
      "log.cjs": log,
      "server.mjs": `import "./log.cjs";
import { weight } from "./found.cjs";
import { createServer } from "node:http";
const text = weight;
const server = createServer((req, res) => res.end(text + " " + weight));
server.listen(0, () => console.log("on " + server.address().port));
`,
    });
    await using served = await serve(app, "server.mjs");
    assert.equal((await served.get("/")).body, "weight-1 weight-1");
    app.edit("heavy.cjs", "weight-1", "weight-2");
    assert.equal((await served.get("/")).body, "weight-2 weight-2");
  });

  test("in a request is read then, and is the newest", async () => {
    await using app = new TempApp({
      ...files,
      "server.mjs": `import lazy from "./lazy.cjs";
import { createServer } from "node:http";
const server = createServer((req, res) => res.end(req.url === "/log" ? JSON.stringify(log) : lazy.heavy.weight));
server.listen(0, () => console.log("on " + server.address().port));
`,
    });
    await using served = await serve(app, "server.mjs");
    assert.deepEqual(await served.json("/log"), []);
    assert.equal((await served.get("/")).body, "weight-1");
    assert.deepEqual(await served.json("/log"), ["heavy asked", "heavy evaluated"]);
    app.edit("heavy.cjs", "weight-1", "weight-2");
    assert.equal((await served.get("/")).body, "weight-2");
  });
});

/** What has run when the file was evaluated by Node itself. */
function logOfNode(app: TempApp, file: string): string[] {
  const script = `import(require("node:url").pathToFileURL(require("node:path").resolve(${JSON.stringify(file)}))).then(
  () => process.stdout.write(JSON.stringify(globalThis.done)),
);`;
  return JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: app.folder, encoding: "utf8" })) as string[];
}
