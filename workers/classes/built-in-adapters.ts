/** The adapters that come with the supervisor, by package. Each is loaded when the app has loaded its library. */
import { createRequire } from "node:module";
import type { Adapter } from "../../src/protocol/adapter.js";

/** npm package to the file in `adapters/` that knows it. */
const FILES: Readonly<Record<string, string>> = {
  mongoose: "mongoose",
};

const require = createRequire(import.meta.url);

export function builtInAdapter(packageName: string): Adapter | undefined {
  const file = Object.hasOwn(FILES, packageName) ? FILES[packageName] : undefined;
  if (file === undefined) return undefined;
  return (require(`./adapters/${file}.js`) as { default: Adapter }).default;
}
