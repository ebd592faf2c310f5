/** What `supervisor.inspect()` shows of the classes in the app's thread. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSupervisor } from "../../src/index.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": `{ "type": "module" }`,
  "main.ts": `import http from "node:http";
import { User } from "./user.js";
http.createServer(async (req, res) => {
  if (req.url === "/late") res.end((await import("./late.cjs")).default.name);
  else if (req.url === "/made") res.end(class PerRequest extends User {}.name);
  else res.end(new User().greet());
}).listen(0, "127.0.0.1");
`,
  "model.ts": `import { EventEmitter } from "node:events";
export class Model extends EventEmitter {}
export const Timestamped = (base: typeof Model) => class Timestamped extends base {};
`,
  "user.ts": `import { Model, Timestamped } from "./model.js";
class Secret { #value = 1; reveal() { return this.#value; } }
export class User extends Timestamped(Model) { greet() { return "hello " + new Secret().reveal(); } }
`,
  "late.cjs": `module.exports = class Late {};`,
};

describe("inspecting the classes of an app", { skip: plainMode }, () => {
  test("shows for each file its classes and what they descend from, and follows every reload", async () => {
    await using app = new TempApp(files);
    await using supervisor = createSupervisor({ entry: app.path("main.ts"), logLevel: "silent" });
    const listening = new Promise<string>((resolve) => {
      supervisor.once("listening", ({ host, port }) => resolve(`http://${host}:${port}`));
    });
    await supervisor.start();
    const url = await listening;
    const classes = (): unknown => supervisor.inspect().classes;

    assert.equal((await requestOnce(`${url}/made`)).body, "PerRequest");
    const ofModel = { [app.path("model.ts")]: [{ name: "Model", bases: ["EventEmitter"] }] };
    const ofUser = {
      [app.path("user.ts")]: [
        { name: "Secret", bases: [] },
        { name: "Timestamped", bases: ["Model", "EventEmitter"] },
        { name: "User", bases: ["Timestamped", "Model", "EventEmitter"] },
      ],
    };
    assert.deepEqual(classes(), { ...ofModel, ...ofUser });

    assert.equal((await requestOnce(`${url}/late`)).body, "Late");
    const ofLate = { [app.path("late.cjs")]: [{ name: "Late", bases: [] }] };
    assert.deepEqual(classes(), { ...ofModel, ...ofUser, ...ofLate });

    app.write("user.ts", `export class User { greet() { return "plain"; } }`);
    assert.equal((await requestOnce(url)).body, "plain");
    const ofPlain = { [app.path("user.ts")]: [{ name: "User", bases: [] }] };
    assert.deepEqual(classes(), { ...ofPlain, ...ofLate });

    app.write("user.ts", `export const User = function () {}; User.prototype.greet = () => "none";`);
    assert.equal((await requestOnce(url)).body, "none");
    assert.deepEqual(classes(), ofLate);

    await supervisor.restart();
    assert.deepEqual(classes(), {});
  });
});
