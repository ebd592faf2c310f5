/**
 * sqlite3 (5, 6): ending a thread while a database is opened, or a query runs, aborts the process: the addon calls back into
 * a thread that runs no JavaScript any more. Before the thread ends, each database is asked to tell when it is done; what
 * takes longer is interrupted, as the end of a process would do.
 */
import { QUERY_END_MS } from "../../src/common/deadlines.js";
import type { Adapter, Constructor, Method } from "../../src/common/protocol/adapter.js";

interface Database {
  /** Calls back when all that was begun before has ended. */
  wait(done: () => void): unknown;
  readonly open?: boolean;
  /** Lets the queries that run fail. Throws when the database is not open. */
  interrupt(): void;
}

/** How often what runs is told to end, when it has had its time: one query may follow another. */
const INTERRUPT_MS = 50;

/** Databases are noted when they are made, and when they are used: the library makes those of its cache by itself. */
const USES = ["run", "get", "all", "each", "map", "prepare", "exec", "loadExtension", "backup", "close"];

export default {
  name: "sqlite3",
  packages: ["sqlite3"],
  attach({ exports }, context) {
    const { Database } = exports as { Database?: Constructor };
    if (typeof Database !== "function") return undefined;
    const databases = new Databases();
    for (const name of USES) {
      context.wrap(Database.prototype, name, (original): Method => {
        return function (this: Database, ...args) {
          databases.add(this);
          return Reflect.apply(original, this, args) as unknown;
        };
      });
    }
    const standIn: Constructor = new Proxy(Database, {
      construct(target, args, newTarget) {
        const made: object = Reflect.construct(target, args, newTarget === standIn ? target : newTarget);
        databases.add(made as Database);
        return made;
      },
    });
    exports.Database = standIn;
    return { end: () => databases.done() };
  },
} satisfies Adapter;

/** Held weakly: the app decides how long they live. */
class Databases {
  readonly #known = new WeakSet<Database>();
  #alive: WeakRef<Database>[] = [];

  add(database: Database): void {
    if (this.#known.has(database)) return;
    this.#known.add(database);
    this.#alive = this.#alive.filter((reference) => reference.deref());
    this.#alive.push(new WeakRef(database));
  }

  async done(): Promise<void> {
    const alive = this.#alive.flatMap((reference) => reference.deref() ?? []);
    await Promise.all(alive.map(done));
  }
}

function done(database: Database): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(interrupt, QUERY_END_MS);
    database.wait(() => {
      clearTimeout(timer);
      resolve();
    });
    function interrupt(): void {
      if (database.open) database.interrupt();
      timer = setTimeout(interrupt, INTERRUPT_MS);
    }
  });
}
