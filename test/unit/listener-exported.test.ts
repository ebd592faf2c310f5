import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express from "express";
import { fastify } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { appKind, serveExported } from "../../src/common/exported-app/exported-app.js";
import { within } from "../support/deadline.js";

/** It has no types of its own. */
const polka = createRequire(import.meta.url)("polka") as () => {
  get(path: string, handler: http.RequestListener): unknown;
};

const listener = (_: IncomingMessage, response: ServerResponse) => {
  response.end("answer");
};

const expressApp = () => express().get("/", (_, response) => void response.send("answer"));
const koaApp = () =>
  new Koa().use((context) => {
    context.body = "answer";
  });
const fastifyApp = () => fastify().get("/", async () => "answer");
const honoApp = () => new Hono().get("/", (context) => context.text("answer"));

const APPS: Record<string, () => unknown> = {
  "a listener": () => listener,
  "an object with fetch": () => ({ fetch: () => new Response("answer") }),
  "an Express app": expressApp,
  "a Polka app": () => polka().get("/", listener),
  "a Koa app": koaApp,
  "a Fastify instance": fastifyApp,
  "a Hono app": honoApp,
  "a server that does not listen": () => http.createServer(listener),
  "a function that gives an app": () => expressApp,
  "an async function that gives an app": () => async () => honoApp(),
  "an async function that gives a Fastify instance": () => async () => fastifyApp(),
  "a promise of an app": () => Promise.resolve(koaApp()),
};

for (const [name, make] of Object.entries(APPS)) {
  test(`serves ${name}`, async () => {
    assert.equal(await ask(await serveExported({ default: make() })), "answer");
    assert.equal(await ask(await serveExported({ other: 1, mine: make() }, { app: "mine" })), "answer");
  });
}

test("takes the first of default, app, handler and server that is an app, inside module.exports too", async () => {
  const app = () => (_: unknown, response: ServerResponse) => response.end("app");
  assert.equal(await ask(await serveExported({ default: { not: "one" }, app: app(), server: listener })), "app");
  assert.equal(await ask(await serveExported({ default: { app: app() } })), "app");
  assert.equal(await serveExported({ default: 3, other: listener }), undefined);
});

test("an asked export that is missing or no app is an error that lists what there is", async () => {
  class Model {}
  await assert.rejects(serveExported({ Model, start: () => {} }, { app: "web" }), (error: Error & { code: string }) => {
    assert.equal(error.code, "ERR_UNRELOADER_NO_APP");
    assert.match(error.message, /no export web.*Model \(class\), start \(function of 0\)/s);
    return true;
  });
  await assert.rejects(serveExported({ Model }, { app: "Model" }), { code: "ERR_UNRELOADER_NO_APP" });
});

test("classes, numbers and functions of one argument are no apps", () => {
  for (const value of [class {}, 1, "x", null, undefined, {}, [], (one: unknown) => one])
    assert.equal(appKind(value), "none");
});

test("the error of a factory is the app's own", async () => {
  const broken = () => {
    throw new TypeError("no database");
  };
  await assert.rejects(serveExported({ default: broken }), { name: "TypeError", message: "no database" });
});

test("a fetch app gets method, URL, headers and body, and its status, headers and cookies come back", async () => {
  const fetch = async (request: Request) => {
    const seen = [request.method, request.url, request.headers.get("x-a"), await request.text()];
    const headers = new Headers({ "X-B": "2" });
    headers.append("Set-Cookie", "a=1; Path=/");
    headers.append("Set-Cookie", "b=2");
    return new Response(JSON.stringify(seen), { status: 201, statusText: "Made", headers });
  };
  await using served = await serve({ fetch });
  const response = await request(
    served.port,
    { path: "//p?q=1", method: "PUT", headers: { "X-A": ["1", "2"] } },
    "body",
  );
  assert.equal(response.statusCode, 201);
  assert.equal(response.statusMessage, "Made");
  assert.deepEqual(response.headers["set-cookie"], ["a=1; Path=/", "b=2"]);
  const url = `http://127.0.0.1:${served.port}//p?q=1`;
  assert.deepEqual(JSON.parse((await response.toArray()).join("")), ["PUT", url, "1, 2", "body"]);
});

test("a fetch app streams both ways", async () => {
  const fetch = (request: Request) => new Response(request.body);
  await using served = await serve({ fetch });
  const outgoing = http.request({ port: served.port, host: "127.0.0.1", method: "POST" });
  outgoing.write("one");
  const [response] = (await within(once(outgoing, "response"), "the response")) as [IncomingMessage];
  const answers: string[] = [];
  for await (const chunk of response) {
    answers.push(String(chunk));
    if (answers.length === 1) outgoing.end("two");
  }
  assert.deepEqual(answers, ["one", "two"]);
});

test("a fetch app learns that the client broke off, and its stream is cancelled", async () => {
  const ends: Promise<unknown>[] = [];
  const fetch = (request: Request) => {
    ends.push(new Promise((resolve) => request.signal.addEventListener("abort", resolve)));
    const { promise, resolve } = withResolvers();
    ends.push(promise);
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from("first")),
        cancel: () => resolve(undefined),
      }),
    );
  };
  await using served = await serve({ fetch });
  const response = await request(served.port, {});
  await once(response, "data");
  response.destroy();
  await within(Promise.all(ends), "the end of the stream");
});

test("a fetch app that throws is a 500, and a stream that fails cuts the answer", async (context) => {
  context.mock.method(console, "error", () => {});
  const fetch = (request: Request) => {
    if (request.url.endsWith("/throw")) throw new Error("broken");
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from("first")),
        pull: () => Promise.reject(new Error("broken")),
      }),
    );
  };
  await using served = await serve({ fetch });
  assert.equal((await request(served.port, { path: "/throw" })).statusCode, 500);
  const cut = await request(served.port, { path: "/stream" });
  await assert.rejects(cut.toArray(), { code: "ECONNRESET" });
});

test("HEAD to a fetch app has headers and no body", async () => {
  await using served = await serve({ fetch: () => new Response("body", { headers: { "X-A": "1" } }) });
  const response = await request(served.port, { method: "HEAD" });
  assert.equal(response.headers["x-a"], "1");
  assert.equal((await response.toArray()).join(""), "");
});

async function ask(server: http.Server | undefined): Promise<string> {
  assert.ok(server !== undefined, "an app was found");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const response = await request((server.address() as AddressInfo).port, {});
    return (await response.toArray()).join("");
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function serve(app: object): Promise<{ port: number } & AsyncDisposable> {
  const server = await serveExported({ default: app });
  assert.ok(server !== undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function request(port: number, options: http.RequestOptions, body?: string): Promise<IncomingMessage> {
  const outgoing = http.request({ port, host: "127.0.0.1", agent: false, ...options });
  outgoing.end(body);
  const [response] = (await within(once(outgoing, "response"), "the response")) as [IncomingMessage];
  return response;
}

function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
