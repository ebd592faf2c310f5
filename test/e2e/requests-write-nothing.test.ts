/**
 * What a request, a message, a call, a signal or an interval changes is nobody's write: a save of another file, followed
 * at once by a request that changes the state of a kept module, keeps that state. And what an entry does after an await
 * is the entry's all the same, whatever comes in between.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import { within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

type Style = "esm" | "commonjs";
const styles: readonly Style[] = ["esm", "commonjs"];
const ROUNDS = 80;

const packageJson = (style: Style): string =>
  `{ "name": "app", "private": true${style === "esm" ? `, "type": "module"` : ""} }\n`;
const from = (style: Style, names: string, specifier: string): string =>
  style === "esm" ? `import { ${names} } from "${specifier}";\n` : `const { ${names} } = require("${specifier}");\n`;
const exported = (style: Style, name: string, value: string): string =>
  style === "esm" ? `export const ${name} = ${value};\n` : `exports.${name} = ${value};\n`;

/** An ES module, too, uses both while it is evaluated. */
const HOLDS = "const list = items, shownText = text;\n";

/** The smallest input: page.js is edited, store.js holds the state that requests change. */
function storeApp(style: Style, main: string, more: Readonly<Record<string, string>> = {}, packages: string[] = []) {
  return new TempApp(
    {
      "package.json": packageJson(style),
      "main.js": from(style, "items", "./store.js") + from(style, "text", "./page.js") + HOLDS + main,
      "store.js": exported(style, "items", "[]"),
      "page.js": exported(style, "text", `"page 0"`),
      ...more,
    },
    { packages },
  );
}

const server = (style: Style): string =>
  `${from(style, "createServer", "node:http")}const server = createServer((req, res) => {
  if (req.url === "/add") list.push(1);
  res.end(shownText + " " + list.length);
}).listen(process.env.PORT);\n`;

describe("a request right after a save leaves the state of kept modules", () => {
  for (const style of styles) {
    for (const kept of [true, false]) {
      test(`${style}, on ${kept ? "a kept connection" : "new connections"}`, async () => {
        await using app = storeApp(style, server(style));
        await using served = await serve(app, "main.js");
        const ask = async (): Promise<string> => (await (kept ? served.get("/add") : served.getOnce("/add"))).body;
        assert.equal(await ask(), "page 0 1");
        for (let round = 1; round <= ROUNDS; round++) {
          app.write("page.js", exported(style, "text", `"page ${round}"`));
          assert.equal(await ask(), `page ${round} ${served.inPlace ? round + 1 : 1}`);
        }
      });
    }
  }
});

/** Saves page.js again and again; `change` then alters the list at once. Gives the lengths that were seen. */
async function lengths(
  edit: (round: number) => void,
  change: () => Promise<unknown>,
  length: () => Promise<number>,
  rounds: number,
): Promise<number[]> {
  const seen: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    edit(round);
    await change();
    seen.push(await length());
  }
  return seen;
}

function assertGrows(seen: readonly number[]): void {
  const lost = seen.findIndex((length, index) => length < (seen[index - 1] ?? 0));
  assert.equal(lost, -1, `the list shrank after edit ${lost + 1}: ${seen.slice(Math.max(0, lost - 2), lost + 2)}`);
}

describe("what is no request leaves the state of kept modules as well", { skip: plainMode }, () => {
  for (const style of styles) {
    test(`${style}: calls from the host`, async () => {
      await using app = new EmbeddedApp(
        {
          "package.json": packageJson(style),
          "main.js":
            from(style, "items", "./store.js") +
            from(style, "text", "./page.js") +
            HOLDS +
            server(style).replace("process.env.PORT", "0") +
            exported(style, "add", "(one) => { list.push(one); return list.length; }") +
            exported(style, "shown", "() => shownText"),
          "store.js": exported(style, "items", "[]"),
          "page.js": exported(style, "text", `"page 0"`),
        },
        "main.js",
      );
      const { supervisor } = app;
      await supervisor.start();
      for (let round = 1; round <= ROUNDS; round++) {
        app.app.write("page.js", exported(style, "text", `"page ${round}"`));
        assert.equal(await supervisor.call("add", round), round);
        assert.equal(await supervisor.call("shown"), `page ${round}`);
      }
    });

    test(`${style}: intervals of kept modules, while the entry awaits something`, async () => {
      const body = `setInterval(() => items.push(1), 1);\n`;
      const wait = "await new Promise((resolve) => setTimeout(resolve, 15));\n";
      const start = `${wait}routes.push("main");\n${server(style).replace("import {", "const {").replace(' from "node:http"', ' = await import("node:http")').replace("const server = ", "")}`;
      const main = style === "esm" ? start : `async function main() {\n${start}}\nmain();\n`;
      await using app = storeApp(
        style,
        from(style, "routes", "./routes.js") +
          (style === "esm" ? `import "./ticks.js";\n` : `require("./ticks.js");\n`) +
          main.replace("shownText +", "shownText + JSON.stringify(routes) +"),
        {
          "ticks.js": from(style, "items", "./store.js") + body,
          "routes.js": exported(style, "routes", "[]"),
        },
      );
      await using served = await serve(app, "main.js");
      const seen: number[] = [];
      for (let round = 1; round <= 30; round++) {
        app.write("page.js", exported(style, "text", `"page ${round}"`));
        const [, name, length] = /^(.*) (\d+)$/.exec(await served.text("/")) ?? [];
        assert.equal(name, `page ${round}["main"]`, "what the entry does after its await is its own writing");
        seen.push(Number(length));
      }
      assertGrows(seen);
    });

    test(`${style}: messages on open WebSockets`, async () => {
      const listen = `${from(style, "WebSocketServer", "ws")}${server(style)}new WebSocketServer({ server }).on("connection", (socket) => {
  socket.on("message", () => { list.push(1); socket.send("ok"); });
});\n`;
      await using app = storeApp(style, listen, {}, ["ws"]);
      await using served = await serve(app, "main.js");
      const socket = new WebSocket(served.origin.replace("http", "ws"));
      await within(once(socket, "open"), () => "the WebSocket opening");
      const say = async (): Promise<void> => {
        socket.send("hello");
        await within(once(socket, "message"), () => "the reply");
      };
      const length = async (): Promise<number> => Number((await served.text("/")).split(" ").at(-1));
      const edit = (round: number) => app.write("page.js", exported(style, "text", `"page ${round}"`));
      // A reload for the request, and messages around it.
      const change = () => Promise.all([say(), served.text("/")]).then(say);
      const seen = await lengths(edit, change, length, 60);
      socket.terminate();
      assert.deepEqual(
        seen,
        seen.map((_, index) => 2 * index + 2),
      );
    });

    test(`${style}: listeners for signals`, async () => {
      await using app = new EmbeddedApp(
        {
          "package.json": packageJson(style),
          "main.js":
            from(style, "items", "./store.js") +
            from(style, "text", "./page.js") +
            `process.on("SIGUSR2", () => list.push(1));\n` +
            HOLDS +
            server(style).replace("process.env.PORT", "0") +
            exported(style, "shown", `() => shownText + " " + list.length`),
          "store.js": exported(style, "items", "[]"),
          "page.js": exported(style, "text", `"page 0"`),
        },
        "main.js",
      );
      const { supervisor } = app;
      await supervisor.start();
      for (let round = 1; round <= 30; round++) {
        app.app.write("page.js", exported(style, "text", `"page ${round}"`));
        await supervisor.reload();
        supervisor.signal("SIGUSR2");
        assert.equal(await supervisor.call("shown"), `page ${round} ${round}`);
      }
    });
  }
});

describe("a request during the first start", { skip: plainMode }, () => {
  for (const style of styles) {
    test(`${style}: leaves the state of what the start goes on with`, async () => {
      // The entry listens, and goes on: its request of itself is no writing of its.
      const main = `${server(style)}server.on("listening", async () => {
  const { port } = server.address();
  await (await fetch("http://127.0.0.1:" + port + "/add")).text();
  await (await fetch("http://127.0.0.1:" + port + "/add")).text();
});\n`;
      await using app = storeApp(style, main);
      await using served = await serve(app, "main.js");
      for (let round = 1; round <= 20; round++) {
        app.write("page.js", exported(style, "text", `"page ${round}"`));
        assert.ok(Number((await served.text("/add")).split(" ").at(-1)) >= round);
      }
    });
  }
});
