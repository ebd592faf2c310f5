/** Entries that only export an app: contract section 1, second kind. Plain Node cannot run them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

interface ExportedCase {
  readonly name: string;
  readonly packages?: readonly string[];
  readonly entry: string;
  readonly source: string;
  readonly flags?: readonly string[];
}

const esmPackage = { "package.json": `{ "name": "app", "type": "module" }\n` };
const leaf = `export const text = "one";\n`;

const cases: readonly ExportedCase[] = [
  {
    name: "a listener as default export",
    entry: "app.js",
    source: `export default (req, res) => res.end(text + req.url);`,
  },
  {
    name: "a listener with a name",
    entry: "app.js",
    source: `export const somethingElse = 1;\nexport function handler(req, res) {\n  res.end(text + req.url);\n}`,
  },
  {
    name: "the export that --app names",
    entry: "app.js",
    flags: ["--app", "second"],
    source: `export default (req, res) => res.end("first");\nexport const second = (req, res) => res.end(text + req.url);`,
  },
  {
    name: "an object with fetch",
    entry: "app.js",
    source: `export default { fetch: (request) => new Response(text + new URL(request.url).pathname) };`,
  },
  {
    name: "an Express app",
    packages: ["express"],
    entry: "app.js",
    source: `import express from "express";
export const app = express();
app.get("/path", (req, res) => res.send(text + req.path));`,
  },
  {
    name: "a Polka app",
    packages: ["polka"],
    entry: "app.js",
    source: `import polka from "polka";
export default polka().get("/path", (req, res) => res.end(text + req.path));`,
  },
  {
    name: "a Koa app",
    packages: ["koa"],
    entry: "app.js",
    source: `import Koa from "koa";
const app = new Koa();
app.use((ctx) => {
  ctx.body = text + ctx.path;
});
export default app;`,
  },
  {
    name: "a Fastify instance",
    packages: ["fastify"],
    entry: "app.js",
    source: `import Fastify from "fastify";
export const app = Fastify();
app.get("/path", async (request) => text + request.url);`,
  },
  {
    name: "a Hono app",
    packages: ["hono"],
    entry: "app.ts",
    source: `import { Hono } from "hono";
const app: Hono = new Hono();
app.get("/path", (c) => c.text(text + c.req.path));
export default app;`,
  },
  {
    name: "an http.Server that does not listen",
    entry: "app.js",
    source: `import http from "node:http";
export const server = http.createServer((req, res) => res.end(text + req.url));`,
  },
  {
    name: "an async function that gives an app",
    packages: ["fastify"],
    entry: "app.js",
    source: `import Fastify from "fastify";
export default async () => {
  const app = Fastify();
  await app.register(async (scope) => {
    scope.get("/path", async (request) => text + request.url);
  });
  return app;
};`,
  },
  {
    name: "a promise of a listener",
    entry: "app.js",
    source: `export default Promise.resolve((req, res) => res.end(text + req.url));`,
  },
];

describe("exported apps", { skip: plainMode }, () => {
  for (const { name, packages = [], entry, source, flags = [] } of cases) {
    test(`${name} is served, and edits of its files show`, async () => {
      const extension = entry.endsWith(".ts") ? "ts" : "js";
      await using app = new TempApp(
        { ...esmPackage, [`leaf.${extension}`]: leaf, [entry]: `import { text } from "./leaf.js";\n${source}\n` },
        { packages },
      );
      await using served = await serve(app, entry, { flags: ["--port", "0", ...flags] });
      assert.equal(await served.text("/path"), "one/path");
      app.edit(`leaf.${extension}`, "one", "two");
      assert.equal(await served.text("/path"), "two/path");
      app.edit(entry, "text +", `"new " + text +`);
      assert.equal(await served.text("/path"), "new two/path");
      assert.equal(served.connectionsOpened, 1);
    });
  }

  test("module.exports of a CommonJS file is served", async () => {
    await using app = new TempApp({
      "app.js": `const { text } = require("./leaf");\nmodule.exports = (req, res) => res.end(text);\n`,
      "leaf.js": `exports.text = "one";\n`,
    });
    await using served = await serve(app, "app.js", { flags: ["--port", "0"] });
    assert.equal(await served.text("/"), "one");
    app.edit("leaf.js", "one", "two");
    assert.equal(await served.text("/"), "two");
  });

  test("PORT is the port when --port is absent, and the host is 127.0.0.1", async () => {
    await using app = new TempApp({ ...esmPackage, "app.js": `export default (req, res) => res.end("here");\n` });
    await using served = await serve(app, "app.js", { env: { PORT: "0" } });
    assert.equal(new URL(served.origin).hostname, "127.0.0.1");
    assert.equal(await served.text("/"), "here");
  });

  test("an --app that names no export is answered with the exports there are", async () => {
    await using app = new TempApp({ ...esmPackage, "app.js": `export const api = (req, res) => res.end("here");\n` });
    await using served = await serve(app, "app.js", { flags: ["--port", "0", "--app", "site"] });
    const answer = await served.get("/");
    assert.equal(answer.status, 500);
    assert.match(answer.body, /site/);
    assert.match(answer.body, /api/);
  });
});
