/** Random module graphs: evaluated as Node does, and, after random reloads, as a fresh runtime would have it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { observe, RuntimeApp } from "../support/module-program.js";
import { Random } from "../support/random.js";
import { type RandomProgram, randomProgram } from "../support/random-programs.js";
import { TempApp } from "../support/temp-app.js";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const ROUNDS = Number(process.env.ROUNDS ?? 12);

async function natively({ files, entry }: RandomProgram) {
  await using app = new TempApp(files);
  return await observe(app.folder, () => import(pathToFileURL(app.path(entry)).href));
}

async function byRuntime({ files, entry }: RandomProgram) {
  await using app = new RuntimeApp(files);
  return await observe(app.folder, () => app.runtime.import(app.path(entry)));
}

describe("random graphs are evaluated in Node's order with Node's results", () => {
  for (const [title, options] of Object.entries({
    "ES modules": { commonJs: 0, cycles: true, topLevelAwait: false },
    "ES modules with top-level await": { commonJs: 0, cycles: false, topLevelAwait: true },
    "ES modules with top-level await and cycles": { commonJs: 0, cycles: true, topLevelAwait: true },
    CommonJS: { commonJs: 1, cycles: true, topLevelAwait: false },
    "both formats": { commonJs: 0.4, cycles: true, topLevelAwait: false },
  })) {
    test(title, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const random = new Random(SEED + round);
        const program = randomProgram(random, { ...options, files: random.int(2, 9) });
        assert.deepEqual(
          await byRuntime(program),
          await natively(program),
          `SEED=${SEED + round} ROUNDS=1\n${JSON.stringify(program.files, null, 1)}`,
        );
      }
    });
  }
});

describe("after random reloads, everything is what a fresh runtime has", () => {
  for (const [title, options] of Object.entries({
    "ES modules": { commonJs: 0, cycles: false },
    "ES modules with cycles": { commonJs: 0, cycles: true },
    CommonJS: { commonJs: 1, cycles: false },
    "CommonJS with cycles": { commonJs: 1, cycles: true },
    "both formats": { commonJs: 0.4, cycles: false },
  })) {
    test(title, async () => {
      for (let round = 0; round < ROUNDS; round++) await reloadRandomly(new Random(SEED + round), options);
    });
  }
});

/**
 * What every module of the app exports, and reads late; without cycles, which have no order of their own, also what it
 * has read while it was evaluated.
 */
async function state(app: RuntimeApp, files: readonly string[], cycles: boolean): Promise<unknown> {
  const seen: Record<string, unknown> = {};
  for (const file of files) {
    if (!app.runtime.has(app.path(file))) continue;
    const namespace = await app.import<Exports & { default?: Exports }>(file);
    const exports: Exports = (file.endsWith(".cjs") ? namespace.default : namespace) ?? {};
    seen[file] = [exports.v, exports.f?.(), exports.late?.(), cycles || exports.seen];
  }
  return seen;
}

interface Exports {
  readonly v?: unknown;
  readonly seen?: unknown;
  f?(): unknown;
  late?(): unknown;
}

async function reloadRandomly(random: Random, options: { commonJs: number; cycles: boolean }): Promise<void> {
  const program = randomProgram(random, { ...options, topLevelAwait: false, files: random.int(2, 8) });
  const names = Object.keys(program.files);
  const files = { ...program.files };
  await using app = new RuntimeApp(program.files);
  const edges = new Map<string, readonly string[]>();
  const learn = (loaded: readonly { file: string; observed: readonly string[] }[]) => {
    for (const { file, observed } of loaded) edges.set(file, observed);
  };
  await observe(app.folder, async () => {
    await app.runtime.load([app.path(program.entry)]);
    return {};
  });
  learn(app.runtime.takeLoaded());
  for (let step = 1; step <= 4; step++) {
    const changed = names.filter((file) => app.runtime.has(app.path(file)) && random.chance(0.4));
    for (const file of changed) {
      files[file] = program.rewrite(file, step);
      app.write(file, files[file] ?? "");
    }
    const affected = affectedBy(
      changed.map((file) => app.path(file)),
      edges,
    );
    const order = names.toReversed().filter((file) => affected.has(app.path(file)));
    await observe(app.folder, async () => {
      learn((await app.reload(order.toReversed(), order)).loaded);
      return {};
    });
    await using fresh = new RuntimeApp(files);
    await observe(fresh.folder, async () => {
      await fresh.runtime.load([fresh.path(program.entry)]);
      return {};
    });
    assert.deepEqual(
      await state(app, names, options.cycles),
      await state(fresh, names, options.cycles),
      `SEED=${random.seed} ROUNDS=1, step ${step}, changed ${changed.join(" ")}\n${JSON.stringify(files, null, 1)}`,
    );
  }
}

/** The changed files and those that used them while being evaluated, transitively. */
function affectedBy(changed: readonly string[], edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const affected = new Set(changed);
  for (let size = -1; size !== affected.size; ) {
    size = affected.size;
    for (const [file, observed] of edges) if (observed.some((target) => affected.has(target))) affected.add(file);
  }
  return affected;
}
