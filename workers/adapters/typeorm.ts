/**
 * typeorm (0.3, 1): what decorators say of entities, in lists of one storage for the process; and data sources, which are
 * closed with the file that opened them.
 */
import Module, { createRequire } from "node:module";
import type { Adapter, AdapterContext } from "../../src/common/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

interface DataSource {
  readonly isInitialized: boolean;
  readonly driver: object;
  destroy(): Promise<void>;
}

const require = createRequire(import.meta.url);
/** Loads entities that are given by a glob; the package does not export it. */
const IMPORTING = /[\\/]typeorm[\\/]util[\\/]ImportUtils\.js$/;

export default {
  name: "typeorm",
  packages: ["typeorm"],
  attach({ exports }, context) {
    if (!("registerHooks" in Module)) watchImports(context);
    context.wrap(
      exports.DataSource?.prototype,
      "initialize",
      (original) =>
        function (this: DataSource, ...args) {
          const opening = original.apply(this, args) as Promise<unknown>;
          context.record("typeorm data source", async () => {
            // One that could not be opened has nothing to close, and whoever waits for it has the error.
            await opening.catch(() => undefined);
            if (this.isInitialized) await this.destroy();
          });
          return opening;
        },
    );
    return {
      purge({ classes }) {
        const storage: object = exports.getMetadataArgsStorage?.() ?? {};
        for (const list of Object.values(storage)) forgetClasses(list, classes);
      },
    };
  },
} satisfies Adapter;

/**
 * An `import()` in the text of a `Function`, as typeorm has it, is seen by nobody on a Node without `registerHooks` (20):
 * own files are required instead.
 */
function watchImports(context: AdapterContext): void {
  for (const [file, module] of Object.entries(require.cache)) {
    if (!IMPORTING.test(file)) continue;
    const requireThere = createRequire(file);
    context.wrap(
      module?.exports,
      "importOrRequireFile",
      (original) =>
        async function (wanted: string, ...args) {
          const exports: unknown = requireThere(wanted);
          return isNamespace(exports) ? [exports, "esm"] : original.call(this, wanted, ...args);
        },
    );
  }
}

function isNamespace(exports: unknown): boolean {
  return typeof exports === "object" && Object.prototype.toString.call(exports) === "[object Module]";
}
