/** Express 4, whose apps have a `router` getter that throws, in every scope; its layouts are in frameworks.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const packages = ["express from express4"];

for (const scope of ["affected", "app", "worker"]) {
  describe(`Express 4 with --scope ${scope}`, () => {
    test("an app that one module exports and another imports starts, and takes an edit of both over", async () => {
      await using app = new TempApp(
        {
          "app.js": `module.exports = require("express")(); // 4.x\n`,
          "index.js": `const app = require("./app");
app.get("/", (req, res) => res.send("answer-1"));
const server = app.listen(0, () => console.log("on " + server.address().port));
`,
        },
        { packages },
      );
      await using served = await serve(app, "index.js", { flags: ["--scope", scope] });
      assert.equal((await served.get("/")).body, "answer-1");
      app.edit("index.js", "answer-1", "answer-2");
      assert.equal((await served.get("/")).body, "answer-2");
      app.append("app.js", `module.exports.set("x-powered-by", false);\n`);
      const answer = await served.get("/");
      assert.equal(answer.body, "answer-2");
      assert.equal(answer.headers["x-powered-by"], undefined);
    });
  });
}
