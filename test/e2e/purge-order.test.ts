/** The order of a purge: dispose, ledger, adapters, classes, for each file, importers first; and what a failing step does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSupervisor, type Supervisor } from "../../src/index.js";
import { historyPackage } from "../support/history-package.js";
import { TempApp } from "../support/temp-app.js";

/** An emitter that tells when a listener is taken from it. */
const emitterPackage = {
  "node_modules/emitter/package.json": `{ "name": "emitter", "version": "1.0.0", "main": "index.js" }\n`,
  "node_modules/emitter/index.js": `
const { EventEmitter } = require("node:events");
const { note } = require("history");
module.exports = new EventEmitter().on("removeListener", (event) => note("listener of " + event));
`,
};

const adapter = `
const { note } = require("history");
module.exports = {
  name: "emitter",
  packages: ["emitter"],
  attach: () => ({
    purge({ classes }) {
      for (const { name } of classes) note("adapter " + name);
      if (process.env.FAIL) throw new Error("adapter fails");
    },
  }),
};
`;

/** A module of that name which leaves something for each step. */
function source(name: string, imported: string): string {
  return `
import { unreloader } from "unreloader/app";
import emitter from "emitter";
import { note } from "history";
${imported}
note("evaluate ${name}");
unreloader.dispose(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  note("dispose ${name}");
  if (process.env.FAIL) throw new Error("dispose fails");
});
emitter.on("${name}", () => undefined);
export class ${name.toUpperCase()} {
  static [Symbol.for("unreloader.purge")]() {
    note("class ${name.toUpperCase()}");
    if (process.env.FAIL) throw new Error("class fails");
  }
}
export const ${name} = 1;
`;
}

const files = {
  "package.json": `{ "name": "app", "type": "module" }`,
  ...historyPackage,
  ...emitterPackage,
  "adapter.cjs": adapter,
  "main.js": `
import { take } from "history";
import { a } from "./a.js";
export const history = () => take();
export const value = () => a;
`,
  "a.js": source("a", `import { b } from "./b.js"; export const used = b;`),
  "b.js": source("b", ""),
};

const purged = (name: string): string[] => {
  const upper = name.toUpperCase();
  return [`dispose ${name}`, `listener of ${name}`, `adapter ${upper}`, `class ${upper}`];
};

function supervise(app: TempApp): Supervisor {
  return createSupervisor({ entry: app.path("main.js"), adapters: [app.path("adapter.cjs")] });
}

test("each step of one file comes before the next file's, importers first, and all before anything is evaluated", async () => {
  await using app = new TempApp(files, { packages: ["unreloader"] });
  await using supervisor = supervise(app);
  assert.deepEqual(await supervisor.call("history"), ["evaluate b", "evaluate a"]);
  app.edit("b.js", "b = 1", "b = 2");
  assert.deepEqual(await supervisor.call("history"), [...purged("a"), ...purged("b"), "evaluate b", "evaluate a"]);
});

test("a step that fails is reported, and stops no other", async () => {
  // Set by a module, it would be taken back with that module, before the steps of those that it imports.
  await using app = new TempApp(
    { ...files, "main.js": `import "./fail.js";\n${files["main.js"]}`, "fail.js": `process.env.FAIL = "yes";\n` },
    { packages: ["unreloader"] },
  );
  await using supervisor = supervise(app);
  const warnings: string[] = [];
  supervisor.on("log", ({ level, message }) => void (level === "warn" && warnings.push(message)));
  await supervisor.call("history");
  app.edit("b.js", "b = 1", "b = 2");
  assert.deepEqual(await supervisor.call("history"), [...purged("a"), ...purged("b"), "evaluate b", "evaluate a"]);
  for (const file of ["a.js", "b.js"]) {
    for (const step of ["dispose", "adapter", "class"]) {
      const told = warnings.filter((warning) => warning.includes(file) && warning.includes(`${step} fails`));
      assert.equal(told.length, 1, `${file} ${step}: ${warnings.join("\n")}`);
    }
  }
});
