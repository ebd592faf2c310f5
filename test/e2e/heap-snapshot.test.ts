/** Heap snapshots are read piece by piece, and say in words who keeps an object alive. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { explainSnapshot } from "../../src/leaks/heap/explain-snapshot.js";
import type { HeapGraph, SnapshotMeta } from "../../src/leaks/heap/heap-graph.js";
import { RetainingPaths } from "../../src/leaks/heap/retaining-paths.js";
import { SnapshotParser } from "../../src/leaks/heap/snapshot-parser.js";
import { leakLines, leakReports } from "../../src/leaks/leak-report.js";
import { randomSource } from "../support/random.js";
import { TempApp } from "../support/temp-app.js";

const meta: SnapshotMeta = {
  node_fields: ["type", "name", "id", "self_size", "edge_count"],
  node_types: [["object", "string", "closure", "synthetic"], "string", "number", "number", "number"],
  edge_fields: ["type", "name_or_index", "to_node"],
  edge_types: [["context", "element", "property", "internal", "hidden", "shortcut", "weak"]],
  location_fields: ["object_index", "script_id", "line", "column"],
};

const strings = ["", "root", 'quote " and \\ back', "é 漢", "long ".repeat(1000), "] } , [", "\\", "weak"];

function text(nodes: readonly number[], edges: readonly number[], locations: readonly number[]): string {
  const counts = { node_count: nodes.length / 5, edge_count: edges.length / 3 };
  const ascii = (value: string) =>
    JSON.stringify(value).replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `{"snapshot":{"meta":${JSON.stringify(meta)},"note":"} {",${JSON.stringify(counts).slice(1)},
"nodes":[${nodes.join("\n,")}],
"edges":[${edges.join("\n,")}],
"trace_function_infos":[],
"trace_tree":[0,[1,[2]]],
"samples":[],
"locations":[${locations.join(",")}],
"strings":[${strings.map(ascii).join(",\n")}]}
`;
}

/** root -> 1 (closure) by a property, root -> 2 weakly, 1 -> 2 by an element. */
const nodes = [3, 1, 1, 0, 2, 2, 2, 4294967295, 8, 1, 0, 3, 5, 16, 0];
const edges = [2, 2, 5, 6, 7, 10, 1, 7, 10];
const snapshot = text(nodes, edges, [5, 3, 11, 4]);

test("pieces of any size make the same graph", () => {
  const random = randomSource("pieces of a snapshot");
  for (const largest of [1, 2, 7, 100, 100_000]) {
    const parser = new SnapshotParser();
    const bytes = Buffer.from(snapshot);
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + random.below(largest);
      parser.write(bytes.subarray(at, next));
      at = next;
    }
    const graph = parser.end();
    assert.equal(graph.nodeCount, 3);
    assert.deepEqual(
      [0, 1, 2].map((node) => graph.typeOf(node)),
      ["synthetic", "closure", "object"],
    );
    assert.equal(graph.nameOf(1), 'quote " and \\ back');
    assert.equal(graph.nameOf(2), "é 漢");
    assert.equal(graph.idOf(1), 4294967295);
    assert.deepEqual(graph.placeOf(1), { line: 11, column: 4 });
    assert.equal(graph.edgeName(2), "7");
    assert.equal(graph.edgeTarget(0), 1);
    assert.deepEqual([graph.edgesBegin(1), graph.edgesEnd(1)], [2, 3]);
  }
});

test("a snapshot that is cut off is refused, wherever", () => {
  const bytes = Buffer.from(snapshot);
  for (let length = 0; length < bytes.length - 4; length += 37) {
    const parser = new SnapshotParser();
    parser.write(bytes.subarray(0, length));
    assert.throws(() => parser.end(), /heap snapshot/);
  }
});

test("weak references keep nothing alive", () => {
  const graph = graphOf(snapshot);
  assert.deepEqual(
    new RetainingPaths(graph).to(2)?.map(({ node }) => node),
    [1, 2],
  );
  const weakOnly = graphOf(text([...nodes.slice(0, 9), 0, ...nodes.slice(10)], edges.slice(0, 6), []));
  assert.equal(new RetainingPaths(weakOnly).to(2), undefined);
});

/** Each keeps one version of a module in its own way; what is said of it. */
const holders: Readonly<Record<string, readonly [code: string, chain: string]>> = {
  "an array": ["kept.push(v.handler)", "variable kept (program.cjs) -> [0] -> closure handler (old.js:3)"],
  "a Map": [
    'map.set("user", v.handler)',
    'variable map (Map) (program.cjs) -> Map entry "user" -> closure handler (old.js:3)',
  ],
  "a Map with long keys": [
    'map.set(["a key that is ", process.argv.length, " parts"].join(""), v.handler)',
    'variable map (Map) (program.cjs) -> Map entry "a key that is 2 parts" -> closure handler (old.js:3)',
  ],
  "a Set": ["set.add(v.handler)", "variable set (Set) (program.cjs) -> Set entry -> closure handler (old.js:3)"],
  "a closure": [
    "held = ((f) => function again() { return f; })(v.handler)",
    "variable held (program.cjs) -> closure again (program.cjs) -> variable f -> closure handler (old.js:3)",
  ],
  "an emitter's listener": [
    'bus.on("saved", v.handler)',
    'variable bus (EventEmitter) (program.cjs) -> listener for "saved" -> closure handler (old.js:3)',
  ],
  "a listener of process": [
    'process.on("saved", v.handler)',
    'process -> listener for "saved" -> closure handler (old.js:3)',
  ],
  "a timer": ["setInterval(v.handler, 1e6).unref()", "timer -> ._onTimeout -> closure handler (old.js:3)"],
  "a class static": [
    "Base.subclasses.push(v.User)",
    "closure Base (program.cjs) -> .subclasses -> [0] -> closure User (old.js:4)",
  ],
  "an instance": [
    "instances[0] = new v.User()",
    "variable instances (program.cjs) -> [0] (User) -> closure User (old.js:4)",
  ],
  "a promise reaction": [
    "pending.then(v.handler)",
    "variable pending (Promise) (program.cjs) -> promise reaction -> closure handler (old.js:3)",
  ],
  "an async function that waits": [
    "(async function waiting() { const f = v.handler; await endless; f(); })()",
    "variable endless (Promise) (program.cjs) -> promise reaction -> suspended function waiting (program.cjs) -> closure handler (old.js:3)",
  ],
  "a bound function": [
    "bound = v.handler.bind({})",
    "variable bound (program.cjs) -> bound function -> closure handler (old.js:3)",
  ],
  "a WeakMap whose key lives": [
    "weak.set(key, v.handler)",
    "variable key (program.cjs) -> WeakMap entry of Object -> closure handler (old.js:3)",
  ],
  "a global": ["globalThis.cache = { user: v.User }", "globalThis.cache -> .user -> closure User (old.js:4)"],
  "an ES module's own Map": [
    'esm.add("user", v.handler)',
    'variable registry (Map) (registry.mjs) -> Map entry "user" -> closure handler (old.js:3)',
  ],
  "an ES module's exported list": [
    "esm.list.push(v.handler)",
    "export list (registry.mjs) -> [0] -> closure handler (old.js:3)",
  ],
  "a WeakMap whose key is old itself": ["weak.set(v.handler, v.handler)", "-"],
  nothing: ["v.handler()", "-"],
};

const program = `const v8 = require("node:v8");
const vm = require("node:vm");
const { EventEmitter } = require("node:events");
const kept = [], instances = [], map = new Map(), set = new Set(), bus = new EventEmitter(), weak = new WeakMap(), key = {};
const pending = new Promise(() => {}), endless = new Promise(() => {});
let held, bound;
class Base {
  static subclasses = [];
}
globalThis.keepScope = () => [kept, instances, map, set, bus, weak, key, pending, endless, held, bound, Base];

(async () => {
  const { UnreloaderWatchedReference } = await import(WATCHED_REFERENCE);
  const esm = await import("./registry.mjs");
  const watched = (globalThis.watched = []);
  const version = () => {
    const ur = {};
    watched.push(new UnreloaderWatchedReference("mark " + watched.length, ur));
    return vm.runInThisContext(OLD, { filename: "old.js" })(ur);
  };
HOLDERS
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  v8.writeHeapSnapshot("program.heapsnapshot");
  process.exit();
})();
`;
const old = `(function (__ur) { "use strict"; if (false) () => __ur;
  return {
    handler: function handler() {},
    User: class User {},
  };
})`;

describe("a small program", () => {
  test("tells of each survivor who holds it", async () => {
    await using app = new TempApp({
      "main.cjs": `require("./program.cjs");\n`,
      "program.cjs": program
        .replace(
          "WATCHED_REFERENCE",
          JSON.stringify(new URL("../../src/common/protocol/watched-reference.js", import.meta.url).href),
        )
        .replace("OLD", () => JSON.stringify(old))
        .replace("HOLDERS", () =>
          Object.values(holders)
            .map(([code]) => `  (() => { const v = version(); ${code}; })();`)
            .join("\n"),
        ),
      "registry.mjs": `const registry = new Map();
export const list = [];
export const add = (name, value) => registry.set(name, value);
`,
    });
    execFileSync(process.execPath, ["main.cjs"], { cwd: app.folder });
    const file = app.path("program.heapsnapshot");
    const markers = Object.keys(holders).map((_, index) => `mark ${index}`);
    const chains = explainSnapshot(file, new Set(markers));
    const found: Record<string, string> = {};
    for (const [index, name] of Object.keys(holders).entries()) {
      const reference = { file: app.path("old.js"), generation: 1, count: 1, ageMs: 0, inUse: false };
      const marked = [{ reference, markers: [`mark ${index}`] }];
      const onlyOld = ({ file, line }: { file: string; line?: number | undefined }) =>
        file.endsWith("old.js") && line !== undefined ? { file, line } : { file };
      const [, shown = "  -"] = leakLines(leakReports(marked, chains, onlyOld), app.folder);
      found[name] = shown.trim();
    }
    assert.deepEqual(found, Object.fromEntries(Object.entries(holders).map(([name, [, chain]]) => [name, chain])));
    assert.equal(explainSnapshot(file, new Set()).size, 0);
    assert.equal(explainSnapshot(file, new Set(["mark 99"])).size, 0);
  });

  test("whose snapshot is no snapshot is an error", async () => {
    await using app = new TempApp({});
    writeFileSync(app.path("empty.heapsnapshot"), "");
    assert.throws(() => explainSnapshot(app.path("empty.heapsnapshot"), new Set(["mark 0"])), /cut off/);
  });
});

test("survivors held in the same way are counted, the three most frequent ways are shown", () => {
  const reference = { file: "/app/a.js", class: "User", generation: 4, count: 9, ageMs: 5, inUse: true };
  const markers = ["a", "b", "c", "d", "e", "gone"];
  const chains = new Map(markers.slice(0, 5).map((mark) => [mark, [{ text: "ab".includes(mark) ? "same" : mark }]]));
  const [report] = leakReports([{ reference, markers }], chains, (place) => place);
  assert.equal(report?.count, 5);
  assert.deepEqual(
    report?.heldBy.map(({ chain, count }) => [chain[0]?.text, count]),
    [
      ["same", 2],
      ["c", 1],
      ["d", 1],
    ],
  );
  assert.equal(
    leakLines(report ? [report] : [], "/app")[0],
    "class User (a.js): 5 old versions, purged since generation 4; an open request or connection may hold it, held by",
  );
});

function graphOf(snapshotText: string): HeapGraph {
  const parser = new SnapshotParser();
  parser.write(Buffer.from(snapshotText));
  return parser.end();
}
