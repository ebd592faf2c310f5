import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { EntryError, OptionError } from "../../src/common/errors.js";
import { matchingSourceFiles } from "../../src/common/globs.js";
import type { OptionOrigin } from "../../src/options/check-options.js";
import { editDistance, nearestName } from "../../src/options/nearest-name.js";
import { optionNames } from "../../src/options/option-table.js";
import { parseOptions, type ResolvedOptions } from "../../src/options/options.js";
import { Random, runSeed } from "../support/random.js";
import { TempApp } from "../support/temp-app.js";

const flags: OptionOrigin = { type: "flags" };
const code: OptionOrigin = { type: "code" };

function parse(app: TempApp, input: object, origin: OptionOrigin = code, env: NodeJS.ProcessEnv = {}): ResolvedOptions {
  return parseOptions({ entry: "src/app.ts", ...input }, { cwd: app.folder, origin, env });
}

/** The message of the OptionError that these options give. */
function complaint(app: TempApp, input: object, origin: OptionOrigin = code): string {
  try {
    parse(app, input, origin);
  } catch (error) {
    assert.ok(error instanceof OptionError, String(error));
    assert.equal(error.code, "ERR_UNRELOADER_OPTION");
    assert.doesNotMatch(error.message, /\n/, "a message is one line");
    return error.message;
  }
  return assert.fail(`no complaint about ${JSON.stringify(input)}`);
}

function smallApp(files: Record<string, string> = {}, name = "app"): TempApp {
  return new TempApp({ "src/app.ts": "", ...files }, { name });
}

test("process.argv[1] is the entry as it was named, where Node finds it by that", async () => {
  await using app = smallApp({ "server/index.js": "", "plain.mjs": "" });
  symlinkSync(app.path("src/app.ts"), app.path("linked.ts"));
  const scripts = ["src/app", "./server/", "plain.mjs", "linked.ts"].map((entry) => parse(app, { entry }).script);
  const expected = ["src/app.ts", "server", "plain.mjs", "linked.ts"];
  assert.deepEqual(
    scripts,
    expected.map((name) => app.path(name)),
  );
});

test("everything but the entry has a default", async () => {
  await using app = smallApp();
  assert.deepEqual(parse(app, {}), {
    entry: app.path("src/app.ts"),
    script: app.path("src/app.ts"),
    args: [],
    root: app.folder,
    port: undefined,
    host: undefined,
    fallback: { host: "127.0.0.1", port: 3000 },
    portFallback: false,
    portIsGuess: true,
    app: undefined,
    require: [],
    subclasses: undefined,
    depend: {},
    envFiles: [],
    scope: "affected",
    sockets: "move",
    live: false,
    cooldown: 0,
    watch: "auto",
    ignore: [],
    reload: true,
    autoload: true,
    onError: "page",
    panel: true,
    strictPurge: false,
    watchdog: 10_000,
    drain: undefined,
    exit: false,
    heldDeadline: 60_000,
    heldBytes: 67_108_864,
    standby: true,
    launcher: true,
    keys: true,
    clear: false,
    inspect: undefined,
    why: false,
    logLevel: "info",
    logFormat: "pretty",
    adapters: [],
    logger: undefined,
    configFiles: [],
  });
});

test("an option that is undefined counts as left out", async () => {
  await using app = smallApp();
  assert.deepEqual(parse(app, { port: undefined, subclasses: undefined, watch: undefined }), parse(app, {}));
});

test("a message names the option as its user wrote it, the value, and what fits", async () => {
  await using app = smallApp();
  assert.equal(complaint(app, { port: 70000 }, flags), "--port 70000: expected a whole number from 0 to 65535");
  assert.equal(complaint(app, { logLevel: 7 }), "option logLevel 7: expected debug, info, warn, error or silent");
  const config: OptionOrigin = { type: "config", file: app.path("unreloader.config.ts") };
  assert.equal(
    complaint(app, { onError: "crash" }, config),
    "option onError (unreloader.config.ts) crash: expected page or last-good",
  );
});

test("every option refuses a value of another type, in one line", async () => {
  await using app = smallApp();
  const symbol = Symbol("no option takes this");
  for (const option of optionNames) {
    assert.ok(complaint(app, { [option]: symbol }).startsWith(`option ${option} Symbol(`), option);
    assert.ok(complaint(app, { [option]: symbol }, flags).includes("expected"), option);
  }
});

test("a value that has no text is still shown in one line", async () => {
  await using app = smallApp();
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  assert.match(complaint(app, { port: circular }), /^option port an object: /);
  assert.match(complaint(app, { port: "a\nb" }), /^option port "a\\nb": /);
  assert.match(complaint(app, { port: "9".repeat(500) }), /^option port .{1,90}: /);
  assert.match(complaint(app, { app: "" }), /^option app "": expected the name of an export/);
  assert.match(complaint(app, { host: () => {} }), /^option host a function: /);
});

test("a misspelled name or choice is met with what was probably meant", async () => {
  await using app = smallApp();
  assert.equal(complaint(app, { onEror: "page" }), "unknown option onEror page; did you mean option onError?");
  assert.match(complaint(app, { scope: "afected" }, flags), /^--scope afected: .*; did you mean affected\?$/);
  assert.equal(complaint(app, { somethingElse: 1 }), "unknown option somethingElse 1; docs/options.md lists them");
});

test("options that are no object are refused", () => {
  for (const input of [null, "src/app.ts", 7, ["src/app.ts"]])
    assert.throws(() => parseOptions(input, { cwd: process.cwd(), origin: code }), OptionError);
});

test("files to load first and recorded dependencies are relative to the project root", async () => {
  await using app = smallApp({ "packages/api/package.json": "{}", "packages/api/src/main.ts": "" });
  const { require, depend } = parse(app, {
    entry: "packages/api/src/main.ts",
    require: ["src/*.ts", "!src/main.ts"],
    depend: { "views/**": ["src", "later/[id].ts"], "sql/users.sql": "src/main.ts" },
  });
  const root = (text: string) => app.path("packages/api", text);
  assert.deepEqual(require, [root("src/*.ts"), `!${root("src/main.ts")}`]);
  assert.deepEqual(depend, {
    [root("views/**")]: [root("src"), root("later/[id].ts")],
    [root("sql/users.sql")]: [root("src/main.ts")],
  });
});

test("the root is the folder of the nearest package.json above the entry", async () => {
  await using app = smallApp({ "packages/api/package.json": "{}", "packages/api/src/deep/main.ts": "" });
  assert.equal(parse(app, { entry: "packages/api/src/deep/main.ts" }).root, app.path("packages/api"));
  assert.equal(parse(app, { entry: "packages/api/src/deep/main.ts", root: "." }).root, app.folder);
  assert.match(complaint(app, { root: "src/app.ts" }, flags), /^--root src\/app\.ts: expected a folder/);
  assert.match(complaint(app, { root: "nowhere" }, flags), /^--root nowhere: expected a folder/);
});

test("the entry is found as Node finds it", async () => {
  await using app = smallApp({ "src/server/index.mts": "", "bin/www": "" });
  assert.equal(parse(app, { entry: "src/app" }).entry, app.path("src/app.ts"));
  assert.equal(parse(app, { entry: "./bin/www" }).entry, app.path("bin/www"));
  assert.equal(parse(app, { entry: "./src/server" }).entry, app.path("src/server/index.mts"));
  assert.equal(parse(app, { entry: app.path("src/app.ts") }).entry, app.path("src/app.ts"));
});

test("an entry that cannot be found has an error of its own", async () => {
  await using app = smallApp();
  assert.throws(
    () => parse(app, { entry: "src/missing.ts" }),
    (error) => error instanceof EntryError && error.message.includes("src/missing.ts") && !error.message.includes("\n"),
  );
  assert.throws(() => parse(app, { entry: "src" }), EntryError);
  assert.match(complaint(app, { entry: undefined }), /^option entry is missing/);
  assert.match(
    complaint(app, { entry: "package.json" }),
    /^option entry package\.json: expected a file that ends in \.ts/,
  );
});

test("a path through a symlink becomes the real path", async () => {
  await using app = smallApp();
  symlinkSync(app.path("src"), app.path("link"), "junction");
  const { entry, require } = parse(app, { entry: "link/app.ts", require: "link" });
  assert.equal(entry, app.path("src/app.ts"));
  assert.deepEqual(require, [app.path("src")]);
});

test("port and host override the app's own; without them an exported app gets PORT, else 3000", async () => {
  await using app = smallApp();
  const fallback = (input: object, env: NodeJS.ProcessEnv) => parse(app, input, code, env).fallback;
  assert.deepEqual(fallback({}, { PORT: "8080" }), { host: "127.0.0.1", port: 8080 });
  assert.deepEqual(fallback({ port: 0, host: "::1" }, { PORT: "8080" }), { host: "::1", port: 0 });
  for (const PORT of ["", "/tmp/pipe", "70000", "-1", "80a"])
    assert.deepEqual(fallback({}, { PORT }), { host: "127.0.0.1", port: 3000 }, `PORT=${PORT}`);
  assert.equal(parse(app, {}, code, { PORT: "8080" }).port, undefined, "PORT is the app's own to read");
});

test("the debugger's address is a port, a host, or both", async () => {
  await using app = smallApp();
  for (const value of ["localhost:99999", "a b", "host:", "99999"])
    assert.match(complaint(app, { inspect: value }, flags), /^--inspect .*expected true, false, a port, or HOST:PORT$/);
  const addresses: readonly [boolean | number | string, string, number][] = [
    [true, "127.0.0.1", 9229],
    [9230, "127.0.0.1", 9230],
    ["0", "127.0.0.1", 0],
    ["0.0.0.0:9230", "0.0.0.0", 9230],
    ["[::1]:9230", "::1", 9230],
    ["localhost", "localhost", 9229],
  ];
  for (const [inspect, host, port] of addresses) assert.deepEqual(parse(app, { inspect }).inspect, { host, port });
  assert.equal(parse(app, { inspect: false }).inspect, undefined);
});

test("quiet leaves warnings and errors, a log level wins over it", async () => {
  await using app = smallApp();
  assert.equal(parse(app, { quiet: true }).logLevel, "warn");
  assert.equal(parse(app, { quiet: true, logLevel: "debug" }).logLevel, "debug");
});

test("files to load first may be files, folders and globs, and a plain path must exist", async () => {
  await using app = smallApp({ "models/user.ts": "", "models/deep/post.ts": "", "models/notes.md": "" });
  const files = (...patterns: string[]) =>
    matchingSourceFiles(parse(app, { require: patterns }).require).map((file) => path.relative(app.folder, file));
  assert.deepEqual(files("models/user.ts"), ["models/user.ts"]);
  assert.deepEqual(files("models"), ["models/user.ts", "models/deep/post.ts"]);
  assert.deepEqual(files("models/**/*.ts", "!models/user.ts"), ["models/deep/post.ts"]);
  assert.deepEqual(files("later/*.ts"), []);
  assert.deepEqual(parse(app, { require: "models" }).require, [app.path("models")], "one need not be a list");
  assert.match(complaint(app, { require: ["modles"] }, flags), /^--require modles: there is no such file or folder$/);
});

test("folders whose names look like globs are taken literally", async () => {
  await using app = smallApp({ "models/[id].ts": "", "models/i.ts": "" }, "a (b) [c] {d,e}");
  const files = (...patterns: string[]) =>
    matchingSourceFiles(parse(app, { require: patterns }).require).map((file) => path.relative(app.folder, file));
  assert.deepEqual(files("models/*.ts"), ["models/[id].ts", "models/i.ts"]);
  assert.deepEqual(files("models/[id].ts"), ["models/[id].ts"]);
  assert.deepEqual(files("models"), ["models/[id].ts", "models/i.ts"]);
});

test("what is ignored is relative to the working folder, or anywhere when it begins with **", async () => {
  await using app = smallApp();
  const { ignore } = parse(app, { ignore: ["logs/**", "**/*.log", "!logs/keep.ts"] });
  assert.deepEqual(ignore, [app.path("logs/**"), "**/*.log", `!${app.path("logs/keep.ts")}`]);
});

test("env files must exist", async () => {
  await using app = smallApp({ ".env": "A=1\n" });
  assert.deepEqual(parse(app, { envFile: ".env" }).envFiles, [app.path(".env")]);
  assert.equal(
    complaint(app, { envFile: [".env", ".env.local"] }, flags),
    "--env-file .env.local: there is no such file",
  );
});

test("the nearest name is at most a third away, whatever the case", () => {
  assert.equal(nearestName("--cooldwon", ["--cooldown", "--watch"]), "--cooldown");
  assert.equal(nearestName("LOGLEVEL", ["logLevel", "logFormat"]), "logLevel");
  assert.equal(nearestName("zzz", ["app", "why"]), undefined);
});

test("the edit distance of random words is that of a search over all edits", () => {
  const seed = runSeed();
  const random = new Random(seed);
  const word = () => Array.from({ length: random.below(6) }, () => random.pick(["a", "b"])).join("");
  for (let round = 0; round < 300; round++) {
    const [from, to] = [word(), word()];
    assert.equal(editDistance(from, to), searchedDistance(from, to), `seed ${seed}: ${from} to ${to}`);
    assert.equal(editDistance(from, to), editDistance(to, from), `seed ${seed}: ${from} and ${to}`);
  }
});

/** By definition, without a table: the best of every edit at the end of both words. */
function searchedDistance(from: string, to: string): number {
  if (from === "" || to === "") return from.length + to.length;
  const [shorterFrom, shorterTo] = [from.slice(0, -1), to.slice(0, -1)];
  const same = from.at(-1) === to.at(-1);
  const choices = [
    searchedDistance(shorterFrom, to) + 1,
    searchedDistance(from, shorterTo) + 1,
    searchedDistance(shorterFrom, shorterTo) + (same ? 0 : 1),
  ];
  if (from.length > 1 && to.length > 1 && from.at(-1) === to.at(-2) && from.at(-2) === to.at(-1))
    choices.push(searchedDistance(from.slice(0, -2), to.slice(0, -2)) + 1);
  return Math.min(...choices);
}
