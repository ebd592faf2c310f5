/** node-cron (3, 4): tasks are kept in one map for the process until they are destroyed. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Task {
  destroy?(): void | Promise<void>;
  stop(): void;
}

export default {
  name: "node-cron",
  packages: ["node-cron"],
  attach({ exports }, context) {
    const { getTasks } = exports.default ?? exports;
    // The map itself, in which each task is set when it is made.
    context.wrap(
      getTasks?.(),
      "set",
      (original) =>
        function (this: Map<string, Task>, key: string, task: Task) {
          context.record("node-cron task", async () => {
            await (task.destroy ? task.destroy() : task.stop());
            this.delete(key);
          });
          return original.call(this, key, task);
        },
    );
    return undefined;
  },
} satisfies Adapter;
