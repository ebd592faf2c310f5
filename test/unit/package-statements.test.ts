import assert from "node:assert/strict";
import { test } from "node:test";
import { packageStatementsOf } from "../../src/common/compile/package-statements.js";
import { parse } from "../../src/common/compile/syntax-tree.js";

const statements = (text: string, goal: "commonjs" | "module" = "commonjs") =>
  packageStatementsOf(parse(text, goal).program, text).map(({ of, target }) => `${of}: ${target}`);

test("statements that leave something in a package are told from those that take something", () => {
  const found: [string, string[]][] = [
    [`const d = require("dayjs"); d.extend(utc); const x = d.utc();`, ["dayjs: d.extend"]],
    [`require("express").response.hey = () => 1;`, [`express: require("express").response.hey`]],
    [
      `const { defaults: { headers } } = require("axios"); headers.x = 1; delete headers.y;`,
      ["axios: headers.x", "axios: headers.y"],
    ],
    [`const Prism = require("prismjs"); const { languages } = Prism; languages.foo = {};`, ["prismjs: languages.foo"]],
    [
      `const a_1 = __importDefault(require("a")); (0, a_1.default)(1); a_1.default.b.c++;`,
      ["a: 0,a_1.default", "a: a_1.default.b.c"],
    ],
    [`const a = require("@of/a/part"); Object.assign(a.options, { b: 1 });`, ["@of/a/part: a.options"]],
    [
      `const a = require("a"); function f() { a.on("x"); } async () => { await a.b(); ok && a?.c(); };`,
      ["a: a.on", "a: a.b", "a: a?.c"],
    ],
    [`const i = require("i"); i.use(x).init({ a: 1 });`, ["i: i.use(x).init"]],
    [
      `module.exports = (passport) => { passport.use(1); list.map((item) => { item.do(); }); };`,
      ["passport: passport.use"],
    ],
    [
      `const c = require("c"); c.use((chai, x) => { chai.A.add("b"); }); c.on((d) => d.e(1));`,
      ["c: c.use", "c: chai.A.add", "c: c.on", "c: d.e"],
    ],
    // What a call has given is the module's own; files and Node's modules are no packages.
    [
      `const app = require("express")(); app.use(1); require("./own").set(1); require("fs").mkdirSync("x"); other.do();`,
      [],
    ],
    [`exports.handle = (req, res) => { res.end(); };`, []],
  ];
  for (const [text, expected] of found) assert.deepEqual(statements(text), expected, text);
  const text = `import a, { b as c } from "a"; import * as d from "d";\na.x = 1; c.y(); d.z(); import.meta.w();`;
  assert.deepEqual(statements(text, "module"), ["a: a.x", "a: c.y", "d: d.z"]);

  const texts = (body: string) => {
    const source = `const a = require("a"); a.on("x", { b: 1 }, (c) => { ${body} }, function () { ${body} });`;
    return packageStatementsOf(parse(source, "commonjs").program, source).map((one) => one.text);
  };
  assert.deepEqual(texts("d(1);"), [`a.on("x",{b:1},(c)=>,function())`], "bodies of functions are none of it");
});
