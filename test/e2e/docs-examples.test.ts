/** Every example of README and docs/ compiles against the published types. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../support/project.js";
import { TempApp } from "../support/temp-app.js";

/** What examples use without saying where it comes from, because the text around them does. */
const surroundings = `import type httpModule from "node:http";
import type { createSupervisor as create } from "unreloader";
import type { unreloader as appSide } from "unreloader/app";

declare global {
  const http: typeof httpModule;
  const createSupervisor: typeof create;
  const supervisor: ReturnType<typeof create>;
  const unreloader: typeof appSide;
  const feed: { close(): Promise<void> };
  const createPool: () => { end(): Promise<void> };
  const jobs: Set<string>;
  const rows: readonly unknown[];
  const express: any;
  const fastify: any;
  const koa: any;
}
`;

const tsconfig = {
  compilerOptions: {
    target: "es2023",
    lib: ["es2023"],
    module: "nodenext",
    moduleDetection: "force",
    types: ["node", "unreloader/hot"],
    strict: true,
    // What is passed to callbacks of Express, Koa and Fastify has the types of those.
    noImplicitAny: false,
    allowImportingTsExtensions: true,
    allowJs: true,
    noEmit: true,
  },
  include: ["*"],
};

test("every example compiles", async () => {
  const examples = new Map<string, string>();
  for (const page of ["README.md", ...readdirSync(path.join(projectRoot, "docs")).map((name) => `docs/${name}`)]) {
    const text = readFileSync(path.join(projectRoot, page), "utf8");
    for (const { 1: language = "", 2: code = "", index } of text.matchAll(/^```(ts|js)\n(.*?)^```/gms)) {
      const line = text.slice(0, index).split("\n").length;
      const extension = /(?<!\.)\brequire\("|\bmodule\.(exports|hot)\b/.test(code) ? `c${language}` : language;
      examples.set(`${path.basename(page, ".md")}-line-${line}.${extension}`, code);
    }
  }
  assert.ok(examples.size > 10, `only ${examples.size} examples`);
  await using app = new TempApp(
    {
      "package.json": `{ "name": "app", "private": true, "type": "module" }\n`,
      "tsconfig.json": JSON.stringify(tsconfig),
      "surroundings.d.ts": surroundings,
      "pg.d.ts": `declare module "pg" { const pg: { Pool: new () => { end(): Promise<void> } }; export default pg; }\n`,
      "greeting.ts": "export const greeting = (name?: string): string => name ?? '';\n",
      "routes.ts": "export const routes: readonly string[] = [];\n",
      ...Object.fromEntries(examples),
    },
    { packages: ["unreloader", "@types/node"] },
  );
  const compiler = path.join(projectRoot, "node_modules", "typescript", "bin", "tsc");
  const run = promisify(execFile)(process.execPath, [compiler, "-p", app.folder], { cwd: app.folder });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  assert.equal(stdout, "");
});
