/**
 * Instances of libraries that an adapter knows, exported by a file of their own: a file that registers something with one,
 * or goes through it, is evaluated again alone. The connections of the instance stay open, and the answers are right.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { skipWithoutSqlite } from "../support/databases.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

interface Case {
  readonly packages: readonly string[];
  /** Text of `instance.js`, which exports the instance. */
  readonly instance: string;
  /** Text of `user.js`, which is edited: its `answer` gives "version-1". It has the instance as `it`. */
  readonly user: string;
  readonly skip?: string | false;
}

const withoutSqlite = skipWithoutSqlite();
const sqlite = `require("knex")({ client: "better-sqlite3", connection: { filename: ":memory:" }, useNullAsDefault: true })`;
const entity = `const { EntitySchema } = require("typeorm");
const User = new EntitySchema({ name: "User", columns: { id: { type: Number, primary: true } } });`;

const cases: Readonly<Record<string, Case>> = {
  "sequelize, define": {
    packages: ["sequelize", "sqlite3"],
    instance: `const { Sequelize } = require("sequelize");
module.exports = new Sequelize({ dialect: "sqlite", storage: ":memory:", logging: false, dialectModule: { Database: class {} } });`,
    user: `const { DataTypes } = require("sequelize");
const User = it.define("User", { name: { type: DataTypes.STRING, defaultValue: "version-1" } });
exports.answer = () => it.models.User.build().name;`,
  },
  "sequelize, init": {
    packages: ["sequelize", "sqlite3"],
    instance: `const Sequelize = require("sequelize");
exports.db = new Sequelize({ dialect: "sqlite", storage: ":memory:", logging: false, dialectModule: { Database: class {} } });`,
    user: `const { DataTypes, Model } = require("sequelize");
class User extends Model { version() { return "version-1"; } }
User.init({ name: DataTypes.STRING }, { sequelize: it.db });
it.db.addHook("beforeDefine", () => undefined);
exports.answer = () => it.db.models.User.build().version();`,
  },
  mongoose: {
    packages: ["mongoose"],
    instance: `module.exports = require("mongoose").createConnection();`,
    user: `const { Schema } = require("mongoose");
const schema = new Schema({ name: { type: String, default: "version-1" } });
it.model("User", schema);
exports.answer = () => new (it.model("User"))().name;`,
  },
  "mongoose, an object of the app's own with it": {
    packages: ["mongoose"],
    instance: `exports.db = { main: require("mongoose").createConnection() };`,
    user: `const { Schema } = require("mongoose");
it.db.main.model("User", new Schema({ name: { type: String, default: "version-1" } }));
exports.answer = () => new (it.db.main.model("User"))().name;`,
  },
  knex: {
    packages: ["knex", "better-sqlite3"],
    skip: withoutSqlite,
    instance: `module.exports = ${sqlite};`,
    user: `it.on("query", () => undefined);
const rows = it.raw("select 'version-1' as version");
exports.answer = async () => (await rows)[0].version;`,
  },
  bookshelf: {
    packages: ["bookshelf", "knex", "better-sqlite3"],
    skip: withoutSqlite,
    instance: `module.exports = require("bookshelf")(${sqlite});`,
    user: `it.model("User", { tableName: "users", version() { return "version-1"; } });
exports.answer = () => it.model("User").forge().version();`,
  },
  typeorm: {
    packages: ["typeorm", "better-sqlite3"],
    skip: withoutSqlite,
    instance: `const { DataSource } = require("typeorm");
${entity}
const db = new DataSource({ type: "better-sqlite3", database: ":memory:", entities: [User], synchronize: true });
exports.db = db;
exports.ready = db.initialize();`,
    user: `it.ready.then(() => it.db.getRepository("User"));
exports.answer = async () => (await it.db.query("select 'version-1' as version"))[0].version;`,
  },
  "mikro-orm": {
    packages: ["@mikro-orm/core", "@mikro-orm/sqlite", "@mikro-orm/knex", "better-sqlite3"],
    skip: withoutSqlite,
    instance: `const { EntitySchema, MikroORM } = require("@mikro-orm/sqlite");
const User = new EntitySchema({ name: "User", properties: { id: { type: "number", primary: true } } });
module.exports = MikroORM.initSync({ dbName: ":memory:", entities: [User] });`,
    user: `const em = it.em.fork();
const repository = it.em.getRepository("User");
exports.answer = async () => {
  await it.connect();
  return (await em.getConnection().execute("select 'version-1' as version"))[0].version;
};`,
  },
  ajv: {
    packages: ["ajv"],
    instance: `const Ajv = require("ajv");\nmodule.exports = new Ajv();`,
    user: `it.addSchema({ $id: "user", type: "object", required: ["version-1"] });
it.addKeyword("shown");
exports.answer = () => (it.validate("user", {}), it.errors[0].params.missingProperty);`,
  },
  inversify: {
    packages: ["inversify", "reflect-metadata"],
    instance: `require("reflect-metadata");\nconst { Container } = require("inversify");\nmodule.exports = new Container();`,
    user: `it.bind("version").toConstantValue("version-1");\nexports.answer = () => it.get("version");`,
  },
  tsyringe: {
    packages: ["tsyringe", "reflect-metadata"],
    instance: `require("reflect-metadata");\nmodule.exports = require("tsyringe").container.createChildContainer();`,
    user: `it.register("version", { useValue: "version-1" });\nexports.answer = () => it.resolveAll("version").join();`,
  },
  typedi: {
    packages: ["typedi", "reflect-metadata"],
    instance: `require("reflect-metadata");\nmodule.exports = require("typedi").Container.of("app");`,
    user: `it.set("version", "version-1");\nexports.answer = () => it.get("version");`,
  },
  passport: {
    packages: ["passport"],
    instance: `const { Passport } = require("passport");\nmodule.exports = new Passport();`,
    user: `it.serializeUser((user, done) => done(null, "version-1"));
it.use("own", { authenticate() {} });
exports.answer = () => new Promise((done) => it.serializeUser({}, {}, (error, id) => done(id)));`,
  },
  "prom-client": {
    packages: ["prom-client"],
    instance: `const { Registry } = require("prom-client");\nmodule.exports = new Registry();`,
    user: `const { Counter } = require("prom-client");
new Counter({ name: "visits", help: "version-1", registers: [it] });
it.setDefaultLabels({ app: "app" });
exports.answer = async () => /version-./.exec(await it.metrics())[0];`,
  },
  winston: {
    packages: ["winston"],
    instance: `const winston = require("winston");\nmodule.exports = winston.createLogger({ transports: [new winston.transports.Console({ silent: true })] });`,
    user: `const winston = require("winston");
it.add(new winston.transports.Console({ silent: true }));
const child = it.child({ version: "version-1" });
exports.answer = () => it.transports.length === 2 ? "version-1" : it.transports.length;`,
  },
  pino: {
    packages: ["pino"],
    instance: `module.exports = require("pino")({ level: "silent" });`,
    user: `const child = it.child({ version: "version-1" });
it.setBindings({ app: "app" });
it.level = "fatal";
exports.answer = () => child.bindings().version;`,
  },
  ioredis: {
    packages: ["ioredis"],
    instance: `const { Redis } = require("ioredis");\nmodule.exports = new Redis({ lazyConnect: true });`,
    user: `it.defineCommand("version", { lua: "return 'version-1'", numberOfKeys: 0 });
it.on("error", () => undefined);
exports.answer = () => it.scriptsSet.version.lua.slice(8, -1);`,
  },
  "node-cron": {
    packages: ["node-cron"],
    instance: `module.exports = require("node-cron").schedule("0 0 1 1 *", () => undefined);`,
    user: `it.stop();\nit.start();\nexports.answer = () => "version-1";`,
  },
};

const note = (name: string): string => `require("node:fs").appendFileSync(__dirname + "/evaluated.txt", "${name} ");\n`;
const present = Object.entries(cases).filter(([, { skip = false }]) => skip === false);
/** Each library has a folder of its own in one app. */
const folders = new Map(present.map(([name], index) => [name, `library-${index}`]));

const main = `const { createServer } = require("node:http");
const answers = { ${[...folders.values()].map((folder) => `"/${folder}": require("./${folder}/user").answer`).join(", ")} };
createServer(async (request, response) => {
  response.end(String(await Promise.resolve().then(answers[request.url]).catch((error) => error.stack)));
}).listen(process.env.PORT, "127.0.0.1");
`;

test("an instance is kept when a file that uses it is evaluated again:", async (context) => {
  const files: Record<string, string> = { "main.js": main };
  for (const [name, { instance, user }] of present) {
    files[`${folders.get(name)}/instance.js`] = `${note("instance")}${instance}`;
    files[`${folders.get(name)}/user.js`] = `${note("user")}const it = require("./instance");\n${user}`;
  }
  await using app = new TempApp(files, { packages: [...new Set(present.flatMap(([, { packages }]) => packages))] });
  // All of them take a while to load.
  await using served = await serve(app, "main.js", { flags: ["--watchdog", "off"] });
  for (const [name, folder] of folders)
    await context.test(name, async () => {
      assert.equal(await served.text(`/${folder}`), "version-1", String(served.lines));
      for (let version = 2; version <= 4; version++) {
        const text = app.read(`${folder}/user.js`);
        app.write(`${folder}/user.js`, text.replaceAll(`version-${version - 1}`, `version-${version}`));
        assert.equal(await served.text(`/${folder}`), `version-${version}`, String(served.lines));
      }
      const evaluated = app.read(`${folder}/evaluated.txt`);
      if (served.inPlace) assert.equal(evaluated, "user instance user user user ", String(served.lines));
    });
  if (served.inPlace)
    for (const [name, folder] of folders)
      assert.match(app.read(`${folder}/evaluated.txt`), /^user instance (user ){3}$/, `${name}\n${served.lines}`);
  assert.deepEqual(served.lines.complaints(), []);
});
