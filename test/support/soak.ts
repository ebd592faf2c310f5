/**
 * Runs an app under a supervisor in this process for long, and prints, as JSON, what memory was in use at the end of each
 * tenth, after garbage collections. Run with --expose-gc. Arguments: what to do (`reloads`, `found`, `missing`), how often.
 */
import { setImmediate as turn } from "node:timers/promises";
import { createSupervisor } from "../../src/index.js";
import { TempApp } from "./temp-app.js";

export interface Memory {
  /** Bytes in use in the heaps of the main thread and the app's, and of the whole process. */
  readonly main: number;
  readonly app: number;
  readonly rss: number;
}

const entry = `import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { text } from "./text.js";
import { setImmediate as turn } from "node:timers/promises";
const { gc } = globalThis;
async function collect() {
  for (let k = 0; k < 4; k++) { await turn(); gc(); }
  return process.memoryUsage().heapUsed;
}
async function load(kind, from, count) {
  let found = 0;
  for (let n = from; n < from + count; n++) {
    const url = kind === "found" ? "/known.js?visitor=" + n : n % 2 ? "/none-" + n + ".js" : "/visitor-" + n + "/page.js";
    try { await import("./pages" + url); found++; } catch (error) { if (error.code !== "ERR_MODULE_NOT_FOUND") throw error; }
    if (n % 10 === 0) try { require("./pages" + url); } catch {}
  }
  return found;
}
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
// An app that loads files late: main awaits, then reads what it has loaded.
export async function main() {
  await readFile(new URL("./text.js", import.meta.url));
  const late = await import("./late.js");
  late.register(text);
}
export const call = { collect, load, text: () => text };
void main();
createServer((request, response) => response.end(text)).listen(0, "127.0.0.1");
export { collect, load };
export const shown = () => text;
`;

const [, , what = "", count = "0"] = process.argv;
const times = Number(count);
const { gc } = globalThis as { gc?: () => void };
if (!gc) throw new Error("run with --expose-gc");

await using app = new TempApp({
  "package.json": `{ "type": "module" }\n`,
  "entry.js": entry,
  "text.js": textOf(0),
  "late.js": `const registered = [];\nexport const register = (text) => registered.push(text);\n`,
  "pages/known.js": `export const known = true;\n`,
});
await using supervisor = createSupervisor({
  entry: app.path("entry.js"),
  logLevel: "silent",
  standby: false,
  watchdog: "off",
});
await supervisor.listen(0, "127.0.0.1");

const samples: Memory[] = [];
for (let tenth = 0; tenth < 10; tenth++) {
  const from = (tenth * times) / 10;
  if (what === "reloads") await reload(from, times / 10);
  else await supervisor.call("load", what, from, times / 10);
  samples.push(await memory());
  process.stderr.write(`${tenth} ${JSON.stringify(samples.at(-1))}\n`);
}
process.stdout.write(JSON.stringify(samples));

async function reload(from: number, many: number): Promise<void> {
  for (let n = from + 1; n <= from + many; n++) {
    app.write("text.js", textOf(n));
    const report = await supervisor.reload();
    if (report.kind !== "reloaded") throw new Error(`reload ${n}: ${report.kind}`);
    // Two names that come and go, as generated files do.
    if (n % 50 === 0) app.write(`made-${n}.js`, "export {};\n");
    if (n % 50 === 25 && n > 50) app.remove(`made-${n - 25}.js`);
  }
  const shown = await supervisor.call("shown");
  if (shown !== `text ${from + many}`) throw new Error(`the app says ${String(shown)}`);
}

async function memory(): Promise<Memory> {
  const inApp = (await supervisor.call("collect")) as number;
  for (let k = 0; k < 4; k++) {
    await turn();
    gc?.();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { main: heapUsed, app: inApp, rss };
}

/** Each is another text, so that what is kept of one is seen; and reads another file. */
function textOf(n: number): string {
  return `import { existsSync } from "node:fs";\nexistsSync(new URL("./data-${n}.json", import.meta.url));\nconst long = "${"x".repeat(4000)}${n}";\nclass Old { text = long; }\nexport const text = "text ${n}";\nnew Old();\n`;
}
