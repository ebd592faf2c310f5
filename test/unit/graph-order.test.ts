/** Topological orders and evaluation orders. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EvaluationOrder } from "../../src/graph/evaluation-order.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import { walk } from "../../src/graph/walk.js";
import { Random, randomSource } from "../support/random.js";
import { commonjs, esm, leadsTo, moduleNode, outsideCycles, randomGraph } from "../support/random-graph.js";

const GRAPHS = Number(process.env.UNRELOADER_RANDOM_GRAPHS ?? 500);

test("each file comes after every file it imports, whatever lies between them, unless edges of a cycle do", () => {
  const seeds = randomSource("topological order");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const graph = randomGraph(random);
    const importsOf = (file: string) => graph.get(file)?.imports ?? [];
    const files = new Set([...graph.files()].filter(() => random.chance(0.5)));
    const order = topologicalOrder(files, importsOf);
    assert.deepEqual(new Set(order), files, `graph ${seed}`);
    assert.equal(order.length, files.size, `graph ${seed}`);
    const edges = outsideCycles(importsOf);
    for (const [position, file] of order.entries()) {
      for (const later of order.slice(position + 1)) {
        assert.ok(!leadsTo(file, later, edges), `graph ${seed}: ${file} leads to ${later}, but comes first`);
      }
    }
  }
});

test("equal graphs give equal orders, in whichever order their files were found", () => {
  const seeds = randomSource("equal orders");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const graph = randomGraph(new Random(seed));
    const shuffle = new Random(seed);
    const nodes = [...graph.nodes()].sort(() => shuffle.next() - 0.5);
    const other = ModuleGraph.of(nodes);
    const importsOf = (file: string) => graph.get(file)?.imports ?? [];
    assert.deepEqual(
      topologicalOrder(new Set(other.files()), importsOf),
      topologicalOrder(new Set(graph.files()), importsOf),
      `graph ${seed}`,
    );
    const files = [...graph.files()];
    assert.deepEqual(
      other.evaluationOrder(["/f0"]).toPurge(files),
      graph.evaluationOrder(["/f0"]).toPurge(files),
      `graph ${seed}`,
    );
  }
});

test("a chain of 20,000 imports is ordered without running out of stack", () => {
  const name = (index: number): string => `/m${String(index).padStart(5, "0")}`;
  const nodes = Array.from({ length: 20_000 }, (_, index) => esm(name(index), index < 19_999 ? [name(index + 1)] : []));
  const graph = ModuleGraph.of(nodes);
  const expected = nodes.map(({ file }) => file).reverse();
  assert.deepEqual(
    topologicalOrder(new Set(graph.files()), (file) => graph.get(file)?.imports ?? []),
    expected,
  );
  assert.deepEqual(graph.evaluationOrder([name(0)]).toLoad(graph.files()), expected);
});

test("a chain of 60 diamonds, which has 2^60 paths, is walked once", () => {
  const edges = new Map<string, string[]>();
  for (let level = 0; level < 60; level++) {
    edges.set(`top${level}`, [`left${level}`, `right${level}`]);
    edges.set(`left${level}`, [`top${level + 1}`]);
    edges.set(`right${level}`, [`top${level + 1}`]);
  }
  let asked = 0;
  const order = topologicalOrder(new Set(["top0", "top60"]), (file) => {
    asked++;
    return edges.get(file) ?? [];
  });
  assert.deepEqual(order, ["top60", "top0"]);
  assert.equal(asked, 60 * 3 + 1);
});

test("in a cycle the edge is dropped that a start would find closing it", () => {
  const graph = ModuleGraph.of([esm("/entry", ["/z"]), esm("/z", ["/b"]), esm("/b", ["/z"])]);
  assert.deepEqual(graph.evaluationOrder(["/entry"]).toPurge(graph.files()), ["/entry", "/z", "/b"]);
});

test("a cycle is loaded from the file through which a start enters it, after all that it leads to", () => {
  const order = ModuleGraph.of([
    esm("/entry", ["/before", "/z", "/after"]),
    esm("/before", []),
    esm("/z", ["/kept", "/b"]),
    esm("/kept", ["/c"]),
    esm("/c", ["/leaf", "/z"]),
    esm("/b", ["/z"]),
    esm("/leaf", []),
    esm("/after", []),
  ]).evaluationOrder(["/entry"]);
  const files = ["/after", "/b", "/before", "/c", "/entry", "/leaf", "/z"];
  assert.deepEqual(order.toLoad(files), ["/before", "/leaf", "/z", "/c", "/b", "/after", "/entry"]);
  assert.deepEqual(order.toLoad(["/b", "/c"]), ["/c", "/b"]);
});

test("a file that imports itself is ordered", () => {
  assert.deepEqual(
    topologicalOrder(new Set(["/a"]), () => ["/a"]),
    ["/a"],
  );
});

test("CommonJS begins before what it requires, and is purged before it", () => {
  const order = ModuleGraph.of([
    commonjs("/app.js", ["/config.js", "/routes.js"]),
    commonjs("/routes.js", ["/user.mjs"]),
    esm("/user.mjs", ["/db.mjs"]),
    esm("/db.mjs", []),
    commonjs("/config.js", []),
  ]).evaluationOrder(["/app.js"]);
  const files = ["/db.mjs", "/user.mjs", "/config.js", "/routes.js", "/app.js"];
  assert.deepEqual(order.toLoad(files), ["/app.js", "/config.js", "/routes.js", "/db.mjs", "/user.mjs"]);
  assert.deepEqual(order.toPurge(files), ["/app.js", "/routes.js", "/user.mjs", "/db.mjs", "/config.js"]);
});

test("a late require says nothing about the order, and leads to nothing that a start evaluates", () => {
  const order = new EvaluationOrder(
    ModuleGraph.of([
      commonjs("/app.js", ["/b.js"]),
      commonjs("/b.js", ["/late.js", "/app.js"], []),
      commonjs("/late.js", []),
    ]),
    ["/app.js"],
  );
  assert.deepEqual([...order.eager], ["/app.js", "/b.js"]);
  assert.deepEqual(order.toPurge(["/b.js", "/app.js"]), ["/app.js", "/b.js"]);
});

test("the evaluation order respects static imports that are in no cycle", () => {
  const seeds = randomSource("evaluation order");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const graph = randomGraph(new Random(seed));
    const order = graph.evaluationOrder(["/f0"]);
    const load = order.toLoad(graph.files());
    const purge = order.toPurge(graph.files());
    const edgesOf = (file: string) => [...(graph.get(file)?.imports ?? []), ...(graph.get(file)?.observed ?? [])];
    for (const { file, imports, observed } of graph.nodes()) {
      for (const target of imports) {
        if (leadsTo(target, file, edgesOf)) continue;
        assert.ok(load.indexOf(target) < load.indexOf(file), `graph ${seed}: ${file} imports ${target}`);
      }
      for (const target of [...imports, ...observed]) {
        if (leadsTo(target, file, edgesOf)) continue;
        assert.ok(purge.indexOf(file) < purge.indexOf(target), `graph ${seed}: ${file} reads ${target}`);
      }
    }
  }
});

test("files that are not in the graph are in no order", () => {
  const graph = ModuleGraph.of([moduleNode("/a", { imports: ["/gone"] })]);
  assert.deepEqual(graph.evaluationOrder(["/a", "/gone"]).toLoad(["/a", "/gone"]), ["/a"]);
});

/** `files`, each after every file that it imports. */
function topologicalOrder(files: ReadonlySet<string>, importsOf: (file: string) => Iterable<string>): string[] {
  const { ended } = walk([...files].sort(), (file) => ({ before: importsOf(file), within: [] }));
  return ended.filter((file) => files.has(file));
}
