/** `--live`: which answers get the script at their end, and that all else of them is as the app has written it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { sourceHash } from "../../src/common/page/written-page.js";
import type { RelayedConnection } from "../../workers/listener/relayed-connection.js";
import { headWith } from "../../workers/live/head.js";
import { LiveAnswers } from "../../workers/live/live-answers.js";
import { policyWith } from "../../workers/live/policy.js";

const SCRIPT = '<script data-unreloader="id.7">live()</script>';
const NAVIGATION = { "sec-fetch-dest": "document", "accept-encoding": "gzip, br" };

function liveAnswers(): LiveAnswers {
  return new LiveAnswers({ id: "id", script: "live()" }, () => 7);
}

function connectionOf(kind: string, address = "127.0.0.1"): RelayedConnection {
  return { server: { kind }, remote: { address } } as RelayedConnection;
}

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly parts: readonly string[];
}

/** Asks `app` as `headers` say; what a browser far away asks has another address. */
async function ask(
  app: RequestListener,
  headers: http.OutgoingHttpHeaders = NAVIGATION,
  { method = "GET", address = "127.0.0.1", kind = "http", onPart = () => {} } = {},
): Promise<Got> {
  const live = liveAnswers();
  const connection = connectionOf(kind, address);
  const server = http.createServer((request, response) => {
    live.begin(connection, "request", [request, response]);
    app(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const asked = http.request({ port, host: "127.0.0.1", method, headers, agent: false }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const parts: string[] = [];
    for await (const part of answer) {
      parts.push(String(part));
      onPart();
    }
    return { status: answer.statusCode, headers: answer.headers, parts };
  } finally {
    server.close();
  }
}

/** Ends an answer, after its headers. */
function answering(body: string | Uint8Array | undefined, headers: http.OutgoingHttpHeaders = {}, status = 200) {
  return (_: unknown, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers });
    response.end(body);
  };
}

test("a whole HTML answer to a browser has the script at its end, in whatever way the app has written it", async () => {
  const html = (response: ServerResponse) => response.setHeader("content-type", "text/html");
  const apps: Record<string, RequestListener> = {
    "ended at once": (_, response) => html(response).end("<p>ü</p>"),
    "with its length": (_, response) => html(response).setHeader("content-length", 9).end("<p>ü</p>"),
    "with the length in writeHead": answering("<p>ü</p>", { "Content-Length": "9" }),
    "headers as a list": (_, response) =>
      response.writeHead(200, ["Content-Type", "text/html", "Content-Length", "9"]).end(Buffer.from("<p>ü</p>")),
    "in another encoding": (_, response) => html(response).end(Buffer.from("<p>ü</p>").toString("base64"), "base64"),
    "its length is checked": (_, response) => {
      response.strictContentLength = true;
      html(response).setHeader("content-length", 9).write("<p>ü</p>");
      response.end();
    },
    "with a policy": (_, response) =>
      html(response).setHeader("content-security-policy", "default-src 'none'").end("<p>ü</p>"),
    "an error of the app's": answering("<p>ü</p>", {}, 500),
  };
  for (const [name, app] of Object.entries(apps)) {
    const { headers, parts } = await ask(app);
    const body = parts.join("");
    assert.equal(body, `<p>ü</p>${SCRIPT}`, name);
    // Headers that are written before the answer is ended say nothing of its length, here as ever.
    const length = headers["content-length"] ?? Buffer.byteLength(body);
    assert.equal(Number(length), Buffer.byteLength(body), name);
    assert.equal("content-length" in headers, name !== "an error of the app's", name);
    if (name !== "with a policy") continue;
    const hash = sourceHash("live()");
    assert.equal(headers["content-security-policy"], `default-src 'none'; script-src-elem ${hash}; connect-src 'self'`);
  }
  const older = await ask(apps["ended at once"] as RequestListener, { "upgrade-insecure-requests": "1" });
  assert.match(older.parts.join(""), /<script/);
});

test("on streams of HTTP/2 as well, by Node's responses and without", async () => {
  const html = "text/html";
  const server = http2.createServer((request, response) => {
    assert.equal(request.headers["accept-encoding"], "identity");
    if (request.url === "/stream") return;
    response.setHeader("content-type", request.url === "/json" ? "application/json" : html);
    response.setHeader("content-length", 8);
    response.end("<p>x</p>");
  });
  server.prependListener("stream", (stream, headers, flags, ...rest: unknown[]) => {
    liveAnswers().begin(connectionOf("http2-secure"), "stream", [stream, headers, flags, ...rest]);
    if (headers[":path"] !== "/stream") return;
    stream.respond({ ":status": 200, "Content-Type": html, "Content-Security-Policy": "script-src 'self'" });
    stream.write("<p>x</p>");
    stream.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = http2.connect(`http://localhost:${(server.address() as AddressInfo).port}`);
  try {
    const get = async (path: string, method = "GET") => {
      const stream = session.request({ ":path": path, ":method": method, ...NAVIGATION });
      const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
      return { headers, body: (await stream.setEncoding("utf8").toArray()).join("") };
    };
    const whole = await get("/");
    assert.deepEqual([whole.body, whole.headers["content-length"]], [`<p>x</p>${SCRIPT}`, String(8 + SCRIPT.length)]);
    const json = await get("/json");
    assert.deepEqual([json.body, json.headers["content-length"]], ["<p>x</p>", "8"]);
    const streamed = await get("/stream");
    assert.equal(streamed.body, `<p>x</p>${SCRIPT}`);
    assert.equal(streamed.headers["content-security-policy"], `script-src 'self' ${sourceHash("live()")}`);
  } finally {
    session.destroy();
    server.close();
  }
});

test("what streams goes on streaming, and is not compressed or said to be as before", async () => {
  const seen: IncomingMessage["headers"][] = [];
  const texts = ["<p>one", "<p>two", "<p>three"];
  // Each is sent when the client has the one before.
  let next = () => {};
  const { headers, parts } = await ask(
    (request, response) => {
      seen.push(request.headers);
      assert.ok(!request.rawHeaders.includes("gzip, br"));
      response.setHeader("content-type", "text/html").flushHeaders();
      next = () => {
        const text = texts.shift();
        if (text === undefined) response.end();
        else response.write(text);
      };
      next();
    },
    { ...NAVIGATION, "if-none-match": '"1"', "if-modified-since": "Mon" },
    { onPart: () => next() },
  );
  assert.deepEqual(parts, ["<p>one", "<p>two", "<p>three", SCRIPT]);
  assert.equal(headers["transfer-encoding"], "chunked");
  assert.equal(seen[0]?.["accept-encoding"], "identity");
  assert.ok(!("if-none-match" in (seen[0] ?? {})) && !("if-modified-since" in (seen[0] ?? {})));
});

test("what is no whole HTML page for a browser on this machine is as the app has written it", async () => {
  const html = "<p>x</p>";
  const zipped = gzipSync(html);
  const cases: [name: string, app: RequestListener, ...how: unknown[]][] = [
    ["JSON", answering(html, { "content-type": "application/json" })],
    ["no type", (_, response) => response.end(html)],
    ["compressed", answering(zipped, { "content-encoding": "gzip", "content-length": zipped.length })],
    ["a part", answering(html, { "content-range": "bytes 0-7/20" }, 206)],
    ["nothing new", answering(undefined, { etag: '"1"' }, 304)],
    ["nothing", answering(undefined, {}, 204)],
    ["elsewhere", answering(html, { location: "/" }, 302)],
    ["empty", (_, response) => response.setHeader("content-type", "text/html").end()],
    ["to be kept as it is", answering(html, { "cache-control": "public, no-transform" })],
    ["digested", answering(html, { "content-digest": "sha-256=:x:" })],
    ["a download", answering(html, { "content-disposition": "attachment; filename=x.html" })],
    ["two bytes a character", answering(Buffer.from(html, "utf16le"), { "content-type": "text/html; charset=utf-16" })],
    ["without scripts", answering(html, { "content-security-policy": "sandbox allow-forms" })],
    ["a part that a script asks for", answering(html), { "sec-fetch-dest": "empty" }],
    ["no browser", answering(html), {}],
    ["HEAD", answering(html), NAVIGATION, { method: "HEAD" }],
    ["POST", answering(html), NAVIGATION, { method: "POST" }],
    ["from elsewhere", answering(html), NAVIGATION, { address: "192.168.1.7" }],
    ["by another name", answering(html), { ...NAVIGATION, host: "app.example" }],
    ["not of an HTTP server", answering(html), NAVIGATION, { kind: "raw" }],
  ];
  for (const [name, app, headers, how] of cases) {
    const got = await ask(app, headers as http.OutgoingHttpHeaders | undefined, how as object | undefined);
    assert.doesNotMatch(got.parts.join(""), /<script/, name);
    const length = got.headers["content-length"];
    if (length !== undefined && name !== "HEAD")
      assert.equal(Number(length), name === "compressed" ? zipped.length : Buffer.byteLength(got.parts.join("")), name);
  }
});

test("a policy lets the script run and ask its own origin, and is else as it was", () => {
  const cases = {
    "img-src *": "img-src *",
    "script-src 'none'; connect-src 'none'": "script-src HASH; connect-src 'self'",
    "default-src 'self'; script-src 'nonce-a' 'strict-dynamic'":
      "default-src 'self'; script-src 'nonce-a' 'strict-dynamic' HASH",
    "script-src 'self' 'unsafe-inline'; connect-src *": "script-src 'self' 'unsafe-inline'; connect-src *",
    "script-src 'unsafe-inline' 'nonce-a'": "script-src 'unsafe-inline' 'nonce-a' HASH",
    "default-src https:": "default-src https:; script-src-elem https: HASH; connect-src https: 'self'",
    "script-src a; script-src b, connect-src b": "script-src a HASH; script-src b, connect-src b 'self'",
    "sandbox allow-scripts": undefined,
    "sandbox allow-scripts allow-same-origin": "sandbox allow-scripts allow-same-origin",
  };
  for (const [policy, wanted] of Object.entries(cases)) assert.equal(policyWith(policy, "HASH"), wanted, policy);
  const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nX-Length: 5\r\n\r\n";
  assert.equal(headWith(head, { bytes: 3, hash: "HASH" }), head.replace("Length: 5", "Length: 8"));
});
