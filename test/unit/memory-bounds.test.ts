/** Maps that grow with what edits and clients come up with forget: each bound by itself (test/e2e/memory-soak-*: all together). */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Compiler } from "../../src/common/compile/compiler.js";
import { FileReads } from "../../workers/runtime/file-reads.js";
import { LoaderHooks } from "../../workers/runtime/loader-hooks.js";
import { ModuleEdges } from "../../workers/runtime/module-edges.js";
import { Observer } from "../../workers/runtime/observer.js";
import { Registry } from "../../workers/runtime/registry.js";
import { type Surroundings, slotsOf } from "../../workers/written/slots.js";
import { WrittenEdges } from "../../workers/written/written-edges.js";
import { TempApp } from "../support/temp-app.js";

test("of what a deleted file was compiled to, nothing is kept", async () => {
  await using app = new TempApp({ "made.js": "export {};\n" });
  const compiler = new Compiler({ root: app.folder });
  const compiled = compiler.compile(app.path("made.js"));
  assert.equal(compiler.compile(app.path("made.js")), compiled);
  compiler.drop(app.path("made.js"));
  assert.notEqual(compiler.compile(app.path("made.js")), compiled);
});

test("of ten thousand spellings of a file, the first ones are looked up again", async () => {
  await using app = new TempApp({ "main.js": "", "known.js": "", "folder/other.js": "" });
  const compiler = new Compiler({ root: app.folder });
  const steps = (number: number) =>
    Array.from({ length: 14 }, (_, bit) => ((number >> bit) & 1 ? "folder/../" : "./")).join("");
  const lookUp = (number: number) => compiler.resolve(`./${steps(number)}known.js`, app.path("main.js"), "require");
  const first = lookUp(0);
  assert.equal(lookUp(0), first, "it is known");
  for (let number = 1; number < 10_001; number++) lookUp(number);
  assert.deepEqual(lookUp(0), first);
  assert.notEqual(lookUp(0), first);
});

test("files that only old versions have read are not followed for ever", async () => {
  await using app = new TempApp({ "data.json": "{}" });
  const written: string[] = [];
  let version = new ModuleEdges(app.path("main.js"), () => {});
  let reader: ModuleEdges | undefined = version;
  const reads = new FileReads({
    root: app.folder,
    reader: () => reader,
    versions: () => [version],
    written: (file) => written.push(file),
    isModule: () => false,
    moduleWritten: () => {},
  });
  reads.install();
  try {
    for (let number = 0; number < 3000; number++) {
      version = new ModuleEdges(app.path("main.js"), () => {});
      reader = version;
      fs.existsSync(app.path(`made-up-${number}.json`));
    }
    fs.readFileSync(app.path("data.json"));
    reader = undefined;
    for (const name of ["made-up-0.json", "data.json"]) fs.writeFileSync(app.path(name), "{}");
  } finally {
    reads.uninstall();
  }
  assert.deepEqual(written, [app.path("data.json")]);
});

function createRegistry(isIdle: () => boolean = () => true): Registry {
  const instances = { isIdle, letGo: () => undefined };
  return new Registry({ observer: new Observer(), isOutsider: () => false, moduleCache: {}, instances });
}

test("the record of a file that has gone is nobody's but of those who still have hold of it", () => {
  const registry = createRegistry();
  const record = registry.record("/made.js");
  assert.equal(registry.letGo("/made.js"), true);
  assert.deepEqual([...registry.all()], []);
  assert.equal(registry.record("/made.js"), record, "it comes back");
});

test("a version that has gone is watched no longer, although its evaluation never ended", () => {
  const state = { list: [1] };
  const surroundings: Surroundings = {
    isOwnClass: () => false,
    isForeign: () => false,
    isAdapted: () => false,
    privateFields: () => undefined,
  };
  const written = new WrittenEdges({
    surroundings,
    bindingsOf: (file) => (file === "/state.js" ? slotsOf(state, surroundings) : undefined),
    hasGlobals: () => false,
    effectsOf: () => undefined,
    textOf: () => undefined,
    capturedBy: () => [],
    observedBy: () => [],
  });
  const watch = () => {
    const version = new ModuleEdges("/main.js", () => {});
    written.read(version, "/state.js");
    return version;
  };
  watch();
  state.list.push(2);
  assert.deepEqual(written.abandon(), ["/state.js"], "one that is watched");
  written.settle();
  written.forget(watch());
  state.list.push(3);
  assert.deepEqual(written.abandon(), []);
});

test("what hooks have said of ten thousand queries is kept, and of no more", async () => {
  await using app = new TempApp({ "main.js": "", "x.js": "" });
  const hooks = new LoaderHooks({ formatOf: () => "commonjs", detectedFormat: () => "commonjs", conditions: [] });
  const seen: unknown[] = [];
  hooks.add({
    resolve: (specifier, context, next) => ({ ...next(specifier, context), format: "module" }),
    load: (_, { format }) => {
      seen.push(format);
      return { format: "module", source: "", shortCircuit: true };
    },
  });
  const file = app.path("x.js");
  const resolve = (number: number) =>
    hooks.resolved(`./x.js?${number}`, app.path("main.js"), "import", null, () => ({
      type: "file",
      file,
      search: `?${number}`,
    }));
  const load = () => hooks.loaded({ file, url: `${pathToFileURL(file).href}?0` });
  for (let number = 0; number < 10_000; number++) resolve(number);
  load();
  resolve(10_000);
  load();
  assert.deepEqual(seen, ["module", "commonjs"]);
});
