import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOADS, reloadManyTimes } from "../support/adapter-app.js";

const user = `
const mongoose = require("mongoose");
const { watch } = require("./probe.cjs");
const schema = new mongoose.Schema({ name: String });
schema.statics.version = () => "version-1";
module.exports = watch(mongoose.model("User", schema));
`;

test("a model is defined anew at each reload, and the old ones are collected", async () => {
  const files = {
    "user.js": user,
    "main.js": `
require("./user.js");
const mongoose = require("mongoose");
require("./probe.cjs").serve(() => mongoose.model("User").version());
`,
  };
  await reloadManyTimes(
    { packages: ["mongoose"], files, entry: "main.js", edited: "user.js" },
    RELOADS,
    async ({ alive }) => {
      assert.ok((await alive()) <= 3, `${await alive()} models are alive`);
    },
  );
});

test("names that an ES module imports are watched as well", async () => {
  const files = {
    "user.mjs": `
import { model, Schema } from "mongoose";
import { watch } from "./probe.cjs";
const schema = new Schema({ name: String });
schema.statics.version = () => "version-1";
export const User = watch(model("User", schema));
`,
    "main.mjs": `
import "./user.mjs";
import mongoose from "mongoose";
import { serve } from "./probe.cjs";
serve(() => mongoose.models.User.version());
`,
  };
  await reloadManyTimes({ packages: ["mongoose"], files, entry: "main.mjs", edited: "user.mjs" }, 5);
});

test("`models.X || model(X)` gives the new model", async () => {
  const files = {
    "user.js": user.replace("mongoose.model(", `mongoose.models.User || mongoose.model(`),
    "main.js": `
const User = require("./user.js");
require("./probe.cjs").serve(() => User.version());
`,
  };
  await reloadManyTimes({ packages: ["mongoose"], files, entry: "main.js", edited: "user.js" }, 5);
});

test("a discriminator of a kept base is defined anew", async () => {
  const files = {
    "event.js": `
const mongoose = require("mongoose");
module.exports = mongoose.model("Event", new mongoose.Schema({ at: Date }, { discriminatorKey: "kind" }));
`,
    "click.js": `
const mongoose = require("mongoose");
const Event = require("./event.js");
const schema = new mongoose.Schema({ url: String });
schema.statics.version = () => "version-1";
module.exports = Event.discriminator("Click", schema);
`,
    "main.js": `
require("./click.js");
const Event = require("./event.js");
require("./probe.cjs").serve(() => Event.discriminators.Click.version());
`,
  };
  await reloadManyTimes({ packages: ["mongoose"], files, entry: "main.js", edited: "click.js" }, 5);
});

test("models of other files get the newest version of a global plugin", async () => {
  const files = {
    "plugin.js": `
require("mongoose").plugin((schema) => { schema.statics.version = () => "version-1"; });
`,
    "user.js": `
const mongoose = require("mongoose");
module.exports = mongoose.model("User", new mongoose.Schema({ name: String }));
`,
    "main.js": `
require("./plugin.js");
require("./user.js");
const mongoose = require("mongoose");
require("./probe.cjs").serve(() => mongoose.model("User").version());
`,
  };
  await reloadManyTimes({ packages: ["mongoose"], files, entry: "main.js", edited: "plugin.js" }, 5);
});

test("a global plugin is applied once, in its newest version", async () => {
  const files = {
    "plugin.js": `
const mongoose = require("mongoose");
mongoose.plugin((schema) => {
  (schema.statics.applied ??= []);
  schema.statics.applied = [...schema.statics.applied, "version-1"];
});
`,
    "main.js": `
require("./plugin.js");
const mongoose = require("mongoose");
require("./probe.cjs").serve(() => {
  const before = mongoose.models.Probe;
  if (before) mongoose.deleteModel("Probe");
  const Probe = mongoose.model("Probe", new mongoose.Schema({}));
  return Probe.applied === undefined ? "none" : [].concat(Probe.schema.statics.applied).join();
});
`,
  };
  await reloadManyTimes({ packages: ["mongoose"], files, entry: "main.js", edited: "plugin.js" }, 5);
});
