/**
 * What an app sees of its process and of Node's modules is what it sees under plain Node, but for what is listed with a reason.
 * The app is test/support/sweep-probe.ts, as own code and as a package.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { seen } from "../support/as-node.js";
import { ALLOWED } from "../support/differences.js";
import { TempApp } from "../support/temp-app.js";

const probe = readFileSync(new URL("../support/sweep-probe.js", import.meta.url), "utf8");

const main = `import http from "node:http";
import * as own from "./probe.mjs";
import * as packaged from "probe";
const seen = {};
const add = (from, what, found) => {
  for (const [name, value] of Object.entries(found)) seen[from + what + name] = value;
};
add("", "", own.shapes());
for (const [about, calls] of Object.entries(own.calls())) add("", about + ": ", await own.outcomes(calls));
for (const [about, calls] of Object.entries(packaged.calls())) add("package, ", about + ": ", await packaged.outcomes(calls));
console.log("SEEN " + JSON.stringify(seen));
http.createServer(() => {}).listen(process.env.PORT, "127.0.0.1");
`;

test("an app sees of its process and of Node's modules what it sees without us", async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app", "type": "module" }`,
    "main.js": main,
    "probe.mjs": probe,
    "node_modules/probe/package.json": `{ "name": "probe", "type": "module", "exports": "./probe.js" }`,
    "node_modules/probe/probe.js": probe,
    "inner/file.txt": "",
    "forked.cjs": `process.send([process.argv.slice(2), process.connected, require("worker_threads").isMainThread]);
process.once("message", () => process.exit(4));`,
  });
  const env = { TZ: "Europe/Berlin" };
  const expected = (await seen(app, "main.js", "node", { env })) as Record<string, unknown>;
  const found = (await seen(app, "main.js", "reload", { env })) as Record<string, unknown>;
  assert.ok(Object.keys(expected).length > 1000, "the sweep has swept");
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const different = names.filter((name) => JSON.stringify(expected[name]) !== JSON.stringify(found[name]));
  const isAllowed = (name: string) => ALLOWED.some(({ what }) => what.test(name));
  const left = different.filter((name) => !isAllowed(name));
  const told = left.map(
    (name) => `${name}\n    node: ${JSON.stringify(expected[name])}\n    here: ${JSON.stringify(found[name])}`,
  );
  assert.deepEqual(told, []);
  const stale = ALLOWED.filter(({ what, sometimes }) => !sometimes && !different.some((name) => what.test(name)));
  assert.deepEqual(stale, [], "what is the same everywhere needs no row");
});
