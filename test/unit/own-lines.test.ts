/** Lines of the supervisor's own beside those of the app. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamWords } from "../../src/common/protocol/stream-words.js";
import { OwnLines } from "../../src/reports/own-lines.js";

function noted() {
  const written: string[] = [];
  const words = new StreamWords();
  const state = { isWriting: false };
  const output = { write: (text: string) => written.push(text) };
  const app = { isWriting: () => state.isWriting, readsInput: () => false };
  const lines = new OwnLines(words, app, { stdout: output, stderr: output });
  return { written, words, state, lines };
}

test("a line that the app has begun is ended, once", () => {
  const { written, words, lines } = noted();
  for (const descriptor of [1, 2] as const) words.written(descriptor, Buffer.from("begun"));
  lines.write("stderr", "one");
  lines.write("stderr", "two");
  words.written(2, Buffer.from("whole\n"));
  lines.write("stderr", "three");
  assert.deepEqual(written, ["\none\n", "two\n", "three\n"]);
});

test("lines wait while the app is in the middle of writing, in their order; at the end they do not", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { written, state, lines } = noted();
  state.isWriting = true;
  lines.write("stdout", "one");
  lines.write("stderr", "two");
  context.mock.timers.tick(100);
  assert.deepEqual(written, []);
  state.isWriting = false;
  lines.write("stdout", "three");
  context.mock.timers.tick(10);
  assert.deepEqual(written, ["one\n", "two\n", "three\n"]);
  state.isWriting = true;
  lines.write("stdout", "four");
  lines.flush();
  assert.deepEqual(written.slice(3), ["four\n"]);
});
