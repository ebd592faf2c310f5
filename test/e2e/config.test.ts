/** Where options are found, how a configuration is evaluated, and what is said when one does not fit. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { describe, test } from "node:test";
import { OptionError } from "../../src/common/errors.js";
import { ConfigChanges } from "../../src/options/config-changes.js";
import { configFolders } from "../../src/options/find-config.js";
import { loadConfig } from "../../src/options/load-config.js";
import { parseOptions, type ResolvedOptions } from "../../src/options/options.js";
import { projectRoot } from "../support/project.js";
import { plainMode, runToExit, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** The options of a command line in the app's folder. */
async function optionsIn(
  app: TempApp,
  input: Record<string, unknown> = {},
  cwd = app.folder,
): Promise<ResolvedOptions> {
  const config = await loadConfig(configFolders(input, cwd));
  return parseOptions(input, { cwd, origin: { type: "flags" }, config, env: {} });
}

async function complaint(app: TempApp, input: Record<string, unknown> = {}): Promise<string> {
  try {
    await optionsIn(app, input);
  } catch (error) {
    assert.ok(error instanceof OptionError, String(error));
    assert.doesNotMatch(error.message, /\n/, "a message is one line");
    return error.message;
  }
  return assert.fail("no complaint");
}

const main = { "src/app.ts": "" };

describe("configuration", () => {
  test("every kind of file, and the key of package.json, give the same options", async () => {
    const options = `{ "entry": "src/app.ts", "port": 4000, "onError": "last-good" }`;
    const places: Record<string, string> = {
      "unreloader.config.ts": `const port: number = 4000;\nexport default { entry: "src/app.ts", port, onError: "last-good" };`,
      "unreloader.config.mjs": `export default ${options};`,
      "unreloader.config.js": `module.exports = ${options};`,
      "unreloader.config.json": options,
      "package.json": `{ "name": "app", "unreloader": ${options} }`,
    };
    for (const [file, text] of Object.entries(places)) {
      await using app = new TempApp({ ...main, [file]: text });
      const { entry, port, onError, configFiles } = await optionsIn(app);
      assert.deepEqual(
        { entry, port, onError, configFiles },
        { entry: app.path("src/app.ts"), port: 4000, onError: "last-good", configFiles: [app.path(file)] },
        file,
      );
    }
  });

  test("a JSON file may name its schema, for editors", async () => {
    await using app = new TempApp({
      ...main,
      "unreloader.config.json": `{ "$schema": "./node_modules/unreloader/schema/options.json", "entry": "src/app.ts", "port": 1 }`,
    });
    assert.equal((await optionsIn(app)).port, 1);
  });

  test("flags win, one by one", async () => {
    await using app = new TempApp({
      ...main,
      "unreloader.config.json": `{ "entry": "src/app.ts", "port": 4000, "ignore": ["a/**"], "quiet": true }`,
    });
    const { port, ignore, logLevel } = await optionsIn(app, { port: 5000, logLevel: "debug" });
    assert.deepEqual({ port, ignore, logLevel }, { port: 5000, ignore: [app.path("a/**")], logLevel: "debug" });
    assert.equal((await optionsIn(app)).logLevel, "warn");
  });

  test("relative paths start from the file, also when the working folder is another", async () => {
    await using app = new TempApp({
      ...main,
      "deep/x": "",
      "my.env": "",
      "unreloader.config.json": `{ "envFile": "my.env", "require": "src", "root": "." }`,
    });
    const { envFiles, require, root } = await optionsIn(app, { entry: "../src/app.ts" }, app.path("deep"));
    assert.deepEqual([envFiles, require, root], [[app.path("my.env")], [app.path("src")], app.folder]);
  });

  test("the project of the entry comes before the working folder", async () => {
    await using app = new TempApp({
      "api/package.json": "{}",
      "api/app.ts": "",
      "web/package.json": "{}",
      "web/app.ts": "",
      "api/unreloader.config.json": `{ "port": 1 }`,
      "unreloader.config.json": `{ "port": 2 }`,
    });
    assert.equal((await optionsIn(app, { entry: "api/app.ts" })).port, 1);
    assert.equal((await optionsIn(app, { entry: "web/app.ts" })).port, 2);
  });

  test("a configuration in TypeScript may import others, and be a function", async () => {
    await using app = new TempApp({
      ...main,
      "config/ports.ts": `export enum Port { api = 4100 }\n`,
      "config/shared.cjs": `exports.ignore = ["tmp/**"];\n`,
      "unreloader.config.ts": `import { defineConfig } from "unreloader";
import { Port } from "./config/ports.js";
import shared from "./config/shared.cjs";
export default defineConfig(async () => ({ entry: "src/app.ts", port: Port.api, ignore: shared.ignore }));
`,
    });
    app.write("node_modules/x", "");
    symlinkSync(projectRoot, app.path("node_modules/unreloader"), "junction");
    const { port, ignore, configFiles } = await optionsIn(app);
    assert.deepEqual([port, ignore], [4100, [app.path("tmp/**")]]);
    assert.deepEqual(
      [...configFiles].sort(),
      ["config/ports.ts", "config/shared.cjs", "unreloader.config.ts"].map((file) => app.path(file)),
    );
  });

  test("an edited configuration is evaluated again, with what it imports", async () => {
    for (const [file, imports] of [
      ["unreloader.config.ts", `import { port } from "./ports.js";\nexport default { entry: "src/app.ts", port };\n`],
      ["unreloader.config.js", `module.exports = { entry: "src/app.ts", port: require("./ports.ts").port };\n`],
      ["unreloader.config.js", `module.exports = { entry: "src/app.ts", port: require("./ports.cjs").port };\n`],
    ] as const) {
      const ports = imports.includes("ports.cjs") ? "ports.cjs" : "ports.ts";
      const text = ports === "ports.cjs" ? "exports.port = 1;\n" : "export const port: number = 1;\n";
      await using app = new TempApp({ ...main, [ports]: text, [file]: imports });
      assert.equal((await optionsIn(app)).port, 1, file);
      app.edit(ports, "1", "2");
      assert.equal((await optionsIn(app)).port, 2, file);
      app.edit(file, "src/app.ts", "./src/app.ts");
      assert.equal((await optionsIn(app)).port, 2, file);
    }
  });

  test("a configuration in a package without a type may await, read JSON and import what is written later", async () => {
    await using app = new TempApp({
      ...main,
      "package.json": `{ "name": "a" }`,
      "ports.json": `{ "port": 4200 }`,
      "late.ts": "export enum Late { drain = 7 }\n",
      "unreloader.config.ts": `import ports from "./ports.json";
const { Late } = await import("./late.ts");
export default { entry: "src/app.ts", port: ports.port, drain: Late.drain };
`,
    });
    const { port, drain, configFiles } = await optionsIn(app);
    assert.deepEqual([port, drain], [4200, 7]);
    assert.deepEqual(
      [...configFiles].sort(),
      ["late.ts", "ports.json", "unreloader.config.ts"].map((file) => app.path(file)),
    );
  });

  test("two configurations in one folder are refused, both named", async () => {
    await using app = new TempApp({
      ...main,
      "package.json": `{ "unreloader": { "port": 1 } }`,
      "unreloader.config.ts": "export default {};",
    });
    assert.equal(
      await complaint(app, { entry: "src/app.ts" }),
      `unreloader.config.ts and the key "unreloader" of package.json, in ${app.folder}, both configure unreloader: keep one of them`,
    );
  });

  test("a message names the option, its value, the file, and what fits", async () => {
    const cases: readonly [file: string, text: string, message: string | RegExp][] = [
      [
        "unreloader.config.json",
        `{ "port": "http" }`,
        "option port (unreloader.config.json) http: expected a whole number from 0 to 65535",
      ],
      [
        "package.json",
        `{ "unreloader": { "onEror": "page" } }`,
        "unknown option onEror (package.json) page; did you mean onError?",
      ],
      ["unreloader.config.json", `[1]`, /^options \(unreloader\.config\.json\) must be an object such as/],
      ["unreloader.config.json", `{ "port": `, /^unreloader\.config\.json is not valid JSON: /],
      [
        "unreloader.config.json",
        `{ "envFile": "no.env" }`,
        "option envFile (unreloader.config.json) no.env: there is no such file",
      ],
      ["unreloader.config.ts", `export const port = 1;`, /^unreloader\.config\.ts has no default export: /],
      ["unreloader.config.ts", `\nexport default { port: };`, /^unreloader\.config\.ts:2:24: /],
      ["unreloader.config.ts", `interface A {}\n\nthrow new Error("no\\nport");`, "unreloader.config.ts:3:7: no"],
      [
        "unreloader.config.ts",
        `import "./gone.js";\nexport default {};`,
        /^unreloader\.config\.ts:1:8: Cannot find module/,
      ],
      [
        "unreloader.config.ts",
        `export default () => { throw new Error("later"); };`,
        "unreloader.config.ts threw: later",
      ],
    ];
    for (const [file, text, message] of cases) {
      await using app = new TempApp({ ...main, [file]: text });
      const said = await complaint(app, { entry: "src/app.ts" });
      if (typeof message === "string") assert.equal(said, message);
      else assert.match(said, message);
    }
  });

  test("no configuration is no error", async () => {
    await using app = new TempApp(main);
    assert.deepEqual((await optionsIn(app, { entry: "src/app.ts" })).configFiles, []);
    assert.match(await complaint(app), /^entry is missing/);
  });

  test("a changed file of the configuration is told and is no change of the app; package.json is both", async () => {
    await using app = new TempApp({
      ...main,
      "package.json": `{ "name": "a", "unreloader": { "port": 1 } }`,
      "unreloader.config.ts": "",
    });
    const [file, manifest] = [app.path("unreloader.config.ts"), app.path("package.json")];
    const changed = new Set([file, app.path("tsconfig.json")]);
    assert.deepEqual(new ConfigChanges([file]).take(changed), [
      "unreloader.config.ts changed: restart unreloader to use what it says now",
    ]);
    assert.deepEqual([...changed], [app.path("tsconfig.json")]);

    const key = new ConfigChanges([manifest]);
    app.edit("package.json", `"name": "a"`, `"name": "b"`);
    assert.deepEqual(key.take(new Set([manifest])), []);
    app.edit("package.json", `"port": 1`, `"port": 2`);
    const both = new Set([manifest]);
    assert.equal(key.take(both).length, 1);
    assert.deepEqual([...both], [manifest]);
    assert.deepEqual(key.take(new Set([manifest])), [], "told once");
  });
});

describe("configuration of a command line", { skip: plainMode }, () => {
  const server = `import http from "node:http";
http.createServer((_, response) => response.end(process.argv[2] ?? "none")).listen(process.env.PORT, "127.0.0.1");
`;

  test("starts the app without a flag, and a change of it is told without touching the app", async () => {
    await using app = new TempApp({
      "src/app.ts": server,
      "ports.ts": "export const port = 0;\n",
      "unreloader.config.ts": `import { port } from "./ports.js";\nexport default { args: ["configured"], port };\n`,
    });
    await using served = await serve(app, "src/app.ts");
    assert.equal(await served.text("/"), "configured");
    app.edit("ports.ts", "0", "1");
    await served.lines.wait(/warning: ports\.ts changed: restart unreloader to use what it says now/);
    assert.equal(await served.text("/"), "configured");
    assert.deepEqual(served.lines.matching(/reloaded|restarted/), []);
  });

  test("ends with 1 and one line when it does not fit", async () => {
    await using app = new TempApp({ "app.js": "", "unreloader.config.json": `{ "watch": "event" }` });
    const { code, lines } = await runToExit(app.folder, ["app.js"]);
    assert.equal(code, 1);
    assert.deepEqual(lines.all, [
      "unreloader: option watch (unreloader.config.json) event: expected auto, events or poll; did you mean events?",
    ]);
  });
});
