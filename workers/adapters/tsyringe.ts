/** tsyringe (4): registrations of kept containers by token, and what is known of decorated classes. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { loadedFiles } from "./patterns.js";
import { forgetClasses } from "./registrations.js";

/** Keeps the constructor parameters of decorated classes; the package does not export it. */
const CONTAINER = /[\\/]tsyringe[\\/]dist[\\/]cjs[\\/]dependency-container\.js$/;

interface Container {
  readonly _registry: { readonly _registryMap: Map<unknown, unknown[]> };
}

export default {
  name: "tsyringe",
  packages: ["tsyringe"],
  attach({ exports }, context) {
    const shared = exports.container as object | undefined;
    const prototype: unknown = shared && Object.getPrototypeOf(shared);
    context.wrap(
      prototype,
      "register",
      (original) =>
        function (this: Container, token: unknown, ...args) {
          const known = new Set(this._registry._registryMap.get(token));
          const result: unknown = original.call(this, token, ...args);
          for (const registration of this._registry._registryMap.get(token) ?? []) {
            if (known.has(registration)) continue;
            context.record(`tsyringe registration ${String(nameOf(token))}`, () => {
              const map = this._registry._registryMap;
              const left = (map.get(token) ?? []).filter((kept) => kept !== registration);
              if (left.length > 0) map.set(token, left);
              else map.delete(token);
            });
          }
          return result;
        },
    );
    return {
      purge({ classes }) {
        forgetClasses((shared as Container | undefined)?._registry?._registryMap, classes);
        for (const { exports } of loadedFiles(CONTAINER)) forgetClasses(exports?.typeInfo, classes);
      },
    };
  },
} satisfies Adapter;

function nameOf(token: unknown): unknown {
  return typeof token === "function" ? token.name : token;
}
