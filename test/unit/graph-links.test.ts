/** Imports of names that do not exist are found in the graph. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLinks } from "../../src/graph/links.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { moduleNode } from "../support/random-graph.js";

function importer(file: string, target: string, ...names: string[]): ModuleNode {
  return moduleNode(file, { imports: [target], links: [{ target, names }] });
}

function exporter(file: string, names: readonly string[], rest: Partial<ModuleNode> = {}): ModuleNode {
  return moduleNode(file, { exports: names, imports: rest.stars ?? [], ...rest });
}

test("names that a changed file does not export any more are reported with their importers", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/x", "one", "two"),
    importer("/b", "/x", "one"),
    exporter("/x", ["one"]),
  ]);
  assert.deepEqual(checkLinks(graph, ["/x"]), [{ importer: "/a", target: "/x", name: "two" }]);
});

test("a changed importer is checked itself", () => {
  const graph = ModuleGraph.of([importer("/a", "/x", "gone"), exporter("/x", [])]);
  assert.deepEqual(checkLinks(graph, ["/a"]), [{ importer: "/a", target: "/x", name: "gone" }]);
  assert.deepEqual(checkLinks(graph, []), []);
});

test("names are found through any number of stars, and missed through them", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/outer", "deep", "gone"),
    exporter("/outer", [], { stars: ["/inner"] }),
    exporter("/inner", [], { stars: ["/x"] }),
    exporter("/x", ["deep"]),
  ]);
  assert.deepEqual(checkLinks(graph, ["/x"]), [{ importer: "/a", target: "/outer", name: "gone" }]);
});

test("a star passes everything on but `default`", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/barrel", "default", "x"),
    exporter("/barrel", [], { stars: ["/x"], opaqueStars: false }),
    exporter("/x", ["default", "x"]),
  ]);
  assert.deepEqual(checkLinks(graph, ["/x"]), [{ importer: "/a", target: "/barrel", name: "default" }]);
});

test("stars in a cycle end", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/x", "here", "nowhere"),
    exporter("/x", [], { stars: ["/y"] }),
    exporter("/y", ["here"], { stars: ["/x"] }),
  ]);
  assert.deepEqual(checkLinks(graph, ["/y"]), [{ importer: "/a", target: "/x", name: "nowhere" }]);
});

test("behind a star that leads out of the own ESM files any name may be, except `default`", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/x", "anything", "default"),
    exporter("/x", [], { opaqueStars: true }),
  ]);
  assert.deepEqual(checkLinks(graph, ["/x"]), [{ importer: "/a", target: "/x", name: "default" }]);
});

test("a name that several stars provide is left to the worker: it may be one binding over two ways", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/x", "name"),
    exporter("/x", [], { stars: ["/left", "/right"] }),
    exporter("/left", ["name"]),
    exporter("/right", ["name"]),
  ]);
  assert.deepEqual(checkLinks(graph, ["/left"]), []);
});

test("targets that are CommonJS, JSON or gone are not judged", () => {
  const graph = ModuleGraph.of([
    importer("/a", "/x", "name"),
    importer("/b", "/y", "name"),
    importer("/c", "/gone", "name"),
    moduleNode("/x", { format: "commonjs" }),
    moduleNode("/y", { format: "json" }),
  ]);
  assert.deepEqual(checkLinks(graph, ["/x", "/y", "/c"]), []);
});
