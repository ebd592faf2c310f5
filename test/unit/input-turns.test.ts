/** Who reads standard input at a time: keys, or one of the app's threads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamWords } from "../../src/common/protocol/stream-words.js";
import { InputTurns } from "../../src/thread/input-turns.js";

/** Notes what main does with its keys and with threads. */
function noted() {
  const notes: string[] = [];
  const words = new StreamWords();
  const turns = new InputTurns(words);
  const thread = (number: number) => ({
    number,
    giveInput: (unread: Uint8Array) => void notes.push(`give ${number} "${Buffer.from(unread)}"`),
    leaveInput: () => void notes.push(`${number} leaves`),
  });
  const keys = { read: () => void notes.push("keys"), leave: () => void notes.push("no keys") };
  const taken = () => notes.splice(0);
  return { turns, words, thread, keys, taken };
}

const bytes = (text: string) => Buffer.from(text);

test("keys are read until a thread wants the input, and again a while after it rests", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { turns, words, thread, keys, taken } = noted();
  const one = thread(1);
  turns.useKeys(keys);
  turns.wanted(one);
  assert.deepEqual(taken(), ["keys", "no keys", `give 1 ""`]);
  assert.equal(words.reader, 1);
  turns.rests(one);
  assert.equal(words.reader, 0);
  context.mock.timers.tick(900);
  turns.wanted(one);
  context.mock.timers.tick(900);
  assert.deepEqual(taken(), ["no keys", `give 1 ""`], "two prompts, one after the other");
  turns.rests(one);
  context.mock.timers.tick(1000);
  assert.deepEqual(taken(), ["keys"]);
});

test("a newer thread gets it when the older has left it, with what nobody has read", () => {
  const { turns, words, thread, taken } = noted();
  const [one, two] = [thread(1), thread(2)];
  turns.wanted(one);
  turns.wanted(two);
  assert.deepEqual(taken(), [`give 1 ""`, "1 leaves"]);
  assert.equal(words.reader, 1);
  turns.left(one, bytes("rest"), false);
  assert.deepEqual(taken(), [`give 2 "rest"`]);
  assert.equal(words.reader, 2);
});

test("an older thread waits for the end of the newer, and has it then as the newer has left it", () => {
  const { turns, thread, taken } = noted();
  const [one, two] = [thread(1), thread(2)];
  turns.wanted(one);
  turns.wanted(two);
  turns.left(one, bytes(""), false);
  turns.wanted(one);
  taken();
  turns.left(two, bytes("left"), true);
  turns.ended(two);
  assert.deepEqual(taken(), [`give 1 "left"`]);
});

test("what is left before anybody else wants it is kept", () => {
  const { turns, thread, taken } = noted();
  const one = thread(1);
  turns.wanted(one);
  turns.left(one, bytes("kept"), true);
  turns.ended(one);
  taken();
  turns.wanted(thread(2));
  assert.deepEqual(taken(), [`give 2 "kept"`]);
});

test("a thread that does not leave is not waited for; what it has is given later", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { turns, thread, taken } = noted();
  const [one, two] = [thread(1), thread(2)];
  turns.wanted(one);
  turns.wanted(two);
  taken();
  context.mock.timers.tick(1000);
  assert.deepEqual(taken(), [`give 2 ""`]);
  turns.left(one, bytes("late"), true);
  assert.deepEqual(taken(), [`give 2 "late"`]);
});
