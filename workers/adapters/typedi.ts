/** typedi (0.10): services of the global container and of named ones. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { forgetClasses, watchRegistrations } from "./registrations.js";

interface ContainerInstance {
  readonly services: unknown[];
}

export default {
  name: "typedi",
  packages: ["typedi"],
  attach({ exports }, context) {
    const { Container, ContainerInstance } = exports;
    watchRegistrations<ContainerInstance>(
      ContainerInstance?.prototype,
      { what: "typedi service", methods: ["set"], collections: ({ services }) => [services] },
      context,
    );
    return {
      purge({ classes }) {
        const containers: ContainerInstance[] = [Container?.globalInstance, ...(Container?.instances ?? [])];
        for (const container of containers) forgetClasses(container?.services, classes, ["id", "type"]);
        forgetClasses(Container?.handlers, classes, ["object"]);
      },
    };
  },
} satisfies Adapter;
