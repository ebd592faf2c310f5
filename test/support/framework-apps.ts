/**
 * One small app for each framework, written as people write them. All have the same four files in different clothes:
 * an entry (`entry-1` in the header x-entry), a middle file with the route (`middle-1`), a leaf (`leaf-1`) and a
 * counter that nothing else touches. GET /items answers `Items`.
 */
import type { SocketKind } from "./socket-talk.js";

export interface FrameworkApp {
  readonly name: string;
  readonly packages: readonly string[];
  readonly entry: string;
  readonly middle: string;
  readonly leaf: string;
  readonly files: Readonly<Record<string, string>>;
  /** A new file, and what the middle file's `// add an import here` and `null /* extra *\/` become to use it. */
  readonly added: { readonly file: string; readonly text: string; readonly importLine: string; readonly use: string };
  /** False where plain Node with tsx cannot run the app (it emits no decorator metadata). */
  readonly plain?: boolean;
  /** What it answers over sockets: always `entry-1`. */
  readonly sockets?: SocketKind;
}

export interface Items {
  readonly leaf: string;
  readonly middle: string;
  readonly extra: string | null;
  readonly count: number;
  readonly pid: number;
}

const commonjs = {
  leaf: `exports.greet = () => "leaf-1";\n`,
  counter: `let count = 0;\nexports.next = () => ++count;\n`,
  added: {
    text: `module.exports = "extra-1";\n`,
    importLine: `const extra = require("./extra");`,
    use: "extra",
  },
} as const;

const esm = {
  leaf: `export const greet = () => "leaf-1";\n`,
  counter: `let count = 0;\nexport function next() {\n  return ++count;\n}\n`,
  added: {
    text: `export const extra = "extra-1";\n`,
    importLine: `import { extra } from "./extra.js";`,
    use: "extra",
  },
} as const;

const typescript = {
  leaf: `export const greet = (name?: string): string => (name ? name : "leaf-1");\n`,
  counter: `let count: number = 0;\nexport function next(): number {\n  return ++count;\n}\n`,
  added: {
    text: `export const extra: string = "extra-1";\n`,
    importLine: `import { extra } from "./extra.js";`,
    use: "extra",
  },
} as const;

const esmPackage = `{ "name": "app", "private": true, "type": "module" }\n`;

export const frameworkApps: readonly FrameworkApp[] = [
  {
    name: "node:http (CommonJS)",
    packages: [],
    entry: "server.js",
    middle: "routes/items.js",
    leaf: "lib/greeting.js",
    files: {
      "server.js": `const http = require("node:http");
const routes = { "/items": require("./routes/items") };

const server = http.createServer((req, res) => {
  res.setHeader("x-entry", "entry-1");
  const route = routes[req.url];
  if (route) return route(req, res);
  res.statusCode = 404;
  res.end();
});

if (require.main === module) {
  server.listen(process.env.PORT || 3000, () => console.log("server on", server.address().port));
}

module.exports = server;
`,
      "routes/items.js": `const { greet } = require("../lib/greeting");
const { next } = require("../lib/counter");
// add an import here

module.exports = function items(req, res) {
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid }));
};
`,
      "lib/greeting.js": commonjs.leaf,
      "lib/counter.js": commonjs.counter,
    },
    added: { file: "routes/extra.js", ...commonjs.added },
  },
  {
    name: "node:http (ESM)",
    packages: [],
    entry: "server.js",
    middle: "routes/items.js",
    leaf: "lib/greeting.js",
    files: {
      "package.json": esmPackage,
      "server.js": `import { createServer } from "node:http";
import { items } from "./routes/items.js";

createServer((req, res) => {
  res.setHeader("x-entry", "entry-1");
  if (req.url === "/items") items(req, res);
  else res.writeHead(404).end();
}).listen(process.env.PORT);
`,
      "routes/items.js": `import { next } from "../lib/counter.js";
import { greet } from "../lib/greeting.js";
// add an import here

export function items(_req, res) {
  const answer = { leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid };
  res.end(JSON.stringify(answer));
}
`,
      "lib/greeting.js": esm.leaf,
      "lib/counter.js": esm.counter,
    },
    added: { file: "routes/extra.js", ...esm.added },
  },
  {
    name: "Express 5 (CommonJS JavaScript)",
    packages: ["express"],
    entry: "app.js",
    middle: "routes/items.js",
    leaf: "lib/greeting.js",
    files: {
      "app.js": `"use strict";
const express = require("express");

const app = express();
app.use((req, res, next) => {
  res.set("x-entry", "entry-1");
  next();
});
app.use("/items", require("./routes/items"));

app.listen(process.env.PORT, () => {
  console.log("ready");
});
`,
      "routes/items.js": `"use strict";
const { Router } = require("express");
const greeting = require("../lib/greeting");
const counter = require("../lib/counter");
// add an import here

const router = Router();
router.get("/", (req, res) => {
  res.json({ leaf: greeting.greet(), middle: "middle-1", extra: null /* extra */, count: counter.next(), pid: process.pid });
});

module.exports = router;
`,
      "lib/greeting.js": commonjs.leaf,
      "lib/counter.js": commonjs.counter,
    },
    added: { file: "routes/extra.js", ...commonjs.added },
  },
  {
    name: "Express 5 (TypeScript)",
    packages: ["express"],
    entry: "src/main.ts",
    middle: "src/routes/items.ts",
    leaf: "src/lib/greeting.ts",
    files: {
      "package.json": esmPackage,
      "tsconfig.json": `{ "compilerOptions": { "module": "nodenext", "target": "es2022", "strict": true } }\n`,
      "src/main.ts": `import express, { type Express } from "express";
import { items } from "./routes/items.js";

async function main(): Promise<void> {
  await Promise.resolve();
  const app: Express = express();
  app.use((_req, res, next) => {
    res.setHeader("x-entry", "entry-1");
    next();
  });
  app.use("/items", items);
  app.listen(Number(process.env.PORT), "127.0.0.1");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
`,
      "src/routes/items.ts": `import { type Request, type Response, Router } from "express";
import { next } from "../lib/counter.js";
import { greet } from "../lib/greeting.js";
// add an import here

export const items: Router = Router();

items.get("/", (_req: Request, res: Response) => {
  res.json({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
});
`,
      "src/lib/greeting.ts": typescript.leaf,
      "src/lib/counter.ts": typescript.counter,
    },
    added: { file: "src/routes/extra.ts", ...typescript.added },
  },
  {
    name: "Koa 3",
    packages: ["koa"],
    entry: "index.js",
    middle: "items.js",
    leaf: "greeting.js",
    files: {
      "index.js": `const Koa = require("koa");
const items = require("./items");

const app = new Koa();
app.use(async (ctx, next) => {
  ctx.set("x-entry", "entry-1");
  await next();
});
app.use(items());
app.listen(process.env.PORT);
`,
      "items.js": `const { greet } = require("./greeting");
const { next } = require("./counter");
// add an import here

module.exports = () => async (ctx) => {
  if (ctx.path !== "/items") return;
  ctx.body = { leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid };
};
`,
      "greeting.js": commonjs.leaf,
      "counter.js": commonjs.counter,
    },
    added: { file: "extra.js", ...commonjs.added },
  },
  {
    name: "Fastify 5",
    packages: ["fastify"],
    entry: "server.js",
    middle: "plugins/items.js",
    leaf: "lib/greeting.js",
    files: {
      "package.json": esmPackage,
      "server.js": `import Fastify from "fastify";
import items from "./plugins/items.js";

const fastify = Fastify({ logger: false });

fastify.addHook("onRequest", async (request, reply) => {
  reply.header("x-entry", "entry-1");
});
fastify.register(items, { prefix: "/items" });

try {
  await fastify.listen({ port: Number(process.env.PORT) });
} catch (error) {
  fastify.log.error(error);
  process.exit(1);
}
`,
      "plugins/items.js": `import { next } from "../lib/counter.js";
import { greet } from "../lib/greeting.js";
// add an import here

export default async function items(fastify) {
  fastify.get("/", async () => {
    return { leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid };
  });
}
`,
      "lib/greeting.js": esm.leaf,
      "lib/counter.js": esm.counter,
    },
    added: { file: "plugins/extra.js", ...esm.added },
  },
  {
    name: "Hono with @hono/node-server",
    packages: ["hono", "@hono/node-server"],
    entry: "src/index.ts",
    middle: "src/items.ts",
    leaf: "src/greeting.ts",
    files: {
      "package.json": esmPackage,
      "src/index.ts": `import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { items } from "./items.js";

const app = new Hono();
app.use(async (c, next) => {
  await next();
  c.header("x-entry", "entry-1");
});
app.route("/items", items);

serve({ fetch: app.fetch, port: Number(process.env.PORT) }, (info) => {
  console.log(\`Server is running on \${info.port}\`);
});
`,
      "src/items.ts": `import { Hono } from "hono";
import { next } from "./counter.js";
import { greet } from "./greeting.js";
// add an import here

export const items = new Hono();

items.get("/", (c) => {
  return c.json({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
});
`,
      "src/greeting.ts": typescript.leaf,
      "src/counter.ts": typescript.counter,
    },
    added: { file: "src/extra.ts", ...typescript.added },
  },
  {
    name: "Nest",
    packages: ["@nestjs/core", "@nestjs/common", "@nestjs/platform-express", "reflect-metadata", "rxjs"],
    entry: "src/main.ts",
    middle: "src/items.controller.ts",
    leaf: "src/greeting.service.ts",
    plain: false,
    files: {
      "tsconfig.json": `{
  "compilerOptions": {
    "module": "commonjs",
    "target": "ES2022",
    "esModuleInterop": true,
    "experimentalDecorators": true,
    "emitDecoratorMetadata": true
  }
}
`,
      "src/main.ts": `import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { AppModule } from "./app.module";

async function bootstrap() {
  const app = await NestFactory.create(AppModule, { logger: false });
  app.use((_req: unknown, res: { setHeader(name: string, value: string): void }, next: () => void) => {
    res.setHeader("x-entry", "entry-1");
    next();
  });
  await app.listen(process.env.PORT ?? 3000);
}
bootstrap();
`,
      "src/app.module.ts": `import { Module } from "@nestjs/common";
import { GreetingService } from "./greeting.service";
import { ItemsController } from "./items.controller";

@Module({ controllers: [ItemsController], providers: [GreetingService] })
export class AppModule {}
`,
      "src/items.controller.ts": `import { Controller, Get } from "@nestjs/common";
import { next } from "./counter";
import { GreetingService } from "./greeting.service";
// add an import here

@Controller("items")
export class ItemsController {
  constructor(private readonly greetings: GreetingService) {}

  @Get()
  list() {
    return { leaf: this.greetings.greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid };
  }
}
`,
      "src/greeting.service.ts": `import { Injectable } from "@nestjs/common";

@Injectable()
export class GreetingService {
  greet(): string {
    return "leaf-1";
  }
}
`,
      "src/counter.ts": typescript.counter,
    },
    added: { file: "src/extra.ts", ...typescript.added, importLine: `import { extra } from "./extra";` },
  },
  {
    name: "Express 5 with socket.io attached",
    sockets: "socket.io",
    packages: ["express", "socket.io"],
    entry: "index.js",
    middle: "items.js",
    leaf: "greeting.js",
    files: {
      "index.js": `const { createServer } = require("node:http");
const express = require("express");
const { Server } = require("socket.io");

const app = express();
const server = createServer(app);
const io = new Server(server);

app.use((req, res, next) => {
  res.set("x-entry", "entry-1");
  next();
});
app.use("/items", require("./items"));
io.on("connection", (socket) => socket.on("ask", (reply) => reply("entry-1")));

server.listen(process.env.PORT);
`,
      "items.js": `const { Router } = require("express");
const { greet } = require("./greeting");
const { next } = require("./counter");
// add an import here

module.exports = Router().get("/", (req, res) => {
  res.json({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
});
`,
      "greeting.js": commonjs.leaf,
      "counter.js": commonjs.counter,
    },
    added: { file: "extra.js", ...commonjs.added },
  },
  {
    name: "node:http with ws attached",
    sockets: "ws",
    packages: ["ws"],
    entry: "index.js",
    middle: "items.js",
    leaf: "greeting.js",
    files: {
      "package.json": esmPackage,
      "index.js": `import http from "node:http";
import { WebSocketServer } from "ws";
import { items } from "./items.js";

const server = http.createServer((req, res) => {
  res.setHeader("x-entry", "entry-1");
  res.end(JSON.stringify(items()));
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("message", () => socket.send("entry-1"));
});

server.listen(process.env.PORT);
`,
      "items.js": `import { next } from "./counter.js";
import { greet } from "./greeting.js";
// add an import here

export const items = () => ({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
`,
      "greeting.js": esm.leaf,
      "counter.js": esm.counter,
    },
    added: { file: "extra.js", ...esm.added },
  },
];
