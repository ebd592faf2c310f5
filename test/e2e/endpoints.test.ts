/** What is asked of the supervisor over HTTP while it serves an app. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { within } from "../support/deadline.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const FILES = {
  "main.js": `const page = require("./page");
require("node:http").createServer((req, res) => res.end(page + req.url)).listen(process.env.PORT, "127.0.0.1");
`,
  "page.js": `module.exports = "one ";\n`,
};

interface Ready {
  readonly ready: boolean;
  readonly reason?: string;
  readonly generation: number;
  readonly content: string;
}

test("live, ready, state and events answer beside the app, which has all other paths", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp(FILES);
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/__unreloader/other"), "one /__unreloader/other");
  assert.equal(await served.text("/__unreloader"), "one /__unreloader");
  const own = async <Shape>(path: string) => JSON.parse((await served.getOnce(`/__unreloader/${path}`)).body) as Shape;
  const state = await own<{ generation: number; content: string; live: boolean; root: string }>("state");
  assert.deepEqual([state.generation, state.live, state.root], [1, true, app.folder]);
  assert.equal((await own<{ live: boolean }>("live")).live, true);
  assert.equal((await own<Ready>(`ready?generation=1&content=${state.content}`)).ready, true);
  assert.equal((await served.getOnce("/__unreloader/ready?generation=2")).status, 503);
  assert.equal((await served.getOnce("/__unreloader/ready?generation=two")).status, 400);
  assert.equal((await served.getOnce("/__unreloader/live", { headers: { host: "evil.com" } })).status, 403);
  assert.equal((await served.getOnce("/__unreloader/state", { method: "DELETE" })).status, 405);
  assert.equal((await served.getOnce("/__unreloader/state", { method: "POST" })).status, 403);

  const events = await listen(served.origin);
  assert.match(await events.until("state"), /"generation":1/);
  const ready = own<Ready>("ready?generation=2&timeout=20000");
  app.write("page.js", `module.exports = "two ";\n`);
  assert.match(await events.until("reload"), /"generation":2.*page\.js/);
  assert.deepEqual([(await ready).ready, (await ready).generation], [true, 2]);
  assert.notEqual((await ready).content, state.content);
  app.write("page.js", "module.exports = (;\n");
  assert.match(await events.until("failed"), /page\.js/);
  const failed = await own<Ready>("ready");
  assert.deepEqual([failed.ready, failed.generation], [false, 2]);
  assert.match(String(failed.reason), /the newest code does not work .*page\.js:1:/);
  app.write("page.js", `module.exports = "three ";\n`);
  assert.equal((await own<Ready>("ready?generation=3&timeout=20000")).ready, true);

  // The same connection, in pieces, before and after a request to the app.
  const client = net.connect(served.port, "127.0.0.1");
  client.setEncoding("utf8");
  let received = "";
  client.on("data", (text: string) => {
    received += text;
  });
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  client.write(get("/first"));
  while (!received.includes("three /first")) await within(once(client, "data"), "the app's answer");
  for (const piece of ["GET /__unrel", "oader/li", "ve HTTP/1.1\r\nHost: local", "host\r\n\r\n"]) {
    client.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await within(once(client, "end"), "the end after the supervisor's answer");
  assert.match(received, /three \/first.*HTTP\/1\.1 200 OK.*connection: close.*"live":true/s);
  // An open stream of events holds nothing up.
  const ended = once(events.response, "end");
  await served.stop("SIGINT");
  await within(ended, "the end of the events");
});

test("--no-panel leaves all paths to the app", { skip: plainMode }, async () => {
  await using app = new TempApp(FILES);
  await using served = await serve(app, "main.js", { flags: ["--no-panel"] });
  for (const path of ["/__unreloader/", "/__unreloader/live", "/__unreloader/ready"])
    assert.equal((await requestOnce(served.origin + path)).body, `one ${path}`);
  app.write("page.js", "module.exports = (;\n");
  const page = await served.getOnce("/", { headers: { accept: "text/html" } });
  assert.doesNotMatch(page.body, /__unreloader|formaction/);
});

interface Events {
  readonly response: http.IncomingMessage;
  /** The text of the next event of that name. */
  until(name: string): Promise<string>;
}

async function listen(origin: string): Promise<Events> {
  const request = http.get(`${origin}/__unreloader/events`, { agent: false });
  const [response] = (await within(once(request, "response"), "the events")) as [http.IncomingMessage];
  response.setEncoding("utf8");
  let text = "";
  response.on("data", (more: string) => {
    text += more;
  });
  const find = (name: string): string | undefined => {
    const [found, data] = new RegExp(`event: ${name}\ndata: (.*)\n\n`).exec(text) ?? [];
    if (found === undefined) return undefined;
    text = text.slice(text.indexOf(found) + found.length);
    return data;
  };
  return {
    response,
    async until(name) {
      for (let data = find(name); ; data = find(name)) {
        if (data !== undefined) return data;
        await within(once(response, "data"), `the event ${name}`);
      }
    },
  };
}
