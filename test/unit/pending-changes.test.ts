import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CompiledModule, PreparedModule } from "../../src/common/compile/compiled-module.js";
import { FileUses } from "../../src/supervisor/file-uses.js";
import { PendingChanges } from "../../src/supervisor/pending.js";
import { relinkCandidates } from "../../src/supervisor/relink.js";
import { randomSource } from "../support/random.js";

type Kind = "changed" | "added" | "deleted" | "config";

function pendingAfter(...changes: [string, Kind][]): PendingChanges {
  const pending = new PendingChanges();
  pending.merge(changes.map(([file, kind]) => ({ file, kind, mayBeHalfSaved: false })));
  return pending;
}

describe("pending changes", () => {
  test("a file that was deleted and has come back is changed and added, and deleted no more", () => {
    const pending = pendingAfter(["/a.js", "deleted"], ["/a.js", "added"]);
    assert.deepEqual([[...pending.changed], [...pending.added], [...pending.deleted]], [["/a.js"], ["/a.js"], []]);
  });

  test("after any sequence each file is either changed or deleted, as its last change says", () => {
    const random = randomSource("pending changes");
    const pending = new PendingChanges();
    const last = new Map<string, Kind>();
    for (let step = 0; step < 2000; step++) {
      const file = `/${random.int(0, 9)}.js`;
      const kind = random.pick<Kind>(["changed", "added", "deleted"]);
      pending.merge([{ file, kind, mayBeHalfSaved: false }]);
      last.set(file, kind);
      if (random.chance(0.02)) {
        pending.clear();
        last.clear();
      }
      assert.equal(pending.empty, last.size === 0);
      for (const [name, was] of last) {
        assert.equal(pending.deleted.has(name), was === "deleted");
        assert.equal(pending.changed.has(name), was !== "deleted");
        if (was === "deleted") assert.ok(!pending.added.has(name));
      }
    }
  });

  test("a configuration file is kept apart: it is not compiled", () => {
    const pending = pendingAfter(["/package.json", "config"]);
    assert.deepEqual([[...pending.config], [...pending.changed], pending.empty], [["/package.json"], [], false]);
  });
});

describe("which modules to resolve again", () => {
  const module = (file: string, imports: string[], requires: string[] = []): PreparedModule => ({
    compiled: {
      file,
      requires,
      imports: imports.map((specifier) => ({ specifier, attributes: null, names: [] })),
    } as unknown as CompiledModule,
    imports: [],
    requires: {},
  });

  test("those with a specifier that ends in the file's name, whatever the extension", () => {
    const modules = [module("/1.ts", ["./user.js"]), module("/2.ts", ["@/models/user"]), module("/3.ts", ["./users"])];
    assert.deepEqual([...relinkCandidates(modules, ["/models/user.ts"])], ["/1.ts", "/2.ts"]);
  });

  test("those with a specifier that ends in the folder's name, when an index file has come", () => {
    const modules = [module("/1.js", [], ["./routes"]), module("/2.js", [], ["./routers"]), module("/r/3.js", ["."])];
    assert.deepEqual([...relinkCandidates(modules, ["/routes/index.js"])], ["/1.js", "/r/3.js"]);
  });

  test("none when nothing has come or gone", () => {
    assert.equal(relinkCandidates([module("/1.js", ["./a"])], []).size, 0);
  });
});

function used(
  reads: readonly string[],
  lists: string[] = [],
  looks: readonly string[] = [],
  usedByPackages: string[] = [],
) {
  const files = (names: readonly string[]) => names.map((file) => ({ file }));
  return { reads: files(reads), looks: files(looks), lists, usedByPackages };
}

describe("files that modules read while they are evaluated", () => {
  test("of a file that was only looked for, what is in there is nobody's business", () => {
    const uses = new FileUses();
    uses.evaluated("/main.js", used([], [], ["/flag"]));
    uses.evaluated("/late.js", used(["/read"], [], ["/seen", "/read"], ["/seen", "/read"]));
    assert.equal(uses.readersOf(pendingAfter(["/flag", "changed"])).size, 0);
    for (const kind of ["added", "deleted"] as const)
      assert.deepEqual([...uses.readersOf(pendingAfter(["/flag", kind])).keys()], ["/main.js"]);
    assert.equal(uses.concernPackages(pendingAfter(["/seen", "changed"])), false);
    assert.equal(uses.concernPackages(pendingAfter(["/seen", "deleted"])), true);
    uses.evaluated("/more.js", used(["/seen"], [], [], ["/seen"]));
    assert.equal(uses.concernPackages(pendingAfter(["/seen", "changed"])), true);
  });

  test("a change of the file, or one that comes or goes in the folder, is the reader's", () => {
    const uses = new FileUses();
    uses.evaluated("/mail.js", used(["/mail.html"]));
    uses.evaluated("/loader.js", used([], ["/plugins"]));
    assert.deepEqual([...uses.readersOf(pendingAfter(["/mail.html", "changed"]))], [["/mail.js", "/mail.html"]]);
    assert.deepEqual([...uses.readersOf(pendingAfter(["/plugins/new.js", "added"])).keys()], ["/loader.js"]);
    assert.deepEqual([...uses.readersOf(pendingAfter(["/plugins/old.js", "deleted"])).keys()], ["/loader.js"]);
    assert.equal(uses.readersOf(pendingAfter(["/plugins/old.js", "changed"])).size, 0);
  });

  test("what the app writes itself is nobody's dependency", () => {
    const uses = new FileUses();
    uses.evaluated("/store.js", used(["/store.json"], ["/uploads"]));
    uses.written("/store.json");
    uses.written("/uploads/1.png");
    assert.equal(uses.readersOf(pendingAfter(["/store.json", "changed"], ["/uploads/1.png", "added"])).size, 0);
  });

  test("what the version before read is forgotten", () => {
    const uses = new FileUses();
    uses.evaluated("/mail.js", used(["/mail.html"]));
    uses.evaluated("/mail.js", used([]));
    assert.equal(uses.readersOf(pendingAfter(["/mail.html", "changed"])).size, 0);
  });
});
