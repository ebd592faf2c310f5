/** Random modules, rewritten, log the same as in Node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Compiler } from "../../src/common/compile/compiler.js";
import { CompileError } from "../../src/common/errors.js";
import { evaluate } from "../support/evaluate.js";
import { Random, randomSource } from "../support/random.js";
import { randomModules } from "../support/random-modules.js";
import { TempApp } from "../support/temp-app.js";

const PROGRAMS = Number(process.env.UNRELOADER_RANDOM_PROGRAMS ?? 250);
/** A program may call itself without end, or nearly. */
const MOST_CALLS = 300;

test("random modules with shadowing, cycles and assignments log the same as in Node", async () => {
  const seeds = randomSource("random modules");
  let valid = 0;
  for (let index = 0; index < PROGRAMS; index++) {
    const seed = seeds.below(2 ** 31);
    const files = randomModules(new Random(seed));
    await using app = new TempApp(files);
    const entry = app.path("m0.mjs");
    const expected = await logged(() => import(pathToFileURL(entry).href));
    // With cells nothing may be another, either.
    const cells = index % 3 === 0;
    const actual = await logged(() => evaluate(new Compiler({ root: app.folder, cells }), entry));
    if (expected.at(-1) !== "invalid") valid++;
    const program = () =>
      Object.entries(files)
        .map(([name, text]) => `// ${name}\n${text}`)
        .join("\n\n");
    assert.deepEqual(
      actual,
      expected,
      `program ${seed}\n${JSON.stringify(expected) === JSON.stringify(actual) ? "" : program()}`,
    );
  }
  assert.ok(valid > PROGRAMS / 2, `only ${valid} of ${PROGRAMS} programs are valid`);
});

async function logged(run: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  let calls = 0;
  const shared = globalThis as { __log?: (...values: unknown[]) => void; __fuel?: () => void; __urS?: object };
  shared.__urS = {};
  shared.__log = (...values) => lines.push(values.map((value) => show(value, 3)).join(" "));
  shared.__fuel = () => {
    if (++calls > MOST_CALLS) throw new RangeError("out of fuel");
  };
  try {
    await run();
    lines.push("done");
  } catch (error) {
    const invalid = error instanceof SyntaxError || error instanceof CompileError;
    lines.push(invalid ? "invalid" : error instanceof Error ? error.name : "threw");
  } finally {
    delete shared.__log;
    delete shared.__fuel;
    delete shared.__urS;
  }
  return lines;
}

/** Text of a value; of a module's namespace only that it is one, since the test's has no TDZ for its keys. */
function show(value: unknown, depth: number): string {
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null || depth === 0)
    return typeof value === "object" ? "object" : String(value);
  if (Object.getPrototypeOf(value) === null) return "namespace";
  const fields = Object.keys(value)
    .sort()
    .map((key) => {
      try {
        return `${key}: ${show((value as Record<string, unknown>)[key], depth - 1)}`;
      } catch (error) {
        return `${key}: ${error instanceof Error ? error.name : "threw"}`;
      }
    });
  return `{ ${fields.join(", ")} }`;
}
