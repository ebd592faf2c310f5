/** Random module graphs, and what naive code says about them. */
import type { Acceptance } from "../../src/common/protocol/messages.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";
import type { Random } from "./random.js";

export function moduleNode(file: string, rest: Partial<ModuleNode> = {}): ModuleNode {
  return {
    file,
    hash: `hash of ${file}`,
    format: "esm",
    imports: [],
    requires: [],
    links: [],
    exports: [],
    stars: [],
    opaqueStars: false,
    observed: new Set(),
    dynamic: new Set(),
    evaluated: true,
    ...rest,
  };
}

export function esm(file: string, imports: readonly string[], observed: readonly string[] = imports): ModuleNode {
  return moduleNode(file, { imports, observed: new Set(observed) });
}

export function commonjs(
  file: string,
  requires: readonly string[],
  observed: readonly string[] = requires,
): ModuleNode {
  return moduleNode(file, { format: "commonjs", requires, observed: new Set(observed) });
}

/** Files `/f0`, `/f1`, ...; edges mostly lead to higher numbers, some lead back. */
export function randomNodes(random: Random, count: number): ModuleNode[] {
  const name = (index: number): string => `/f${index}`;
  const target = (from: number): string => {
    const back = random.chance(0.1);
    return name(back || from + 1 >= count ? random.below(count) : random.int(from + 1, count - 1));
  };
  const targets = (from: number, most: number): string[] => [
    ...new Set(Array.from({ length: random.int(0, most) }, () => target(from))),
  ];
  return Array.from({ length: count }, (_, index) => {
    const file = name(index);
    const isCommonJS = random.chance(0.3);
    const named = targets(index, 4).filter((other) => other !== file);
    const observed = [...named.filter(() => random.chance(0.6)), ...(random.chance(0.2) ? targets(index, 2) : [])];
    return moduleNode(file, {
      format: isCommonJS ? "commonjs" : "esm",
      imports: isCommonJS ? [] : named,
      requires: isCommonJS ? named : [],
      observed: new Set(observed.filter((other) => other !== file)),
      dynamic: new Set(random.chance(0.15) ? targets(index, 2).filter((other) => other !== file) : []),
      evaluated: random.chance(0.9),
    });
  });
}

export function randomGraph(random: Random, count = random.int(1, 40)): ModuleGraph {
  return ModuleGraph.of(randomNodes(random, count));
}

/** The same files, some of which accept or decline something. */
export function withAcceptances(random: Random, nodes: Iterable<ModuleNode>): ModuleNode[] {
  return [...nodes].map((node) => {
    if (random.chance(0.6)) return node;
    const named = [...node.imports, ...node.requires, ...node.dynamic];
    const hot: Acceptance = {
      self: random.chance(0.3),
      exports: random.chance(0.2) ? ["a", "b"].filter(() => random.chance(0.7)) : [],
      dependencies: named.filter(() => random.chance(0.4)),
      declined: random.chance(0.05),
      declinedDependencies: named.filter(() => random.chance(0.05)),
    };
    const links = node.imports
      .filter(() => random.chance(0.7))
      .map((target) => ({ target, names: ["a", "b"].filter(() => random.chance(0.5)), whole: random.chance(0.2) }));
    return { ...node, links, hot };
  });
}

/** Whether `to` can be reached from `from`. */
export function leadsTo(from: string, to: string, edgesOf: (file: string) => Iterable<string>): boolean {
  const seen = new Set([from]);
  for (const file of seen) {
    for (const target of edgesOf(file)) {
      if (target === to) return true;
      seen.add(target);
    }
  }
  return false;
}

/** The same edges without those that are part of a cycle. */
export function outsideCycles(edgesOf: (file: string) => Iterable<string>): (file: string) => string[] {
  return (file) => [...edgesOf(file)].filter((target) => target !== file && !leadsTo(target, file, edgesOf));
}
