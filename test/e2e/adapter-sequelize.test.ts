/** sequelize: models and associations without a connection, and against a real PostgreSQL. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { uniqueName } from "../support/databases.js";
import { serviceUrl, skipWithout } from "../support/services.js";

const skip = skipWithout("POSTGRES");
const url = serviceUrl("POSTGRES") ?? "";
const packages = ["sequelize", "pg"];

/** Never connects, unless asked something of the database. */
const unconnected = `new Sequelize("postgres://nobody@127.0.0.1:1/none", { logging: false })`;

const db = `
const { Sequelize } = require("sequelize");
const { watch } = require("./probe.cjs");
exports.sequelize = watch(${unconnected});
`;
const user = `
const { DataTypes, Model } = require("sequelize");
const { sequelize } = require("./db.js");
const { watch } = require("./probe.cjs");
class User extends Model {
  static version() { return "version-1"; }
}
User.init({ name: DataTypes.STRING }, { sequelize });
exports.User = watch(User);
`;
const post = `
const { DataTypes } = require("sequelize");
const { sequelize } = require("./db.js");
const { watch } = require("./probe.cjs");
exports.Post = watch(sequelize.define("Post", { title: DataTypes.STRING }));
exports.Post.version = () => "version-1";
`;

/** A package that the app shares with others: an instance in it is kept whatever the app's files do. */
const kept = "node_modules/kept/index.js";

test("sequelize: a model is defined anew in an instance that is kept", async () => {
  const files = {
    [kept]: `const { Sequelize } = require("sequelize");\nexports.sequelize = ${unconnected};\n`,
    "user.js": user.replace("./db.js", "kept"),
    "main.js": `
const { sequelize } = require("kept");
require("./user.js");
require("./probe.cjs").serve(() => {
  const { length } = sequelize.modelManager.models;
  return length === 1 ? sequelize.models.User.version() : length + " models";
});
`,
  };
  await reloadManyTimes({ packages, files, entry: "main.js", edited: "user.js" }, RELOADS, async ({ alive }) =>
    assert.ok((await alive()) <= 4, `${await alive()} are alive`),
  );
});

test("sequelize: hooks and scopes that an ES module adds to a model that is kept", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    [kept]: `
const { DataTypes, Sequelize } = require("sequelize");
exports.sequelize = ${unconnected};
exports.User = exports.sequelize.define("User", { name: DataTypes.STRING });
`,
    "extras.js": `
import { Sequelize } from "sequelize";
import kept from "kept";
import { watch } from "./probe.cjs";
const { sequelize, User } = kept;
const note = watch((user) => { (user.seen ??= []).push("version-1"); });
User.addScope("named", { where: { name: "version-1" } });
User.beforeValidate(note);
User.addHook("beforeSave", "named", watch(() => undefined));
sequelize.addHook("beforeDefine", watch(() => undefined));
Sequelize.addHook("beforeInit", watch(() => undefined));
`,
    "main.js": `
import { Sequelize } from "sequelize";
import kept from "kept";
import "./extras.js";
import { serve } from "./probe.cjs";
const { sequelize, User } = kept;
const count = (hooks, type) => (hooks[type] ?? []).length;
serve(async () => {
  const user = User.build({ name: "x" });
  await User.runHooks("beforeValidate", user);
  const counts = [
    count(User.options.hooks, "beforeCreate"), count(User.options.hooks, "beforeSave"),
    count(sequelize.options.hooks, "beforeDefine"), count(Sequelize.options.hooks, "beforeInit"),
  ].join();
  if (counts !== "1,1,1,1") return "hooks: " + counts;
  const scoped = User.scope("named")._scope.where.name;
  return scoped === user.seen.join() ? scoped : scoped + " and " + user.seen;
});
`,
  };
  await reloadManyTimes({ packages, files, entry: "main.js", edited: "extras.js" }, RELOADS, async ({ alive }) =>
    assert.ok((await alive()) <= 8, `${await alive()} hooks are alive`),
  );
});

const associations = `
const { DataTypes, Model } = require("sequelize");
const { Post } = require("./post.js");
const { Tag } = require("./tag.js");
const { User } = require("./user.js");
User.hasMany(Post, { as: "writings", foreignKey: "author" });
Post.belongsTo(User, { as: "writer", foreignKey: "author" });
Post.hasOne(Post, { as: "sequel" });
Post.belongsToMany(Tag, { through: "PostTag" });
Tag.belongsToMany(Post, { through: "PostTag" });
`;
const main = `
const { sequelize } = require("./db.js");
const { Post } = require("./post.js");
const { Tag } = require("./tag.js");
const { User } = require("./user.js");
require("./associations.js");
const names = (model) => Object.keys(model.associations).join();
require("./probe.cjs").serve(() => {
  const found = [
    names(User), names(Post), names(Tag), Object.keys(Post.rawAttributes),
    sequelize.modelManager.models.map(({ name }) => name).sort(), typeof User.prototype.getWritings,
    User.associations.writings.target === Post, Post.associations.writer.target === User,
    Post.associations.Tags.paired === Tag.associations.Posts,
  ].join(" ");
  const expected = "writings writer,sequel,Tags Posts id,title,createdAt,updatedAt,author,sequelId Post,PostTag,Tag,User function true true true";
  return found === expected ? VERSION : found;
});
`;
const tag = `
const { DataTypes } = require("sequelize");
const { sequelize } = require("./db.js");
exports.Tag = sequelize.define("Tag", { label: DataTypes.STRING });
`;

for (const edited of ["user.js", "post.js", "associations.js", "db.js"]) {
  test(`sequelize: aliased associations when ${edited} is edited`, async () => {
    const version = { "user.js": "User.version()", "post.js": "Post.version()" }[edited];
    const files = {
      "db.js": `${db}exports.sequelize.version = "version-1";\n`,
      "user.js": user,
      "post.js": post,
      "tag.js": tag,
      "associations.js": `${associations}exports.version = "version-1";\n`,
      "main.js": main.replace(
        "VERSION",
        version ?? `require("./${edited}")${edited === "db.js" ? ".sequelize" : ""}.version`,
      ),
    };
    await reloadManyTimes({ packages, files, entry: "main.js", edited }, RELOADS, async ({ alive }) =>
      assert.ok((await alive()) <= 8, `${await alive()} are alive`),
    );
  });
}

test("sequelize: associations that are renamed or removed leave nothing in models that are kept", async () => {
  const files = {
    [kept]: `
const { DataTypes, Sequelize } = require("sequelize");
const sequelize = ${unconnected};
exports.User = sequelize.define("User", { name: DataTypes.STRING });
exports.Tag = sequelize.define("Tag", { label: DataTypes.STRING });
exports.Post = sequelize.define("Post", { owner: { type: DataTypes.INTEGER, field: "the_owner" } });
exports.sequelize = sequelize;
`,
    "associations.js": `
const { Post, Tag, User } = require("kept");
const { watch } = require("./probe.cjs");
watch(User.hasMany(Post, { as: "version-1", foreignKey: "owner" }));
watch(Post.belongsTo(User, { as: "author", foreignKey: "owner" }));
watch(Post.belongsTo(User, { as: "reader" }));
watch(Post.belongsToMany(Tag, { through: "PostTag" }));
`,
    "other-side.js": `
const { Post, Tag } = require("kept");
Tag.belongsToMany(Post, { through: "PostTag" });
`,
    "main.js": `
const { Post, sequelize, Tag, User } = require("kept");
require("./associations.js");
require("./other-side.js");
require("./probe.cjs").serve((request) => {
  if (request.url !== "/post") return Object.keys(User.associations).join();
  return JSON.stringify([
    Object.keys(Post.associations), Object.keys(Post.rawAttributes), Post.rawAttributes.owner.references ?? "free",
    Object.keys(Post.tableAttributes),
    Object.getOwnPropertyNames(Post.prototype).filter((name) => /author|reader|tag/i.test(name)),
    sequelize.modelManager.models.map(({ name }) => name),
  ]);
});
`,
  };
  const edited = "associations.js";
  await reloadManyTimes({ packages, files, entry: "main.js", edited }, RELOADS, async ({ alive, app, served }) => {
    assert.ok((await alive()) <= 8, `${await alive()} are alive`);
    app.write("associations.js", "");
    app.write("other-side.js", "");
    const attributes = ["id", "owner", "createdAt", "updatedAt"];
    const models = ["User", "Tag", "Post"];
    const expected = [[], attributes, "free", attributes, [], models];
    assert.deepEqual(JSON.parse(await served.text("/post")), expected);
  });
});

for (const edited of ["db.mjs", "user.mjs"]) {
  test(`sequelize with PostgreSQL: connections and rows when ${edited} is edited`, { skip }, async () => {
    const name = uniqueName(`sequelize_${edited.slice(0, 2)}`);
    const files = {
      "db.mjs": `
import { Sequelize } from "sequelize";
import { watch } from "./probe.cjs";
export const version = "version-1";
export const sequelize = watch(new Sequelize(process.env.POSTGRES, {
  logging: false, dialectOptions: { application_name: "${name}" },
}));
await sequelize.authenticate();
`,
      "user.mjs": `
import { DataTypes, Model } from "sequelize";
import { sequelize } from "./db.mjs";
import { watch } from "./probe.cjs";
export class User extends Model {}
watch(User);
User.init({ name: DataTypes.STRING }, { sequelize, tableName: "${name}", timestamps: false });
await User.sync({ force: true });
await User.create({ name: "version-1" });
`,
      "main.mjs": `
import { QueryTypes } from "sequelize";
import { sequelize, version } from "./db.mjs";
import { User } from "./user.mjs";
import { serve } from "./probe.cjs";
serve(async (request) => {
  if (request.url === "/drop") return User.drop();
  if (request.url === "/connections") {
    const [{ count }] = await sequelize.query(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = '${name}'", { type: QueryTypes.SELECT });
    return count;
  }
  const users = await User.findAll();
  return users.map((user) => user instanceof User && ${edited === "db.mjs" ? "version" : "user.name"}).join();
});
`,
    };
    const options = { env: { POSTGRES: url } };
    await reloadManyTimes(
      { packages, files, entry: "main.mjs", edited, options },
      RELOADS,
      async ({ alive, served }) => {
        assert.ok(Number(await served.text("/connections")) <= 2, `${await served.text("/connections")} connections`);
        assert.ok((await alive()) <= 5, `${await alive()} are alive`);
        await served.text("/drop");
      },
    );
  });
}
