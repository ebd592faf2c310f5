/** The cache gives what compiling would give, or nothing. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Compiler } from "../../src/common/compile/compiler.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": `{ "type": "module" }`,
  "tsconfig.json": `{ "compilerOptions": { "target": "es2022" } }`,
  "a.ts": `import { b } from "./b.js"; export class A { x: number; y = b }`,
  "b.js": "export const b = 1;",
  "c.json": `{ "c": 1 }`,
};

function compileAll(app: TempApp, compiler = open(app)) {
  return ["a.ts", "b.js", "c.json"].map((file) => compiler.prepare(app.path(file)));
}

function open(app: TempApp): Compiler {
  return new Compiler({ root: app.folder, cacheFolder: join(app.scratch, "cache") });
}

function packs(app: TempApp): string[] {
  return readdirSync(join(app.scratch, "cache")).map((name) => join(app.scratch, "cache", name));
}

/** Puts a mark into every cached body, so that a test can see where a module came from. */
function markCache(app: TempApp, from: string, to: string): void {
  assert.equal(from.length, to.length);
  for (const pack of packs(app)) {
    const text = readFileSync(pack, "latin1");
    assert.ok(text.includes(from));
    writeFileSync(pack, text.replaceAll(from, to), "latin1");
  }
}

test("the same module, in memory and after a restart", async () => {
  await using app = new TempApp(files);
  const compiler = open(app);
  const first = compileAll(app, compiler);
  assert.equal(compiler.compile(app.path("a.ts")), first[0]?.compiled);
  await compiler.saveCache();
  assert.equal(packs(app).length, 1);
  assert.deepEqual(compileAll(app), first);
});

test("the second start takes modules from the pack", async () => {
  await using app = new TempApp(files);
  const compiler = open(app);
  compileAll(app, compiler);
  await compiler.saveCache();
  const before = readFileSync(packs(app)[0] ?? "");
  const second = open(app);
  compileAll(app, second);
  // Nothing was compiled, so there is nothing to write.
  mkdirSync(join(app.scratch, "elsewhere"));
  writeFileSync(packs(app)[0] ?? "", "");
  await second.saveCache();
  assert.equal(readFileSync(packs(app)[0] ?? "").length, 0);
  assert.ok(before.length > 0);
});

test("changed text and changed settings are compiled anew", async () => {
  await using app = new TempApp(files);
  const compiler = open(app);
  const [first] = compileAll(app, compiler);
  await compiler.saveCache();
  app.edit("a.ts", "export class A", "export class Other");
  assert.deepEqual(open(app).compile(app.path("a.ts")).exports, ["Other"]);
  app.edit("a.ts", "export class Other", "export class A");
  assert.deepEqual(open(app).compile(app.path("a.ts")), first?.compiled);
  app.write("tsconfig.json", `{ "compilerOptions": { "target": "es2020" } }`);
  assert.notEqual(open(app).compile(app.path("a.ts")).body, first?.compiled.body);
  app.write("package.json", `{ "type": "commonjs" }`);
  assert.equal(open(app).compile(app.path("a.ts")).interop, "esModule");
});

test("a damaged, cut or foreign pack is ignored and replaced", async () => {
  await using app = new TempApp(files);
  const expected = compileAll(app);
  for (const damage of [
    (bytes: Buffer) => bytes.subarray(0, bytes.length - 10),
    (bytes: Buffer) => bytes.fill(7, 40, 60),
    () => Buffer.from("not a pack"),
    () => Buffer.alloc(0),
  ]) {
    const compiler = open(app);
    compileAll(app, compiler);
    await compiler.saveCache();
    const [pack = ""] = packs(app);
    writeFileSync(pack, damage(readFileSync(pack)));
    const after = open(app);
    assert.deepEqual(compileAll(app, after), expected);
    await after.saveCache();
    assert.deepEqual(compileAll(app), expected);
    assert.deepEqual(packs(app), [pack], "no temporary files stay");
  }
});

test("a pack whose content was changed is not trusted", async () => {
  await using app = new TempApp(files);
  const compiler = open(app);
  const expected = compileAll(app, compiler);
  await compiler.saveCache();
  markCache(app, "const b = 1", "const b = 2");
  assert.deepEqual(compileAll(app), expected);
});

test("a cache that cannot be written is done without", async () => {
  await using app = new TempApp({ ...files, "in-the-way": "a file" });
  const compiler = new Compiler({ root: app.folder, cacheFolder: app.path("in-the-way/cache") });
  compileAll(app, compiler);
  await compiler.saveCache();
  await new Compiler({ root: app.folder }).saveCache();
});

test("files that were not needed stay in the pack, deleted ones go", async () => {
  await using app = new TempApp(files);
  const first = open(app);
  compileAll(app, first);
  await first.saveCache();
  app.remove("b.js");
  app.edit("c.json", "1", "2");
  const second = open(app);
  second.compile(app.path("c.json"));
  await second.saveCache();
  const content = readFileSync(packs(app)[0] ?? "", "latin1");
  assert.ok(content.includes(app.path("a.ts")));
  assert.ok(!content.includes(app.path("b.js")));
  assert.ok(content.includes(`"c": 2`));
});

test("two roots have two packs", async () => {
  await using app = new TempApp(files);
  const cacheFolder = join(app.scratch, "cache");
  for (const root of [app.folder, app.path("sub")]) {
    const compiler = new Compiler({ root, cacheFolder });
    compiler.compile(app.path("a.ts"));
    await compiler.saveCache();
  }
  assert.equal(packs(app).length, 2);
});
