/** What `npm pack` makes, as it lies in a project that installed it: without the packages that only we have. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { compileFunction } from "node:vm";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { projectRoot } from "../support/project.js";

const LIMIT_BYTES = 25_000_000;
const BLOCK_BYTES = 4096;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe("the package", () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "ur-")));
  const project = join(base, "project");
  const installed = join(project, "node_modules", "unreloader");
  after(() => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));

  // What was compiled is there; `prepack` would compile it anew under the feet of the other tests.
  const npm = ["pack", "--ignore-scripts", "--json", "--pack-destination", base];
  const packed = execFileSync("npm", npm, { cwd: projectRoot, encoding: "utf8", shell: process.platform === "win32" });
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(base, filename);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  writeFileSync(join(project, "package.json"), `{ "name": "project", "private": true }\n`);
  const dependencies = dependenciesOf(projectRoot);
  for (const folder of dependencies) link(folder);

  /** What lies within a package is found there. */
  function link(folder: string): void {
    const name = folder.slice(folder.lastIndexOf("node_modules") + "node_modules".length + 1);
    if (folder !== join(projectRoot, "node_modules", name)) return;
    const place = join(project, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    if (!existsSync(place)) symlinkSync(folder, place, "junction");
  }

  function run(entry: string, text: string): { readonly status: number | null; readonly output: string } {
    writeFileSync(join(project, entry), text);
    const cli = join(installed, "lib/src/terminal/cli.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "--no-reload", entry], {
      cwd: project,
      encoding: "utf8",
    });
    return { status, output: stdout + stderr };
  }

  test("has what is needed at run time, README, docs, CHANGELOG and LICENSE, and nothing else", () => {
    const paths = files.map((file) => file.path);
    for (const wanted of [
      "README.md",
      "CHANGELOG.md",
      "LICENSE",
      "docs/options.md",
      "lib/workers/app.js",
      "dist/src/index.d.ts",
    ])
      assert.ok(paths.includes(wanted), wanted);
    const other = paths.filter(
      (path) =>
        !/^(lib\/.+\.c?js$|lib\/src\/browser\/[\w-]+\.css$|dist\/src\/.+\.d\.ts$|docs\/|schema\/|[A-Z]+(\.md)?$|package\.json$)/.test(
          path,
        ),
    );
    assert.deepEqual(other, []);
    assert.deepEqual(
      paths.filter((path) => path.endsWith(".map")),
      [],
    );
  });

  test("takes 25 MB with all that is installed for it", () => {
    assert.ok(dependencies.length > 10, dependencies.join());
    const sizes = [installed, ...dependencies].map((folder) => [folder, sizeOf(folder)] as const);
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    assert.ok(total <= LIMIT_BYTES, `${total} bytes: ${sizes.map((pair) => pair.join(" ")).join(", ")}`);
    assert.ok(total > LIMIT_BYTES / 5, `only ${total} bytes were found`);
  });

  test("publint finds nothing but that there are types of the ES module alone", async () => {
    const bytes = readFileSync(tarball);
    const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer } });
    // What is for runners of tests has the same members.
    const wrong = messages.filter(({ code }) => code !== "EXPORTS_TYPES_INVALID_FORMAT");
    assert.deepEqual(wrong, []);
  });

  test("a test runner with a require of its own, which knows CommonJS alone, can load unreloader/app and unreloader/hot", () => {
    const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
      exports: Record<string, { require?: string }>;
    };
    const load = (subpath: string): Record<string, unknown> => {
      const file = join(installed, exports[subpath]?.require ?? "");
      const module = { exports: {} as Record<string, unknown> };
      const run = compileFunction(readFileSync(file, "utf8"), ["exports", "require", "module"], { filename: file });
      run(module.exports, createRequire(file), module);
      return module.exports;
    };
    const { unreloader } = load("./app") as { unreloader: { reloading: boolean; requireSync(paths: string): unknown } };
    assert.equal(unreloader.reloading, false);
    assert.throws(() => unreloader.requireSync("./no-such-file.js"), { code: "ERR_UNRELOADER_ARGUMENT" });
    assert.deepEqual(Object.keys(load("./hot")), []);
  });

  test("are-the-types-wrong finds nothing but that it is ESM only", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
    assert.ok(analysis.types, "has types");
    // `require` of an ES module is what every supported Node does; TypeScript's oldest resolution knows no `exports`.
    const wrong = analysis.problems.filter(
      (problem) =>
        problem.kind !== "CJSResolvesToESM" &&
        // The types are those of the ES module; what is for runners of tests has the same members.
        problem.kind !== "FalseESM" &&
        !("resolutionKind" in problem && problem.resolutionKind === "node10"),
    );
    assert.deepEqual(wrong, []);
  });

  test("its types need no package that it does not install, and say something", () => {
    for (const name of ["@types/node", "undici-types"]) link(join(projectRoot, "node_modules", name));
    writeFileSync(
      join(project, "types.mts"),
      `import { createSupervisor, type LeakReport, type Supervisor } from "unreloader";
import { unreloader } from "unreloader/app";
import "unreloader/hot";
type Known<T> = 0 extends 1 & T ? never : true;
const listened: Known<Awaited<ReturnType<Supervisor["listen"]>>> = true;
const leak: Known<LeakReport["heldBy"][number]["chain"]> = true;
const options: Known<Parameters<typeof createSupervisor>[0]["port"]> = true;
console.log(listened, leak, options, unreloader, import.meta.hot?.accept);
`,
    );
    const flags = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--types",
      "node",
      "types.mts",
    ];
    const tsc = join(projectRoot, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags], { cwd: project, encoding: "utf8" });
    assert.deepEqual([status, stdout], [0, ""]);
  });

  test("runs TypeScript without zod and esbuild; syntax that needs esbuild asks for it by name", () => {
    for (const name of ["zod", "esbuild"]) assert.ok(!existsSync(join(project, "node_modules", name)), name);
    assert.deepEqual(
      run("main.ts", `import fs from "node:fs";\nenum A { b = 2 }\nconsole.log(A.b, typeof fs.statSync);\n`),
      {
        status: 0,
        output: "2 function\n",
      },
    );
    const decorated = run(
      "decorated.ts",
      `const mark = (_: unknown, __: unknown) => {};\nclass A {\n  @mark a() {}\n}\nnew A();\n`,
    );
    assert.equal(decorated.status, 1);
    assert.match(decorated.output, /decorated\.ts(:3|.*line: 3)/);
    assert.match(decorated.output, /decorators must be compiled by esbuild, which is not installed: npm i -D esbuild/);
    const space = run("space.ts", `namespace A {\n  export let b = 1;\n  b = 2;\n}\nconsole.log(A.b);\n`);
    assert.equal(space.status, 1);
    assert.match(space.output, /a namespace that exports variables must be compiled by esbuild, .*: npm i -D esbuild/);
    const twice = run("twice.ts", `let a: number = 1;\nlet a = 2;\n`);
    assert.match(twice.output, /already been declared/);
    assert.doesNotMatch(twice.output, /esbuild/);
    link(join(projectRoot, "node_modules", "esbuild"));
    assert.deepEqual(run("space.ts", `namespace A {\n  export let b = 1;\n  b = 2;\n}\nconsole.log(A.b);\n`), {
      status: 0,
      output: "2\n",
    });
  });
});

/** The folders of everything that an installation of the package in `folder` brings, on this platform. */
function dependenciesOf(folder: string): string[] {
  const found = new Set<string>();
  const add = (from: string): void => {
    const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as Manifest;
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      const place = lookUp(name, from);
      // Optional ones are there for other platforms.
      if (place === undefined) assert.ok(manifest.optionalDependencies?.[name], `${name} of ${from}`);
      else if (!found.has(place)) {
        found.add(place);
        add(place);
      }
    }
  };
  add(folder);
  return [...found];
}

function lookUp(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    if (existsSync(join(place, "package.json"))) return place;
    if (folder === projectRoot) return undefined;
  }
}

/** As on a disk of blocks; packages that lie within count by themselves. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules")
    .map((entry) => join(folder, entry.name))
    .reduce((sum, place) => {
      const { size } = lstatSync(place);
      return sum + (lstatSync(place).isDirectory() ? sizeOf(place) : Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES);
    }, BLOCK_BYTES);
}
