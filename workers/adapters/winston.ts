/**
 * winston (3): loggers that are kept by name, and what a logger does with exceptions and rejections. Its transports have
 * an adapter of their own.
 */
import type { Adapter, AdapterContext } from "../../src/common/protocol/adapter.js";
import { watchRegistrations } from "./registrations.js";

interface Container {
  readonly loggers: Map<string, unknown>;
}

/** Of uncaught exceptions or unhandled rejections. */
interface Handler {
  /** Transport to the stream that is piped into it. */
  readonly handlers: Map<unknown, unknown>;
  readonly logger: { unpipe(stream: unknown): void };
  /** The listener of the process; false without. */
  catcher?: unknown;
}

export default {
  name: "winston",
  packages: ["winston"],
  attach({ exports }, context) {
    watchRegistrations<Container>(
      exports.Container?.prototype,
      { what: "winston logger", methods: ["add", "get"], collections: ({ loggers }) => [loggers] },
      context,
    );
    watchHandlers(exports.ExceptionHandler?.prototype, context);
    watchHandlers(exports.RejectionHandler?.prototype, context);
    return undefined;
  },
} satisfies Adapter;

function watchHandlers(prototype: unknown, context: AdapterContext): void {
  context.wrap(
    prototype,
    "handle",
    (original) =>
      function (this: Handler, ...args) {
        const known = new Set(this.handlers.keys());
        const wasListening = Boolean(this.catcher);
        const result: unknown = original.apply(this, args);
        const added = [...this.handlers].filter(([transport]) => !known.has(transport));
        context.record("winston exception handlers", () => {
          for (const [transport, stream] of added) {
            this.handlers.delete(transport);
            this.logger.unpipe(stream);
          }
          // Its listener goes as any other; without this it would not come back.
          if (!wasListening) this.catcher = false;
        });
        return result;
      },
  );
}
