/**
 * Files that nobody imports: jobs that register themselves, models that are loaded when they are needed, a class in several
 * files. In a copy of this folder with unreloader installed: `npx unreloader`, or `node main.js` without reloads.
 */
import { createServer } from "node:http";
import { basename } from "node:path";
import { unreloader } from "unreloader/app";
import { greeting } from "./greeting.js";
import { jobs } from "./registry.js";
import Robot from "./robot.cjs";

await unreloader.require("./jobs", { onDelete: (file) => jobs.delete(basename(file, ".js")) });

const models = unreloader.autoload("./models", (file) => basename(file, ".js"));

createServer((request, response) => {
  const answer = {
    greeting,
    jobs: [...jobs.keys()].sort(),
    robot: Object.getOwnPropertyNames(Robot.prototype).filter((name) => name !== "constructor"),
    models: Object.keys(models).sort(),
    // The file is loaded by the first request that asks for it.
    ...(request.url === "/user" && { user: new models.User().name }),
  };
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer));
}).listen(process.env.PORT ?? 3000, "127.0.0.1");
