/** Containers that stay, with services in files that are reloaded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decoratorsTsconfig, RELOADS, reloadManyTimes } from "../support/adapter-app.js";

const tsconfig = decoratorsTsconfig();

test("inversify: a service of a kept container is bound anew, and is not ambiguous", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "container.js": `
import { Container } from "inversify";
export const container = new Container();
container.bind("kept").toConstantValue("kept");
`,
    "service.js": `
import "reflect-metadata";
import { container } from "./container.js";
import probe from "./probe.cjs";
class Service { version() { return "version-1"; } }
probe.watch(Service);
container.bind("service").toDynamicValue(() => new Service());
container.bind("many").toConstantValue("version-1");
`,
    "main.js": `
import "./service.js";
import { container } from "./container.js";
import probe from "./probe.cjs";
probe.serve(() => {
  if (container.get("kept") !== "kept") return "lost";
  const many = container.getAll("many");
  return many.length === 1 && many[0] === container.get("service").version() ? many[0] : many.join();
});
`,
  };
  await reloadManyTimes(
    { packages: ["inversify", "reflect-metadata"], files, entry: "main.js", edited: "service.js" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 2, `${await alive()} classes are alive`),
  );
});

test("inversify: bindings of CommonJS modules, for which Node loads the package by require, are made anew", async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "container.ts": `
import { Container } from "inversify";
export const container = new Container();
`,
    "service.ts": `
import { injectable } from "inversify";
@injectable()
export class Service { version() { return "version-1"; } }
`,
    "bindings.ts": `
import { container } from "./container";
import { Service } from "./service";
container.bind("service").to(Service);
`,
    "main.ts": `
import "reflect-metadata";
import { container } from "./container";
import "./bindings";
import probe from "./probe.cjs";
probe.serve(() => container.get<{ version(): string }>("service").version());
`,
  };
  await reloadManyTimes(
    { packages: ["inversify", "reflect-metadata"], files, entry: "main.ts", edited: "service.ts" },
    3,
  );
});

test("tsyringe: resolveAll gives the newest service, once", async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "dependency.ts": `
import { injectable } from "tsyringe";
@injectable()
export class Dependency { readonly name = "dependency"; }
`,
    "service.ts": `
import { container, injectable } from "tsyringe";
import { Dependency } from "./dependency";
import { watch } from "./probe.cjs";
@injectable()
export class Service {
  constructor(readonly dependency: Dependency) {}
  version() { return this.dependency.name === "dependency" ? "version-1" : "nothing injected"; }
}
watch(Service);
container.register("service", { useClass: Service });
`,
    "main.ts": `
import "reflect-metadata";
import { container } from "tsyringe";
import "./service";
import { serve } from "./probe.cjs";
serve(() => container.resolveAll<{ version(): string }>("service").map((one) => one.version()).join());
`,
  };
  await reloadManyTimes(
    { packages: ["tsyringe", "reflect-metadata"], files, entry: "main.ts", edited: "service.ts" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 2, `${await alive()} classes are alive`),
  );
});

test("typedi: the newest service is injected, and old ones are forgotten", async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "service.ts": `
import { Container, Service } from "typedi";
import { watch } from "./probe.cjs";
@Service({ id: "service", multiple: true })
export class Named { version() { return "version-1"; } }
@Service()
export class Plain {}
watch(Named);
watch(Plain);
Container.set("value", "version-1");
`,
    "main.ts": `
import "reflect-metadata";
import { Container } from "typedi";
import "./service";
import { serve } from "./probe.cjs";
serve(() => {
  const many = Container.getMany<{ version(): string }>("service").map((one) => one.version());
  const value = Container.get<string>("value");
  return many.length === 1 && many[0] === value ? value : many.join() + " but " + value;
});
`,
  };
  await reloadManyTimes(
    { packages: ["typedi", "reflect-metadata"], files, entry: "main.ts", edited: "service.ts" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 4, `${await alive()} classes are alive`),
  );
});
