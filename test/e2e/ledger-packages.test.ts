/** What modules register with packages that no adapter knows is taken out at their purge; other packages are left alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const RELOADS = 8;

/** A package with every kind of registry, and with one that does not let go. */
const hooks = `
class Registry { constructor() { this.entries = []; } }
exports.list = [];
exports.handlers = new Map();
exports.tags = new Set();
exports.helpers = { builtin() {} };
exports.registry = new Registry();
exports.connections = {};
exports.connect = (name) => (exports.connections[name] ??= new (class Connection {})());
exports.clear = (name, value) => Object.defineProperty(exports.helpers, name, { value, configurable: false, enumerable: true, writable: false });
`;

const main = (show: string): string => `const { createServer } = require("node:http");
const hooks = require("hooks");
require("./plugin.js");
createServer((req, res) => res.end(JSON.stringify(${show}))).listen(process.env.PORT);
`;

const show = `[hooks.list.map((one) => one()), [...hooks.handlers.keys()], [...hooks.tags], Object.keys(hooks.helpers), hooks.registry.entries.map(({ name }) => name)]`;

const plugin = (name: string): string => `const hooks = require("hooks");
hooks.list.push(() => "${name}");
hooks.handlers.set("${name}", () => {});
hooks.tags.add("${name}");
hooks.helpers["${name}"] = function () {};
hooks.registry.entries.push({ name: "${name}", run() {} });
`;

const complaints = (served: ServedApp): string[] => served.lines.matching(/taking out|stale/);

describe("registrations with a package that no adapter knows", () => {
  test("are taken out when the module that made them is purged", async () => {
    await using app = new TempApp({
      "node_modules/hooks/package.json": `{ "name": "hooks", "version": "1.0.0", "main": "index.js" }`,
      "node_modules/hooks/index.js": hooks,
      "main.js": main(show),
      "plugin.js": plugin("one"),
    });
    await using served = await serve(app, "main.js");
    const expected = (...names: string[]) => [names, names, names, ["builtin", ...names], names];
    assert.deepEqual(await served.json("/"), expected("one"));
    for (const name of ["two", "three"]) {
      app.write("plugin.js", plugin(name));
      assert.deepEqual(await served.json("/"), expected(name));
    }
    app.write("plugin.js", "");
    assert.deepEqual(await served.json("/"), expected());
    app.write("plugin.js", plugin("four"));
    assert.deepEqual(await served.json("/"), expected("four"));
    assert.deepEqual(complaints(served), []);
  });

  test("also those of callbacks and continuations that it has left behind", async () => {
    await using app = new TempApp({
      "node_modules/jobs/package.json": `{ "name": "jobs", "version": "1.0.0", "main": "index.js" }`,
      "node_modules/jobs/index.js": `exports.jobs = [];
exports.add = (name) => {
  if (exports.jobs.some((job) => job.name === name)) throw new Error(name + " is there already");
  exports.jobs.push({ name, run() {} });
};`,
      "word.js": `exports.word = "one";\n`,
      "main.js": `const { createServer } = require("node:http");
const { execFile } = require("node:child_process");
const { promises, readFile } = require("node:fs");
const { setTimeout: delay } = require("node:timers/promises");
const { connect } = require("node:net");
const { EventEmitter } = require("node:events");
const { add, jobs } = require("jobs");
const { word } = require("./word");
const waiting = [];
const registered = (name, begin) => waiting.push(new Promise((resolve) => begin(() => resolve(add(name)))));
const bus = new EventEmitter();
const ticks = [];
registered("event", (done) => bus.once("late", done));
registered("timer", (done) => setTimeout(done, 5));
setTimeout(() => [bus, process].forEach((one) => one.emit("late")), 10);
registered("process event", (done) => process.once("late", done));
const server = createServer(async (_, response) => {
  const problems = (await Promise.allSettled(waiting)).flatMap(({ reason }) => reason?.message ?? []);
  response.end(JSON.stringify([word, jobs.map(({ name }) => name).sort(), problems, ticks.length]));
});
server.listen(process.env.PORT, "127.0.0.1", () => {
  add("listen");
  registered("file", (done) => readFile(__filename, done));
  registered("child", (done) => execFile(process.execPath, ["-v"], done));
  registered("await", async (done) => {
    await promises.readFile(__filename);
    await delay(5);
    await new Promise((resolve) => connect(server.address().port, "127.0.0.1", resolve).on("error", resolve).unref());
    await promises.readFile(__filename);
    done();
    // Of the first start, too.
    const tick = () => ticks.push(word);
    process.on("SIGWINCH", tick);
    setInterval(tick, 60_000).unref();
    ticks.push(process.listenerCount("SIGWINCH"));
  });
});
`,
    });
    await using served = await serve(app, "main.js");
    const names = ["await", "child", "event", "file", "listen", "process event", "timer"];
    for (const word of ["one", "two", "three"]) {
      app.write("word.js", `exports.word = "${word}";\n`);
      assert.deepEqual(await served.json("/"), [word, names, [], 1], String(served.lines));
    }
  });

  test("but what the package made for whoever asks stays", async () => {
    await using app = new TempApp({
      "node_modules/hooks/package.json": `{ "name": "hooks", "version": "1.0.0", "main": "index.js" }`,
      "node_modules/hooks/index.js": hooks,
      "main.js": main(`hooks.connect("db") === require("./kept.js").connection`),
      "kept.js": `exports.connection = require("hooks").connect("db");\n`,
      "plugin.js": `require("hooks").connect("db");\nrequire("./kept.js");\n`,
    });
    await using served = await serve(app, "main.js");
    for (const text of ["", "// edited\n", "// again\n"]) {
      app.append("plugin.js", text);
      assert.equal(await served.json("/"), true);
    }
  });

  test("and what cannot be taken out is told as a stale reference", async () => {
    await using app = new TempApp({
      "node_modules/hooks/package.json": `{ "name": "hooks", "version": "1.0.0", "main": "index.js" }`,
      "node_modules/hooks/index.js": hooks,
      "main.js": main("Object.keys(hooks.helpers)"),
      "plugin.js": `require("hooks").clear("fixed", () => {});\n`,
    });
    await using served = await serve(app, "main.js");
    assert.deepEqual(await served.json("/"), ["builtin", "fixed"]);
    app.write("plugin.js", "\n");
    await served.json("/");
    if (!served.inPlace) return;
    await served.lines.wait(/stale references: 1 old version of plugin\.js, .*entry fixed/);
    assert.equal(complaints(served).length, 1, served.lines.toString());
  });
});

describe("--strict-purge", () => {
  test("gives a fresh worker when a package keeps something", async () => {
    await using app = new TempApp({
      "node_modules/hooks/package.json": `{ "name": "hooks", "version": "1.0.0", "main": "index.js" }`,
      "node_modules/hooks/index.js": hooks,
      "main.js": main("Object.keys(hooks.helpers)"),
      "plugin.js": `require("hooks").clear("fixed", () => {});\n`,
    });
    await using served = await serve(app, "main.js", { flags: ["--strict-purge"] });
    assert.deepEqual(await served.json("/"), ["builtin", "fixed"]);
    app.write("plugin.js", "\n");
    assert.deepEqual(await served.json("/"), ["builtin"]);
    if (served.inPlace) assert.equal(served.lines.matching(/plugin\.js was purged, but its entry fixed/).length, 1);
  });
});

/** A package with one queue for all, which it works off with pauses between, and an app that has begun it. */
const queueApp = (pauseMs: number) => ({
  "node_modules/queue/package.json": `{ "name": "queue", "version": "1.0.0" }`,
  "node_modules/queue/index.js": `const { existsSync } = require("node:fs");
let waiting;
exports.begin = () => {
  if (waiting) return void waiting.push(exports.begin);
  waiting = [];
  const next = () => {
    if (!existsSync(__dirname + "/go")) return void setTimeout(next, ${pauseMs});
    const done = waiting;
    waiting = undefined;
    for (const one of done) one();
  };
  next();
};
exports.done = (then) => (waiting ? waiting.push(then) : then());
`,
  "text.js": `exports.text = "one";\n`,
  "main.js": `const { text } = require("./text");
const queue = require("queue");
queue.begin();
require("node:http").createServer((req, res) => queue.done(() => res.end(text))).listen(process.env.PORT);
`,
});

test("a queue that a package works off by timers goes on when the module that has begun it is purged", async () => {
  await using app = new TempApp(queueApp(4));
  await using served = await serve(app, "main.js");
  app.edit("text.js", "one", "two");
  const answer = served.getOnce("/");
  if (served.inPlace) await served.lines.wait(/reloaded .*text\.js changed/);
  app.write("node_modules/queue/go", "");
  assert.match((await answer).body, served.inPlace ? /^two$/ : /^one$/);
});

test("a queue with longer pauses, which the purge has stopped, gets a fresh worker when somebody waits for it", async () => {
  await using app = new TempApp(queueApp(100));
  await using served = await serve(app, "main.js");
  if (!served.inPlace) return;
  app.edit("text.js", "one", "two");
  // Its client gets no answer any more.
  served.getOnce("/").catch(() => undefined);
  await served.lines.wait(/restarted .*: main\.js was purged, but its place in a queue of the package queue stays/);
  app.write("node_modules/queue/go", "");
  assert.equal((await served.getOnce("/")).body, "two");
});

/** Packages that need no help: what a module typically does with each, and an expression that shows it. */
const quiet: Readonly<Record<string, { readonly packages: readonly string[]; readonly text: string }>> = {
  express: {
    packages: ["express"],
    text: `const express = require("express"); const router = express.Router(); router.get("/x", () => {}); const app = express(); app.use(router);
exports.value = () => router.stack.map((layer) => layer.route.path + VERSION);`,
  },
  koa: {
    packages: ["koa"],
    text: `const Koa = require("koa"); const app = new Koa(); app.use(() => VERSION); exports.value = () => app.middleware.map((one) => one());`,
  },
  hono: {
    packages: ["hono"],
    text: `const { Hono } = require("hono"); const app = new Hono(); app.get("/x" + VERSION, (c) => c.text("x")); exports.value = () => app.routes.map((route) => route.path);`,
  },
  zod: {
    packages: ["zod"],
    text: `const { z } = require("zod"); const User = z.object({ age: z.literal(VERSION) }).meta({ id: "User" });
exports.value = () => [User.parse({ age: VERSION }), User.shape.age.value, z.globalRegistry.get(User).id];`,
  },
  yup: {
    packages: ["yup"],
    text: `const yup = require("yup"); const schema = yup.object({ v: yup.number().default(VERSION) }); exports.value = () => schema.getDefault();`,
  },
  typebox: {
    packages: ["@sinclair/typebox"],
    text: `const { Type, FormatRegistry } = require("@sinclair/typebox"); FormatRegistry.Set("even", (value) => value.length % 2 === 0);
const schema = Type.Object({ v: Type.Literal(VERSION) }); exports.value = () => [schema.properties.v.const, FormatRegistry.Has("even")];`,
  },
  handlebars: {
    packages: ["handlebars"],
    text: `const handlebars = require("handlebars"); handlebars.registerHelper("version", () => VERSION); handlebars.registerPartial("p", "{{version}}!" + VERSION);
exports.value = () => handlebars.compile("{{version}} {{> p}}")({});`,
  },
  "reflect-metadata": {
    packages: ["reflect-metadata"],
    text: `require("reflect-metadata"); class Thing {} Reflect.defineMetadata("v", VERSION, Thing); exports.value = () => Reflect.getMetadata("v", Thing);`,
  },
  awilix: {
    packages: ["awilix"],
    text: `const { createContainer, asValue } = require("awilix"); const container = createContainer(); container.register({ v: asValue(VERSION) }); exports.value = () => container.resolve("v");`,
  },
  drizzle: {
    packages: ["drizzle-orm"],
    text: `const { sqliteTable, integer } = require("drizzle-orm/sqlite-core"); const table = sqliteTable("t" + VERSION, { id: integer("id").primaryKey() });
const { getTableName } = require("drizzle-orm"); exports.value = () => getTableName(table);`,
  },
  objection: {
    packages: ["objection", "knex", "better-sqlite3"],
    text: `const { Model } = require("objection"); class User extends Model { static get tableName() { return "users" + VERSION; } static get idColumn() { return "id"; } }
exports.value = () => [User.tableName, User.fromJson({ v: VERSION }).v];`,
  },
  sequelize: {
    packages: ["sequelize", "sqlite3"],
    text: `const { Sequelize, DataTypes } = require("sequelize"); const sequelize = new Sequelize({ dialect: "sqlite", storage: ":memory:", logging: false });
const User = sequelize.define("User", { name: { type: DataTypes.STRING, defaultValue: "n" + VERSION } }); exports.value = () => [User.build().name, Object.keys(sequelize.models)];`,
  },
};

test("packages that need no help:", async (context) => {
  const folders = new Map(Object.keys(quiet).map((name, index) => [name, `library-${index}`]));
  const versioned = (name: string, version: number): string =>
    (quiet[name]?.text ?? "").replaceAll("VERSION", String(version));
  const values = [...folders.values()].map((folder) => `"/${folder}": require("./${folder}/plugin.js")`).join(", ");
  await using app = new TempApp(
    {
      "main.js": `const plugins = { ${values} };
require("node:http").createServer((req, res) => res.end(JSON.stringify(plugins[req.url].value()))).listen(process.env.PORT);\n`,
      ...Object.fromEntries([...folders].map(([name, folder]) => [`${folder}/plugin.js`, versioned(name, 1)])),
    },
    { packages: [...new Set(Object.values(quiet).flatMap(({ packages }) => packages))] },
  );
  // All of them take a while to load.
  await using served = await serve(app, "main.js", { flags: ["--watchdog", "off"] });
  for (const [name, folder] of folders)
    await context.test(`${name}: ${RELOADS} reloads, the right answers, nothing reported`, async () => {
      const first = await served.text(`/${folder}`);
      assert.match(first, /1/);
      for (let version = 2; version <= RELOADS; version++) {
        app.write(`${folder}/plugin.js`, versioned(name, version));
        assert.equal(await served.text(`/${folder}`), first.replaceAll("1", String(version)));
      }
      assert.deepEqual(complaints(served), []);
      assert.deepEqual(served.lines.complaints(), [], String(served.lines));
    });
});
