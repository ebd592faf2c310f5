/** What a statement has done to a package, and the module's new version does not do any more, is gone as after a fresh start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "node_modules/settings/package.json": `{ "name": "settings", "version": "1.0.0" }`,
  "node_modules/settings/store.js": `let style = { week: 0 };
exports.get = () => style;
exports.set = (given) => { style = { ...style, ...given }; };
`,
  // As compilers write it: what is exported is another module's, whose variables no function here shares.
  "node_modules/settings/index.js": `const store = require("./store.js");
Object.defineProperty(exports, "setStyle", { enumerable: true, get: function () { return store.set; } });
let language = "en";
let isStrict = false;
const rules = [];
class Thing {}
exports.options = { currency: { symbol: "$" } };
exports.language = (given) => { language = given; };
exports.strict = (given) => { isStrict = given; };
exports.rule = (pattern, to) => { rules.push([new RegExp(pattern), to]); };
exports.extend = (plugin) => plugin(exports, Thing);
exports.on = (listener) => { exports.listener = (text) => listener(text); };
exports.tell = () => JSON.stringify([language, isStrict, rules.map(([, to]) => to), exports.options.currency.symbol, store.get().week,
  Object.getOwnPropertyNames(Thing.prototype).slice(1), exports.listener?.("heard") ?? "none"]);
`,
  "main.js": `require("./setup.js");
require("./inject.js")(require("settings"));
const kept = require("./kept.js");
require("http").createServer((request, response) => response.end(require("settings").tell() + kept.evaluations)).listen(0, "127.0.0.1");
`,
  "kept.js": `exports.evaluations = globalThis.evaluations = (globalThis.evaluations ?? 0) + 1;\n`,
  "inject.js": `module.exports = (settings) => { settings.options.currency.symbol = "E"; };\n`,
  "setup.js": "",
};

const statements = {
  language: `settings.language("fr");`,
  strict: `settings.strict(true);`,
  rule: `settings.rule("a", "b");`,
  style: `settings.setStyle({ week: 5 });`,
  plugin: `settings.extend((it, Thing) => { Object.defineProperty(Thing.prototype, "hello", { value: 1 }); it.options.more = 1; });`,
  listener: `settings.on((text) => text + 1);`,
};

test("what modules do to packages and do no more is gone", { skip: plainMode }, async () => {
  const setup = (...names: (keyof typeof statements)[]) =>
    `const settings = require("settings");\n${names.map((name) => statements[name]).join("\n")}\n`;
  const all = Object.keys(statements) as (keyof typeof statements)[];
  await using app = new TempApp({ ...files, "setup.js": setup(...all) });
  await using served = await serve(app, "main.js");
  const whole = `["fr",true,["b"],"E",5,["hello"],"heard1"]`;
  assert.equal(await served.text("/"), `${whole}1`);

  const inPlace = async (text: string, expected: string, why: string) => {
    app.write("setup.js", text);
    assert.equal(await served.text("/"), expected, why);
    assert.deepEqual(served.lines.matching(/restarted/), [], why);
  };
  await inPlace(`${setup(...all)}// A comment.\nexports.more = 1;\n`, `${whole}1`, "nothing is dropped");
  await inPlace(
    setup(...all).replace("text + 1", "text + 2"),
    `${whole.replace("heard1", "heard2")}1`,
    "only a function's body differs",
  );

  let from = served.lines.all.length;
  const gone: [keyof typeof statements, string][] = [
    ["language", `["en",true,["b"],"E",5,["hello"],"heard1"]`],
    ["strict", `["fr",false,["b"],"E",5,["hello"],"heard1"]`],
    ["rule", `["fr",true,[],"E",5,["hello"],"heard1"]`],
    ["style", `["fr",true,["b"],"E",0,["hello"],"heard1"]`],
    ["plugin", `["fr",true,["b"],"E",5,[],"heard1"]`],
    ["listener", `["fr",true,["b"],"E",5,["hello"],"none"]`],
  ];
  for (const [name, expected] of gone) {
    app.write("setup.js", setup(...all.filter((each) => each !== name)));
    assert.equal((await served.text("/")).slice(0, -1), expected, name);
    app.write("setup.js", setup(...all));
    assert.equal((await served.text("/")).slice(0, -1), whole, `${name} again`);
  }
  const [line = ""] = served.lines.matching(/restarted/, from);
  assert.match(line, /: setup\.js was purged, but its settings\.language in the package settings stays$/);

  from = served.lines.all.length;
  app.write("inject.js", "module.exports = () => {};\n");
  assert.match(await served.text("/"), /"\$"/);
  assert.equal(served.lines.matching(/restarted/, from).length, 1);
});
