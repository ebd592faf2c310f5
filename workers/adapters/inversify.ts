/** inversify (6 to 8): bindings and modules of a container that is kept. A second binding of one service is ambiguous. */
import type { Adapter, AdapterContext } from "../../src/common/protocol/adapter.js";
import { afterCalls } from "./patterns.js";

interface Container {
  isBound(service: unknown): boolean;
  unbind(bindingOrService: unknown): unknown;
  unbindAsync?(bindingOrService: unknown): Promise<void>;
  unload(...modules: unknown[]): void;
  unloadAsync?(...modules: unknown[]): Promise<void>;
}

/** What `to()` and its like give: from inversify 7 on it knows its one binding. */
interface Bound {
  getIdentifier?(): unknown;
}

export default {
  name: "inversify",
  packages: ["inversify"],
  attach({ exports }, context) {
    const prototype: unknown = exports.Container?.prototype;
    for (const method of ["bind", "rebind"]) watchBindings(prototype, method, context);
    for (const method of ["load", "loadAsync"]) watchModules(prototype, method, context);
    return undefined;
  },
} satisfies Adapter;

function watchBindings(prototype: unknown, method: string, context: AdapterContext): void {
  context.wrap(
    prototype,
    method,
    (original) =>
      function (this: Container, service: unknown, ...args) {
        const binding = original.call(this, service, ...args) as object;
        if (context.owner === undefined) return binding;
        let bound: Bound | undefined;
        for (const name of targetMethods(binding)) {
          context.wrap(
            binding,
            name,
            (to) =>
              function (...target) {
                bound = to.apply(this, target) as Bound | undefined;
                return bound;
              },
          );
        }
        context.record("inversify binding", async () => {
          if (!this.isBound(service)) return;
          const identifier = bound?.getIdentifier?.() ?? service;
          await (this.unbindAsync ? this.unbindAsync(identifier) : this.unbind(identifier));
        });
        return binding;
      },
  );
}

/** `to`, `toSelf`, `toConstantValue`, ... */
function targetMethods(binding: object): string[] {
  const prototype: object = Object.getPrototypeOf(binding);
  return Object.getOwnPropertyNames(prototype).filter((name) => /^to([A-Z]|$)/.test(name));
}

function watchModules(prototype: unknown, method: string, context: AdapterContext): void {
  afterCalls<Container>(prototype, method, context, (container, modules) => {
    context.record("inversify module", async () => {
      await (container.unloadAsync ? container.unloadAsync(...modules) : container.unload(...modules));
    });
  });
}
