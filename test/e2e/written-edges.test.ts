/**
 * Modules that write into others while they are evaluated: routes added to an app that another file exports, registries,
 * buses, counters, caches. After any edit of either side the answers are those of a fresh process, their order included,
 * and modules that nobody writes to keep their state. (UNRELOADER_TEST_MODE=plain runs the same under plain Node.)
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

type Style = "esm" | "commonjs" | "typescript";

const extension = (style: Style): string => (style === "typescript" ? "ts" : "js");

const packageJson = (style: Style): Record<string, string> => ({
  "package.json": `{ "name": "app", "private": true${style === "commonjs" ? "" : `, "type": "module"`} }\n`,
});

/** `import { names } from "./file.js"` or the same with `require`. */
function from(style: Style, names: string, file: string): string {
  if (style === "commonjs") return `const { ${names} } = require("./${file}");\n`;
  return `import { ${names} } from "./${file}.js";\n`;
}

function load(style: Style, file: string): string {
  return style === "commonjs" ? `require("./${file}");\n` : `import "./${file}.js";\n`;
}

function expressOf(style: Style): string {
  return style === "commonjs" ? `const express = require("express");\n` : `import express from "express";\n`;
}

function exported(style: Style, name: string, value: string): string {
  return style === "commonjs" ? `exports.${name} = ${value};\n` : `export const ${name} = ${value};\n`;
}

/** A module with state that nobody writes to while being evaluated: it must live on. */
const counter = (style: Style): string =>
  `let visits = 0;\n${exported(style, "visit", "() => ++visits")}${exported(style, "tag", `"counter"`)}`;

const any = (style: Style): string => (style === "typescript" ? ": any" : "");

const routesOf = (style: Style): string => `
function routesOf(stack${any(style)}, prefix = "")${style === "typescript" ? ": string[]" : ""} {
  return stack.flatMap((layer${any(style)}) => layer.route ? [prefix + layer.route.path] : layer.handle.stack ? routesOf(layer.handle.stack, prefix + "/*") : []);
}
`;

/** The answers to several paths, with their bodies. */
async function answers(served: ServedApp, paths: readonly string[]): Promise<string[]> {
  const bodies: string[] = [];
  for (const path of paths) {
    const { status, body } = await served.get(path);
    bodies.push(status === 200 ? body : String(status));
  }
  return bodies;
}

const styles: readonly Style[] = ["esm", "commonjs", "typescript"];

describe("routes that files add to an app which they import", () => {
  for (const style of styles) {
    test(style, async () => {
      const ext = extension(style);
      const routes = (name: string, answer: string): string =>
        `${from(style, "app", "app")}app.get("/${name}", (req${any(style)}, res${any(style)}) => res.send("${answer}"));\n`;
      const main = (files: readonly string[]): string =>
        `${from(style, "app", "app")}${from(style, "visit, tag", "counter")}${files.map((file) => load(style, file)).join("")}
app.get("/visit", (req${any(style)}, res${any(style)}) => res.send(tag + visit()));
app.get("/routes", (req${any(style)}, res${any(style)}) => res.json(routesOf(app.router.stack)));${routesOf(style)}
app.listen(Number(process.env.PORT));\n`;
      await using app = new TempApp(
        {
          ...packageJson(style),
          [`main.${ext}`]: main(["users", "posts"]),
          [`app.${ext}`]: `${expressOf(style)}${exported(style, "app", style === "typescript" ? "express() as any" : "express()")}`,
          [`counter.${ext}`]: counter(style),
          [`users.${ext}`]: routes("users", "users 1"),
          [`posts.${ext}`]: routes("posts", "posts 1"),
        },
        { packages: ["express"] },
      );
      await using served = await serve(app, `main.${ext}`);
      const paths = ["/users", "/posts", "/people", "/late", "/routes"];
      const own = `"/visit","/routes"`;
      assert.deepEqual(await answers(served, paths), [
        "users 1",
        "posts 1",
        "404",
        "404",
        `["/users","/posts",${own}]`,
      ]);
      assert.equal(await served.text("/visit"), "counter1");

      // Changed: the first of two routes stays the first.
      app.edit(`users.${ext}`, "users 1", "users 2");
      assert.deepEqual(await answers(served, paths), [
        "users 2",
        "posts 1",
        "404",
        "404",
        `["/users","/posts",${own}]`,
      ]);
      // Renamed: the old route is gone.
      app.edit(`users.${ext}`, "/users", "/people");
      assert.deepEqual(await answers(served, paths), [
        "404",
        "posts 1",
        "users 2",
        "404",
        `["/people","/posts",${own}]`,
      ]);
      // Removed, and added again.
      app.write(`users.${ext}`, style === "commonjs" ? "" : "export {};\n");
      assert.deepEqual(await answers(served, paths), ["404", "posts 1", "404", "404", `["/posts",${own}]`]);
      app.write(`users.${ext}`, routes("users", "users 3"));
      assert.deepEqual(await answers(served, paths), [
        "users 3",
        "posts 1",
        "404",
        "404",
        `["/users","/posts",${own}]`,
      ]);
      // The other side.
      app.edit(`app.${ext}`, "express()", "express() ");
      assert.deepEqual(await answers(served, paths), [
        "users 3",
        "posts 1",
        "404",
        "404",
        `["/users","/posts",${own}]`,
      ]);
      // A file more, and one less.
      app.write(`late.${ext}`, routes("late", "late 1"));
      app.write(`main.${ext}`, main(["late", "users", "posts"]));
      assert.deepEqual(await answers(served, paths), [
        "users 3",
        "posts 1",
        "404",
        "late 1",
        `["/late","/users","/posts",${own}]`,
      ]);
      app.remove(`users.${ext}`);
      app.write(`main.${ext}`, main(["late", "posts"]));
      assert.deepEqual(await answers(served, paths), ["404", "posts 1", "404", "late 1", `["/late","/posts",${own}]`]);
      if (served.inPlace) assert.equal(await served.text("/visit"), "counter2");
    });
  }
});

describe("routers that files export, and functions that take the app", () => {
  for (const style of styles) {
    test(style, async () => {
      const ext = extension(style);
      const router = (answer: string): string =>
        `${expressOf(style)}${exported(style, "router", "express.Router()")}${style === "commonjs" ? "const { router } = exports;\n" : ""}
router.get("/list", (req, res) => { res.send("${answer}"); });\n`;
      const taking = (answer: string): string =>
        exported(
          style,
          "addPosts",
          `(app${any(style)}) => { app.get("/posts", (req${any(style)}, res${any(style)}) => res.send("${answer}")); }`,
        );
      await using app = new TempApp(
        {
          ...packageJson(style),
          [`main.${ext}`]: `${from(style, "app", "app")}${from(style, "router", "users")}${from(style, "addPosts", "posts")}
app.use("/users", router);
addPosts(app);
app.get("/routes", (req${any(style)}, res${any(style)}) => res.json(routesOf(app.router.stack)));${routesOf(style)}
app.listen(Number(process.env.PORT));\n`,
          [`app.${ext}`]: `${expressOf(style)}${exported(style, "app", style === "typescript" ? "express() as any" : "express()")}`,
          [`users.${ext}`]: router("users 1"),
          [`posts.${ext}`]: taking("posts 1"),
        },
        { packages: ["express"] },
      );
      await using served = await serve(app, `main.${ext}`);
      const paths = ["/users/list", "/posts", "/routes"];
      const all = `["/*/list","/posts","/routes"]`;
      assert.deepEqual(await answers(served, paths), ["users 1", "posts 1", all]);
      app.edit(`users.${ext}`, "users 1", "users 2");
      assert.deepEqual(await answers(served, paths), ["users 2", "posts 1", all]);
      app.write(`posts.${ext}`, taking("posts 2"));
      assert.deepEqual(await answers(served, paths), ["users 2", "posts 2", all]);
      app.edit(`main.${ext}`, "addPosts(app);", "");
      assert.deepEqual(await answers(served, paths), ["users 2", "404", `["/*/list","/routes"]`]);
      app.edit(`main.${ext}`, `app.use("/users", router);`, `addPosts(app); app.use("/users", router);`);
      assert.deepEqual(await answers(served, paths), ["users 2", "posts 2", `["/posts","/*/list","/routes"]`]);
    });
  }
});

/** An app that answers with what `expression` gives; `hold` makes targets, `parts` write into them. */
function registryApp(style: Style, hold: string, parts: Readonly<Record<string, string>>, names: string, show: string) {
  const ext = extension(style);
  return new TempApp({
    ...packageJson(style),
    [`hold.${ext}`]: hold,
    ...Object.fromEntries(Object.entries(parts).map(([name, text]) => [`${name}.${ext}`, text])),
    [`counter.${ext}`]: counter(style),
    [`main.${ext}`]: `${style === "commonjs" ? `const { createServer } = require("node:http");\n` : `import { createServer } from "node:http";\n`}${from(style, names, "hold")}${from(style, "visit, tag", "counter")}${Object.keys(
      parts,
    )
      .map((part) => load(style, part))
      .join("")}
createServer((req, res) => {
  res.end(req.url === "/visit" ? tag + visit() : JSON.stringify(${show}));
}).listen(process.env.PORT);\n`,
  });
}

interface Case {
  readonly what: string;
  readonly hold: (style: Style) => string;
  readonly names: string;
  readonly show: string;
  readonly part: (style: Style, name: string) => string;
  /** Expected of parts `a` and `b`, in this order. */
  readonly expected: (...parts: string[]) => unknown;
}

const cases: readonly Case[] = [
  {
    what: "a bus that keeps its listeners in a function's scope",
    hold: (style) =>
      `function createBus() { const listeners = []; return { on(one) { listeners.push(one); }, ask() { return listeners.map((one) => one()); } }; }\n${exported(style, "bus", "createBus()")}`,
    names: "bus",
    show: "bus.ask()",
    part: (style, name) => `${from(style, "bus", "hold")}bus.on(() => "${name}");\n`,
    expected: (...parts) => parts,
  },
  {
    what: "a variable in a function's scope that is set to a longer list",
    hold: (style) =>
      exported(
        style,
        "store",
        `(() => { let all = []; const add = (one) => { all = [...all, one]; }; return { add: (one) => add(one), all: () => all }; })()`,
      ),
    names: "store",
    show: "store.all()",
    part: (style, name) => `${from(style, "store", "hold")}store.add("${name}");\n`,
    expected: (...parts) => parts,
  },
  {
    what: "a counter in a function's scope",
    hold: (style) =>
      `const counting = () => { let count = 0; return { next: () => ++count, now: () => count }; };\n${exported(style, "counter", "counting()")}`,
    names: "counter",
    show: "counter.now()",
    part: (style, name) => `${from(style, "counter", "hold")}counter.next("${name}");\n`,
    expected: (...parts) => parts.length,
  },
  {
    what: "a plugin that pushes itself into a list",
    hold: (style) => exported(style, "list", "[]"),
    names: "list",
    show: "list",
    part: (style, name) => `${from(style, "list", "hold")}list.push("${name}");\n`,
    expected: (...parts) => parts,
  },
  {
    what: "register() into a private array",
    hold: (style) =>
      `const own = [];\n${exported(style, "register", "(one) => { own.push(one); }")}${exported(style, "all", "() => own.map((one) => one())")}`,
    names: "all",
    show: "all()",
    part: (style, name) => `${from(style, "register", "hold")}register(() => "${name}");\n`,
    expected: (...parts) => parts,
  },
  {
    what: "a class with a #private list",
    hold: (style) =>
      `class Registry { #all = []; add(one) { this.#all.push(one); } get names() { return this.#all.map((one) => one.name); } }\n${exported(style, "registry", "new Registry()")}`,
    names: "registry",
    show: "registry.names",
    part: (style, name) => `${from(style, "registry", "hold")}registry.add({ name: "${name}" });\n`,
    expected: (...parts) => parts,
  },
  {
    what: "a Map and a Set",
    hold: (style) => `${exported(style, "map", "new Map()")}${exported(style, "set", "new Set()")}`,
    names: "map, set",
    show: "[[...map.keys()], [...set]]",
    part: (style, name) => `${from(style, "map, set", "hold")}map.set("${name}", 1); set.add("${name}");\n`,
    expected: (...parts) => [parts, parts],
  },
  {
    what: "a counter that functions count",
    hold: (style) =>
      `let last = 0;\nconst given = {};\n${exported(style, "next", "(name) => { given[name] = ++last; }")}${exported(style, "all", "() => [last, given]")}`,
    names: "all",
    show: "all()",
    part: (style, name) => `${from(style, "next", "hold")}next("${name}");\n`,
    expected: (...parts) => [parts.length, Object.fromEntries(parts.map((name, index) => [name, index + 1]))],
  },
  {
    what: "an emitter that is shared",
    hold: (style) =>
      `${style === "commonjs" ? `const { EventEmitter } = require("node:events");\n` : `import { EventEmitter } from "node:events";\n`}${exported(style, "bus", "new EventEmitter()")}`,
    names: "bus",
    show: "(() => { const heard = []; bus.emit('ask', heard); return heard; })()",
    part: (style, name) => `${from(style, "bus", "hold")}bus.on("ask", (heard) => heard.push("${name}"));\n`,
    expected: (...parts) => parts,
  },
];

describe("what is filled while files are evaluated", () => {
  for (const style of ["esm", "commonjs"] as const) {
    // Each in one of the two.
    const some = cases.filter((_, at) => (at % 2 === 0) === (style === "esm"));
    for (const { what, hold, names, show, part, expected } of some) {
      test(`${style}: ${what}`, async () => {
        await using app = registryApp(style, hold(style), { a: part(style, "a"), b: part(style, "b") }, names, show);
        await using served = await serve(app, "main.js");
        assert.deepEqual(await served.json("/"), expected("a", "b"));
        assert.equal(await served.text("/visit"), "counter1");
        app.write("a.js", part(style, "A"));
        assert.deepEqual(await served.json("/"), expected("A", "b"));
        app.write("a.js", part(style, "A") + part(style, "A2").split("\n").slice(1).join("\n"));
        assert.deepEqual(await served.json("/"), expected("A", "A2", "b"));
        app.write("a.js", style === "esm" ? "export {};\n" : "\n");
        assert.deepEqual(await served.json("/"), expected("b"));
        app.write("b.js", part(style, "B"));
        assert.deepEqual(await served.json("/"), expected("B"));
        app.write("a.js", part(style, "a"));
        assert.deepEqual(await served.json("/"), expected("a", "B"));
        app.write("hold.js", `${hold(style)}// edited\n`);
        assert.deepEqual(await served.json("/"), expected("a", "B"));
        app.edit("main.js", load(style, "a"), "");
        assert.deepEqual(await served.json("/"), expected("B"));
        if (served.inPlace) assert.equal(await served.text("/visit"), "counter2");
      });
    }
  }
});

describe("an entry that goes on after its evaluation", () => {
  for (const style of ["esm", "commonjs"] as const) {
    test(`${style}: what it writes then counts, what a timer counts meanwhile does not`, async () => {
      await using app = new TempApp(
        {
          ...packageJson(style),
          "main.js": `${from(style, "app", "app")}${from(style, "users", "users")}${from(style, "ready, ticks", "db")}
async function main() {
  await ready();
  app.use("/users", users);
  app.get("/layers", (req, res) => res.json(app.router.stack.length));
  app.get("/ticks", (req, res) => res.json(ticks()));
  app.listen(process.env.PORT);
}
main();\n`,
          "app.js": `${expressOf(style)}${exported(style, "app", "express()")}`,
          "users.js": `${expressOf(style)}const router = express.Router();\nrouter.get("/", (req, res) => { res.send("one"); });\n${exported(style, "users", "router")}`,
          "db.js": `let count = 1000;\nsetInterval(() => count++, 1).unref();\n${exported(style, "ticks", "() => count")}${exported(style, "ready", "() => new Promise((resolve) => setTimeout(resolve, 20))")}`,
        },
        { packages: ["express"] },
      );
      await using served = await serve(app, "main.js");
      assert.equal(await served.text("/users"), "one");
      const ticks = await served.json<number>("/ticks");
      for (const word of ["two", "three"]) {
        app.write("users.js", app.read("users.js").replace(/"(one|two)"\); }/, `"${word}"); }`));
        assert.equal(await served.text("/users"), word);
        assert.equal(await served.json("/layers"), 3);
      }
      if (served.inPlace) assert.ok((await served.json<number>("/ticks")) > ticks);
    });
  }
});

describe("what a module has written before its evaluation failed", () => {
  for (const style of ["esm", "commonjs"] as const) {
    for (const onError of ["page", "last-good"]) {
      test(`${style}: is gone afterwards, --on-error ${onError}`, async () => {
        const hold = exported(style, "list", "[]");
        const push = (name: string): string => `${from(style, "list", "hold")}list.push("${name}");\n`;
        await using app = registryApp(style, hold, { a: exported(style, "a", "1"), b: push("b") }, "list", "list");
        await using served = await serve(app, "main.js", { flags: ["--on-error", onError] });
        assert.deepEqual(await served.json("/"), ["b"]);
        app.write("a.js", `${push("a")}throw new Error("not yet");\n`);
        const { status, body } = await served.get("/");
        if (onError === "page") assert.equal(status, 500);
        else assert.equal(body, `["b"]`);
        app.write("a.js", exported(style, "a", "2"));
        assert.deepEqual(await served.json("/"), ["b"]);
      });
    }
  }
});

test("an interval that fires before the app listens is late code: what it fills stays", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "package.json": `{ "name": "app", "type": "module" }`,
    "state.js": `export const ticks = new Set();\nexport const born = String(Math.random());\n`,
    "cron.js": `
import { ticks } from "./state.js";
setInterval(() => {
  ticks.add("version-1");
  process.emit("test:tick");
}, 1);
`,
    "main.js": `
import http from "node:http";
import "./cron.js";
import { born, ticks } from "./state.js";
let left = 3;
await new Promise((started) => process.on("test:tick", () => --left === 0 && started()));
http.createServer((request, response) => {
  if (request.url === "/born") return response.end(born);
  const wait = () => (ticks.has("version-2") ? response.end("ticked") : setImmediate(wait));
  wait();
}).listen(0, "127.0.0.1");
`,
  });
  await using served = await serve(app, "main.js");
  const born = await served.text("/born");
  app.edit("cron.js", "version-1", "version-2");
  assert.equal(await served.text("/ticked"), "ticked");
  assert.equal(await served.text("/born"), born, "the state was kept");
});
