/**
 * Reloads modules of a temporary app many times and prints, as JSON, the heap in use after a quarter of the reloads and
 * at the end, and how many old versions are still alive. Run with --expose-gc. Arguments: scenario, number of reloads.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import { RuntimeApp } from "./module-program.js";

interface Scenario {
  readonly files: Readonly<Record<string, string>>;
  readonly entry: string;
  /** Purged in this order, loaded in the reverse. */
  readonly reloaded: readonly string[];
  /** The file that is written anew each time. */
  edit(n: number): readonly [file: string, text: string];
}

/** Stands for the number of the version in texts that are compiled once. */
const VERSION = 987654321;
const CHAIN = Array.from({ length: 50 }, (_, k) => k);
const kept = (n: number) => `class Old { version = ${n}; text = "x".repeat(1000); } globalThis.track(Old);`;

const scenarios: Readonly<Record<string, Scenario>> = {
  esm: {
    files: {
      "package.json": `{ "type": "module" }`,
      "main.js": `import { value } from "./a.js"; import "./c.cjs"; export const late = () => value; export const user = new value();`,
      "a.js": kept(0),
      "c.cjs": `exports.late = () => require("./a.js");`,
    },
    entry: "main.js",
    reloaded: ["main.js", "a.js"],
    edit: (n) => ["a.js", `${kept(n)} export const value = Old; export default Old; setTimeout(() => Old, 0);`],
  },
  commonjs: {
    files: {
      "main.cjs": `const a = require("./a.cjs"); require("path"); exports.late = () => require("./a.cjs"); exports.a = a;`,
      "a.cjs": `module.exports = {}`,
    },
    entry: "main.cjs",
    reloaded: ["main.cjs", "a.cjs"],
    edit: (n) => ["a.cjs", `${kept(n)} exports.value = Old; exports.main = module.parent;`],
  },
  chain: {
    files: {
      "package.json": `{ "type": "module" }`,
      ...Object.fromEntries(
        CHAIN.map((k) => [
          `m${k}.js`,
          `import { m${k + 1} } from "./m${k + 1}.js"; ${kept(k)} export const m${k} = [Old, m${k + 1}];`,
        ]),
      ),
      "m50.js": "",
    },
    entry: "m0.js",
    reloaded: [...CHAIN, 50].map((k) => `m${k}.js`),
    edit: (n) => ["m50.js", `${kept(n)} export const m50 = Old;`],
  },
  star: {
    files: {
      "package.json": `{ "type": "module" }`,
      "main.js": `import * as all from "./barrel.js"; export const late = () => all.one;`,
      "barrel.js": "",
      "a.js": "export const one = 1;",
    },
    entry: "main.js",
    reloaded: ["main.js", "barrel.js"],
    edit: (n) => ["barrel.js", `${kept(n)} export * from "./a.js"; export default Old;`],
  },
  // An entry that goes on after its evaluation, and loads what it needs then.
  late: {
    files: {
      "package.json": `{ "type": "module" }`,
      "main.js": `
        async function main() {
          // As long as it is being evaluated, what goes on is watched.
          void import("./slow.js");
          for (;;) {
            await globalThis.steps.step;
            (await import("./a.js")).list.push(1);
            globalThis.steps.done();
          }
        }
        void main();`,
      "slow.js": "await new Promise(() => {});",
      "writer.js": `import { list } from "./a.js"; list.push(2);`,
      "a.js": "",
    },
    entry: "main.js",
    reloaded: ["writer.js", "a.js"],
    edit: (n) => ["a.js", `${kept(n)} export const list = [Old]; export default Old;`],
  },
  failing: {
    files: {
      "package.json": `{ "type": "module" }`,
      "main.js": `import { value } from "./a.js"; export const user = new value();`,
      "a.js": "",
    },
    entry: "main.js",
    reloaded: ["main.js", "a.js"],
    edit: (n) => ["a.js", `${kept(n)} export const value = ${n} % 2 ? undefined : Old;`],
  },
};

const [, , name = "", count = "0"] = process.argv;
const scenario = scenarios[name];
if (!scenario) throw new Error(`no scenario ${name}`);
const reloads = Number(count);
const { gc } = globalThis as { gc?: () => void };
if (!gc) throw new Error("run with --expose-gc");

let tracked = 0;
let collected = 0;
const registry = new FinalizationRegistry(() => collected++);
Object.assign(globalThis, {
  track(object: object) {
    tracked++;
    registry.register(object, undefined);
  },
});

async function heapInUse(): Promise<number> {
  for (let k = 0; k < 4; k++) {
    await turn();
    gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** One step at a time of an entry that goes on. */
class Steps {
  step: Promise<void> = Promise.resolve();
  done: () => void = () => {};
  #begin: () => void = () => {};

  constructor() {
    this.#prepare();
  }

  /** Resolves when the entry has done its next step. */
  next(): Promise<void> {
    const begin = this.#begin;
    const done = new Promise<void>((resolve) => {
      this.done = () => {
        this.#prepare();
        resolve();
      };
    });
    begin();
    return done;
  }

  #prepare(): void {
    this.step = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }
}
Object.assign(globalThis, { steps: new Steps() });

await using app = new RuntimeApp(scenario.files);
const [edited, text] = scenario.edit(VERSION);
app.write(edited, text);
// Compiled once: here it is the runtime that has to forget.
const prepared = new Map(scenario.reloaded.map((file) => [file, app.compiler.prepare(app.path(file))]));
app.runtime.install();
await reload(0);
await app.runtime.load([app.path(scenario.entry)]);
app.runtime.takeLoaded();
app.runtime.settle();
let early = 0;
// What an entry that goes on waits for.
const { steps } = globalThis as { steps?: Steps };
for (let n = 1; n <= reloads; n++) {
  try {
    await reload(n);
    if (name === "late") await steps?.next();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  app.runtime.settle();
  await turn();
  if (n === Math.floor(reloads / 4)) early = await heapInUse();
}
const late = await heapInUse();
process.stdout.write(JSON.stringify({ early, late, alive: tracked - collected, tracked }));

/** Code of a file with its version in it. */
function atVersion(file: string, n: number): PreparedModule {
  const module = prepared.get(file);
  if (!module) throw new Error(`${file} is not reloaded`);
  const { compiled } = module;
  const number = (code: string) => code.replaceAll(`${VERSION}`, `${n}`);
  return { ...module, compiled: { ...compiled, source: number(compiled.source), body: number(compiled.body) } };
}

function reload(n: number): Promise<unknown> {
  const files = scenario?.reloaded ?? [];
  return app.runtime.applyPlan({
    purge: n === 0 ? [] : files.map((file) => app.path(file)),
    load: n === 0 ? [] : files.toReversed().map((file) => app.path(file)),
    modules: files.map((file) => atVersion(file, n)),
    relinked: [],
  });
}
