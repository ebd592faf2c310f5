/** Frameworks and schedulers that have to be closed in their own way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const NEST = ["@nestjs/common", "@nestjs/core", "@nestjs/platform-express", "reflect-metadata", "rxjs"];

for (const kind of ["CommonJS", "ES modules"] as const) {
  const isModule = kind === "ES modules";
  const fastify = isModule ? `import Fastify from "fastify";` : `const Fastify = require("fastify");`;
  const probe = isModule
    ? `import probe from "./probe.cjs"; const { alive, note, watch } = probe;`
    : `const { alive, note, watch } = require("./probe.cjs");`;

  test(`fastify: onClose hooks run, awaited, before the new instance is made (${kind})`, async () => {
    const files = {
      "package.json": isModule ? `{ "type": "module" }` : "{}",
      "main.js": `
${fastify}
${probe}
note("open");
const app = watch(Fastify());
app.addHook("onClose", async () => {
  await new Promise((resolve) => setImmediate(resolve));
  note("close");
});
app.get("/", async () => "version-1");
app.get("/alive", async () => String(await alive()));
app.listen({ port: 0, host: "127.0.0.1" });
`,
    };
    await reloadManyTimes(
      { packages: ["fastify"], files, entry: "main.js", edited: "main.js" },
      RELOADS,
      async ({ alive }) => assert.ok((await alive()) <= 3, `${await alive()} instances are alive`),
    );
  });

  test(`node-cron: one task is scheduled (${kind})`, async () => {
    const cron = isModule ? `import cron from "node-cron";` : `const cron = require("node-cron");`;
    const files = {
      "package.json": isModule ? `{ "type": "module" }` : "{}",
      "task.js": `
${cron}
${probe}
const task = watch(cron.schedule("* * * * * *", () => process.emit("test:tick", "version-1")));
${isModule ? "export const tasks =" : "exports.tasks ="} () => cron.getTasks().size;
`,
      "main.js": `
${isModule ? `import { tasks } from "./task.js"; import probe from "./probe.cjs"; const { serve } = probe;` : `const { tasks } = require("./task.js"); const { serve } = require("./probe.cjs");`}
serve((request) => {
  if (tasks() !== 1) return tasks() + " tasks";
  if (request.url !== "/tick") return "version-1";
  return new Promise((resolve) => process.once("test:tick", resolve));
});
`,
    };
    files["main.js"] = files["main.js"].replace(`return "version-1"`, `return process.taskVersion`);
    files["task.js"] += `process.taskVersion = "version-1";\n`;
    await reloadManyTimes(
      { packages: ["node-cron"], files, entry: "main.js", edited: "task.js" },
      RELOADS,
      async ({ alive, served }) => {
        assert.equal(await served.text("/tick"), `version-${RELOADS + 1}`);
        assert.ok((await alive()) <= 3, `${await alive()} tasks are alive`);
      },
    );
  });
}

test("node-cron: a task of a kept file goes on, whatever others schedule", async () => {
  const files = {
    "kept.js": `
const cron = require("node-cron");
let ticks = 0;
const waiting = [];
cron.schedule("* * * * * *", () => {
  ticks++;
  for (const resolve of waiting.splice(0)) resolve(ticks);
}, { name: "kept" });
exports.nextTick = () => new Promise((resolve) => waiting.push(resolve));
`,
    "task.js": `
const cron = require("node-cron");
cron.schedule("* * * * * *", () => undefined, { name: "version-1" });
exports.names = () => [...cron.getTasks().values()].map((task) => task.name).join();
`,
    "main.js": `
const { nextTick } = require("./kept.js");
const { names } = require("./task.js");
require("./probe.cjs").serve((request) => {
  if (request.url === "/tick") return nextTick();
  const [kept, own, ...others] = names().split(",");
  return kept === "kept" && others.length === 0 ? own : names();
});
`,
  };
  await reloadManyTimes(
    { packages: ["node-cron"], files, entry: "main.js", edited: "task.js" },
    RELOADS,
    async ({ served }) => {
      const first = Number(await served.text("/tick"));
      assert.equal(Number(await served.text("/tick")), first + 1);
    },
    async (served) => assert.ok(Number(await served.text("/tick")) > 0),
  );
});

test("fastify: an instance whose plugins are in other files follows them", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "database.js": `
import plugin from "./encapsulated.js";
import probe from "./probe.cjs";
export default plugin(probe.watch(async (app) => {
  app.decorate("database", { text: "version-1" });
  probe.note("open");
  app.addHook("onClose", async () => {
    await new Promise((resolve) => setImmediate(resolve));
    probe.note("close");
  });
}));
`,
    "encapsulated.js": `export default (plugin) => Object.assign(plugin, { [Symbol.for("skip-override")]: true });`,
    "routes.js": `
import probe from "./probe.cjs";
export default async (app) => {
  app.get("/", async () => app.database.text);
  app.get("/alive", async () => String(await probe.alive()));
};
`,
    "main.js": `
import Fastify from "fastify";
import database from "./database.js";
import routes from "./routes.js";
const app = Fastify();
app.register(database);
app.register(routes);
await app.listen({ port: 0, host: "127.0.0.1" });
`,
  };
  await reloadManyTimes(
    { packages: ["fastify"], files, entry: "main.js", edited: "database.js" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 3, `${await alive()} plugins are alive`),
  );
});

test("fastify: an instance that is exported and never listens is closed as well", async () => {
  const files = {
    "main.js": `
const Fastify = require("fastify");
const { alive, note, watch } = require("./probe.cjs");
note("open");
const app = watch(Fastify());
app.addHook("onClose", async () => note("close"));
app.get("/", async () => "version-1");
app.get("/alive", async () => String(await alive()));
module.exports = app;
`,
  };
  const options = { flags: ["--port", "0"] };
  await reloadManyTimes(
    { packages: ["fastify"], files, entry: "main.js", edited: "main.js", options },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 3, `${await alive()} instances are alive`),
  );
});

test("fastify: a file that adds a route to a listening instance of another file has that made anew", async () => {
  const files = {
    "app.js": `
const { watch } = require("./probe.cjs");
exports.app = watch(require("fastify")());
`,
    "routes.js": `
const { app } = require("./app.js");
const { alive } = require("./probe.cjs");
app.get("/", async () => "version-1");
app.get("/alive", async () => String(await alive()));
`,
    "main.js": `
const { app } = require("./app.js");
require("./routes.js");
app.listen({ port: 0, host: "127.0.0.1" });
`,
  };
  await reloadManyTimes(
    { packages: ["fastify"], files, entry: "main.js", edited: "routes.js" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 3, `${await alive()} instances are alive`),
  );
});

test("Nest: the old application is closed, with its hooks, before the new one is made", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        module: "nodenext",
        target: "es2022",
      },
    }),
    "service.ts": `
import { Injectable, type OnApplicationShutdown, type OnModuleDestroy } from "@nestjs/common";
import probe from "./probe.cjs";
@Injectable()
export class Service implements OnModuleDestroy, OnApplicationShutdown {
  constructor() { probe.note("open"); }
  version() { return "version-1"; }
  async onModuleDestroy() { await new Promise((resolve) => setImmediate(resolve)); }
  onApplicationShutdown() { probe.note("close"); }
}
probe.watch(Service);
`,
    "module.ts": `
import { Controller, Get, Module } from "@nestjs/common";
import probe from "./probe.cjs";
import { Service } from "./service.js";
@Controller()
class Versions {
  constructor(readonly service: Service) {}
  @Get() version() { return this.service.version(); }
  @Get("alive") async alive() { return String(await probe.alive()); }
  @Get("listeners") listeners() { return String(process.listenerCount("SIGTERM")); }
}
@Module({ controllers: [Versions], providers: [Service] })
export class AppModule {}
`,
    "main.ts": `
import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { AppModule } from "./module.js";
const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, "127.0.0.1");
`,
  };
  await reloadManyTimes(
    { packages: NEST, files, entry: "main.ts", edited: "service.ts" },
    RELOADS,
    async ({ alive, served }) => {
      assert.ok((await alive()) <= 4, `${await alive()} services are alive`);
      assert.ok(
        Number(await served.text("/listeners")) <= 2,
        `${await served.text("/listeners")} listeners of SIGTERM`,
      );
    },
  );
});

test("Nest: an application context is closed with its file, and a new one made", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }`,
    "service.ts": `
import { Injectable, type OnModuleDestroy } from "@nestjs/common";
import probe from "./probe.cjs";
@Injectable()
export class Service implements OnModuleDestroy {
  constructor() { probe.note("open"); }
  version() { return "version-1"; }
  async onModuleDestroy() {
    await new Promise((resolve) => setImmediate(resolve));
    probe.note("close");
  }
}
probe.watch(Service);
`,
    "main.ts": `
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import probe from "./probe.cjs";
import { Service } from "./service.js";
@Module({ providers: [Service] })
class AppModule {}
const context = probe.watch(await NestFactory.createApplicationContext(AppModule, { logger: false }));
probe.serve(() => context.get(Service).version());
`,
  };
  await reloadManyTimes({ packages: NEST, files, entry: "main.ts", edited: "service.ts" }, RELOADS, async ({ alive }) =>
    assert.ok((await alive()) <= 6, `${await alive()} services and contexts are alive`),
  );
});

test("Nest: shutdown hooks are waited for when the process is told to end", { skip: plainMode }, async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }`,
    "main.ts": `
import "reflect-metadata";
import { Controller, Get, Module, type OnApplicationShutdown } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
@Controller()
class Hello { @Get() hello() { return "hello"; } }
@Module({ controllers: [Hello] })
class AppModule implements OnApplicationShutdown {
  async onApplicationShutdown(signal?: string) {
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    console.log("shut down by " + signal);
  }
}
const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, "127.0.0.1");
`,
  };
  for (const flags of [[], ["--no-reload"]]) {
    await using app = new TempApp(files, { packages: NEST });
    await using served = await serve(app, "main.ts", { flags });
    assert.equal(await served.text("/"), "hello");
    assert.deepEqual(await served.stop("SIGTERM"), { code: 0, signal: null });
    assert.equal(served.lines.matching(/^shut down by SIGTERM$/).length, 1, `${flags} ${served.lines}`);
  }
});
