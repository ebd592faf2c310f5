/** Random edits of a real folder: what the registry reports is what a naive comparison of the disk finds. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { hashSource } from "../../src/common/compile/hash.js";
import { FileRegistry } from "../../src/files/registry.js";
import { within } from "../support/deadline.js";
import { Random, randomSource } from "../support/random.js";
import { writerNames, writers } from "../support/sync-writers.js";
import { TempApp } from "../support/temp-app.js";

const PROGRAMS = Number(process.env.UNRELOADER_RANDOM_EDITS ?? 15);
const STEPS = 40;
const FOLDERS = ["", "src", "src/a", "src/a/deep", "src/b", "lib"];
const NAMES = ["one.js", "two.js", "three"];

for (const mode of ["auto", "poll"] as const) {
  test(`${mode}: random edits are reported as a comparison of the disk finds them`, async () => {
    const seeds = randomSource(`edits, ${mode}`);
    for (let program = 0; program < PROGRAMS; program++) {
      const seed = seeds.below(2 ** 31);
      const random = new Random(seed);
      const log: string[] = [];
      await using app = new TempApp({
        "one.js": "1",
        "src/one.js": "1",
        "src/a/two.js": "1",
        "src/a/deep/one.js": "1",
        "lib/two.js": "1",
      });
      const registry = new FileRegistry({
        root: app.folder,
        mode,
        ignore: [],
        probeFolder: app.path(".probe"),
        onStale: () => {},
      });
      try {
        const tracked = listFiles(app.folder);
        registry.track(tracked.map((file) => ({ file, hash: hashSource(readFileSync(file)) })));
        registry.trackFolders(FOLDERS.map((folder) => app.path(folder)));
        if (random.chance(0.7)) await within(registry.ready(), "the watches");
        const known = new Set(tracked);
        let before = snapshot(app.folder);
        for (let step = 0; step < STEPS; step++) {
          await nextTurn();
          for (let edits = random.int(1, 4); edits > 0; edits--) log.push(`${step}: ${editDisk(app.folder, random)}`);
          if (random.chance(0.2)) await within(registry.ready(), "the watches");
          await nextTurn();
          await nextTurn();
          const after = snapshot(app.folder);
          const reported = registry.stale() ? registry.check() : [];
          const story = () => `edits ${seed}\n${log.join("\n")}`;
          assert.deepEqual(
            reported.map(({ file, kind }) => `${kind} ${path.relative(app.folder, file)}`).sort(),
            expectedChanges(app.folder, before, after, known),
            story(),
          );
          // As the supervisor does: new files are tracked, gone ones forgotten, now and then.
          for (const { file, kind } of reported) {
            if (kind === "added" && !known.has(file) && random.chance(0.5)) {
              known.add(file);
              registry.track([{ file, hash: hashSource(readFileSync(file)) }]);
            }
            if (kind === "deleted" && random.chance(0.3)) {
              known.delete(file);
              registry.untrack([file]);
            }
          }
          before = after;
        }
      } finally {
        await registry.close();
      }
    }
  });
}

function editDisk(root: string, random: Random): string {
  const folder = path.join(root, random.pick(FOLDERS));
  const file = path.join(folder, random.pick(NAMES));
  const other = path.join(root, random.pick(FOLDERS.slice(1)));
  const relative = path.relative(root, file);
  switch (
    random.pick([
      "write",
      "write",
      "write",
      "replace",
      "synced",
      "synced",
      "touch",
      "remove",
      "move",
      "removeFolder",
      "moveFolder",
      "remake",
    ] as const)
  ) {
    case "write":
      if (existsSync(file) && statSync(file).isDirectory()) return "nothing";
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, String(random.below(4)));
      return `write ${relative}`;
    case "replace":
      if (!existsSync(folder) || (existsSync(file) && statSync(file).isDirectory())) return "nothing";
      writeFileSync(`${file}~`, String(random.below(4)));
      renameSync(`${file}~`, file);
      return `replace ${relative}`;
    case "synced": {
      if (!existsSync(folder) || (existsSync(file) && statSync(file).isDirectory())) return "nothing";
      const way = random.pick(writerNames);
      // In the past, now, or by a clock that is ahead.
      const savedAt = new Date(Date.now() + random.pick([-86_400_000, -1500, 0, 60_000]));
      writers[way](file, String(random.below(4)), savedAt);
      return `${way} ${relative} of ${savedAt.toISOString()}`;
    }
    case "touch":
      if (!existsSync(file)) return "nothing";
      utimesSync(file, random.below(1000), random.below(1000));
      return `touch ${relative}`;
    case "remove":
      rmSync(file, { force: true, recursive: true });
      return `remove ${relative}`;
    case "move": {
      const target = path.join(folder, random.pick(NAMES));
      if (!existsSync(file) || target === file || existsSync(target)) return "nothing";
      renameSync(file, target);
      return `move ${relative} to ${path.basename(target)}`;
    }
    case "removeFolder":
      if (random.chance(0.5)) return "nothing";
      rmSync(other, { recursive: true, force: true });
      return `remove folder ${path.relative(root, other)}`;
    case "moveFolder": {
      const away = path.join(root, random.pick(["away", "src/away"]));
      if (
        existsSync(other) &&
        !existsSync(away) &&
        existsSync(path.dirname(away)) &&
        !away.startsWith(`${other}${path.sep}`)
      ) {
        renameSync(other, away);
        return `move folder ${path.relative(root, other)} to ${path.relative(root, away)}`;
      }
      if (
        !existsSync(away) ||
        existsSync(other) ||
        !existsSync(path.dirname(other)) ||
        other.startsWith(`${away}${path.sep}`)
      )
        return "nothing";
      renameSync(away, other);
      return `move folder ${path.relative(root, away)} to ${path.relative(root, other)}`;
    }
    case "remake": {
      if (!existsSync(other)) return "nothing";
      const files = readdirSync(other).filter((name) => statSync(path.join(other, name)).isFile());
      const texts = files.map((name) => readFileSync(path.join(other, name)));
      rmSync(other, { recursive: true });
      mkdirSync(other);
      for (const [index, name] of files.entries()) writeFileSync(path.join(other, name), texts[index] ?? "");
      return `remake ${path.relative(root, other)}`;
    }
  }
}

/** Every folder here is tracked, or has come into a tracked one. */
function expectedChanges(
  root: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
): string[] {
  const changes: string[] = [];
  for (const file of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(file);
    const is = after.get(file);
    if (was === is) continue;
    const relative = path.relative(root, file);
    if (was === undefined) changes.push(`added ${relative}`);
    else if (known.has(file)) changes.push(`${is === undefined ? "deleted" : "changed"} ${relative}`);
  }
  return changes.sort();
}

function snapshot(root: string): Map<string, string> {
  return new Map(listFiles(root).map((file) => [file, readFileSync(file, "utf8")]));
}

function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && entry.name.endsWith("package.json") === false && !entry.parentPath.endsWith(".probe"),
    )
    .map((entry) => path.join(entry.parentPath, entry.name));
}
