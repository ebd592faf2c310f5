/**
 * sqlite3 (5, 6): ending a thread while a database is opened, or a query runs, aborts the process: the addon calls back into
 * a thread that runs no JavaScript any more. Before the thread ends, each database is asked to tell when it is done; what
 * takes longer is interrupted, as the end of a process would do. What a callback begins then is not begun any more: one query
 * may follow another for ever.
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

/** Of a prepared statement; what lets go of one may still be done at the end. */
const STATEMENT_USES = ["bind", "run", "get", "all", "map", "reset"];
/** Rounds of waiting for what was begun meanwhile: statements are prepared, and databases opened, at the end, too. */
const ROUNDS = 10;

export default {
  name: "sqlite3",
  packages: ["sqlite3"],
  attach({ exports }, context) {
    const { Database, Statement } = exports as { Database?: Constructor; Statement?: Constructor };
    if (typeof Database !== "function") return undefined;
    const work = new Work();
    for (const name of USES) {
      context.wrap(Database.prototype, name, (original): Method => {
        return function (this: Database, ...args) {
          work.add(this);
          // Who prepares a statement goes on with it.
          if (work.isEnding && name !== "prepare") return this;
          return Reflect.apply(original, this, args) as unknown;
        };
      });
    }
    for (const name of STATEMENT_USES) {
      context.wrap(Statement?.prototype, name, (original): Method => {
        return function (this: object, ...args) {
          return work.isEnding ? this : (Reflect.apply(original, this, args) as unknown);
        };
      });
    }
    context.wrap(Statement?.prototype, "each", (original): Method => {
      return function (this: object, ...args) {
        return work.isEnding ? this : (Reflect.apply(original, this, work.followed(args)) as unknown);
      };
    });
    const standIn: Constructor = new Proxy(Database, {
      construct(target, args, newTarget) {
        const made: object = Reflect.construct(target, args, newTarget === standIn ? target : newTarget);
        work.add(made as Database);
        return made;
      },
    });
    exports.Database = standIn;
    return { end: () => work.end() };
  },
} satisfies Adapter;

/** What the library has under way. Databases are held weakly: the app decides how long they live. */
class Work {
  readonly #known = new WeakSet<Database>();
  #alive: WeakRef<Database>[] = [];
  /** How often a database was used. */
  #uses = 0;
  /** `each()` that hand out rows: a database is done before the last of them are. */
  readonly #handingOut = new Set<object>();
  #onHandedOut = (): void => undefined;
  #isEnding = false;

  get isEnding(): boolean {
    return this.#isEnding;
  }

  add(database: Database): void {
    this.#uses++;
    if (this.#known.has(database)) return;
    this.#known.add(database);
    this.#alive = this.#alive.filter((reference) => reference.deref());
    this.#alive.push(new WeakRef(database));
  }

  /** The arguments of an `each()`, which tells its end to us as well: callbacks for a row, and for the end. */
  followed(args: readonly unknown[]): unknown[] {
    const [first, second] = args.slice(-2);
    const hasEnd = typeof first === "function" && typeof second === "function";
    const onRow = hasEnd ? first : typeof second === "function" ? second : args.length === 1 && first;
    const onEnd = hasEnd ? second : undefined;
    const count = hasEnd ? 2 : typeof onRow === "function" ? 1 : 0;
    const token = {};
    this.#handingOut.add(token);
    return [
      ...args.slice(0, args.length - count),
      this.#followed(token, onRow, ([error]) => Boolean(error)),
      this.#followed(token, onEnd, () => true),
    ];
  }

  #followed(token: object, callback: unknown, isLast: (args: readonly unknown[]) => boolean): Method {
    const handedOut = (): void => {
      this.#handingOut.delete(token);
      if (this.#handingOut.size === 0) this.#onHandedOut();
    };
    return function (this: unknown, ...args) {
      if (isLast(args)) handedOut();
      return typeof callback === "function" ? (Reflect.apply(callback, this, args) as unknown) : undefined;
    };
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    let uses = -1;
    for (let round = 0; round < ROUNDS && uses !== this.#uses; round++) {
      uses = this.#uses;
      const alive = this.#alive.flatMap((reference) => reference.deref() ?? []);
      await Promise.all([...alive.map(done), this.#handedOut()]);
    }
  }

  #handedOut(): Promise<void> {
    if (this.#handingOut.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onHandedOut = resolve;
    });
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
