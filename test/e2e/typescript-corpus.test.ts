/** TypeScript that tsc compiles and Node runs, and that the runtime runs: same reports, also after a reload. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tsc } from "../support/compiled-by-tsc.js";
import { tscCorpus } from "../support/corpus-tsc.js";
import { type Outcome, type Program, parseProgram, runByRuntime, runNatively } from "../support/module-program.js";

/** In messages of errors a file has the name that it had for either. */
function neutral({ reports, error }: Outcome): Outcome {
  const names = (text: string) => text.replaceAll(/\.([cm]?)tsx?\b/g, ".$1js");
  return { reports: reports.map(names), ...(error !== undefined && { error: names(error) }) };
}

describe("TypeScript does what it does when tsc has compiled it", () => {
  const tsc = new Tsc();
  for (const { title, text, options, formats = ["esm", "commonjs"] } of tscCorpus) {
    for (const format of formats) {
      test(`${title} (${format})`, async () => {
        const { entry, files } = parseProgram(text);
        const compilerOptions = { target: "es2022", module: "nodenext", strict: true, ...options };
        const program: Program = {
          entry,
          files: {
            "package.json": format === "esm" ? `{ "type": "module" }` : "{}",
            "tsconfig.json": JSON.stringify({ compilerOptions }),
            ...files,
          },
        };
        const { first, again } = await runByRuntime(program);
        assert.deepEqual(neutral(first), neutral(await runNatively(tsc.compile(program))));
        if (again) assert.deepEqual(again, first, "after a reload");
      });
    }
  }
});
