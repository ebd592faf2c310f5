/** What is told of a file is what all its current modules have done, however many queries it was imported with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import { EdgeReport } from "../../workers/runtime/edge-report.js";
import type { ModuleEdges } from "../../workers/runtime/module-edges.js";
import { randomSource } from "../support/random.js";

test("random modules of one file", () => {
  const random = randomSource("edge report");
  for (let round = 0; round < 60; round++) {
    const current = new Set<ModuleEdges>();
    const classes = new Map<ModuleEdges, LoadedModule["classes"]>();
    let told: LoadedModule | undefined;
    const report = new EdgeReport(
      ([module]) => {
        told = module;
      },
      (edges) => classes.get(edges) ?? [],
      () => [...current],
    );
    const names = (of: (edges: ModuleEdges) => Iterable<string>): string[] =>
      [...new Set([...current].flatMap((one) => [...of(one)]))].sort();
    let looks = 0;
    for (let step = 0; step < 150; step++) {
      const some = current.size > 0 ? random.pick([...current]) : undefined;
      if (random.chance(0.15) && some) {
        current.delete(some);
        report.dropped(some);
      } else if (random.chance(0.3) && some) {
        some.observe(`/seen-${random.below(20)}.js`);
        some.readsFile(`/read-${random.below(20)}.txt`, undefined);
      } else {
        const edges = report.createEdges("/a.js");
        current.add(edges);
        edges.listsFolder(`/folder-${random.below(20)}`);
        if (random.chance(0.5)) classes.set(edges, [{ name: `A${random.below(3)}`, bases: [] }]);
        report.evaluated(edges);
      }
      told = undefined;
      report.deliver();
      if (!told) continue;
      looks++;
      const now: LoadedModule = told;
      assert.deepEqual(
        [...now.observed].sort(),
        names((edges) => edges.observed),
      );
      assert.deepEqual(
        now.reads.map(({ file }) => file).sort(),
        names((edges) => edges.reads.keys()),
      );
      assert.deepEqual(
        [...now.lists].sort(),
        names((edges) => edges.lists),
      );
      assert.deepEqual(
        now.classes.map(({ name }) => name).sort(),
        names((edges) => (classes.get(edges) ?? []).map(({ name }) => name)),
      );
    }
    assert.ok(looks > 50);
  }
});

test("modules that nobody has hold of any more are forgotten when as many have come as there were", () => {
  const current = new Set<ModuleEdges>();
  let told: LoadedModule | undefined;
  let looks = 0;
  const report = new EdgeReport(
    ([module]) => {
      told = module;
    },
    () => [],
    () => {
      looks++;
      return [...current];
    },
  );
  for (let n = 0; n < 1000; n++) {
    const edges = report.createEdges("/a.js");
    current.add(edges);
    edges.observe(`/${n}.js`);
    // As many as are kept; nobody tells that one was collected.
    if (current.size > 20) current.delete([...current][0] as ModuleEdges);
    report.evaluated(edges);
    report.deliver();
  }
  assert.ok(told && told.observed.length <= 40, `${told?.observed.length} are told`);
  assert.ok(looks < 100, `${looks} looks at all modules`);
});
