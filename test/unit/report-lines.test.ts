import assert from "node:assert/strict";
import { test } from "node:test";
import { failureBlock } from "../../src/reports/failure-lines.js";
import type { FailureReport, ReloadedReport, SupervisorEvent } from "../../src/reports/report.js";
import { type LineStyle, publicUrl, reportLines, whyLines } from "../../src/reports/report-lines.js";

const style: LineStyle = { format: "pretty", level: "info", cwd: "/work", why: false, onError: "page", exit: false };

const reload: ReloadedReport = {
  kind: "reloaded",
  code: "UR12",
  outcome: "in place",
  edits: [{ file: "/work/models/user.ts", code: "UR12" }],
  generation: 7,
  epoch: 1,
  changed: ["/work/models/user.ts"],
  purged: [{ file: "/work/models/user.ts", classes: ["User"] }],
  loaded: ["/work/models/user.ts", "/work/routes/users.ts"],
  why: {
    "/work/models/user.ts": ["/work/models/user.ts"],
    "/work/routes/users.ts": ["/work/routes/users.ts", "/work/models/user.ts"],
  },
  kept: 40,
  durationMs: 2.7,
};

const failure: FailureReport = {
  ...reload,
  kind: "failed",
  generation: 6,
  loaded: [],
  purged: [],
  importedBy: ["/work/routes/users.ts", "/work/app.ts"],
  error: {
    name: "TypeError",
    message: "Cannot read properties of undefined (reading 'schema')",
    location: { file: "/work/models/user.ts", line: 12, column: 7 },
  },
};

function lines(event: SupervisorEvent, changes: Partial<LineStyle> = {}): string[] {
  return reportLines(event, { ...style, ...changes }).map(({ text }) => text);
}

function withError(error: Partial<FailureReport["error"]>, rest: Partial<FailureReport> = {}): FailureReport {
  return { ...failure, ...rest, error: { ...failure.error, ...error } };
}

test("the public address is one line, with whole milliseconds", () => {
  const report = { protocol: "http", host: "127.0.0.1", port: 3000, modules: 42, durationMs: 318.4 } as const;
  assert.deepEqual(lines({ event: "listening", report }), [
    "unreloader: listening on http://127.0.0.1:3000 (42 modules in 318 ms)",
  ]);
});

test("addresses are written as a browser takes them", () => {
  assert.equal(publicUrl({ protocol: "https", host: "::1", port: 8443 }), "https://[::1]:8443");
  assert.equal(publicUrl({ protocol: "tcp", host: "localhost", port: 25 }), "tcp://localhost:25");
  assert.equal(publicUrl({ protocol: "path", host: "/tmp/app.sock", port: 0 }), "/tmp/app.sock");
});

test("a reload is one line that names the change", () => {
  assert.deepEqual(lines({ event: "reload", report: reload }), [
    "unreloader: reloaded 2 of 42 modules in 3 ms (generation 7): models/user.ts changed",
  ]);
});

test("a reload that takes no time to speak of took 1 ms", () => {
  const [line] = lines({ event: "reload", report: { ...reload, durationMs: 0.2 } });
  assert.match(line ?? "", / in 1 ms /);
});

test("a burst of saves names three files", () => {
  const changed = Array.from({ length: 500 }, (_, index) => `/work/src/${index}.ts`);
  const [line] = lines({ event: "reload", report: { ...reload, changed } });
  assert.match(line ?? "", /: src\/0\.ts, src\/1\.ts, src\/2\.ts and 497 more changed$/);
  const [three] = lines({ event: "reload", report: { ...reload, changed: changed.slice(0, 3) } });
  assert.match(three ?? "", /: src\/0\.ts, src\/1\.ts, src\/2\.ts changed$/);
});

test("a reload that changed nothing is told only in detail, restarts and failures by their own events", () => {
  const unchanged: SupervisorEvent = { event: "reload", report: { ...reload, kind: "unchanged" } };
  assert.deepEqual(lines(unchanged), []);
  assert.deepEqual(lines(unchanged, { level: "debug" }), ["unreloader: nothing has changed (generation 7)"]);
  const restarted: SupervisorEvent = { event: "reload", report: { ...reload, kind: "restarted" } };
  for (const event of [restarted, { event: "reload", report: failure } as const])
    assert.deepEqual(lines(event, { level: "debug" }), []);
});

test("why every file was reloaded follows in order of evaluation", () => {
  const report = {
    ...reload,
    loaded: [...reload.loaded, "/work/app.ts", "/work/new.ts"],
    why: { ...reload.why, "/work/app.ts": ["/work/app.ts", "/work/routes/users.ts", "/work/models/user.ts"] },
  };
  const expected = [
    "  UR12 a module that others used while they were evaluated: these were made from it, so they are evaluated again after it",
    "  models/user.ts changed",
    "  routes/users.ts <- models/user.ts",
    "  app.ts <- routes/users.ts <- models/user.ts",
    "  new.ts newly used",
  ];
  assert.deepEqual(whyLines(report, "/work"), expected);
  assert.deepEqual(lines({ event: "reload", report }, { why: true }).slice(1), expected);
});

test("a failed reload is one line, then who imports the file, what is served, what to do, and the source", () => {
  const report = withError({ frame: "  11 | const a = b;\n> 12 | a.schema;\n     |       ^" });
  assert.deepEqual(lines({ event: "failed", report }), [
    "unreloader: reload failed (generation 6 kept): models/user.ts:12:7 Cannot read properties of undefined (reading 'schema')",
    "  imported by     routes/users.ts <- app.ts",
    "  requests get    this failure, until it is fixed; generation 6 is whole",
    "  to retry        save models/user.ts, or any file it imports",
    "    11 | const a = b;",
    "  > 12 | a.schema;",
    "       |       ^",
  ]);
});

test("the failure block is that of the error catalogue", () => {
  assert.deepEqual(failureBlock(failure, { cwd: "/work", onError: "last-good" }), [
    "EvaluationError: models/user.ts:12:7 threw while being evaluated: Cannot read properties of undefined (reading 'schema')",
    "  imported by     routes/users.ts <- app.ts",
    "  still serving   generation 6",
    "  to retry        save models/user.ts, or any file it imports",
  ]);
});

test("an error of the compiler is called what it is", () => {
  const head = (code: string) => failureBlock(withError({ code, message: "no" }), style)[0];
  assert.equal(head("ERR_UNRELOADER_COMPILE"), "CompileError: models/user.ts:12:7 no");
  assert.equal(head("ERR_UNRELOADER_RESOLVE"), "ResolveError: models/user.ts:12:7 no");
  assert.equal(head("ERR_UNRELOADER_LINK"), "LinkError: models/user.ts:12:7 no");
  assert.equal(head("ENOENT"), "EvaluationError: models/user.ts:12:7 threw while being evaluated: no");
});

test("a failed start keeps no generation", () => {
  assert.deepEqual(lines({ event: "failed", report: withError({}, { generation: 0, importedBy: [] }) }), [
    "unreloader: start failed: models/user.ts:12:7 Cannot read properties of undefined (reading 'schema')",
    "  requests get    this failure, until it is fixed",
    "  to retry        save models/user.ts, or any file it imports",
  ]);
});

test("a failure with no thread left does not say that anything is kept or served", () => {
  for (const onError of ["page", "last-good"] as const)
    assert.deepEqual(lines({ event: "failed", report: { ...failure, importedBy: [], gone: true } }, { onError }), [
      "unreloader: restart failed: models/user.ts:12:7 Cannot read properties of undefined (reading 'schema')",
      "  requests get    this failure, until it is fixed; the worker of generation 6 has ended",
      "  to retry        save models/user.ts, or any file it imports",
    ]);
});

test("a failure without a place in the source names none", () => {
  const { location: _, ...error } = failure.error;
  assert.deepEqual(lines({ event: "failed", report: { ...failure, importedBy: [], error } }), [
    "unreloader: reload failed (generation 6 kept): Cannot read properties of undefined (reading 'schema')",
    "  requests get    this failure, until it is fixed; generation 6 is whole",
  ]);
});

test("whatever the app's message holds, the report's line is one line, and its further lines are indented", () => {
  const report = withError({ message: "\r\nExpected values to be equal:\n\n1 !== 2\n" });
  const told = lines({ event: "failed", report });
  assert.match(told[0] ?? "", /: models\/user\.ts:12:7 Expected values to be equal:$/);
  assert.deepEqual(told.slice(1, 3), ["", "    1 !== 2"]);
});

test("a restart says why", () => {
  const report = { epoch: 2, generation: 8, modules: 42, durationMs: 120, code: "UR50" } as const;
  const line = (reason: Extract<SupervisorEvent, { event: "restarted" }>["report"]["reason"]) =>
    lines({ event: "restarted", report: { ...report, reason } });
  assert.deepEqual(line({ type: "changed", files: ["/work/package.json"], code: "UR50" }), [
    "unreloader: restarted 42 modules in 120 ms (epoch 2): package.json changed",
  ]);
  assert.match(line({ type: "asked" })[0] ?? "", /: asked for$/);
  assert.match(line({ type: "workerExit" })[0] ?? "", /: the worker had exited$/);
  assert.match(
    line({ type: "reloadFailed", error: { name: "Error", message: "x\ny" } })[0] ?? "",
    /failed \(x\), a fresh/,
  );
  assert.match(
    line({ type: "purgedRuns", location: { file: "/work/src/routes.js", line: 49, column: 19 } })[0] ?? "",
    /: src\/routes\.js:49:19 is from before the last reload, and did not come to an end$/,
  );
});

test("the end of a worker is one line that names the cause and what follows", () => {
  assert.deepEqual(
    lines({
      event: "worker-exit",
      report: { epoch: 1, entry: "/project/main.ts", cause: { type: "exited", code: 3 }, next: "restarting" },
    }),
    ["unreloader: worker exited: process.exit(3); restarting"],
  );
  assert.deepEqual(
    lines({
      event: "worker-exit",
      report: {
        epoch: 1,
        entry: "/project/main.ts",
        cause: { type: "crashed", error: failure.error },
        next: "waiting for a change",
      },
    }),
    [
      "unreloader: worker exited: models/user.ts:12:7 uncaught TypeError: Cannot read properties of undefined (reading 'schema'); waiting for a change",
    ],
  );
});

test("stale references name the class and its file, or the module", () => {
  const report = { file: "/work/models/user.ts", generation: 3, count: 2, ageMs: 9000, inUse: false };
  assert.deepEqual(lines({ event: "stale-references", report: { ...report, class: "User" } }), [
    "unreloader: stale references: 2 old versions of User (models/user.ts), purged since generation 3, can still be reached; unreloader explain-leak says by whom",
  ]);
  assert.deepEqual(lines({ event: "stale-references", report: { ...report, count: 1, inUse: true } }), [
    "unreloader: stale references: 1 old version of models/user.ts, purged in generation 3, can still be reached; an open request or connection may hold it",
  ]);
});

test("a level leaves out what is below it", () => {
  const log = (level: "debug" | "info" | "warn" | "error"): SupervisorEvent => ({
    event: "log",
    report: { level, message: "m" },
  });
  assert.deepEqual(lines(log("debug")), []);
  assert.deepEqual(lines(log("info")), ["unreloader: m"]);
  assert.deepEqual(lines(log("warn")), ["unreloader: warning: m"]);
  assert.deepEqual(lines(log("error"), { level: "warn" }), ["unreloader: error: m"]);
  assert.deepEqual(lines({ event: "reload", report: reload }, { level: "warn" }), []);
  assert.deepEqual(lines({ event: "failed", report: failure }, { level: "silent" }), []);
});

test("json is one object a line, with the fields of the event", () => {
  const report = withError({ message: "a\nb", frame: "x\ny" });
  const text = lines({ event: "failed", report }, { format: "json", why: true });
  assert.equal(text.length, 1);
  assert.doesNotMatch(text[0] ?? "", /\n/);
  assert.deepEqual(JSON.parse(text[0] ?? ""), { level: "error", event: "failed", ...report });
  const reloaded = lines({ event: "reload", report: reload }, { format: "json" });
  assert.deepEqual(JSON.parse(reloaded[0] ?? ""), { level: "info", event: "reload", ...reload });
});

test("files far from the working folder are shown with their whole path", () => {
  const shown = (file: string) =>
    whyLines({ ...reload, loaded: [file], changed: [file], why: {} }, "/work/app/src").slice(1);
  assert.deepEqual(shown("/work/app/src/a.ts"), ["  a.ts changed"]);
  assert.deepEqual(shown("/work/packages/b.ts"), ["  ../../packages/b.ts changed"]);
  assert.deepEqual(shown("/elsewhere/c.ts"), ["  /elsewhere/c.ts changed"]);
});

test("an error in a package is placed there, and the way to it is told by own lines first", () => {
  const stack = [
    "TypeError: no",
    "    at parse (/work/node_modules/@a/b/lib/parse.js:7:3)",
    "    at Object.load (/work/node_modules/@a/b/index.js:1:1)",
    "    at boot (file:///work/src/a%20b.ts:3:9)",
    "    at async /work/src/app.ts:1:1",
    "    at node:internal/process:1:2",
    "    at /work/node_modules/c/i.js:1:1",
  ].join("\n");
  const cause = { name: "Error", message: "down\nhere", stack: "Error: down\n    at /work/src/db.ts:4:5" };
  const report = withError({ message: "no", stack, location: undefined, cause }, { generation: 0, importedBy: [] });
  assert.deepEqual(lines({ event: "failed", report }), [
    "unreloader: start failed: node_modules/@a/b/lib/parse.js:7:3 no",
    "  at              boot (src/a b.ts:3:9)",
    "  at              src/app.ts:1:1",
    "  through         2 calls in @a/b, c",
    "  caused by       Error: down (src/db.ts:4:5)",
    "  requests get    this failure, until it is fixed",
  ]);
});

test("a stack that says no more than the place is left out, and a long one ends", () => {
  const at = (line: number) => `    at f (/work/a.ts:${line}:1)`;
  const withStack = (stack: string) =>
    lines({ event: "failed", report: withError({ stack, location: { file: "/work/a.ts", line: 1, column: 1 } }) });
  assert.equal(
    withStack(`Error\n${at(1)}\n    at node:internal:1:1`).some((line) => line.startsWith("  at")),
    false,
  );
  const long = withStack(`Error\n${Array.from({ length: 20 }, (_, index) => at(index + 1)).join("\n")}`);
  assert.equal(long.filter((line) => line.startsWith("  at")).length, 9);
  assert.ok(long.includes("  at              12 more of the app's own"));
});

test("what has ended an app within a package is told with its place", () => {
  const error = {
    name: "TypeError",
    message: "no",
    stack: "TypeError: no\n    at /work/node_modules/c/i.js:1:2\n    at go (/work/a.ts:3:4)",
  };
  const report = { epoch: 1, entry: "/work/a.ts", cause: { type: "crashed", error }, next: "restarting" } as const;
  assert.deepEqual(lines({ event: "worker-exit", report }), [
    "unreloader: worker exited: node_modules/c/i.js:1:2 uncaught TypeError: no; restarting",
    "  at              go (a.ts:3:4)",
  ]);
});

test("on a terminal it is said once who speaks, and how to get on", () => {
  const report = {
    protocol: "http",
    host: "localhost",
    port: 80,
    modules: 2,
    durationMs: 5,
    network: ["10.0.0.2"],
  } as const;
  const banner = { version: "1.2.3", node: "20.1.0", entry: "/work/src/app.ts", keys: true };
  assert.deepEqual(lines({ event: "listening", report }, { banner }), [
    "unreloader: listening on http://localhost:80 (2 modules in 5 ms)",
    "  version         1.2.3, Node 20.1.0",
    "  entry           src/app.ts",
    "  network         http://10.0.0.2:80",
    "  help            press h",
  ]);
  const log = { level: "info", message: "src/app.ts runs", started: { modules: 3, durationMs: 7 } } as const;
  assert.deepEqual(lines({ event: "log", report: log }, { banner }), [
    "unreloader: src/app.ts runs",
    "  version         1.2.3, Node 20.1.0",
    "  entry           src/app.ts",
    "  modules         3 in 7 ms",
    "  help            press h",
  ]);
  const late = lines({ event: "listening", report }, { banner: { ...banner, isSaid: true } });
  assert.deepEqual(late.slice(1), ["  network         http://10.0.0.2:80"]);
});
