/** better-sqlite3 (7 to 12): an open database is a native object with a file descriptor; closed with the file that opened it. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Database {
  close(): unknown;
}

export default {
  name: "better-sqlite3",
  packages: ["better-sqlite3"],
  attach({ exports }, context) {
    context.replaceExports(
      context.watchMaking(exports.default ?? exports, "sqlite database", (database: Database) => {
        database.close();
      }),
    );
    return undefined;
  },
} satisfies Adapter;
