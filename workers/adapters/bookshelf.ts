/** bookshelf (1): models and collections by name, in the registry of an instance that is kept. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { watchRegistrations } from "./registrations.js";

interface Bookshelf {
  readonly registry: { readonly models: Record<string, unknown>; readonly collections: Record<string, unknown> };
}

export default {
  name: "bookshelf",
  packages: ["bookshelf"],
  attach({ exports }, context) {
    const replaced: unknown = new Proxy(exports, {
      apply(target, self, args) {
        const bookshelf: unknown = Reflect.apply(target, self, args);
        watchRegistrations<Bookshelf>(
          bookshelf,
          {
            what: "bookshelf model",
            methods: ["model", "collection"],
            collections: ({ registry }) => [registry.models, registry.collections],
          },
          context,
        );
        return bookshelf;
      },
    });
    context.replaceExports(replaced);
    return undefined;
  },
} satisfies Adapter;
