/** mikro-orm with SQLite. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { descriptors, skipWithoutSqlite } from "../support/databases.js";

const skip = skipWithoutSqlite();
const packages = ["@mikro-orm/core", "@mikro-orm/sqlite", "reflect-metadata"];

const tsconfig = (module: "commonjs" | "nodenext") =>
  JSON.stringify({
    compilerOptions: {
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      module,
      target: "es2022",
      useDefineForClassFields: false,
      esModuleInterop: true,
    },
  });

const storage = `
import { EntitySchema, MetadataStorage } from "@mikro-orm/core";
export const entries = () => [
  Object.keys(MetadataStorage.getMetadata() as object).length,
  (EntitySchema as unknown as { REGISTRY: Map<unknown, unknown> }).REGISTRY.size,
].join();
`;
const base = `
import { PrimaryKey, Property } from "@mikro-orm/core";
import { watch } from "./probe.cjs";
export abstract class Base {
  @PrimaryKey({ type: "number" }) id!: number;
}
watch(Base);
`;
const user = `
import { Collection, Entity, OneToMany, Property } from "@mikro-orm/core";
import { Base } from "./base EXT";
import { watch } from "./probe.cjs";
@Entity()
export class User extends Base {
  @Property({ type: "string" }) name = "version-1";
  @OneToMany({ entity: "Post", mappedBy: "author" }) posts = new Collection<object>(this);
}
watch(User);
`;
const post = `
import { Entity, ManyToOne, Property } from "@mikro-orm/core";
import { Base } from "./base EXT";
import { User } from "./user EXT";
import { watch } from "./probe.cjs";
export const version = "version-1";
@Entity()
export class Post extends Base {
  @Property({ type: "string" }) title = "version-1";
  @ManyToOne(() => User) author!: User;
}
watch(Post);
`;
const tag = `
import { EntitySchema } from "@mikro-orm/core";
import { watch } from "./probe.cjs";
export class Tag { id!: number; label = "version-1"; }
export const schema = watch(new EntitySchema({
  class: Tag, properties: { id: { type: "number", primary: true }, label: { type: "string" } },
}));
watch(Tag);
`;

for (const kind of ["CommonJS", "ES modules"] as const) {
  for (const [edited, version] of Object.entries({
    "user.ts": "found.name",
    "post.ts": "found.posts[0].title",
    "tag.ts": "tag.label",
    "orm.ts": "version",
  })) {
    test(`mikro-orm: ${edited} is edited (${kind})`, { skip }, async () => {
      const extension = kind === "CommonJS" ? "" : ".ts";
      const written = (text: string) => text.replaceAll(" EXT", extension);
      const files = {
        "package.json": kind === "CommonJS" ? `{}` : `{ "type": "module" }`,
        "tsconfig.json": tsconfig(kind === "CommonJS" ? "commonjs" : "nodenext"),
        "descriptors.cjs": descriptors,
        "storage.ts": storage,
        "base.ts": base,
        "user.ts": written(user),
        "post.ts": written(post),
        "tag.ts": tag,
        "orm.ts": written(`
import "reflect-metadata";
import { MikroORM } from "@mikro-orm/sqlite";
import { Post } from "./post EXT";
import { schema } from "./tag EXT";
import { User } from "./user EXT";
import { watch } from "./probe.cjs";
export const version = "version-1";
export const opening = MikroORM.init({ entities: [User, Post, schema], dbName: process.cwd() + "/app.sqlite" }).then(watch);
`),
        "main.ts": written(`
import { descriptors } from "./descriptors.cjs";
import { opening, version } from "./orm EXT";
import { Post } from "./post EXT";
import { entries } from "./storage EXT";
import { Tag } from "./tag EXT";
import { User } from "./user EXT";
import { serve } from "./probe.cjs";
const ready = opening.then(async (orm) => { await orm.schema.refreshDatabase(); return orm; });
serve(async (request) => {
  const orm = await ready;
  if (request.url === "/entries") return entries();
  if (request.url === "/descriptors") return descriptors("app.sqlite");
  const em = orm.em.fork();
  await em.nativeDelete(Post, {});
  await em.nativeDelete(User, {});
  await em.nativeDelete(Tag, {});
  const user = new User();
  const post = new Post();
  post.author = user;
  em.persist([user, post, new Tag()]);
  await em.flush();
  const later = orm.em.fork();
  const [found] = await later.find("User", {}, { populate: ["posts"] });
  const [tag] = await later.find(Tag, {});
  if (!(found instanceof User) || !(found.posts[0] instanceof Post)) return "another class";
  return ${version};
});
`),
      };
      await reloadManyTimes({ packages, files, entry: "main.ts", edited }, RELOADS, async ({ alive, served }) => {
        assert.equal(await served.text("/entries"), "3,1");
        assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
        assert.ok((await alive()) <= 12, `${await alive()} are alive`);
      });
    });
  }
}

test("mikro-orm: a property that is taken out of an entity is gone", { skip }, async () => {
  const files = {
    "tsconfig.json": tsconfig("commonjs"),
    "descriptors.cjs": descriptors,
    "user.ts": `
import { Entity, PrimaryKey, Property } from "@mikro-orm/core";
@Entity()
export class User {
  static version = "version-1";
  @PrimaryKey({ type: "number" }) id!: number;
  @Property({ type: "string" }) title!: string;
}
`,
    "main.ts": `
import "reflect-metadata";
import { MikroORM } from "@mikro-orm/sqlite";
import { descriptors } from "./descriptors.cjs";
import { User } from "./user";
import { serve } from "./probe.cjs";
const orm = MikroORM.initSync({ entities: [User], dbName: process.cwd() + "/app.sqlite" });
serve(async ({ url }) => {
  await orm.schema.refreshDatabase();
  if (url === "/descriptors") return descriptors("app.sqlite");
  return url === "/names" ? Object.keys(orm.getMetadata().get("User").properties).join() : User.version;
});
`,
  };
  await reloadManyTimes({ packages, files, entry: "main.ts", edited: "user.ts" }, 10, async ({ app, served }) => {
    assert.equal(await served.text("/names"), "id,title");
    app.edit("user.ts", `@Property({ type: "string" }) title!: string;`, "");
    assert.equal(await served.text("/names"), "id");
    assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
  });
});
