/** The planner: what a change purges and loads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { affected } from "../../src/graph/affected.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { type PlanInput, planReload } from "../../src/graph/plan.js";
import { eagerlyReachable, reachable } from "../../src/graph/reachable.js";
import { Random, randomSource } from "../support/random.js";
import {
  commonjs,
  esm,
  leadsTo,
  moduleNode,
  outsideCycles,
  randomGraph,
  randomNodes,
  withAcceptances,
} from "../support/random-graph.js";

const GRAPHS = Number(process.env.UNRELOADER_RANDOM_GRAPHS ?? 500);

/** A plan for a change of the texts in `next`, as the supervisor would ask for it. */
function plan(graph: ModuleGraph, next: readonly ModuleNode[], rest: Partial<PlanInput> = {}) {
  const deleted = [...(rest.deleted ?? [])];
  return planReload({
    graph,
    next: graph.with(next, deleted),
    changed: next.map(({ file }) => file),
    deleted,
    roots: ["/app"],
    scope: "affected",
    ...rest,
  });
}

function saved(graph: ModuleGraph, file: string, rest: Partial<ModuleNode> = {}): ModuleNode {
  const node = graph.get(file);
  assert.ok(node, file);
  return { ...node, hash: `${node.hash}, saved`, ...rest };
}

const chain = ModuleGraph.of([
  esm("/app", ["/routes", "/log"], ["/routes"]),
  esm("/routes", ["/user"]),
  esm("/user", ["/log"], []),
  esm("/log", []),
]);

test("a change reloads its observers, and leaves those that only read it later", () => {
  const user = plan(chain, [saved(chain, "/user")]);
  assert.deepEqual(user.purge, ["/app", "/routes", "/user"]);
  assert.deepEqual(user.load, ["/user", "/routes", "/app"]);
  assert.deepEqual(user.why.get("/app"), ["/app", "/routes", "/user"]);

  const log = plan(chain, [saved(chain, "/log")]);
  assert.deepEqual([log.purge, log.load], [["/log"], ["/log"]]);
});

test("a plan cannot be changed", () => {
  const made = plan(chain, [saved(chain, "/log")]);
  for (const part of [made, made.purge, made.load]) assert.ok(Object.isFrozen(part));
});

test("the scope `app` reloads everything that was evaluated", () => {
  const made = plan(chain, [saved(chain, "/log")], { scope: "app" });
  assert.deepEqual(made.purge, ["/app", "/routes", "/user", "/log"]);
  assert.deepEqual(made.load, ["/log", "/user", "/routes", "/app"]);
});

test("what CommonJS requires is loaded by its body, in the middle of it, and not before", () => {
  const graph = ModuleGraph.of([
    commonjs("/app", ["/config", "/routes"]),
    commonjs("/config", []),
    commonjs("/routes", []),
  ]);
  const made = plan(graph, [saved(graph, "/routes")]);
  assert.deepEqual(made.purge, ["/app", "/routes"]);
  assert.deepEqual(made.load, ["/app"]);
});

test("a new import is loaded before its importer", () => {
  const made = plan(
    chain,
    [
      saved(chain, "/user", { imports: ["/log", "/new"] }),
      esm("/new", ["/newer"], []),
      { ...esm("/newer", []), evaluated: false },
    ].map((node) => (chain.has(node.file) ? node : { ...node, evaluated: false })),
  );
  assert.deepEqual(made.purge, ["/app", "/routes", "/user"]);
  assert.deepEqual(made.load, ["/newer", "/new", "/user", "/routes", "/app"]);
  assert.deepEqual(made.why.get("/newer"), ["/newer"]);
});

test("a file that nothing imports any more is purged, with all that only it imported", () => {
  const graph = ModuleGraph.of([
    esm("/app", ["/old", "/shared"], []),
    esm("/old", ["/older", "/shared"], []),
    esm("/older", [], []),
    esm("/shared", [], []),
  ]);
  const made = plan(graph, [saved(graph, "/app", { imports: ["/shared"] })]);
  assert.deepEqual(made.purge, ["/app", "/old", "/older"]);
  assert.deepEqual(made.load, ["/app"]);
  assert.deepEqual(made.why.get("/old"), ["/old", "/app"]);
});

test("a file that lost its static importer stays when a late edge leads to it", () => {
  const graph = ModuleGraph.of([
    moduleNode("/app", { imports: ["/plugin"], dynamic: new Set(["/plugin"]) }),
    esm("/plugin", ["/dependency"], []),
    esm("/dependency", []),
  ]);
  assert.deepEqual(plan(graph, [saved(graph, "/app", { imports: [] })]).purge, ["/app"]);
});

test("a deleted file is purged, and its observers are loaded again", () => {
  const made = plan(chain, [saved(chain, "/routes", { imports: [], observed: new Set() })], { deleted: ["/user"] });
  assert.deepEqual(made.purge, ["/app", "/routes", "/user"]);
  assert.deepEqual(made.load, ["/routes", "/app"]);
});

test("a file to which only late code leads is purged, and loaded when it is asked for", () => {
  const graph = ModuleGraph.of([
    commonjs("/app", ["/late"], []),
    commonjs("/late", ["/helper"]),
    commonjs("/helper", []),
  ]);
  const made = plan(graph, [saved(graph, "/helper")]);
  assert.deepEqual(made.purge, ["/late", "/helper"]);
  assert.deepEqual(made.load, []);
});

test("a change of a file that was never evaluated reloads nothing", () => {
  const graph = ModuleGraph.of([commonjs("/app", ["/never"], []), { ...commonjs("/never", []), evaluated: false }]);
  const made = plan(graph, [saved(graph, "/never")]);
  assert.deepEqual([made.purge, made.load], [[], []]);
});

test("a never evaluated file is loaded once a static import leads to it", () => {
  const graph = ModuleGraph.of([esm("/app", []), { ...esm("/never", []), evaluated: false }]);
  assert.deepEqual(plan(graph, [saved(graph, "/app", { imports: ["/never"] })]).load, ["/never", "/app"]);
});

test("a kept file whose specifier leads elsewhere brings the new target in, and only if it had read the old one is it loaded again", () => {
  const graph = ModuleGraph.of([
    esm("/app", ["/reader", "/late"], []),
    esm("/reader", ["/x.js"]),
    esm("/late", ["/x.js"], []),
    esm("/x.js", []),
  ]);
  const elsewhere = ["/reader", "/late"].map(
    (file) => ({ ...graph.get(file), imports: ["/x.ts"], observed: new Set() }) as ModuleNode,
  );
  const made = plan(graph, [...elsewhere, { ...esm("/x.ts", []), evaluated: false }], { changed: ["/x.ts"] });
  assert.deepEqual(made.purge, ["/reader", "/x.js"]);
  assert.deepEqual(made.load, ["/x.ts", "/reader"]);

  const onlyLate = plan(graph, [elsewhere[1] as ModuleNode, { ...esm("/x.ts", []), evaluated: false }], {
    changed: ["/x.ts"],
  });
  assert.deepEqual([onlyLate.purge, onlyLate.load], [[], ["/x.ts"]]);
});

test("a file whose require() had failed is loaded again when there is something to find, though its text is the same", () => {
  const graph = ModuleGraph.of([commonjs("/app", ["/page"]), commonjs("/page", [])]);
  const found = { ...graph.get("/page"), requires: ["/optional"] } as ModuleNode;
  const made = plan(graph, [found, { ...commonjs("/optional", []), evaluated: false }], { changed: ["/optional"] });
  assert.deepEqual(made.purge, ["/app", "/page"]);
  assert.deepEqual(made.load, ["/app"]);
});

test("a kept barrel is not loaded again when its target is", () => {
  const graph = ModuleGraph.of([
    esm("/app", ["/barrel"], []),
    moduleNode("/barrel", { imports: ["/target"], stars: ["/target"] }),
    esm("/target", []),
  ]);
  const made = plan(graph, [saved(graph, "/target")]);
  assert.deepEqual([made.purge, made.load], [["/target"], ["/target"]]);
});

test("files in a cycle are purged and loaded together when they read each other", () => {
  const graph = ModuleGraph.of([esm("/app", ["/a"], []), esm("/a", ["/b"]), esm("/b", ["/a"])]);
  const made = plan(graph, [saved(graph, "/b")]);
  assert.deepEqual(
    [made.purge, made.load],
    [
      ["/a", "/b"],
      ["/a", "/b"],
    ],
  );
});

test("random changes: nothing unaffected is touched, everything affected is, and in order", () => {
  const seeds = randomSource("plans");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const count = random.int(2, 40);
    const nodes = consistent(randomGraph(random, count));
    const graph = ModuleGraph.of(random.chance(0.4) ? withAcceptances(random, nodes) : nodes);
    const changed = [...graph.nodes()].filter(() => random.chance(0.1));
    const texts = randomNodes(random, count + 3);
    const next = changed.map((node) => (random.chance(0.5) ? saved(graph, node.file) : changedText(node, texts)));
    const added = texts.slice(count).filter(() => random.chance(0.3));
    const deleted = [...graph.files()].filter((file) => file !== "/f0" && random.chance(0.04));
    const kept = next.filter(({ file }) => !deleted.includes(file));
    const input: PlanInput = {
      graph,
      next: graph.with([...kept, ...added.map((node) => ({ ...node, evaluated: false }))], deleted),
      changed: [...kept, ...added].map(({ file }) => file),
      deleted,
      invalidated: [...graph.nodes()].filter((node) => node.evaluated && random.chance(0.03)).map(({ file }) => file),
      roots: ["/f0"],
      scope: random.chance(0.2) ? "app" : "affected",
    };
    assertSound(input, `plan ${seed}`);
  }
});

/** What an evaluated ESM file imports has been evaluated as well. */
function consistent(graph: ModuleGraph): ModuleNode[] {
  const evaluated = new Set<string>();
  for (const node of graph.nodes()) if (node.evaluated || node.file === "/f0") evaluated.add(node.file);
  for (const file of evaluated) {
    const node = graph.get(file);
    for (const target of [...(node?.imports ?? []), ...(node?.observed ?? [])]) evaluated.add(target);
  }
  return [...graph.nodes()].map((node) => ({ ...node, evaluated: evaluated.has(node.file) }));
}

/** The node with the edges of another text; it is only taken to observe what it names. */
function changedText(node: ModuleNode, texts: readonly ModuleNode[]): ModuleNode {
  const text = texts.find(({ file }) => file === node.file) ?? node;
  const named = [...text.imports, ...text.requires];
  const observed = new Set([...node.observed].filter((file) => named.includes(file)));
  return { ...text, hash: `${node.hash}, changed`, observed, evaluated: node.evaluated };
}

function assertSound(input: PlanInput, name: string): void {
  const { graph, next, roots, scope } = input;
  const { purge, load, why } = planReload(input);
  const seeds = [...input.changed, ...input.deleted];
  const everything = scope === "app" ? [...graph.files()] : affected(graph, seeds, input).files;
  const again = new Set([...everything].filter((file) => graph.get(file)?.evaluated));
  const stays = reachable(next, roots);

  assert.equal(new Set(purge).size, purge.length, name);
  assert.equal(new Set(load).size, load.length, name);
  for (const file of again) assert.ok(purge.includes(file), `${name}: ${file} is affected`);
  for (const file of input.deleted) if (graph.get(file)?.evaluated) assert.ok(purge.includes(file), name);
  for (const file of purge) {
    assert.ok(graph.get(file)?.evaluated, `${name}: ${file} was never evaluated`);
    assert.ok(again.has(file) || !stays.has(file), `${name}: ${file} is neither affected nor lost`);
  }
  for (const file of load) {
    assert.ok(next.has(file), `${name}: ${file} is not in the next graph`);
    assert.ok(purge.includes(file) || !graph.get(file)?.evaluated, `${name}: ${file} is running`);
  }

  // What a body loads needs no place in the list; whatever else a start evaluates has one.
  const provided = new Set(load);
  for (const file of provided) {
    const node = next.get(file);
    for (const target of [...(node?.imports ?? []), ...(node?.requires ?? []), ...(node?.observed ?? [])])
      provided.add(target);
  }
  const isKept = (file: string): boolean => graph.get(file)?.evaluated === true && !purge.includes(file);
  // What a kept module has read beyond an acceptance is loaded when it reads that again: the way to it may be another now.
  const kept = graph.hasHotNodes ? [...next.nodes()].filter((node) => isKept(node.file)) : [];
  const forgetful = next.with(kept.map((node) => ({ ...node, observed: new Set() })));
  for (const file of eagerlyReachable(forgetful, roots)) {
    const running = isKept(file);
    assert.ok(running || provided.has(file), `${name}: nobody evaluates ${file}`);
  }

  assertOrdered(
    [...purge].reverse(),
    (file) => [...(graph.get(file)?.imports ?? []), ...(graph.get(file)?.observed ?? [])],
    name,
  );
  const loadEdges = (file: string) => [...(next.get(file)?.imports ?? []), ...(next.get(file)?.observed ?? [])];
  for (const file of load) {
    for (const target of next.get(file)?.imports ?? []) {
      if (!load.includes(target) || leadsTo(target, file, loadEdges)) continue;
      assert.ok(load.indexOf(target) < load.indexOf(file), `${name}: ${file} is loaded before its import ${target}`);
    }
  }
  if (scope === "affected") for (const file of [...purge, ...load]) assert.ok(why.has(file), `${name}: why ${file}?`);
}

function assertOrdered(order: readonly string[], edgesOf: (file: string) => Iterable<string>, name: string): void {
  const edges = outsideCycles(edgesOf);
  for (const [position, file] of order.entries()) {
    for (const later of order.slice(position + 1)) {
      assert.ok(!leadsTo(file, later, edges), `${name}: ${file} leads to ${later}, but is purged after it`);
    }
  }
}
