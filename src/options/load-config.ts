/** Reads the configuration that applies to a command line. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { errorText, OptionError } from "../common/errors.js";
import { findConfig, parseJson } from "./find-config.js";
import type { ConfiguredOptions } from "./options.js";

/**
 * The options in the first of `folders` that has any; undefined when none has.
 * @throws OptionError naming the file: there are two, it does not compile, it throws, or it exports no options.
 */
export async function loadConfig(folders: Iterable<string>): Promise<ConfiguredOptions | undefined> {
  const place = findConfig(folders);
  if (!place) return undefined;
  const { file } = place;
  if (place.type === "key") return { options: place.options, file, files: [file] };
  if (path.extname(file) === ".json")
    return { options: withoutSchema(parseJson(readFileSync(file, "utf8"), file)), file, files: [file] };
  // Most projects have no configuration in code: what evaluates one is loaded when there is.
  const { evaluateConfig } = await import("./evaluate-config.js");
  const { exported, files } = await evaluateConfig(file);
  return { options: await optionsOf(exported, file), file, files };
}

/** `$schema` tells editors what the file may say, and nothing to us. */
function withoutSchema(options: unknown): unknown {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return options;
  const { $schema: _, ...others } = options as Record<string, unknown>;
  return others;
}

/** The default export: options, or a function or promise that gives them. */
async function optionsOf(exported: unknown, file: string): Promise<unknown> {
  if (exported === undefined)
    throw new OptionError(
      `${path.basename(file)} has no default export: expected export default defineConfig({ ... })`,
    );
  try {
    return await (typeof exported === "function" ? (exported as () => unknown)() : exported);
  } catch (error) {
    throw new OptionError(`${path.basename(file)} threw: ${errorText(error)}`);
  }
}
