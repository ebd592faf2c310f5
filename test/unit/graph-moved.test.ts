/** What is evaluated again because of the order in which modules write, set and register: as at a fresh start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { movedAmong } from "../../src/graph/moved.js";
import { planReload } from "../../src/graph/plan.js";
import { type Random, randomSource } from "../support/random.js";
import { commonjs, esm } from "../support/random-graph.js";

const GRAPHS = Number(process.env.UNRELOADER_RANDOM_GRAPHS ?? 500);
const ROOTS = ["/f0"];

test("modules that come in another order are evaluated again with what they write into, and no others", () => {
  const app = (imports: readonly string[]): ModuleNode => esm("/f0", imports, []);
  const graph = ModuleGraph.of([
    app(["/a", "/b", "/c"]),
    { ...esm("/a", ["/list"]), written: new Set(["/list"]) },
    { ...esm("/b", ["/list"]), written: new Set(["/list"]), sets: new Set(["global"]) },
    { ...esm("/c", []), sets: new Set(["global"]), registers: new Set(["listeners"]) },
    { ...esm("/d", []), registers: new Set(["listeners"]) },
    esm("/list", []),
  ]);
  const loaded = (imports: readonly string[]): readonly string[] =>
    planReload({
      graph,
      next: graph.with([{ ...app(imports), hash: "other" }]),
      ...{ changed: ["/f0"], deleted: [], roots: ROOTS, scope: "affected" as const },
    }).load;
  assert.deepEqual(loaded(["/a", "/b", "/c"]), ["/f0"]);
  assert.deepEqual(loaded(["/c", "/a", "/b"]), ["/c", "/list", "/a", "/b", "/f0"]);
  assert.deepEqual(loaded(["/b", "/a", "/c"]), ["/list", "/b", "/a", "/c", "/f0"]);
});

/** What is there after modules have written, set and registered: for each thing who did, in order. */
class World {
  readonly things = new Map<string, string[]>();
  /** What stood behind something that was taken out: as the worker has it, it comes back in front of that. */
  readonly #behind = new Map<string, string[]>();

  evaluate({ file, written = new Set(), sets = new Set(), registers = new Set() }: ModuleNode): void {
    this.things.set(file, []);
    for (const target of [...written, ...sets, ...registers]) {
      const users = this.things.get(target) ?? [];
      const next = users.findIndex((user) => this.#behind.get(`${target} ${file}`)?.includes(user));
      users.splice(next < 0 ? users.length : next, 0, file);
      this.things.set(target, users);
    }
    for (const name of registers) this.#behind.delete(`${name} ${file}`);
  }

  purge({ file, sets = new Set(), registers = new Set() }: ModuleNode): void {
    this.things.delete(file);
    for (const name of registers) {
      for (const [key, place] of this.#behind) {
        if (key.startsWith(`${name} `)) this.#behind.set(key, without(place, file));
      }
      const users = this.things.get(name) ?? [];
      if (users.includes(file)) this.#behind.set(`${name} ${file}`, users.slice(users.indexOf(file) + 1));
    }
    for (const name of [...sets, ...registers]) this.things.set(name, without(this.things.get(name) ?? [], file));
  }

  /** The places that nobody has taken are nobody's. */
  settle(): void {
    this.#behind.clear();
  }

  shown(): Map<string, string[]> {
    return new Map([...this.things].filter(([, users]) => users.length > 0));
  }
}

function without(files: readonly string[], file: string): string[] {
  return files.filter((each) => each !== file);
}

function startedAnew(graph: ModuleGraph): Map<string, string[]> {
  const world = new World();
  const { eager } = graph.evaluationOrder(ROOTS);
  for (const file of eager) world.evaluate(graph.get(file) as ModuleNode);
  return world.shown();
}

/** Everything leads to later files, so that there are no cycles. Modules write into what they import. */
function randomModule(random: Random, index: number, count: number): ModuleNode {
  const targets = Array.from({ length: random.int(0, 4) }, () => `/f${random.int(index + 1, count)}`);
  const named = [...new Set(targets)].filter((file) => file !== `/f${count}`);
  const some = (names: readonly string[], chance: number): ReadonlySet<string> | undefined => {
    const chosen = names.filter(() => random.chance(chance));
    return chosen.length > 0 ? new Set(chosen) : undefined;
  };
  // The body of CommonJS begins before what it requires: all that these modules do, they do at their beginning.
  const node = random.chance(0.5) ? esm(`/f${index}`, named) : commonjs(`/f${index}`, named);
  const shared = { sets: some(["x", "y"], 0.15), registers: some(["r", "s"], 0.15) };
  return { ...node, ...shared, written: node.format === "esm" ? some(named, 0.3) : undefined };
}

test("random graphs and edits: what is written, set and registered is there as a fresh start has it", () => {
  const random = randomSource("orders");
  let moves = 0;
  for (let round = 0; round < GRAPHS; round++) {
    const count = random.int(3, 14);
    let graph = ModuleGraph.of(Array.from({ length: count }, (_, index) => randomModule(random, index, count)));
    const world = new World();
    for (const file of graph.evaluationOrder(ROOTS).eager) world.evaluate(graph.get(file) as ModuleNode);
    graph = graph.with([...graph.nodes()].map((node) => ({ ...node, evaluated: world.things.has(node.file) })));
    for (let edit = 0; edit < 4; edit++) {
      const index = random.below(count);
      const before = graph.get(`/f${index}`) as ModuleNode;
      const after = random.chance(0.5) ? shuffled(random, before) : randomModule(random, index, count);
      const changed = { ...after, hash: `${before.hash}.`, evaluated: before.evaluated };
      // What the new text does is not known before it is evaluated.
      const { written, sets, registers } = before;
      const next = graph.with([{ ...changed, written, sets, registers }]);
      let plan = planReload({ graph, next, changed: [before.file], deleted: [], roots: ROOTS, scope: "affected" });
      let current = next;
      for (let isFirst = true; ; isFirst = false) {
        const order = current.evaluationOrder(ROOTS);
        const purged = new Set(plan.purge);
        for (const file of plan.purge) world.purge(graph.get(file) as ModuleNode);
        const nodes = [...current.nodes()].map((node) => (node.file === before.file ? changed : node));
        const due = order.toLoad(
          nodes.flatMap(({ file, evaluated }) => (purged.has(file) || !evaluated ? [file] : [])),
        );
        const again = due.filter((file) => order.eager.has(file));
        for (const file of again) world.evaluate(nodes.find((node) => node.file === file) as ModuleNode);
        world.settle();
        const earlier = graph;
        graph = ModuleGraph.of(nodes.map((node) => ({ ...node, evaluated: order.eager.has(node.file) })));
        const rewriting = again.filter((file) =>
          [...(graph.get(file)?.written ?? [])].some((target) => !purged.has(target) && !again.includes(target)),
        );
        const moved = movedAmong({ graph: earlier, next: graph, roots: ROOTS, again: new Set([...purged, ...again]) });
        if (isFirst) moves += moved.size;
        const rest = [...rewriting, ...moved];
        if (rest.length === 0) break;
        plan = planReload({ graph, next: graph, changed: rest, deleted: [], roots: ROOTS, scope: "affected" });
        current = graph;
      }
      assert.deepEqual(
        sorted(world.shown()),
        sorted(startedAnew(graph)),
        `round ${round}, edit ${edit} of ${before.file}`,
      );
    }
  }
  assert.ok(moves > 0 || GRAPHS < 100);
});

function shuffled(random: Random, node: ModuleNode): ModuleNode {
  const [list, key] = node.format === "esm" ? [node.imports, "imports"] : [node.requires, "requires"];
  const other = [...list].sort(() => random.below(3) - 1);
  return { ...node, [key as string]: other, observed: new Set(other) };
}

function sorted(things: Map<string, string[]>): [string, string[]][] {
  return [...things].sort(([a], [b]) => (a < b ? -1 : 1));
}
