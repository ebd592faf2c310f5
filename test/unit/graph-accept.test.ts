/** Where a change stops: at modules that accept it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Acceptance } from "../../src/common/protocol/messages.js";
import { affected } from "../../src/graph/affected.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { planReload, type ReloadPlan } from "../../src/graph/plan.js";
import { Random, randomSource } from "../support/random.js";
import { commonjs, esm, leadsTo, moduleNode, randomGraph, withAcceptances } from "../support/random-graph.js";

const GRAPHS = Number(process.env.UNRELOADER_RANDOM_GRAPHS ?? 500);

function says(node: ModuleNode, hot: Partial<Acceptance>): ModuleNode {
  const nothing = { self: false, exports: [], dependencies: [], declined: false, declinedDependencies: [] };
  return { ...node, hot: { ...nothing, ...hot } };
}

function save(graph: ModuleGraph, file: string, invalidated: readonly string[] = []): ReloadPlan {
  const node = graph.get(file);
  assert.ok(node);
  const saved = { ...node, hash: "saved" };
  const next = invalidated.includes(file) ? graph : graph.with([saved]);
  const changed = invalidated.includes(file) ? [] : [file];
  return planReload({ graph, next, changed, deleted: [], invalidated, roots: ["/app"], scope: "affected" });
}

test("a module that accepts itself is loaded again, and nobody who uses it", () => {
  const graph = ModuleGraph.of([
    esm("/app", ["/routes"]),
    says(esm("/routes", ["/user"]), { self: true }),
    esm("/user", []),
  ]);
  const routes = save(graph, "/routes");
  assert.deepEqual([routes.purge, routes.load, routes.accepted], [["/routes"], ["/routes"], ["/routes"]]);
  const user = save(graph, "/user");
  assert.deepEqual([user.purge, user.load, user.accepted], [["/routes", "/user"], ["/user", "/routes"], ["/routes"]]);
  assert.deepEqual(user.why.get("/routes"), ["/routes", "/user"]);
});

test("a module that accepts a dependency is kept, and what leads to that dependency is loaded again", () => {
  const graph = ModuleGraph.of([
    esm("/app", ["/main"]),
    says(esm("/main", ["/routes", "/log"]), { dependencies: ["/routes"] }),
    esm("/routes", ["/user"]),
    esm("/user", []),
    esm("/log", []),
  ]);
  const user = save(graph, "/user");
  assert.deepEqual([user.purge, user.load, user.accepted], [["/routes", "/user"], ["/user", "/routes"], ["/routes"]]);
  assert.deepEqual(save(graph, "/log").load, ["/log", "/main", "/app"]);
});

test("CommonJS: what a kept module has required is loaded for it", () => {
  const graph = ModuleGraph.of([
    says(commonjs("/app", ["/routes"]), { dependencies: ["/routes"] }),
    commonjs("/routes", ["/user"]),
    commonjs("/user", []),
  ]);
  const user = save(graph, "/user");
  assert.deepEqual([user.purge, user.load], [["/routes", "/user"], ["/routes"]]);
});

test("a file that was read through an accepted module only does not concern the reader, and the accepted one is loaded", () => {
  const graph = ModuleGraph.of([
    says(esm("/app", ["/routes"], ["/routes", "/user"]), { dependencies: ["/routes"] }),
    esm("/routes", ["/user"], []),
    esm("/user", []),
  ]);
  const user = save(graph, "/user");
  assert.deepEqual(
    [user.purge, user.load],
    [
      ["/routes", "/user"],
      ["/user", "/routes"],
    ],
  );
  const open = graph.with([{ ...(graph.get("/app") as ModuleNode), imports: ["/routes", "/user"] }]);
  assert.deepEqual(save(open, "/user").load, ["/user", "/app"]);
});

test("accepted exports concern only those who import others, all of them, or nobody knows what", () => {
  const importer = (file: string, rest: Partial<ModuleNode>) =>
    moduleNode(file, { imports: ["/lib"], observed: new Set(["/lib"]), ...rest });
  const graph = ModuleGraph.of([
    esm("/app", ["/one", "/two", "/all", "/passes", "/requires"], []),
    importer("/one", { links: [{ target: "/lib", names: ["a"] }] }),
    importer("/two", { links: [{ target: "/lib", names: ["a", "b"] }] }),
    importer("/all", { links: [{ target: "/lib", names: ["a"], whole: true }] }),
    importer("/passes", { stars: ["/lib"] }),
    commonjs("/requires", ["/lib"]),
    says(esm("/lib", []), { exports: ["a"] }),
  ]);
  assert.deepEqual([...save(graph, "/lib").purge].sort(), ["/all", "/lib", "/passes", "/requires", "/two"]);
});

test("a module that takes its acceptance back has its users loaded again, and is itself kept", () => {
  const graph = ModuleGraph.of(
    [
      esm("/app", ["/main"]),
      esm("/main", ["/lib"]),
      esm("/late", ["/lib"], []),
      says(esm("/lib", []), { self: true }),
    ].map((node) => (node.file === "/app" ? { ...node, imports: ["/main", "/late"] } : node)),
  );
  const made = save(graph, "/lib", ["/lib"]);
  assert.deepEqual(
    [made.purge.toSorted(), made.load],
    [
      ["/app", "/late", "/main"],
      ["/main", "/late", "/app"],
    ],
  );
  assert.deepEqual(made.why.get("/main"), ["/main", "/lib"]);
});

test("a deleted file is accepted by nobody", () => {
  const graph = ModuleGraph.of([commonjs("/app", ["/lib"]), says(commonjs("/lib", []), { self: true })]);
  const next = graph.with([], ["/lib"]);
  const made = planReload({ graph, next, changed: [], deleted: ["/lib"], roots: ["/app"], scope: "affected" });
  assert.deepEqual([made.purge, made.load], [["/app", "/lib"], ["/app"]]);
});

test("a change that reaches a file that has declined names it", () => {
  const graph = ModuleGraph.of([
    says(esm("/app", ["/main", "/setup"]), { declinedDependencies: ["/setup"] }),
    says(esm("/main", ["/lib"]), { declined: true }),
    esm("/lib", []),
    esm("/setup", []),
  ]);
  assert.equal(save(graph, "/lib").declined, "/main");
  assert.equal(save(graph, "/setup").declined, "/setup");
  assert.equal(save(graph, "/app").declined, undefined);
});

test("the scope `app` accepts nothing", () => {
  const graph = ModuleGraph.of([esm("/app", ["/lib"]), says(esm("/lib", []), { self: true })]);
  const next = graph.with([{ ...(graph.get("/lib") as ModuleNode), hash: "saved" }]);
  const made = planReload({ graph, next, changed: ["/lib"], deleted: [], roots: ["/app"], scope: "app" });
  assert.deepEqual([made.load, made.accepted], [["/lib", "/app"], []]);
});

test("random acceptances: what is affected is what a naive walk says", () => {
  const seeds = randomSource("acceptances");
  for (let index = 0; index < GRAPHS; index++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const graph = ModuleGraph.of(withAcceptances(random, randomGraph(random, random.int(2, 25)).nodes()));
    const changed = [...graph.files()].filter(() => random.chance(0.15));
    const deleted = changed.filter(() => random.chance(0.1));
    const { files, accepted } = affected(graph, changed, { deleted });
    assert.deepEqual(files, naivelyAffected(graph, changed, new Set(deleted)), `acceptance ${seed}`);
    for (const file of accepted) assert.ok(files.has(file), `acceptance ${seed}: ${file} is accepted, not affected`);
  }
});

/** The definition, read literally: quadratic and worse. */
function naivelyAffected(graph: ModuleGraph, changed: readonly string[], deleted: ReadonlySet<string>): Set<string> {
  const nodes = [...graph.nodes()];
  const named = (node: ModuleNode) => [...node.imports, ...node.requires];
  const takes = (user: ModuleNode, target: ModuleNode, names: readonly string[]) => {
    const links = user.links.filter((link) => link.target === target.file);
    if (names.length === 0 || links.length === 0 || user.stars.includes(target.file)) return false;
    if (user.dynamic.has(target.file)) return false;
    return links.every((link) => !link.whole && link.names.every((name) => names.includes(name)));
  };
  const accepts = (user: string, file: string) => {
    const [importer, target] = [graph.get(user), graph.get(file)];
    if (!importer || !target) return importer?.hot?.dependencies.includes(file) ?? false;
    return (
      target.hot?.self === true ||
      importer.hot?.dependencies.includes(file) === true ||
      takes(importer, target, target.hot?.exports ?? [])
    );
  };
  const namedOf = (file: string) => named(graph.get(file) ?? moduleNode(file));
  const openOf = (file: string) => namedOf(file).filter((target) => !accepts(file, target));
  const found = new Set(changed);
  for (const file of found) {
    for (const observer of nodes.filter(({ observed }) => observed.has(file))) {
      if (found.has(observer.file)) continue;
      const direct = named(observer).includes(file) || observer.dynamic.has(file);
      const open = direct ? !accepts(observer.file, file) : leadsTo(observer.file, file, openOf);
      const leads = direct || leadsTo(observer.file, file, namedOf);
      if (deleted.has(file) || open || !leads) {
        found.add(observer.file);
        continue;
      }
      if (direct) continue;
      for (const node of nodes) {
        for (const target of named(node)) {
          const near = target === file || leadsTo(target, file, openOf);
          if (near && accepts(node.file, target)) found.add(target);
        }
      }
    }
  }
  return found;
}
