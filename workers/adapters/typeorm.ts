/**
 * typeorm (0.3, 1): what decorators say of entities, in lists of one storage for the process; and data sources, which are
 * closed with the file that opened them.
 */
import Module, { createRequire } from "node:module";
import type { Adapter, AdapterContext } from "../../src/common/protocol/adapter.js";
import { closeOpened, loadedFiles } from "./patterns.js";
import { forgetClasses } from "./registrations.js";

interface DataSource {
  readonly isInitialized: boolean;
  destroy(): Promise<void>;
}

/** Loads entities that are given by a glob; the package does not export it. */
const IMPORTING = /[\\/]typeorm[\\/]util[\\/]ImportUtils\.js$/;

export default {
  name: "typeorm",
  packages: ["typeorm"],
  globals: ["typeormMetadataArgsStorage"],
  attach({ exports }, context) {
    if (!("registerHooks" in Module)) watchImports(context);
    const dataSource = {
      what: "typeorm data source",
      close: async (opened: DataSource) => {
        // The app may have closed it.
        if (opened.isInitialized) await opened.destroy();
      },
    };
    closeOpened(exports.DataSource?.prototype, "initialize", dataSource, context);
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
  for (const { file, exports } of loadedFiles(IMPORTING)) {
    const requireThere = createRequire(file);
    context.wrap(
      exports,
      "importOrRequireFile",
      (original) =>
        async function (wanted: string, ...args) {
          const module: unknown = requireThere(wanted);
          return isNamespace(module) ? [module, "esm"] : original.call(this, wanted, ...args);
        },
    );
  }
}

function isNamespace(exports: unknown): boolean {
  return typeof exports === "object" && Object.prototype.toString.call(exports) === "[object Module]";
}
