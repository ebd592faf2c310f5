/** Whatever the supervisor looks at, nothing of the app runs for it: no getter, no trap, no method of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { hostileValues } from "../support/hostile-values.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const common = {
  "log.cjs": `exports.log = [];\n`,
  "hostile.cjs": hostileValues,
  "exported.cjs": `Object.assign(exports, require("./hostile.cjs").values(require("./log.cjs").log));
exports.label = "exported-1";
`,
  "whole.cjs": `const made = require("./hostile.cjs").values(require("./log.cjs").log);
module.exports = made.proxy; // whole-1
`,
  "revoked.cjs": `const made = require("./hostile.cjs").values(require("./log.cjs").log);
module.exports = made.revoked; // revoked-1
`,
  "function.cjs": `const made = require("./hostile.cjs").values(require("./log.cjs").log);
module.exports = made.express4; // function-1
`,
  "getters.cjs": `const { log } = require("./log.cjs");
module.exports = {
  label: "getters-1",
  get db() { log.push("module.exports.db"); throw new Error("connected"); },
  get heavy() { log.push("module.exports.heavy"); return require("./heavy.cjs"); },
};
`,
  "heavy.cjs": `require("./log.cjs").log.push("heavy was evaluated");\n`,
  "kept.cjs": `const { log } = require("./log.cjs");
const values = require("./hostile.cjs").values(log);
const hidden = { ...Object.getOwnPropertyDescriptors(values) };
const all = Object.values(hidden).map(({ value }) => value);
let current = values.proxy;
class Holder {
  static all = all;
  #values = values;
  value = values.object;
  app = values.express4;
}
const holder = new Holder();
exports.registry = { list: [], map: new Map(), set: new Set(), object: {} };
exports.register = (value) => {
  exports.registry.list.push(value);
  exports.registry.map.set(value, value);
  exports.registry.set.add(value);
};
exports.holder = holder;
exports.bus = (() => {
  const kept = all.slice();
  return { add: (value) => kept.push(value) };
})();
exports.set = (value) => { current = value; };
exports.label = "kept-1";
`,
  "registers.cjs": `const { log } = require("./log.cjs");
const values = require("./hostile.cjs").values(log);
const kept = require("./kept.cjs");
const package = require("registry");
for (const key of Object.keys(Object.getOwnPropertyDescriptors(values))) {
  const value = values[key];
  kept.register(value);
  kept.bus.add(value);
  kept.set(value);
  package.list.push(value);
  package.map.set(key, value);
  package.set.add(value);
  package.object[key] = value;
  package.shelf.set(key, value);
  globalThis["hostile_" + key] = value;
  process["hostile_" + key] = value;
}
for (const name of ["hostileGlobal", "structuredClone"]) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() { log.push("global " + name); throw new Error("global"); },
  });
}
class Emitter extends require("node:events") {
  rawListeners() { log.push("rawListeners"); return []; }
  eventNames() { log.push("eventNames"); return []; }
  listenerCount() { log.push("listenerCount"); return 0; }
}
package.emitter.on("change", () => {});
kept.emitter ??= new Emitter();
kept.emitter.on("change", () => {});
kept.emitter.removeAllListeners("gone");
process.on("SIGWINCH", () => {});
exports.label = "registers-1";
`,
  "node_modules/registry/package.json": `{ "name": "registry", "version": "1.0.0", "main": "index.js" }`,
  "node_modules/registry/index.js": `const { log } = require("../../log.cjs");
const values = require("../../hostile.cjs").values(log);
class Shelf extends Map {
  get size() { log.push("size of a package's map"); return 0; }
  entries() { log.push("entries of a package's map"); return []; }
  [Symbol.iterator]() { log.push("iterator of a package's map"); return [][Symbol.iterator](); }
  delete(key) { log.push("delete of a package's map"); }
}
Object.defineProperties(exports, Object.getOwnPropertyDescriptors(values));
Object.assign(exports, { list: [], map: new Map(), set: new Set(), object: {}, shelf: new Shelf(), nested: { values } });
exports.emitter = new (require("node:events"))();
`,
} as const;

const labels = `[exported.label, kept.label, registers.label, getters.label]`;
const answer = `(req, res) => res.end(JSON.stringify({ labels: ${labels}, log, more: typeof hostile }))`;

const layouts: readonly { name: string; entry: string; files: Readonly<Record<string, string>> }[] = [
  {
    name: "CommonJS",
    entry: "server.cjs",
    files: {
      "server.cjs": `const { log } = require("./log.cjs");
const whole = require("./whole.cjs");
const revoked = require("./revoked.cjs");
const callable = require("./function.cjs");
const exported = require("./exported.cjs");
const getters = require("./getters.cjs");
const kept = require("./kept.cjs");
const registers = require("./registers.cjs");
const hostile = require("registry");
const server = require("node:http").createServer(${answer});
server.listen(0, () => console.log("open " + server.address().port));
Object.assign(exports, { whole, revoked, callable, exported, getters, kept, registers, hostile });
`,
    },
  },
  {
    name: "ES modules",
    entry: "server.mjs",
    files: {
      "server.mjs": `import { log } from "./log.cjs";
import whole from "./whole.cjs";
import revoked from "./revoked.cjs";
import callable from "./function.cjs";
import * as exportedNames from "./exported.cjs";
import exported from "./exported.cjs";
import getters from "./getters.cjs";
import kept from "./kept.cjs";
import registers from "./registers.cjs";
import hostile from "registry";
import { values, Fields, more } from "./values.mjs";
import { createServer } from "node:http";
export { whole, revoked, callable, exported, getters, kept, registers, hostile };
export * from "./values.mjs";
export default values.object;
export { default as cjs } from "./getters.cjs";
export const fields = new Fields(values);
more.push(values.proxy);
const server = createServer(${answer});
server.listen(0, () => console.log("open " + server.address().port));
`,
      "values.mjs": `import { log } from "./log.cjs";
import { values as make } from "./hostile.cjs";
export const values = make(log);
export const { proxy, revoked, express4, Derived, object, callable, Named } = values;
export class Fields {
  #values;
  constructor(values) { this.#values = values; this.app = values.express4; }
}
export class Below extends values.Derived {}
export const more = [];
let hidden = values;
export const change = (value) => { hidden = value; };
`,
    },
  },
];

for (const { name, entry, files } of layouts) {
  describe(`values that must not be run, ${name}`, () => {
    const all = { ...common, ...files };
    const own = Object.keys(all).filter((file) => !file.includes("node_modules") && file !== "log.cjs");

    for (const flags of [
      [],
      ["--scope", "app"],
      ["--subclasses", "Hidden,Named,Below,registry#Named,registry#object"],
    ]) {
      test(`nothing of them runs at the start, at edits, or at the purge (${flags.join(" ") || "as it is"})`, async () => {
        await using app = new TempApp(all);
        const ran = logOfNode(app, entry);
        assert.deepEqual(ran, [], "plain Node runs none");
        await using served = await serve(app, entry, { flags: [...flags, "--why"] });
        await settled(served, ran);
        for (const file of own) {
          app.append(file, "\n// edited\n");
          await settled(served, ran);
        }
        app.edit("registers.cjs", "registers-1", "registers-2");
        const last = await settled(served, ran);
        assert.deepEqual(last.labels, ["exported-1", "kept-1", "registers-2", "getters-1"]);
      });
    }
  });
}

test("an entry that exports what complains when it is looked at, and no app, is told as one without an app", async () => {
  await using app = new TempApp({
    ...common,
    "server.cjs": `const values = require("./hostile.cjs").values(require("./log.cjs").log);
Object.assign(exports, values, { default: values.object, handler: values.proxyOfMap, server: values.revoked });
Object.defineProperty(exports, "app", { enumerable: true, get() { throw new Error("asked"); } });
setTimeout(() => {
  const server = require("node:http").createServer((req, res) => res.end(JSON.stringify({ log: require("./log.cjs").log })));
  server.listen(0, () => console.log("open " + server.address().port));
}, 10);
`,
  });
  await using served = await serve(app, "server.cjs");
  assert.deepEqual((await served.json<{ log: string[] }>("/")).log, []);
});

test("a proxy of an app is served as the app, and through the proxy", { skip: plainMode }, async () => {
  await using app = new TempApp({
    "server.cjs": `const app = { fetch: () => new Response("answered") };
let reads = 0;
exports.app = new Proxy(app, {
  get: (target, name) => (name === "fetch" ? () => new Response("answered through " + ++reads) : target[name]),
});
`,
  });
  await using served = await serve(app, "server.cjs", { flags: ["--port", "0"] });
  assert.equal((await served.get("/")).body, "answered through 1");
});

interface Answered {
  readonly labels: string[];
  readonly log: string[];
}

async function settled(served: ServedApp, ran: readonly string[]): Promise<Answered> {
  const answered = await served.json<Answered>("/");
  assert.deepEqual(answered.log, ran);
  return answered;
}

/** What runs under plain Node. */
function logOfNode(app: TempApp, entry: string): string[] {
  const script = `const { log } = require("./log.cjs");
import(require("node:url").pathToFileURL(require("node:path").resolve(${JSON.stringify(entry)}))).then(() => {
  setImmediate(() => { process.stdout.write("\\nlog " + JSON.stringify(log)); process.exit(); });
});`;
  const output = execFileSync(process.execPath, ["-e", script], { cwd: app.folder, encoding: "utf8" });
  return JSON.parse(output.slice(output.indexOf("\nlog ") + 5)) as string[];
}
