/**
 * bullmq (5, 6): a worker takes jobs until it is closed, which is awaited, so that a job that has begun is finished by the
 * code that began it. Its connections are its own: they go with it.
 */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { callOutside } from "./patterns.js";

interface Closable {
  close(force?: boolean): Promise<void>;
}

const CLASSES = ["QueueBase", "Queue", "Worker", "QueueEvents", "QueueEventsProducer"];
const CONSTRUCTING = ["createBackend", "setScripts"];

export default {
  name: "bullmq",
  packages: ["bullmq"],
  attach({ exports }, context) {
    const seen = new WeakSet<Closable>();
    // Called by the constructors of queues, workers and event streams, under one name or the other.
    for (const [Class, method] of CLASSES.flatMap((name) =>
      CONSTRUCTING.map((made) => [exports[name], made] as const),
    )) {
      if (!Class || !Object.hasOwn(Class.prototype, method)) continue;
      context.wrap(
        Class.prototype,
        method,
        (original) =>
          function (this: Closable, ...args) {
            const result: unknown = original.apply(this, args);
            if (!seen.has(this)) context.record("bullmq queue", () => this.close(), this);
            seen.add(this);
            return result;
          },
      );
    }
    // The clients of a connection are closed by it, in an order of its own. The loop that takes jobs goes on for ever:
    // what jobs create belongs to no file, as with requests.
    const own = [
      [exports.RedisConnection, "init"],
      [exports.Worker, "run"],
      [exports.QueueEvents, "run"],
    ] as const;
    for (const [Class, method] of own) callOutside(Class?.prototype, method, context);
    return undefined;
  },
} satisfies Adapter;
