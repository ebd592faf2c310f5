/** Adapters of the user's own: how they are named, what they can do, and what is said about one that does not fit. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSupervisor, type SupervisorOptions } from "../../src/index.js";
import { plainMode, runToExit, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** A package that keeps what it is given, deep in a closure: nothing but an adapter can take it out. */
const registry = {
  "node_modules/registry/package.json": `{ "name": "registry", "version": "1.2.3", "main": "index.js" }`,
  "node_modules/registry/index.js": `
const kept = new Map();
exports.register = (name, value) => {
  if (kept.has(name)) throw new Error(name + " is registered already");
  kept.set(name, value);
};
exports.unregister = (name) => kept.delete(name);
exports.classes = new WeakMap();
exports.names = () => [...kept.keys()].join();
`,
};

const app = {
  "main.js": `
const registry = require("registry");
const { User } = require("./user.js");
require("http").createServer((request, response) => {
  response.end([User.version, registry.names(), process.env.ADAPTED].join(" "));
}).listen(0, "127.0.0.1");
`,
  "user.js": `
const registry = require("registry");
class User { static version = "version-1"; }
registry.register("User", User);
exports.User = User;
`,
};

const body = `{
  name: "registry",
  packages: ["registry"],
  attach({ name, version, exports }, context) {
    process.env.ADAPTED = name + "@" + version;
    context.wrap(exports, "register", (original) => function (key, value) {
      context.record("entry " + key, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        exports.unregister(key);
      });
      return original.call(this, key, value);
    });
    return {
      purge({ file, classes }) {
        console.log("purged " + [...classes].map((one) => one.name + " " + one.version) + " of " + require("path").basename(file));
      },
    };
  },
}`;
const commonJs = `module.exports = ${body};`;
const esModule = `import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\nexport default ${body};`;

async function reloadsAsAdapted(served: ServedApp, files: TempApp): Promise<void> {
  assert.equal(await served.text("/"), "version-1 User registry@1.2.3");
  for (let version = 2; version < 6; version++) {
    files.edit("user.js", `version-${version - 1}`, `version-${version}`);
    assert.equal(await served.text("/"), `version-${version} User registry@1.2.3`, String(served.lines));
    await served.lines.wait(new RegExp(`^purged User version-${version - 1} of user.js$`));
  }
  assert.deepEqual(served.lines.complaints(), []);
}

describe("adapters of one's own", { skip: plainMode }, () => {
  const named: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "./adapters/registry.cjs": { "adapters/registry.cjs": commonJs },
    "adapters/registry.mjs": { "adapters/registry.mjs": esModule },
    "adapters/list.cjs": { "adapters/list.cjs": `module.exports = [${body}];` },
    "registry-adapter": {
      "node_modules/registry-adapter/package.json": `{ "name": "registry-adapter" }`,
      "node_modules/registry-adapter/index.js": commonJs,
    },
    "@scope/registry-adapter": {
      "node_modules/@scope/registry-adapter/package.json": `{ "name": "@scope/registry-adapter", "type": "module", "exports": { ".": { "types": "./none.d.ts", "import": { "default": "./lib/index.js" } } } }`,
      "node_modules/@scope/registry-adapter/lib/index.js": esModule,
    },
  };
  for (const [name, files] of Object.entries(named)) {
    test(`are named in a configuration file, as ${name}`, async () => {
      const config = { "unreloader.config.json": JSON.stringify({ adapters: [name] }) };
      await using temporary = new TempApp({ ...registry, ...app, ...files, ...config });
      await using served = await serve(temporary, "main.js");
      await reloadsAsAdapted(served, temporary);
    });
  }

  test("are named in code", async () => {
    await using temporary = new TempApp({ ...registry, ...app, "registry.mjs": esModule });
    await using supervisor = supervise(temporary, { adapters: [temporary.path("registry.mjs")] });
    assert.equal((await supervisor.start()).kind, "restarted");
    for (let version = 2; version < 6; version++) {
      temporary.edit("user.js", `version-${version - 1}`, `version-${version}`);
      assert.equal((await supervisor.reload()).kind, "reloaded");
      assert.equal(await (await supervisor.fetch("/")).text(), `version-${version} User registry@1.2.3`);
    }
  });

  test("come before those that are built in, for the same package", async () => {
    const own = `module.exports = { name: "own", packages: ["fastify"], attach({ name }) { process.env.ADAPTED = name; } };`;
    const files = { "own.cjs": own, "main.js": `require("fastify"); exports.sum = () => process.env.ADAPTED;` };
    await using temporary = new TempApp(files, { packages: ["fastify"] });
    await using supervisor = supervise(temporary, { adapters: [temporary.path("own.cjs")] });
    await supervisor.start();
    assert.equal(await supervisor.call("sum"), "fastify");
  });
});

describe("an adapter that does not fit", { skip: plainMode }, () => {
  const wrong: Readonly<Record<string, string>> = {
    "no default export": `export const adapter = {};`,
    "no object": `export default function attach() {};`,
    "no name": `export default { packages: [], attach() {} };`,
    "no list of packages": `export default { name: "a", packages: "registry", attach() {} };`,
    "no attach": `export default { name: "a", packages: ["registry"] };`,
    "a list with one that is none": `export default [{ name: "a", packages: [], attach() {} }, {}];`,
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`(${what}) fails the start, and the message names the file and what fits`, async () => {
      const files = { ...registry, ...app, "wrong.mjs": text, "main.js": `console.log("started");${app["main.js"]}` };
      await using temporary = new TempApp(files);
      const file = temporary.path("wrong.mjs");
      await using supervisor = supervise(temporary, { adapters: [file] });
      const failed: string[] = [];
      supervisor.on("failed", ({ error }) => failed.push(error?.message ?? ""));
      const report = await supervisor.start();
      assert.equal(report.kind, "failed");
      assert.deepEqual(failed, [report.error?.message]);
      assert.equal(
        report.error?.message,
        `option adapters ${file}: its default export must be { name, packages: [...], attach(library, context) } or a list of such`,
      );
      assert.deepEqual(supervisor.inspect().modules, [], "no file of the app was evaluated");
    });
  }

  test("(it throws as it is loaded) fails the start with its error", async () => {
    await using temporary = new TempApp({ ...registry, ...app, "wrong.cjs": `throw new Error("no licence");` });
    await using supervisor = supervise(temporary, { adapters: [temporary.path("wrong.cjs")] });
    const report = await supervisor.start();
    assert.equal(report.kind, "failed");
    assert.equal(
      report.error?.message,
      `option adapters ${temporary.path("wrong.cjs")}: it could not be loaded: no licence`,
    );
  });

  test("(there is none) is a bad option", async () => {
    const config = { "unreloader.config.json": `{ "adapters": ["registry-adapter"] }` };
    await using temporary = new TempApp({ ...app, ...config });
    const { code, lines } = await runToExit(temporary.folder, ["main.js"]);
    assert.equal(code, 1);
    assert.match(
      String(lines),
      /adapters .*unreloader\.config\.json.* registry-adapter: there is no such file or package/,
    );
  });
});

describe("an adapter that fails", { skip: plainMode }, () => {
  const failing = (attach: string) =>
    `module.exports = { name: "sloppy", packages: ["registry"], attach({ exports }, context) { ${attach} } };`;
  const forgiving = { ...app, "user.js": app["user.js"].replace("registry.register", "registry.unregister") };

  test("to attach is reported, and the app runs without it", async () => {
    await using temporary = new TempApp({
      ...registry,
      ...forgiving,
      "a.cjs": failing(`throw new Error("not today");`),
    });
    await using supervisor = supervise(temporary, { adapters: [temporary.path("a.cjs")] });
    const warnings = warningsOf(supervisor);
    assert.equal((await supervisor.start()).kind, "restarted");
    temporary.edit("user.js", "version-1", "version-2");
    assert.equal((await supervisor.reload()).kind, "reloaded");
    assert.deepEqual(warnings, ["adapter sloppy: could not be attached to registry 1.2.3: not today"]);
  });

  test("to purge, or to undo, is reported, and the reload goes on", async () => {
    const attach = `
      context.wrap(exports, "unregister", (original) => function (...args) {
        context.record("nothing", () => { throw new Error("not undone"); });
        return original.apply(this, args);
      });
      return { purge() { throw new Error("not purged"); } };`;
    await using temporary = new TempApp({ ...registry, ...forgiving, "a.cjs": failing(attach) });
    await using supervisor = supervise(temporary, { adapters: [temporary.path("a.cjs")] });
    const warnings = warningsOf(supervisor);
    await supervisor.start();
    temporary.edit("user.js", "version-1", "version-2");
    assert.equal((await supervisor.reload()).kind, "reloaded");
    assert.match(await (await supervisor.fetch("/")).text(), /^version-2 /);
    assert.equal(warnings[0]?.includes("user.js"), true);
    assert.match(warnings[0] ?? "", /undoing nothing.*not undone/);
    assert.equal(warnings[1], `adapter sloppy failed to purge the classes of user.js: not purged`);
  });
});

function supervise(app: TempApp, options: Partial<SupervisorOptions>): ReturnType<typeof createSupervisor> {
  return createSupervisor({ entry: app.path("main.js"), port: 0, logLevel: "silent", ...options });
}

function warningsOf(supervisor: ReturnType<typeof createSupervisor>): string[] {
  const warnings: string[] = [];
  supervisor.on("log", ({ level, message }) => level === "warn" && warnings.push(message));
  return warnings;
}
