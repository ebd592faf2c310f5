/** Reads its text where nothing could see it, and says on what it depends: so does unreloader.config.js for the folder. */
import { execFileSync } from "node:child_process";
import { unreloader } from "unreloader/app";

unreloader.recordDependency("./texts/greeting.txt", "./greeting.js");

export const greeting = execFileSync("cat", [new URL("texts/greeting.txt", import.meta.url).pathname], {
  encoding: "utf8",
}).trim();
