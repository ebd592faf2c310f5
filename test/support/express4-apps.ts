/** Express 4 as people lay it out: the app in a module of its own, and another one that listens. */
import type { FrameworkApp } from "./framework-apps.js";

const packages = ["express from express4"];
const added = { text: `module.exports = "extra-1";\n`, importLine: `const extra = require("./extra");`, use: "extra" };

export const express4Apps: readonly FrameworkApp[] = [
  {
    name: "Express 4 (CommonJS: app.js and bin/www, as the generator lays it out)",
    packages,
    entry: "bin/www",
    middle: "routes/items.js",
    leaf: "lib/greeting.js",
    files: {
      "bin/www": `#!/usr/bin/env node
const app = require("../app");
const http = require("http");

const port = normalizePort(process.env.PORT || "3000");
app.set("port", port);
app.set("entry", "entry-1");

const server = http.createServer(app);
server.listen(port);
server.on("error", onError);
server.on("listening", onListening);

function normalizePort(value) {
  const port = Number.parseInt(value, 10);
  return Number.isNaN(port) ? value : port;
}
function onError(error) {
  throw error;
}
function onListening() {
  console.log("on " + server.address().port);
}
`,
      "app.js": `const express = require("express");
const path = require("path");
const fs = require("fs");
const indexRouter = require("./routes/index");
const itemsRouter = require("./routes/items");

const app = express();
app.engine("html", (file, options, done) => {
  fs.readFile(file, "utf8", (error, text) => done(error, text?.replace("{title}", options.title)));
});
app.set("views", path.join(__dirname, "views"));
app.set("view engine", "html");
app.use(express.json());
app.use((req, res, next) => {
  res.set("x-entry", app.get("entry"));
  next();
});
app.use("/", indexRouter);
app.use("/items", itemsRouter);
app.use((error, req, res, next) => res.status(500).send(error.message));

module.exports = app;
`,
      "routes/index.js": `const router = require("express").Router();
router.get("/", (req, res) => res.render("index", { title: "title-1" }));
module.exports = router;
`,
      "routes/items.js": `const express = require("express");
const { greet } = require("../lib/greeting");
const { next } = require("../lib/counter");
// add an import here

const router = express.Router();
router.get("/", (req, res) => {
  res.json({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
});
module.exports = router;
`,
      "lib/greeting.js": `exports.greet = () => "leaf-1";\n`,
      "lib/counter.js": `let count = 0;\nexports.next = () => ++count;\n`,
      "views/index.html": "<h1>{title}</h1>\n",
    },
    added: { ...added, file: "routes/extra.js" },
  },
  {
    name: "Express 4 (ES modules, app and listening in two modules)",
    packages,
    entry: "index.js",
    middle: "routes.js",
    leaf: "greeting.js",
    files: {
      "package.json": `{ "name": "app", "private": true, "type": "module" }\n`,
      "index.js": `import { app } from "./app.js";

app.use((req, res) => res.status(404).end());
app.set("entry", "entry-1");
const server = app.listen(process.env.PORT || 3000, () => console.log("on " + server.address().port));
`,
      "app.js": `import express from "express";
import { routes } from "./routes.js";

export const app = express();
app.use((req, res, next) => {
  res.set("x-entry", app.get("entry"));
  next();
});
app.use(routes);
`,
      "routes.js": `import { Router } from "express";
import { next } from "./counter.js";
import { greet } from "./greeting.js";
// add an import here

export const routes = Router();
routes.get("/items", (req, res) => {
  res.json({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
});
`,
      "greeting.js": `export const greet = () => "leaf-1";\n`,
      "counter.js": `let count = 0;\nexport function next() {\n  return ++count;\n}\n`,
    },
    added: {
      file: "extra.js",
      text: `export const extra = "extra-1";\n`,
      importLine: `import { extra } from "./extra.js";`,
      use: "extra",
    },
  },
  {
    name: "Express 4 (CommonJS, the app inside a class instance)",
    packages,
    entry: "index.js",
    middle: "items.js",
    leaf: "greeting.js",
    files: {
      "index.js": `const { server } = require("./server");

server.entry = "entry-1";
server.start();
`,
      "server.js": `const express = require("express");
const items = require("./items");

class Server {
  #private = express();

  constructor() {
    this.app = express();
    this.entry = "none";
    this.app.use((req, res, next) => {
      res.set("x-entry", this.entry);
      next();
    });
    this.app.use(this.#private);
    items.mount(this.app);
  }

  start() {
    const http = this.app.listen(process.env.PORT || 3000, () => console.log("on " + http.address().port));
  }
}

exports.Server = Server;
exports.server = new Server();
`,
      "items.js": `const { greet } = require("./greeting");
const { next } = require("./counter");
// add an import here

exports.mount = (app) => {
  app.get("/items", (req, res) => {
    res.json({ leaf: greet(), middle: "middle-1", extra: null /* extra */, count: next(), pid: process.pid });
  });
};
`,
      "greeting.js": `exports.greet = () => "leaf-1";\n`,
      "counter.js": `let count = 0;\nexports.next = () => ++count;\n`,
    },
    added: { ...added, file: "extra.js" },
  },
];
