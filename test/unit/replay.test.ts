/** The pure parts of `npm run replay`: what is saved, what is the same, what is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { transformSync } from "esbuild";
import { Random } from "../../bench/random.js";
import { type Answer, comparedText, get, neutral, parseRequests, USUAL_MASKS } from "../../bench/replay/answers.js";
import type { ToldEvent } from "../../bench/replay/app-process.js";
import { dataEditOf, editOf } from "../../bench/replay/edits.js";
import { blobsOf, type Change, changesOf } from "../../bench/replay/repository.js";
import { allSame, type Replayed, reportOf, takenOf } from "../../bench/replay/results.js";
import { isSameCode } from "../../bench/replay/same-code.js";
import { planSaves } from "../../bench/replay/saves.js";

test("what git says of a commit becomes changes; a submodule is none", () => {
  const zeros = "0".repeat(40);
  const raw = [
    `:000000 100644 ${zeros} aaa A`,
    "new.js",
    `:100644 000000 bbb ${zeros} D`,
    "old name.js",
    `:100644 120000 bbb ccc T`,
    "link",
    `:160000 160000 ddd eee M`,
    "module",
    "",
  ].join("\0");
  assert.deepEqual(changesOf(raw), [
    { path: "new.js", entry: { path: "new.js", mode: "file", blob: "aaa" } },
    { path: "old name.js", entry: undefined },
    { path: "link", entry: { path: "link", mode: "link", blob: "ccc" } },
    { path: "module", entry: undefined },
  ]);
});

test("blobs are read as they are, and those that are missing are left out", () => {
  const output = Buffer.from("aaa blob 5\na\nb\0c\nbbb missing\nccc blob 0\n\n");
  assert.deepEqual(
    [...blobsOf(output)].map(([blob, text]) => [blob, text.toString()]),
    [
      ["aaa", "a\nb\0c"],
      ["ccc", ""],
    ],
  );
});

test("a commit is saved as editors save: by rename and in place, new files before old ones go", () => {
  const saves = planSaves([written("b.js"), deleted("a.js"), written("c.js"), written("package-lock.json")]);
  assert.deepEqual(
    saves.map(({ kind, path, ...save }) => [kind, path, "way" in save ? save.way : ""]),
    [
      ["write", "b.js", "rename"],
      ["write", "c.js", "in place"],
      ["delete", "a.js", ""],
    ],
  );
});

test("a file that becomes a folder, and a folder that becomes a file, go first", () => {
  const paths = planSaves([written("page/index.js"), deleted("page"), deleted("list/index.js"), written("list")]);
  assert.deepEqual(
    paths.map(({ kind, path }) => `${kind} ${path}`),
    ["delete list/index.js", "delete page", "write list", "write page/index.js"],
  );
});

test("requests are listed a line or as JSON", () => {
  const expected = [get("/a?b=1"), { method: "POST", path: "/c", headers: JSON_HEADERS, body: '{"d":1}' }];
  assert.deepEqual(parseRequests('# both\nGET /a?b=1\n\nPOST /c {"d":1}\n'), expected);
  assert.deepEqual(
    parseRequests('[{ "path": "/a?b=1" }, { "method": "POST", "path": "/c", "body": { "d": 1 } }]'),
    expected,
  );
  assert.throws(() => parseRequests("GET a"), /no request: GET a \(what fits/);
});

const JSON_HEADERS = { "content-type": "application/json" };

test("two answers are the same but for times, ids, the port, the folder and what is masked", () => {
  const one = answer(
    "2026-11-30T15:04:07.123Z 0b0a4cf1-7c33-4a7e-8ba2-7e3b4d4ee4b6 at /w/a/x.js on localhost:4000, took 12 ms",
  );
  const two = answer(
    "2025-01-01T00:00:00Z ffffffff-7c33-4a7e-8ba2-7e3b4d4ee4b6 at /w/b/x.js on localhost:5000, took 7 ms",
  );
  const text = (given: Answer, port: number, folder: string, masks: RegExp[]) =>
    comparedText(neutral(given, { port, folder }), { headers: ["content-type"], masks: [...USUAL_MASKS, ...masks] });
  assert.equal(text(one, 4000, "/w/a", [/took \d+/g]), text(two, 5000, "/w/b", [/took \d+/g]));
  assert.notEqual(text(one, 4000, "/w/a", []), text(two, 5000, "/w/b", []));
  assert.notEqual(text(answer("a"), 1, "/w", []), text({ ...answer("a"), status: 404 }, 1, "/w", []));
  const typed = { ...answer("a"), headers: { "content-type": "text/html", etag: "x" } };
  assert.notEqual(text(answer("a"), 1, "/w", []), text(typed, 1, "/w", []));
});

test("frames of packages and of Node do not count, those of own code do", () => {
  const text = (body: string) => comparedText(answer(body), { headers: [], masks: USUAL_MASKS });
  const mapped = ["Error: x", "at f (/w/a.js:1:2)", "at g (/w/node_modules/b/src/b.ts:5:6)"];
  const plain = [...mapped.slice(0, 2), "at g (file:///w/node_modules/b/b.js:1:2)", "at node:internal/main:3:4"];
  const others = ["Error: x", "at f (/w/c.js:1:2)", ...mapped.slice(2)];
  for (const [before, after] of [
    ["\n    ", ""],
    ["\\n    ", '"}'],
    ["<br> &nbsp; &nbsp;", "</pre>"],
  ] as const) {
    const [one, two, other] = [mapped, plain, others].map((lines) => text(lines.join(before) + after));
    assert.equal(one, two);
    assert.notEqual(one, other);
  }
});

test("comments, space and types are the same code, but not where decorators hand types on", () => {
  assert.ok(isSameCode("a.js", "const a = 1;", "// one\nconst a  =  1;\n"));
  assert.ok(isSameCode("a.ts", "const a = 1;", "const a: number = 1;"));
  assert.ok(!isSameCode("a.ts", "class A { b: string }", "@c()\nclass A { b: number }"));
  assert.ok(!isSameCode("a.js", "const a = 1;", "const a = 2;"));
  assert.ok(!isSameCode("a.js", "const a = 1;", "const a = ;"));
  assert.ok(!isSameCode("a.html", "<p>", "<p> "));
});

test("a commit is taken in the way that its events say", () => {
  const reloaded = told({ event: "reload", kind: "reloaded", loaded: ["/w/a.js", "/w/b.js"], kept: 3 });
  assert.deepEqual(takenOf([reloaded], undefined, "/w"), { way: "in place", evaluated: 2, modules: 5 });
  const all = told({ event: "reload", kind: "reloaded", loaded: ["/w/a.js"], kept: 0 });
  assert.deepEqual(takenOf([all], undefined, "/w"), { way: "all own modules", evaluated: 1, modules: 1 });
  const restarted = told({
    event: "restarted",
    modules: 5,
    reason: { type: "changed", code: "UR50", files: ["/w/package.json"] },
  });
  assert.deepEqual(takenOf([restarted, reloaded], undefined, "/w"), {
    way: "fresh worker",
    reason: "changed (UR50): package.json",
    evaluated: 7,
    modules: 5,
  });
  const before = { way: "in place", evaluated: 1, modules: 9 } as const;
  assert.deepEqual(takenOf([told({ event: "failed" })], before, "/w"), { way: "failure", evaluated: 0, modules: 9 });
  assert.deepEqual(takenOf([], before, "/w"), { way: "nothing", evaluated: 0, modules: 9 });
});

test("the report counts, and shows each difference with its commit, its files and both answers", () => {
  const results: Replayed[] = [
    replayed("started"),
    { ...replayed("same"), taken: { way: "in place", evaluated: 2, modules: 10 }, waitedMs: 20, freshMs: 200 },
    {
      ...replayed("different"),
      taken: { way: "fresh worker", reason: "changed: .env", evaluated: 10, modules: 10 },
      differences: [{ cause: "old answer", what: "GET /", product: "200\n\none", fresh: "200\n\ntwo" }],
    },
  ];
  assert.ok(!allSame(results));
  assert.ok(allSame(results.slice(0, 2)));
  const report = reportOf(results);
  for (const row of [
    /^same answers +1 of 2 \(50\.0 %\)$/m,
    /^ {2}old answer +1$/m,
    /^in place +1 of 2 \(50\.0 %\)$/m,
    /^ {2}changed: \.env +1$/m,
    /^modules evaluated in place +2 of 10 \(20\.0 %\)$/m,
    /^kept waiting, in place +median 20 ms, p95 20 ms$/m,
    /^0123456789 a subject\n {2}saved: a\.js\n {2}taken: fresh worker \(changed: \.env\), 10 modules\n {2}old answer: GET \/\n/m,
    /product {2}"200\\n\\none"\n {4}fresh {4}"200\\n\\ntwo"/,
  ])
    assert.match(report, row);
});

function written(path: string): Change {
  return { path, entry: { path, mode: "file", blob: path } };
}

function deleted(path: string): Change {
  return { path, entry: undefined };
}

function answer(body: string) {
  return { status: 200, headers: {}, body };
}

function told(event: object): ToldEvent {
  return event as ToldEvent;
}

function replayed(outcome: Replayed["outcome"]): Replayed {
  const commit = { id: "0123456789abcdef", subject: "a subject" };
  return { commit, files: ["a.js"], outcome, differences: [], unsteady: [] };
}

test("edits come at random, by their seed, and those that break nothing leave a text that compiles", () => {
  const sources = {
    "a.js": `"use strict";
const { b } = require("./b");
function greet(name) { if (name > 1) return \`hello \${name}\`; return b("x", 2); }
exports.greet = greet;
module.exports.limit = 3;
exports.title = "top";`,
    "a.ts": `import { b } from "./b.js";
export function greet(name: string): string { return name === "x" ? b(name, 2) : "none"; }
export const title = "top";
export class Store { #size = 1; add(): number { return (this.#size += 1); } }`,
  };
  const breaks = /^(?:syntax error|cut off|statement repeated|file deleted|emptied)$/;
  for (const [file, text] of Object.entries(sources)) {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 400; seed++) {
      const edit = editOf(file, text, "b.js", seed, new Random(seed));
      assert.deepEqual(edit, editOf(file, text, "b.js", seed, new Random(seed)));
      assert.ok(edit && edit.text !== text, `seed ${seed}`);
      kinds.add(edit.kind);
      if (edit.text === undefined || breaks.test(edit.kind)) continue;
      const problem = () => transformSync(edit.text ?? "", { loader: file === "a.ts" ? "ts" : "js" });
      assert.doesNotThrow(problem, `${edit.kind}:\n${edit.text}`);
      if (/^(?:comment|blank line|type)$/.test(edit.kind)) assert.ok(isSameCode(file, text, edit.text), edit.text);
    }
    // `type` has no place in JavaScript.
    assert.equal(kinds.size, file === "a.ts" ? 24 : 23, [...kinds].sort().join(", "));
  }
  assert.equal(editOf("a.js", "no code (", "b.js", 1, new Random(1)), undefined);
  assert.equal(dataEditOf("<p>7</p>", 3, new Random(1))?.text, "<p>8</p>");
});
