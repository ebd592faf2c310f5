/** What tests of libraries for databases share: descriptors that are open, connections that are counted. */
import { createRequire } from "node:module";
import { packageFolders } from "./packages.js";

/** For the options of a test: false, or why it is skipped. The package is a native addon, built for one Node. */
export function skipWithoutSqlite(): string | false {
  try {
    const [folder = ""] = packageFolders(["better-sqlite3"]);
    const Database = createRequire(import.meta.url)(folder) as new (file: string) => { close(): void };
    new Database(":memory:").close();
    return false;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `better-sqlite3 cannot be loaded here: ${error.message.split("\n", 1)[0]}`;
  }
}

/** Text of a CommonJS file `descriptors.cjs`: how often files with this in their path are open, where that can be asked. */
export const descriptors = `
const fs = require("node:fs");
exports.descriptors = (part) => {
  if (!fs.existsSync("/proc/self/fd")) return 0;
  let open = 0;
  for (const fd of fs.readdirSync("/proc/self/fd")) {
    try {
      if (fs.readlinkSync("/proc/self/fd/" + fd).includes(part)) open++;
    } catch {}
  }
  return open;
};
`;

/** Names for tables and connections that no other test, and no other run, has. */
export function uniqueName(topic: string): string {
  return `ur_${topic}_${process.pid}`;
}
