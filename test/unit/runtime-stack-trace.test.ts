/** Stacks are what Node shows for the user's source, whatever the code was compiled to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isSupervisorCode } from "../../workers/runtime/supervisor-code.js";
import { RuntimeApp } from "../support/module-program.js";
import { TempApp } from "../support/temp-app.js";

const ESM = { "package.json": `{ "type": "module" }` };

/** Every way to get a stack that differs in its frames. */
const JAVASCRIPT = {
  ...ESM,
  "main.mjs": `import { inner, K, later, tag } from "./a.mjs"; import * as ns from "./a.mjs";
import c from "./c.cjs";
const stacks = [];
const note = (f) => { try { f(); } catch (e) { stacks.push(e.stack); } };
note(() => inner(1)); note(() => ns.inner(2));
note(() => new K().m(2)); note(() => new K(1));
note(c); note(() => tag\`x\`);
note(() => [1].map((x) => inner(x)));
note(() => eval("undeclared()"));
await later().catch((e) => stacks.push(e.stack));
stacks.push(new Error("top").stack, new TypeError("x", { cause: 1 }).stack);
note(() => Buffer.alloc("x"));
note(() => { throw Object.assign(new Error("m"), { name: "Custom", message: "other" }); });
class Own extends Error { name = "Own"; }
stacks.push(new Own("q").stack);
const captured = {}; Error.captureStackTrace(captured); stacks.push(captured.stack);
await new Promise((resolve) => setTimeout(() => { note(() => inner(3)); resolve(); }, 0));
export { stacks };`,
  "a.mjs": `export function inner(x) {
  throw new RangeError("bad " + x + "\\nsecond line");
}
export class K { constructor(x) { if (x) inner(x); } m() { return null.x; } }
export const tag = (strings) => inner(strings[0]);
export async function later() { await 0; await deeper(); }
async function deeper() { await 0; throw new Error("late"); }`,
  "c.cjs": `module.exports = function f() { return g(); };
function g() { throw new Error("cjs"); }`,
};

/** The frames in the app's folder. */
function ownFrames(stack: string, folder: string): string[] {
  const lines = stack.split("\n");
  return lines
    .filter((line) => !/^ {4}at /.test(line) || line.includes(folder) || line.endsWith("(<anonymous>)"))
    .map((line) => line.replaceAll(folder, "APP"));
}

test("stacks of JavaScript are those that Node shows", async () => {
  await using native = new TempApp(JAVASCRIPT);
  await using app = new RuntimeApp(JAVASCRIPT);
  const expected: { stacks: string[] } = await import(pathToFileURL(native.path("main.mjs")).href);
  app.runtime.install();
  const { stacks } = await app.import<{ stacks: string[] }>("main.mjs");
  assert.deepEqual(
    stacks.map((stack) => ownFrames(stack, app.folder)),
    expected.stacks.map((stack) => ownFrames(stack, native.folder)),
  );
  for (const stack of stacks) assert.doesNotMatch(stack, /workers[\\/]runtime/);
});

/** Classes and what throws share lines: the compiler writes into the bodies of the classes. */
const ONE_LINERS = {
  ...ESM,
  "main.mjs": `import { thrown } from "./thrown.cjs"; import * as a from "./a.mjs"; import c, { first } from "./c.cjs";
class Here { #p; static run(f) { try { f(); } catch (e) { return e.stack; } } } const stacks = [...thrown];
for (const all of [a, c, { first }]) for (const f of Object.values(all)) stacks.push(Here.run(f));
export { stacks };`,
  "a.mjs": `class A { #a = 1; static #s; m() { throw new Error("1"); } } export const m = () => new A().m(), n = () => { class B extends A { #b; constructor() { super(); null.x; } } new B(); };
export const o = () => new (class { f = (() => { throw new Error("2"); })(); })(), p = () => class { static x = undefined.y; }; export class K {} export const q = () => { class L { static { q.x.y; } } };
export const r = () => [class {}, class{}, class Z { constructor() { throw new Error("3"); } }].map((C) => new C());
export function s() {
  throw new Error("untouched line");
}`,
  "c.cjs": `exports.first = () => { throw new Error("4"); }; class A { m() { throw new Error("5"); } } exports.m = () => new A().m(); exports.load = () => import("./a.mjs").then(); exports.n = () => { missing(); };
exports.o = () => { class B { #p; static { throw new Error("6"); } } };\r\nexports.p = () => { throw new Error("untouched line"); };
exports.q = () => { class B {} class C extends B { constructor() { super(); missing(); } } return new C(); };`,
  "thrown.cjs": `class A { static stack = new Error("8").stack; } class B { static stack = new Error("9").stack; } exports.thrown = [A.stack, B.stack];`,
};

test("stacks of classes that share a line are those that Node shows", async () => {
  await using native = new TempApp(ONE_LINERS);
  await using app = new RuntimeApp(ONE_LINERS);
  const expected: { stacks: string[] } = await import(pathToFileURL(native.path("main.mjs")).href);
  app.runtime.install();
  const { stacks } = await app.import<{ stacks: string[] }>("main.mjs");
  const frames = (list: readonly string[], { folder }: TempApp): string[][] =>
    list.map((stack) => ownFrames(stack ?? "nothing was thrown", folder));
  assert.deepEqual(frames(stacks, app), frames(expected.stacks, native));
});

describe("an error is located in the source", () => {
  test("of TypeScript, in a function that is called late", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.ts": `import { helper } from "./helper.js";\ninterface Unused {\n  x: number;\n}\nexport function boom(value: number): Unused {\n  helper();\n  if (value) throw new TypeError("boom");\n  return { x: value };\n}\n`,
      "helper.ts": `export function helper(): void {}\n`,
    });
    app.runtime.install();
    const { boom } = await app.import<{ boom(value: number): void }>("main.ts");
    const error = thrownBy(() => boom(1));
    assert.match(
      error.stack ?? "",
      new RegExp(`^TypeError: boom\n {4}at .*boom \\(${pathToFileURL(app.path("main.ts")).href}:7:20\\)`),
    );
    const { location, frame } = app.runtime.locate(error);
    assert.deepEqual(location, { file: app.path("main.ts"), line: 7, column: 20 });
    assert.match(frame ?? "", /> 7 \| {3}if \(value\) throw new TypeError\("boom"\);\n +\| +\^/);
  });

  test("at top level, and names the file that threw", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.ts": `import "./a.js";`,
      "a.ts": `type T = 1;\n\nconst x: unknown = undefined;\n(x as { y: number }).y;\n`,
    });
    app.runtime.install();
    const error = await rejectedBy(app.import("main.ts"));
    assert.deepEqual(app.runtime.locate(error).location, { file: app.path("a.ts"), line: 4, column: 22 });
    assert.equal(app.runtime.fileOf(error), app.path("a.ts"));
  });

  test("of the version that runs, after a reload", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "a.ts": `export const boom = (x: number) => { throw new Error("1"); };`,
    });
    app.runtime.install();
    const a = await app.import<{ boom(): void }>("a.ts");
    assert.equal(app.runtime.locate(thrownBy(a.boom)).location?.line, 1);
    app.write("a.ts", `interface A {\n}\n\nexport const boom = (x: number) => {\n  throw new Error("2");\n};`);
    await app.reload(["a.ts"]);
    assert.deepEqual(app.runtime.locate(thrownBy(a.boom)).location, { file: app.path("a.ts"), line: 5, column: 9 });
  });

  test("of a name that is not exported", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "main.ts": `import fs from "node:fs";\nimport {\n  a,\n  nope as other,\n} from "./a.js";\nexport const x = [fs, a, other];`,
      "a.ts": `export const a = 1;`,
    });
    app.runtime.install();
    const error = await rejectedBy(app.import("main.ts"));
    assert.equal(error.message, "The requested module './a.js' does not provide an export named 'nope'");
    assert.deepEqual(app.runtime.locate(error).location, { file: app.path("main.ts"), line: 4, column: 3 });
  });

  test("of an import that leads nowhere, and of a text that does not parse", async () => {
    await using app = new RuntimeApp({
      ...ESM,
      "lost.ts": `\nimport "./nowhere.js";`,
      "broken.ts": `const x: number = 1;\nconst y = ;`,
    });
    app.runtime.install();
    const lost = await rejectedBy(app.import("lost.ts"));
    assert.equal((lost as { code?: string }).code, "ERR_MODULE_NOT_FOUND");
    assert.deepEqual(
      [app.runtime.locate(lost).location?.file, app.runtime.locate(lost).location?.line],
      [app.path("lost.ts"), 2],
    );
    const broken = await rejectedBy(app.import("broken.ts"));
    assert.ok(broken instanceof SyntaxError);
    assert.deepEqual(app.runtime.locate(broken).location, { file: app.path("broken.ts"), line: 2, column: 11 });
    assert.match(app.runtime.locate(broken).frame ?? "", /> 2 \| const y = ;/);
  });

  test("values that are no errors have no place", async () => {
    await using app = new RuntimeApp({ ...ESM, "main.js": `throw "text";` });
    await assert.rejects(app.import("main.js"), (thrown) => thrown === "text");
    assert.deepEqual(app.runtime.locate("text"), {});
    assert.deepEqual(app.runtime.locate(undefined), {});
  });
});

test("an app may format stacks itself", async () => {
  await using app = new RuntimeApp({
    ...ESM,
    "main.js": `export function sites() {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, frames) => frames.map((frame) => frame.getFileName());
  try { return new Error("x").stack; } finally { Error.prepareStackTrace = before; }
}`,
  });
  app.runtime.install();
  const { sites } = await app.import<{ sites(): string[] }>("main.js");
  assert.equal(sites()[0], pathToFileURL(app.path("main.js")).href);
});

test("formatting of stacks is taken back when the runtime closes", async () => {
  const before = Error.prepareStackTrace;
  {
    await using app = new RuntimeApp(ESM);
    app.runtime.install();
    assert.notEqual(Error.prepareStackTrace, before);
  }
  assert.equal(Error.prepareStackTrace, before);
});

function thrownBy(run: () => void): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

async function rejectedBy(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  return error;
}

test("what of the supervisor runs in the app's thread is known for its own, and nothing else is", () => {
  const own = ["workers/runtime/runtime.js", "src/common/exported-app/fetch-bridge.js"];
  const others = ["src/supervisor/supervisor.js", "test/unit/runtime-stack-trace.test.js"];
  const urls = (files: readonly string[]) => files.map((file) => new URL(`../../${file}`, import.meta.url).href);
  for (const url of urls(own)) assert.deepEqual([url, fileURLToPath(url)].map(isSupervisorCode), [true, true], url);
  for (const url of urls(others))
    assert.deepEqual([url, fileURLToPath(url)].map(isSupervisorCode), [false, false], url);
});
