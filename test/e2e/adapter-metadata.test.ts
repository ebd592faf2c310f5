/** Libraries that keep metadata by class in one storage for the process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decoratorsTsconfig, RELOADS, reloadManyTimes } from "../support/adapter-app.js";

const tsconfig = decoratorsTsconfig({ useDefineForClassFields: false });

test("class-validator and class-transformer forget the old classes", async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "user.ts": `
import { Expose, Type, plainToInstance } from "class-transformer";
import { IsEmail, Validate, ValidatorConstraint, validateSync } from "class-validator";
import { watch } from "./probe.cjs";
@ValidatorConstraint({ name: "known" })
class Known { validate(value: unknown) { return value !== "unknown"; } defaultMessage() { return "version-1"; } }
class Address { @Expose() @IsEmail() mail!: string; }
export class User {
  @Expose() @Validate(Known) name!: string;
  @Type(() => Address) address!: Address;
}
watch(Known); watch(Address); watch(User);
export function complaint(): string {
  const user = plainToInstance(User, { name: "unknown", address: { mail: "no" } });
  if (!(user.address instanceof Address)) return "not an Address";
  return Object.values(validateSync(user)[0]!.constraints!).join();
}
`,
    "main.ts": `
import "reflect-metadata";
import { complaint } from "./user";
import { serve } from "./probe.cjs";
serve(() => complaint());
`,
  };
  await reloadManyTimes(
    {
      packages: ["class-validator", "class-transformer", "reflect-metadata"],
      files,
      entry: "main.ts",
      edited: "user.ts",
    },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 6, `${await alive()} classes are alive`),
  );
});

test("type-graphql builds a schema without doubles", async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "recipe.ts": `
import { Field, ObjectType, Query, Resolver } from "type-graphql";
import { watch } from "./probe.cjs";
@ObjectType()
export class Recipe { @Field() title!: string; }
@Resolver(() => Recipe)
export class RecipeResolver {
  @Query(() => Recipe)
  recipe(): Recipe { return { title: "version-1" }; }
}
watch(Recipe); watch(RecipeResolver);
`,
    "main.ts": `
import "reflect-metadata";
import { graphql } from "graphql";
import { buildSchemaSync } from "type-graphql";
import { RecipeResolver } from "./recipe";
import { serve } from "./probe.cjs";
const schema = buildSchemaSync({ resolvers: [RecipeResolver], validate: false });
serve(async () => {
  const result = await graphql({ schema, source: "{ recipe { title } }" });
  return result.errors ? result.errors.join() : result.data!.recipe.title;
});
`,
  };
  await reloadManyTimes(
    { packages: ["type-graphql", "graphql", "reflect-metadata"], files, entry: "main.ts", edited: "recipe.ts" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 4, `${await alive()} classes are alive`),
  );
});

test("routing-controllers serves the newest controller, and knows no others", async () => {
  const files = {
    "tsconfig.json": tsconfig,
    "controller.ts": `
import { Controller, Get, getMetadataArgsStorage } from "routing-controllers";
import { watch } from "./probe.cjs";
@Controller()
export class Versions {
  @Get("/") version() {
    const { length } = getMetadataArgsStorage().controllers;
    return length === 1 ? "version-1" : length + " controllers";
  }
}
watch(Versions);
`,
    "main.ts": `
import "reflect-metadata";
import express from "express";
import { useExpressServer } from "routing-controllers";
import { Versions } from "./controller";
import { alive } from "./probe.cjs";
const app = express();
app.get("/alive", async (request, response) => { response.send(String(await alive())); });
useExpressServer(app, { controllers: [Versions] });
app.listen(0, "127.0.0.1");
`,
  };
  const packages = ["routing-controllers", "express", "reflect-metadata", "class-validator", "class-transformer"];
  await reloadManyTimes({ packages, files, entry: "main.ts", edited: "controller.ts" }, RELOADS, async ({ alive }) =>
    assert.ok((await alive()) <= 3, `${await alive()} classes are alive`),
  );
});
