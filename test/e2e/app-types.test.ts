/** What apps get to see of the types: checked by the TypeScript compiler, in an app of its own. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../support/project.js";
import { TempApp } from "../support/temp-app.js";

/** As a project may have it; what the package declares is checked as well. */
const tsconfig = (module: string, moduleResolution: string, include: readonly string[]) =>
  JSON.stringify({
    compilerOptions: {
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      module,
      moduleResolution,
      types: ["node", "unreloader/hot"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    },
    include,
  });

/** Lines with an expected error must have one, or the compiler reports that. */
const files = {
  "package.json": `{ "name": "app", "private": true, "type": "module" }\n`,
  "tsconfig.node16.json": tsconfig("node16", "node16", ["*.ts", "*.cts"]),
  "tsconfig.nodenext.json": tsconfig("nodenext", "nodenext", ["*.ts", "*.cts"]),
  "tsconfig.bundler.json": tsconfig("esnext", "bundler", ["*.ts"]),
  "tsconfig.json": JSON.stringify({
    files: [],
    references: ["node16", "nodenext", "bundler"].map((name) => ({ path: `./tsconfig.${name}.json` })),
  }),
  "app.ts": `import { unreloader } from "unreloader/app";
const pool = await unreloader.keep("pool", async () => ({ size: 1 }), (pool) => pool.size);
export const size: number = pool.size;
// @ts-expect-error the value has no such property
pool.length;
unreloader.dispose(async () => {});
// @ts-expect-error a hook is a function
unreloader.dispose("hook");
export const generation: number = unreloader.generation;
export const flags: boolean[] = [unreloader.reloading, unreloader.autoloading];
await unreloader.require("./models", { onDelete: (file) => file.length, classes: (file) => [file] });
unreloader.requireSync(["./a", new URL("./b", import.meta.url)], { classes: "auto" });
// @ts-expect-error classes are named by a function
unreloader.requireSync("./a", { classes: ["A"] });
export const models: Record<string, unknown> = unreloader.autoload("./models", (file) => file);
export const user: unknown = unreloader.autoload("./models", () => ["A", "B"], { own: 1 }).own.toFixed();
unreloader.recordDependency(["./a.sql"], "./app.ts", ["./b.ts"]);
unreloader.recordSplitClass(import.meta.filename, "./parts");
`,
  "unreloader.config.ts": `import { defineConfig } from "unreloader";
const port = process.env.PORT === undefined ? undefined : 80;
export default defineConfig({ entry: "app.ts", port, require: "models", ignore: ["a"], watchdog: "off", logger: console });
export const later = defineConfig(async () => ({ depend: { views: "app.ts", sql: ["a.ts"] }, inspect: 9230 }));
// @ts-expect-error there is no such choice
defineConfig({ onError: "crash" });
// @ts-expect-error a number
defineConfig({ drain: "off" });
`,
  "host.ts": `import { createServer } from "node:http";
import { createSupervisor, type ErrorCode, type Inspection, UnreloaderError, type ReloadReport, type Supervisor, type SupervisorOptions } from "unreloader";
const options: SupervisorOptions = { entry: "app.ts", reload: false };
await using supervisor: Supervisor = createSupervisor(options);
supervisor.on("reload", ({ kind, loaded }: ReloadReport) => [kind, loaded.length]);
// @ts-expect-error there is no such event
supervisor.on("reloads", () => {});
// @ts-expect-error nor is this what the event gives
supervisor.on("failed", (report: { reason: string }) => report.reason);
// @ts-expect-error a listener gets one report
supervisor.once("restarted", (report, second) => second);
supervisor.on("failed", ({ error, importedBy }) => [error.message, importedBy.length]);
supervisor.on("worker-exit", ({ cause }) => (cause.type === "crashed" ? cause.error.message : cause.code.toFixed()));
supervisor.once("listening", ({ port, network = [] }) => [port.toFixed(), ...network]);
const report: ReloadReport = await supervisor.reload();
// @ts-expect-error only a failed one has an error
export const message: string = report.error.message;
export const outcome: string = report.kind === "failed" ? report.error.message : report.code;
switch (report.kind) {
  case "failed":
  case "reloaded":
  case "restarted":
  case "unchanged":
    break;
  default:
    report satisfies never;
}
// @ts-expect-error there is no such kind
report.kind === "crashed";
export const failure = (given: unknown): ErrorCode | undefined => (given instanceof UnreloaderError ? given.code : undefined);
createServer(supervisor.handler).on("upgrade", supervisor.upgrade);
export const sum: number = await supervisor.call<number>("sum", 1, 2);
export const text: string = await (await supervisor.fetch("/")).text();
const { phase, modules, standby, addresses }: Inspection = supervisor.inspect();
export const shown = [phase satisfies string, modules.join(), standby.state, addresses.length];
export interface MyOptions extends SupervisorOptions { mine: boolean }
// @ts-expect-error the entry is needed
createSupervisor({ port: 1 });
// @ts-expect-error there is no such option
createSupervisor({ entry: "app.ts", prot: 1 });
// @ts-expect-error nor such a choice
createSupervisor({ entry: "app.ts", scope: "all" });
`,
  "vite.ts": `if (import.meta.hot) {
  const { hot } = import.meta;
  hot.data.count = (hot.data.count ?? 0) + 1;
  hot.accept();
  hot.accept((module) => module?.anything);
  hot.accept("./app.ts", (module) => module?.size);
  hot.accept(["./app.ts"], ([module]) => module?.size);
  hot.acceptExports(["a"], (module) => module?.a);
  hot.acceptExports("a");
  hot.dispose((data) => { data.count = 1; });
  hot.prune(() => {});
  hot.invalidate("because");
  hot.decline();
  hot.on("vite:beforeUpdate", ({ type, updates }) => [type satisfies "update", updates[0]?.path]);
  // @ts-expect-error there are no updates in an error
  hot.on("vite:error", ({ updates }) => updates);
  hot.on("mine", (payload) => payload.anything);
  hot.off("mine", () => {});
  hot.send("mine", { any: "thing" });
  // @ts-expect-error a dependency is a string
  hot.accept(1, () => {});
}
// @ts-expect-error it may be undefined
import.meta.hot.accept();
`,
  "webpack.cts": `if (module.hot) {
  const { hot } = module;
  hot.accept();
  hot.accept((error, { moduleId }) => [error.message, moduleId]);
  hot.accept("./lib", ([file]) => file?.length);
  hot.accept(["./lib"], () => {}, (error, { dependencyId }) => [error.message, dependencyId]);
  hot.decline();
  hot.decline(["./lib"]);
  const handler = (data: { count?: number }) => { data.count = (module.hot?.data?.count ?? 0) + 1; };
  hot.dispose(handler);
  hot.addDisposeHandler(handler);
  hot.removeDisposeHandler(handler);
  hot.invalidate();
  if (hot.status() === "idle" && hot.active) hot.addStatusHandler((status) => status.length);
  // @ts-expect-error there is no such status
  hot.status() === "busy";
}
export {};
`,
};

test("options, supervisors, unreloader/app, import.meta.hot and module.hot have types, however modules are resolved", async () => {
  await using app = new TempApp(files, { packages: ["unreloader", "@types/node"] });
  const compiler = join(projectRoot, "node_modules", "typescript", "bin", "tsc");
  const run = promisify(execFile)(process.execPath, [compiler, "-b", "--pretty", "false", app.folder], {
    cwd: app.folder,
  });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  assert.equal(stdout, "");
});

/** Files that the published types consist of, with what they say. */
function publishedTypes(): Map<string, string> {
  const found = new Map<string, string>();
  const queue = ["index.d.ts", "app-side/app-api.d.ts", "app-side/hot.d.ts"].map((name) =>
    join(projectRoot, "dist/src", name),
  );
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue;
    const text = readFileSync(file, "utf8");
    found.set(file, text);
    for (const [, target = ""] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g))
      queue.push(resolve(file, "..", target.replace(/\.js$/, ".d.ts")));
  }
  return found;
}

test("the published types name no package but Node's", () => {
  for (const [file, text] of publishedTypes())
    for (const [, target = ""] of text.matchAll(/^(?:import|export) .*?from "([^".][^"]*)"/gm))
      assert.match(target, /^node:/, file);
});

test("everything that is exported, and every member of it, says what it is", () => {
  const all = publishedTypes();
  const names = [...all.values()].flatMap((text) =>
    [...text.matchAll(/^export type \{ (.*) \} from/gm)].flatMap(([, list = ""]) =>
      list.split(", ").map((name) => name.replace(/^.* as /, "")),
    ),
  );
  assert.ok(names.includes("ReloadReport") && names.includes("ConfigOptions"), names.join());
  const silent: string[] = [];
  let members = 0;
  for (const [file, text] of all) {
    let inPublic = false;
    let before = "";
    for (const line of text.split("\n")) {
      const isSaid = before.trimEnd().endsWith("*/");
      const [, declared] = /^export (?:declare )?(?:interface|type|class|const) (\w+)/.exec(line) ?? [];
      if (declared !== undefined) {
        const name = declared === "PublicSupervisor" ? "Supervisor" : declared;
        inPublic = names.includes(name) && /\{$/.test(line);
        if (names.includes(name) && !isSaid) silent.push(`${relative(projectRoot, file)}: ${declared}`);
      } else if (line === "}" || line === "};") inPublic = false;
      else if (inPublic && /^ {4}(?:readonly )?[\w"[]/.test(line)) {
        members++;
        if (!isSaid) silent.push(`${relative(projectRoot, file)}: ${line.trim()}`);
      }
      before = line;
    }
  }
  assert.deepEqual(silent, []);
  assert.ok(members > 150, `${members} members`);
});
