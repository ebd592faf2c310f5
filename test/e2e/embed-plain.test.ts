/** `createSupervisor({ reload: false })`: the same interface over an app in this thread. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createSupervisor, type Supervisor, UnreloaderError } from "../../src/index.js";
import { watchLeftovers } from "../support/leftovers.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": `{ "name": "app", "type": "module" }\n`,
  "app.ts": `import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "./text.js";
export const sum = (a: number, b: number): number => a + b;
export default (request: IncomingMessage, response: ServerResponse): void => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => response.end([text, request.method, request.url, Buffer.concat(chunks)].join(" ")));
};
`,
  "text.ts": `export const text: string = "one";\n`,
};

function plain(app: TempApp, entry: string, options: object = {}): Supervisor {
  return createSupervisor({ entry: app.path(entry), reload: false, ...options });
}

test("fetch, call, handler and listen reach the app; reload and restart change nothing", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp(files);
  const leftovers = watchLeftovers();
  await using supervisor = plain(app, "app.ts");
  const answer = await supervisor.fetch("/x?a=b", { method: "POST", body: "body" });
  assert.equal(await answer.text(), "one POST /x?a=b body");
  assert.equal(await supervisor.call("sum", 1, 2), 3);
  app.edit("text.ts", "one", "two");
  supervisor.clear();
  for (const report of [await supervisor.reload(), await supervisor.restart()])
    assert.deepEqual([report.kind, report.loaded, report.generation], ["unchanged", [], 1]);
  assert.equal(await (await supervisor.fetch("/")).text(), "one GET / ");

  const host = createServer(supervisor.handler);
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  const origin = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  assert.equal(await (await fetch(`${origin}/mounted`)).text(), "one GET /mounted ");
  await supervisor.listen(0);
  const [address] = supervisor.inspect().addresses as AddressInfo[];
  assert.equal(await (await fetch(`http://127.0.0.1:${address?.port}/own`)).text(), "one GET /own ");
  await supervisor.close();
  assert.equal(host.listening, true, "the host's server is the host's");
  host.closeAllConnections();
  await new Promise((resolve) => host.close(resolve));
  await leftovers.check();
});

test("start and listen reject with what the app throws, and handlers give it to next", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({ ...files, "broken.ts": `throw new Error("at start");` });
  await using supervisor = plain(app, "broken.ts");
  await assert.rejects(supervisor.listen(0), /at start/);
  const given = new Promise((resolve) => supervisor.handler({} as never, {} as never, resolve));
  assert.match(String(await given), /at start/);
});

test("an entry that is no app has none to ask, and a closed supervisor says so", { skip: plainMode }, async () => {
  await using app = new TempApp({ ...files, "bot.ts": `export const name: string = "bot";` });
  await using supervisor = plain(app, "bot.ts");
  const code = (wanted: string) => (error: unknown) => error instanceof UnreloaderError && error.code === wanted;
  await supervisor.start();
  await assert.rejects(supervisor.fetch("/"), code("ERR_UNRELOADER_NO_APP"));
  await assert.rejects(supervisor.call("gone"), code("ERR_UNRELOADER_CALL"));
  await supervisor.close();
  await supervisor.close();
  await assert.rejects(supervisor.reload(), code("ERR_UNRELOADER_CLOSED"));
});

test("call finds the same function, or says the same, whether the app is reloaded or not", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    ...files,
    "jobs.ts": `export const one = (): number => 1;
export default class Jobs {
  static factor = 3;
  static triple(value: number): number { return value * this.factor; }
}
`,
  });
  for (const reload of [true, false]) {
    await using supervisor = createSupervisor({ entry: app.path("jobs.ts"), reload });
    const why = `reload: ${reload}`;
    assert.deepEqual([await supervisor.call("one"), await supervisor.call("triple", 4)], [1, 12], why);
    for (const name of ["factor", "call", "toString", "gone"])
      await assert.rejects(
        supervisor.call(name),
        { code: "ERR_UNRELOADER_CALL", message: `the entry exports no function ${name}: it exports default, one` },
        why,
      );
  }
});
