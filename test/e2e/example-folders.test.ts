/** The example for `require`, `autoload`, recorded dependencies and split classes, run as it says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { copyOf, run } from "../support/example.js";
import { requestOnce } from "../support/http-client.js";
import { projectRoot } from "../support/project.js";

const announcer = new URL("../support/announce-listening.js", import.meta.url).href;
const first = { greeting: "Hello", jobs: ["mail"], robot: ["walk"], models: ["User"] };

test("the folders example loads what nobody imports, and runs under plain Node too", async () => {
  await using app = copyOf("folders", []);
  {
    await using plain = run(app, ["--import", announcer, "main.js"]);
    const { body } = await requestOnce(`${await plain.origin()}/user`);
    assert.deepEqual(JSON.parse(body), { ...first, user: "Ada" });
  }
  await using supervised = run(app, [`${projectRoot}/lib/src/terminal/cli.js`]);
  const origin = await supervised.origin();
  const ask = async (path = "/") => JSON.parse((await requestOnce(origin + path)).body) as Record<string, unknown>;
  assert.deepEqual(await ask(), first);
  app.write("jobs/clean.js", `import { jobs } from "../registry.js";\njobs.set("clean", () => "done");\n`);
  app.write("models/Group.js", "export class Group {}\n");
  app.write("robot/talk.cjs", `require("../robot.cjs").prototype.talk = () => "beep";\n`);
  app.write("texts/greeting.txt", "Good day\n");
  const second = { greeting: "Good day", jobs: ["clean", "mail"], robot: ["talk", "walk"], models: ["Group", "User"] };
  assert.deepEqual(await ask(), second);
  assert.deepEqual((await ask("/user")).user, "Ada");
  app.edit("models/User.js", "Ada", "Grace");
  assert.deepEqual((await ask("/user")).user, "Grace");
  for (const file of ["jobs/mail.js", "models/Group.js", "robot/walk.cjs"]) app.remove(file);
  const third = { greeting: "Good day", jobs: ["clean"], robot: ["talk"], models: ["User"] };
  assert.deepEqual(await ask(), third);
});
