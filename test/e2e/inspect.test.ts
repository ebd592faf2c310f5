/** A debugger attached to the app, over the protocol: breakpoints by file and line of the source, over reloads. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DebuggerClient } from "../support/debugger-client.js";
import { freePort } from "../support/free-port.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "main.ts": `import http from "node:http";
import { price } from "./price.ts";

http
  .createServer((_request, response) => {
    response.end(String(price({ amount: 2 })));
  })
  .listen(process.env.PORT, "127.0.0.1");
`,
  "price.ts": `import { tax } from "./tax.cjs";

interface Order {
  readonly amount: number;
}

type Money = number;

export function price(order: Order): Money {
  const net: Money = order.amount * 100;
  return net + tax(net);
}
`,
  "tax.cjs": `exports.tax = function tax(net) {
  const rate = 0.2;
  return net * rate;
};
`,
};

const PRICE_LINE = 10;
const TAX_LINE = 3;

/** The address of the debugger that Node prints, from the line `since` on. */
async function debuggerOf(served: ServedApp, since = 0): Promise<string> {
  const line = await served.lines.wait(/Debugger listening on ws:/, since);
  return /ws:\S+/.exec(line)?.[0] ?? "";
}

describe("--inspect", { skip: plainMode }, () => {
  test("breakpoints by source line hold before and after reloads, in ES modules and CommonJS", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.ts", { flags: ["--inspect=127.0.0.1:0"] });
    await using client = await DebuggerClient.attach(await debuggerOf(served));
    const price = pathToFileURL(app.path("price.ts")).href;
    const tax = pathToFileURL(app.path("tax.cjs")).href;
    await client.breakAt(price, PRICE_LINE);
    await client.breakAt(tax, TAX_LINE);

    const ask = async (expected: string): Promise<void> => {
      const answer = served.get("/");
      answer.catch(() => {}); // A failed assertion below ends the process that answers.
      assert.deepEqual(await client.stopped(), { url: price, line: PRICE_LINE, functionName: "price" });
      await client.resume();
      assert.deepEqual(await client.stopped(), { url: tax, line: TAX_LINE, functionName: "tax" });
      await client.resume();
      const { status, body } = await answer;
      assert.deepEqual([status, body], [200, expected]);
    };
    await ask("240");
    app.edit("price.ts", "* 100", "* 1000");
    await ask("2400");
    app.edit("tax.cjs", "0.2", "0.5");
    await ask("3000");
  });

  test("a fresh worker opens the debugger again, at the same address", async () => {
    await using app = new TempApp({ ...files, "app.env": "A=1\n" });
    const address = `127.0.0.1:${await freePort()}`;
    await using served = await serve(app, "main.ts", { flags: [`--inspect=${address}`, "--env-file", "app.env"] });
    const first = await debuggerOf(served);
    assert.ok(first.startsWith(`ws://${address}/`), first);
    const since = served.lines.all.length;
    app.write("app.env", "A=2\n");
    await served.text("/");
    const second = await debuggerOf(served, since);
    assert.ok(second.startsWith(`ws://${address}/`), second);
    await using client = await DebuggerClient.attach(second);
    const price = pathToFileURL(app.path("price.ts")).href;
    await client.breakAt(price, PRICE_LINE);
    const answer = served.get("/");
    assert.equal((await client.stopped()).line, PRICE_LINE);
    await client.resume();
    assert.equal((await answer).body, "240");
  });

  test("a port that is taken is said, and the app runs without a debugger", async () => {
    await using app = new TempApp(files);
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    try {
      await using served = await serve(app, "main.ts", { flags: [`--inspect=${port}`] });
      await served.lines.wait(
        new RegExp(`warning: no debugger can attach: 127\\.0\\.0\\.1:${port} could not be opened`),
      );
      assert.equal(await served.text("/"), "240");
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  test("the process ends when it is told to while the app stands at a breakpoint", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.ts", { flags: ["--inspect=127.0.0.1:0"] });
    const client = await DebuggerClient.attach(await debuggerOf(served));
    await client.breakAt(pathToFileURL(app.path("price.ts")).href, PRICE_LINE);
    served.get("/").catch(() => {});
    await client.stopped();
    assert.deepEqual(await served.stop(), { code: 0, signal: null });
    await client[Symbol.asyncDispose]();
  });
});
