/** Nest (8 to 12): an application is closed with the file that created it: its modules close their connections then. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Closable {
  close(): Promise<void>;
}

const CREATING = ["create", "createMicroservice", "createApplicationContext"];

export default {
  name: "nest",
  packages: ["@nestjs/core"],
  attach({ exports }, context) {
    const factory: unknown = exports.NestFactory;
    for (const method of CREATING) {
      context.wrap(
        factory,
        method,
        (original) =>
          function (...args) {
            const creating = original.apply(this, args) as Promise<Closable>;
            context.record("Nest application", async () => {
              // One that could not be created has nothing to close, and whoever waits for it has the error.
              const app = await creating.catch(() => undefined);
              await app?.close();
            });
            return creating;
          },
      );
    }
    return undefined;
  },
} satisfies Adapter;
