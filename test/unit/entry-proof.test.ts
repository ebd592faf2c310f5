/** When a route that is not found after a reload shows that the entry cannot be evaluated twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryProof } from "../../workers/entry-proof.js";

function proofOf(): { proof: EntryProof; lost: string[]; after: number } {
  const lost: string[] = [];
  return { proof: new EntryProof("/main.js", (asked) => lost.push(asked)), lost, after: Date.now() + 1000 };
}

test("a route that answered before and is not found after the entry's first reload is told, once", () => {
  const { proof, lost, after } = proofOf();
  proof.answered("/a?x=1", 200, 0);
  proof.reloaded(["/other.js"]);
  proof.answered("/a?x=1", 404, after);
  assert.deepEqual(lost, [], "the entry is as it was");
  proof.reloaded(["/other.js", "/main.js"]);
  proof.answered("/a?x=1", 404, 0);
  proof.answered("/b", 404, after);
  assert.deepEqual(lost, [], "one was begun before, the other was never there");
  proof.answered("/a?x=1", 404, after);
  proof.answered("/a?x=1", 404, after);
  assert.deepEqual(lost, ["/a?x=1"]);
});

test("an entry that answers after its first reload has shown that it can; what is deleted later is the app's doing", () => {
  for (const [asked, status] of [
    ["/a", 200],
    ["/new", 200],
    ["/a", 500],
  ] as const) {
    const { proof, lost, after } = proofOf();
    proof.answered("/a", 200, 0);
    proof.reloaded(["/main.js"]);
    proof.answered(asked, status, after);
    proof.reloaded(["/main.js"]);
    proof.answered("/a", 404, after);
    assert.deepEqual(lost, []);
  }
});

test("only so many routes are known, the newest", () => {
  const { proof, lost, after } = proofOf();
  for (let n = 0; n < 300; n++) proof.answered(`/${n}`, 200, 0);
  proof.reloaded(["/main.js"]);
  proof.answered("/50", 404, after);
  assert.deepEqual(lost, []);
  proof.answered("/250", 404, after);
  assert.deepEqual(lost, ["/250"]);
});
