/**
 * One client for as long as the process lives, whatever is saved. `keep` closes it at the end, and makes another one when this
 * file changes; in production the same line makes it once.
 */
import { unreloader } from "unreloader/app";
import { Client } from "./client.js";

export const db = await unreloader.keep(
  "db",
  () => new Client(),
  (client) => client.disconnect(),
);
