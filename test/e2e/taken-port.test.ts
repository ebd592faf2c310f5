/** A port that somebody else has, and the port of an app that has not come to listen. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { likelyPort } from "../../src/supervisor/likely-port.js";
import { freePort } from "../support/free-port.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const skip = plainMode && "a supervisor's own doing";

async function occupied(): Promise<Server & { port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(server, { port: (server.address() as { port: number }).port });
}

const MAIN = `const http = require("node:http");
http.createServer((req, res) => res.end("one")).listen(Number(process.env.WANTED), "127.0.0.1");
`;

test("a port that is taken: it is said who has it, and the app starts when it is free", { skip }, async () => {
  const occupant = await occupied();
  try {
    await using app = new TempApp({ "main.js": MAIN });
    await using served = await serve(app, "main.js", {
      env: { WANTED: String(occupant.port), PORT: "" },
      announced: /is taken by/,
    });
    const [line = ""] = served.lines.matching(/is taken by/);
    assert.match(
      line,
      new RegExp(
        `^unreloader: error: port ${occupant.port} is taken by .*: the app starts again when it is free; --port N or --port-fallback takes another one$`,
      ),
    );
    if (process.platform === "linux") assert.match(line, new RegExp(`node.* \\(pid ${process.pid}\\)`));
    occupant.close();
    await served.lines.wait(/listening on/);
    assert.equal((await requestOnce(`http://127.0.0.1:${occupant.port}/`)).body, "one");
    // Neither was a page shown elsewhere, nor was it tried in vain meanwhile.
    assert.deepEqual(served.lines.matching(/listening on/).length, 1);
    assert.deepEqual(served.lines.matching(/^Error: listen EADDRINUSE/).length, 1);
  } finally {
    occupant.close();
  }
});

test("--port-fallback takes the next one, says so, and keeps it", { skip }, async () => {
  const occupant = await occupied();
  try {
    await using app = new TempApp({ "main.js": MAIN });
    await using served = await serve(app, "main.js", {
      env: { WANTED: String(occupant.port) },
      flags: ["--port-fallback"],
    });
    assert.equal(await served.text("/"), "one");
    assert.ok(served.port > occupant.port && served.port <= occupant.port + 100);
    await served.lines.wait(new RegExp(`port ${occupant.port} is taken by .*: ${served.port} is used instead`));
    app.edit("main.js", "one", "two");
    assert.equal(await served.text("/"), "two");
    assert.equal(served.connectionsOpened, 1);
  } finally {
    occupant.close();
  }
});

test("a start that fails before it listens is shown where the app would have listened", { skip }, async () => {
  const port = await freePort();
  await using app = new TempApp({
    "main.js": 'require("./server.js");',
    "server.js": `throw new Error("early");\nrequire("node:http").createServer().listen({ port: ${port} });`,
  });
  await using served = await serve(app, "main.js", { env: { PORT: "" } });
  assert.equal(served.port, port);
  assert.match((await served.get("/")).body, /early/);
});

test("the port of an app is read from its texts, and none is invented", () => {
  const port = (...texts: string[]) => likelyPort(texts);
  assert.equal(port("import './server.js'", "app.listen(8080, () => {})"), 8080);
  assert.equal(port("app.listen({ host: '::', port: 8081 })"), 8081);
  assert.equal(port("serve({ fetch: app.fetch, port: 8787 })"), 8787);
  assert.equal(port("const port = process.env.PORT || 4000; app.listen(port)"), 4000);
  assert.equal(port("const port = Number(process.env['PORT'] ?? '4001');"), 4001);
  assert.equal(port("app.listen(config.port)"), 0);
  assert.equal(port("app.listen(99999)"), 0);
  assert.equal(port("export default app"), undefined);
});
