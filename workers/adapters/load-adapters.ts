/** Loads the user's own adapters, and says what is wrong with one before it can do harm. */
import { pathToFileURL } from "node:url";
import { errorText, OptionError } from "../../src/common/errors.js";
import type { Adapter } from "../../src/common/protocol/adapter.js";

/** The default export of a module, `module.exports`, or the list there. Throws OptionError for anything else. */
export async function loadAdapters(file: string): Promise<Adapter[]> {
  const { default: exported } = await load(file);
  const list: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  for (const adapter of list) {
    if (!isAdapter(adapter))
      throw new OptionError(
        `option adapters ${file}: its default export must be { name, packages: [...], attach(library, context) } or a list of such`,
      );
  }
  return list as Adapter[];
}

async function load(file: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    const message = errorText(error);
    throw new OptionError(`option adapters ${file}: it could not be loaded: ${message}`, { cause: error });
  }
}

function isAdapter(value: unknown): value is Adapter {
  if (typeof value !== "object" || value === null) return false;
  const { name, packages, attach } = value as Partial<Record<keyof Adapter, unknown>>;
  const namesPackages = Array.isArray(packages) && packages.every((name) => typeof name === "string");
  return typeof name === "string" && namesPackages && typeof attach === "function";
}
