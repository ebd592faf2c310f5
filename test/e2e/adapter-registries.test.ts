/** Libraries that keep what files register by name: each keeps its instance in a file that stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";

test("passport: the newest serializers and strategies are used, and no more of them", async () => {
  const files = {
    "auth.js": `
const passport = require("passport");
const { watch } = require("./probe.cjs");
passport.serializeUser(watch((user, done) => done(null, "version-1")));
passport.deserializeUser((id, done) => done(null, { id }));
passport.use("custom", { name: "custom", version: "version-1", authenticate() { this.pass(); } });
`,
    "main.js": `
require("./auth.js");
const passport = require("passport");
require("./probe.cjs").serve((request) => request.url === "/count"
  ? [passport._serializers.length, passport._deserializers.length, Object.keys(passport._strategies)].join()
  : new Promise((resolve) => passport.serializeUser({}, (error, id) => resolve(id + (id === passport._strategies.custom.version ? "" : " but " + passport._strategies.custom.version)))));
`,
  };
  await reloadManyTimes(
    { packages: ["passport"], files, entry: "main.js", edited: "auth.js" },
    RELOADS,
    async ({ alive, served }) => {
      assert.equal(await served.text("/count"), "1,1,session,custom");
      assert.ok((await alive()) <= 2, `${await alive()} serializers are alive`);
    },
  );
});

test("prom-client: metrics and default metrics are registered anew", async () => {
  const files = {
    "metrics.js": `
const client = require("prom-client");
const { watch } = require("./probe.cjs");
client.collectDefaultMetrics();
exports.requests = watch(new client.Counter({ name: "requests_total", help: "version-1" }));
`,
    "main.js": `
require("./metrics.js");
const client = require("prom-client");
require("./probe.cjs").serve(async () => /HELP requests_total (\\S+)/.exec(await client.register.metrics())[1]);
`,
  };
  await reloadManyTimes(
    { packages: ["prom-client"], files, entry: "main.js", edited: "metrics.js" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 2, `${await alive()} metrics are alive`),
  );
});

test("ajv: schemas, keywords and formats of a kept instance are added anew", async () => {
  const files = {
    "validator.cjs": `
const { Ajv } = require("ajv");
module.exports = new Ajv();
`,
    "schemas.js": `
const ajv = require("./validator.cjs");
const { watch } = require("./probe.cjs");
ajv.addSchema(watch({ $id: "user", type: "object", properties: { name: { const: "version-1" } } }));
ajv.addKeyword({ keyword: "even", type: "number", validate: (schema, n) => n % 2 === 0 });
ajv.addFormat("shout", /^[A-Z]+$/);
`,
    "main.js": `
require("./schemas.js");
const ajv = require("./validator.cjs");
require("./probe.cjs").serve(() => {
  const { schema } = ajv.getSchema("user");
  if (!ajv.validate({ even: true, type: "number" }, 2)) return "the keyword is gone";
  if (ajv.validate({ format: "shout", type: "string" }, "no")) return "the format is gone";
  return schema.properties.name.const;
});
`,
  };
  await reloadManyTimes(
    { packages: ["ajv"], files, entry: "main.js", edited: "schemas.js" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 2, `${await alive()} schemas are alive`),
  );
});
