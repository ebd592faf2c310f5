/**
 * winston (3): loggers that are kept by name, and what a logger does with exceptions and rejections. Its transports
 * (winston-transport): each is taken from its logger and closed with the file that made it.
 */
import type { Adapter, AdapterContext } from "../../src/common/protocol/adapter.js";
import { closeConstructed } from "./patterns.js";
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

interface Transport {
  /** The logger it was added to. */
  readonly parent?: { remove(transport: Transport): unknown };
  close?(): void;
}

const winston: Adapter = {
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
};

const transports: Adapter = {
  name: "winston-transport",
  packages: ["winston-transport"],
  attach({ exports }, context) {
    const close = (transport: Transport): void => {
      if (transport.parent) transport.parent.remove(transport);
      else transport.close?.();
    };
    // Called by the constructor of every transport.
    closeConstructed(exports.prototype, "once", { what: "winston transport", close, isTakenOut: true }, context);
    return undefined;
  },
};

export default [winston, transports];

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
