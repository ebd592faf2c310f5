/** JavaScript that another tool has compiled, with source maps: what a stack, and Node's own functions for maps, tell of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../support/compared-run.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Each line of what was generated comes from the line behind it, two columns further to the right. */
const mapOf = (source: string) =>
  JSON.stringify({
    version: 3,
    sourceRoot: "../src/",
    sources: [source],
    names: [],
    mappings: `AACE${";AACA".repeat(40)}`,
  });
const inline = (source: string) =>
  `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(mapOf(source)).toString("base64")}\n`;
const FAILS = `exports.fail = (what) => {
  throw new Error(what);
};`;

test("--enable-source-maps follows the maps of own JavaScript and of packages, as under node", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "dist/main.cjs": `const module_ = require("node:module");
const tell = (run) => Promise.resolve().then(run).catch(({ stack }) => console.log(stack.replaceAll(/\\n.*node:.*/g, "")));
const told = [
  tell(() => require("./external.cjs").fail("external")),
  tell(() => require("compiled").fail("package")),
  tell(() => new (class Named { constructor() { require("./external.cjs").fail("constructor"); } })()),
  tell(() => require("./lost.cjs").fail("lost")),
];
Promise.all(told).then(() => tell(async () => (await import("./inner.mjs")).fail("inline"))).then(() => {
  for (const file of ["external.cjs", "inner.mjs", "lost.cjs", "main.cjs"]) {
    const map = module_.findSourceMap(require("node:path").join(__dirname, file));
    console.log(file, map?.payload, map?.lineLengths, map?.findEntry(1, 4), map?.findOrigin?.(2, 3));
  }
  setTimeout(() => require("./external.cjs").fail("last"));
});
`,
    "dist/external.cjs": `${FAILS}\n//# sourceMappingURL=external.cjs.map\n`,
    "dist/external.cjs.map": mapOf("external.ts"),
    "dist/inner.mjs": `${FAILS.replace("exports.fail =", "export const fail =")}${inline("inner.ts")}`,
    "dist/lost.cjs": `${FAILS}\n//# sourceMappingURL=lost.cjs.map\n`,
    "node_modules/compiled/package.json": `{ "name": "compiled", "main": "./dist/index.js" }`,
    "node_modules/compiled/dist/index.js": `${FAILS}${inline("index.ts")}`,
  });
  const nodeFlags = ["--enable-source-maps"];
  const expected = await run("node", app, "dist/main.cjs", { nodeFlags });
  const got = await run("unreloader", app, "dist/main.cjs", { nodeFlags, flags: ["--exit", "--quiet"] });
  // Node shows the place of the original above what nobody catches; the supervisor that of the file that it loads.
  const until = (lines: readonly string[]) =>
    lines.slice(
      0,
      lines.findIndex((line) => line.startsWith("main.cjs undefined")),
    );
  assert.ok(
    until(expected.lines).some((line) => line.includes("src/external.ts:3")),
    String(expected.lines),
  );
  assert.deepEqual(until(got.lines), until(expected.lines));
  const last = /^ +at .*fail \(.*src\/external\.ts:3:\d+\)/;
  assert.deepEqual(
    got.lines.findLast((line) => last.test(line)),
    expected.lines.findLast((line) => last.test(line)),
  );
  assert.equal(got.code, expected.code);
});
