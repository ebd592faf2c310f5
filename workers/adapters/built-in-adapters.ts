/** The adapters that come with the supervisor, by package. Each is loaded when the app has loaded its library. */
import { createRequire } from "node:module";
import type { Adapter } from "../../src/common/protocol/adapter.js";

/** npm packages and the files beside this one that know them. */
const FILES: ReadonlyMap<string, string> = new Map([
  ...[
    "ajv",
    "better-sqlite3",
    "bookshelf",
    "bullmq",
    "class-transformer",
    "class-validator",
    "fastify",
    "inversify",
    "ioredis",
    "knex",
    "mongoose",
    "node-cron",
    "passport",
    "pg",
    "pg-pool",
    "prom-client",
    "routing-controllers",
    "sequelize",
    "sonic-boom",
    "sqlite3",
    "thread-stream",
    "tsyringe",
    "type-graphql",
    "typedi",
    "typeorm",
    "winston",
    "winston-transport",
  ].map((name) => [name, name] as const),
  ["@mikro-orm/core", "mikro-orm"],
  ["@nestjs/core", "nest"],
]);

const require = createRequire(import.meta.url);

export function builtInAdapter(packageName: string): Adapter | undefined {
  const file = FILES.get(packageName);
  if (file === undefined) return undefined;
  return (require(`./${file}.js`) as { default: Adapter }).default;
}
