/** OpenTelemetry's instrumentation, as its documentation has it: the same spans as under Node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seen } from "../support/as-node.js";
import { serve } from "../support/served-app.js";
import { serviceUrl, skipWithout } from "../support/services.js";
import { TempApp } from "../support/temp-app.js";

interface Case {
  readonly skip?: string | false;
  /** Package to what is imported of it. */
  readonly imports: Readonly<Record<string, string>>;
  /** Packages of instrumentation to their class. */
  readonly instrumentation: Readonly<Record<string, string>>;
  /** Makes `listen(ready)`, with a route `/hello/:name` that calls `hello` and a route `/spans`. */
  readonly app: string;
  /** Spans of a request to `/hello/ada`, and those that have it in their trace. */
  readonly spans: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const httpApp = `const listen = (ready) => {
    const server = http.createServer(async (request, answer) => {
      const [, route, name] = request.url.split("/");
      answer.end(route === "spans" ? JSON.stringify(spans()) : await say(name));
    }).listen(process.env.PORT, () => ready(server.address().port));
  };`;

const cases: Readonly<Record<string, Case>> = {
  Express: {
    imports: { express: "express" },
    instrumentation: { "@opentelemetry/instrumentation-express": "ExpressInstrumentation" },
    app: `const app = express();
      app.get("/spans", (_, answer) => answer.json(spans()));
      app.get("/hello/:name", (request, answer) => answer.send(hello(request.params.name)));
      const listen = (ready) => {
        const server = http.createServer(app).listen(process.env.PORT, () => ready(server.address().port));
      };`,
    spans: ["0 request handler", "1 GET /hello/:name", "2 GET"],
  },
  Fastify: {
    imports: { Fastify: "fastify" },
    instrumentation: { "@opentelemetry/instrumentation-fastify": "FastifyInstrumentation" },
    app: `const app = Fastify();
      app.addHook("onRequest", async function noted() {});
      app.get("/spans", async () => spans());
      app.get("/hello/:name", async function greet(request) { return hello(request.params.name); });
      const listen = (ready) => app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" }).then(() => ready(app.server.address().port));`,
    spans: ["0 middleware - noted", "0 request handler - greet", "1 GET /hello/:name", "2 GET"],
  },
  pg: {
    skip: skipWithout("POSTGRES"),
    env: { POSTGRES: serviceUrl("POSTGRES") ?? "" },
    imports: { pg: "pg" },
    instrumentation: { "@opentelemetry/instrumentation-pg": "PgInstrumentation" },
    app: `const pool = new pg.Pool({ connectionString: process.env.POSTGRES, max: 1 });
      const say = async (name) => {
        const { rows } = await pool.query("SELECT $1::text AS name", [hello(name)]);
        return rows[0].name;
      };
      ${httpApp}`,
    spans: ["1 GET", "2 GET", "2 pg-pool.connect", "2 pg.connect", "2 pg.query:SELECT postgres"],
  },
};

function instrumented(instrumentation: Case["instrumentation"]): string {
  const classes = Object.entries({ "@opentelemetry/instrumentation-http": "HttpInstrumentation", ...instrumentation });
  return `
  import { register } from "node:module";
  import { registerInstrumentations } from "@opentelemetry/instrumentation";
  ${classes.map(([name, made]) => `import { ${made} } from "${name}";`).join("\n  ")}
  import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
  import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
  register("@opentelemetry/instrumentation/hook.mjs", import.meta.url);
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  registerInstrumentations({ instrumentations: [${classes.map(([, made]) => `new ${made}()`).join(", ")}] });
  globalThis.spans = () => exporter.getFinishedSpans().map(({ name, kind }) => kind + " " + name).sort();`;
}

/** The app asks itself, and tells the spans when they are all there: that of a request ends behind its answer. */
const asks = (count: number) => `
  listen((port) => {
    if (!process.env.ASKS) return;
    http.get("http://127.0.0.1:" + port + "/hello/ada", (answer) => answer.resume().on("end", ask));
  });
  const ask = () => spans().length < ${count} ? setImmediate(ask) : console.log("SEEN " + JSON.stringify(spans()));`;

const kinds = {
  "ES modules": (imports: Case["imports"]) => ({
    manifest: `{ "name": "app", "type": "module" }`,
    head: `import http from "node:http"; import { hello } from "./hello.js"; ${Object.entries(imports)
      .map(([local, name]) => `import ${local} from "${name}";`)
      .join(" ")}`,
    hello: `export const hello = (name) => "hello " + name;`,
  }),
  CommonJS: (imports: Case["imports"]) => ({
    manifest: `{ "name": "app" }`,
    head: `const http = require("node:http"), { hello } = require("./hello"); ${Object.entries(imports)
      .map(([local, name]) => `const ${local} = require("${name}");`)
      .join(" ")}`,
    hello: `exports.hello = (name) => "hello " + name;`,
  }),
};

for (const [name, { skip = false, imports, instrumentation, app: text, spans, env = {} }] of Object.entries(cases)) {
  for (const [kind, make] of Object.entries(kinds)) {
    test(`OpenTelemetry sees the requests of an app of ${kind} with ${name} as it does under Node`, {
      skip,
    }, async () => {
      const { manifest, head, hello } = make(imports);
      await using app = new TempApp(
        {
          "package.json": manifest,
          "main.js": `${head} ${text} ${asks(spans.length)}`,
          "hello.js": hello,
          "telemetry.mjs": instrumented(instrumentation),
        },
        {
          packages: [
            ...["api", "instrumentation", "instrumentation-http", "sdk-trace-base", "sdk-trace-node"].map(
              (part) => `@opentelemetry/${part}`,
            ),
            ...Object.keys(instrumentation),
            ...Object.values(imports),
          ],
        },
      );
      const options = { node: ["--import", "./telemetry.mjs"], env: { ASKS: "1", ...env } };
      const expected = await seen(app, "main.js", "node", options);
      assert.deepEqual(expected, spans);
      for (const mode of ["reload", "no-reload"] as const)
        assert.deepEqual(await seen(app, "main.js", mode, options), expected, mode);

      await using served = await serve(app, "main.js", { env: { NODE_OPTIONS: "--import ./telemetry.mjs", ...env } });
      assert.equal(await served.text("/hello/eve"), "hello eve");
      app.edit("hello.js", `"hello "`, `"good day, "`);
      assert.equal(await served.text("/hello/eve"), "good day, eve");
      assert.deepEqual(served.lines.matching(/restarted/), [], "the save is taken in in place");
      const after = await served.json<string[]>("/spans");
      const ofServer = spans.find((span) => span.startsWith("1 "));
      assert.ok(after.filter((span) => span === ofServer).length >= 2, after.join());
    });
  }
}
