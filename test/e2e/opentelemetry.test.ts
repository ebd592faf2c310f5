import assert from "node:assert/strict";
import { test } from "node:test";
import { seen } from "../support/as-node.js";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const packages = [
  "@opentelemetry/api",
  "@opentelemetry/instrumentation",
  "@opentelemetry/instrumentation-express",
  "@opentelemetry/instrumentation-http",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/sdk-trace-node",
  "express",
];

/** As OpenTelemetry's documentation has it, with spans kept in memory. */
const instrumentation = `
  import { register } from "node:module";
  import { registerInstrumentations } from "@opentelemetry/instrumentation";
  import { ExpressInstrumentation } from "@opentelemetry/instrumentation-express";
  import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
  import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
  import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
  register("@opentelemetry/instrumentation/hook.mjs", import.meta.url);
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()] });
  globalThis.spans = () => exporter.getFinishedSpans().map(({ name, kind }) => kind + " " + name).sort();`;

const serves = `
  const app = express();
  app.get("/spans", (_, answer) => answer.json(spans()));
  app.get("/hello/:name", (request, answer) => answer.send(hello(request.params.name)));
  const server = http.createServer(app).listen(process.env.PORT, () => {
    const path = "http://127.0.0.1:" + server.address().port + "/hello/ada";
    http.get(path, (answer) => answer.resume().on("end", () => ask(path)));
  });
  // The span of a request ends behind its answer.
  const ask = (path) => spans().length < 3
    ? setImmediate(ask, path)
    : console.log("SEEN " + JSON.stringify(spans()));`;

for (const [kind, files] of Object.entries({
  "ES modules": {
    "package.json": `{ "name": "app", "type": "module" }`,
    "main.js": `import express from "express"; import http from "node:http"; import { hello } from "./hello.js"; ${serves}`,
    "hello.js": `export const hello = (name) => "hello " + name;`,
  },
  CommonJS: {
    "package.json": `{ "name": "app" }`,
    "main.js": `const express = require("express"), http = require("node:http"), { hello } = require("./hello"); ${serves}`,
    "hello.js": `exports.hello = (name) => "hello " + name;`,
  },
})) {
  test(`OpenTelemetry sees the requests of an Express app of ${kind} as it does under Node`, async () => {
    await using app = new TempApp({ ...files, "telemetry.mjs": instrumentation }, { packages });
    const options = { node: ["--import", "./telemetry.mjs"] };
    const expected = await seen(app, "main.js", "node", options);
    assert.deepEqual(expected, ["0 request handler", "1 GET /hello/:name", "2 GET"]);
    for (const mode of ["reload", "no-reload"] as const)
      assert.deepEqual(await seen(app, "main.js", mode, options), expected, mode);

    await using served = await serve(app, "main.js", { env: { NODE_OPTIONS: "--import ./telemetry.mjs" } });
    assert.equal(await served.text("/hello/eve"), "hello eve");
    app.edit("hello.js", `"hello "`, `"good day, "`);
    assert.equal(await served.text("/hello/eve"), "good day, eve");
    assert.deepEqual(served.lines.matching(/restarted/), [], "the save is taken in in place");
    const spans = await served.json<string[]>("/spans");
    assert.ok(spans.filter((span) => span === "1 GET /hello/:name").length >= 2, spans.join());
  });
}
