/** Which packages may be loaded before any code of the app has run, and whether they still may. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { PackageLog } from "../../src/common/protocol/package-log.js";
import { unchangedRequests } from "../../src/thread/unchanged-requests.js";
import { Eligibility, type JudgedRequest } from "../../workers/standby/eligibility.js";
import { PackageReach } from "../../workers/standby/package-reach.js";
import { TempApp } from "../support/temp-app.js";

describe("a package may be loaded ahead", () => {
  test("when nothing came before it, and its load does nothing that others notice", () => {
    assert.deepEqual(judge(request("a"), request("b")), [undefined, undefined]);
  });

  test("unless own code has changed what all packages see: then none that follows may", () => {
    const [a, b, c] = judge(request("a"), request("b", { changed: "the global fetch" }), request("c"));
    assert.equal(a, undefined);
    assert.match(String(b), /own code has changed the global fetch/);
    assert.match(String(c), /own code has changed the global fetch/);
  });

  test("unless own code has changed a variable that it reads, or any when it reads all", () => {
    const changedVariables = ["DEBUG"];
    const [a, b, c, d] = judge(
      request("a", { changedVariables }),
      request("b", { changedVariables, variables: ["NODE_ENV"] }),
      request("c", { changedVariables, variables: ["DEBUG"] }),
      request("d", { changedVariables, variables: ["*"] }),
    );
    assert.deepEqual([a, b], [undefined, undefined]);
    assert.match(String(c), /reads the variable DEBUG/);
    assert.match(String(d), /reads the variable DEBUG/);
  });

  test("unless own code has written a file that it reads", () => {
    const writtenFiles = ["/app/config.json"];
    const [a, b] = judge(request("a", { writtenFiles }), request("b", { writtenFiles, files: ["/app/config.json"] }));
    assert.equal(a, undefined);
    assert.match(String(b), /reads \/app\/config.json/);
  });

  test("unless own code has changed the exports of a package that it depends on", () => {
    const changedPackages = ["a"];
    const [, b, c] = judge(
      request("a"),
      request("b", { changedPackages }),
      request("c", { changedPackages, reaches: new Set(["c", "a"]) }),
    );
    assert.equal(b, undefined);
    assert.match(String(c), /changed a before, on which it depends/);
  });

  test("unless its load does something, or it depends on one that is left out, or on what that one changes", () => {
    const [a, b, c, d] = judge(
      request("a", { effects: ["prints"], patches: ["express"] }),
      request("b", { reaches: new Set(["b", "a"]) }),
      request("c", { reaches: new Set(["c", "express"]) }),
      request("d"),
    );
    assert.equal(a, "it prints");
    assert.match(String(b), /depends on a, which is not loaded ahead/);
    assert.match(String(c), /depends on express/);
    assert.equal(d, undefined);
  });

  test("unless one that is left out changes what all packages see", () => {
    const [, b] = judge(request("a", { effects: ["prints"], patches: ["*"] }), request("b"));
    assert.match(String(b), /a, which changes what others see, comes before/);
    assert.deepEqual(judge(request("a", { patches: ["*"] }), request("b")), [undefined, undefined]);
  });
});

test("a package reaches what it declares, from where Node finds it, cycles and missing ones included", async () => {
  const manifest = (dependencies: Record<string, string>) => JSON.stringify({ dependencies });
  await using app = new TempApp({
    "node_modules/a/package.json": manifest({ b: "1", "@x/c": "1", missing: "1" }),
    "node_modules/b/package.json": JSON.stringify({ peerDependencies: { a: "1" } }),
    "node_modules/@x/c/package.json": manifest({ b: "2" }),
    "node_modules/@x/c/node_modules/b/package.json": "{}",
    "node_modules/d/package.json": "not json",
  });
  const at = (name: string) => app.path("node_modules", name);
  const reach = new PackageReach();
  assert.deepEqual(
    new Set(reach.of(app.path("node_modules/a/lib/index.js"))),
    new Set([at("a"), at("b"), at("@x/c"), at("@x/c/node_modules/b")]),
  );
  assert.deepEqual(
    [...reach.of(app.path("node_modules/d/index.js"), [at("b")])],
    [at("d"), at("b"), at("a"), at("@x/c"), at("@x/c/node_modules/b")],
  );
});

describe("the requests of a start are those of the next one", () => {
  const log: PackageLog = {
    requests: [packageRequest("p"), packageRequest("q"), packageRequest("r")],
    visited: [
      { file: "/main.js", before: 0 },
      { file: "/a.js", before: 1 },
      { file: "/b.js", before: 2 },
    ],
  };
  const before = modules({ "/main.js": "main", "/a.js": "a", "/b.js": "b" });

  test("all of them, when nothing or only bodies have changed", () => {
    assert.equal(unchangedRequests(log, before, before), 3);
    assert.equal(unchangedRequests(log, before, modules({ "/main.js": "x", "/a.js": "y", "/b.js": "z" })), 3);
  });

  test("up to the first file whose imports have changed", () => {
    const now = new Map(before).set("/a.js", prepared("/a.js", "a", ["/node_modules/new/index.js"]));
    assert.equal(unchangedRequests(log, before, now), 1);
    // What a thread comes to by itself, main does not know before.
    assert.equal(unchangedRequests(log, before, modules({ "/main.js": "main", "/a.js": "a" })), 3);
  });

  test("up to the first body that looks as if it set something up", () => {
    const now = modules({ "/main.js": "main", "/a.js": "process.env.DEBUG = '*'", "/b.js": "b" });
    assert.equal(unchangedRequests(log, before, now), 1);
    const edited = new Map(now).set("/a.js", prepared("/a.js", "// edited\nprocess.env.DEBUG = '*'"));
    assert.equal(unchangedRequests(log, now, edited), 3);
  });
});

function judge(...requests: JudgedRequest[]): (string | undefined)[] {
  const eligibility = new Eligibility();
  return requests.map((one) => eligibility.next(one));
}

function request(name: string, more: Partial<JudgedRequest> = {}): JudgedRequest {
  const nothing = {
    changedPackages: [],
    changedVariables: [],
    writtenFiles: [],
    effects: [],
    variables: [],
    files: [],
  };
  return { file: `${name}/index.js`, folder: name, reaches: new Set([name]), patches: [], ...nothing, ...more };
}

function packageRequest(name: string): PackageLog["requests"][number] {
  const { reaches: _, folder: __, ...rest } = request(name);
  return {
    ...rest,
    kind: "import",
    attributes: null,
    afterOwnCode: false,
    mainModule: false,
    packages: [],
    durationMs: 1,
  };
}

function modules(texts: Readonly<Record<string, string>>): Map<string, PreparedModule> {
  return new Map(Object.entries(texts).map(([file, text]) => [file, prepared(file, text)]));
}

function prepared(file: string, source: string, targets: readonly string[] = []): PreparedModule {
  const compiled = { file, source, hash: source, format: "esm", interop: "none", topLevelAwait: false };
  const imports = targets.map((target) => ({ type: "native", file: target }));
  return { compiled, imports, requires: {} } as unknown as PreparedModule;
}
