/** typeorm, alone and below Nest, with better-sqlite3 and with PostgreSQL. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decoratorsTsconfig, RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { descriptors, skipWithoutSqlite, uniqueName } from "../support/databases.js";
import { serviceUrl, skipWithout } from "../support/services.js";

const withoutSqlite = skipWithoutSqlite();
const withoutPostgres = skipWithout("POSTGRES");
const packages = ["typeorm", "reflect-metadata", "better-sqlite3", "pg"];

const tsconfig = decoratorsTsconfig({ useDefineForClassFields: false });

const user = `
import { BaseEntity, Column, Entity, EventSubscriber, Index, JoinTable, ManyToMany, OneToMany, PrimaryGeneratedColumn } from "typeorm";
import type { EntitySubscriberInterface } from "typeorm";
import { Post } from "./post";
import { watch } from "./probe.cjs";
@Entity({ name: "TABLE_users" })
export class User extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number;
  @Index() @Column() name!: string;
  @OneToMany(() => Post, (post) => post.author) posts!: Post[];
  @ManyToMany(() => Post) @JoinTable({ name: "TABLE_likes" }) likes!: Post[];
  static version() { return "version-1"; }
}
@EventSubscriber()
export class Notes implements EntitySubscriberInterface<User> {
  listenTo() { return User; }
  beforeInsert(event: { entity: User }) { event.entity.name += " version-1"; }
}
watch(User); watch(Notes);
`;
const post = `
import { Column, Entity, ManyToOne, PrimaryGeneratedColumn } from "typeorm";
import { User } from "./user";
import { watch } from "./probe.cjs";
@Entity({ name: "TABLE_posts" })
export class Post {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @ManyToOne("User", "posts") author!: User;
  version() { return "version-1"; }
}
watch(Post);
`;
const storage = `
import { getMetadataArgsStorage } from "typeorm";
export const entries = () => Object.values(getMetadataArgsStorage()).flat().length;
`;

interface Database {
  readonly table: string;
  readonly options: string;
  /** What the app answers: an expression. */
  readonly version: string;
}

/** An app with entities in two files that refer to each other. */
function filesWith({ table, options, version }: Database): Record<string, string> {
  const named = (text: string) => text.replaceAll("TABLE", table);
  return {
    "tsconfig.json": tsconfig,
    "descriptors.cjs": descriptors,
    "storage.ts": storage,
    "user.ts": named(user),
    "post.ts": named(post),
    "db.ts": `
import "reflect-metadata";
import { DataSource } from "typeorm";
import { Post } from "./post";
import { Notes, User } from "./user";
import { watch } from "./probe.cjs";
export const version = "version-1";
export const db = watch(new DataSource({ ${options}, entities: [User, Post], subscribers: [Notes], synchronize: true }));
export const ready = db.initialize();
`,
    "main.ts": `
import { db, ready, version } from "./db";
import { descriptors } from "./descriptors.cjs";
import { Post } from "./post";
import { entries } from "./storage";
import { User } from "./user";
import { serve } from "./probe.cjs";
serve(async (request) => {
  await ready;
  if (request.url === "/entries") return entries();
  if (request.url === "/descriptors") return descriptors("app.sqlite");
  if (request.url === "/drop") return db.dropDatabase();
  if (request.url === "/connections") {
    const [{ count }] = await db.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = '${table}'");
    return count;
  }
  await db.query('DELETE FROM "${table}_likes"');
  await db.getRepository(Post).createQueryBuilder().delete().execute();
  await User.createQueryBuilder().delete().execute();
  const post = await db.getRepository(Post).save({ title: "hello" });
  const user = await User.save(Object.assign(new User(), { name: "x", posts: [post], likes: [post] }));
  const [found] = await User.find({ relations: { posts: true, likes: true } });
  if (!(found instanceof User) || !(found.posts[0] instanceof Post)) return "another class";
  if (found.posts.length !== 1 || found.likes.length !== 1) return JSON.stringify(found);
  return ${version};
});
`,
  };
}

const NAME = `found.name.replace("x ", "") === User.version() ? User.version() : found.name`;

for (const [edited, version] of Object.entries({
  "user.ts": NAME,
  "post.ts": "found.posts[0].version()",
  "db.ts": "version",
})) {
  test(`typeorm with better-sqlite3: ${edited} is edited`, { skip: withoutSqlite }, async () => {
    const options = `type: "better-sqlite3", database: __dirname + "/app.sqlite"`;
    const files = filesWith({ table: "app", options, version });
    await reloadManyTimes({ packages, files, entry: "main.ts", edited }, RELOADS, async ({ alive, served }) => {
      assert.equal(await served.text("/entries"), "14");
      assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
      assert.ok((await alive()) <= 8, `${await alive()} are alive`);
    });
  });
}

test("typeorm with PostgreSQL: no more connections after many reloads", { skip: withoutPostgres }, async () => {
  const table = uniqueName("typeorm");
  const options = `type: "postgres", url: process.env.POSTGRES, applicationName: "${table}"`;
  const files = filesWith({ table, options, version: NAME });
  await reloadManyTimes(
    {
      packages,
      files,
      entry: "main.ts",
      edited: "user.ts",
      options: { env: { POSTGRES: serviceUrl("POSTGRES") ?? "" } },
    },
    RELOADS,
    async ({ alive, served }) => {
      assert.equal(await served.text("/entries"), "14");
      assert.ok(Number(await served.text("/connections")) <= 3, `${await served.text("/connections")} connections`);
      assert.ok((await alive()) <= 8, `${await alive()} are alive`);
      await served.text("/drop");
    },
  );
});

for (const kind of ["CommonJS", "ES modules"] as const) {
  test(`typeorm: entities that are found by a glob (${kind})`, { skip: withoutSqlite }, async () => {
    const isCommonJs = kind === "CommonJS";
    const files = {
      "package.json": isCommonJs ? `{}` : `{ "type": "module" }`,
      "tsconfig.json": isCommonJs ? tsconfig : tsconfig.replace("commonjs", "nodenext"),
      "storage.ts": storage,
      "entities/user.ts": `
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { watch } from "../probe.cjs";
@Entity()
export class User {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  get version() { return "version-1"; }
}
watch(User);
`,
      "main.ts": `
import "reflect-metadata";
import { DataSource } from "typeorm";
import { serve } from "./probe.cjs";
import { entries } from "./storage${isCommonJs ? "" : ".ts"}";
async function main() {
  const folder = ${isCommonJs ? "__dirname" : "import.meta.dirname"};
  const db = new DataSource({ type: "better-sqlite3", database: ":memory:", entities: [folder + "/entities/*.ts"], synchronize: true });
  await db.initialize();
  const users = db.getRepository<{ version: string }>("User");
  await users.save({ name: "x" });
  serve(async (request) => request.url === "/entries" ? entries() : (await users.find()).map((user) => user.version).join());
}
${isCommonJs ? "void" : "await"} main();
`,
    };
    await reloadManyTimes(
      { packages, files, entry: "main.ts", edited: "entities/user.ts" },
      RELOADS,
      async ({ alive, served }) => {
        assert.equal(await served.text("/entries"), "4");
        assert.ok((await alive()) <= 3, `${await alive()} are alive`);
      },
    );
  });
}

test("Nest and typeorm: the data source of a provider is opened anew", { skip: withoutSqlite }, async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "descriptors.cjs": descriptors,
    "user.ts": `
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { watch } from "./probe.cjs";
@Entity()
export class User {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  version() { return "version-1"; }
}
watch(User);
`,
    "database.module.ts": `
import { Module } from "@nestjs/common";
import { DataSource } from "typeorm";
import { User } from "./user";
import { watch } from "./probe.cjs";
@Module({
  providers: [{
    provide: DataSource,
    useFactory: () => watch(new DataSource({ type: "better-sqlite3", database: __dirname + "/app.sqlite", entities: [User], synchronize: true })).initialize(),
  }],
  exports: [DataSource],
})
export class DatabaseModule {}
`,
    "app.module.ts": `
import { Controller, Get, Injectable, Module } from "@nestjs/common";
import { DataSource } from "typeorm";
import { DatabaseModule } from "./database.module";
import { descriptors } from "./descriptors.cjs";
import { alive } from "./probe.cjs";
import { User } from "./user";
@Injectable()
export class Users {
  constructor(private readonly db: DataSource) {}
  async version() {
    const users = this.db.getRepository(User);
    await users.save({ name: "x" });
    const [found] = await users.find();
    await users.remove(await users.find());
    return found!.version();
  }
}
@Controller()
export class AppController {
  constructor(private readonly users: Users) {}
  @Get("/") get() { return this.users.version(); }
  @Get("/alive") async alive() { return String(await alive()); }
  @Get("/descriptors") descriptors() { return String(descriptors("app.sqlite")); }
}
@Module({ imports: [DatabaseModule], controllers: [AppController], providers: [Users] })
export class AppModule {}
`,
    "main.ts": `
import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { AppModule } from "./app.module";
async function main() {
  const app = await NestFactory.create(AppModule, { logger: ["error"] });
  await app.listen(0, "127.0.0.1");
}
void main();
`,
  };
  const nest = ["@nestjs/common", "@nestjs/core", "@nestjs/platform-express", "rxjs"];
  await reloadManyTimes(
    { packages: [...packages, ...nest], files, entry: "main.ts", edited: "user.ts" },
    RELOADS,
    async ({ alive, served, lines }) => {
      assert.ok(Number(await served.text("/descriptors")) <= 1, `${await served.text("/descriptors")} descriptors`);
      assert.ok((await alive()) <= 5, `${await alive()} are alive`);
      assert.ok(!/AlreadyHasActiveConnection/.test(String(lines)), String(lines));
    },
  );
});
