/** What is asked about a running supervisor: its content hash, and since when it has an error. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentHash } from "../../src/control/content-hash.js";
import { ErrorHistory } from "../../src/control/error-history.js";
import { LogLines } from "../../src/control/log-lines.js";
import { ModuleGraph } from "../../src/graph/module-graph.js";
import type { ModuleNode } from "../../src/graph/module-node.js";

function node(file: string, hash: string, more: Partial<ModuleNode> = {}): ModuleNode {
  return {
    file,
    hash,
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
    ...more,
  };
}

function hashAt(root: string, changes: { text?: string; template?: string; late?: string } = {}): string {
  const { text = "1", template = "t", late } = changes;
  const graph = new ModuleGraph().with([
    node(`${root}/app.js`, "a", { imports: [`${root}/lib/b.js`], dynamic: new Set([`${root}/late.js`]) }),
    node(`${root}/lib/b.js`, text),
    ...(late === undefined ? [] : [node(`${root}/late.js`, late)]),
  ]);
  const reads = ["/etc/hosts", `${root}/page.html`, `${root}/node_modules/p/x`];
  const contentOf = (file: string): string => (file.endsWith(".html") ? template : `on ${root}`);
  return contentHash({ root, graph, roots: [`${root}/app.js`], readsOf: () => reads, contentOf });
}

test("the content hash is the same wherever the project is, and another one for each other text", () => {
  const hash = hashAt("/home/me/app");
  assert.match(hash, /^[0-9a-f]{16}$/);
  assert.equal(hashAt("/srv/app"), hash);
  assert.equal(hashAt("/srv/app", { late: "x" }), hash, "what one request has led to");
  assert.notEqual(hashAt("/srv/app", { text: "2" }), hash);
  assert.notEqual(hashAt("/srv/app", { template: "u" }), hash);
});

test("an error is known since the generation in which it came, and is new until the next edit does not mend it", () => {
  const errors = new ErrorHistory();
  const error = { name: "TypeError", message: "no", location: { file: "/a.js", line: 1, column: 1 } };
  errors.fails(error, 4);
  // The same code again.
  errors.fails(error, 4, false);
  assert.equal(errors.current?.isNew, true);
  assert.deepEqual(errors.current && { ...errors.current, key: "" }, { key: "", isNew: true, sinceGeneration: 4 });
  errors.fails({ ...error, location: { file: "/a.js", line: 9, column: 1 } }, 5);
  assert.deepEqual(errors.current && { ...errors.current, key: "" }, { key: "", isNew: false, sinceGeneration: 4 });
  errors.fails({ ...error, message: "other" }, 5);
  assert.equal(errors.current?.isNew, true);
  errors.mended();
  assert.equal(errors.current, undefined);
  for (const generation of [1, 3]) errors.add("reload", { error, importedBy: [], generation });
  for (let at = 0; at < 200; at++)
    errors.add("run", { error: { name: "E", message: `${at}` }, importedBy: [], generation: 2 });
  assert.equal(errors.since(0).length, 100, "the oldest go first");
  errors.add("reload", { error, importedBy: [], generation: 7 });
  assert.deepEqual(
    errors.since(3).map(({ sinceGeneration, lastGeneration }) => [sinceGeneration, lastGeneration]),
    [[7, 7]],
  );
});

test("what a worker wrote before another took its place is among the lines", () => {
  const board = () => {
    let text = "";
    return {
      write: (more: string) => {
        text += more;
      },
      get written() {
        return text.length;
      },
      lastBytes: (most: number) => Buffer.from(text).subarray(-most),
    };
  };
  const [first, second] = [board(), board()];
  const lines = new LogLines("/app");
  lines.takeUp(first, 1, 10);
  first.write("one\n");
  second.write("two\n");
  lines.takeUp(second, 2, 20);
  lines.takeUp(second, 2, 30);
  assert.deepEqual(
    lines.since({}).map(({ text, generation }) => [text, generation]),
    [
      ["one", 1],
      ["two", 2],
    ],
  );
});
