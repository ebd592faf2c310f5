/** An app of which one module, `made.js`, is reloaded many times: for tests of what a purge undoes. */
import assert from "node:assert/strict";
import type { ServedApp } from "./served-app.js";
import { TempApp } from "./temp-app.js";

const main = `import http from "node:http";
import { getState } from "state";
import { report } from "./report.js";
import * as made from "./made.js";
http.createServer(async (req, res) => {
  if (req.url === "/") return res.end(String(made.version));
  res.end(JSON.stringify((await report(req.url, getState())) ?? null));
}).listen(process.env.PORT, "127.0.0.1");
`;

/** A package, because what reloaded modules write into modules of the app has those reloaded as well. */
const state = `const { EventEmitter } = require("node:events");
const state = { bus: new EventEmitter(), counts: {} };
exports.getState = () => state;
exports.count = (what) => (state.counts[what] = (state.counts[what] ?? 0) + 1);
`;

export interface Made {
  /** Body of the module that is reloaded; `version` is its number, `state` and `count()` outlive it. */
  readonly made: string;
  /** Module that exports the function `report(url, state)`: every path but "/" answers with what it gives. */
  readonly report: string;
  readonly more?: Readonly<Record<string, string>>;
  readonly packages?: readonly string[];
}

export function ledgerApp({ made, report, more, packages }: Made): TempApp {
  const files = {
    "package.json": `{ "name": "app", "type": "module" }\n`,
    "main.js": main,
    "node_modules/state/index.js": state,
    "report.js": report,
    "made.js": `import { getState, count } from "state";\nexport const version = 0;\nconst state = getState();\n${made}\n`,
    ...more,
  };
  return new TempApp(files, packages ? { packages } : {});
}

/** Edits `made.js` so many times, each time with a request behind it. Nothing may have failed. */
export async function reloadMade(app: TempApp, served: ServedApp, times: number): Promise<void> {
  const first = Number(/version = (\d+)/.exec(app.read("made.js"))?.[1]);
  for (let version = first + 1; version <= first + times; version++) {
    app.edit("made.js", `version = ${version - 1};`, `version = ${version};`);
    assert.equal(await served.text("/"), String(version));
  }
  assert.deepEqual(served.lines.matching(/Warning|failed|deprecat/i), []);
}
