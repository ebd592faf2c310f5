/** What is evaluated again because of the order in which modules write, set and register: as at a fresh start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import { planReload } from "../../src/graph/plan.js";
import { esm } from "../support/random-graph.js";

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
