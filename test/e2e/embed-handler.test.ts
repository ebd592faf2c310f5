/** `supervisor.handler` and `supervisor.upgrade` in the hosts that people have, next to the host's own routes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { Readable } from "node:stream";
import { test } from "node:test";
import express, { type ErrorRequestHandler } from "express";
import Fastify from "fastify";
import Koa from "koa";
import { WebSocket } from "ws";
import { eventually, within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { KeptConnection, requestOnce } from "../support/http-client.js";

const app = {
  "app.js": `import { text } from "./text.js";
export default (req, res) => {
  let size = 0;
  req.on("data", (chunk) => (size += chunk.length));
  req.on("end", () => res.end([text, req.method, req.url, size].join(" ")));
};
`,
  "text.js": `export const text = "one";\n`,
};

test("in an http server it answers, next to the host's own route, and each edit shows on the same connection", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const origin = await embedded.host(
    http.createServer((request, response) => {
      if (request.url === "/host") response.end("the host");
      else embedded.supervisor.handler(request, response);
    }),
  );
  const client = new KeptConnection(origin);
  try {
    assert.equal((await client.request("/a")).body, "one GET /a 0");
    assert.equal((await client.request("/host")).body, "the host");
    embedded.app.edit("text.js", "one", "two");
    assert.equal((await client.request("/b", { method: "POST", body: "12345" })).body, "two POST /b 5");
    assert.equal(client.opened, 1);
    assert.deepEqual(embedded.supervisor.inspect().addresses, []);
  } finally {
    client.close();
  }
});

test("in Express it answers below its path, and failures reach the error handler", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const host = express();
  host.get("/host", (_request, response) => void response.send("the host"));
  host.use("/app", embedded.supervisor.handler);
  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    const { name, code, message, status } = error as Error & { code?: string; status?: number };
    response.status(status ?? 500).json({ name, code, message });
  };
  host.use(onError);
  const origin = await embedded.host(http.createServer(host));
  const answer = await requestOnce(`${origin}/app/a`);
  assert.equal(answer.body, "one GET /a 0");
  assert.equal(answer.headers["x-powered-by"], "Express");
  assert.equal((await requestOnce(`${origin}/host`)).body, "the host");

  embedded.app.write("text.js", `export const text = "one`);
  const broken = await requestOnce(`${origin}/app/a`);
  assert.equal(broken.status, 500);
  assert.equal((JSON.parse(broken.body) as { code: string }).code, "ERR_UNRELOADER_COMPILE");
  embedded.app.write("text.js", `throw new RangeError("too far");\nexport const text = "one";`);
  const thrown = JSON.parse((await requestOnce(`${origin}/app/a`)).body) as Record<string, unknown>;
  assert.deepEqual([thrown.name, thrown.message], ["RangeError", "too far"]);
  embedded.app.write("text.js", `export const text = "mended";`);
  assert.equal((await requestOnce(`${origin}/app/a`)).body, "mended GET /a 0");
});

test("behind a body parser it says that the body was read", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const host = express().use(express.json(), embedded.supervisor.handler);
  const onError: ErrorRequestHandler = (error, _request, response, _next) =>
    void response.send((error as Error).message);
  const origin = await embedded.host(http.createServer(host.use(onError)));
  const ask = { method: "POST", headers: { "content-type": "application/json" }, body: `{"a":1}` };
  assert.match(
    (await requestOnce(`${origin}/x`, ask)).body,
    /^the body of POST \/x was read before supervisor\.handler/,
  );
  assert.equal((await requestOnce(`${origin}/x`)).body, "one GET /x 0");
});

test("in Fastify it answers by a hijacked reply, with its body when the scope parses none", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const host = Fastify();
  host.get("/host", async () => "the host");
  await host.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    scope.all("/*", (request, reply) => {
      reply.hijack();
      embedded.supervisor.handler(request.raw, reply.raw);
    });
  });
  await host.ready();
  const origin = await embedded.host(host.server);
  assert.equal((await requestOnce(`${origin}/a`)).body, "one GET /a 0");
  const ask = { method: "POST", headers: { "content-type": "application/json" }, body: `{"a":1}` };
  assert.equal((await requestOnce(`${origin}/a`, ask)).body, "one POST /a 7");
  assert.equal((await requestOnce(`${origin}/host`)).body, "the host");
  embedded.app.edit("text.js", "one", "two");
  assert.equal((await requestOnce(`${origin}/a`)).body, "two GET /a 0");
});

test("in Koa it answers for what the host leaves to it, and failures reach Koa's error handling", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const host = new Koa();
  const errors: unknown[] = [];
  host.on("error", (error) => errors.push(error));
  host.use(async (ctx) => {
    if (ctx.path === "/host") {
      ctx.body = "the host";
      return;
    }
    ctx.respond = false;
    await new Promise<void>((resolve, reject) => {
      ctx.res.once("close", resolve);
      embedded.supervisor.handler(ctx.req, ctx.res, (error) => {
        ctx.respond = true;
        reject(error);
      });
    });
  });
  const origin = await embedded.host(http.createServer(host.callback()));
  assert.deepEqual(await requestOnce(`${origin}/a`).then(({ status, body }) => [status, body]), [200, "one GET /a 0"]);
  assert.equal((await requestOnce(`${origin}/host`)).body, "the host");
  embedded.app.write("text.js", `export const text = "one`);
  assert.equal((await requestOnce(`${origin}/a`)).status, 500);
  assert.equal(errors.length, 1);
});

test("in an HTTP/2 server many streams of one session are answered", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const host = http2.createServer((request, response) => {
    embedded.supervisor.handler(request as unknown as http.IncomingMessage, response as unknown as http.ServerResponse);
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  const session = http2.connect(`http://127.0.0.1:${(host.address() as net.AddressInfo).port}`);
  try {
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const stream = session.request({ ":path": `/${index}`, ":method": index % 2 === 0 ? "GET" : "POST" });
        stream.end(index % 2 === 0 ? undefined : "x".repeat(index));
        let body = "";
        for await (const chunk of stream.setEncoding("utf8")) body += chunk;
        return body;
      }),
    );
    bodies.forEach((body, index) => {
      assert.equal(body, index % 2 === 0 ? `one GET /${index} 0` : `one POST /${index} ${index}`);
    });
  } finally {
    session.close();
    await new Promise((resolve) => host.close(resolve));
  }
});

test("without next the failure page is the answer, and the host's routes live on", async () => {
  await using embedded = new EmbeddedApp({ ...app, "text.js": `export const text = "one` }, "app.js");
  const origin = await embedded.mount();
  const broken = await requestOnce(`${origin}/`);
  assert.equal(broken.status, 500);
  assert.match(broken.body, /text\.js:1:\d+/);
  assert.deepEqual(embedded.supervisor.inspect().addresses, []);
  embedded.app.write("text.js", `export const text = "mended";`);
  assert.equal((await requestOnce(`${origin}/`)).body, "mended GET / 0");
});

test("300 edits, each followed at once by a request through the handler: none is stale", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const client = new KeptConnection(await embedded.mount());
  try {
    await client.request("/");
    const stale: number[] = [];
    for (let edit = 0; edit < 300; edit++) {
      embedded.app.write("text.js", `export const text = "edit${edit}";\n`);
      const { body } = await client.request("/");
      if (body !== `edit${edit} GET / 0`) stale.push(edit);
    }
    assert.deepEqual(stale, []);
    assert.equal(client.opened, 1);
  } finally {
    client.close();
  }
});

test("the app sees its client's own address and port", async () => {
  await using embedded = new EmbeddedApp(
    { "app.js": `export default (req, res) => res.end(req.socket.remoteAddress + " " + req.socket.remotePort);` },
    "app.js",
  );
  const origin = new URL(await embedded.mount());
  const socket = net.connect(Number(origin.port), "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let answer = "";
  const { localPort } = socket;
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, new RegExp(`127\\.0\\.0\\.1 ${localPort}$`));
});

const streaming = {
  "app.js": `
export const seen = [];
export const events = () => seen;
let total = 0;
export const sent = () => total;
export default (req, res) => {
  if (req.url === "/endless") {
    const chunk = Buffer.alloc(65536);
    const write = () => {
      while (!res.destroyed) {
        total += chunk.length;
        if (!res.write(chunk)) return res.once("drain", write);
      }
    };
    write();
    res.on("close", () => seen.push("closed"));
  } else if (req.url === "/slow") {
    seen.push("begun");
    res.on("close", () => seen.push("closed"));
  } else if (req.url === "/upload") {
    req.on("error", (error) => seen.push(error.code));
    req.once("data", () => seen.push("data"));
  } else if (req.url === "/cut") {
    res.write("half");
    setImmediate(() => res.destroy());
  } else if (req.url === "/destroy") {
    req.socket.destroy();
  } else if (req.url === "/die") {
    process.exit(7);
  } else if (req.url === "/die-later") {
    res.write("half");
    setTimeout(() => process.exit(7), 20);
  } else {
    res.end("fine");
  }
};
`,
};

async function seen(embedded: EmbeddedApp, event: string): Promise<void> {
  await eventually(
    async () => (await embedded.supervisor.call("events")) as string[],
    (events) => events.includes(event),
    `the app to see "${event}"`,
  );
}

test("a client that goes away is gone for the app too, before the answer and while it is sent", async () => {
  await using embedded = new EmbeddedApp(streaming, "app.js");
  const origin = await embedded.mount();
  const waiting = http.get(`${origin}/slow`).on("error", () => {});
  await seen(embedded, "begun");
  waiting.destroy();
  await seen(embedded, "closed");

  const upload = http.request(`${origin}/upload`, { method: "POST" }).on("error", () => {});
  upload.write("some");
  await seen(embedded, "data");
  upload.destroy();
  await seen(embedded, "ECONNRESET");
});

test("a client that does not read stops the app from writing", async () => {
  await using embedded = new EmbeddedApp(streaming, "app.js");
  const origin = await embedded.mount();
  const request = http.get(`${origin}/endless`);
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  answer.on("error", () => {});
  let before = -1;
  // Two looks a while apart that show the same: it has stopped.
  const total = await eventually(
    async () => {
      const last = before;
      before = (await embedded.supervisor.call("sent")) as number;
      await embedded.supervisor.fetch("/").then((response) => response.text());
      return last === before ? before : -1;
    },
    (bytes) => bytes > 0,
    "the app to stop writing",
  );
  assert.ok(total < 30_000_000, `${total} bytes were written`);
  request.destroy();
  await seen(embedded, "closed");
});

test("an app that cuts its answer or closes the connection does so to the client", async () => {
  await using embedded = new EmbeddedApp(streaming, "app.js");
  const origin = await embedded.mount();
  await assert.rejects(requestOnce(`${origin}/cut`), /aborted|socket hang up|ECONNRESET/);
  await assert.rejects(requestOnce(`${origin}/destroy`), /socket hang up|ECONNRESET/);
  assert.equal((await requestOnce(`${origin}/`)).body, "fine");
});

test("a worker that dies before it answers gives 502, during the answer a cut, and the next request a fresh worker", async () => {
  await using embedded = new EmbeddedApp(streaming, "app.js");
  const origin = await embedded.mount();
  assert.equal((await requestOnce(`${origin}/`)).body, "fine");
  const died = await requestOnce(`${origin}/die`);
  assert.deepEqual([died.status, /process\.exit\(7\)/.test(died.body)], [502, true]);
  await assert.rejects(requestOnce(`${origin}/die-later`), /aborted|socket hang up|ECONNRESET/);
  // One that ends so soon after its start waits for a change.
  embedded.app.append("app.js", "// edited\n");
  assert.equal((await requestOnce(`${origin}/`)).body, "fine");
});

test("a worker that dies gives next an error with a code", async () => {
  await using embedded = new EmbeddedApp(streaming, "app.js");
  const errors: unknown[] = [];
  const origin = await embedded.host(
    http.createServer((request, response) =>
      embedded.supervisor.handler(request, response, (error) => {
        errors.push(error);
        response.end("told");
      }),
    ),
  );
  assert.equal((await requestOnce(`${origin}/die`)).body, "told");
  const [error] = errors as [Error & { code: string; status: number }];
  assert.deepEqual([error.code, error.status], ["ERR_UNRELOADER_WORKER_EXIT", 502]);
});

test("large bodies pass in both directions unchanged", async () => {
  await using embedded = new EmbeddedApp({ "app.js": `export default (req, res) => void req.pipe(res);` }, "app.js");
  const origin = await embedded.mount();
  const sent = Buffer.alloc(20_000_000, "0123456789abcdef-");
  const response = await fetch(`${origin}/`, {
    method: "POST",
    body: Readable.toWeb(Readable.from(chunksOf(sent))) as ReadableStream,
    duplex: "half",
  });
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(sent));
});

function* chunksOf(bytes: Buffer): Iterable<Buffer> {
  for (let start = 0; start < bytes.length; start += 100_000) yield bytes.subarray(start, start + 100_000);
}

test("an app that listens itself keeps its port, and the handler serves its first server", async () => {
  await using embedded = new EmbeddedApp(
    {
      "app.js": `import http from "node:http";
import { text } from "./text.js";
http.createServer((req, res) => res.end("first " + text)).listen(0, "127.0.0.1");
http.createServer((req, res) => res.end("second " + text)).listen(0, "127.0.0.1");
`,
      "text.js": `export const text = "one";\n`,
    },
    "app.js",
  );
  const origin = await embedded.mount();
  assert.equal((await requestOnce(`${origin}/`)).body, "first one");
  const [own, second] = embedded.supervisor.inspect().addresses as net.AddressInfo[];
  assert.equal((await requestOnce(`http://127.0.0.1:${own?.port}/`)).body, "first one");
  assert.equal((await requestOnce(`http://127.0.0.1:${second?.port}/`)).body, "second one");
  for (const text of ["two", "three"]) {
    embedded.app.write("text.js", `export const text = "${text}";\n`);
    assert.equal((await requestOnce(`${origin}/`)).body, `first ${text}`);
  }
  embedded.app.append("app.js", "\n// edited\n");
  assert.equal((await requestOnce(`${origin}/`)).body, "first three");
  assert.deepEqual(embedded.supervisor.inspect().addresses, [own, second]);
});

const sockets = {
  "app.js": `import http from "node:http";
import { WebSocketServer } from "ws";
import { text } from "./text.js";
export const server = http.createServer((req, res) => res.end("plain " + req.url));
new WebSocketServer({ server, path: "/ws" }).on("connection", (socket, req) => {
  socket.on("message", (message) => socket.send(text() + " " + message + " " + req.socket.remoteAddress));
});
`,
  "text.js": `export const text = () => "one";\n`,
};

test("WebSockets pass through upgrade, survive an edit, and see it", async () => {
  await using embedded = new EmbeddedApp(sockets, "app.js", {}, ["ws"]);
  const origin = await embedded.mount();
  const socket = new WebSocket(`${origin.replace("http", "ws")}/ws`);
  try {
    await within(once(socket, "open"), "the WebSocket to open");
    const ask = async (message: string) => {
      socket.send(message);
      const [answer] = await within(once(socket, "message"), "the answer");
      return String(answer);
    };
    assert.equal(await ask("a"), "one a 127.0.0.1");
    embedded.app.edit("text.js", "one", "two");
    await embedded.supervisor.reload();
    assert.equal(await ask("b"), "two b 127.0.0.1");
  } finally {
    socket.terminate();
  }
});

test("an upgrade that the app refuses is answered, and what comes after it is not taken from the host", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const origin = await embedded.mount();
  const socket = net.connect(Number(new URL(origin).port), "127.0.0.1");
  const head = "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  socket.setEncoding("latin1").write(head);
  const [answer] = await within(once(socket, "data"), "the answer");
  assert.match(String(answer), /one GET \/x 0$/);
  const ended = once(socket, "end");
  socket.write("GET /host HTTP/1.1\r\nHost: x\r\n\r\n");
  await within(ended, "the connection to be closed");
  socket.destroy();
});

test("an upgrade while the newest code is broken gets the failure page", async () => {
  await using embedded = new EmbeddedApp(sockets, "app.js", {}, ["ws"]);
  const origin = await embedded.mount();
  await requestOnce(`${origin}/`);
  embedded.app.write("text.js", "export const");
  const socket = new WebSocket(`${origin.replace("http", "ws")}/ws`);
  const [error] = await within(once(socket, "error"), "the refusal");
  assert.match((error as Error).message, /500/);
});

const closing = {
  "app.js": `import http from "node:http";
let connections = 0;
let left = 0;
export const server = http.createServer((req, res) => res.end(String(connections)));
server.on("connection", () => connections++);
server.on("drop", () => {
  if (--left === 0) server.maxConnections = null;
});
export const closeIdle = () => server.closeIdleConnections();
export const dropNext = (count) => {
  left = count;
  server.maxConnections = 0;
};
`,
};

test("connections that the app closes while they are idle, or before it reads, lose no request", async () => {
  await using embedded = new EmbeddedApp(closing, "app.js");
  const client = new KeptConnection(await embedded.mount());
  try {
    assert.equal((await client.request("/")).body, "1");
    await embedded.supervisor.call("closeIdle");
    assert.equal((await client.request("/")).body, "2");
    await embedded.supervisor.call("closeIdle");
    await embedded.supervisor.call("dropNext", 2);
    assert.equal((await client.request("/", { method: "POST", body: "abc" })).body, "3");
    assert.equal(client.opened, 1);
  } finally {
    client.close();
  }
});

test("requests that come while the worker is replaced wait for the fresh one", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const origin = await embedded.mount();
  await requestOnce(`${origin}/`);
  const restarted = embedded.supervisor.restart();
  const answers = Array.from({ length: 30 }, (_, index) =>
    requestOnce(`${origin}/${index}`, { method: "POST", body: "x".repeat(index * 20_000) }),
  );
  const bodies = (await Promise.all(answers)).map(({ body }) => body);
  bodies.forEach((body, index) => {
    assert.equal(body, `one POST /${index} ${index * 20_000}`);
  });
  assert.equal((await restarted).kind, "restarted");
  assert.equal(embedded.supervisor.inspect().epoch, 2);
});

test("with onError last-good the handler goes on with the generation that works", async () => {
  await using embedded = new EmbeddedApp(app, "app.js", { onError: "last-good" });
  const origin = await embedded.mount();
  assert.equal((await requestOnce(`${origin}/`)).body, "one GET / 0");
  embedded.app.write("text.js", "export const");
  assert.equal((await requestOnce(`${origin}/`)).body, "one GET / 0");
  assert.equal((await embedded.supervisor.fetch("/").then((response) => response.text())).slice(0, 3), "one");
});

test("where no upgrade is mounted, an upgrade is a plain request to the app", async () => {
  await using embedded = new EmbeddedApp(sockets, "app.js", {}, ["ws"]);
  const origin = await embedded.host(http.createServer(embedded.supervisor.handler));
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  assert.equal((await requestOnce(`${origin}/ws`, { headers })).body, "plain /ws");
});

test("a request to the host after close is answered 503, and one with next gets the error", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const origin = await embedded.mount();
  await requestOnce(`${origin}/`);
  await embedded.supervisor.close();
  assert.equal((await requestOnce(`${origin}/`)).status, 503);
  const error = await new Promise((resolve) => {
    const host = http.createServer((request, response) =>
      embedded.supervisor.handler(request, response, (failure) => {
        response.end();
        resolve(failure);
      }),
    );
    void embedded.host(host).then((other) => requestOnce(`${other}/`));
  });
  assert.equal((error as { code?: string }).code, "ERR_UNRELOADER_CLOSED");
});
