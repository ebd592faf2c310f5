/** Snapshots of the graph, and questions to them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { affected } from "../../src/graph/affected.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { eagerlyReachable, reachable } from "../../src/graph/reachable.js";
import { Random, randomSource } from "../support/random.js";
import { commonjs, esm, moduleNode, randomGraph, randomNodes } from "../support/random-graph.js";

const GRAPHS = Number(process.env.UNRELOADER_RANDOM_GRAPHS ?? 500);

test("a snapshot made in steps answers as one made at once", () => {
  const seeds = randomSource("snapshots");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const nodes = new Map<string, ModuleNode>();
    let graph = new ModuleGraph();
    for (let step = random.int(1, 30); step > 0; step--) {
      const changes = randomNodes(random, 60).filter(() => random.chance(0.1));
      const removed = [...nodes.keys()].filter(() => random.chance(0.05));
      for (const file of removed) nodes.delete(file);
      for (const node of changes) nodes.set(node.file, node);
      graph = graph.with(changes, removed);
      // Asking on the way makes the derived edges and orders, which later steps carry along.
      if (random.chance(0.5)) assertSame(graph, nodes, seed);
    }
    assertSame(graph, nodes, seed);
  }
});

function assertSame(graph: ModuleGraph, nodes: ReadonlyMap<string, ModuleNode>, seed: number): void {
  const fresh = ModuleGraph.of(nodes.values());
  assert.deepEqual(new Set(graph.files()), new Set(nodes.keys()), `graph ${seed}`);
  assert.deepEqual(new Set(graph.nodes()), new Set(nodes.values()), `graph ${seed}`);
  assert.equal(graph.size, nodes.size, `graph ${seed}`);
  assert.equal(graph.evaluatedCount, [...nodes.values()].filter(({ evaluated }) => evaluated).length, `graph ${seed}`);
  assert.deepEqual(
    graph.evaluationOrder(["/f0"]).toLoad(nodes.keys()),
    fresh.evaluationOrder(["/f0"]).toLoad(nodes.keys()),
    `graph ${seed}`,
  );
  for (let index = 0; index < 60; index++) {
    const file = `/f${index}`;
    assert.equal(graph.get(file), nodes.get(file), `graph ${seed}`);
    assert.equal(graph.has(file), nodes.has(file), `graph ${seed}`);
    assert.deepEqual(
      graph.observersOf(file),
      sources(nodes, (node) => node.observed.has(file)),
      `graph ${seed}`,
    );
    assert.deepEqual(
      graph.importersOf(file),
      sources(nodes, ({ imports, requires }) => imports.includes(file) || requires.includes(file)),
      `graph ${seed}`,
    );
  }
}

function sources(nodes: ReadonlyMap<string, ModuleNode>, fits: (node: ModuleNode) => boolean): Set<string> {
  return new Set([...nodes.values()].filter(fits).map(({ file }) => file));
}

test("a snapshot does not change when the next one is made", () => {
  const first = ModuleGraph.of([esm("/a", ["/b"]), esm("/b", [])]);
  assert.deepEqual(first.observersOf("/b"), new Set(["/a"]));
  const second = first.with([esm("/c", ["/b"])], ["/a"]);
  assert.deepEqual(first.observersOf("/b"), new Set(["/a"]));
  assert.deepEqual(second.observersOf("/b"), new Set(["/c"]));
  assert.deepEqual([...first.files()], ["/a", "/b"]);
  assert.deepEqual(new Set(second.files()), new Set(["/b", "/c"]));
});

test("a snapshot tells which nodes are not as in an earlier one", () => {
  const seeds = randomSource("replaced nodes");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    let graph = randomGraph(random, 80);
    const earlier = graph;
    for (let step = random.int(0, 12); step > 0; step--) {
      const changes = randomNodes(random, 90).filter(() => random.chance(0.05));
      graph = graph.with(changes, random.chance(0.3) ? [`/f${random.below(80)}`] : []);
    }
    const expected = [...graph.nodes()].filter((node) => earlier.get(node.file) !== node);
    assert.deepEqual(new Set(graph.replacedSince(earlier)), new Set(expected), `graph ${seed}`);
  }
});

test("nothing to change gives the same snapshot", () => {
  const graph = ModuleGraph.of([esm("/a", [])]);
  assert.equal(graph.with([], ["/unknown"]), graph);
});

test("affected files are those of a naive fixpoint, each with a chain of observers to a change", () => {
  const seeds = randomSource("affected");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const graph = randomGraph(random);
    const changed = new Set([...graph.files()].filter(() => random.chance(0.1)));
    const expected = new Set(changed);
    for (let size = -1; size !== expected.size; ) {
      size = expected.size;
      for (const { file, observed } of graph.nodes())
        if ([...observed].some((target) => expected.has(target))) expected.add(file);
    }
    const { files, why } = affected(graph, changed);
    assert.deepEqual(files, expected, `graph ${seed}`);
    assert.deepEqual(new Set(why.keys()), expected, `graph ${seed}`);
    for (const [file, chain] of why) {
      assert.equal(chain[0], file, `graph ${seed}`);
      assert.ok(changed.has(chain.at(-1) ?? ""), `graph ${seed}: ${chain.join(" <- ")}`);
      for (const [position, target] of chain.slice(1).entries()) {
        assert.ok(graph.get(chain[position] ?? "")?.observed.has(target), `graph ${seed}: ${chain.join(" <- ")}`);
      }
    }
  }
});

test("a file that only reads later is not affected", () => {
  const graph = ModuleGraph.of([esm("/app", ["/late", "/now"], ["/now"]), esm("/late", []), esm("/now", [])]);
  assert.deepEqual([...affected(graph, ["/late"]).files], ["/late"]);
  assert.deepEqual([...affected(graph, ["/now"]).files], ["/now", "/app"]);
  assert.deepEqual(affected(graph, ["/now"]).why.get("/app"), ["/app", "/now"]);
  assert.equal(affected(graph, ["/now"]).why.get("/late"), undefined);
});

test("reachable follows every kind of edge, eagerly reachable only what a start evaluates", () => {
  const graph = ModuleGraph.of([
    moduleNode("/app", {
      imports: ["/a"],
      requires: ["/late"],
      observed: new Set(["/seen"]),
      dynamic: new Set(["/plugin"]),
    }),
    commonjs("/a", ["/required", "/late"], ["/required"]),
    esm("/required", []),
    esm("/late", []),
    esm("/seen", []),
    esm("/plugin", ["/below"]),
    esm("/below", []),
    esm("/nobody", ["/app"]),
  ]);
  const all = ["/app", "/a", "/required", "/late", "/seen", "/plugin", "/below"];
  assert.deepEqual(reachable(graph, ["/app"]), new Set(all));
  assert.deepEqual(eagerlyReachable(graph, ["/app"]), new Set(["/app", "/a", "/required", "/seen"]));
  assert.deepEqual(reachable(graph, ["/unknown"]), new Set());
});
