/** The adapters that come with the supervisor, by package. Each is loaded when the app has loaded its library. */
import { createRequire } from "node:module";
import type { Adapter } from "../../src/protocol/adapter.js";

/** Packages that an adapter of the same name in `adapters/` knows. */
const NAMES: ReadonlySet<string> = new Set([
  "ajv",
  "class-transformer",
  "class-validator",
  "inversify",
  "mongoose",
  "passport",
  "prom-client",
  "routing-controllers",
  "tsyringe",
  "type-graphql",
  "typedi",
  "typeorm",
]);

const require = createRequire(import.meta.url);

export function builtInAdapter(packageName: string): Adapter | undefined {
  if (!NAMES.has(packageName)) return undefined;
  return (require(`./adapters/${packageName}.js`) as { default: Adapter }).default;
}
