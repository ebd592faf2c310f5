/** Frameworks and schedulers that have to be closed in their own way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reloadManyTimes } from "./support/adapter-app.js";

for (const kind of ["CommonJS", "ES modules"] as const) {
  const isModule = kind === "ES modules";
  const fastify = isModule ? `import Fastify from "fastify";` : `const Fastify = require("fastify");`;
  const probe = isModule
    ? `import probe from "./probe.cjs"; const { alive, watch } = probe;`
    : `const { alive, watch } = require("./probe.cjs");`;

  test(`fastify: onClose hooks run, awaited, before the new instance is made (${kind})`, async () => {
    const files = {
      "package.json": isModule ? `{ "type": "module" }` : "{}",
      "main.js": `
${fastify}
${probe}
process.open = (process.open ?? 0) + 1;
if (process.open !== 1) throw new Error(process.open + " instances at a time");
const app = watch(Fastify());
app.addHook("onClose", async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.open--;
});
app.get("/", async () => "version-1");
app.get("/alive", async () => String(await alive()));
app.listen({ port: 0, host: "127.0.0.1" });
`,
    };
    await reloadManyTimes(
      { packages: ["fastify"], files, entry: "main.js", edited: "main.js" },
      100,
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
      50,
      async ({ alive, served }) => {
        assert.equal(await served.text("/tick"), "version-51");
        assert.ok((await alive()) <= 3, `${await alive()} tasks are alive`);
      },
    );
  });
}

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
  constructor() {
    const { nestOpen = 0 } = process as unknown as { nestOpen?: number };
    if (nestOpen !== 0) throw new Error(nestOpen + " applications are open");
    Object.assign(process, { nestOpen: 1 });
  }
  version() { return "version-1"; }
  async onModuleDestroy() { await new Promise((resolve) => setImmediate(resolve)); }
  onApplicationShutdown() { Object.assign(process, { nestOpen: 0 }); }
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
  const packages = ["@nestjs/common", "@nestjs/core", "@nestjs/platform-express", "reflect-metadata", "rxjs"];
  await reloadManyTimes({ packages, files, entry: "main.ts", edited: "service.ts" }, 100, async ({ alive, served }) => {
    assert.ok((await alive()) <= 4, `${await alive()} services are alive`);
    assert.ok(Number(await served.text("/listeners")) <= 2, `${await served.text("/listeners")} listeners of SIGTERM`);
  });
});
