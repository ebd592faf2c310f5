/** The adapters that come with the supervisor, by package. Each is loaded when the app has loaded its library. */
import { createRequire } from "node:module";
import type { Adapter } from "../../src/common/protocol/adapter.js";

/** The files beside this one, and the npm packages that they know. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  table: [
    "better-sqlite3",
    "class-transformer",
    "class-validator",
    "fastify",
    "passport",
    "prom-client",
    "routing-controllers",
    "type-graphql",
  ],
  ajv: ["ajv"],
  bookshelf: ["bookshelf"],
  bullmq: ["bullmq"],
  inversify: ["inversify"],
  ioredis: ["ioredis"],
  knex: ["knex"],
  "mikro-orm": ["@mikro-orm/core"],
  mongoose: ["mongoose"],
  nest: ["@nestjs/core"],
  "node-cron": ["node-cron"],
  pg: ["pg", "pg-pool"],
  sequelize: ["sequelize"],
  "sonic-boom": ["sonic-boom", "thread-stream"],
  "socket.io": ["socket.io"],
  sqlite3: ["sqlite3"],
  tsyringe: ["tsyringe"],
  typedi: ["typedi"],
  typeorm: ["typeorm"],
  winston: ["winston", "winston-transport"],
  ws: ["ws"],
};

const FILES: ReadonlyMap<string, string> = new Map(
  Object.entries(PACKAGES).flatMap(([file, names]) => names.map((name) => [name, file] as const)),
);

const require = createRequire(import.meta.url);

export function builtInAdapter(packageName: string): Adapter | undefined {
  const file = FILES.get(packageName);
  if (file === undefined) return undefined;
  const { default: exported } = require(`./${file}.js`) as { default: Adapter | readonly Adapter[] };
  return [exported].flat().find(({ packages }) => packages.includes(packageName));
}
