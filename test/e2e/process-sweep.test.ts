/**
 * What an app sees of its process and of Node's modules is what it sees under plain Node, but for what is listed with a reason.
 * The app is test/support/sweep-probe.ts, as own code and as a package, and test/support/sweep-network.ts.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Output, sweep } from "../support/as-node.js";
import { certificate, key } from "../support/certificate.js";
import { ALLOWED } from "../support/differences.js";
import { noTerminal } from "../support/pseudo-terminal.js";
import { TempApp } from "../support/temp-app.js";

const textOf = (name: string) => readFileSync(new URL(`../support/${name}.js`, import.meta.url), "utf8");
const probe = textOf("sweep-probe");

/** The calls that change nothing for the rest, and then the streams themselves. */
const main = `import { writeFileSync } from "node:fs";
import * as own from "./probe.mjs";
import { networkCalls } from "./network.mjs";
import * as packaged from "probe";
const seen = {};
const add = (from, what, found) => {
  for (const [name, value] of Object.entries(found)) seen[from + what + name] = value;
};
add("", "", own.shapes());
for (const [about, calls] of Object.entries(own.calls())) add("", about + ": ", await own.outcomes(calls));
const packages = process.stdout.isTTY ? {} : packaged.calls();
for (const [about, calls] of Object.entries(packages)) add("package, ", about + ": ", await packaged.outcomes(calls));
for (const [about, calls] of Object.entries(networkCalls())) add("", about + ": ", await own.outcomes(calls));
writeFileSync(process.env.SEEN, JSON.stringify(seen));
process.exit(0);
`;

const outputs: readonly Output[] = ["pipe", "file", "terminal"];

for (const output of outputs) {
  const options = { skip: output === "terminal" && noTerminal };
  test(
    `with its output to a ${output}, an app sees of its process and of Node's modules what it sees without us`,
    options,
    async () => {
      await using app = new TempApp({
        "package.json": `{ "name": "app", "type": "module" }`,
        "main.js": main,
        "probe.mjs": probe,
        "network.mjs": textOf("sweep-network"),
        "key.pem": key,
        "cert.pem": certificate,
        "node_modules/probe/package.json": `{ "name": "probe", "type": "module", "exports": "./probe.js" }`,
        "node_modules/probe/probe.js": probe,
        "inner/file.txt": "",
        "forked.cjs": `process.send([process.argv.slice(2), process.connected, require("worker_threads").isMainThread]);
process.once("message", () => process.exit(4));`,
      });
      const [expected, found] = await Promise.all([sweep(app, "node", output), sweep(app, "reload", output)]);
      assert.ok(Object.keys(expected).length > 1000, "the sweep has swept");
      const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
      const different = names.filter((name) => JSON.stringify(expected[name]) !== JSON.stringify(found[name]));
      const left = different.filter((name) => !ALLOWED.some(({ what }) => what.test(name)));
      const told = left.map(
        (name) => `${name}\n    node: ${JSON.stringify(expected[name])}\n    here: ${JSON.stringify(found[name])}`,
      );
      assert.deepEqual(told, []);
      const stale = ALLOWED.filter(({ what, sometimes }) => !sometimes && !different.some((name) => what.test(name)));
      assert.deepEqual(stale, [], "what is the same everywhere needs no row");
    },
  );
}
