/** Finds the file that `import` gives for a package that offers none to `require`. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";

const CONDITIONS: ReadonlySet<string> = new Set([".", "node", "import", "module-sync", "default"]);

/** The main module of the package `name`, as seen from `folder`; undefined when it has none. */
export function importedPackage(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const description = path.join(at, "node_modules", name, "package.json");
    if (existsSync(description)) {
      const { exports } = JSON.parse(readFileSync(description, "utf8")) as { exports?: unknown };
      const target = targetOf(exports);
      return target === undefined ? undefined : realpathSync(path.join(path.dirname(description), target));
    }
    if (at === path.dirname(at)) return undefined;
  }
}

/** The first condition that holds, as Node takes it. */
function targetOf(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return undefined;
  for (const [condition, nested] of Object.entries(exports)) {
    const target = CONDITIONS.has(condition) ? targetOf(nested) : undefined;
    if (target !== undefined) return target;
  }
  return undefined;
}
