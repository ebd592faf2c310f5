/** knex and bookshelf, and what is below them: pools of connections to PostgreSQL, open SQLite databases. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { descriptors, skipWithoutSqlite, uniqueName } from "../support/databases.js";
import { serviceUrl, skipWithout } from "../support/services.js";

const withoutSqlite = skipWithoutSqlite();
const withoutPostgres = skipWithout("POSTGRES");
const options = { env: { POSTGRES: serviceUrl("POSTGRES") ?? "" } };

/** `TABLE` is put in by `named`. */
const knexFiles = {
  "db.js": `
const { knex } = require("knex");
const { watch } = require("./probe.cjs");
exports.version = "version-1";
exports.db = watch(knex(CONFIG));
`,
  "user.js": `
const { db } = require("./db.js");
exports.ready = (async () => {
  await db.schema.dropTableIfExists("TABLE");
  await db.schema.createTable("TABLE", (table) => { table.string("name"); });
  await db("TABLE").insert({ name: "version-1" });
})();
`,
  "main.js": `
const { db, version } = require("./db.js");
const { ready } = require("./user.js");
const { descriptors } = require("./descriptors.cjs");
require("./probe.cjs").serve(async ({ url }) => {
  await ready;
  if (url === "/descriptors") return descriptors("app.sqlite");
  if (url === "/drop") return db.schema.dropTable("TABLE");
  if (url === "/connections") {
    const { rows: [{ count }] } = await db.raw("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'TABLE'");
    return count;
  }
  const rows = await db("TABLE").select("name");
  return EDITED;
});
`,
  "descriptors.cjs": descriptors,
};

function named(files: Readonly<Record<string, string>>, words: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(files).map(([file, text]) => [
      file,
      Object.entries(words).reduce((written, [word, by]) => written.replaceAll(word, () => by), text),
    ]),
  );
}

for (const [edited, answer] of Object.entries({
  "db.js": "rows.length === 1 && version",
  "user.js": "rows.map(({ name }) => name).join()",
})) {
  test(`knex with better-sqlite3: ${edited} is edited`, { skip: withoutSqlite }, async () => {
    const CONFIG = `{ client: "better-sqlite3", connection: { filename: __dirname + "/app.sqlite" }, useNullAsDefault: true }`;
    const files = named(knexFiles, { CONFIG, TABLE: "users", EDITED: answer });
    const packages = ["knex", "better-sqlite3"];
    await reloadManyTimes({ packages, files, entry: "main.js", edited }, RELOADS, async ({ alive, served }) => {
      assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
      assert.ok((await alive()) <= 2, `${await alive()} are alive`);
    });
  });

  test(`knex with PostgreSQL: ${edited} is edited`, { skip: withoutPostgres }, async () => {
    const name = uniqueName(`knex_${edited.slice(0, 2)}`);
    const CONFIG = `{ client: "pg", connection: { connectionString: process.env.POSTGRES, application_name: "${name}" } }`;
    const files = named(knexFiles, { CONFIG, TABLE: name, EDITED: answer });
    const packages = ["knex", "pg"];
    await reloadManyTimes(
      { packages, files, entry: "main.js", edited, options },
      RELOADS,
      async ({ alive, served }) => {
        assert.ok(Number(await served.text("/connections")) <= 3, `${await served.text("/connections")} connections`);
        assert.ok((await alive()) <= 2, `${await alive()} are alive`);
        await served.text("/drop");
      },
    );
  });
}

test("knex: a method that a file adds to the query builder can be added again", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "extend.js": `
import knex from "knex";
import { watch } from "./probe.cjs";
const version = watch(function () { return this.from("version-1"); });
knex.QueryBuilder.extend("version", version);
knex.SchemaBuilder.extend("version", watch(function () { return this; }));
`,
    "main.js": `
import knex from "knex";
import "./extend.js";
import { serve } from "./probe.cjs";
const db = knex({ client: "pg" });
serve(() => db.version().toString().replace(/^.*"(.*)"$/, "$1"));
`,
  };
  await reloadManyTimes(
    { packages: ["knex", "pg"], files, entry: "main.js", edited: "extend.js" },
    20,
    async ({ alive }) => assert.ok((await alive()) <= 4, `${await alive()} are alive`),
  );
});

for (const edited of ["user.js", "shelf.js"]) {
  test(`bookshelf: ${edited} is edited`, { skip: withoutSqlite }, async () => {
    const files = {
      "descriptors.cjs": descriptors,
      "shelf.js": `
const knex = require("knex")({ client: "better-sqlite3", connection: { filename: __dirname + "/app.sqlite" }, useNullAsDefault: true });
const { watch } = require("./probe.cjs");
exports.version = "version-1";
exports.knex = knex;
exports.shelf = watch(require("bookshelf")(knex));
`,
      "user.js": `
const { shelf } = require("./shelf.js");
const { watch } = require("./probe.cjs");
exports.User = watch(shelf.model("User", {
  tableName: "users",
  posts() { return this.hasMany("Post"); },
}, { version: () => "version-1" }));
exports.Users = watch(shelf.collection("Users", { model: exports.User }));
`,
      "post.js": `
const { shelf } = require("./shelf.js");
shelf.model("Post", { tableName: "posts", user() { return this.belongsTo("User"); } });
`,
      "main.js": `
const { knex, shelf, version } = require("./shelf.js");
require("./user.js");
require("./post.js");
const { descriptors } = require("./descriptors.cjs");
const ready = (async () => {
  await knex.schema.dropTableIfExists("posts");
  await knex.schema.dropTableIfExists("users");
  await knex.schema.createTable("users", (table) => { table.increments(); table.string("name"); });
  await knex.schema.createTable("posts", (table) => { table.increments(); table.integer("user_id"); });
  const user = await shelf.model("User").forge({ name: "x" }).save();
  await shelf.model("Post").forge({ user_id: user.id }).save();
})();
require("./probe.cjs").serve(async ({ url }) => {
  await ready;
  if (url === "/descriptors") return descriptors("app.sqlite");
  const post = await shelf.model("Post").forge().fetch({ withRelated: ["user"] });
  const user = post.related("user");
  const posts = await user.posts().fetch();
  if (!(user instanceof shelf.model("User")) || posts.length !== 1) return "another class";
  return ${edited === "user.js" ? "user.constructor.version()" : "version"};
});
`,
    };
    const packages = ["bookshelf", "knex", "better-sqlite3"];
    await reloadManyTimes({ packages, files, entry: "main.js", edited }, RELOADS, async ({ alive, served }) => {
      assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
      assert.ok((await alive()) <= 6, `${await alive()} are alive`);
    });
  });
}

test("better-sqlite3: a database is closed with the file that opened it", { skip: withoutSqlite }, async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "descriptors.cjs": descriptors,
    "db.js": `
import Database from "better-sqlite3";
import { watch } from "./probe.cjs";
export const db = watch(new Database(process.cwd() + "/app.sqlite"));
db.exec("CREATE TABLE IF NOT EXISTS versions (name); DELETE FROM versions; INSERT INTO versions VALUES ('version-1')");
export const isRight = db instanceof Database;
`,
    "main.js": `
import { db, isRight } from "./db.js";
import { descriptors } from "./descriptors.cjs";
import { serve } from "./probe.cjs";
serve(({ url }) => url === "/descriptors" ? descriptors("app.sqlite") : isRight && db.prepare("SELECT name FROM versions").get().name);
`,
  };
  await reloadManyTimes(
    { packages: ["better-sqlite3"], files, entry: "main.js", edited: "db.js" },
    RELOADS,
    async ({ alive, served }) => {
      assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
      assert.ok((await alive()) <= 2, `${await alive()} are alive`);
    },
  );
});

for (const edited of ["db.js", "warm.mjs"]) {
  test(`pg: pools and clients when ${edited} is edited`, { skip: withoutPostgres }, async () => {
    const name = uniqueName(`pg_${edited.slice(0, 2)}`);
    const files = {
      "db.js": `
const { Client, Pool } = require("pg");
const { watch } = require("./probe.cjs");
const settings = { connectionString: process.env.POSTGRES, application_name: "${name}" };
const client = watch(new Client(settings));
const connecting = client.connect();
const pool = watch(new Pool(settings));
exports.version = "version-1";
exports.ask = async (sql) => {
  await connecting;
  const { rows: [row] } = await client.query("SELECT 1 AS one");
  const { rows } = await pool.query(sql);
  return row.one === 1 && rows[0].answer;
};
`,
      // The pool's first connection is asked for here, and is the pool's none the less.
      "warm.mjs": `
import { ask } from "./db.js";
export const version = await ask("SELECT 'version-1' AS answer");
`,
      "main.mjs": `
import { ask, version as asked } from "./db.js";
import { version } from "./warm.mjs";
import { serve } from "./probe.cjs";
serve(({ url }) => ask(url === "/connections"
  ? "SELECT count(*) AS answer FROM pg_stat_activity WHERE application_name = '${name}'"
  : "SELECT '" + ${edited === "db.js" ? "asked" : "version"} + "' AS answer"));
`,
    };
    await reloadManyTimes(
      { packages: ["pg"], files, entry: "main.mjs", edited, options },
      RELOADS,
      async ({ alive, served, lines }) => {
        assert.ok(Number(await served.text("/connections")) <= 3, `${await served.text("/connections")} connections`);
        assert.ok((await alive()) <= 4, `${await alive()} are alive`);
        assert.ok(!/terminated/.test(String(lines)), String(lines));
      },
    );
  });
}
