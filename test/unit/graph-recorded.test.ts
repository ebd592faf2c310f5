/** Edges that nobody observes: recorded dependencies, split classes, and files that are loaded by `unreloader.require()`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { planReload, type ReloadPlan } from "../../src/graph/plan.js";
import { reachable } from "../../src/graph/reachable.js";
import { RecordedEdges } from "../../src/graph/recorded.js";
import { Random, randomSource } from "../support/random.js";
import { esm, leadsTo, moduleNode, outsideCycles, randomNodes } from "../support/random-graph.js";

const GRAPHS = Number(process.env.UNRELOADER_RANDOM_GRAPHS ?? 300);
const NO_FILES: readonly string[] = [];

interface Change {
  readonly changed?: readonly string[];
  readonly deleted?: readonly string[];
  readonly added?: readonly ModuleNode[];
  readonly recorded?: RecordedEdges;
}

function plan(graph: ModuleGraph, { changed = [], deleted = [], added = [], recorded }: Change): ReloadPlan {
  const saved = changed.flatMap((file) => {
    const node = graph.get(file);
    return node ? [{ ...node, hash: `${node.hash}, saved` }] : [];
  });
  const next = graph.with([...saved, ...added], deleted);
  return planReload({ graph, next, changed, deleted, roots: ["/app"], scope: "affected", recorded });
}

const depends = (from: string, ...files: string[]) => ({ dependencies: [from], files });

test("who depends on a changed file is loaded again after it, and purged before it", () => {
  const graph = ModuleGraph.of([esm("/app", ["/a", "/b"], []), esm("/a", []), esm("/b", [])]);
  const made = plan(graph, { changed: ["/b"], recorded: new RecordedEdges([depends("/b", "/a")]) });
  assert.deepEqual(
    [made.purge, made.load],
    [
      ["/a", "/b"],
      ["/b", "/a"],
    ],
  );
  assert.deepEqual(made.why.get("/a"), ["/a", "/b"]);
});

test("a file that is no module reloads its dependents, over any number of steps", () => {
  const graph = ModuleGraph.of([esm("/app", ["/a", "/b"], []), esm("/a", []), esm("/b", [])]);
  const recorded = new RecordedEdges([depends("/schema.sql", "/types.json"), depends("/types.json", "/b")]);
  const made = plan(graph, { changed: ["/schema.sql"], recorded });
  assert.deepEqual([made.purge, made.load], [["/b"], ["/b"]]);
  assert.deepEqual(made.why.get("/b"), ["/b", "/types.json", "/schema.sql"]);
});

test("a split class is evaluated again as a whole, and its parts are left to the main file", () => {
  const main = { ...esm("/main", []), monitored: ["/part1", "/part2"] };
  const graph = ModuleGraph.of([esm("/app", ["/main"]), main, esm("/part1", []), esm("/part2", [])]);
  const recorded = new RecordedEdges([], [{ main: "/main", parts: ["/part1", "/part2", "/part3"] }]);
  for (const file of ["/part1", "/main", "/part3"]) {
    const made = plan(graph, { changed: [file], recorded });
    assert.deepEqual([...made.purge].sort(), ["/app", "/main", "/part1", "/part2"], file);
    assert.deepEqual(made.load, ["/main", "/app"], file);
  }
});

test("what a kept module has required is loaded again by the plan, in order, and alone", () => {
  const app = { ...esm("/app", ["/lib"]), monitored: ["/b", "/a", "/new"] };
  const graph = ModuleGraph.of([
    { ...app, monitored: ["/b", "/a"] },
    esm("/lib", []),
    esm("/a", ["/lib"]),
    esm("/b", []),
  ]);
  assert.deepEqual(plan(graph, { changed: ["/a"] }).load, ["/a"]);
  assert.deepEqual(plan(graph, { changed: ["/a", "/b"] }).load, ["/b", "/a"]);
  assert.deepEqual(plan(graph, { changed: ["/lib"] }).load, ["/lib", "/app"], "its body asks for /a again");
  assert.deepEqual(plan(graph, { added: [app, moduleNode("/new", { evaluated: false })] }).load, ["/new"]);
  const without = plan(graph, { deleted: ["/b"], added: [{ ...app, monitored: ["/a"] }] });
  assert.deepEqual([without.purge, without.load], [["/b"], []]);
});

test("random graphs: the closure over recorded edges is purged, and nothing else that the change does not reach", () => {
  const seeds = randomSource("recorded closures");
  for (let round = 0; round < GRAPHS; round++) {
    const seed = seeds.below(2 ** 31);
    const source = new Random(seed);
    const { graph, files, dependencies, splits } = randomRecords(source);
    const recorded = new RecordedEdges(dependencies, splits);
    const changed = [source.pick([...files, "/x0", "/x1"])];
    const made = plan(graph, { changed, recorded });
    // A recorded edge is as if the dependents had read the file: plain code over one list of edges.
    const users = (file: string): string[] => [
      ...graph.observersOf(file),
      ...dependencies.filter((one) => one.dependencies.includes(file)).flatMap((one) => one.files),
      ...splits.flatMap(({ main, parts }) => (file === main ? parts : parts.includes(file) ? [main] : [])),
    ];
    const expected = files.filter(
      (file) => graph.get(file)?.evaluated && (changed.includes(file) || leadsTo(changed[0] ?? "", file, users)),
    );
    assert.deepEqual([...made.purge].sort(), expected.sort(), `seed ${seed}`);
    for (const file of made.load) assert.ok(files.includes(file), `seed ${seed}: ${file} is no module`);
  }
});

test("random graphs: files come after what they depend on, and the order is that of before where nothing is recorded", () => {
  const seeds = randomSource("recorded orders");
  for (let round = 0; round < GRAPHS; round++) {
    const seed = seeds.below(2 ** 31);
    const source = new Random(seed);
    const { files, dependencies } = randomRecords(source);
    const order = shuffled(source, files);
    assert.deepEqual(new RecordedEdges().dependenciesFirst(order), order, `seed ${seed}`);
    const sorted = new RecordedEdges(dependencies).dependenciesFirst(order);
    assert.deepEqual([...sorted].sort(), [...order].sort(), `seed ${seed}`);
    const needs = (file: string): string[] =>
      dependencies.filter((one) => one.files.includes(file)).flatMap((one) => one.dependencies);
    const certain = outsideCycles(needs);
    for (const [index, file] of sorted.entries()) {
      for (const later of sorted.slice(index + 1))
        assert.ok(!leadsTo(file, later, certain), `seed ${seed}: ${file} before ${later}`);
    }
  }
});

test("random graphs: what is monitored by what stays is reachable, and loaded when it was purged", () => {
  const seeds = randomSource("monitored files");
  for (let round = 0; round < GRAPHS; round++) {
    const seed = seeds.below(2 ** 31);
    const source = new Random(seed);
    const nodes = randomNodes(source, source.int(2, 20)).map((node) => ({ ...node, evaluated: true }));
    const files = nodes.map(({ file }) => file);
    const graph = ModuleGraph.of([
      ...nodes.map((node) => (source.chance(0.2) ? { ...node, monitored: some(source, files, node.file) } : node)),
      { ...esm("/app", [files[0] ?? ""]), monitored: some(source, files) },
    ]);
    const reached = reachable(graph, ["/app"]);
    for (const { file, monitored = NO_FILES } of graph.monitoringNodes()) {
      if (reached.has(file)) for (const target of monitored) assert.ok(reached.has(target), `seed ${seed}: ${target}`);
    }
    const made = plan(graph, { changed: [source.pick(files)] });
    const purged = new Set(made.purge);
    for (const { file, monitored = NO_FILES } of graph.monitoringNodes()) {
      for (const target of monitored) {
        if (!purged.has(file) && purged.has(target)) assert.ok(made.load.includes(target), `seed ${seed}: ${target}`);
      }
    }
  }
});

function randomRecords(random: Random) {
  const graph = ModuleGraph.of(randomNodes(random, random.int(2, 20)));
  const files = [...graph.files()];
  const any = [...files, "/x0", "/x1"];
  const dependencies = Array.from({ length: random.int(0, 5) }, () => ({
    dependencies: some(random, any),
    files: some(random, any),
  }));
  const splits = Array.from({ length: random.int(0, 2) }, () => ({
    main: random.pick(files),
    parts: some(random, any),
  }));
  return { graph, files, dependencies, splits };
}

function some(random: Random, files: readonly string[], except?: string): string[] {
  return [...new Set(Array.from({ length: random.int(1, 3) }, () => random.pick([...files])))].filter(
    (file) => file !== except,
  );
}

function shuffled(random: Random, files: readonly string[]): string[] {
  return files
    .map((file) => ({ file, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ file }) => file);
}
